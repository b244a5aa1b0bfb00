"""What ways of ranking make of simulated votes whose truth is known."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

import pytest

from assay.core import Answer, Flow, Sample
from assay.core.flow import at_once
from assay.tasks import SimulatedSourcesTask
from assay.techniques.prompting.vote_ranking import order_dependence, rank_accuracy, style_accuracy

TASK = SimulatedSourcesTask(labels=("arena",))
SAMPLES = TASK.samples(8, seed=0)


def mean(arm: Callable[..., Flow[Answer]], **settings: Any) -> float:
    flows = [partial(arm, **settings)(sample, TASK) for sample in SAMPLES]
    return sum(at_once(flow).measures["score"] for flow in flows) / len(SAMPLES)


def test_bradley_terry_does_not_look_at_the_order_and_elo_does_the_more_the_larger_k() -> None:
    assert mean(order_dependence, k=0.0) == 0
    assert 0 < mean(order_dependence, k=4.0) < mean(order_dependence, k=32.0)


def test_with_more_votes_more_pairs_are_in_their_order() -> None:
    assert mean(rank_accuracy, k=0.0, votes=500) < mean(rank_accuracy, k=0.0, votes=20_000)
    assert mean(rank_accuracy, k=0.0, votes=20_000) > 0.95


def test_controlling_for_length_helps_where_other_lengths_do_not() -> None:
    plain, shuffled, length = (mean(style_accuracy, control=c) for c in ("none", "shuffled", "length"))
    assert shuffled == pytest.approx(plain, abs=0.01)
    assert length > plain


def test_the_same_seed_gives_the_same_votes() -> None:
    sample: Sample = SAMPLES[0]
    first, second = (at_once(style_accuracy(sample, TASK, control="length")) for _ in range(2))
    assert first == second
    assert first.measures["worth"] == pytest.approx(0.25, abs=0.15)
