"""Pages of the arena: who meets, the vote, the leaderboard, and votes from a file."""

from __future__ import annotations

import contextlib
import secrets
import tempfile
from collections import OrderedDict
from collections.abc import AsyncGenerator, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path, PurePath
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Depends, FastAPI, File, Form, Request, UploadFile
from fastapi.responses import HTMLResponse, JSONResponse, Response
from pydantic import BaseModel
from starlette.concurrency import run_in_threadpool
from starlette.exceptions import HTTPException

from assay.core import UserError
from assay.report.traces import Shown
from assay.report.wording import visible
from assay.studio.arena.ballots import CHOICES, Ballots
from assay.studio.arena.board import Table, imported, table_of
from assay.studio.arena.contenders import live_pairs, recorded_pairs, recorded_runs
from assay.studio.arena.sitting import Battle, Sitting, Start
from assay.studio.desk import Desk, desk_of
from assay.studio.models import model_names
from assay.tasks import task_named, task_names
from assay.tasks.votes import STYLES, Unknown, UnknownOutcome, count_style
from assay.workbench.techniques import all_techniques

MOST_SITTINGS = 32
MOST_PROMPTS = 500
MOST_CONTENDERS = 12
MOST_LISTED = 100
"""Runs to choose from."""


@dataclass
class Arena:
    """What is going on in the arena of one studio."""

    ballots: Ballots
    sittings: OrderedDict[str, Sitting] = field(default_factory=OrderedDict)
    seen: OrderedDict[str, tuple[Sitting, Battle]] = field(default_factory=OrderedDict)
    """Battles by id that a browser was told of."""

    def begin(self, starts: Sequence[Start], seed: int) -> str:
        """A new sitting; returns its id. The oldest is let go where there are many."""
        name = secrets.token_urlsafe(9)
        self.sittings[name] = Sitting(starts, self.ballots.knows, seed)
        while len(self.sittings) > MOST_SITTINGS:
            self.sittings.popitem(last=False)
        return name

    def sitting(self, name: str) -> Sitting:
        """The sitting of that id."""
        if name not in self.sittings:
            raise HTTPException(404, "This sitting is over. Votes are kept; begin another at /arena.")
        return self.sittings[name]

    def battle(self, name: str) -> tuple[Sitting, Battle]:
        """The battle of that id, with its sitting."""
        if name not in self.seen:
            raise HTTPException(404, "There is no such pair. Load the page again.")
        return self.seen[name]


@contextlib.asynccontextmanager
async def living(app: FastAPI) -> AsyncGenerator[None]:
    """Open while the studio is."""
    app.state.arena = Arena(Ballots(app.state.desk.home.data / "arena" / "votes.jsonl"))
    yield
    for sitting in app.state.arena.sittings.values():
        await sitting.end()


def arena_of(request: Request) -> Arena:
    """The arena of the application that was asked."""
    arena: Arena = request.app.state.arena
    return arena


router = APIRouter(prefix="/arena", lifespan=living)
AtDesk = Annotated[Desk, Depends(desk_of)]
InArena = Annotated[Arena, Depends(arena_of)]


async def own_table(arena: Arena) -> Table | None:
    """The leaderboard of the votes cast here."""
    standing = await arena.ballots.standing()
    return table_of(*standing) if standing else None


@router.get("", response_class=HTMLResponse)
async def page(desk: AtDesk, arena: InArena) -> Response:
    """Choose who meets; the leaderboard; votes from a file."""
    return desk.render(
        "arena",
        models=model_names(desk),
        techniques=list(all_techniques()),
        tasks=task_names(),
        runs=await run_in_threadpool(recorded_runs, desk, MOST_LISTED),
        table=await own_table(arena),
        ballots=arena.ballots,
        here="arena",
    )


@router.get("/board", response_class=HTMLResponse)
async def board(desk: AtDesk, arena: InArena) -> Response:
    """The leaderboard; a part of a page."""
    return desk.render("arena_board", table=await own_table(arena), ballots=arena.ballots)


@dataclass(frozen=True, slots=True)
class Asked:
    """The fields of the form that begins a sitting."""

    contender: Annotated[list[str] | None, Form()] = None
    more: Annotated[str, Form()] = ""
    """Further contenders, with commas between them."""
    prompts: Annotated[str, Form()] = ""
    task: Annotated[str, Form()] = ""
    tokens: Annotated[int, Form(ge=1, le=100_000)] = 256


@router.post("/sittings")
async def begin(desk: AtDesk, arena: InArena, asked: Annotated[Asked, Depends()]) -> Response:
    """Models, or techniques on models, meet on prompts."""
    typed = [name.strip() for name in asked.more.split(",") if name.strip()]
    names = list(dict.fromkeys([*(asked.contender or []), *typed]))
    if len(names) > MOST_CONTENDERS:
        raise UserError(f"{MOST_CONTENDERS} contenders can meet in one sitting, and these are {len(names)}.")
    seed = secrets.randbits(31)
    starts = live_pairs(desk, names, prompts_of(asked, seed), asked.tokens, seed)
    return on_to(arena.begin(starts, seed))


def prompts_of(asked: Asked, seed: int) -> list[str]:
    """What was typed, a blank line between prompts, and questions drawn from a task."""
    typed = [part.strip() for part in asked.prompts.replace("\r\n", "\n").split("\n\n")]
    found = [prompt for prompt in dict.fromkeys(typed) if prompt]
    if asked.task:
        found += [sample.question for sample in task_named(asked.task).samples(30, seed)]
    if not found:
        raise UserError("There is no prompt.", hint="Type one, or choose a task to draw questions from.")
    return found[:MOST_PROMPTS]


@router.post("/recorded")
async def begin_recorded(desk: AtDesk, arena: InArena, run: Annotated[str, Form()] = "") -> Response:
    """Both arms of a run meet on what they replied then."""
    pairs = await run_in_threadpool(recorded_pairs, desk, desk.store.run(run))
    return on_to(arena.begin(pairs, secrets.randbits(31)))


def on_to(sitting: str) -> Response:
    """Send the browser to a sitting."""
    return Response(status_code=303, headers={"location": f"/arena/sittings/{sitting}"})


@router.get("/sittings/{name}", response_class=HTMLResponse)
async def sitting(desk: AtDesk, arena: InArena, name: str) -> Response:
    """The page on which votes are cast. Nothing in it says who meets."""
    arena.sitting(name)
    return desk.render("arena_vote", sitting=name, here="arena")


@router.post("/sittings/{name}/next")
async def following(arena: InArena, name: str) -> Response:
    """The battle that waits for a vote; a null battle where all have been shown."""
    found = arena.sitting(name)
    battle = await found.next()
    left_out = {"equal": found.equal, "missing": found.missing, "voted": found.voted}
    if battle is None:
        return private({"battle": None, "left_out": left_out})
    arena.seen[battle.id] = (found, battle)
    while len(arena.seen) > 10 * MOST_SITTINGS:
        arena.seen.popitem(last=False)
    parts = {"prompt": battle.prompt, "left": battle.left.text, "right": battle.right.text}
    cut = {part: Shown.of(text) for part, text in parts.items()}
    texts = {part: {"text": one.text, "left_out": one.left_out} for part, one in cut.items()}
    return private({"battle": battle.id, "left_out": left_out, **texts})


class Choice(BaseModel):
    """What a voter says of a battle."""

    choice: Literal["left", "right", "tie", "both-bad", "skip"]


@router.post("/battles/{name}")
async def vote(arena: InArena, name: str, said: Choice) -> Response:
    """Keep a vote, then tell who wrote what. One to a battle; a skip is none."""
    found, battle = arena.battle(name)
    if said.choice == "skip":
        found.close(battle)
        return private({"skipped": True})
    row = {
        "question_id": battle.key,
        "model_a": battle.left.name,
        "model_b": battle.right.name,
        "winner": CHOICES[said.choice],
        "judge": "human",
        "turn": 1,
        "time": datetime.now(UTC).isoformat(timespec="seconds"),
        "prompt": battle.prompt,
        "response_a": battle.left.text,
        "response_b": battle.right.text,
        **style_columns(battle),
    }
    kept = await arena.ballots.cast(row)
    found.close(battle)
    if not kept:
        raise HTTPException(409, "This pair has its vote already; a second one is not counted.")
    return private({"left": visible(battle.left.name), "right": visible(battle.right.name)})


def style_columns(battle: Battle) -> dict[str, float]:
    """The style of both replies: counted here, because of an empty text a table cannot tell that it is one."""
    texts = {"a": battle.left.text, "b": battle.right.text}
    return {
        column.format(side): count_style(text, name)
        for name, column in STYLES.items()
        for side, text in texts.items()
    }


def private(fields: dict[str, Any]) -> Response:
    """JSON that is kept nowhere."""
    return JSONResponse(fields, headers={"cache-control": "no-store"})


@router.post("/import", response_class=HTMLResponse)
async def take(
    desk: AtDesk,
    arena: InArena,
    file: Annotated[UploadFile, File()],
    own: Annotated[str, Form()] = "",
    unknown: Annotated[Unknown, Form()] = "error",
) -> Response:
    """The leaderboard of a file of votes. The file is not kept."""
    called = PurePath((file.filename or "").replace("\\", "/")).name
    if not called:
        raise UserError("No file was chosen.", hint="Choose a CSV, JSONL or Parquet file.")
    standing = await arena.ballots.standing() if own else None
    with tempfile.TemporaryDirectory(prefix="assay-votes-") as folder:
        copy = Path(folder) / f"votes{PurePath(called).suffix.lower()}"
        with copy.open("wb") as out:
            while block := await file.read(1 << 20):
                out.write(block)
        try:
            table = await run_in_threadpool(imported, copy, standing[1] if standing else None, unknown)
        except UnknownOutcome as error:
            hint = "Go back and choose what becomes of unknown outcomes: ties, or left out."
            raise UserError(f"{error.message.replace(str(copy), called)} {hint}") from None
        except UserError as error:
            # The user knows the file by the name it had.
            raise UserError(str(error).replace(str(copy), called)) from None
    return desk.render("arena_imported", table=table, called=called, own=bool(standing), here="arena")
