"""Trends along ordered doses, and the absence of a difference: what claims about training rest on."""

from __future__ import annotations

import math
from dataclasses import dataclass
from itertools import permutations

import numpy as np
from numpy.typing import ArrayLike

from .samples import finite_sample
from .special import normal_cdf, t_cdf, t_quantile

MOST_EXACT = 7
"""Doses up to which Page's null distribution is enumerated; above it is taken for normal."""


@dataclass(frozen=True, slots=True)
class PageTrend:
    """Page's test for ordered alternatives."""

    statistic: float
    """L: sum over doses of its position times the sum of its ranks."""
    p_value: float
    """One-sided: that L is this large where the order of the doses means nothing."""


def page_trend(curves: ArrayLike, direction: int = 1) -> PageTrend:
    """Whether measures rise (direction 1) or fall (-1) along the doses in [seeds, doses].

    Exact up to seven doses without ties; ties take mid-ranks and the normal approximation.
    Page 1963, https://doi.org/10.1080/01621459.1963.10500843
    """
    table = np.asarray(curves, dtype=float)
    if table.ndim != 2 or table.shape[0] < 1 or table.shape[1] < 3:
        raise ValueError("Page's test needs at least one curve of at least three doses")
    if not np.isfinite(table).all():
        raise ValueError("curves must be finite")
    ranks = np.array([_mid_ranks(row) for row in table * direction])
    seeds, doses = table.shape
    positions = np.arange(1, doses + 1)
    statistic = float((ranks * positions).sum())
    tied = any(len(set(row)) < doses for row in table.tolist())
    if doses <= MOST_EXACT and seeds <= 40 and not tied:
        return PageTrend(statistic, _exact_tail(statistic, seeds, doses))
    mean = seeds * doses * (doses + 1) ** 2 / 4
    variance = seeds * doses**2 * (doses + 1) * (doses**2 - 1) / 144
    return PageTrend(statistic, 1 - normal_cdf((statistic - mean) / math.sqrt(variance)))


def _mid_ranks(row: np.ndarray) -> np.ndarray:
    order = np.argsort(row, kind="stable")
    ranks = np.empty(len(row))
    ranks[order] = np.arange(1, len(row) + 1)
    for value in np.unique(row):
        same = row == value
        ranks[same] = ranks[same].mean()
    return ranks


def _exact_tail(statistic: float, seeds: int, doses: int) -> float:
    """P(L >= statistic), by convolving the distribution of one seed's sum with itself."""
    positions = range(1, doses + 1)
    sums = [sum(a * b for a, b in zip(positions, ranks, strict=True)) for ranks in permutations(positions)]
    least, most = min(sums), max(sums)
    one = np.bincount(np.array(sums) - least, minlength=most - least + 1) / len(sums)
    whole = np.ones(1)
    for _ in range(seeds):
        whole = np.convolve(whole, one)
    return float(min(1.0, whole[max(0, round(statistic) - seeds * least) :].sum()))


def tost(differences: ArrayLike, margin: float) -> float:
    """Two one-sided t tests: p that the mean lies outside ±margin, small where it is within.

    Schuirmann 1987, https://doi.org/10.1007/BF01068419
    """
    sample = finite_sample(differences, "differences")
    if not margin > 0:
        raise ValueError("a margin must be above 0")
    n = len(sample)
    if n < 2:
        raise ValueError("two differences are needed")
    error = float(sample.std(ddof=1)) / math.sqrt(n)
    mean = float(sample.mean())
    if error == 0:
        return 0.0 if abs(mean) < margin else 1.0
    return max(1 - t_cdf((mean + margin) / error, n - 1), t_cdf((mean - margin) / error, n - 1))


def t_test(differences: ArrayLike) -> float:
    """Two-sided p of the mean being 0, by Student's t."""
    sample = finite_sample(differences, "differences")
    if len(sample) < 2:
        raise ValueError("two differences are needed")
    error = float(sample.std(ddof=1)) / math.sqrt(len(sample))
    if error == 0:
        return 1.0 if sample.mean() == 0 else 0.0
    return 2 * (1 - t_cdf(abs(float(sample.mean())) / error, len(sample) - 1))


def detectable_by_t(n: int, deviation: float, level: float = 0.95, power: float = 0.8) -> float:
    """Mean difference that n differences of this standard deviation show with that power, about."""
    if n < 2:
        return math.inf
    reach = t_quantile((1 + level) / 2, n - 1) + t_quantile(power, n - 1)
    return reach * deviation / math.sqrt(n)
