"""Bradley-Terry against scipy and statsmodels, its intervals against simulation, and what must not change it."""

from __future__ import annotations

import itertools

import numpy as np
import pytest
import statsmodels.api as sm
from hypothesis import given
from hypothesis import strategies as st
from scipy.optimize import minimize

from assay.stats.ranking import (
    SCALE,
    Battles,
    Resampling,
    bootstrap_strengths,
    fit_bradley_terry,
    fit_sparse,
    leaderboard,
    position_bias,
)

from .simulated import drawn

TRUE = np.array([0.9, 0.4, 0.0, -0.3, -1.0])
outcomes = st.lists(
    st.tuples(st.integers(0, 4), st.integers(1, 4), st.sampled_from([0.0, 0.5, 1.0])), min_size=1, max_size=60
)


def battles_of(rows: list[tuple[int, int, float]]) -> Battles:
    a = np.array([i for i, _, _ in rows], np.int32)
    b = np.array([(i + step) % 5 for i, step, _ in rows], np.int32)
    return Battles(tuple("abcde"), a, b, np.array([score for _, _, score in rows]))


def design(battles: Battles) -> np.ndarray:
    """+1 at a, -1 at b; the last model is left out, which fixes it at 0."""
    rows = np.zeros((len(battles), len(battles.models)))
    rows[np.arange(len(battles)), battles.a] += 1
    rows[np.arange(len(battles)), battles.b] -= 1
    return rows


def board(battles: Battles, **options: object) -> object:
    return leaderboard(battles, Resampling(np.random.default_rng(0)), **options)  # type: ignore[arg-type]


def test_two_models_have_the_odds_of_their_wins() -> None:
    fit = fit_bradley_terry(Battles.named(["x"] * 4, ["y"] * 4, [1, 1, 1, 0]).counted())
    # Three wins to one: log-odds log 3, half of it on each side of 0.
    assert fit.values == pytest.approx([np.log(3) / 2, -np.log(3) / 2], abs=1e-9)
    # Of log-odds from 4 votes at 3/4 the variance is 1 / (4 x 3/16); the strength is half of them.
    assert fit.standard_errors == pytest.approx([np.sqrt(4 / 3) / 2] * 2, abs=1e-9)


def test_strengths_are_those_of_a_logistic_regression_with_its_sandwich() -> None:
    battles = drawn(TRUE, 3000, 1, tied=0.2)
    fit = fit_bradley_terry(battles.counted())
    rows = design(battles)
    peer = sm.GLM(battles.score, rows[:, :-1], family=sm.families.Binomial()).fit(cov_type="HC0")
    theirs = np.append(peer.params, 0.0)
    assert fit.values == pytest.approx(theirs - theirs.mean(), abs=1e-8)
    # Strengths against their mean are a linear map of those against the last model.
    into = np.vstack([np.eye(4), np.zeros(4)]) - np.full((5, 4), 1 / 5)
    assert fit.standard_errors == pytest.approx(np.sqrt(np.diagonal(into @ peer.cov_params() @ into.T)), rel=1e-6)


def test_strengths_are_those_of_a_general_optimiser() -> None:
    battles = drawn(TRUE, 400, 2, tied=0.1)
    rows = design(battles)

    def loss(point: np.ndarray) -> float:
        gap = rows @ point
        return float(np.sum(np.logaddexp(0, gap) - battles.score * gap) + point.sum() ** 2)

    peer = minimize(loss, np.zeros(5), method="BFGS", options={"gtol": 1e-7}).x
    assert fit_bradley_terry(battles.counted()).values == pytest.approx(peer, abs=1e-5)


def test_intervals_cover_the_truth_and_the_bootstrap_agrees() -> None:
    covered, rounds = 0, 200
    for seed in range(rounds):
        found = board(drawn(TRUE, 300, seed))
        true = 1000 + SCALE * TRUE
        true += 1000 - true.mean()
        covered += int(((found.low <= true) & (true <= found.high)).sum())  # type: ignore[attr-defined]
    # 1,000 intervals that are not independent: four standard errors of 200 would be 6 points.
    assert 0.92 < covered / (5 * rounds) < 0.98
    counts = drawn(TRUE, 2000, 0, tied=0.1).counted()
    fit = fit_bradley_terry(counts)
    resampled = bootstrap_strengths(counts, fit, 2000, np.random.default_rng(0))
    assert resampled.std(axis=0) == pytest.approx(fit.standard_errors, rel=0.08)
    assert np.abs(resampled.sum(axis=1)).max() < 1e-9


def test_a_resampled_table_is_refitted_to_its_own_maximum(monkeypatch: pytest.MonkeyPatch) -> None:
    """Every row of the bootstrap equals the fit of its own table, also where the quick steps give up."""
    counts = drawn(TRUE, 60, 3, tied=0.2).counted()
    fit = fit_bradley_terry(counts)
    seen = []

    class Noted:
        def __init__(self) -> None:
            self.rng = np.random.default_rng(5)

        def poisson(self, *args: object) -> np.ndarray:
            seen.append(self.rng.poisson(*args))
            return seen[-1]

    rows = bootstrap_strengths(counts, fit, 40, Noted())  # type: ignore[arg-type]
    wins, ties, losses = seen
    for column in range(40):
        kept = (wins + ties + losses)[:, column] > 0
        cells = (cell[kept, column].astype(float) for cell in (wins, ties, losses))
        alone = fit_bradley_terry(type(counts)(counts.models, counts.first[kept], counts.second[kept], *cells))
        if alone.connection.components == 1 and not alone.connection.unbounded.any():
            assert rows[column] == pytest.approx(alone.values, abs=1e-6)


@given(outcomes, st.randoms(use_true_random=False))
def test_neither_order_nor_names_nor_sides_matter(rows: list[tuple[int, int, float]], random: object) -> None:
    battles = battles_of(rows)
    fit = fit_bradley_terry(battles.counted())
    shuffled = list(range(len(rows)))
    random.shuffle(shuffled)  # type: ignore[attr-defined]
    assert fit_bradley_terry(battles.take(shuffled).counted()).values == pytest.approx(fit.values, abs=1e-7)
    turned = Battles(battles.models, battles.b, battles.a, 1 - battles.score)
    assert fit_bradley_terry(turned.counted()).values == pytest.approx(fit.values, abs=1e-7)
    names = np.array([3, 0, 4, 1, 2], np.int32)
    renamed = fit_bradley_terry(
        Battles(battles.models, names[battles.a], names[battles.b], battles.score).counted()
    )
    assert renamed.values[names] == pytest.approx(fit.values, abs=1e-7)


@given(outcomes)
def test_every_vote_twice_halves_the_variance(rows: list[tuple[int, int, float]]) -> None:
    once, twice = (fit_bradley_terry(battles_of(rows * times).counted()) for times in (1, 2))
    held = ~once.connection.unbounded.any()
    if held:
        assert twice.values == pytest.approx(once.values, abs=1e-7)
        assert twice.standard_errors * np.sqrt(2) == pytest.approx(once.standard_errors, abs=1e-7)


@given(outcomes)
def test_the_sparse_path_finds_the_same(rows: list[tuple[int, int, float]]) -> None:
    counts = battles_of(rows).counted()
    dense, sparse = fit_bradley_terry(counts), fit_sparse(counts, np.random.default_rng(0), draws=2)
    assert sparse.values == pytest.approx(dense.values, abs=1e-6)


def test_errors_of_the_sparse_path_are_drawn_to_five_per_cent() -> None:
    counts = drawn(np.random.default_rng(0).normal(size=40), 8000, 4).counted()
    dense, sparse = fit_bradley_terry(counts), fit_sparse(counts, np.random.default_rng(0))
    off = sparse.standard_errors / dense.standard_errors - 1
    assert np.sqrt(np.mean(off**2)) < 0.07


def test_appended_battles_are_fitted_from_where_the_last_fit_stood() -> None:
    early, late = drawn(TRUE, 2000, 5), drawn(TRUE, 10, 6)
    before = board(early)
    counts = early.counted().plus(late.counted())
    whole = Battles(
        early.models,
        np.concatenate([early.a, late.a]),
        np.concatenate([early.b, late.b]),
        np.concatenate([early.score, late.score]),
    )
    cold, warm = board(whole), board(counts, start=before)  # type: ignore[arg-type]
    assert warm.ratings == pytest.approx(cold.ratings, abs=1e-6)  # type: ignore[attr-defined]
    assert warm.strengths.steps < cold.strengths.steps  # type: ignore[attr-defined]


def test_who_always_wins_has_no_upper_end_and_moves_nobody_else() -> None:
    battles = drawn(TRUE, 500, 7)
    alone = board(battles)
    names = (*battles.models, "winner")
    more = Battles(
        names,
        np.append(battles.a, [5, 5, 0]).astype(np.int32),
        np.append(battles.b, [0, 1, 5]).astype(np.int32),
        np.append(battles.score, [1.0, 1.0, 0.0]),
    )
    found = board(more)
    assert found.unbounded.tolist() == [False] * 5 + [True]  # type: ignore[attr-defined]
    assert found.high[5] == np.inf  # type: ignore[attr-defined]
    assert np.isfinite(found.low[5])  # type: ignore[attr-defined]
    assert found.ranks[5] == 1  # type: ignore[attr-defined]
    assert "winner" in found.notes[0]  # type: ignore[attr-defined]
    gaps = [np.diff(one.ratings[:5]) for one in (alone, found)]  # type: ignore[attr-defined]
    # The lent half ties are the only thing that pulls at the others: three of them against 500 votes.
    assert gaps[1] == pytest.approx(gaps[0], abs=10)


def test_groups_that_never_met_are_ranked_apart() -> None:
    battles = Battles.named([*"aaab", *"xxy"], [*"bbba", *"yyx"], [1, 1, 0.5, 1, 1, 0, 1])
    found = board(battles)
    assert found.component.tolist() == [0, 0, 1, 1]  # type: ignore[attr-defined]
    for number in (0, 1):
        assert found.ratings[found.component == number].mean() == pytest.approx(1000)  # type: ignore[attr-defined]
    assert "2 groups" in found.notes[0]  # type: ignore[attr-defined]


def test_one_battle_leaves_both_ratings_open() -> None:
    found = board(Battles.named(["a"], ["b"], [1.0]))
    assert found.unbounded.all()  # type: ignore[attr-defined]
    assert found.ratings[0] > found.ratings[1]  # type: ignore[attr-defined]
    assert found.ranks.tolist() == [1, 1]  # type: ignore[attr-defined]


def test_a_model_without_a_vote_has_no_interval_and_touches_nobody() -> None:
    battles = drawn(TRUE, 300, 11)
    found = board(Battles((*battles.models, "new"), battles.a, battles.b, battles.score))
    assert found.ratings[:5] == pytest.approx(board(battles).ratings, abs=1e-6)  # type: ignore[attr-defined]
    assert (found.low[5], found.high[5], found.votes[5]) == (-np.inf, np.inf, 0)  # type: ignore[attr-defined]
    assert [note for note in found.notes if "new" in note] == []  # type: ignore[attr-defined]


def test_all_tied_models_are_equal() -> None:
    found = board(Battles.named([*"ab"], [*"bc"], [0.5, 0.5]))
    assert found.ratings == pytest.approx([1000] * 3)  # type: ignore[attr-defined]
    assert found.ranks.tolist() == [1, 1, 1]  # type: ignore[attr-defined]
    assert "is no certainty" in found.notes[0]  # type: ignore[attr-defined]


def test_a_start_far_away_is_come_back_from() -> None:
    counts = drawn(TRUE, 500, 10).counted()
    far = fit_bradley_terry(counts, np.array([6.0, -6.0, 5.0, -5.0, 0.0]))
    assert far.converged
    assert far.values == pytest.approx(fit_bradley_terry(counts).values, abs=1e-8)


@pytest.mark.parametrize(
    ("a", "b", "score", "said"),
    [
        (["a"], ["a"], [1.0], "meets itself"),
        (["a"], ["b"], [float("nan")], "not 1, 0.5 or 0"),
        (["a"], ["b"], [0.7], "0.7"),
        ([], [], [], "no battle"),
        (["a"], ["b", "c"], [1.0], "one length"),
    ],
)
def test_what_is_no_battle_is_refused(a: list[str], b: list[str], score: list[float], said: str) -> None:
    with pytest.raises(ValueError, match=said):
        Battles.named(a, b, score)


def test_ranks_count_who_lies_wholly_above() -> None:
    found = board(drawn(np.array([2.0, 2.0, 0.0, 0.0, -2.0]), 4000, 8))
    assert found.ranks.tolist() == [1, 1, 3, 3, 5]  # type: ignore[attr-defined]
    slow = [
        1 + sum(found.low[j] > found.high[i] for j in range(5))  # type: ignore[attr-defined]
        for i in range(5)
    ]
    assert slow == found.ranks.tolist()  # type: ignore[attr-defined]


def test_counting_by_table_and_by_sorting_agree(monkeypatch: pytest.MonkeyPatch) -> None:
    battles = drawn(TRUE, 500, 9, tied=0.3)
    counted = battles.counted()
    monkeypatch.setattr("assay.stats.ranking.battles.MOST_BINS", 1)
    again = battles.counted()
    for pair in itertools.starmap(
        lambda one, name: (getattr(one, name), getattr(again, name)),
        [(counted, name) for name in ("first", "second", "wins", "ties", "losses")],
    ):
        assert np.array_equal(*pair)
    assert counted.battles.sum() == 500
    assert counted.votes().sum() == 1000


def test_position_bias_is_the_share_of_side_a_beyond_half() -> None:
    found = position_bias(60, 20)
    assert found is not None
    assert 0.25 in found
    assert found.low > 0.1
    assert position_bias(0, 0) is None
