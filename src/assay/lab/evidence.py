"""From pairs of scores to a verdict. The same rule serves a run and recorded results (`compare`).

A verdict is `holds` when the interval of the effect clears 0 in the claimed direction and the
estimate reaches the smallest effect worth having; `fails` when the interval excludes that effect;
else `undecided`, with the reason.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np

from assay.core.answers import Curve
from assay.core.verdict import Word
from assay.stats import (
    Look,
    PairedSequence,
    RuleName,
    StoppingRule,
    mcnemar_exact,
    newcombe_paired,
    obrien_fleming_bounds,
    paired_bootstrap,
    sign_flip,
    stopping_rule,
)
from assay.stats.special import normal_quantile

FEWEST = 10
"""Pairs below which a bootstrap has too little to draw from; `obf5` needs five for its looks."""
FEW_CLUSTERS = 20
"""Below this many the cluster-robust interval is too narrow more often than it says."""
ROUNDING = 1e-12
"""Differences that are closer than this are the same."""


@dataclass(frozen=True, slots=True)
class Pair:
    """The scores of one item in both arms; an item run several times has its mean here."""

    item: str
    treatment: float
    control: float
    positive: bool = False
    """Of a detector's item: whether it ought to score high."""
    curves: tuple[Curve, Curve] = ((), ())
    """Of a trend: what treatment and control measured along the dose."""

    @property
    def difference(self) -> float:
        """Treatment minus control."""
        return self.treatment - self.control


@dataclass(frozen=True, slots=True)
class Question:
    """What is asked of the pairs."""

    smallest_effect: float
    direction: int = 1
    binary: bool = True
    level: float = 0.95


@dataclass(frozen=True, slots=True)
class Finding:
    """What the pairs say."""

    word: Word
    reason: str
    effect: float | None
    interval: tuple[float, float] | None
    n: int
    test: Mapping[str, Any]
    trajectory: tuple[tuple[int, float, float, float], ...] = ()


class Evidence(Protocol):
    """Takes pairs in until the verdict is decided."""

    @property
    def last_look(self) -> Look | None:
        """The latest look, if there was one."""
        ...

    def add(self, pair: Pair) -> bool:
        """Take one pair in; True once no further pair is needed."""
        ...

    def finding(self, *, complete: bool, out_of_samples: str = "budget") -> Finding:
        """What the pairs say."""
        ...


class PairedEvidence:
    """Takes pairs one by one, in the order fixed before the run, and says when they suffice."""

    def __init__(self, question: Question, rule: RuleName, cap: int, seed: int = 0) -> None:
        self.question = question
        self.rule_name = rule
        self.pairs: list[Pair] = []
        self._seed = seed
        self._rule: StoppingRule = stopping_rule(
            rule, max(cap, FEWEST), question.level, question.binary, np.random.default_rng(seed)
        )

    @property
    def last_look(self) -> Look | None:
        """The latest look, if there was one."""
        return self._rule.looks[-1] if self._rule.looks else None

    def add(self, pair: Pair) -> bool:
        """Take one pair in; True once the verdict is decided and no further pair is needed."""
        self.pairs.append(pair)
        look = self._rule.add(pair.difference)
        return look is not None and _word(self._of(look), self.question)[0] is not Word.UNDECIDED

    def finding(self, *, complete: bool, out_of_samples: str = "budget") -> Finding:
        """The verdict as the pairs stand; `complete` says that every planned sample was run.

        Pairs may be missing all the same (unparsed replies), so a rule that looks at fixed counts has
        its last look at what there is.
        """
        if not self.pairs:
            return Finding(Word.UNDECIDED, out_of_samples, None, None, 0, {"rule": self.rule_name})
        effect = float(np.mean([pair.difference for pair in self.pairs]))
        standing = self._standing(complete)
        word, reason = (Word.UNDECIDED, "") if standing is None else _word(standing, self.question)
        low, high = (standing.low, standing.high) if standing else self._plain_interval()
        return Finding(
            word,
            reason if word is not Word.UNDECIDED or reason else out_of_samples,
            effect,
            (low, high),
            len(self.pairs),
            self._test(),
            tuple((look.n, look.estimate, look.interval.low, look.interval.high) for look in self._rule.looks),
        )

    def _standing(self, complete: bool) -> _Standing | None:
        """What may be decided on now: the look at the last pair, or the last look of a finished run."""
        look = self.last_look
        if look is not None and look.n == len(self.pairs):
            return self._of(look)
        if not complete or self.rule_name == "anytime":
            return None
        low, high = self._plain_interval()
        mean = float(np.mean([pair.difference for pair in self.pairs]))
        if self.rule_name == "obf5":
            # The bound of the last of five looks is a little wider than that of a single one.
            widen = obrien_fleming_bounds(5, 1 - self.question.level)[-1] / normal_quantile(
                (1 + self.question.level) / 2
            )
            low, high = mean - (mean - low) * widen, mean + (high - mean) * widen
        return self._held_to_exact_test(_Standing(mean, low, high))

    def _of(self, look: Look) -> _Standing:
        standing = _Standing(look.estimate, look.interval.low, look.interval.high, look.inconsistent)
        return self._held_to_exact_test(standing) if self.rule_name == "fixed" else standing

    def _held_to_exact_test(self, standing: _Standing) -> _Standing:
        """Intervals of a few pairs are approximate; 0 stays inside while the exact test does not exclude it."""
        differences = [pair.difference for pair in self.pairs]
        if self.question.binary:
            p = mcnemar_exact(*_discordant(differences))
        else:
            p = sign_flip(differences, np.random.default_rng(self._seed))
        if p <= 1 - self.question.level:
            return standing
        return _Standing(standing.estimate, min(standing.low, 0.0), max(standing.high, 0.0), standing.drifted)

    def _plain_interval(self) -> tuple[float, float]:
        found = effect_of(self.pairs, binary=self.question.binary, level=self.question.level, seed=self._seed)
        assert found is not None, "there is at least one pair"
        return found[1]

    def _test(self) -> dict[str, Any]:
        differences = [pair.difference for pair in self.pairs]
        look = self.last_look
        test: dict[str, Any] = {"rule": self.rule_name, "level": self.question.level}
        if look is not None:
            test |= {"p": look.p} | ({} if look.log_e is None else {"e": math.exp(min(look.log_e, 700.0))})
        if self.question.binary:
            gained, lost = _discordant(differences)
            test |= {"only_treatment": gained, "only_control": lost, "mcnemar_p": mcnemar_exact(gained, lost)}
        else:
            test["sign_flip_p"] = sign_flip(differences, np.random.default_rng(self._seed))
        return test


@dataclass(frozen=True, slots=True)
class _Standing:
    """An estimate with its interval, at a moment when deciding is allowed."""

    estimate: float
    low: float
    high: float
    drifted: bool = False


def word_of(estimate: float, low: float, high: float, question: Question) -> tuple[Word, str]:
    """The rule of verdicts on an estimate and its interval; the reason is empty where undecided."""
    return _word(_Standing(estimate, low, high), question)


def _word(standing: _Standing, question: Question) -> tuple[Word, str]:
    if standing.drifted:
        return Word.UNDECIDED, "the effect drifted while the run went on"
    low, high, estimate = standing.low, standing.high, standing.estimate
    margin = question.smallest_effect
    if question.direction == 0:
        if -margin <= low and high <= margin:
            return Word.HOLDS, "the interval lies within the margin"
        if low > margin or high < -margin:
            return Word.FAILS, "the interval lies outside the margin"
        return Word.UNDECIDED, ""
    if question.direction < 0:
        low, high, estimate = -high, -low, -estimate
    if low > 0 and estimate >= question.smallest_effect:
        return Word.HOLDS, "the interval is clear of 0 and the effect is worth having"
    if high < 0:
        return Word.FAILS, "the effect goes the other way"
    if high < question.smallest_effect:
        return Word.FAILS, "the interval excludes the smallest effect worth having"
    return Word.UNDECIDED, ""


def _discordant(differences: Sequence[float]) -> tuple[int, int]:
    return sum(1 for d in differences if d > 0), sum(1 for d in differences if d < 0)


def effect_of(
    pairs: Sequence[Pair], *, binary: bool, level: float = 0.95, seed: int = 0
) -> tuple[float, tuple[float, float]] | None:
    """Mean difference with a fixed-sample interval (Newcombe for 0/1 scores, BCa bootstrap else)."""
    if not pairs:
        return None
    differences = [pair.difference for pair in pairs]
    mean = float(np.mean(differences))
    if binary and all(pair.treatment in (0, 1) and pair.control in (0, 1) for pair in pairs):
        gained, lost = _discordant(differences)
        both = sum(1 for pair in pairs if pair.treatment == pair.control == 1)
        interval = newcombe_paired(both, gained, lost, len(pairs) - both - gained - lost, level)
    elif (len(pairs) < FEWEST or len(set(differences)) == 1) and max(map(abs, differences)) <= 1:
        # The betting interval is valid for any number of bounded differences, however alike they are.
        sequence = PairedSequence(level)
        for difference in differences:
            interval = sequence.add(difference).interval
    elif len(set(differences)) == 1:
        return mean, (mean, mean)
    else:
        interval = paired_bootstrap(differences, np.random.default_rng(seed), level=level)
    return mean, (interval.low, interval.high)
