"""When to look and when one may stop: three rules behind one interface."""

from typing import Literal, Protocol

import numpy as np

from .group_sequential import GroupSequence
from .intervals import Interval, tango_paired
from .paired import mcnemar_exact, paired_bootstrap, sign_flip
from .samples import check_probability
from .sequential import Look, PairedSequence, check_difference

RuleName = Literal["anytime", "obf5", "fixed"]


class StoppingRule(Protocol):
    """Takes paired differences one by one and says what is known whenever the rule allows a look.

    The data have settled a question about a mean m at the first look whose interval excludes m.
    """

    level: float
    looks: list[Look]

    def add(self, difference: float) -> Look | None:
        """Take in one pair; the look at it, or None where the rule does not look."""
        ...


class FixedSample:
    """One look, after n pairs.

    Binary scores: the interval of Tango (1998) and the exact McNemar p-value; the latter is the
    more cautious and may exceed 1 - level although the interval barely excludes 0. Graded scores:
    the BCa bootstrap interval and the sign-flip p-value. Without a single difference among graded
    scores the binary interval stands in, since a bootstrap would claim certainty.
    """

    def __init__(self, n: int, level: float, binary: bool, rng: np.random.Generator) -> None:
        check_probability(level, "level")
        if n < 1:
            raise ValueError(f"a fixed sample needs at least one pair, got {n}")
        self.level = level
        self.looks: list[Look] = []
        self._n = n
        self._binary = binary
        self._rng = rng
        self._differences: list[float] = []

    def add(self, difference: float) -> Look | None:
        """Take in one pair; the look after the last one, None before."""
        check_difference(difference)
        if self._binary and difference not in (-1, 0, 1):
            raise ValueError(f"binary scores differ by -1, 0 or 1, got {difference}")
        if len(self._differences) == self._n:
            raise ValueError(f"the design ends at {self._n} pairs; plan a larger one to go on")
        self._differences.append(float(difference))
        if len(self._differences) < self._n:
            return None
        interval, p = self._evidence()
        estimate = float(np.mean(self._differences))
        look = Look(n=self._n, estimate=estimate, interval=interval, log_e=None, p=p)
        self.looks.append(look)
        return look

    def _evidence(self) -> tuple[Interval, float]:
        if self._binary or not any(self._differences):
            only_treatment, only_control = (
                self._differences.count(1.0),
                self._differences.count(-1.0),
            )
            interval = tango_paired(only_treatment, only_control, self._n, self.level)
            return interval, mcnemar_exact(only_treatment, only_control)
        interval = paired_bootstrap(self._differences, self._rng, level=self.level)
        return interval, sign_flip(self._differences, self._rng)


def stopping_rule(name: RuleName, cap: int, level: float, binary: bool, rng: np.random.Generator) -> StoppingRule:
    """The stopping rule of that name for at most `cap` pairs.

    `anytime` looks after every pair and may be extended beyond the cap; `obf5` looks five times;
    `fixed` looks once.
    """
    if name == "anytime":
        return PairedSequence(level)
    if name == "obf5":
        return GroupSequence(cap, looks=5, level=level)
    if name == "fixed":
        return FixedSample(cap, level, binary, rng)
    raise ValueError(f"unknown stopping rule {name!r}; choose anytime, obf5 or fixed")
