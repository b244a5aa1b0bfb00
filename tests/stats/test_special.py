"""The special functions against scipy."""

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import special as scipy_special
from scipy import stats as scipy_stats

from assay.stats import special

probabilities = st.floats(1e-9, 1 - 1e-9)
shapes = st.floats(0.3, 500.0)


@given(st.floats(-35.0, 8.0))
def test_normal_cdf_is_accurate_in_the_far_tail(x: float) -> None:
    assert special.normal_cdf(x) == pytest.approx(scipy_stats.norm.cdf(x), rel=1e-12)


@given(probabilities)
def test_normal_quantile(p: float) -> None:
    assert special.normal_quantile(p) == pytest.approx(scipy_stats.norm.ppf(p), abs=1e-9)


@given(shapes, shapes)
def test_log_beta(a: float, b: float) -> None:
    assert special.log_beta(a, b) == pytest.approx(scipy_special.betaln(a, b), rel=1e-10, abs=1e-9)


@given(st.floats(0.0, 1.0), shapes, shapes)
def test_beta_cdf(x: float, a: float, b: float) -> None:
    assert special.beta_cdf(x, a, b) == pytest.approx(scipy_special.betainc(a, b, x), abs=1e-10)


@given(probabilities, st.floats(1.0, 500.0), st.floats(1.0, 500.0))
def test_beta_quantile(p: float, a: float, b: float) -> None:
    assert special.beta_quantile(p, a, b) == pytest.approx(scipy_stats.beta.ppf(p, a, b), abs=1e-9)


@given(st.floats(-50.0, 50.0), st.floats(1.0, 1000.0))
def test_t_cdf(x: float, degrees: float) -> None:
    assert special.t_cdf(x, degrees) == pytest.approx(scipy_stats.t.cdf(x, degrees), abs=1e-10)


@given(st.floats(1e-4, 1 - 1e-4), st.floats(1.0, 1000.0))
def test_t_quantile(p: float, degrees: float) -> None:
    expected = scipy_stats.t.ppf(p, degrees)
    assert special.t_quantile(p, degrees) == pytest.approx(expected, rel=1e-7, abs=1e-7)


@given(st.data(), st.integers(0, 400), st.floats(0.0, 1.0))
def test_binomial_sums(data: st.DataObject, n: int, p: float) -> None:
    k = data.draw(st.integers(-1, n + 1))
    law = scipy_stats.binom(n, p)
    assert special.binomial_cdf(k, n, p) == pytest.approx(law.cdf(k), rel=1e-9, abs=1e-12)
    assert special.binomial_tail(k, n, p) == pytest.approx(law.sf(k - 1), rel=1e-9, abs=1e-12)


def test_binomial_tail_keeps_relative_accuracy_where_it_is_tiny() -> None:
    assert special.binomial_tail(1000, 1000, 0.5) == pytest.approx(0.5**1000, rel=1e-9)


@pytest.mark.parametrize("p", [0.0, 1.0, -0.1, math.nan])
def test_quantiles_refuse_what_is_no_probability(p: float) -> None:
    with pytest.raises(ValueError, match="strictly between 0 and 1"):
        special.normal_quantile(p)
    with pytest.raises(ValueError, match="strictly between 0 and 1"):
        special.t_quantile(p, 5.0)


def test_bad_shapes_are_refused() -> None:
    with pytest.raises(ValueError, match="positive shapes"):
        special.beta_cdf(0.5, 0.0, 1.0)
    with pytest.raises(ValueError, match="degrees of freedom"):
        special.t_cdf(0.5, 0.0)
    with pytest.raises(ValueError, match="binomial"):
        special.binomial_cdf(1, 3, 1.5)


@pytest.mark.parametrize("x", [1e-9, -1e-6, 1e-4, 0.3])
def test_t_keeps_its_digits_near_the_centre(x: float) -> None:
    p = special.t_cdf(x, 40.0)
    assert p - 0.5 == pytest.approx(scipy_stats.t.cdf(x, 40.0) - 0.5, rel=1e-6)
    assert special.t_quantile(p, 40.0) == pytest.approx(x, rel=1e-6)
