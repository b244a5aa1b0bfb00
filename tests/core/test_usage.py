from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from assay.core import Budget, BudgetExceeded, UnknownName, Usage, UserError


@given(st.lists(st.tuples(st.integers(0, 1000), st.integers(0, 1000)), max_size=20))
def test_usage_adds_up(parts: list[tuple[int, int]]) -> None:
    total = sum((Usage(1, a, b) for a, b in parts), Usage())
    assert total == Usage(len(parts), sum(a for a, _ in parts), sum(b for _, b in parts))


def test_a_child_can_never_spend_more_than_its_parent_has() -> None:
    parent = Budget(tokens=100)
    child = parent.carve(tokens=80)
    sibling = parent.carve(tokens=80)
    child.spend(Usage(1, 30, 40))
    assert (child.left(), sibling.left(), parent.left()) == (10, 30, 30)
    sibling.spend(Usage(1, 30, 0))
    with pytest.raises(BudgetExceeded):
        child.check()


def test_seconds_are_a_budget_too() -> None:
    now = [0.0]
    budget = Budget(seconds=5, clock=lambda: now[0])
    budget.check()
    now[0] = 5.0
    with pytest.raises(BudgetExceeded) as caught:
        budget.check()
    assert caught.value.which == "seconds"


@pytest.mark.parametrize("amount", [0, -1, float("nan")])
def test_a_budget_of_nothing_is_refused(amount: float) -> None:
    with pytest.raises(UserError):
        Budget(tokens=amount)


def test_unknown_names_get_suggestions() -> None:
    assert "Did you mean zero-shot-cot?" in str(UnknownName("claim", "zero-shot-cto", ["zero-shot-cot", "pal"]))
    assert "Type: assay list" in str(UnknownName("claim", "qqqqq", ["pal"], hint="Type: assay list"))
