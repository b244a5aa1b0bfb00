"""What every command that runs something needs: home, store, model, driver, and a line of progress."""

from __future__ import annotations

import asyncio
import contextlib
import subprocess
import sys
import time
from collections.abc import AsyncGenerator, Sequence, Set
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

from assay import __version__
from assay.core import WHITE_BOX, Capability, Claim, Task, UserError
from assay.core.home import Home
from assay.core.model import Model
from assay.core.verdict import Verdict
from assay.home import find_home
from assay.lab.driver import Driver
from assay.lab.experiment import Report
from assay.lab.plan import Event, Plan
from assay.lab.session import Stamp, new_run_id, run_claim
from assay.lab.store import Store
from assay.lab.workshop import Workshop
from assay.models import DEFAULT_MODEL, ModelChoice, connect


@dataclass(frozen=True, slots=True)
class Wish:
    """What a user asked to be run, in the form `resume` finds again."""

    claims: tuple[str, ...]
    model: ModelChoice
    size: str = "small"
    seed: int = 0
    n: int | None = None
    level: str | None = None
    task: str | None = None
    rule: str | None = None
    controls: tuple[str, ...] = ()
    budget_tokens: float | None = None
    repeats: int = 1
    driver: str = ""

    def to_json(self) -> dict[str, Any]:
        """As JSON."""
        return asdict(self)

    @classmethod
    def from_json(cls, fields: dict[str, Any]) -> Wish:
        """The inverse of `to_json`."""
        model = ModelChoice(**{**fields["model"], "base_urls": tuple(fields["model"]["base_urls"])})
        return cls(
            **{
                **fields,
                "model": model,
                "claims": tuple(fields["claims"]),
                "controls": tuple(fields["controls"]),
            }
        )


def the_plan(wish: Wish, claim_id: str) -> Plan:
    """The plan of one claim of a wish."""
    from assay.papers import claim_named

    paper, claim = claim_named(claim_id)
    if wish.rule not in (None, "anytime", "obf5", "fixed"):
        from assay.core import UnknownName

        raise UnknownName("stopping rule", str(wish.rule), ("anytime", "obf5", "fixed"))
    return Plan(
        paper=paper,
        claim=driven(claim, wish.driver, wish.model.name) if wish.driver else claim,
        size=wish.size,
        seed=wish.seed,
        n=wish.n,
        level=wish.level,
        task=chosen_task(wish.task) if wish.task else None,
        rule=wish.rule,  # type: ignore[arg-type]
        controls=wish.controls,
        budget_tokens=wish.budget_tokens,
        repeats=wish.repeats,
    )


def driven(claim: Claim, driver: str, model: str) -> Claim:
    """The claim with that driver; `calibrated` alone is as right as was measured on the model."""
    from assay.cli.agents.calibrating import measured_competence
    from assay.core.agents import decider_named

    if claim.drive is None:
        raise UserError(f"Nothing is decided inside {claim.id}.", hint="Leave out --driver.")
    measured = measured_competence(model, claim.task.name) if driver == "calibrated" else None
    return claim.drive(decider_named(driver, measured, model or DEFAULT_MODEL))


def chosen_task(name: str) -> Task:
    """The task of that name, or the one in that file or folder."""
    from assay.tasks import load_programs, load_puzzles, load_retrieval, load_task, task_named
    from assay.tasks.code import is_programs_file

    path = Path(name)
    if path.is_dir():
        return load_retrieval(path)
    if path.suffix == ".sudoku":
        return load_puzzles(path)
    if is_programs_file(path):
        return load_programs(path)
    return load_task(path) if path.exists() or path.suffix else task_named(name)


@contextlib.asynccontextmanager
async def bench(
    choice: ModelChoice, home: Home, needs: Set[Capability] = frozenset()
) -> AsyncGenerator[tuple[Store, Model, Driver]]:
    """Store, model and driver; all closed at the end, whatever happens."""
    store = Store(home.database)
    try:
        model = await connect(choice, home, needs=needs, say=_say)
        driver = Driver(cache=store, workshop=Workshop(home.organisms))
        try:
            yield store, model, driver
        finally:
            await driver.close()
            await model.close()
    finally:
        store.close()


def _say(text: str) -> None:
    print(f"assay: {text}", file=sys.stderr)


def run_wish(wish: Wish, command: str, *, resume: str = "", quiet: bool = False) -> list[Verdict]:
    """Run every claim of a wish; Ctrl-C keeps what ended and says how to go on."""
    return asyncio.run(_run_wish(wish, command, resume, quiet))


async def _run_wish(wish: Wish, command: str, resume: str, quiet: bool) -> list[Verdict]:
    # Every plan is made, and so checked, before the model is started.
    plans = [the_plan(wish, claim) for claim in wish.claims]
    home = find_home().make()
    verdicts: list[Verdict] = []
    stamp_commit = commit_of_source()
    opened = ("", "")
    async with contextlib.AsyncExitStack() as stack:
        for plan in plans:
            claim = plan.claim.id
            # Claims on words and claims on the network itself may be run by different engines.
            choice = await _choice_for(plan, wish.model, home)
            kind = _kind_of(plan.claim)
            if opened != (kind, choice.name):
                await stack.aclose()
                opened, needs = (kind, choice.name), plan.claim.needs
                store, model, driver = await stack.enter_async_context(bench(choice, home, needs))
            config = {**wish.to_json(), "claims": [claim]}
            stamp = Stamp(command, __version__, stamp_commit, config)
            run = resume or new_run_id(claim)
            spent = driver.fresh.tokens
            with progress(claim, quiet=quiet) as report:
                assert driver.workshop is not None, "a bench has one"
                driver.workshop.tell = lambda text, report=report: report(Event("making", text))  # type: ignore[misc]
                try:
                    verdicts.append(await run_claim(plan, model, run, store, driver, stamp, report))
                    if kind != "training":
                        report(Event("note", f"{driver.fresh.tokens - spent:,} new tokens; the rest was known."))
                except asyncio.CancelledError:
                    await _stopped(store, run)
                    raise
                except Exception:
                    with contextlib.suppress(UserError):
                        await store.finish(run, "stopped", None)
                    raise
    return verdicts


async def _choice_for(plan: Plan, choice: ModelChoice, home: Home) -> ModelChoice:
    """The model that was named; where none was, the organism a claim is about, trained on first use."""
    if choice.name or choice.base_urls or not plan.claim.organism:
        return choice
    recipe = plan.paper.organisms[plan.claim.organism](0, plan.size)
    workshop = Workshop(home.organisms, tell=_say)
    try:
        await workshop.make(recipe)
    finally:
        await workshop.close()
    return replace(choice, name=f"organism:{recipe.name}-{recipe.hash}")


def _kind_of(claim: Claim) -> str:
    """Which kind of engine runs a claim."""
    if Capability.TRAIN in claim.needs:
        return "training"
    if Capability.EMBED in claim.needs:
        return "words and vectors"
    return "network" if claim.needs & WHITE_BOX else "words"


async def _stopped(store: Store, run: str) -> None:
    """Note that a run was interrupted; what ended in it is kept already."""
    with contextlib.suppress(UserError):
        await store.finish(run, "stopped", None)
    print(f"\nassay: stopped; everything that ended is kept. Go on with: assay resume {run}", file=sys.stderr)


@contextlib.contextmanager
def progress(name: str, *, quiet: bool = False) -> Any:
    """A reporter that draws one live line on a terminal and a plain line now and then in a pipe."""
    if quiet:
        yield lambda event: None
    elif sys.stderr.isatty():
        yield from _live(name)
    else:
        yield _plain(name)


def _words(event: Event) -> str:
    if event.data and event.kind == "look":
        data = event.data
        return f"effect {data['estimate']:+.3f} [{data['low']:+.3f}, {data['high']:+.3f}]"
    return event.text


def _plain(name: str) -> Report:
    last = [0.0]

    def report(event: Event) -> None:
        due = time.monotonic() - last[0] > 5
        if event.kind == "note" or due:
            count = f" {event.done}/{event.total}" if event.total else ""
            print(f"{name}:{count} {_words(event)}", file=sys.stderr)
            last[0] = time.monotonic()

    return report


def _live(name: str) -> Any:
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

    columns = (
        TextColumn("{task.fields[name]}"),
        BarColumn(bar_width=24),
        MofNCompleteColumn(),
        TimeElapsedColumn(),
        TextColumn("{task.description}"),
    )
    console = Console(stderr=True)
    with Progress(*columns, console=console, transient=True) as bar:
        task = bar.add_task("", total=None, name=name)

        def report(event: Event) -> None:
            if event.kind == "note":
                console.print(f"{name}: {event.text}", style="dim", highlight=False)
            else:
                words = _words(event)
                # What is being made says nothing of how many samples have ended.
                counted = event.kind != "making"
                bar.update(
                    task,
                    completed=event.done if counted else None,
                    total=(event.total or None) if counted else None,
                    **({"description": words} if words else {}),  # type: ignore[arg-type]
                )

        yield report


def commit_of_source() -> str:
    """The commit this assay runs from, with '+' where files were changed; empty outside a checkout."""
    source = Path(__file__).resolve().parents[3]
    if not (source / ".git").exists():
        return ""
    try:
        head = _git(source, "rev-parse", "--short=12", "HEAD")
        changed = _git(source, "status", "--porcelain", "--", "src")
    except (OSError, subprocess.CalledProcessError):
        return ""
    return head + ("+" if changed else "")


def _git(source: Path, *arguments: str) -> str:
    done = subprocess.run(["git", "-C", str(source), *arguments], capture_output=True, text=True, check=True)
    return done.stdout.strip()


def typed_command(arguments: Sequence[str]) -> str:
    """The command line as it was typed."""
    import shlex

    return shlex.join(["assay", *arguments])
