"""Ties as an outcome of their own, and style taken out: against general optimisers and against planted effects."""

from __future__ import annotations

import numpy as np
import pytest
import statsmodels.api as sm
from scipy.optimize import minimize

from assay.stats.ranking import (
    Battles,
    Resampling,
    fit_bradley_terry,
    fit_davidson,
    fit_style,
    kendall_tau,
    leaderboard,
    online_elo,
    style_features,
)

from .simulated import drawn

TRUE = np.array([0.8, 0.3, -0.2, -0.9])


def davidson_battles(nu: float, count: int, seed: int) -> Battles:
    """Battles whose ties come from Davidson's model."""
    rng = np.random.default_rng(seed)
    a = rng.integers(0, 4, count)
    b = (a + rng.integers(1, 4, count)) % 4
    weights = np.stack(
        [np.exp((TRUE[a] - TRUE[b]) / 2), np.full(count, nu), np.exp((TRUE[b] - TRUE[a]) / 2)], axis=1
    )
    below = np.cumsum(weights / weights.sum(axis=1, keepdims=True), axis=1)
    which = (rng.random(count)[:, None] > below).sum(axis=1)
    return Battles(tuple("abcd"), a.astype(np.int32), b.astype(np.int32), np.array([1.0, 0.5, 0.0])[which])


def test_davidson_is_the_maximum_a_general_optimiser_finds() -> None:
    battles = davidson_battles(0.7, 500, 1)

    def loss(point: np.ndarray) -> float:
        half = (point[battles.a] - point[battles.b]) / 2
        divisor = np.log(np.exp(half) + np.exp(-half) + np.exp(point[4]))
        own = np.where(battles.score == 1, half, np.where(battles.score == 0, -half, point[4]))
        return float((divisor - own).sum() + point[:4].sum() ** 2)

    peer = minimize(loss, np.zeros(5), method="BFGS", options={"gtol": 1e-7}).x
    fit = fit_davidson(battles.counted())
    assert fit.values == pytest.approx(peer[:4], abs=1e-5)
    assert np.log(fit.tie_weight) == pytest.approx(peer[4], abs=1e-5)


def test_davidson_finds_what_was_planted_where_half_wins_shrink_it() -> None:
    counts = davidson_battles(1.5, 40_000, 2).counted()
    fit = fit_davidson(counts)
    assert fit.tie_weight == pytest.approx(1.5, rel=0.05)
    assert np.abs(fit.values - TRUE).max() < 4 * fit.standard_errors.max()
    assert np.ptp(fit_bradley_terry(counts).values) < 0.9 * np.ptp(TRUE)


def test_errors_of_davidson_are_the_spread_over_repeated_tables() -> None:
    fits = [fit_davidson(davidson_battles(0.8, 400, seed).counted()) for seed in range(200)]
    spread = np.std([fit.values for fit in fits], axis=0)
    assert np.mean([fit.standard_errors for fit in fits], axis=0) == pytest.approx(spread, rel=0.2)


def test_errors_of_davidson_are_a_sandwich_of_numerical_derivatives() -> None:
    battles = davidson_battles(0.7, 400, 4)
    fit = fit_davidson(battles.counted())

    def losses(point: np.ndarray) -> np.ndarray:
        half = (point[battles.a] - point[battles.b]) / 2
        divisor = np.log(np.exp(half) + np.exp(-half) + np.exp(point[4]))
        return divisor - np.where(battles.score == 1, half, np.where(battles.score == 0, -half, point[4]))

    def scores(point: np.ndarray) -> np.ndarray:
        steps = 1e-5 * np.eye(5)
        return np.stack([(losses(point + step) - losses(point - step)) / 2e-5 for step in steps], axis=1)

    point, steps = np.append(fit.values, np.log(fit.tie_weight)), 1e-4 * np.eye(5)
    curvature = np.stack([(scores(point + h) - scores(point - h)).sum(axis=0) / 2e-4 for h in steps], axis=1)
    curvature[:4, :4] += 1 / 4
    inverse = np.linalg.inv(curvature)
    covariance = inverse @ scores(point).T @ scores(point) @ inverse
    assert fit.standard_errors == pytest.approx(np.sqrt(np.diagonal(covariance)[:4]), rel=1e-4)


def test_davidson_without_ties_is_bradley_terry_and_with_ties_alone_says_so() -> None:
    counts = drawn(TRUE, 300, 3).counted()
    assert np.array_equal(fit_davidson(counts).values, fit_bradley_terry(counts).values)
    with pytest.raises(ValueError, match="every battle was a tie"):
        fit_davidson(Battles.named(["a"], ["b"], [0.5]).counted())


def test_a_feature_is_the_share_of_the_difference_and_changes_sign_with_the_sides() -> None:
    a, b = np.array([300.0, 0, 0, 50]), np.array([100.0, 0, 10, 50])
    feature = style_features(a, b)
    # (300 - 100) / 400 = 1/2; nothing on both sides is no difference; nothing against something is -1.
    assert feature / feature[0] == pytest.approx([1, 0, -2, 0])
    assert np.mean(feature**2) == pytest.approx(1)
    assert np.array_equal(style_features(b, a), -feature)
    with pytest.raises(ValueError, match="0 or more"):
        style_features(np.array([-1.0]), np.array([1.0]))


def wordy(seed: int, count: int, worth: float) -> tuple[Battles, dict[str, tuple[np.ndarray, np.ndarray]]]:
    """Votes for quality and for length, where the weaker of four models write more."""
    rng = np.random.default_rng(seed)
    a = rng.integers(0, 4, count)
    b = (a + rng.integers(1, 4, count)) % 4
    typical = 200 * np.exp(-0.8 * TRUE)
    lengths = [typical[side] * np.exp(rng.normal(0, 0.5, count)) for side in (a, b)]
    gap = TRUE[a] - TRUE[b] + worth * (lengths[0] - lengths[1]) / (lengths[0] + lengths[1])
    score = (rng.random(count) < 1 / (1 + np.exp(-gap))).astype(float)
    battles = Battles(tuple("abcd"), a.astype(np.int32), b.astype(np.int32), score)
    return battles, {"length": (lengths[0], lengths[1])}


def test_style_control_is_a_logistic_regression_with_its_sandwich() -> None:
    battles, style = wordy(1, 2000, 2.0)
    rows = np.zeros((2000, 5))
    rows[np.arange(2000), battles.a] += 1
    rows[np.arange(2000), battles.b] -= 1
    rows[:, 4] = style_features(*style["length"])
    peer = sm.GLM(battles.score, rows[:, [0, 1, 2, 4]], family=sm.families.Binomial()).fit(cov_type="HC0")
    fit = fit_style(battles, style)
    theirs = np.append(peer.params[:3], 0.0)
    assert fit.strengths.values == pytest.approx(theirs - theirs.mean(), abs=1e-8)
    assert fit.coefficients["length"] == pytest.approx((peer.params[3], peer.bse[3]), rel=1e-6)


def test_style_control_recovers_what_length_had_covered() -> None:
    battles, style = wordy(2, 60_000, 4.0)
    plain = fit_bradley_terry(battles.counted())
    fit = fit_style(battles, style)
    assert kendall_tau(plain.values, TRUE) < 1
    assert kendall_tau(fit.strengths.values, TRUE) == 1
    assert np.abs(fit.strengths.values - TRUE).max() < 4 * fit.strengths.standard_errors.max()


def test_who_always_wins_is_open_under_style_and_under_davidson_too() -> None:
    battles, style = wordy(5, 400, 1.0)
    more = Battles(
        (*battles.models, "winner"),
        np.append(battles.a, [4, 4]).astype(np.int32),
        np.append(battles.b, [0, 1]).astype(np.int32),
        np.append(battles.score, [1.0, 1.0]),
    )
    lengths = tuple(np.append(side, [150.0, 250.0]) for side in style["length"])
    for fit in (
        fit_style(more, {"length": (lengths[0], lengths[1][::-1])}).strengths,
        fit_davidson(more.counted()),
    ):
        assert fit.converged
        assert fit.connection.no_ceiling.tolist() == [False] * 4 + [True]
        assert np.isfinite(fit.values).all()


def test_style_that_does_not_differ_or_cannot_be_told_from_strength_is_said() -> None:
    battles, style = wordy(3, 300, 1.0)
    same = np.full(300, 7.0)
    found = leaderboard(battles, Resampling(np.random.default_rng(0)), style={**style, "bold": (same, same)})
    assert any("bold" in note for note in found.notes)
    assert set(found.style) == {"length"}
    two = Battles.named(["a"] * 9, ["b"] * 9, [1, 0, 1] * 3)
    with pytest.raises(ValueError, match="cannot be told apart"):
        fit_style(two, {"length": (np.full(9, 200.0), np.full(9, 100.0))})


def test_an_elo_worked_by_hand_and_its_memory_of_the_order() -> None:
    battles = Battles.named(["a", "a"], ["b", "b"], [1, 0])
    ratings = online_elo(battles, k=32, orders=np.array([[0, 1], [1, 0]]))
    # 1000 against 1000: 16 points for the first win. Then 1016 against 984 is expected to win .546 of the time.
    expected = 1 / (1 + 10 ** (-32 / 400))
    assert ratings[0] == pytest.approx([1016 - 32 * expected, 984 + 32 * expected])
    assert ratings[0][0] == pytest.approx(2000 - ratings[1][0])
    assert ratings[0][0] != pytest.approx(ratings[1][0], abs=0.1)
    assert ratings.sum(axis=1) == pytest.approx([2000, 2000])


def test_tau_of_orders_known_by_hand() -> None:
    assert kendall_tau(np.array([1.0, 2, 3]), np.array([10.0, 20, 30])) == 1
    assert kendall_tau(np.array([1.0, 2, 3]), np.array([3.0, 2, 1])) == -1
    assert kendall_tau(np.array([1.0, 2, 3]), np.array([1.0, 3, 2])) == pytest.approx(1 / 3)
    with pytest.raises(ValueError, match="everything is tied"):
        kendall_tau(np.array([1.0, 1]), np.array([1.0, 2]))
