"""Runs one claim: pilot, the two arms pair by pair until the verdict is decided, then the controls.

The order of samples is fixed before the run, and pairs are looked at in that order however they
end: that is what makes stopping early valid. Whatever has ended is durable in the store before it
counts, so a run that was cut off goes on where it was.
"""

from __future__ import annotations

import contextlib
from collections.abc import AsyncGenerator, Callable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from functools import partial
from typing import Any

import numpy as np

from assay.core import (
    Answer,
    Arm,
    BadRequest,
    BudgetExceeded,
    CannotRun,
    Capability,
    Ending,
    EndpointDown,
    EvidenceKind,
    Flow,
    Measure,
    Model,
    ModelError,
    Outcome,
    PerSample,
    Sample,
    Usage,
    UserError,
)
from assay.core.usage import Budget
from assay.lab.arms import ArmRecord, pair_of
from assay.lab.detection import DetectorEvidence, RateEvidence
from assay.lab.driver import Done, Driver, Job
from assay.lab.evidence import Evidence, Finding, PairedEvidence, Question
from assay.lab.plan import Event, Plan
from assay.lab.store import Recorded, Store, trace_hash
from assay.lab.trend import TrendEvidence
from assay.stats import RuleName

Report = Callable[[Event], None]
PILOT_SEED = 7_919
"""Added to the seed for pilot items: they are never test items."""
OUT_OF_BUDGET = "the budget ended before the answer"
HINTS = {
    Capability.OBSERVER.value: "Add: --observer hf:OTHER",
    Capability.SCRATCH.value: "Its arms differ in size or tokenizer. Leave out --model.",
    Capability.TRAIN.value: "Leave out --model.",
    Capability.EMBED.value: "Name what gives vectors: --encoder minilm",
}
GIVE_UP_AFTER = 24
"""Samples in a row that end in a transport fault before the endpoint is taken for dead."""


@dataclass(slots=True)
class Result:
    """What a run gathered; `assemble` makes a verdict of it."""

    plan: Plan
    model: Model
    run: str
    level: str
    samples: tuple[Sample, ...]
    treatment: ArmRecord
    control: ArmRecord
    finding: Finding
    used: tuple[str, ...]
    """Items the verdict rests on, in order, whatever their ending."""
    extra: dict[str, ArmRecord] = field(default_factory=dict)
    """Arms of the controls."""
    notes: list[str] = field(default_factory=list)


class Experiment:
    """One run of a plan. `main` decides the verdict; `run_arm` adds an arm for a control."""

    def __init__(self, plan: Plan, model: Model, run: str, store: Store, driver: Driver, report: Report) -> None:
        self.plan = plan
        self.model = model
        self.run_id = run
        self.store = store
        self.driver = driver
        self.report = report
        self.task = plan.used_task
        self.budget = Budget(tokens=plan.budget_tokens) if plan.budget_tokens is not None else None
        self.notes: list[str] = []
        self._known = store.recorded(run)
        for recorded in self._known.values():
            self._spend(recorded.usage)
        self._in_flight = 0
        self._faults = 0
        self._prepared: dict[str, tuple[Any, Usage]] = {}
        """By arm; two arms that prepare alike prepare once, for their requests are cached."""

    async def main(self) -> Result:
        """Pilot, then both arms over the samples until decided or spent."""
        self._check_abilities()
        if self.plan.claim.sandbox:
            await self.driver.sandbox()
        level, pilot_items = await self._pilot()
        samples = self._samples(level, pilot_items)
        plan = self.plan
        arms = {arm.name: ArmRecord(arm.name, arm.says) for arm in (plan.claim.treatment, plan.claim.control)}
        treatment, control = arms[plan.claim.treatment.name], arms[plan.claim.control.name]
        evidence = self._evidence(len(samples))
        used: list[str] = []
        decided = False
        with contextlib.suppress(BudgetExceeded):
            for arm in (plan.claim.treatment, plan.claim.control):
                arms[arm.name].preparation = await self._prepare(arm, samples)
        both = (plan.claim.treatment, plan.claim.control)
        if any(arm.prepare and arm.name not in self._prepared for arm in both):
            finding = evidence.finding(complete=False)
            gathered = Result(plan, self.model, self.run_id, level, samples, treatment, control, finding, ())
            gathered.notes = self.notes
            return gathered
        self.report(Event("phase", "arms", 0, len(samples)))
        ended = self._run_arms([plan.claim.treatment, plan.claim.control], samples, repeats=plan.repeats)
        async with contextlib.aclosing(ended) as outcomes:
            waiting = iter(samples)
            current = next(waiting, None)
            async for recorded in outcomes:
                arms[recorded.arm].samples[recorded.item, recorded.repeat] = recorded
                while current is not None and not decided and self._complete(current, treatment, control):
                    used.append(current.id)
                    decided = self._take(current, treatment, control, evidence)
                    self._tell(used, evidence, len(samples))
                    current = next(waiting, None)
                if decided:
                    break
        spent = self.budget is not None and len(used) < len(samples) and not decided
        finding = evidence.finding(complete=not spent, out_of_samples="budget" if spent else "too few samples")
        return Result(
            plan,
            self.model,
            self.run_id,
            level,
            samples,
            treatment,
            control,
            finding,
            tuple(used),
            notes=self.notes,
        )

    def _evidence(self, n: int) -> Evidence:
        """What takes the pairs in, by the kind of evidence the claim declares."""
        plan, claim = self.plan, self.plan.claim
        binary = claim.measure is Measure.BINARY and plan.repeats == 1
        question = Question(claim.smallest_effect, claim.direction, binary)
        if claim.evidence is EvidenceKind.DETECTOR:
            return DetectorEvidence(question, claim.fpr)
        if claim.evidence is EvidenceKind.RATE:
            assert claim.expected is not None, "a claim about a rate names the numbers"
            return RateEvidence(claim.expected, binary=binary)
        if claim.evidence is EvidenceKind.TREND:
            return TrendEvidence(question, ordered=getattr(self.task, "summary", "") == "slope")
        rule: RuleName = plan.rule or claim.rule  # type: ignore[assignment]
        return PairedEvidence(question, rule, n, plan.seed)

    async def run_arm(
        self,
        arm: Arm,
        samples: Sequence[Sample],
        *,
        first_index: int = 0,
        label: str = "",
        prepare_on: Sequence[Sample] | None = None,
    ) -> ArmRecord:
        """One more arm over samples, for a control; prepared on what the main arms were prepared on."""
        record = ArmRecord(arm.name, arm.says)
        try:
            record.preparation = await self._prepare(arm, prepare_on or samples)
        except BudgetExceeded:
            return record
        self.report(Event("phase", label or arm.name, 0, len(samples)))
        async with contextlib.aclosing(self._run_arms([arm], samples, first_index=first_index)) as outcomes:
            async for recorded in outcomes:
                record.samples[recorded.item, recorded.repeat] = recorded
                self.report(Event("sample", label or arm.name, len(record.samples), len(samples)))
        return record

    # --- before the first token

    def _check_abilities(self) -> None:
        claim, model = self.plan.claim, self.model
        missing = sorted(need.value for need in claim.needs - model.capabilities)
        if missing:
            raise CannotRun(
                f"The claim {claim.id} needs what {model.name} has not: {', '.join(missing)}.",
                hint=HINTS.get(missing[0], "The embedded model has it: --model smollm2-135m"),
            )
        if Capability.GENERATE in claim.needs and Capability.PREFILL not in model.capabilities:
            self.notes.append(f"{model.name} cannot have its turn begun: it was asked in words to begin so.")

    async def _pilot(self) -> tuple[str, set[str]]:
        """The level at which the control is farthest from floor and ceiling, found on other items."""
        plan, levels = self.plan, self.task.levels
        chosen = plan.level or (plan.claim.sizes[plan.size].level if plan.task is None else "")
        if chosen:
            return chosen, set()
        size = plan.claim.sizes[plan.size].pilot
        if len(levels) == 1 or size == 0 or plan.claim.measure is not Measure.BINARY:
            return levels[0], set()
        items: set[str] = set()
        means: dict[str, float] = {}
        for level in levels:
            samples = self.task.samples(size, plan.seed + PILOT_SEED, level)
            items |= {sample.id for sample in samples}
            arm = replace(plan.claim.control, name=f"pilot {level}")
            record = await self.run_arm(arm, samples, label=f"pilot, level {level}")
            answered = [r.outcome for r in record.samples.values() if r.outcome.ending is not Ending.ERRORED]
            scores = [outcome.score or 0.0 for outcome in answered]
            means[level] = float(np.mean(scores)) if scores else 0.0
        chosen = min(levels, key=lambda level: abs(means[level] - 0.5))
        listed = ", ".join(f"{level}: {mean:.2f}" for level, mean in means.items())
        self.notes.append(f"Level {chosen} was chosen on {size} pilot items a level (control's score {listed}).")
        return chosen, items

    def _samples(self, level: str, leave_out: set[str]) -> tuple[Sample, ...]:
        wanted = self.plan.cap
        samples = self.task.samples(wanted + len(leave_out), self.plan.seed, level)
        kept = tuple(sample for sample in samples if sample.id not in leave_out)[:wanted]
        if not kept:
            raise UserError(f"The task {self.task.name} has no samples left.", hint="Give it more items.")
        return kept

    async def _prepare(self, arm: Arm, samples: Sequence[Sample]) -> Usage:
        """What an arm does once before its samples; a resumed run finds its replies in the cache."""
        if arm.prepare is None:
            return Usage()
        self.report(Event("phase", f"preparing {arm.name}"))
        start = partial(arm.prepare, samples, self.task, self.plan.seed)
        budget = self.budget.carve() if self.budget is not None else None
        job = Job((arm.name, "", 0), start, self._model_for(arm.name, ""), seed=self.plan.seed, budget=budget)
        done = await self.driver.drive(job)
        self._prepared[arm.name] = (done.result(), done.usage)
        if note := getattr(done.value, "note", ""):
            self.notes.append(f"{arm.name} chose {note}.")
        return self._prepared[arm.name][1]

    def _flow_of(self, arm: Arm, sample: Sample) -> Flow[Answer]:
        if arm.prepare is None:
            return arm.flow(sample, self.task)
        return arm.flow(sample, self.task, self._prepared[arm.name][0])

    # --- arms over samples

    async def _run_arms(
        self, arms: Sequence[Arm], samples: Sequence[Sample], *, repeats: int = 1, first_index: int = 0
    ) -> AsyncGenerator[Recorded]:
        """Every (arm, sample, repeat) as it ends: first what the store has, then what is run now."""
        by_key = {
            (arm.name, sample.id, repeat): (arm, sample)
            for sample in samples
            for arm in arms
            for repeat in range(repeats)
        }
        for key in by_key:
            if key in self._known:
                yield self._known[key]
        self._in_flight = 0
        jobs = self._jobs(by_key, repeats, first_index)
        async with contextlib.aclosing(self.driver.run(jobs)) as ended:
            async for done in ended:
                arm, sample = by_key[done.key]
                yield await self._record(done, arm, sample)

    def _jobs(
        self, by_key: dict[tuple[str, str, int], tuple[Arm, Sample]], repeats: int, first_index: int
    ) -> Iterator[Job[Answer] | None]:
        """Jobs in order; None where the budget has no room for one more beside those in flight."""
        for (name, item, repeat), (arm, sample) in by_key.items():
            if (name, item, repeat) in self._known:
                continue
            while self.budget is not None and not self._has_room(self.budget):
                yield None
            self._in_flight += 1
            yield Job(
                key=(name, item, repeat),
                start=partial(self._flow_of, arm, sample),
                model=self._model_for(name, item),
                seed=_seed(self.plan.seed, item),
                first_index=first_index + repeat * 1000,
                budget=self.budget.carve() if self.budget is not None else None,
            )

    def _model_for(self, arm: str, item: str) -> Model:
        model = self.model
        return model.for_sample(arm, item) if isinstance(model, PerSample) else model

    def _has_room(self, budget: Budget) -> bool:
        """Whether one more sample fits beside those in flight, at the mean cost so far."""
        if not self._known:
            return self._in_flight < 2
        prepared = sum(usage.tokens for _, usage in self._prepared.values())
        each = max(0.0, budget.spent("tokens") - prepared) / len(self._known)
        return budget.left("tokens") > each * (self._in_flight + 1)

    def _spend(self, usage: Usage) -> None:
        if self.budget is not None:
            self.budget.spend(usage)

    async def _record(self, done: Done[Answer], arm: Arm, sample: Sample) -> Recorded:
        self._in_flight -= 1
        outcome = self._outcome(done, sample)
        self._watch(done, outcome)
        steps = [step.to_json() for step in done.steps]
        name, item, repeat = done.key
        recorded = Recorded(name, item, repeat, outcome, done.usage, trace_hash(steps))
        if outcome.ending is not Ending.ERRORED:
            # A fault of transport says nothing about the model: a resumed run tries it again.
            await self.store.record(self.run_id, recorded, steps)
        self._known[name, item, repeat] = recorded
        return recorded

    def _outcome(self, done: Done[Answer], sample: Sample) -> Outcome:
        error = done.error
        if isinstance(error, BudgetExceeded):
            return Outcome(Ending.TRUNCATED, detail=OUT_OF_BUDGET)
        if isinstance(error, UserError) and not isinstance(error, BadRequest):
            # No sandbox, no such ability, a disk that is full: the next sample would fare no better.
            raise error
        if error is not None and Capability.TRAIN in self.plan.claim.needs:
            # What fails to be trained would fail again; what was made so far is kept.
            raise error
        if error is not None:
            return Outcome(Ending.ERRORED, detail=str(error))
        assert done.value is not None, "a flow without error returns an answer"
        return self.task.score(sample, done.value)

    def _watch(self, done: Done[Answer], outcome: Outcome) -> None:
        """Give up on an endpoint that answers nobody, instead of trying every sample five times."""
        self._faults = self._faults + 1 if isinstance(done.error, EndpointDown) else 0
        if self._faults >= GIVE_UP_AFTER:
            raise ModelError(
                f"The model does not answer any more: {outcome.detail}",
                hint=f"What ended is kept. Type: assay resume {self.run_id}",
            )

    # --- pairs

    def _complete(self, sample: Sample, *arms: ArmRecord) -> bool:
        repeats = range(self.plan.repeats)
        return all((sample.id, repeat) in arm.samples for arm in arms for repeat in repeats)

    def _take(self, sample: Sample, treatment: ArmRecord, control: ArmRecord, evidence: Evidence) -> bool:
        pair = pair_of(sample.id, treatment, control, self.plan.repeats)
        if pair is None and self.plan.claim.evidence is EvidenceKind.RATE:
            # Of a rate the control stands beside: where it has no score, the treatment's still counts.
            pair = pair_of(sample.id, treatment, treatment, self.plan.repeats)
        if pair is None:
            return False
        positive = self.plan.claim.positive
        if self.plan.claim.evidence is EvidenceKind.TREND:
            pair = replace(pair, curves=(treatment.curve(sample.id), control.curve(sample.id)))
        return evidence.add(replace(pair, positive=sample.target == positive) if positive else pair)

    def _tell(self, used: list[str], evidence: Evidence, total: int) -> None:
        look = evidence.last_look
        data = (
            None
            if look is None
            else {"estimate": look.estimate, "low": look.interval.low, "high": look.interval.high}
        )
        self.report(Event("look", "", len(used), total, data))


def _seed(seed: int, item: str) -> int:
    """Both arms draw with the same seed on the same item, and with another one on the next."""
    return int(np.random.SeedSequence([seed, *item.encode()]).generate_state(1)[0])
