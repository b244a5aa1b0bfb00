"""`assay replay`: recorded replies judged by a claim, with no model and nothing kept."""

from __future__ import annotations

import asyncio
import dataclasses
import sys
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from rich.console import RenderableType

    from assay.core import Model
    from assay.core.verdict import Verdict
    from assay.lab.plan import Plan
    from assay.lab.replaying.game24_logs import Log
    from assay.lab.session import Stamp

DRIVER = "replay"


def replay_file(file: Path, claim: str, seed: int) -> Verdict:
    """The verdict of a claim on the replies in a file.

    Raises:
        BadFile: where the file is no recording of this claim, or holds too few replies.
        CannotRun: where the claim rests on more than words.
    """
    from assay import __version__
    from assay.cli.conducting import commit_of_source
    from assay.cli.progress import typed_command
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


# --- a folder of published logs


LOGS_OF = "tree-of-thoughts"
"""The claim whose authors published logs of their own form."""


def replay_folder(folder: Path, claim: str, json_file: Path | None) -> None:
    """Print what the logs of a folder come to today, and write it where the user wants it.

    Raises:
        UserError: logs of that claim are not known in this form.
        BadFile: a file is no log.
    """
    import json

    from assay.cli.printing.console import Console
    from assay.core import UserError
    from assay.lab.replaying.game24_logs import read_logs, shares

    if claim != LOGS_OF:
        hint = f"Name a file of recorded replies, or the folder of Yao's logs with --claim {LOGS_OF}."
        raise UserError(f"{folder} is a folder, and logs of the claim {claim} have no known form.", hint=hint)
    logs = read_logs(folder)
    Console().print(_logs_table(logs))
    if json_file is not None:
        found = [
            {
                "log": log.path.name,
                "puzzles": len(log.right),
                "marked_otherwise": log.differ,
                "tokens_in": log.tokens_in,
                "tokens_out": log.tokens_out,
                "shares": {one.name: [one.value, one.interval.low, one.interval.high] for one in shares(log)},
            }
            for log in logs
        ]
        json_file.write_text(json.dumps(found, indent=1) + "\n", "utf-8")


def _logs_table(logs: tuple[Log, ...]) -> RenderableType:
    from rich.console import Group
    from rich.table import Table
    from rich.text import Text

    from assay.lab.replaying.game24_logs import against, shares
    from assay.report.wording import interval_text, mean_text

    parts: list[RenderableType] = []
    for log in logs:
        parts.append(Text(log.path.name, style="bold", overflow="fold"))
        table = Table.grid(padding=(0, 2, 0, 2))
        for one in shares(log):
            ends = interval_text((one.interval.low, one.interval.high), True)
            table.add_row(one.name, f"{mean_text(one.value, True)} {ends}")
        table.add_row(
            "puzzles", f"{len(log.right)}, {log.tokens_in:,.0f} tokens in and {log.tokens_out:,.0f} out each"
        )
        table.add_row("candidates marked otherwise then", str(log.differ))
        for other in logs if log.searched else ():
            if not other.searched:
                for name, solved in (("top-1", log.first()), (f"any of {log.candidates}", log.any())):
                    mine, theirs, p = against(solved, other.any())
                    text = (
                        f"{mine} only here, {theirs} only in any of {other.candidates} there, McNemar p = {p:.2g}"
                    )
                    table.add_row(f"{name} against {other.path.stem}", text)
        parts.append(table)
    return Group(*parts)
