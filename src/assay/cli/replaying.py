"""`assay replay`: recorded replies judged by a claim, with no model and nothing kept."""

from __future__ import annotations

import asyncio
import dataclasses
import sys
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from assay.core import Model
    from assay.core.verdict import Verdict
    from assay.lab.plan import Plan
    from assay.lab.session import Stamp

DRIVER = "replay"


def replay_file(file: Path, claim: str, seed: int) -> Verdict:
    """The verdict of a claim on the replies in a file.

    Raises:
        BadFile: where the file is no recording of this claim, or holds too few replies.
        CannotRun: where the claim rests on more than words.
    """
    from assay import __version__
    from assay.cli.workbench import commit_of_source, typed_command
    from assay.core import CannotRun
    from assay.lab.plan import FREE_CONTROLS, Plan
    from assay.lab.replaying.replay import Replay, has_placebo, recorded_repeats, replay_notes, transcript_task
    from assay.lab.replaying.replay_transcripts import read_recording
    from assay.lab.session import Stamp
    from assay.papers import claim_named

    paper, the_claim = claim_named(claim)
    recording = read_recording(file, the_claim)
    model = Replay(recording)
    missing = sorted(need.value for need in the_claim.needs - model.capabilities)
    if missing:
        problem = f"The claim {claim} needs {', '.join(missing)}, and recorded replies are words alone."
        raise CannotRun(problem, hint=f"Type: assay run {claim}")
    task = transcript_task(recording, the_claim)
    plan = Plan(
        paper=paper,
        claim=the_claim,
        seed=seed,
        n=len(task.items),
        task=task,
        rule="fixed",
        controls=(*FREE_CONTROLS, "placebo") if has_placebo(recording, the_claim, task) else FREE_CONTROLS,
        repeats=recorded_repeats(recording, the_claim, task),
    )
    stamp = Stamp(typed_command(sys.argv[1:]), __version__, commit_of_source())
    verdict = asyncio.run(_run(plan, model, stamp))
    if model.too_short:
        raise min(model.too_short, key=lambda error: error.line or 0)
    notes = (*replay_notes(model, task, the_claim), *verdict.notes)
    # The run's store is gone: a run that nobody can look up has no name.
    return dataclasses.replace(verdict, driver=DRIVER, size=DRIVER, notes=notes, run="")


async def _run(plan: Plan, model: Model, stamp: Stamp) -> Verdict:
    """One run in a store that lasts as long as it does."""
    from assay.lab.driver import Driver
    from assay.lab.session import new_run_id, run_claim
    from assay.lab.store import Store

    with tempfile.TemporaryDirectory(prefix="assay-replay-") as folder:
        store = Store(Path(folder) / "replay.sqlite")
        driver = Driver()
        try:
            return await run_claim(
                plan, model, new_run_id(plan.claim.id), store, driver, stamp, lambda event: None
            )
        finally:
            await driver.close()
            store.close()
