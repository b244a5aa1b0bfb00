"""Trends: from curves, one per seed and arm, to a verdict. A seed is the unit: all is trained anew from it."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np

from assay.core.verdict import Word
from assay.lab.evidence import Finding, Pair, Question, word_of
from assay.stats import Look, mean_t, page_trend, sign_flip, t_test, tost


class TrendEvidence:
    """Gathers a pair of curves per seed; the effect is the mean difference of what they come to."""

    last_look: Look | None = None

    def __init__(self, question: Question, *, ordered: bool = True) -> None:
        self.question = question
        self.ordered = ordered
        """Whether doses have an order that a curve may follow; those of a table have none."""
        self.pairs: list[Pair] = []

    def add(self, pair: Pair) -> bool:
        """Take one seed in; never enough before all are there."""
        self.pairs.append(pair)
        return False

    def finding(self, *, complete: bool, out_of_samples: str = "budget") -> Finding:
        """The mean difference over seeds with Student's interval, and the trend of the treatment's curves."""
        test: dict[str, Any] = {"rule": "fixed", "level": self.question.level}
        found = seed_effect(self.pairs, self.question.level)
        if found is None:
            alone = self.pairs[0].difference if self.pairs else None
            return Finding(Word.UNDECIDED, out_of_samples, alone, None, len(self.pairs), test)
        mean, (low, high) = found
        word, reason = word_of(mean, low, high, self.question)
        if len({pair.difference for pair in self.pairs}) == 1:
            # The interval is a point: marks were at their floor or ceiling, and the seeds say nothing of spread.
            word, reason = Word.UNDECIDED, "the same difference on every seed"
        if not complete:
            word, reason = Word.UNDECIDED, out_of_samples
        return Finding(word, reason or out_of_samples, mean, (low, high), len(self.pairs), test | self._tests())

    def _tests(self) -> dict[str, Any]:
        differences = [pair.difference for pair in self.pairs]
        tests: dict[str, Any] = {
            "p": t_test(differences),
            "sign_flip_p": sign_flip(differences, np.random.default_rng(0)),
        }
        if self.question.direction == 0:
            tests["tost_p"] = tost(differences, self.question.smallest_effect)
        curves = [pair.curves[0] for pair in self.pairs]
        doses = {tuple(x for x, _ in curve) for curve in curves}
        if self.ordered and len(doses) == 1 and len(curves[0]) >= 3:
            trend = page_trend([[y for _, y in curve] for curve in curves], _sign(curves))
            tests |= {"page_l": trend.statistic, "page_p": min(1.0, 2 * trend.p_value)}
        return tests


def _sign(curves: Sequence[Sequence[tuple[float, float]]]) -> int:
    """The direction in which the treatment's curves go on the whole; p is doubled for it."""
    return 1 if sum(curve[-1][1] - curve[0][1] for curve in curves) >= 0 else -1


def seed_effect(pairs: Sequence[Pair], level: float = 0.95) -> tuple[float, tuple[float, float]] | None:
    """Mean difference over seeds with Student's interval; None for fewer than two seeds."""
    if len(pairs) < 2:
        return None
    estimate = mean_t([pair.difference for pair in pairs], level)
    mean = math.fsum(pair.difference for pair in pairs) / len(pairs)
    return mean, (estimate.interval.low, estimate.interval.high)


def band(curves: Sequence[Sequence[tuple[float, float]]]) -> list[list[float]]:
    """Points (dose, mean, low, high) over the seeds whose curves share their doses."""
    shared = [curve for curve in curves if [x for x, _ in curve] == [x for x, _ in curves[0]]]
    found = []
    for at, (x, _) in enumerate(shared[0] if shared else ()):
        values = [curve[at][1] for curve in shared]
        mean = math.fsum(values) / len(values)
        low = high = mean
        if len(values) > 1:
            interval = mean_t(values).interval
            low, high = interval.low, interval.high
        found.append([x, mean, low, high])
    return found
