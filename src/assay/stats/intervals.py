"""Confidence intervals for a proportion, for a difference of paired proportions and for a mean."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from numpy.typing import ArrayLike

from .samples import check_probability, cluster_totals, finite_sample
from .special import beta_quantile, bisect_increasing, normal_quantile, t_quantile


@dataclass(frozen=True)
class Interval:
    """A closed interval with its confidence level."""

    low: float
    high: float
    level: float

    def __contains__(self, value: float) -> bool:
        return self.low <= value <= self.high

    @property
    def width(self) -> float:
        """The length of the interval."""
        return self.high - self.low

    def excludes(self, value: float) -> bool:
        """Whether the value lies outside."""
        return value not in self


@dataclass(frozen=True)
class Estimate:
    """A mean, its standard error and interval, and how many values and clusters are behind it."""

    mean: float
    standard_error: float
    interval: Interval
    n: int
    clusters: int


def wilson(successes: int, n: int, level: float = 0.95) -> Interval:
    """The score interval of a proportion (Wilson 1927), never outside [0, 1]."""
    _check_counts(successes, n, level)
    z = _two_sided_z(level)
    proportion = successes / n
    centre = (proportion + z * z / (2 * n)) / (1 + z * z / n)
    half = z * math.sqrt(proportion * (1 - proportion) / n + (z / (2 * n)) ** 2) / (1 + z * z / n)
    # At 0 and n the exact limits are 0 and 1; rounding would miss them by an ulp.
    low = 0.0 if successes == 0 else centre - half
    high = 1.0 if successes == n else centre + half
    return Interval(low, high, level)


def clopper_pearson(successes: int, n: int, level: float = 0.95) -> Interval:
    """The exact interval of a proportion (Clopper and Pearson 1934): at least its level."""
    _check_counts(successes, n, level)
    tail = 0.5 * (1.0 - level)
    low = 0.0 if successes == 0 else beta_quantile(tail, successes, n - successes + 1)
    high = 1.0 if successes == n else beta_quantile(1.0 - tail, successes + 1, n - successes)
    return Interval(low, high, level)


def newcombe_paired(
    both: int, only_treatment: int, only_control: int, neither: int, level: float = 0.95
) -> Interval:
    """The interval of a paired difference of proportions, treatment - control, from four counts.

    Method 10 of Newcombe (1998), Statistics in Medicine 17:2635-2650: the Wilson limits of each
    arm, squared and added with the correlation phi, whose numerator is moved towards 0 by n/2 when
    positive.
    """
    if min(both, only_treatment, only_control, neither) < 0:
        raise ValueError("counts of pairs must not be negative")
    n = both + only_treatment + only_control + neither
    if n == 0:
        raise ValueError("an interval needs at least one pair")
    in_treatment, in_control = both + only_treatment, both + only_control
    treatment, control = wilson(in_treatment, n, level), wilson(in_control, n, level)
    p_treatment, p_control = in_treatment / n, in_control / n

    marginals = in_treatment * (n - in_treatment) * in_control * (n - in_control)
    covariance = float(both * neither - only_treatment * only_control)
    if covariance > 0.0:
        covariance = max(covariance - n / 2, 0.0)
    phi = covariance / math.sqrt(marginals) if marginals else 0.0

    def side(a: float, b: float) -> float:
        return math.sqrt(max(0.0, a * a - 2.0 * phi * a * b + b * b))

    difference = p_treatment - p_control
    return Interval(
        max(-1.0, difference - side(p_treatment - treatment.low, control.high - p_control)),
        min(1.0, difference + side(treatment.high - p_treatment, p_control - control.low)),
        level,
    )


def tango_paired(only_treatment: int, only_control: int, n: int, level: float = 0.95) -> Interval:
    """The score interval of a paired difference of proportions, from discordant counts and n alone.

    Tango (1998), Statistics in Medicine 17:891-908: the differences that a score test does not
    reject; at 0 that test is McNemar's without continuity correction. It needs no split of the ties
    into both and neither, and stays sensible with no discordant pair at all.
    """
    if min(only_treatment, only_control) < 0 or only_treatment + only_control > n:
        raise ValueError("discordant counts must not be negative nor exceed the number of pairs")
    _check_counts(only_treatment, n, level)
    z = _two_sided_z(level)

    def score(difference: float) -> float:
        linear = (2 * n - only_treatment + only_control) * difference - only_treatment - only_control
        constant = -only_control * difference * (1.0 - difference)
        root = math.sqrt(max(0.0, linear * linear - 8.0 * n * constant))
        reverse = (root - linear) / (4.0 * n)  # the restricted estimate of P(only control)
        variance = n * (2.0 * reverse + difference * (1.0 - difference))
        gap = only_treatment - only_control - n * difference
        return gap / math.sqrt(variance) if variance > 0.0 else math.copysign(math.inf, gap)

    estimate = (only_treatment - only_control) / n
    low = bisect_increasing(lambda difference: z - score(difference), -1.0, estimate)
    high = bisect_increasing(lambda difference: -z - score(difference), estimate, 1.0)
    return Interval(low, high, level)


def cluster_mean(values: ArrayLike, clusters: Sequence[Any], level: float = 0.95) -> Estimate:
    """The mean of values that are correlated within clusters, such as several seeds of one sample.

    Sandwich standard error with the CR1 factor G / (G - 1) and Student's t with G - 1 degrees of
    freedom for G clusters (Cameron and Miller 2015, Journal of Human Resources 50:317-372). Needs
    two clusters; trust it from about twenty.
    """
    check_probability(level, "level")
    sample = finite_sample(values, "values")
    totals = cluster_totals(sample, clusters)
    groups = len(totals.sums)
    if groups < 2:
        raise ValueError("a standard error of the mean needs at least two clusters")
    mean = totals.mean
    residuals = totals.sums - totals.sizes * mean
    standard_error = math.sqrt(groups / (groups - 1) * float(residuals @ residuals)) / len(sample)
    half = t_quantile(0.5 + 0.5 * level, groups - 1) * standard_error
    return Estimate(mean, standard_error, Interval(mean - half, mean + half, level), len(sample), groups)


def mean_t(values: ArrayLike, level: float = 0.95) -> Estimate:
    """The mean of independent values with Student's interval: every value its own cluster."""
    sample = finite_sample(values, "values")
    return cluster_mean(sample, range(len(sample)), level)


def _two_sided_z(level: float) -> float:
    return normal_quantile(0.5 + 0.5 * level)


def _check_counts(successes: int, n: int, level: float) -> None:
    check_probability(level, "level")
    if n < 1 or not 0 <= successes <= n:
        raise ValueError(f"counts must satisfy 0 <= successes <= n with n >= 1, got {successes} of {n}")
