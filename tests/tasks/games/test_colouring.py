"""Graph colouring: the solver held against trying every colouring, and the rules."""

from __future__ import annotations

from itertools import product
from random import Random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from assay.core import BadRequest
from assay.tasks.games.colouring import Colouring, coloured, completed

TRIANGLE = Colouring(3, ((0, 1), (0, 2), (1, 2)), 3)


@settings(max_examples=60, deadline=None)
@given(
    st.sets(st.sampled_from([(a, b) for b in range(5) for a in range(b)])), st.lists(st.integers(1, 3), max_size=5)
)
def test_the_solver_finds_a_colouring_exactly_where_there_is_one(
    edges: set[tuple[int, int]], begun: list[int]
) -> None:
    problem, state = Colouring(5, tuple(edges), 3), tuple(begun)
    there_is = any(
        all(whole[a] != whole[b] for a, b in edges)
        for whole in product(range(1, 4), repeat=5)
        if whole[: len(state)] == state
    )
    found = completed(problem, state)
    assert (found is not None) == there_is
    assert found is None or (found[: len(state)] == state and problem.answers(problem.told(found)))


def test_neighbours_differ_and_a_wrong_colour_is_a_step() -> None:
    assert TRIANGLE.moves((1,)) == ("1", "2", "3")
    assert TRIANGLE.step((1,), "1") == (1, 1)
    assert TRIANGLE.check((1, 1)) == "1 and 2 are alike."
    assert TRIANGLE.check((1, 2)) == ""
    assert [TRIANGLE.step((1,), line) for line in ("4", "red", "")] == [None] * 3
    assert TRIANGLE.step((1, 2, 3), "1") is None
    assert [TRIANGLE.answers(text) for text in ("1 2 3", "1 2 2", "1 2", "1 2 4", "")] == [True, *[False] * 4]
    assert completed(Colouring(3, TRIANGLE.edges, 2), ()) is None


def test_graphs_have_a_colouring_and_as_many_edges_as_wanted() -> None:
    graphs = [coloured(8, 15, 3, Random(seed)) for seed in range(20)]
    assert all(len(set(graph.edges)) == 15 and completed(graph, ()) for graph in graphs)
    assert len(set(graphs)) == 20
    with pytest.raises(BadRequest, match="no 29 edges"):
        coloured(8, 29, 3, Random(0))
