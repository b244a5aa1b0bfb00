"""Flows run without a model: replies are sent by hand."""

from __future__ import annotations

from typing import Any

import pytest

from assay.core import Ask, BudgetExceeded, Flow, Reply, ask, rewrite, together


def by_hand(flow: Flow[Any], replies: list[list[Any]]) -> tuple[Any, list[Any]]:
    """What the flow returned and what it asked, given these replies step by step."""
    asked = [next(flow)]
    try:
        for step in replies:
            asked.append(flow.send(step))
    except StopIteration as stop:
        return stop.value, asked
    raise AssertionError("the flow wants more replies")


def twice(word: str) -> Flow[str]:
    (first,) = yield from ask(Ask(f"{word} 1"))
    (second,) = yield from ask(Ask(f"{word} 2"))
    return first.text + second.text


def once(word: str) -> Flow[str]:
    (reply,) = yield from ask(Ask(word))
    return reply.text


def test_together_shares_steps_and_keeps_order() -> None:
    flow = together([twice("a"), once("b"), twice("c")])
    texts = [[(Reply("A"),), (Reply("B"),), (Reply("C"),)], [(Reply("aa"),), (Reply("cc"),)]]
    result, asked = by_hand(flow, texts)
    assert result == ["Aaa", "B", "Ccc"]
    assert [[q.prompt for q in step] for step in asked] == [["a 1", "b", "c 1"], ["a 2", "c 2"]]


def test_together_of_nothing_asks_nothing() -> None:
    with pytest.raises(StopIteration) as stop:
        next(together([]))
    assert stop.value.value == []


def test_rewrite_changes_requests_and_passes_errors_inside() -> None:
    def patient() -> Flow[str]:
        try:
            yield from ask(Ask("long", max_tokens=100))
        except BudgetExceeded as error:
            return f"stopped by {error.which}"
        return "ended"

    flow = rewrite(patient(), lambda request: Ask("changed"))
    assert next(flow) == [Ask("changed")]
    with pytest.raises(StopIteration) as stop:
        flow.throw(BudgetExceeded("tokens", 10, 10))
    assert stop.value.value == "stopped by tokens"
