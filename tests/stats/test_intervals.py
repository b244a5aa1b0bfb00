"""Intervals against statsmodels, independent formulas and simulated coverage."""

import math

import numpy as np
import pytest
import statsmodels.api as sm
from hypothesis import given
from hypothesis import strategies as st
from scipy import optimize
from scipy import stats as scipy_stats
from statsmodels.stats.proportion import proportion_confint

from assay.stats import (
    Interval,
    clopper_pearson,
    cluster_mean,
    mean_t,
    newcombe_paired,
    tango_paired,
    wilson,
)

levels = st.sampled_from([0.8, 0.9, 0.95, 0.99])
counts = st.integers(1, 2000).flatmap(lambda n: st.tuples(st.integers(0, n), st.just(n)))
values = st.lists(st.floats(-1.0, 1.0), min_size=6, max_size=40)


def test_an_interval_knows_what_it_contains() -> None:
    interval = Interval(-0.1, 0.3, 0.95)
    assert 0.3 in interval
    assert interval.excludes(0.31)
    assert not interval.excludes(0.0)
    assert interval.width == pytest.approx(0.4)


@given(counts, levels)
def test_wilson_is_that_of_statsmodels(count: tuple[int, int], level: float) -> None:
    interval = wilson(*count, level)
    expected = proportion_confint(*count, alpha=1 - level, method="wilson")
    assert (interval.low, interval.high) == pytest.approx(expected, abs=1e-12)
    assert 0.0 <= interval.low <= count[0] / count[1] <= interval.high <= 1.0


@given(counts, levels)
def test_clopper_pearson_is_that_of_statsmodels(count: tuple[int, int], level: float) -> None:
    interval = clopper_pearson(*count, level)
    expected = proportion_confint(*count, alpha=1 - level, method="beta")
    assert (interval.low, interval.high) == pytest.approx(expected, abs=1e-9)


def square_and_add(a: int, b: int, c: int, d: int) -> tuple[float, float]:
    """Newcombe's method 10 written down again, from the definition in the paper's notation."""
    n = a + b + c + d
    l1, u1 = proportion_confint(a + b, n, method="wilson")
    l2, u2 = proportion_confint(a + c, n, method="wilson")
    p1, p2 = (a + b) / n, (a + c) / n
    product = (a + b) * (c + d) * (a + c) * (b + d)
    numerator = float(a * d - b * c)
    if numerator > n / 2:
        numerator -= n / 2
    elif numerator >= 0:
        numerator = 0
    phi = numerator / math.sqrt(product) if product else 0.0
    delta = (p1 - l1) ** 2 - 2 * phi * (p1 - l1) * (u2 - p2) + (u2 - p2) ** 2
    epsilon = (u1 - p1) ** 2 - 2 * phi * (u1 - p1) * (p2 - l2) + (p2 - l2) ** 2
    return p1 - p2 - math.sqrt(delta), p1 - p2 + math.sqrt(epsilon)


@given(st.tuples(*[st.integers(0, 60)] * 4).filter(any))
def test_newcombe_follows_the_paper(table: tuple[int, int, int, int]) -> None:
    interval = newcombe_paired(*table)
    assert (interval.low, interval.high) == pytest.approx(square_and_add(*table), abs=1e-9)


def test_newcombe_on_airway_responsiveness() -> None:
    """Bentur et al. (2009), the example table of the R package contingencytables."""
    interval = newcombe_paired(1, 1, 7, 12)
    assert (interval.low, interval.high) == pytest.approx((-0.507, -0.026), abs=5e-4)


@given(st.integers(1, 80), st.integers(1, 80), st.integers(0, 300))
def test_tango_limits_solve_the_score_equation(b: int, c: int, ties: int) -> None:
    n = b + c + ties
    interval = tango_paired(b, c, n)
    for limit, z in ((interval.low, 1.959964), (interval.high, -1.959964)):
        reverse = most_likely_reverse(limit, b, c, ties)
        variance = (2 * reverse + limit - limit**2) / n
        assert ((b - c) / n - limit) / math.sqrt(variance) == pytest.approx(z, abs=2e-4)


def most_likely_reverse(difference: float, b: int, c: int, ties: int) -> float:
    """P(only control) that maximises the trinomial likelihood under a given difference."""

    def minus_log_likelihood(q: float) -> float:
        cells = np.array([q + difference, q, 1 - 2 * q - difference])
        return -float(np.array([b, c, ties]) @ np.log(np.maximum(cells, 1e-300)))

    bounds = (max(0.0, -difference), (1 - difference) / 2)
    options = {"xatol": 1e-12}
    found = optimize.minimize_scalar(minus_log_likelihood, bounds=bounds, method="bounded", options=options)
    return float(found.x)


def test_tango_without_discordant_pairs_still_allows_for_some() -> None:
    interval = tango_paired(0, 0, 100)
    z2 = 1.959964**2
    assert (interval.low, interval.high) == pytest.approx((-z2 / (100 + z2), z2 / (100 + z2)))


@pytest.mark.parametrize("cells", [(0.5, 0.1, 0.05, 0.35), (0.3, 0.25, 0.1, 0.35)])
def test_paired_intervals_cover(cells: tuple[float, ...]) -> None:
    tables = np.random.default_rng(3).multinomial(80, cells, size=1500)
    difference = cells[1] - cells[2]
    newcombe = np.mean([difference in newcombe_paired(*map(int, table)) for table in tables])
    tango = np.mean([difference in tango_paired(int(t[1]), int(t[2]), 80) for t in tables])
    assert 0.935 <= newcombe <= 0.98
    assert 0.935 <= tango <= 0.98


@given(values, st.integers(0, 10**6))
def test_cluster_mean_is_clustered_least_squares_on_a_constant(sample: list[float], seed: int) -> None:
    clusters = np.random.default_rng(seed).integers(0, 4, size=len(sample))
    clusters[:2] = [0, 1]
    estimate = cluster_mean(sample, [f"sample-{cluster}" for cluster in clusters])
    ones = np.ones(len(sample))
    covariance = {"groups": clusters, "use_correction": True, "df_correction": True}
    fitted = sm.OLS(sample, ones).fit(cov_type="cluster", cov_kwds=covariance, use_t=True)
    assert estimate.mean == pytest.approx(fitted.params[0], abs=1e-12)
    assert estimate.standard_error == pytest.approx(fitted.bse[0], abs=1e-9)
    assert estimate.clusters == len(set(clusters))
    half = scipy_stats.t.ppf(0.975, estimate.clusters - 1) * fitted.bse[0]
    assert estimate.interval.high - estimate.mean == pytest.approx(half, abs=1e-7)


@given(values, levels)
def test_mean_t_is_students_interval(sample: list[float], level: float) -> None:
    estimate = mean_t(sample, level)
    standard_error = np.std(sample, ddof=1) / math.sqrt(len(sample))
    half = scipy_stats.t.ppf(0.5 + level / 2, len(sample) - 1) * standard_error
    assert estimate.interval.low == pytest.approx(np.mean(sample) - half, abs=1e-9)
    assert estimate.interval.high == pytest.approx(np.mean(sample) + half, abs=1e-9)


def test_bad_input_is_refused() -> None:
    with pytest.raises(ValueError, match="0 <= successes <= n"):
        wilson(3, 2)
    with pytest.raises(ValueError, match="level"):
        clopper_pearson(1, 2, level=1.0)
    with pytest.raises(ValueError, match="at least one pair"):
        newcombe_paired(0, 0, 0, 0)
    with pytest.raises(ValueError, match="number of pairs"):
        tango_paired(2, 2, 3)
    with pytest.raises(ValueError, match="nan"):
        mean_t([0.1, math.nan])
    with pytest.raises(ValueError, match="non-empty"):
        mean_t([])
    with pytest.raises(ValueError, match="two clusters"):
        cluster_mean([0.1, 0.2], ["a", "a"])
    with pytest.raises(ValueError, match="cluster labels"):
        cluster_mean([0.1, 0.2], ["a"])
