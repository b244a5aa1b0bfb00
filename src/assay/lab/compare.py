"""A paired verdict on two result files, or on several against one control.

The scores are all there is, so this is a fixed sample: 0/1 scores get Newcombe's interval and the
exact McNemar test, graded ones the BCa bootstrap and a sign-flip test. With clusters the interval is
the cluster-robust one (Student's t over clusters), whole clusters are flipped, and the bootstrap over
clusters stands beside it.

The rule of verdicts is that of a run (`evidence.word_of`), with two additions. `holds`, and `fails`
for an effect the other way, must also survive Holm's correction over the comparisons made. `fails`
because the smallest effect is excluded must also survive Bonferroni's, in a test of just that: the
p-value against no effect says nothing about it.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from assay.core import BadFile, UserError
from assay.core.verdict import Word
from assay.lab.evidence import FEW_CLUSTERS, ROUNDING, Pair, Question, effect_of, word_of
from assay.lab.replaying.recorded import ResultFile, Row, in_order
from assay.stats import (
    Interval,
    cluster_mean,
    connor_n,
    detectable_effect,
    graded_n,
    holm,
    mcnemar_exact,
    mean_t,
    paired_bootstrap,
    sign_flip,
    wilson,
)
from assay.stats.special import normal_quantile

LEVEL = 0.95
ALPHA = 0.05
POWER = 0.8

Ends = tuple[float, float]


@dataclass(frozen=True, slots=True)
class Side:
    """One of the two files: its mean over the matched items, and what was left out of it."""

    file: ResultFile
    mean: float
    interval: Ends | None
    unmatched: tuple[str, ...]
    """Items that are in this file alone."""


@dataclass(frozen=True, slots=True)
class Comparison:
    """Treatment against control on the items that have a score in both."""

    control: Side
    treatment: Side
    n: int
    binary: bool
    verdict: Word
    reason: str
    effect: float
    """Mean of treatment minus control."""
    interval: Ends | None
    """None where the differences show no spread to make an interval of."""
    smallest_effect: float
    test: Mapping[str, Any]
    """Its name and p-value, the counts of items by who was better, clusters where there are any."""
    p_holm: float
    comparisons: int
    """How many were made together: what `p_holm` is adjusted for."""
    power: Mapping[str, Any]
    """`detectable_effect` with these items; `items_needed` for `target_effect` where undecided."""
    better: tuple[str, ...]
    """Items on which the treatment scored higher."""
    worse: tuple[str, ...]

    def to_json(self, shown: int = 10) -> dict[str, Any]:
        """As plain JSON, with the first `shown` ids of every list."""

        def some(ids: Sequence[str]) -> dict[str, Any]:
            return {"count": len(ids), "ids": list(ids[:shown])}

        sides = {"control": self.control, "treatment": self.treatment}
        files = {role: str(side.file.path) for role, side in sides.items()}
        return files | {
            "verdict": self.verdict.value,
            "reason": self.reason,
            "effect": self.effect,
            "interval": self.interval,
            "level": LEVEL,
            "smallest_effect": self.smallest_effect,
            "n": self.n,
            "measure": "binary" if self.binary else "graded",
            "means": {role: {"mean": side.mean, "interval": side.interval} for role, side in sides.items()},
            "score_field": {role: side.file.score_field for role, side in sides.items()},
            "unmatched": {role: some(side.unmatched) for role, side in sides.items()},
            "duplicates": {role: some(side.file.duplicates) for role, side in sides.items()},
            "without_score": {role: some(side.file.without_score) for role, side in sides.items()},
            "test": dict(self.test),
            "p_holm": self.p_holm,
            "comparisons": self.comparisons,
            "power": dict(self.power),
            "flipped": {"better": some(self.better), "worse": some(self.worse)},
        }


def compare(control: ResultFile, treatment: ResultFile, *, smallest: float = 0.0, seed: int = 0) -> Comparison:
    """One treatment against the control; see `compare_all`."""
    return compare_all(control, [treatment], smallest=smallest, seed=seed)[0]


def compare_all(
    control: ResultFile, treatments: Sequence[ResultFile], *, smallest: float = 0.0, seed: int = 0
) -> tuple[Comparison, ...]:
    """Every treatment against the same control, p-values adjusted by Holm over all of them.

    With a smallest effect of 0, `holds` means that the treatment is better and `fails` that it is worse.

    Raises:
        UserError: where two files have no scored item in common.
        BadFile: where an item is in one cluster here and in another there.
    """
    if not (math.isfinite(smallest) and smallest >= 0):
        raise UserError(f"A smallest effect of {smallest:g} has no meaning.", hint="Give a number of at least 0.")
    found = [_Matched(control, treatment, seed) for treatment in treatments]
    adjusted = holm([float(matched.test["p"]) for matched in found]) if found else []
    return tuple(
        _judged(matched, smallest, p_holm, len(found)) for matched, p_holm in zip(found, adjusted, strict=True)
    )


class _Matched:
    """Two files matched by id: the pairs, and everything the verdict is made of."""

    def __init__(self, control: ResultFile, treatment: ResultFile, seed: int) -> None:
        self.control, self.treatment = control, treatment
        self._seed = seed
        rows = {row.id: row for row in control.rows}, {row.id: row for row in treatment.rows}
        ids = sorted(rows[0].keys() & rows[1].keys(), key=in_order)
        if not ids:
            raise _nothing_in_common(control, treatment)
        self.pairs = [Pair(item, rows[1][item].score, rows[0][item].score) for item in ids]
        self.differences = [pair.difference for pair in self.pairs]
        self.binary = all(score in (0, 1) for pair in self.pairs for score in (pair.treatment, pair.control))
        self.clusters = _clusters([(rows[0][item], rows[1][item]) for item in ids], treatment)
        self.effect = float(np.mean(self.differences))
        self.better = tuple(pair.item for pair in self.pairs if pair.difference > 0)
        self.worse = tuple(pair.item for pair in self.pairs if pair.difference < 0)
        self.interval = self.interval_at(LEVEL)
        self.test = self._test()

    def interval_at(self, level: float) -> Ends | None:
        """The interval of the effect; None where the differences show no spread."""
        if self.clusters is not None:
            if len(set(self.clusters)) < 2:
                return None
            estimate = cluster_mean(self.differences, self.clusters, level)
            return _ends(estimate.interval) if estimate.standard_error > ROUNDING else None
        if not self.binary and np.ptp(self.differences) <= ROUNDING:
            return None
        found = effect_of(self.pairs, binary=self.binary, level=level, seed=self._seed)
        assert found is not None, "there is at least one pair"
        return found[1]

    def excludes(self, smallest: float, alpha: float) -> bool:
        """Whether an effect as large as the smallest one is rejected at alpha."""
        if self.binary and self.clusters is None:
            ends = self.interval_at(1 - alpha)
            return ends is not None and ends[1] < smallest
        # A bootstrap of three pairs is narrow by accident; flipping three signs can reject nothing.
        rng = np.random.default_rng(self._seed)
        shifted = [difference - smallest for difference in self.differences]
        return self.effect < smallest and sign_flip(shifted, rng, clusters=self.clusters) <= alpha

    def side(self, file: ResultFile, other: ResultFile, scores: Sequence[float]) -> Side:
        """One file's mean over the pairs, and the items that only it has."""
        elsewhere = {row.id for row in other.rows} | set(other.without_score)
        own = [*(row.id for row in file.rows), *file.without_score]
        unmatched = sorted((item for item in own if item not in elsewhere), key=in_order)
        interval: Interval | None
        if self.clusters is not None:
            several = len(set(self.clusters)) > 1
            interval = cluster_mean(list(scores), self.clusters, LEVEL).interval if several else None
        elif self.binary:
            interval = wilson(int(sum(scores)), len(scores), LEVEL)
        else:
            interval = mean_t(list(scores), LEVEL).interval if len(scores) > 1 else None
        ends = None if interval is None else _ends(interval)
        return Side(file, float(np.mean(scores)), ends, tuple(unmatched))

    def _test(self) -> dict[str, Any]:
        better, worse = len(self.better), len(self.worse)
        rng = np.random.default_rng(self._seed)
        counts: dict[str, Any] = {"only_treatment": better, "only_control": worse}
        if self.binary:
            both = sum(1 for pair in self.pairs if pair.treatment == pair.control == 1)
            counts |= {"both": both, "neither": len(self.pairs) - both - better - worse}
        else:
            counts = {"better": better, "worse": worse, "equal": len(self.pairs) - better - worse}
        if self.clusters is not None:
            p = sign_flip(self.differences, rng, clusters=self.clusters)
            again = np.random.default_rng(self._seed)
            bootstrap = paired_bootstrap(self.differences, again, level=LEVEL, clusters=self.clusters)
            extra = {"clusters": len(set(self.clusters)), "bootstrap_interval": _ends(bootstrap)}
            return {"name": "sign flip of clusters", "p": p, **counts, **extra}
        if self.binary:
            return {"name": "exact McNemar", "p": mcnemar_exact(better, worse), **counts}
        return {"name": "sign flip", "p": sign_flip(self.differences, rng), **counts}


def _judged(matched: _Matched, smallest: float, p_holm: float, comparisons: int) -> Comparison:
    """The comparison with its verdict, which must stand among all that were made."""
    word, reason = _word(matched, smallest, p_holm, comparisons)
    power = _power(matched, smallest, ALPHA / comparisons, undecided=word is Word.UNDECIDED)
    scores = [pair.control for pair in matched.pairs], [pair.treatment for pair in matched.pairs]
    return Comparison(
        control=matched.side(matched.control, matched.treatment, scores[0]),
        treatment=matched.side(matched.treatment, matched.control, scores[1]),
        n=len(matched.pairs),
        binary=matched.binary,
        verdict=word,
        reason=reason,
        effect=matched.effect,
        interval=matched.interval,
        smallest_effect=smallest,
        test=matched.test,
        p_holm=p_holm,
        comparisons=comparisons,
        power=power,
        better=matched.better,
        worse=matched.worse,
    )


def _word(matched: _Matched, smallest: float, p_holm: float, comparisons: int) -> tuple[Word, str]:
    if matched.interval is None:
        if matched.clusters is not None and len(set(matched.clusters)) < 2:
            return Word.UNDECIDED, "all items are in one cluster, which says nothing about others"
        return Word.UNDECIDED, "the differences show no spread to make an interval of"
    question = Question(smallest, binary=matched.binary)
    word, reason = word_of(matched.effect, *matched.interval, question)
    if word is Word.UNDECIDED:
        clear = matched.interval[0] > 0
        short = "the effect is clear of 0, and may be smaller than is worth having"
        return word, short if clear else "the interval holds 0" + (f" and {smallest:g}" if smallest else "")
    among = f"adjusted for {comparisons} comparisons " if comparisons > 1 else ""
    if word is Word.FAILS and matched.interval[1] >= 0:
        if matched.excludes(smallest, ALPHA / comparisons):
            return word, reason
        return Word.UNDECIDED, f"the interval excludes {smallest:g}, and a test {among}does not"
    if p_holm <= ALPHA:
        return word, reason
    return Word.UNDECIDED, f"the p-value {among}is {p_holm:.3f}, above {ALPHA:g}"


def _power(matched: _Matched, smallest: float, alpha: float, *, undecided: bool) -> dict[str, Any]:
    """What these items can detect; and how many it takes where nothing was decided.

    The target is the smallest effect worth having, or the observed one where none was named.
    """
    n, differences = len(matched.pairs), matched.differences
    target = smallest or abs(matched.effect)
    discordance = sum(1 for difference in differences if difference) / n
    z = normal_quantile(1 - alpha / 2) + normal_quantile(POWER)
    detectable: float | None = None
    needed: int | None = None
    if matched.clusters is not None:
        if matched.interval is not None:
            error = cluster_mean(differences, matched.clusters, LEVEL).standard_error
            detectable = z * error
            needed = math.ceil(n * (z * error / target) ** 2) if target else None
    elif matched.binary:
        if discordance:
            found = detectable_effect(n, discordance, POWER, alpha)
            detectable = found if math.isfinite(found) else None
            needed = connor_n(target, max(discordance, target), POWER, alpha) if 0 < target <= 1 else None
    elif matched.interval is not None:
        sd = float(np.std(differences, ddof=1))
        detectable = z * sd / math.sqrt(n)
        needed = graded_n(target, sd, POWER, alpha) if target else None
    if needed is not None:
        # The formulas are for many items: below this count no exact test can reach alpha at all.
        needed = max(needed, math.ceil(1 - math.log2(alpha)))
    power: dict[str, Any] = {"detectable_effect": detectable, "power": POWER, "alpha": alpha}
    power["discordance"] = discordance
    return power | ({"items_needed": needed, "target_effect": target} if undecided else {})


def _clusters(rows: Sequence[tuple[Row, Row]], treatment: ResultFile) -> list[str] | None:
    for here, there in rows:
        if here.cluster != there.cluster:
            problem = f"the item '{here.id}' is in cluster '{there.cluster}', and in the control's file in "
            raise BadFile(treatment.path, problem + f"'{here.cluster}'.")
    clusters = [here.cluster for here, _ in rows]
    return clusters if any(clusters) else None


def _nothing_in_common(control: ResultFile, treatment: ResultFile) -> UserError:
    def some(file: ResultFile) -> str:
        ids = [*(row.id for row in file.rows), *file.without_score]
        return f"{file.path} has {file.id_field} " + ", ".join(f"'{item[:30]}'" for item in ids[:3])

    problem = f"No item has a score in both files: {some(control)}; {some(treatment)}."
    return UserError(problem, hint="Name the field that both share: --id FIELD")


def _ends(interval: Interval) -> Ends:
    return interval.low, interval.high


def cluster_note(comparison: Comparison) -> str:
    """What a reader must know of the clusters, empty where there is nothing."""
    clusters = comparison.test.get("clusters")
    if clusters is None or clusters >= FEW_CLUSTERS:
        return ""
    return f"only {clusters} clusters: intervals over fewer than {FEW_CLUSTERS} are too narrow at times"
