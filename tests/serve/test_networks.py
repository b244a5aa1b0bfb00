"""An organism, an open network and an encoder behind the proxy: tiny ones that are made here."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

import numpy as np
import openai
import pytest

from assay.core.artefacts import place_of
from assay.core.home import Home
from assay.lab.workshop import Workshop
from assay.tasks import Arithmetic
from assay.techniques.training.organisms.loop import Schedule
from assay.techniques.training.organisms.network import Tiny
from assay.techniques.training.organisms.organism import Organism
from assay.techniques.training.organisms.vocabulary import Vocabulary
from tests.serve.running import KEY, Running, running

pytest.importorskip("torch")
pytestmark = pytest.mark.engine
SUM = [{"role": "user", "content": "12+7="}]


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A home with one organism."""
    return tmp_path_factory.mktemp("networks")


@pytest.fixture(scope="module")
def organism(home: Path) -> Path:
    """Where it is; it has learned little."""
    recipe = Organism(
        "adder", Arithmetic("add", (2, 2)), Tiny(32, 1, context=32), Vocabulary(), Schedule(steps=30, batch=32)
    )

    async def make() -> None:
        workshop = Workshop(Home(home, home / "cache").make().organisms, 1)
        try:
            await workshop.make(recipe)
        finally:
            await workshop.close()

    asyncio.run(make())
    return place_of(home / "cache" / "organisms", recipe)


@pytest.fixture(scope="module")
def bert(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An encoder of random weights with a vocabulary of letters."""
    import torch
    import transformers

    folder: Path = tmp_path_factory.mktemp("bert")
    words = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", *"abcdefgh"]
    (folder / "vocab.txt").write_text("\n".join(words))
    torch.manual_seed(0)
    config = transformers.BertConfig(
        vocab_size=len(words), hidden_size=16, num_hidden_layers=1, num_attention_heads=2, intermediate_size=32
    )
    transformers.BertModel(config).save_pretrained(folder)
    transformers.BertTokenizerFast(str(folder / "vocab.txt")).save_pretrained(folder)
    return folder


def client_of(proxy: Running) -> openai.OpenAI:
    return openai.OpenAI(base_url=proxy.address, api_key=KEY, max_retries=0, timeout=180)


def replies(client: openai.OpenAI, model: str) -> list[Any]:
    """The greedy reply whole and streamed, and what both count."""
    asked = {"model": model, "messages": SUM, "max_tokens": 6, "temperature": 0}
    whole = client.chat.completions.create(**asked)
    pieces = list(client.chat.completions.create(**asked, stream=True, stream_options={"include_usage": True}))
    said = "".join(piece.choices[0].delta.content or "" for piece in pieces if piece.choices)
    assert whole.usage is not None
    assert pieces[-1].usage is not None
    assert {whole.model, *(piece.model for piece in pieces)} == {model}
    assert said == whole.choices[0].message.content != ""
    assert pieces[-1].usage.completion_tokens == whole.usage.completion_tokens
    return [said, whole.usage.prompt_tokens, whole.usage.completion_tokens]


def test_an_organism_says_the_same_by_its_name_and_by_its_folder(
    home: Path, organism: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The first is llama.cpp, relayed; the second torch, asked by ourselves."""
    monkeypatch.setenv("ASSAY_LINGER", "1")
    folder = f"hf:{organism}"
    with running(home, model=folder) as proxy:
        client = client_of(proxy)
        assert {folder, "organism:adder"} <= {model.id for model in client.models.list()}
        assert replies(client, folder) == replies(client, "organism:adder")
        two = client.chat.completions.create(model=folder, messages=SUM, max_tokens=6, n=2, seed=1)
        assert two.usage is not None
        assert len(two.choices) == 2
        assert two.usage.completion_tokens > 6
        texts = [
            client.completions.create(model=name, prompt="12+7=", max_tokens=4, temperature=0).choices[0].text
            for name in (folder, "organism:adder")
        ]
        assert texts[0] == texts[1] != ""
        voted = client.chat.completions.create(
            model="self-consistency-2/organism:adder", messages=SUM, max_tokens=6
        )
        assert voted.model_extra["assay"]["technique"] == "self-consistency"
        with pytest.raises(openai.BadRequestError, match="has no grammars"):
            client.chat.completions.create(
                model=folder, messages=SUM, response_format={"type": "json_object"}, max_tokens=4
            )


def test_vectors_are_the_encoders_by_its_name_and_by_any_models(home: Path, organism: Path, bert: Path) -> None:
    import torch
    import transformers

    encoder = f"hf:{bert}"
    tokens = transformers.AutoTokenizer.from_pretrained(bert)(["a b", "h"], return_tensors="pt", padding=True)
    with torch.no_grad():
        states = transformers.AutoModel.from_pretrained(bert).eval()(**tokens).last_hidden_state
    mask = tokens["attention_mask"][..., None]
    expected = ((states * mask).sum(1) / mask.sum(1)).numpy()
    with running(home, model=f"hf:{organism}", encoder=encoder) as proxy:
        client = client_of(proxy)
        for name in (encoder, f"hf:{organism}"):
            found = client.embeddings.create(model=name, input=["a b", "h"])
            rows = np.array([row.embedding for row in found.data])
            directions = [one / np.linalg.norm(one, axis=1, keepdims=True) for one in (rows, expected)]
            assert directions[0] == pytest.approx(directions[1], abs=1e-4)
            assert (found.model, found.usage.prompt_tokens) == (name, int(mask.sum()))
        with pytest.raises(openai.NotFoundError):
            client.embeddings.create(model="hf:other", input="a")
        with pytest.raises(openai.BadRequestError, match="one width"):
            client.embeddings.create(model=encoder, input="a", dimensions=4)
        with pytest.raises(openai.NotFoundError):
            client.chat.completions.create(model=encoder, messages=SUM)


def test_an_encoder_that_is_not_there_is_said_to_the_client(home: Path, organism: Path) -> None:
    with (
        running(home, model=f"hf:{organism}", encoder="hf:/no/such/folder") as proxy,
        pytest.raises(openai.BadRequestError, match="There is no folder or file"),
    ):
        client_of(proxy).embeddings.create(model=f"hf:{organism}", input="a")
