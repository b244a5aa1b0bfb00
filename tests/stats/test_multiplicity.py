"""Adjustments against statsmodels, and e-BH against its promise."""

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from statsmodels.stats.multitest import multipletests

from assay.stats import benjamini_hochberg, combine_e_values, e_bh, holm

p_values = st.lists(st.floats(0.0, 1.0), min_size=1, max_size=30)
e_values = st.lists(st.floats(0.0, 500.0), min_size=1, max_size=15)


@given(p_values)
@settings(max_examples=30)  # statsmodels collects garbage in every call
def test_holm_is_that_of_statsmodels(p: list[float]) -> None:
    assert holm(p) == pytest.approx(multipletests(p, method="holm")[1], abs=1e-12)


@given(p_values)
def test_benjamini_hochberg_is_that_of_statsmodels(p: list[float]) -> None:
    expected = multipletests(p, method="fdr_bh")[1]
    assert benjamini_hochberg(p) == pytest.approx(expected, abs=1e-12)


@given(e_values, st.sampled_from([0.05, 0.2]))
def test_e_bh_is_benjamini_hochberg_on_inverse_e_values(e: list[float], alpha: float) -> None:
    p = [min(1.0, 1 / value) if value else 1.0 for value in e]
    expected = [value <= alpha for value in benjamini_hochberg(p)]
    near = any(abs(value - alpha) < 1e-9 for value in benjamini_hochberg(p))
    assert near or e_bh(e, alpha) == expected


def test_e_bh_by_hand() -> None:
    assert e_bh([70.0, 1.0, 35.0], alpha=0.05) == [True, False, True]  # thresholds 60, 30, 20
    assert e_bh([59.0, 1.0, 29.0], alpha=0.05) == [False, False, False]
    assert e_bh([math.inf, 0.0]) == [True, False]


def test_e_bh_bounds_false_discoveries_of_dependent_nulls() -> None:
    rng = np.random.default_rng(0)
    shared = rng.normal(size=4000)
    e = np.exp(2 * shared - 2)  # likelihood ratio of N(2, 1): the same e-value for all ten claims
    false = [any(e_bh([value] * 10)) for value in e]
    assert np.mean(false) <= 0.05


def test_combined_evidence_is_the_average() -> None:
    assert combine_e_values([1.0, 3.0, 8.0]) == pytest.approx(4.0)
    assert combine_e_values([math.inf, 0.0]) == math.inf


def test_bad_input_is_refused() -> None:
    with pytest.raises(ValueError, match="between 0 and 1"):
        holm([0.2, 1.2])
    with pytest.raises(ValueError, match="non-empty"):
        benjamini_hochberg([])
    with pytest.raises(ValueError, match="at least 0"):
        e_bh([1.0, math.nan])
    with pytest.raises(ValueError, match="at least 0"):
        combine_e_values([-1.0])
    with pytest.raises(ValueError, match="alpha"):
        e_bh([1.0], alpha=0.0)
