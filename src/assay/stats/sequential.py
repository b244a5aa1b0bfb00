"""Anytime-valid evidence on a mean paired difference: look after every pair, stop when you like.

The paired difference d = treatment score - control score lies in [-1, 1]; binary scores give -1, 0
or 1. Against every hypothesised mean m a gambler bets a share of the wealth on each pair and
multiplies it by 1 + lambda (d - m). If m is the true mean that wealth is a non-negative martingale
that starts at 1, so by Ville's inequality it ever reaches 1 / alpha with probability at most alpha,
however often one looks (Waudby-Smith and Ramdas 2024, JRSS B 86:1-27). The means whose wealth never
reached 1 / alpha form the confidence sequence; the wealth at m = 0 is the e-value.

The gambler here spreads the wealth over bets u in (-1, 1) with density 3/4 (1 - u^2), which is
Beta(2, 2) on (1 + u) / 2, and stakes lambda = u / (1 + m) on means above m and u / (1 - m) on means
below it, the widest range that keeps the wealth non-negative. Three facts make this one family do
all the work:

1. At m = 0 with binary scores the wealth is the beta-binomial mixture on the discordant pairs, in
   closed form (`beta_binomial_e_value`). So e >= 1 / alpha and "0 is outside the confidence
   sequence" are the same statement.
2. Each factor, (1 - u) + u (1 + d) / (1 + m) for u > 0 and its mirror image, is log-convex in m,
   hence so is the wealth: the means that survive a look form an interval.
3. At the sample mean the wealth is at most 1, so that interval is never empty; only intersecting
   the looks can empty it, and then the data drifted: there is no one mean.

The density is replaced by quadrature nodes with positive weights that sum to 1. Such a mixture is
itself a fair bet, so the approximation costs no validity, only agreement with the closed form (1e-6
up to a few thousand pairs).
"""

import math
from dataclasses import dataclass

import numpy as np

from .intervals import Interval
from .samples import FloatArray, check_probability
from .special import log_beta

_GRID_STEPS = 200  # hypothesised means are multiples of 1/200; at -1 and 1 stakes are infinite
_NODES = 64  # quadrature nodes for bets of each sign


@dataclass(frozen=True)
class Look:
    """What is known after n pairs.

    `p` stays valid at whatever look one stops; `log_e` is the natural logarithm of the current
    e-value against a mean of 0, None for rules that have no e-value. `inconsistent` says that looks
    contradict each other, as when the effect drifts along the run: the interval is then the last
    one they agreed on.
    """

    n: int
    estimate: float
    interval: Interval
    log_e: float | None
    p: float
    inconsistent: bool = False


def log_beta_binomial_e_value(only_treatment: int, only_control: int) -> float:
    """The natural logarithm of `beta_binomial_e_value`, for counts whose e-value overflows."""
    if min(only_treatment, only_control) < 0:
        raise ValueError("counts of discordant pairs must not be negative")
    discordant = only_treatment + only_control
    mixture = log_beta(2 + only_treatment, 2 + only_control) - log_beta(2, 2)
    return mixture + discordant * math.log(2.0)


def beta_binomial_e_value(only_treatment: int, only_control: int) -> float:
    """The e-value against an even split of the discordant pairs.

    The likelihood ratio against 1/2, mixed over P(treatment wins) ~ Beta(2, 2). Under no effect it
    exceeds 1 / alpha at any time with probability at most alpha (Robbins 1970). Infinite where it
    exceeds the range of a float.
    """
    log_e = log_beta_binomial_e_value(only_treatment, only_control)
    return math.exp(log_e) if log_e < 709.0 else math.inf


class PairedSequence:
    """The e-process and confidence sequence of a mean difference in [-1, 1], pair by pair.

    Wealth is kept for 399 hypothesised means x 128 bets: 0.4 MB, well below a millisecond a pair.
    The order of the pairs matters only through which looks are intersected.
    """

    def __init__(self, level: float = 0.95) -> None:
        check_probability(level, "level")
        self.level = level
        self.looks: list[Look] = []
        self._means = np.arange(1 - _GRID_STEPS, _GRID_STEPS) / _GRID_STEPS
        bets, self._weights = _beta_mixture()
        signs = np.sign(bets)[:, None]
        self._stakes = bets[:, None] / (1.0 + signs * self._means)  # shape (bets, means)
        self._log_wealth = np.zeros_like(self._stakes)
        self._scratch = np.empty_like(self._stakes)
        self._total = 0.0
        self._largest_log_e = 0.0

    @property
    def trajectory(self) -> list[Look]:
        """All looks so far, one a pair."""
        return self.looks

    def add(self, difference: float) -> Look:
        """Take in one pair and look."""
        check_difference(difference)
        log_wealth = self._bet(difference)
        self._total += difference
        n = len(self.looks) + 1
        log_e = float(log_wealth[_GRID_STEPS - 1])  # the middle of the grid is a mean of 0
        self._largest_log_e = max(self._largest_log_e, log_e)
        estimate = self._total / n
        interval, inconsistent = self._intersect(log_wealth, estimate)
        look = Look(
            n=n,
            estimate=estimate,
            interval=interval,
            log_e=log_e,
            p=math.exp(-self._largest_log_e),
            inconsistent=inconsistent,
        )
        self.looks.append(look)
        return look

    def _bet(self, difference: float) -> FloatArray:
        """Settle every bet on one pair; the log-wealth against each mean."""
        scratch = self._scratch  # allocating such arrays would cost more than the arithmetic
        np.multiply(self._stakes, difference - self._means, out=scratch)
        self._log_wealth += np.log1p(scratch, out=scratch)
        best = self._log_wealth.max(axis=0)
        np.subtract(self._log_wealth, best, out=scratch)
        np.maximum(scratch, -700.0, out=scratch)  # exp is ten times slower where it underflows
        mixture = self._weights @ np.exp(scratch, out=scratch)
        return np.asarray(best + np.log(mixture))

    def _intersect(self, log_wealth: FloatArray, estimate: float) -> tuple[Interval, bool]:
        """The means that survive all looks; if this one leaves none, those before it and True."""
        if not self.looks:
            previous = Interval(-1.0, 1.0, self.level)
        elif self.looks[-1].inconsistent:
            return self.looks[-1].interval, True
        else:
            previous = self.looks[-1].interval
        excess = log_wealth + math.log(1.0 - self.level)
        low = max(previous.low, _lower_end(self._means, excess, estimate))
        high = min(previous.high, -_lower_end(-self._means[::-1], excess[::-1], -estimate))
        if low > high:
            return previous, True
        return Interval(low, high, self.level), False


def _beta_mixture() -> tuple[FloatArray, FloatArray]:
    """Bets in (-1, 1) and their weights: Gauss-Legendre on each half under the Beta(2, 2) density.

    The halves are apart because the stakes have a kink at a bet of 0.
    """
    nodes, weights = np.polynomial.legendre.leggauss(_NODES)
    positive = (nodes + 1.0) / 2.0
    bets = np.concatenate([-positive[::-1], positive])
    masses = np.concatenate([weights[::-1], weights]) / 2.0 * 0.75 * (1.0 - bets**2)
    return bets, masses / masses.sum()


def _lower_end(means: FloatArray, excess: FloatArray, estimate: float) -> float:
    """Where the excess of log-wealth over its threshold falls below 0, left of the estimate.

    It is convex in the mean. Between grid points the line through the last two excluded means is
    prolonged: it runs below a convex curve, so it crosses early and the interval errs on the wide
    side. The estimate itself always survives (fact 3), also when the interval is too narrow to hold
    a grid point.
    """
    excluded = int(np.count_nonzero((means <= estimate) & (excess >= 0.0)))
    if excluded == 0:
        return -1.0
    last = float(means[excluded - 1])
    if excluded == 1:
        return last
    fall = float(excess[excluded - 2] - excess[excluded - 1])
    step = last - float(means[excluded - 2])
    return min(last + step * min(1.0, float(excess[excluded - 1]) / fall), estimate)


def check_difference(difference: float) -> None:
    """Refuse a paired difference outside [-1, 1], nan included."""
    if not -1.0 <= difference <= 1.0:
        raise ValueError(f"a paired difference of scores must lie in [-1, 1], got {difference}")
