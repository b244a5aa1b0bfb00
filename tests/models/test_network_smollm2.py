"""The embedded model opened in torch: the same weights, the same tokens, nearly the same numbers."""

from __future__ import annotations

import asyncio
import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

pytest.importorskip("torch")

from assay.core import Ask, CannotRun, Capability, ClosedModel, Message, ModelError, Read, Score, UserError
from assay.home import find_home
from assay.models import ModelChoice, connect
from assay.models.llamacpp import LlamaCpp
from assay.models.network.conversion import convert, is_whole
from assay.models.network.model import OpenNetwork
from assay.techniques.logits.watermark.flows import Mark
from assay.techniques.logits.watermark.processor import WatermarkProcessor

pytestmark = pytest.mark.engine

TEXTS = (
    "The river rises in the hills to the west of the town and reaches the sea after forty miles. Most of the "
    "mills that once stood along it are gone, but their dams still hold back the water in wet winters.",
    "def mean(values):\n    total = 0\n    for value in values:\n        total += value\n    return total\n",
    "In 1969, 2 people walked on the Moon; 12 had done so by 1972 (none since). <|im_end|> naïve café, 3.14159!",
)


async def both() -> tuple[OpenNetwork, LlamaCpp]:
    home = find_home().make()
    opened = await connect(ModelChoice("hf:smollm2-135m"), home)
    engine = await connect(ModelChoice("smollm2-135m"), home)
    assert isinstance(opened, OpenNetwork)
    assert isinstance(engine, LlamaCpp)
    return opened, engine


def test_one_model_in_two_engines(home: Path) -> None:
    async def work() -> None:
        opened, engine = await both()
        for text in TEXTS:
            assert (await opened.read(Read(text))).tokens == (await engine.read(Read(text))).tokens
        conversation = (Message("system", "Be brief."), Message("user", "Say <|im_start|> twice."))
        for request in (Ask("hello", prefill="Well,"), Ask(conversation), Ask("plain\ntext ", raw=True)):
            assert await opened._prompt(request) == await engine._prompt(request)
        nats, count = [0.0, 0.0], 0
        for text in TEXTS:
            head, _, tail = text.partition(" ")
            request = Score(head, (f" {tail[:160]}",), raw=True)
            for place, model in enumerate((opened, engine)):
                found = await model.score(request)
                nats[place] -= found.logprobs[0]
            count += found.tokens[0]
        assert nats[0] == pytest.approx(nats[1], rel=0.01), f"over {count} tokens"
        await opened.close()
        await engine.close()

    asyncio.run(work())


def test_a_read_of_statistics_agrees_with_a_score_of_the_same_text(home: Path) -> None:
    async def work() -> None:
        opened = await connect(ModelChoice("hf:smollm2-135m"), find_home().make())
        found = await opened.read(Read(" rises in the hills", context="The river", statistics=True))
        scored = await opened.score(Score("The river", (" rises in the hills",), raw=True))
        assert float(np.sum(found.logprobs.array())) == pytest.approx(scored.logprobs[0], abs=1e-3)
        await opened.close()

    asyncio.run(work())


def test_the_router_opens_the_network_only_where_it_is_needed(home: Path) -> None:
    async def work() -> None:
        place = find_home().make()
        words = await connect(ModelChoice(), place, needs=frozenset({Capability.SCORE}))
        assert isinstance(words, LlamaCpp)
        for asked in (
            Read("text", statistics=True),
            Ask("x", seed=0, processor=WatermarkProcessor(Mark().greenlist)),
        ):
            with pytest.raises(ClosedModel, match="hf:"):
                await (words.read(asked) if isinstance(asked, Read) else words.generate(asked, [0]))
        await words.close()
        opened = await connect(ModelChoice(), place, needs=frozenset({Capability.ACTIVATIONS}))
        assert isinstance(opened, OpenNetwork)
        assert opened.fingerprint.hash != words.fingerprint.hash
        await opened.close()

    asyncio.run(work())


WRITE = """
import asyncio, json, sys
from assay.core import Ask
from assay.home import find_home
from assay.models import ModelChoice, connect
from assay.techniques.logits.watermark.flows import Mark
from assay.techniques.logits.watermark.processor import WatermarkProcessor

async def work():
    model = await connect(ModelChoice("hf:smollm2-135m"), find_home().make())
    mark = Mark()
    processor = WatermarkProcessor(mark.greenlist, mark.delta)
    ask = Ask("The river", raw=True, max_tokens=40, temperature=1.0, seed=7, logprobs=1, processor=processor)
    print(json.dumps([[token.id for token in reply.logprobs] for reply in await model.generate(ask, range(4))]))
    await model.close()

asyncio.run(work())
"""


def test_the_same_seed_writes_the_same_marked_tokens_on_one_thread_and_on_two(home: Path) -> None:
    found = []
    for threads in ("1", "1", "2"):
        environment = os.environ | {
            "ASSAY_THREADS": threads,
            "OMP_WAIT_POLICY": "PASSIVE",
            "GOMP_SPINCOUNT": "20000",
        }
        done = subprocess.run(
            [sys.executable, "-c", WRITE], env=environment, capture_output=True, text=True, check=True, timeout=300
        )
        found.append(json.loads(done.stdout.splitlines()[-1]))
    assert found[0] == found[1] == found[2]
    assert len(set(map(tuple, found[0]))) == 4


def test_a_damaged_conversion_is_made_again(home: Path, tmp_path: Path) -> None:
    place = find_home().make()
    gguf = next(place.models.rglob("*.gguf"))
    other = type(place)(tmp_path / "data", tmp_path / "cache").make()
    said: list[str] = []
    folder = convert(gguf, "0" * 64, other, said.append)
    assert is_whole(folder)
    assert convert(gguf, "0" * 64, other, said.append) == folder
    assert len(said) == 1
    weights = folder / "model.safetensors"
    with weights.open("r+b") as file:
        file.truncate(1000)
    assert not is_whole(folder)
    assert is_whole(convert(gguf, "0" * 64, other, said.append))
    assert len(said) == 2
    shutil.rmtree(other.cache)


@pytest.mark.parametrize(
    ("name", "error", "word"),
    [
        ("hf:/nowhere/at/all", UserError, "no folder"),
        ("hf:/nowhere/model.gguf", UserError, "no folder or file"),
        ("hf:nobody/never-was-a-model", ModelError, "could not be fetched"),
    ],
)
def test_a_name_that_leads_nowhere_is_one_sentence(home: Path, name: str, error: type, word: str) -> None:
    with pytest.raises(error, match=word):
        asyncio.run(connect(ModelChoice(name), find_home().make()))


def test_a_folder_without_a_model_is_one_sentence(home: Path, tmp_path: Path) -> None:
    with pytest.raises(UserError, match="config"):
        asyncio.run(connect(ModelChoice(f"hf:{tmp_path}"), find_home().make()))
    (tmp_path / "config.json").write_text('{"model_type": "zebra"}')
    with pytest.raises(ModelError, match="causal model"):
        asyncio.run(connect(ModelChoice(f"hf:{tmp_path}"), find_home().make()))


def test_without_torch_it_says_what_to_install(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "torch", None)
    with pytest.raises(CannotRun, match=r"assay\[torch\]"):
        asyncio.run(connect(ModelChoice("hf:smollm2-135m"), find_home().make()))
