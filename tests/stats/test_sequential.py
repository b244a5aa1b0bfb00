"""The e-process: its closed form, its confidence sequence, and what it promises under peeking."""

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray
from scipy import integrate
from scipy import special as scipy_special

from assay.stats import (
    PairedSequence,
    anytime_cap,
    beta_binomial_e_value,
    connor_n,
    log_beta_binomial_e_value,
)

Array = NDArray[np.float64]
binary = st.lists(st.sampled_from([-1.0, 0.0, 1.0]), min_size=1, max_size=120)
graded = st.lists(st.floats(-1.0, 1.0), min_size=1, max_size=60)


def followed(differences: list[float] | Array, level: float = 0.95) -> PairedSequence:
    sequence = PairedSequence(level)
    for difference in differences:
        sequence.add(float(difference))
    return sequence


def binary_runs(
    rng: np.random.Generator, shape: tuple[int, int], discordance: float, effect: float = 0.0
) -> Array:
    wins, losses = (discordance + effect) / 2, (discordance - effect) / 2
    return rng.choice([1.0, -1.0, 0.0], size=shape, p=[wins, losses, 1 - discordance])


def log_e_paths(runs: Array) -> Array:
    """The closed form after every pair, for many runs at once: shape (runs, pairs)."""
    wins, losses = np.cumsum(runs == 1, axis=1), np.cumsum(runs == -1, axis=1)
    mixture = scipy_special.betaln(2 + wins, 2 + losses) - scipy_special.betaln(2, 2)
    return np.asarray(mixture + (wins + losses) * math.log(2))


def log_wealth_paths(runs: Array, mean: float) -> Array:
    """The wealth against one mean after every pair, for many runs at once, by a midpoint rule."""
    bets = (np.arange(200) - 99.5) / 100
    weights = 1 - bets**2
    stakes = bets / (1 + np.sign(bets) * mean)
    log_wealth = np.zeros((len(runs), len(bets)))
    path = np.empty_like(runs)
    for pair in range(runs.shape[1]):
        log_wealth += np.log1p(np.outer(runs[:, pair] - mean, stakes))
        path[:, pair] = scipy_special.logsumexp(log_wealth, axis=1, b=weights / weights.sum())
    return path


@given(st.integers(0, 60), st.integers(0, 60))
def test_closed_form_is_the_mixture_integral(b: int, c: int) -> None:
    def likelihood_ratio(p: float) -> float:
        return 6 * p * (1 - p) * (2 * p) ** b * (2 * (1 - p)) ** c

    expected, _ = integrate.quad(likelihood_ratio, 0, 1, epsrel=1e-10, points=[0.25, 0.5, 0.75])
    assert beta_binomial_e_value(b, c) == pytest.approx(expected, rel=1e-6)


@given(binary)
@settings(max_examples=40)
def test_betting_on_binary_scores_is_the_closed_form(differences: list[float]) -> None:
    sequence = followed(differences)
    for n, look in enumerate(sequence.looks, start=1):
        b, c = differences[:n].count(1.0), differences[:n].count(-1.0)
        assert look.log_e == pytest.approx(log_beta_binomial_e_value(b, c), abs=1e-6)


def test_betting_is_the_closed_form_after_thousands_of_pairs() -> None:
    runs = binary_runs(np.random.default_rng(0), (1, 2500), 0.6, 0.3)
    expected = log_e_paths(runs)[0]
    actual = [float(look.log_e or 0.0) for look in followed(runs[0]).looks]
    assert np.allclose(actual, expected, atol=1e-6, rtol=0)


@given(graded)
@settings(max_examples=25)
def test_the_e_value_of_graded_scores_is_the_mixture_integral(differences: list[float]) -> None:
    def wealth(bet: float) -> float:
        return float(0.75 * (1 - bet**2) * np.prod(1 + bet * np.array(differences)))

    expected, _ = integrate.quad(wealth, -1, 1, epsrel=1e-10, limit=200)
    log_e = followed(differences).looks[-1].log_e
    assert log_e == pytest.approx(math.log(expected), abs=1e-6)


@given(st.one_of(binary, graded), st.floats(-0.9, 0.9), st.sampled_from([0.8, 0.95]))
@settings(max_examples=60)
def test_zero_leaves_the_confidence_sequence_when_e_reaches_its_threshold(
    differences: list[float], shift: float, level: float
) -> None:
    shifted = np.clip(np.array(differences) + round(shift), -1, 1)
    sequence = followed(shifted, level)
    for look in sequence.looks:
        if look.inconsistent:
            break
        assert look.interval.excludes(0.0) == (look.p <= 1 - level)
        # The estimate may leave the running intersection, but not by leaving what this look allows.
        assert -1.0 <= look.interval.low <= look.interval.high <= 1.0


@given(st.one_of(binary, graded))
@settings(max_examples=30)
def test_the_interval_is_where_the_wealth_stayed_small(differences: list[float]) -> None:
    sequence = followed(differences)
    look = sequence.looks[-1]
    if look.inconsistent:
        return
    run = np.array([differences])
    inside = np.linspace(look.interval.low, look.interval.high, 7)[1:-1]
    for mean in inside[(inside > -0.99) & (inside < 0.99)]:
        assert log_wealth_paths(run, mean).max() < math.log(20) + 0.05
    for outside in (look.interval.low - 0.02, look.interval.high + 0.02):
        if -0.97 < outside < 0.97:
            assert log_wealth_paths(run, outside).max() > math.log(20) - 0.05


def test_looks_add_up() -> None:
    sequence = followed([1.0, 0.0, -1.0, 1.0])
    assert sequence.trajectory is sequence.looks
    assert [look.n for look in sequence.looks] == [1, 2, 3, 4]
    assert [look.estimate for look in sequence.looks] == [1.0, 0.5, 0.0, 0.25]
    assert sequence.looks[0].p == 1.0  # Beta(2, 2) is symmetric: one pair is no evidence


def test_p_only_falls_and_is_that_of_the_best_look() -> None:
    looks = followed([1.0] * 12 + [-1.0] * 6).looks
    assert looks[-1].p == looks[11].p == pytest.approx(1 / beta_binomial_e_value(12, 0))
    assert looks[-1].log_e is not None
    assert looks[11].log_e is not None
    assert looks[-1].log_e < looks[11].log_e


def test_identical_arms_narrow_around_zero_without_evidence() -> None:
    look = followed([0.0] * 200).looks[-1]
    assert look.log_e == pytest.approx(0.0, abs=1e-12)
    assert 0.0 in look.interval
    assert look.interval.width < 0.08


@pytest.mark.parametrize("constant", [0.0026, -0.5, 1.0, -1.0])
def test_an_interval_narrower_than_the_grid_still_holds_the_mean(constant: float) -> None:
    look = followed([constant] * 2500).looks[-1]
    assert constant == pytest.approx(look.estimate)
    assert look.interval.low - 1e-9 <= constant <= look.interval.high + 1e-9
    assert look.interval.width < 0.007


def test_drift_is_flagged_and_never_empties_the_interval() -> None:
    sequence = followed([1.0] * 100 + [-1.0] * 200)
    last = sequence.looks[-1]
    assert last.inconsistent
    assert last.interval.low <= last.interval.high
    before = [look for look in sequence.looks if not look.inconsistent][-1]
    assert last.interval == before.interval


@pytest.mark.parametrize("discordance", [0.1, 0.3, 0.6])
def test_type_one_error_with_a_look_after_every_pair(discordance: float) -> None:
    runs = binary_runs(np.random.default_rng(1), (2000, 600), discordance)
    crossed = (log_e_paths(runs).max(axis=1) >= math.log(20)).mean()
    assert 0.005 <= crossed <= 0.05


def test_type_one_error_on_skewed_graded_scores() -> None:
    rng = np.random.default_rng(2)
    two_point = np.where(rng.random((400, 600)) < 0.1, 0.9, -0.1)
    beta = rng.beta(2, 5, (400, 600)) - rng.beta(2, 5, (400, 600))
    for runs in (two_point, beta):
        crossed = (log_wealth_paths(runs[:, :300], 0.0).max(axis=1) >= math.log(20)).mean()
        assert crossed <= 0.05


def test_the_confidence_sequence_covers_at_every_look() -> None:
    rng = np.random.default_rng(3)
    missed = 0
    for run in binary_runs(rng, (80, 120), 0.4, 0.2):
        missed += any(look.interval.excludes(0.2) for look in followed(run).looks)
    assert missed <= 4


def test_coverage_against_many_means() -> None:
    rng = np.random.default_rng(4)
    runs = binary_runs(rng, (500, 200), 0.5, 0.4)
    assert (log_wealth_paths(runs, 0.4).max(axis=1) >= math.log(20)).mean() <= 0.05


@pytest.mark.parametrize(
    ("effect", "discordance", "power"), [(0.05, 0.2, 0.76), (0.1, 0.4, 0.76), (0.2, 0.4, 0.8)]
)
def test_power_at_the_cap(effect: float, discordance: float, power: float) -> None:
    """Between the columns k=1.5 and k=2 of the table measured when the design was chosen."""
    cap = anytime_cap(connor_n(effect, discordance))
    runs = binary_runs(np.random.default_rng(5), (1500, cap), discordance, effect)
    assert (log_e_paths(runs).max(axis=1) >= math.log(20)).mean() == pytest.approx(power, abs=0.05)


def test_strong_effects_stop_early() -> None:
    fixed = connor_n(0.1, 0.4)
    runs = binary_runs(np.random.default_rng(6), (1000, anytime_cap(fixed)), 0.4, 0.2)
    crossed = log_e_paths(runs) >= math.log(20)
    used = np.where(crossed.any(axis=1), crossed.argmax(axis=1) + 1, runs.shape[1])
    assert crossed.any(axis=1).mean() > 0.95
    assert used.mean() < 0.4 * fixed


def test_an_e_value_beyond_the_range_of_floats_is_infinite() -> None:
    assert beta_binomial_e_value(5000, 0) == math.inf
    assert log_beta_binomial_e_value(5000, 0) == pytest.approx(5000 * math.log(2), rel=0.01)


@pytest.mark.parametrize("difference", [1.001, -1.5, math.nan, math.inf])
def test_a_difference_out_of_range_is_refused_and_leaves_no_trace(difference: float) -> None:
    sequence = PairedSequence()
    with pytest.raises(ValueError, match=r"\[-1, 1\]"):
        sequence.add(difference)
    assert sequence.looks == []


def test_bad_input_is_refused() -> None:
    with pytest.raises(ValueError, match="level"):
        PairedSequence(level=1.0)
    with pytest.raises(ValueError, match="negative"):
        beta_binomial_e_value(-1, 2)
