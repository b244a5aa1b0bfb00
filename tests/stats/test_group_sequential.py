"""O'Brien-Fleming: published constants, an independent simulation, and the design in use."""

import numpy as np
import pytest

from assay.stats import GroupSequence, obrien_fleming_bounds, obrien_fleming_looks
from assay.stats.group_sequential import obrien_fleming_error


@pytest.mark.parametrize(
    ("looks", "constant"),
    [(1, 1.960), (2, 1.977), (3, 2.004), (4, 2.024), (5, 2.040), (10, 2.087)],
)
def test_constants_of_jennison_and_turnbull(looks: int, constant: float) -> None:
    """Table 2.3 of Jennison and Turnbull (2000), two-sided error 0.05."""
    assert obrien_fleming_bounds(looks)[-1] == pytest.approx(constant, abs=6e-4)


def test_the_five_bounds() -> None:
    expected = [4.562, 3.226, 2.634, 2.281, 2.040]
    assert obrien_fleming_bounds() == pytest.approx(expected, abs=6e-4)


@pytest.mark.parametrize(("looks", "alpha"), [(3, 0.05), (5, 0.05), (5, 0.2)])
def test_bounds_hold_their_error_on_a_simulated_random_walk(looks: int, alpha: float) -> None:
    steps = np.random.default_rng(0).normal(size=(200_000, looks))
    z = np.cumsum(steps, axis=1) / np.sqrt(np.arange(1, looks + 1))
    crossed = (np.abs(z) >= obrien_fleming_bounds(looks, alpha)).any(axis=1).mean()
    assert crossed == pytest.approx(alpha, abs=4 * np.sqrt(alpha * (1 - alpha) / 200_000))


def test_error_falls_from_one_to_almost_nothing() -> None:
    errors = [obrien_fleming_error(constant, 5) for constant in (0.0, 1.0, 2.0, 4.0, 8.0, 80.0)]
    assert errors[0] == 1.0
    assert errors == sorted(errors, reverse=True)
    assert 0.0 < errors[-1] < 1e-13


def test_looks_are_spread_evenly_and_end_at_n() -> None:
    assert obrien_fleming_looks(100) == [20, 40, 60, 80, 100]
    assert obrien_fleming_looks(33) == [7, 14, 20, 27, 33]
    assert obrien_fleming_looks(5) == [1, 2, 3, 4, 5]


def rejected(n: int, draw: np.ndarray) -> bool:
    sequence = GroupSequence(n)
    for difference in draw:
        look = sequence.add(float(difference))
        if look is not None and look.interval.excludes(0.0):
            return True
    return False


def binary_runs(runs: int, n: int, discordance: float, effect: float) -> np.ndarray:
    shares = [(discordance + effect) / 2, (discordance - effect) / 2, 1 - discordance]
    return np.random.default_rng(1).choice([1.0, -1.0, 0.0], size=(runs, n), p=shares)


@pytest.mark.parametrize(("n", "discordance"), [(100, 0.3), (300, 0.1)])
def test_type_one_error(n: int, discordance: float) -> None:
    rate = np.mean([rejected(n, run) for run in binary_runs(400, n, discordance, 0.0)])
    assert 0.015 <= rate <= 0.075


def test_type_one_error_on_skewed_graded_scores() -> None:
    runs = np.where(np.random.default_rng(2).random((250, 200)) < 0.1, 0.9, -0.1)
    assert np.mean([rejected(200, run) for run in runs]) <= 0.08


def test_power_at_the_planned_effect() -> None:
    rate = np.mean([rejected(321, run) for run in binary_runs(250, 321, 0.4, 0.1)])
    assert rate == pytest.approx(0.8, abs=0.08)


def test_it_looks_only_when_planned_and_p_agrees_with_the_interval() -> None:
    sequence = GroupSequence(50, looks=5)
    answers = [sequence.add(difference) for difference in binary_runs(1, 50, 0.5, 0.4)[0]]
    assert [n for n, look in enumerate(answers, start=1) if look] == [10, 20, 30, 40, 50]
    assert [look.n for look in sequence.looks] == [10, 20, 30, 40, 50]
    for look in sequence.looks:
        assert look.log_e is None
        assert look.interval.excludes(0.0) == (look.p <= 0.05)
    assert {look.p <= 0.05 for look in sequence.looks} == {True, False}


def test_identical_arms_do_not_collapse_the_interval() -> None:
    sequence = GroupSequence(50)
    for _ in range(50):
        sequence.add(0.0)
    assert all(look.interval.width > 0.1 and look.p == 1.0 for look in sequence.looks)


def test_bad_input_is_refused() -> None:
    with pytest.raises(ValueError, match="cannot be spread"):
        GroupSequence(4)
    with pytest.raises(ValueError, match="at least one look"):
        obrien_fleming_error(2.0, 0)
    with pytest.raises(ValueError, match="alpha"):
        obrien_fleming_bounds(5, alpha=0.0)
    sequence = GroupSequence(5)
    for _ in range(5):
        sequence.add(0.0)
    with pytest.raises(ValueError, match="ends at 5 pairs"):
        sequence.add(0.0)
    with pytest.raises(ValueError, match=r"\[-1, 1\]"):
        GroupSequence(5).add(float("nan"))
