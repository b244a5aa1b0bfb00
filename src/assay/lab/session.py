"""One claim from plan to verdict, with everything kept on the way."""

from __future__ import annotations

import secrets
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from assay.core import EvidenceKind, Model, Sample, UserError
from assay.core.verdict import SampleRow, Verdict
from assay.lab.assemble import assemble, claim_power
from assay.lab.controls import run_controls
from assay.lab.driver import Driver
from assay.lab.experiment import Experiment, Report
from assay.lab.plan import Event, Plan
from assay.lab.store import Recorded, RunRow, Store

MAKING_SECONDS = 0.25
"""Between two events of something being made that are kept."""
FINGERPRINTS = "fingerprints"
"""Where a run's settings say what its samples were taken from."""
LETTERS = "abcdefghjkmnpqrstuvwxyz23456789"


@dataclass(frozen=True, slots=True)
class Stamp:
    """What is written on every verdict of a session."""

    command: str
    version: str
    commit: str
    config: Mapping[str, Any] = field(default_factory=dict)
    """What `resume` needs to make the same plan again."""


def new_run_id(claim: str) -> str:
    """A short name for a run that a person can type."""
    return f"{claim}-{''.join(secrets.choice(LETTERS) for _ in range(5))}"


async def begin_run(store: Store, run: str, plan: Plan, stamp: Stamp, model: Model | None = None) -> None:
    """Note that a run begins, or goes on, with the fingerprints of what its samples are taken from.

    Raises:
        UserError: it has samples already, and they were taken from another task file or another model.
    """
    config = dict(stamp.config)
    now = fingerprints_in(config) | ({"model": model.fingerprint.hash} if model is not None else {})
    if store.recorded(run):
        noted = fingerprints_in(store.run(run).config)
        changed = [what for what in noted if what in now and noted[what] != now[what]]
        if changed:
            what = "task file" if changed[0] == "task" else changed[0]
            raise UserError(
                f"The {what} has changed since the run {run} began.",
                hint=f"Put it back as it was, or begin another run: {stamp.command}",
            )
        # A run that was noted without them goes on without them.
        now = noted
    created = datetime.now(UTC).isoformat(timespec="seconds")
    await store.begin(run, created, plan.claim.id, {**config, FINGERPRINTS: now})


def fingerprints_in(config: Mapping[str, Any]) -> dict[str, str]:
    """What a run's samples were taken from, as its settings note it: `task` (only of a file) and `model`."""
    found = config.get(FINGERPRINTS)
    return {str(what): str(value) for what, value in found.items()} if isinstance(found, dict) else {}


def told(store: Store, run: str, report: Report) -> Report:
    """A reporter that also keeps what it is told, for whoever looks in from another process."""
    last = 0.0
    store.tell(run, Event("begin").to_json())

    def tell(event: Event) -> None:
        nonlocal last
        # Training tells of every few steps; nobody reads faster than this.
        if event.kind != "making" or time.monotonic() - last > MAKING_SECONDS:
            last = time.monotonic() if event.kind == "making" else last
            store.tell(run, event.to_json())
        report(event)

    return tell


async def run_claim(
    plan: Plan, model: Model, run: str, store: Store, driver: Driver, stamp: Stamp, report: Report
) -> Verdict:
    """Run (or resume) a plan under that run id, and keep its verdict."""
    await begin_run(store, run, plan, stamp, model)
    rule = (plan.rule or plan.claim.rule) if plan.claim.evidence is EvidenceKind.PAIRED else "fixed"
    detectable = claim_power(plan.claim, plan.cap, rule)["detectable_effect"]
    can = "no effect at all" if detectable is None else f"an effect of {detectable:.3f} with 80 % power"
    report(Event("note", f"At most {plan.cap} pairs ({rule}): this can detect {can}."))
    experiment = Experiment(plan, model, run, store, driver, report)
    result = await experiment.main()
    controls = await run_controls(experiment, result)
    verdict = assemble(result, controls, command=stamp.command, version=stamp.version, commit=stamp.commit)
    await store.finish(run, "done", verdict.to_json())
    return verdict


def rows_of(row: RunRow, store: Store, samples: Sequence[Sample], *, traces: bool = True) -> list[SampleRow]:
    """Every recorded sample of a run, with its trace unless that is left out, as a report shows it."""
    arms = Verdict.from_json(row.verdict).arms if row.verdict else {}
    roles = {arms[role].name: role for role in ("treatment", "control") if role in arms}
    by_id = {sample.id: sample for sample in samples}
    return [
        row_of(
            recorded,
            roles.get(recorded.arm, recorded.arm),
            by_id.get(recorded.item),
            store.trace(recorded.trace) if traces else (),
        )
        for recorded in store.recorded(row.id).values()
    ]


def row_of(recorded: Recorded, arm: str, sample: Sample | None, steps: Sequence[Any]) -> SampleRow:
    """One sample in one arm, as a report shows it."""
    return SampleRow(
        item=recorded.item,
        arm=arm,
        repeat=recorded.repeat,
        question=sample.question if sample else "",
        target=sample.target if sample else "",
        ending=recorded.outcome.ending.value,
        score=recorded.outcome.score,
        answer=recorded.outcome.answer,
        detail=recorded.outcome.detail,
        tokens_in=recorded.usage.tokens_in,
        tokens_out=recorded.usage.tokens_out,
        steps=tuple(steps),
    )
