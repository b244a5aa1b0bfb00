"""Planning against the measured table of the design, statsmodels and its own inverse."""

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st
from statsmodels.stats.power import TTestPower

from assay.stats import anytime_cap, connor_n, detectable_effect, graded_n


@pytest.mark.parametrize(
    ("effect", "discordance", "n"),
    [(0.05, 0.2, 626), (0.05, 0.4, 1254), (0.1, 0.2, 155), (0.1, 0.4, 312), (0.2, 0.4, 77)],
)
def test_connor(effect: float, discordance: float, n: int) -> None:
    assert connor_n(effect, discordance) == n
    assert connor_n(-effect, discordance) == n


@given(st.floats(0.02, 0.5), st.floats(1.0, 2.0), st.sampled_from([0.7, 0.8, 0.9]))
def test_detectable_effect_inverts_connor(effect: float, ratio: float, power: float) -> None:
    discordance = min(1.0, effect * ratio)
    n = connor_n(effect, discordance, power)
    found = detectable_effect(n, discordance, power)
    assert found <= effect * (1 + 1e-9)
    assert connor_n(found * (1 - 1e-6), discordance, power) >= n


def test_sequential_rules_detect_what_fewer_pairs_would() -> None:
    fixed = detectable_effect(100, 0.3)
    assert detectable_effect(160, 0.3, rule="anytime") == pytest.approx(fixed)
    assert detectable_effect(103, 0.3, rule="obf5") == pytest.approx(fixed)


def test_nothing_is_detectable_with_too_few_pairs() -> None:
    assert detectable_effect(5, 0.2) == math.inf


@given(st.floats(0.05, 1.5), st.sampled_from([0.8, 0.9]))
def test_graded_is_the_t_test_power_of_statsmodels(standardised: float, power: float) -> None:
    n = graded_n(standardised * 0.2, 0.2, power)
    exact = TTestPower().solve_power(effect_size=standardised, alpha=0.05, power=power)
    assert n == pytest.approx(exact, abs=2.0)


def test_anytime_cap_rounds_up() -> None:
    assert anytime_cap(155) == 248
    assert anytime_cap(156) == 250
    assert anytime_cap(35) == 56


def test_bad_plans_are_refused() -> None:
    with pytest.raises(ValueError, match="discordance"):
        connor_n(0.3, 0.2)
    with pytest.raises(ValueError, match="discordance"):
        detectable_effect(100, 0.0)
    with pytest.raises(ValueError, match="at least one pair"):
        detectable_effect(0, 0.2)
    with pytest.raises(ValueError, match="power"):
        connor_n(0.1, 0.2, power=1.0)
    with pytest.raises(ValueError, match="positive sd"):
        graded_n(0.1, 0.0)
    with pytest.raises(ValueError, match="at least one pair"):
        anytime_cap(0)
