"""Runs: start one, watch it, stop it, go on with it, and read every sample of it."""

from __future__ import annotations

import asyncio
import json
import math
from collections.abc import AsyncGenerator
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Annotated, Any
from urllib.parse import urlencode

from fastapi import APIRouter, Depends, Form, Header, Query, Request
from fastapi.responses import HTMLResponse, JSONResponse, Response, StreamingResponse

from assay.core import UnknownName, UserError
from assay.core.verdict import SampleRow, Verdict
from assay.lab.listing import ENDINGS
from assay.lab.plan import Plan
from assay.lab.session import new_run_id, row_of, rows_of
from assay.lab.store import RunRow
from assay.papers import claim_named
from assay.report.html import figures, section
from assay.report.pairs import Room, groups_of, is_ranked
from assay.report.traces import exchanges
from assay.studio.desk import Desk, desk_of
from assay.workbench.records import forget_run, run_meant
from assay.workbench.wish import Wish, chosen_controls, the_plan

router = APIRouter()
AtDesk = Annotated[Desk, Depends(desk_of)]
LOOK_SECONDS = 0.25
"""Between two looks at what a run tells."""
BEAT_SECONDS = 15.0
"""A line of comment after so long a silence: a dead connection is noticed."""
MOST_EVENTS = 1000
"""In one message."""
MOST_RUNS = 100
"""On one page."""
MOST_LISTED = 200
"""Pairs of samples on one page."""


# What only reads is no coroutine: it is done in a thread, and holds up nobody.


@router.get("/runs", response_class=HTMLResponse)
def listed(
    desk: AtDesk, claim: str = "", ended: str = "", page: Annotated[int, Query(ge=1, le=1_000_000)] = 1
) -> Response:
    """Runs, newest first, a page at a time; of one claim, or of one ending."""
    if ended and ended not in ENDINGS:
        raise UnknownName("ending", ended, ENDINGS, hint=f"Endings: {', '.join(ENDINGS)}.")
    going = desk.going()
    of = [claim] if claim else []
    lines = desk.store.listing.lines(
        claims=of, ended=ended, going=going, most=MOST_RUNS + 1, skip=(page - 1) * MOST_RUNS
    )
    chosen = {name: value for name, value in (("claim", claim), ("ended", ended)) if value}

    def address(other: int) -> str:
        return "/runs?" + urlencode(chosen | {"page": other})

    return desk.render(
        "runs",
        rows=[(line, desk.processes.state_among(line, going)) for line in lines[:MOST_RUNS]],
        claims=desk.store.listing.claims(),
        endings=ENDINGS,
        claim=claim,
        ended=ended,
        newer=address(page - 1) if page > 1 else "",
        older=address(page + 1) if len(lines) > MOST_RUNS else "",
        here="runs",
    )


@dataclass(frozen=True, slots=True)
class Asked:
    """The fields of the form that starts a run; an empty one is left to what is usual."""

    claim: Annotated[str, Form()]
    model: Annotated[str, Form()] = ""
    size: Annotated[str, Form()] = "small"
    seed: Annotated[str, Form()] = "0"
    level: Annotated[str, Form()] = ""
    n: Annotated[str, Form()] = ""
    budget: Annotated[str, Form()] = ""
    controls: Annotated[str, Form()] = "default"


@router.post("/runs")
async def start(desk: AtDesk, asked: Annotated[Asked, Depends()]) -> Response:
    """Note a run and set a process to work at it; what cannot be run is said before."""
    wish = Wish(
        claims=(asked.claim,),
        model=desk.choice(asked.model.strip()),
        size=asked.size,
        seed=whole(asked.seed, "seed") or 0,
        level=asked.level or None,
        n=whole(asked.n, "number of samples"),
        budget_tokens=whole(asked.budget, "number of tokens"),
        controls=chosen_controls(None if asked.controls == "default" else asked.controls, asked.size, False),
    )
    plan = the_plan(wish, asked.claim)
    run = new_run_id(plan.claim.id)
    await desk.store.begin(run, now(), plan.claim.id, wish.to_json())
    desk.processes.start(run)
    return see(f"/runs/{run}")


def whole(text: str, what: str) -> int | None:
    """A number from a field that may be empty; no fewer than 0."""
    if not text.strip():
        return None
    if not text.strip().isdecimal() or len(text) > 18:
        raise UserError(f"'{text[:40]}' is no {what}.")
    return int(text)


def now() -> str:
    """The time as runs are stamped with it."""
    return datetime.now(UTC).isoformat(timespec="seconds")


def see(path: str) -> Response:
    """Send the browser on to a page."""
    return Response(status_code=303, headers={"location": path})


@router.get("/runs/{name}", response_class=HTMLResponse)
def run(desk: AtDesk, name: str) -> Response:
    """One run: live while it goes on, else its verdict as a report shows it."""
    row = desk.store.run(name)
    state = desk.processes.state(row)
    if row.verdict is not None and state == "done":
        verdict = Verdict.from_json(row.verdict)
        shown = section(1, verdict, (), Room(0))
        rows = rows_of(row, desk.store, desk.samples(row), traces=False)
        drawings = figures(verdict, rows)
        return desk.render("verdict", row=row, section=replace(shown, figures=drawings), here="runs")
    return desk.render("live", row=row, state=state, plan=plan_of(row), here="runs")


def plan_of(row: RunRow) -> Plan | None:
    """What is run; None where it was brought from elsewhere, or its claim is no more."""
    try:
        return the_plan(replace(Wish.from_json(row.config), driver=""), row.claim)
    except (KeyError, TypeError, UserError):
        return None


@router.post("/runs/{name}/stop")
async def stop(desk: AtDesk, name: str) -> Response:
    """Ask it to stop; what has ended is kept."""
    row = run_meant(desk.store, name)
    desk.processes.stop(row.id)
    return see(f"/runs/{row.id}")


@router.post("/runs/{name}/resume")
async def resume(desk: AtDesk, name: str) -> Response:
    """Go on with it."""
    row = run_meant(desk.store, name)
    if "model" not in row.config:
        raise UserError(f"The run {row.id} was brought from elsewhere and cannot be resumed.")
    if desk.processes.state(row) == "done":
        raise UserError(f"The run {row.id} has its verdict.", hint="Begin another one.")
    desk.processes.start(row.id)
    return see(f"/runs/{row.id}")


@router.post("/runs/{name}/forget")
def forget(desk: AtDesk, name: str) -> Response:
    """Take a run away for good."""
    row = run_meant(desk.store, name)
    # A process that was just started has no lease yet.
    if desk.processes.is_running(row.id):
        raise UserError(f"The run {row.id} is going on.", hint="Stop it first.")
    forget_run(desk.home, desk.store, row.id)
    return see("/runs")


@router.get("/runs/{name}/samples", response_class=HTMLResponse)
def samples(desk: AtDesk, name: str, most: Annotated[int, Query(ge=1, le=5_000)] = MOST_LISTED) -> Response:
    """What every arm made of every sample so far, those that differ first; a part of a page."""
    row = desk.store.run(name)
    ranked = is_ranked(Verdict.from_json(row.verdict)) if row.verdict else False
    groups, left_out = groups_of(rows_named(desk, row), Room(0), ranked=ranked, most=most)
    return desk.render("samples_of_run", row=row, groups=groups, left_out=left_out, most=most)


def arms_of(row: RunRow) -> dict[str, str]:
    """What `treatment` and `control` are called in the run's records; empty where nobody knows any more."""
    if row.verdict:
        arms = Verdict.from_json(row.verdict).arms
        return {role: arms[role].name for role in ("treatment", "control")}
    try:
        _, claim = claim_named(row.claim)
    except UnknownName:
        return {}
    return {"treatment": claim.treatment.name, "control": claim.control.name}


def rows_named(desk: Desk, row: RunRow) -> list[SampleRow]:
    """Samples of a run with their arms called treatment and control, also before there is a verdict."""
    roles = {name: role for role, name in arms_of(row).items()}
    rows = rows_of(row, desk.store, desk.samples(row), traces=False)
    return [replace(one, arm=roles.get(one.arm, one.arm)) for one in rows]


@router.get("/runs/{name}/trace", response_class=HTMLResponse)
def trace(desk: AtDesk, name: str, arm: str, item: str, repeat: int = 0) -> Response:
    """Everything asked and answered on one sample in one arm; a part of a page."""
    row = desk.store.run(name)
    arm = arms_of(row).get(arm, arm)
    recorded = desk.store.recorded(row.id).get((arm, item, repeat))
    if recorded is None:
        raise UnknownName("sample", item, ())
    one = row_of(recorded, arm, None, desk.store.trace(recorded.trace))
    return desk.render("trace_of_sample", steps=exchanges(one.steps), row=one)


@router.get("/runs/{name}/verdict.json")
def verdict_json(desk: AtDesk, name: str) -> Response:
    """The verdict as `assay run --json` writes it."""
    row = desk.store.run(name)
    if row.verdict is None:
        raise UserError(f"The run {row.id} has no verdict yet.")
    return JSONResponse(row.verdict)


@router.get("/runs/{name}/events")
async def events(
    desk: AtDesk,
    request: Request,
    name: str,
    after: Annotated[int, Query(ge=0)] = 0,
    last_event_id: Annotated[str, Header()] = "",
) -> Response:
    """What the run tells, as server-sent events: all since the event of that number, then what follows."""
    row = desk.store.run(name)
    given = last_event_id if last_event_id.isascii() and last_event_id.isdecimal() else ""
    since = min(int(given[:18]) if given else after, 2**62)
    headers = {"cache-control": "no-store", "x-accel-buffering": "no"}
    return StreamingResponse(telling(desk, row.id, since), media_type="text/event-stream", headers=headers)


async def telling(desk: Desk, run: str, since: int) -> AsyncGenerator[str]:
    """Events with their numbers; counts by arm and the run's state whenever they change."""
    told: dict[str, Any] = {}
    silent = 0.0
    while True:
        lines = []
        # The state is looked at first: what was told before the end is then certainly there.
        state = desk.processes.state(desk.store.run(run))
        events = desk.store.events(run, since, MOST_EVENTS)
        for number, event in events:
            since = number
            lines.append(f"id: {number}\nevent: told\ndata: {as_json(event)}\n\n")
        current: dict[str, Any] = {"tally": desk.store.tally(run), "state": {"state": state}}
        if state == "stopped":
            current["state"]["why"] = desk.processes.last_words(run)
        for kind, value in current.items():
            if told.get(kind) != value:
                told[kind] = value
                lines.append(f"event: {kind}\ndata: {as_json(value)}\n\n")
        silent = 0.0 if lines else silent + LOOK_SECONDS
        if silent >= BEAT_SECONDS:
            lines, silent = [": still here\n\n"], 0.0
        if lines:
            yield "".join(lines)
        if len(events) < MOST_EVENTS:
            if state != "running":
                return
            await asyncio.sleep(LOOK_SECONDS)


def as_json(value: Any) -> str:
    """JSON that a browser reads: what is no finite number is null."""
    return json.dumps(_finite(value), ensure_ascii=False)


def _finite(value: Any) -> Any:
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    if isinstance(value, dict):
        return {name: _finite(part) for name, part in value.items()}
    return [_finite(part) for part in value] if isinstance(value, list | tuple) else value
