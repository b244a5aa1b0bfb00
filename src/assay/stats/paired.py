"""Tests and intervals for a fixed number of pairs: treatment and control on the same samples."""

from collections.abc import Iterator, Sequence
from typing import Any, Literal

import numpy as np
from numpy.typing import ArrayLike

from .intervals import Interval
from .samples import ClusterTotals, FloatArray, check_probability, cluster_totals, finite_sample
from .special import binomial_cdf, binomial_tail, normal_cdf, normal_quantile

Alternative = Literal["two-sided", "greater", "less"]
"""What is claimed of treatment - control: that it differs from 0, exceeds it, or falls below it."""

_ENUMERATE_UP_TO = 14  # 2**14 sign patterns cost no more than the usual number of resamples
_DRAWS_AT_ONCE = 1_000  # bounds the memory of a resampling block


def mcnemar_exact(only_treatment: int, only_control: int, alternative: Alternative = "two-sided") -> float:
    """The exact p-value of McNemar's test: are discordant pairs split evenly?

    Binomial(b + c, 1/2) on the pairs that only one arm solved; without any such pair the p-value is
    1.
    """
    if min(only_treatment, only_control) < 0:
        raise ValueError("counts of discordant pairs must not be negative")
    discordant = only_treatment + only_control
    if alternative == "greater":
        return binomial_tail(only_treatment, discordant, 0.5)
    if alternative == "less":
        return binomial_cdf(only_treatment, discordant, 0.5)
    _check_alternative(alternative)
    return min(1.0, 2.0 * binomial_tail(max(only_treatment, only_control), discordant, 0.5))


def sign_flip(
    differences: ArrayLike,
    rng: np.random.Generator,
    resamples: int = 10_000,
    alternative: Alternative = "two-sided",
    clusters: Sequence[Any] | None = None,
) -> float:
    """The p-value of a sign-flip permutation test that differences are symmetric around 0.

    Whole clusters are flipped together. Up to 14 clusters (or pairs) every sign pattern is
    enumerated and the p-value is exact; beyond, p = (1 + r) / (1 + R), which is valid for any R
    (Phipson and Smyth 2010).
    """
    _check_alternative(alternative)
    _check_resamples(resamples)
    sums = cluster_totals(finite_sample(differences, "differences"), clusters).sums
    observed = _extremeness(np.array([sums.sum()]), alternative)[0]
    # Sums of the same numbers in another order differ by rounding; a tie must count as a tie.
    threshold = observed - 1e-12 * np.abs(sums).sum()
    if len(sums) <= _ENUMERATE_UP_TO:
        patterns = np.arange(2 ** len(sums))[:, None] >> np.arange(len(sums)) & 1
        return float(np.mean(_extremeness((1.0 - 2.0 * patterns) @ sums, alternative) >= threshold))
    reached = 0
    for draws in _blocks(resamples):
        signs = 1.0 - 2.0 * rng.integers(0, 2, size=(draws, len(sums)))
        reached += int(np.count_nonzero(_extremeness(signs @ sums, alternative) >= threshold))
    return (1 + reached) / (1 + resamples)


def paired_bootstrap(
    differences: ArrayLike,
    rng: np.random.Generator,
    resamples: int = 10_000,
    level: float = 0.95,
    clusters: Sequence[Any] | None = None,
) -> Interval:
    """The bias-corrected and accelerated bootstrap interval of the mean difference (Efron 1987).

    Whole clusters are resampled. Where BCa is undefined (all resampled means lie on one side of the
    estimate, or no cluster moves it) the percentile interval is returned. Differences that are all
    equal give an interval of width 0: a bootstrap cannot see a spread that the sample does not
    show.
    """
    check_probability(level, "level")
    _check_resamples(resamples)
    totals = cluster_totals(finite_sample(differences, "differences"), clusters)
    means = _resampled_means(totals, rng, resamples)
    tails = np.array([0.5 - 0.5 * level, 0.5 + 0.5 * level])
    low, high = np.quantile(means, _accelerated_tails(tails, means, totals))
    return Interval(float(low), float(high), level)


def _resampled_means(totals: ClusterTotals, rng: np.random.Generator, resamples: int) -> FloatArray:
    count = len(totals.sums)
    blocks = []
    for draws in _blocks(resamples):
        chosen = rng.integers(0, count, size=(draws, count))
        blocks.append(totals.sums[chosen].sum(axis=1) / totals.sizes[chosen].sum(axis=1))
    return np.concatenate(blocks)


def _accelerated_tails(tails: FloatArray, means: FloatArray, totals: ClusterTotals) -> FloatArray:
    """Where BCa reads the bootstrap distribution instead of at the nominal tails."""
    below = float(np.mean(means < totals.mean) + np.mean(means <= totals.mean)) / 2.0
    if not 0.0 < below < 1.0 or len(totals.sums) < 2:
        return tails
    left_out = (totals.sums.sum() - totals.sums) / (totals.sizes.sum() - totals.sizes)
    pulls = left_out.mean() - left_out
    spread = float(pulls @ pulls)
    if spread == 0.0:
        return tails
    acceleration = float(np.sum(pulls**3)) / (6.0 * spread**1.5)
    bias = normal_quantile(below)
    shifted = [bias + normal_quantile(tail) for tail in tails]
    return np.array([normal_cdf(bias + z / (1.0 - acceleration * z)) for z in shifted])


def _extremeness(sums: FloatArray, alternative: Alternative) -> FloatArray:
    """How far each sum lies in the direction of the alternative."""
    if alternative == "two-sided":
        return np.abs(sums)
    return sums if alternative == "greater" else -sums


def _blocks(resamples: int) -> Iterator[int]:
    for done in range(0, resamples, _DRAWS_AT_ONCE):
        yield min(_DRAWS_AT_ONCE, resamples - done)


def _check_alternative(alternative: str) -> None:
    if alternative not in ("two-sided", "greater", "less"):
        raise ValueError(f"alternative must be two-sided, greater or less, got {alternative!r}")


def _check_resamples(resamples: int) -> None:
    if resamples < 1:
        raise ValueError(f"resamples must be at least 1, got {resamples}")
