"""Multiple choice on both engines: llama.cpp with its 4-bit weights, and torch with the same ones taken apart."""

from __future__ import annotations

import asyncio
from functools import partial
from typing import Any

import pytest

from assay.cli.benchmarks.choice import Item, items
from assay.core import Answer, Score, Scores, score
from assay.home import find_home
from assay.lab.driver import Driver, Job
from assay.models import ModelChoice, connect
from assay.models.network.model import OpenNetwork
from assay.techniques.prompting import forced_choice

pytestmark = [pytest.mark.engine, pytest.mark.usefixtures("home")]
QUESTIONS = list(items(20, seed=3))
PER_TOKEN = 0.35
"""Nats a token by which the two engines may differ: one rounds activations to 8 bits, the other does not."""
FAR_OFF = -15.0
"""Nats a token below which they were seen to differ by more (0.38, at -16.1): nothing is chosen there."""


def answers(name: str, start: Any) -> list[Any]:
    """What `start` gives for every question on the model of that name."""

    async def run() -> list[Any]:
        model, driver, found = await connect(ModelChoice(name), find_home()), Driver(), dict[int, Any]()
        try:
            async for done in driver.run(Job(i, partial(start, item), model) for i, item in enumerate(QUESTIONS)):
                assert done.error is None, done.error
                found[done.key] = done.value
        finally:
            await driver.close()
            await model.close()
        return [found[index] for index in range(len(QUESTIONS))]

    return asyncio.run(run())


def asked(normalise: Any, item: Item) -> Any:
    return forced_choice(item.context, item.choices, normalise=normalise, raw=True)


def scored(item: Item) -> Any:
    return score(Score(item.context, item.continuations, raw=True))


@pytest.mark.parametrize("normalise", ["none", "pmi"])
def test_both_engines_choose_the_same(normalise: str) -> None:
    engine: list[Answer] = answers("smollm2-135m", partial(asked, normalise))
    network: list[Answer] = answers("hf:smollm2-135m", partial(asked, normalise))
    same = sum(one.value == other.value for one, other in zip(engine, network, strict=True))
    assert same >= 0.9 * len(QUESTIONS), f"{same} of {len(QUESTIONS)}"
    # Not because they all choose by place, nor because the model knows nothing.
    right = [
        sum(a.value == q.choices[q.right] for a, q in zip(given, QUESTIONS, strict=True))
        for given in (engine, network)
    ]
    assert min(right) > 0.5 * len(QUESTIONS), right


def test_both_engines_give_close_log_probabilities() -> None:
    engine: list[Scores] = answers("smollm2-135m", scored)
    network: list[Scores] = answers("hf:smollm2-135m", scored)
    distances, count = 0.0, 0
    for one, other in zip(engine, network, strict=True):
        assert one.tokens == other.tokens
        assert one.tokens_in == other.tokens_in
        for mine, theirs, tokens in zip(one.logprobs, other.logprobs, one.tokens, strict=True):
            distances, count = distances + abs(mine - theirs), count + tokens
            assert abs(mine - theirs) <= PER_TOKEN * tokens or theirs < FAR_OFF * tokens
    assert distances / count < 0.1


def test_an_option_scores_the_same_alone_and_among_others() -> None:
    """Packing and a kept prefix change nothing but the time."""

    async def run() -> None:
        model = await connect(ModelChoice("hf:smollm2-135m"), find_home())
        assert isinstance(model, OpenNetwork)
        before = QUESTIONS[0].context * 3
        together = await asyncio.gather(
            *(model.score(Score(before + item.context, item.continuations, raw=True)) for item in QUESTIONS[:4])
        )
        for item, found in zip(QUESTIONS[:4], together, strict=True):
            for text, value in zip(item.continuations, found.logprobs, strict=True):
                alone = await model.score(Score(before + item.context, (text,), raw=True))
                assert alone.logprobs[0] == pytest.approx(value, abs=1e-3)
        await model.close()

    asyncio.run(run())
