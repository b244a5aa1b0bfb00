"""The judge in both orders, with replies sent by hand."""

from __future__ import annotations

import pytest

from assay.core import Finish, Reply
from assay.techniques.prompting import pairwise_judge

from .by_hand import by_hand


def judged(one: str, two: str) -> object:
    answer, _ = by_hand(pairwise_judge("What is 2 + 2?", "4", "5"), [(Reply(one),), (Reply(two),)])
    return answer


def test_both_orders_go_out_together_with_the_answers_exchanged() -> None:
    flow = pairwise_judge("What is 2 + 2?", "four", "five")
    first, second = next(flow)
    assert first.prompt.index("four") < first.prompt.index("five")
    assert second.prompt.index("five") < second.prompt.index("four")
    assert first.prompt.replace("four", "x").replace("five", "four").replace("x", "five") == second.prompt


@pytest.mark.parametrize(
    ("one", "two", "value", "scores"),
    [
        (" A.", " B.", "first", {"shown first": 1.0, "shown second": 1.0}),
        (" B", " A", "second", {"shown first": 0.0, "shown second": 0.0}),
        (" a tie", " tie.", "tie", {"shown first": 0.5, "shown second": 0.5}),
        # A judge that always takes what it reads first has no verdict, and no tie either.
        (" A", " A", None, {"shown first": 1.0, "shown second": 0.0}),
        (" hard to say", " B", None, {"shown second": 1.0}),
    ],
)
def test_a_verdict_counts_where_both_orders_agree(
    one: str, two: str, value: str | None, scores: dict[str, float]
) -> None:
    answer = judged(one, two)
    assert answer.value == value  # type: ignore[attr-defined]
    assert answer.measures == scores  # type: ignore[attr-defined]
    assert bool(answer.detail) == (value is None)  # type: ignore[attr-defined]


def test_a_refusal_is_its_own_ending() -> None:
    flow = pairwise_judge("q", "a", "b")
    answer, _ = by_hand(flow, [(Reply(" A", Finish.REFUSED),), (Reply(" B"),)])
    assert answer.finish is Finish.REFUSED
    assert answer.value is None
