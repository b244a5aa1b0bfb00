"""Runs every claim of a wish, tells of it on the terminal, and loses nothing when it is stopped."""

from __future__ import annotations

import asyncio
import contextlib
import signal
import subprocess
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

from assay import __version__
from assay.cli.printing import echo
from assay.cli.progress import progress
from assay.core import WHITE_BOX, Capability, Claim, UserError
from assay.core.home import Home
from assay.core.model import Model
from assay.core.verdict import Verdict
from assay.home import find_home
from assay.lab.driver import Driver
from assay.lab.experiment import Report
from assay.lab.lease import lease
from assay.lab.plan import Event, Plan
from assay.lab.session import FINGERPRINTS, Stamp, begin_run, new_run_id, run_claim, told
from assay.lab.store import Store
from assay.lab.workshop import Workshop
from assay.models import ModelChoice
from assay.workbench.opening import opened
from assay.workbench.records import run_meant
from assay.workbench.wish import Wish, task_fingerprint, the_plan


def run_wish(wish: Wish, command: str, *, resume: str = "", quiet: bool = False) -> list[Verdict]:
    """Run every claim of a wish; Ctrl-C and SIGTERM keep what ended and say how to go on."""
    try:
        return asyncio.run(_run_wish(wish, command, resume, quiet))
    except asyncio.CancelledError:
        raise KeyboardInterrupt from None


async def _run_wish(wish: Wish, command: str, resume: str, quiet: bool) -> list[Verdict]:
    # Every plan is made, and so checked, before the model is started.
    plans = [the_plan(wish, claim) for claim in wish.claims]
    mark = task_fingerprint(wish.task) if wish.task else ""
    task = {FINGERPRINTS: {"task": mark}} if mark else {}
    home = find_home().make()
    this = asyncio.current_task()
    assert this is not None, "a coroutine runs in a task"
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, this.cancel)
    verdicts: list[Verdict] = []
    commit = commit_of_source()
    async with contextlib.AsyncExitStack() as stack:
        store = stack.enter_context(contextlib.closing(Store(home.database)))
        opener = _Opener(home, store, stack)
        for plan in plans:
            run = resume or new_run_id(plan.claim.id)
            config = {**wish.to_json(), "claims": [plan.claim.id], **task}
            stamp = Stamp(command, __version__, commit, config)
            with lease(home.running, run), progress(plan.claim.id, quiet=quiet) as shown:
                if resume:
                    # It may have been forgotten before the lease was ours.
                    run_meant(store, run)
                await begin_run(store, run, plan, stamp)
                report = told(store, run, shown)
                try:
                    verdicts.append(await _conduct(plan, wish, run, opener, stamp, report))
                    report(Event("end", "done"))
                except asyncio.CancelledError:
                    await _stopped(store, run, report, "stopped")
                    where = f"Go on with: assay resume {run}"
                    echo(f"\nassay: stopped; everything that ended is kept. {where}", err=True)
                    raise
                except Exception as error:
                    if not resume and not store.recorded(run):
                        # A slip of the pen is no run.
                        store.discard(run)
                    else:
                        await _stopped(store, run, report, str(error) or type(error).__name__)
                    raise
    return verdicts


class _Opener:
    """Opens what claims run on; claims that follow each other on the same model share it."""

    def __init__(self, home: Home, store: Store, stack: contextlib.AsyncExitStack) -> None:
        self.home, self.store = home, store
        self._inside = contextlib.AsyncExitStack()
        self._opened = ("", "")
        stack.push_async_exit(self._inside)

    async def open(self, plan: Plan, choice: ModelChoice, report: Report) -> tuple[Model, Driver]:
        """Model and driver for a plan."""
        choice = await _choice_for(plan, choice, self.home, lambda text: report(Event("making", text)))
        # Claims on words and claims on the network itself may be run by different engines.
        wanted = (_kind_of(plan.claim), choice.name)
        if self._opened != wanted:
            await self._inside.aclose()
            self._bench = await self._inside.enter_async_context(
                opened(self.store, choice, self.home, plan.claim.needs)
            )
            self._opened = wanted
        return self._bench


async def _conduct(plan: Plan, wish: Wish, run: str, opener: _Opener, stamp: Stamp, report: Report) -> Verdict:
    """One claim to its verdict."""
    model, driver = await opener.open(plan, wish.model, report)
    assert driver.workshop is not None, "a bench has one"
    driver.workshop.tell = lambda text: report(Event("making", text))
    spent = driver.fresh.tokens
    verdict = await run_claim(plan, model, run, opener.store, driver, stamp, report)
    if _kind_of(plan.claim) != "training":
        report(Event("note", f"{driver.fresh.tokens - spent:,} new tokens; the rest was known."))
    return verdict


async def _choice_for(plan: Plan, choice: ModelChoice, home: Home, tell: Callable[[str], None]) -> ModelChoice:
    """The model that was named; where none was, the organism a claim is about, trained on first use."""
    if choice.name or choice.base_urls or not plan.claim.organism:
        return choice
    recipe = plan.paper.organisms[plan.claim.organism](0, plan.size)
    workshop = Workshop(home.organisms, tell=tell)
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


async def _stopped(store: Store, run: str, report: Report, why: str) -> None:
    """Note that a run did not come to its end; what ended in it is kept already."""
    with contextlib.suppress(UserError):
        report(Event("end", why))
        await store.finish(run, "stopped", None)


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
