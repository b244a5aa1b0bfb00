"""Sends replies to a flow by hand: no model, no driver, nothing mocked."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from assay.core import Finish, Flow, Reply


def by_hand(flow: Flow[Any], *steps: Sequence[Any]) -> tuple[Any, list[Sequence[Any]]]:
    """What the flow returned and what it asked at each step, given these replies step by step."""
    asked = [next(flow)]
    try:
        for step in steps:
            asked.append(flow.send(step))
    except StopIteration as stop:
        return stop.value, asked
    raise AssertionError("the flow wants more replies")


def says(*texts: str, finish: Finish = Finish.STOP) -> list[tuple[Reply, ...]]:
    """The replies to a step of one `Ask` with n = the number of texts."""
    return [tuple(Reply(text, finish) for text in texts)]
