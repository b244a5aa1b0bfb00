"""The controls every claim carries, run as switches of the lab and not as code in each card.

placebo      same shape, no relevant content: does the treatment beat it?
equal spend  the control given the treatment's tokens: is it the technique or the tokens?
format       what an answer costs that cannot be read: does the effect survive counting it as wrong?
             And forced choice, where there are options: the likeliest one cannot fail to be read.
A/A          the control against itself: how large is nothing?
arm swap     the claim read backwards: must never hold.
clusters     samples that belong together taken as such: does the verdict stand? Asked wherever there are any.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from assay.core import Answer, Arm, Capability, Ending, EvidenceKind, Flow, Measure, Sample, Task
from assay.core.verdict import ControlResult, Word
from assay.lab.arms import ArmRecord, pairs_of
from assay.lab.codec import answer_from_json
from assay.lab.detection import difference
from assay.lab.evidence import FEW_CLUSTERS, ROUNDING, Pair, Question, effect_of, word_of
from assay.lab.experiment import OUT_OF_BUDGET, Experiment, Result
from assay.lab.transforms import donated, forced, resampled
from assay.lab.trend import seed_effect
from assay.stats import cluster_mean

AA_INDEX = 500_000
"""Sample indexes of the A/A arm: far from any that an arm draws."""
AA_SAMPLES = 40
OTHER_SAMPLES = 40
"""Samples on which the claim's further arms are run: they are shown, not judged."""


async def run_controls(experiment: Experiment, result: Result) -> dict[str, ControlResult]:
    """Every control the plan asks for and the claim allows, by name."""
    found: dict[str, ControlResult] = {}
    wanted = experiment.plan.controls
    used = set(result.used)
    samples = tuple(sample for sample in result.samples if sample.id in used)
    if not samples:
        return found
    if "format" in wanted and result.plan.claim.measure is Measure.BINARY:
        found["format"] = format_control(result)
    if (clustered := cluster_control(result)) is not None:
        found["clusters"] = clustered
    if "forced-choice" in wanted:
        choice = await _forced_choice(experiment, result, samples)
        if choice is not None:
            found["forced_choice"] = choice
    if "arm-swap" in wanted and _has_two_sides(result):
        found["arm_swap"] = arm_swap(result)
    if "aa" in wanted and result.plan.claim.evidence is not EvidenceKind.TREND:
        # Trained again from the same seed it is the same; what seeds differ by is in the interval.
        found["aa"] = await _aa(experiment, result, samples[:AA_SAMPLES])
    if "placebo" in wanted:
        placebo = await _placebo(experiment, result, samples)
        if placebo is not None:
            found["placebo"] = placebo
    if "equal-spend" in wanted and result.plan.claim.equal_spend:
        found["equal_spend"] = await _equal_spend(experiment, result, samples)
    if "others" in wanted:
        for arm in result.plan.claim.others:
            all_of_them = arm.name in result.plan.claim.at_chance
            record = await experiment.run_arm(
                arm, samples if all_of_them else samples[:OTHER_SAMPLES], prepare_on=result.samples
            )
            result.extra[arm.name] = record
            says = f"{arm.name} ({arm.says}) against the control."
            found[arm.name] = _against(arm.name, record, result.control, result, says, extra=[record])
    return found


def _has_two_sides(result: Result) -> bool:
    """Whether the claim says one arm is above the other; equality and a rate read the same backwards."""
    claim = result.plan.claim
    return claim.direction != 0 and claim.evidence is not EvidenceKind.RATE


def _against(
    name: str, one: ArmRecord, other: ArmRecord, result: Result, says: str, *, extra: Sequence[ArmRecord]
) -> ControlResult:
    """One arm minus another over the samples both have; `extra` are the arms run for this alone."""
    items = [item for item in result.used if any((item, 0) in arm.samples for arm in (one, other))]
    pairs = pairs_of(items, one, other, result.plan.repeats)
    found = _effect(pairs, result)
    tokens = sum(arm.usage(set(result.used)).tokens for arm in extra)
    if found is None:
        return ControlResult(name, None, None, 0, says + " No sample has a score in both.", tokens)
    return ControlResult(name, found[0], found[1], len(pairs), says, tokens)


def _effect(pairs: Sequence[Pair], result: Result) -> tuple[float, tuple[float, float]] | None:
    """The claim's own measure of difference, on pairs of other arms."""
    claim = result.plan.claim
    if claim.evidence is EvidenceKind.TREND:
        return seed_effect(pairs)
    if claim.evidence is not EvidenceKind.DETECTOR:
        return effect_of(pairs, binary=claim.measure is Measure.BINARY, seed=result.plan.seed)
    targets = {sample.id: sample.target for sample in result.samples}
    labelled = [replace(pair, positive=targets[pair.item] == claim.positive) for pair in pairs]
    found = difference(labelled, claim.fpr)
    return None if found is None else (found.difference, (found.interval.low, found.interval.high))


def format_control(result: Result) -> ControlResult:
    """The effect where a reply without an answer counts as a wrong answer."""
    pairs = [pair for item in result.used if (pair := _delivered(item, result)) is not None]
    found = effect_of(pairs, binary=True, seed=result.plan.seed)
    lost = {arm.name: _lost(arm, result.used) for arm in (result.treatment, result.control)}
    says = "As delivered: replies without a readable answer count as wrong ("
    says += ", ".join(f"{name} {share:.0%}" for name, share in lost.items()) + ")."
    effect, interval = found if found is not None else (None, None)
    return ControlResult("format", effect, interval, len(pairs), says, 0, {"unreadable_share": lost})


def _delivered(item: str, result: Result) -> Pair | None:
    """Scores with 0 for an unreadable reply; None where either arm met a fault of transport."""
    means = []
    for arm in (result.treatment, result.control):
        found = [arm.samples.get((item, repeat)) for repeat in range(result.plan.repeats)]
        outcomes = [r.outcome for r in found if r is not None and r.outcome.ending is not Ending.ERRORED]
        if not outcomes or any(outcome.detail == OUT_OF_BUDGET for outcome in outcomes):
            return None
        means.append(sum(outcome.score or 0.0 for outcome in outcomes) / len(outcomes))
    return Pair(item, means[0], means[1])


def _lost(arm: ArmRecord, items: Sequence[str]) -> float:
    endings = [arm.samples[item, 0].outcome.ending for item in items if (item, 0) in arm.samples]
    answered = [ending for ending in endings if ending is not Ending.ERRORED]
    return sum(1 for ending in answered if ending is not Ending.SCORED) / max(1, len(answered))


def cluster_control(result: Result) -> ControlResult | None:
    """The effect with an interval that knows which samples belong together; None where no two do.

    Cluster-robust (`stats.cluster_mean`), for the pairs there are: it does not allow for stopping early. No
    interval where there is one cluster alone, or no pair differs from another.
    """
    if result.plan.claim.evidence is not EvidenceKind.PAIRED:
        return None
    pairs = pairs_of(result.used, result.treatment, result.control, result.plan.repeats)
    named = {sample.id: sample.cluster or sample.id for sample in result.samples}
    clusters = [named[pair.item] for pair in pairs]
    groups, differences = len(set(clusters)), [pair.difference for pair in pairs]
    if groups == len(pairs):
        return None
    interval = None
    if groups > 1 and (estimate := cluster_mean(differences, clusters)).standard_error > ROUNDING:
        interval = (estimate.interval.low, estimate.interval.high)
    says = (
        f"Samples that belong together taken as such: {len(pairs)} pairs of {groups} cluster{'s' * (groups > 1)}."
    )
    if 1 < groups < FEW_CLUSTERS:
        says += f" Over fewer than {FEW_CLUSTERS} the interval is too narrow at times."
    effect = sum(differences) / len(differences)
    return ControlResult("clusters", effect, interval, len(pairs), says, 0, {"clusters": groups})


async def _forced_choice(
    experiment: Experiment, result: Result, samples: Sequence[Sample]
) -> ControlResult | None:
    """Both arms again, the answer taken as the likeliest option: cannot fail to parse."""
    task, claim = experiment.task, result.plan.claim
    can = Capability.SCORE in experiment.model.capabilities
    if not (can and task.cue and all(sample.choices for sample in samples)) or Capability.SCORE in claim.needs:
        return None
    records = []
    for arm in (claim.treatment, claim.control):
        record = await experiment.run_arm(_forced_arm(arm), samples, prepare_on=result.samples)
        result.extra[record.name] = record
        records.append(record)
    says = "Forced choice: the likeliest option is the answer, so that no reply can fail to be read."
    return _against("forced_choice", records[0], records[1], result, says, extra=records)


def _forced_arm(arm: Arm) -> Arm:
    def flow(sample: Sample, task: Task, *prepared: object) -> Flow[Answer]:
        return forced(arm.flow(sample, task, *prepared), sample, task.cue)

    return replace(arm, name=f"{arm.name} (forced choice)", flow=flow, says="the likeliest option is the answer")


def arm_swap(result: Result) -> ControlResult:
    """The same pairs with the arms' names exchanged: what the rule says of the claim read backwards."""
    finding, claim = result.finding, result.plan.claim
    if finding.effect is None or finding.interval is None:
        return ControlResult("arm_swap", None, None, 0, "Arms swapped: there are no pairs.")
    question = Question(claim.smallest_effect, claim.direction)
    effect, (low, high) = -finding.effect, (-finding.interval[1], -finding.interval[0])
    word, _ = word_of(effect, low, high, question)
    meaning = "as the claim read backwards" if word is Word.HOLDS else "as it must where the claim is not reversed"
    says = f"Arms swapped: {word.value}, {meaning}."
    return ControlResult("arm_swap", effect, (low, high), finding.n, says, 0, {"verdict": word.value})


async def _aa(experiment: Experiment, result: Result, samples: Sequence[Sample]) -> ControlResult:
    """The control drawn afresh against itself."""
    control = result.plan.claim.control
    arm = replace(control, name=f"{control.name} (again)", says="the control drawn a second time")
    record = await experiment.run_arm(arm, samples, first_index=AA_INDEX, label="A/A", prepare_on=result.samples)
    result.extra[record.name] = record
    says = "A/A: the control drawn a second time against itself; what is seen here is noise."
    return _against("aa", record, result.control, result, says, extra=[record])


async def _placebo(experiment: Experiment, result: Result, samples: Sequence[Sample]) -> ControlResult | None:
    """The treatment against its placebo: what its content adds to its shape."""
    claim = result.plan.claim
    if claim.placebo is False:
        return None
    arm = claim.placebo if isinstance(claim.placebo, Arm) else _donor_placebo(experiment, result, samples)
    if arm is None:
        return None
    record = await experiment.run_arm(arm, samples, label="placebo", prepare_on=result.samples)
    result.extra[arm.name] = record
    says = f"Treatment against placebo ({arm.says})."
    return _against("placebo", result.treatment, record, result, says, extra=[record])


def _donor_placebo(experiment: Experiment, result: Result, samples: Sequence[Sample]) -> Arm | None:
    """The treatment fed with the first replies of another sample, where it has more than one step."""
    first: dict[str, list[object]] = {}
    for sample in samples:
        recorded = result.treatment.samples.get((sample.id, 0))
        steps = experiment.store.trace(recorded.trace) if recorded is not None else []
        if steps and not (steps[0] and all(asked["request"]["kind"] == "ask" for asked in steps[0])):
            # What begins by reading or scoring cannot be given another sample's words.
            return None
        if len(steps) > 1:
            first[sample.id] = [answer_from_json(q["request"]["kind"], q["reply"]) for q in steps[0]]
    donors = list(first)
    if len(donors) < 2:
        return None
    given = {item: first[donors[(index + 1) % len(donors)]] for index, item in enumerate(donors)}
    treatment = result.plan.claim.treatment

    def flow(sample: Sample, task: Task, *prepared: object) -> Flow[Answer]:
        replies = given.get(sample.id) or first[donors[0]]
        return donated(treatment.flow(sample, task, *prepared), replies)

    says = "the treatment, given the first replies of another sample"
    return replace(treatment, name="placebo", flow=flow, says=says)


async def _equal_spend(experiment: Experiment, result: Result, samples: Sequence[Sample]) -> ControlResult:
    """The treatment against a control that may spend as much."""
    claim, used = result.plan.claim, set(result.used)
    if isinstance(claim.equal_spend, Arm):
        arm = claim.equal_spend
    else:
        ratio = result.treatment.usage(used).tokens / max(1, result.control.usage(used).tokens)
        times = max(1, min(64, round(ratio)))

        def flow(sample: Sample, task: Task, *prepared: object) -> Flow[Answer]:
            return resampled(lambda: claim.control.flow(sample, task, *prepared), task, times)

        says = f"a vote over {times} draw{'s' if times > 1 else ''} of the control"
        arm = replace(claim.control, name="equal-spend", flow=flow, says=says)
    record = await experiment.run_arm(arm, samples, label="equal spend", prepare_on=result.samples)
    result.extra[arm.name] = record
    says = f"Treatment against equal spend ({arm.says}; "
    says += f"{record.usage(used).tokens:,} tokens against {result.treatment.usage(used).tokens:,})."
    return _against("equal_spend", result.treatment, record, result, says, extra=[record])
