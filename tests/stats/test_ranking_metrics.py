"""Ranking metrics against their definitions, and ties against every order they could be put in."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from itertools import pairwise, permutations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from assay.stats import ndcg, recall, reciprocal_rank

# Few distinct scores, so that ties are common; grades as in graded qrels.
ranked = st.lists(st.tuples(st.integers(0, 2).map(float), st.integers(0, 3).map(float)), min_size=1, max_size=6)
cuts = st.integers(1, 7)


def dcg(gains: Sequence[float], k: int) -> float:
    return sum(gain / math.log2(1 + rank) for rank, gain in enumerate(gains[:k], start=1))


def over_all_orders(pairs: Sequence[tuple[float, float]], metric: Callable[[list[float]], float]) -> float:
    """The mean of a metric over every order in which no document stands above one that scored higher."""
    orders = [
        [gain for _, gain in order]
        for order in permutations(pairs)
        if all(above[0] >= below[0] for above, below in pairwise(order))
    ]
    return sum(map(metric, orders)) / len(orders)


def test_ndcg_of_a_graded_ranking_worked_by_hand() -> None:
    # Found in the order 3, 2, 3, 0, 1, 2; a further 3 and a 2 were judged and never found.
    gains = [3.0, 2, 3, 0, 1, 2]
    by_hand = (3 + 2 / 1.5850 + 3 / 2 + 0 + 1 / 2.5850 + 2 / 2.8074) / (
        3 + 3 / 1.5850 + 3 / 2 + 2 / 2.3219 + 2 / 2.5850 + 2 / 2.8074
    )
    assert ndcg([6, 5, 4, 3, 2, 1], gains, [*gains, 3, 2], k=6) == pytest.approx(by_hand, abs=1e-4)


def test_one_relevant_document_at_each_rank() -> None:
    for rank in range(1, 13):
        gains = [float(place == rank) for place in range(1, 13)]
        scores = [float(-place) for place in range(1, 13)]
        inside = rank <= 10
        assert ndcg(scores, gains, [1.0]) == pytest.approx(inside / math.log2(1 + rank))
        assert recall(scores, gains, 1) == inside
        assert reciprocal_rank(scores, gains) == pytest.approx(inside / rank)


@given(ranked, cuts, st.lists(st.integers(1, 3).map(float), max_size=2))
def test_ties_count_as_the_mean_over_all_orders(
    pairs: list[tuple[float, float]], k: int, missed: list[float]
) -> None:
    scores, gains = zip(*pairs, strict=True)
    judged = [*gains, *missed]
    relevant = sum(gain > 0 for gain in judged)
    if not relevant:
        return
    ideal = dcg(sorted(judged, reverse=True), k)
    expected = over_all_orders(pairs, lambda order: dcg(order, k) / ideal)
    assert ndcg(scores, gains, judged, k) == pytest.approx(expected)
    expected = over_all_orders(pairs, lambda order: sum(gain > 0 for gain in order[:k]) / relevant)
    assert recall(scores, gains, relevant, k) == pytest.approx(expected)
    expected = over_all_orders(
        pairs, lambda order: next((1 / rank for rank, gain in enumerate(order[:k], start=1) if gain > 0), 0.0)
    )
    assert reciprocal_rank(scores, gains, k) == pytest.approx(expected)


@given(st.integers(2, 40), cuts)
def test_a_scorer_that_knows_nothing_gets_what_a_shuffle_gets(n: int, k: int) -> None:
    scores, gains = [0.5] * n, [1.0] + [0.0] * (n - 1)
    assert recall(scores, gains, 1, k) == pytest.approx(min(k, n) / n)
    assert ndcg(scores, gains, [1.0], k) == pytest.approx(dcg([1.0] * n, k) / n)


@given(ranked, cuts)
def test_only_the_order_of_scores_counts_and_the_best_order_is_perfect(
    pairs: list[tuple[float, float]], k: int
) -> None:
    scores, gains = zip(*pairs, strict=True)
    if not any(gains):
        return
    value = ndcg(scores, gains, gains, k)
    assert 0 <= value <= 1
    assert value == pytest.approx(ndcg([math.exp(score) for score in scores], gains, gains, k))
    assert ndcg(gains, gains, gains, k) == pytest.approx(1)
    # What is not relevant and stands below all others changes nothing.
    assert value == pytest.approx(ndcg([*scores, -1.0], [*gains, 0.0], gains, k))


def test_a_ranking_that_found_nothing_scores_zero() -> None:
    assert ndcg([], [], [1.0]) == recall([], [], 1) == reciprocal_rank([], []) == 0


@pytest.mark.parametrize(
    ("call", "says"),
    [
        (lambda: ndcg([1.0], [0.0], [0.0]), "needs a relevant document"),
        (lambda: recall([1.0], [0.0], 0), "needs a relevant document"),
        (lambda: ndcg([math.nan], [1.0], [1.0]), "finite"),
        (lambda: ndcg([1.0], [-1.0], [1.0]), "gain of -1"),
        (lambda: reciprocal_rank([1.0], [1.0], 0), "no rank"),
        (lambda: ndcg([1.0, 2.0], [1.0], [1.0]), "shorter"),
    ],
)
def test_what_is_no_ranking_is_refused(call: Callable[[], float], says: str) -> None:
    with pytest.raises(ValueError, match=says):
        call()
