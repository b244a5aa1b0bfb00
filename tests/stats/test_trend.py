"""Page's trend test, two one-sided tests and Student's test, against scipy."""

from __future__ import annotations

import numpy as np
import pytest
import scipy.stats
from hypothesis import given, settings
from hypothesis import strategies as st

from assay.stats import detectable_by_t, page_trend, t_test, tost

numbers = st.floats(-100, 100, allow_nan=False).map(lambda x: round(x, 3))


@settings(deadline=None, max_examples=60)
@given(st.integers(0, 10**6), st.integers(1, 6), st.integers(3, 6), st.floats(-1, 1))
def test_page_agrees_with_scipy(seed: int, seeds: int, doses: int, steep: float) -> None:
    curves = np.random.default_rng(seed).normal(size=(seeds, doses)) + steep * np.arange(doses)
    found = page_trend(curves)
    if seeds > 1:
        known = scipy.stats.page_trend_test(curves, method="exact")
        assert found.statistic == pytest.approx(known.statistic)
        assert found.p_value == pytest.approx(known.pvalue, abs=1e-9)
    assert page_trend(-curves, -1) == found


def test_page_with_ties_and_many_doses_is_scipys_approximation() -> None:
    curves = np.random.default_rng(1).normal(size=(12, 9)).round(1) + 0.1 * np.arange(9)
    known = scipy.stats.page_trend_test(curves, method="asymptotic")
    assert page_trend(curves).p_value == pytest.approx(known.pvalue, rel=1e-6)


def test_a_perfect_trend_is_as_rare_as_counting_says() -> None:
    assert page_trend([[1, 2, 3]]).p_value == pytest.approx(1 / 6)
    assert page_trend([[1, 2, 3], [4, 5, 6]]).p_value == pytest.approx(1 / 36)
    assert page_trend([[3, 2, 1]]).p_value == pytest.approx(1.0)


@settings(deadline=None, max_examples=80)
@given(st.lists(numbers, min_size=2, max_size=12), st.floats(0.01, 50))
def test_tost_and_t_agree_with_scipy(sample: list[float], margin: float) -> None:
    if np.std(sample) == 0:
        assert tost(sample, margin) in (0.0, 1.0)
        assert t_test(sample) == (1.0 if sample[0] == 0 else 0.0)
        return
    above = scipy.stats.ttest_1samp(sample, -margin, alternative="greater").pvalue
    below = scipy.stats.ttest_1samp(sample, margin, alternative="less").pvalue
    assert tost(sample, margin) == pytest.approx(max(above, below), abs=1e-7)
    assert t_test(sample) == pytest.approx(scipy.stats.ttest_1samp(sample, 0).pvalue, abs=1e-7)


@pytest.mark.parametrize(
    ("call", "match"),
    [
        (lambda: page_trend([[1, 2]]), "three doses"),
        (lambda: page_trend([[1, 2, float("nan")]]), "finite"),
        (lambda: tost([1.0], 0.1), "two differences"),
        (lambda: tost([1.0, 2.0], 0.0), "margin"),
        (lambda: t_test([1.0]), "two differences"),
    ],
)
def test_what_cannot_be_tested_is_said(call: object, match: str) -> None:
    with pytest.raises(ValueError, match=match):
        call()  # type: ignore[operator]


def test_what_few_seeds_detect_is_about_right() -> None:
    """With the difference it names, four of five tests find it."""
    effect = detectable_by_t(5, 1.0)
    drawn = np.random.default_rng(0).normal(effect, 1.0, size=(4000, 5))
    found = np.mean([t_test(sample) < 0.05 for sample in drawn])
    assert 0.74 < found < 0.88
    assert detectable_by_t(1, 1.0) == float("inf")
