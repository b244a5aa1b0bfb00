"""From what a run gathered to its verdict: the floor, the ceiling and unreadable replies are judged here."""

from __future__ import annotations

import datetime
import math
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import replace

from assay.core import Answer, Capability, Claim, Ending, EvidenceKind, Measure, Task
from assay.core.verdict import ArmResult, ControlResult, Verdict, Word
from assay.lab.arms import ArmRecord
from assay.lab.controls import cluster_control, format_control
from assay.lab.detection import detector_summary, is_coin, rate_of
from assay.lab.evidence import Question, word_of
from assay.lab.experiment import Result
from assay.lab.trend import band
from assay.stats import detectable_by_t, detectable_effect, graded_n, mean_t, wilson
from assay.stats.special import binomial_tail, normal_quantile

NOISE = 0.05
"""An arm whose score a guesser reaches with this probability is within noise of chance."""
CHANCE_BAND = 0.06
"""How far from chance a control that must be at chance may lie."""
UNREADABLE = 0.5
"""Share of pairs without a score in both arms above which nothing is decided."""
PLANNED_DISCORDANCE = 0.25
PLANNED_SD = 0.25


def assemble(
    result: Result, controls: Mapping[str, ControlResult], *, command: str, version: str, commit: str
) -> Verdict:
    """The verdict of a run."""
    plan, claim, finding = result.plan, result.plan.claim, result.finding
    word, reason, why = _held_to_clusters(result, *_judge(result))
    used = set(result.used)
    treatment, control = result.treatment.usage(used), result.control.usage(used)
    arms = {"treatment": result.treatment, "control": result.control} | result.extra
    return Verdict(
        claim=claim.id,
        sentence=claim.sentence,
        verdict=word,
        reason=reason,
        effect=finding.effect,
        interval=finding.interval,
        n=finding.n,
        level=result.level,
        size=plan.size,
        seed=plan.seed,
        direction=claim.direction,
        smallest_effect=claim.smallest_effect,
        unit=claim.unit,
        measure=claim.measure.value,
        task=plan.used_task.name,
        model={"name": result.model.name, "fingerprint": result.model.fingerprint.hash},
        evidence=claim.evidence.value,
        test=finding.test,
        power=claim_power(claim, len(result.samples), str(finding.test.get("rule", "anytime"))),
        arms={key: _arm(arm, result) for key, arm in arms.items()},
        cost_ratio=treatment.tokens / control.tokens if control.tokens else None,
        controls=dict(controls),
        trajectory=finding.trajectory,
        driver=claim.driver,
        departures=(*result.plan.paper.departures, *claim.departures),
        notes=(*why, *result.notes, *_warnings(result, controls)),
        run=result.run,
        command=command,
        assay_version=version,
        commit=commit,
        created=datetime.datetime.now(datetime.UTC).isoformat(timespec="seconds"),
        expected=claim.expected,
    )


def _judge(result: Result) -> tuple[Word, str, tuple[str, ...]]:
    """The finding, unless the arms cannot carry it: the word, its reason, and what to add in a note."""
    finding, claim = result.finding, result.plan.claim
    betrayed = [words for name in claim.at_chance if (words := _beyond_chance(name, result))]
    if betrayed:
        return Word.UNDECIDED, "invalid", tuple(betrayed)
    unchecked = [name for name in claim.at_chance if not _was_run(name, result)]
    if unchecked and finding.word is Word.HOLDS:
        return Word.UNDECIDED, "unchecked", tuple(f"The control '{name}' was not run." for name in unchecked)
    answered = [item for item in result.used if not _errored(item, result)]
    if len(answered) < len(result.used) / 2:
        return Word.UNDECIDED, "errored", ()
    if claim.evidence is EvidenceKind.DETECTOR and finding.effect is not None:
        arms = (result.treatment, result.control)
        if all(is_coin(labelled_scores(arm, result)) for arm in arms):
            return Word.UNDECIDED, "floor", ("Neither arm can be told from a coin.",)
    if claim.evidence is EvidenceKind.TREND and _nothing_learned(result):
        return (
            Word.UNDECIDED,
            "floor",
            (f"Neither arm does better than a guess, {result.plan.used_task.chance:.2g}.",),
        )
    binary = claim.measure is Measure.BINARY and claim.evidence is EvidenceKind.PAIRED
    few = f"Only {finding.n} of {len(answered)} pairs have a readable answer in both arms."
    unreadable = bool(result.used) and finding.n < UNREADABLE * len(answered)
    chance = chance_of(result) if binary and result.used else 0.0
    arms = (result.treatment, result.control)
    if binary and result.used and finding.n and all(at_floor(arm, result.used, chance) for arm in arms):
        return Word.UNDECIDED, "floor", (_guess_in_words(result, chance), *([few] if unreadable else []))
    if unreadable:
        return Word.UNDECIDED, "unparsed", (few,)
    if not binary or not result.used:
        return finding.word, finding.reason, ()
    close = finding.effect is not None and abs(finding.effect) < claim.smallest_effect
    unclear = finding.word is Word.UNDECIDED or (finding.word is Word.FAILS and close)
    if unclear and claim.direction and no_room(result):
        # Two arms that are both perfect say nothing of the effect; one that does worse than a perfect one does.
        return Word.UNDECIDED, "ceiling", ()
    if finding.word is Word.UNDECIDED or finding.n == len(answered):
        return finding.word, finding.reason, ()
    delivered = format_control(result)
    if delivered.interval:
        assert delivered.effect is not None, "an interval has an estimate"
        question = Question(claim.smallest_effect, claim.direction)
        as_delivered, _ = word_of(delivered.effect, *delivered.interval, question)
        if as_delivered is not finding.word:
            note = (
                f"Among readable pairs: {finding.word.value}; unreadable replies as wrong: {as_delivered.value}."
            )
            return Word.UNDECIDED, "unparsed", (note,)
    return finding.word, finding.reason, ()


def _held_to_clusters(
    result: Result, word: Word, reason: str, why: tuple[str, ...]
) -> tuple[Word, str, tuple[str, ...]]:
    """Undecided, where only samples that are taken one by one, though some belong together, decide it."""
    claim, clustered = result.plan.claim, cluster_control(result) if word is not Word.UNDECIDED else None
    if clustered is None:
        return word, reason, why
    groups = clustered.details["clusters"]
    if clustered.interval is None:
        # Pairs that are all alike say nothing about how much clusters differ, unless there is one alone.
        return (word, reason, why) if groups > 1 else (Word.UNDECIDED, "clustered", why)
    assert clustered.effect is not None, "an interval has an estimate"
    as_clusters, _ = word_of(
        clustered.effect, *clustered.interval, Question(claim.smallest_effect, claim.direction)
    )
    if as_clusters is word:
        return word, reason, why
    note = (
        f"Pair by pair: {word.value}; as {groups} clusters of samples that belong together: {as_clusters.value}."
    )
    return Word.UNDECIDED, "clustered", (*why, note)


def _nothing_learned(result: Result) -> bool:
    """Whether both trained arms score as one that learned nothing."""
    chance = result.plan.used_task.chance
    means = [_scores(arm, result.used) for arm in (result.treatment, result.control)]
    return chance is not None and all(
        bool(scores) and sum(scores) / len(scores) - chance <= CHANCE_BAND for scores in means
    )


def _beyond_chance(name: str, result: Result) -> str:
    """What is wrong with an arm that must score as a guess does; empty where it does, or was not run."""
    arm, chance = result.extra.get(name), result.plan.used_task.chance
    scores = _scores(arm, result.used) if arm is not None else []
    if chance is None or len(scores) < 2:
        return ""
    mean, (low, high) = rate_of(scores, binary=False) or (chance, (0.0, 1.0))
    if abs(mean - chance) <= CHANCE_BAND or low <= chance <= high:
        return ""
    return f"The control '{name}' scores {mean:.3f} where a guess scores {chance:.3f}: the samples give it away."


def _was_run(name: str, result: Result) -> bool:
    """Whether an arm has a score on at least half of the items."""
    arm = result.extra.get(name)
    return arm is not None and 2 * len(_scores(arm, result.used)) >= len(result.used)


def _errored(item: str, result: Result) -> bool:
    recorded = (arm.samples.get((item, 0)) for arm in (result.treatment, result.control))
    return any(r is not None and r.outcome.ending is Ending.ERRORED for r in recorded)


def no_room(result: Result) -> bool:
    """Whether the control is so good that the smallest effect does not fit above it."""
    scores = _scores(result.control, result.used)
    claim = result.plan.claim
    if not scores:
        return False
    mean = sum(scores) / len(scores)
    return (1 - mean if claim.direction > 0 else mean) < claim.smallest_effect


def chance_of(result: Result) -> float:
    """Score of a guess: the task's own, or that of the arms' answers on other samples' questions."""
    task = result.plan.used_task
    if task.chance is not None:
        return task.chance
    # One more hit and try: a chance of exactly 0 would make a single right answer significant.
    return max((hits + 1) / (tries + 1) if tries else 0.0 for hits, tries in _by_shifting(result))


def _guess_in_words(result: Result, chance: float) -> str:
    """What a guess scores, and how well that is known."""
    found = _by_shifting(result) if result.plan.used_task.chance is None else []
    if not found or any(hits for hits, _ in found):
        return f"A guess scores {chance:.1%} here."
    tries = max(tries for _, tries in found)
    if not tries:
        return "There are too few answers to tell what a guess scores."
    tried = f"Of {tries} tries to score an answer on another sample none is right"
    return f"{tried}: a guess is taken to score {chance:.1%} at most."


def _by_shifting(result: Result) -> list[tuple[int, int]]:
    """Hits and tries of both arms' answers against the targets of other samples: right by luck alone."""
    task = result.plan.used_task
    return [_hits_and_tries(arm, result, task) for arm in (result.treatment, result.control)]


def _hits_and_tries(arm: ArmRecord, result: Result, task: Task) -> tuple[int, int]:
    by_id = {sample.id: sample for sample in result.samples}
    answered = [
        (by_id[item], arm.samples[item, 0].outcome.answer)
        for item in result.used
        if (item, 0) in arm.samples and arm.samples[item, 0].outcome.answer is not None
    ]
    hits = tries = 0
    for shift in range(1, min(20, len(answered) - 1) + 1):
        for index, (_, answer) in enumerate(answered):
            other = answered[(index + shift) % len(answered)][0]
            hits += task.score(other, Answer(value=answer)).score == 1.0
            tries += 1
    return hits, tries


def at_floor(arm: ArmRecord, items: Sequence[str], chance: float) -> bool:
    """Whether guessing would do as well as the arm in more than one case of twenty."""
    scores = _scores(arm, items)
    right = round(sum(scores))
    return not scores or binomial_tail(right, len(scores), chance) > NOISE


def _scores(arm: ArmRecord, items: Sequence[str]) -> list[float]:
    """One score per item, in any order."""
    return list(_score_of(arm, items).values())


def _score_of(arm: ArmRecord, items: Sequence[str]) -> dict[str, float]:
    """One score per item: repeats of an item are not independent, so their mean stands for it."""
    chosen = set(items)
    found: dict[str, list[float]] = {}
    for (item, _), recorded in arm.samples.items():
        if item in chosen and recorded.outcome.score is not None:
            found.setdefault(item, []).append(recorded.outcome.score)
    return {item: sum(scores) / len(scores) for item, scores in found.items()}


def _arm(arm: ArmRecord, result: Result) -> ArmResult:
    """An arm as the verdict shows it: of a detector its AUROC, of a rate its exact interval."""
    claim = result.plan.claim
    found = arm_result(arm, result.used, binary=claim.measure is Measure.BINARY)
    if claim.evidence is EvidenceKind.DETECTOR:
        summary = detector_summary(labelled_scores(arm, result))
        mean, interval, details = summary if summary is not None else (None, None, {})
        return replace(found, mean=mean, interval=interval, details=details)
    if claim.evidence is EvidenceKind.TREND:
        curves = [curve for item in result.used if (curve := arm.curve(item))]
        dose = str(getattr(result.plan.used_task, "dose", "dose"))
        return replace(found, details={"band": band(curves), "dose": dose})
    if claim.evidence is EvidenceKind.RATE and (rate := _rate(arm, result)) is not None:
        return replace(found, mean=rate[0], interval=rate[1])
    return found


def _rate(arm: ArmRecord, result: Result) -> tuple[float, tuple[float, float]] | None:
    return rate_of(_scores(arm, result.used), binary=result.plan.claim.measure is Measure.BINARY)


def labelled_scores(arm: ArmRecord, result: Result) -> list[tuple[float, bool]]:
    """Every scored item of an arm, its repeats as their mean, with whether it is a positive one."""
    positive = {sample.id for sample in result.samples if sample.target == result.plan.claim.positive}
    return [(score, item in positive) for item, score in _score_of(arm, result.used).items()]


def arm_result(arm: ArmRecord, items: Sequence[str], *, binary: bool) -> ArmResult:
    """Mean, endings and cost of an arm over the items of the verdict."""
    chosen = set(items)
    scores = _scores(arm, items)
    usage = arm.usage(chosen)
    endings = Counter(r.outcome.ending.value for (item, _), r in arm.samples.items() if item in chosen)
    mean = sum(scores) / len(scores) if scores else None
    return ArmResult(
        name=arm.name,
        says=arm.says,
        mean=mean,
        interval=_mean_interval(scores, binary=binary),
        n=endings.total(),
        endings={ending.value: endings[ending.value] for ending in Ending},
        tokens_in=usage.tokens_in,
        tokens_out=usage.tokens_out,
        calls=usage.calls,
        cpu_seconds=round(usage.cpu_seconds, 3),
        wall_seconds=round(usage.seconds, 3),
    )


def _mean_interval(scores: Sequence[float], *, binary: bool) -> tuple[float, float] | None:
    if not scores:
        return None
    if binary and all(score in (0, 1) for score in scores):
        found = wilson(int(sum(scores)), len(scores))
    elif len(scores) > 1:
        found = mean_t(list(scores)).interval
    else:
        return None
    return found.low, found.high


def claim_power(claim: Claim, n: int, rule: str) -> dict[str, object]:
    """What this many samples can detect of a claim with 80 % power."""
    if claim.evidence is EvidenceKind.PAIRED:
        return power_of(n, rule, binary=claim.measure is Measure.BINARY)
    if claim.evidence is EvidenceKind.TREND:
        # What seeds differ by is not known before: half of the smallest effect is taken for it.
        deviation = claim.smallest_effect / 2
        effect = detectable_by_t(n, deviation)
        finite = effect if math.isfinite(effect) else None
        assumed = f"seeds differ with a standard deviation of {deviation:g}"
        return {"detectable_effect": finite, "power": 0.8, "pairs": n, "assumes": assumed}
    z = normal_quantile(0.975) + normal_quantile(0.8)
    if claim.evidence is EvidenceKind.DETECTOR:
        # Hanley and McNeil 1982 at an AUROC of 0.8, the two detectors correlated at one half.
        q1, q2, half = 0.8 / 1.2, 2 * 0.64 / 1.8, max(1, n // 2)
        variance = (0.8 * 0.2 + (half - 1) * (q1 + q2 - 2 * 0.64)) / half**2
        effect, assumed = z * math.sqrt(variance), "AUROCs about 0.8 that correlate at one half"
    else:
        assert claim.expected is not None, "a claim about a rate names the numbers"
        edge = min((e for e in claim.expected if 0 < e < 1), default=0.5)
        spread = math.sqrt(edge * (1 - edge)) if claim.measure is Measure.BINARY else PLANNED_SD
        effect, assumed = z * spread / math.sqrt(max(1, n)), "a rate at the edge of what the claim says"
    return {"detectable_effect": effect, "power": 0.8, "pairs": n, "assumes": assumed}


def power_of(n: int, rule: str, *, binary: bool) -> dict[str, object]:
    """The effect this many pairs can detect with 80 % power, and what that takes for granted."""
    if binary:
        known = {"anytime": "anytime", "obf5": "obf5"}.get(rule, "fixed")
        effect = detectable_effect(n, PLANNED_DISCORDANCE, rule=known) if n > 1 else math.inf  # type: ignore[arg-type]
        assumed = f"arms differ on {PLANNED_DISCORDANCE:.0%} of the pairs"
    else:
        widen = {"anytime": 1.6, "obf5": 1.03}.get(rule, 1.0)
        effects = (thousandths / 1000 for thousandths in range(1, 1001))
        effect = next((e for e in effects if graded_n(e, PLANNED_SD) * widen <= n), math.inf)
        assumed = f"differences have a standard deviation of {PLANNED_SD}"
    finite = effect if math.isfinite(effect) else None
    return {"detectable_effect": finite, "power": 0.8, "pairs": n, "assumes": assumed}


def _warnings(result: Result, controls: Mapping[str, ControlResult]) -> list[str]:
    """What a reader of the verdict must not overlook."""
    notes = []
    meter = getattr(result.model, "meter", None)
    if meter is not None and meter.guessed:
        notes.append(f"{result.model.name} does not say how many tokens it used: they are guessed by length.")
    lost = sum(_errored(item, result) for item in result.used)
    missing = len(result.used) - result.finding.n
    if missing and Capability.TRAIN in result.plan.claim.needs:
        notes.append(f"{missing} of {len(result.used)} seeds gave nothing to measure, and are left out.")
    if lost:
        notes.append(
            f"{lost} of {len(result.used)} pairs met a fault of transport or did not fit, and are left out."
        )
    if result.finding.word is Word.HOLDS and result.plan.claim.direction:
        for name, meaning in (
            ("placebo", "the placebo does about as well: the content may not be what helps"),
            (
                "equal_spend",
                "at equal spend the difference is not clear: it may be the tokens and not the technique",
            ),
        ):
            control = controls.get(name)
            if control is None or control.interval is None:
                continue
            toward_zero = control.interval[0] if result.plan.claim.direction > 0 else -control.interval[1]
            if toward_zero <= 0:
                notes.append(meaning[0].upper() + meaning[1:] + ".")
    if (
        (aa := controls.get("aa")) is not None
        and aa.interval is not None
        and not aa.interval[0] <= 0 <= aa.interval[1]
    ):
        notes.append("The control drawn twice differs from itself: something but the technique moves the score.")
    return notes
