"""What gives vectors: engines started for it, networks of transformers, endpoints; and a writer with one."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from assay.core import Ask, BadReply, BadRequest, CannotRun, Capability, Embed, ModelError, UserError
from assay.core.model import Fingerprint, Model
from assay.home import find_home
from assay.models import ModelChoice, Scripted, connect
from assay.models.encoding import LONGEST, WithEncoder
from assay.models.network.encoder import NetworkEncoder
from assay.models.openai import read_embeddings

from .endpoint import Answer, Endpoint, reply

NEEDS = frozenset({Capability.GENERATE, Capability.EMBED})


def using(choice: ModelChoice, work: Callable[[Model], Awaitable[Any]]) -> Any:
    async def run() -> Any:
        model = await connect(choice, find_home().make(), needs=NEEDS, environ={})
        try:
            return await work(model)
        finally:
            await model.close()

    return asyncio.run(run())


# --- a writer with an encoder


def test_words_go_to_the_writer_and_vectors_to_the_encoder() -> None:
    writer, encoder = (
        Scripted(lambda request, index: "words", name="writer"),
        Scripted(lambda r, i: "", name="other"),
    )
    both = WithEncoder(writer, encoder)

    async def work() -> tuple[str, list[Any]]:
        (said,) = await both.generate(Ask("q", seed=0), [0])
        return said.text, (await both.embed(Embed(("abc",)))).vectors.array().tolist()

    assert asyncio.run(work()) == ("words", [[3.0]])
    assert both.name == "writer+other"
    assert Capability.EMBED in both.capabilities
    assert both.fingerprint.hash not in (writer.fingerprint.hash, encoder.fingerprint.hash)
    assert dict(both.fingerprint.parts) == {"script": "writer", "encoder's script": "other"}


def test_another_encoder_is_another_model() -> None:
    writer = Scripted(lambda request, index: "words", name="writer")
    one, other = (WithEncoder(writer, Scripted(lambda r, i: "", name=name)) for name in ("one", "other"))
    assert one.fingerprint != other.fingerprint


# --- the embedded engine


@pytest.mark.engine
@pytest.mark.usefixtures("home")
def test_the_embedded_model_embeds_with_its_own_weights() -> None:
    texts = (
        "How do I read a file?",
        "Iterate over the lines of a file.",
        "Cheese is made of milk.",
        "word " * 2000,
    )

    async def work(model: Model) -> Any:
        found = await model.embed(Embed(texts))
        alone = [(await model.embed(Embed((text,)))).vectors.array()[0] for text in (*texts, texts[0])]
        with pytest.raises(BadRequest, match="empty"):
            Embed(("",))
        (said,) = await model.generate(Ask("Say hello.", max_tokens=4, seed=0), [0])
        return model, found, alone, said.text

    model, found, alone, said = using(ModelChoice(), work)
    rows = found.vectors.array()
    assert rows.shape == (4, 576)
    assert np.linalg.norm(rows, axis=1) == pytest.approx(1, abs=1e-5)
    # Neither what stands beside a text nor what was embedded before changes its vector.
    for row, one in zip((*rows, rows[0]), alone, strict=True):
        assert one == pytest.approx(row, abs=1e-3)
    related, unrelated = rows[0] @ rows[1], rows[0] @ rows[2]
    assert related > unrelated + 0.05
    assert LONGEST <= found.tokens_in < LONGEST + 40
    assert model.name == "smollm2-135m"
    assert said


# --- networks of transformers


@pytest.fixture(scope="module")
def tiny_bert(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A BERT of random weights with a vocabulary of letters."""
    torch = pytest.importorskip("torch")
    transformers = pytest.importorskip("transformers")
    folder: Path = tmp_path_factory.mktemp("bert")
    words = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", *"abcdefgh"]
    (folder / "vocab.txt").write_text("\n".join(words))
    torch.manual_seed(0)
    config = transformers.BertConfig(
        vocab_size=len(words),
        hidden_size=16,
        num_hidden_layers=2,
        num_attention_heads=2,
        intermediate_size=32,
        max_position_embeddings=12,
    )
    transformers.BertModel(config).save_pretrained(folder)
    transformers.BertTokenizer(str(folder / "vocab.txt")).save_pretrained(folder)
    return folder


def test_a_vector_is_the_mean_of_the_states_whatever_stands_beside_it(tiny_bert: Path) -> None:
    import torch
    import transformers

    encoder = NetworkEncoder("tiny", str(tiny_bert), Fingerprint("x"))
    network = transformers.AutoModel.from_pretrained(tiny_bert).eval()
    tokenizer = transformers.AutoTokenizer.from_pretrained(tiny_bert)

    async def work() -> Any:
        found = await encoder.embed(Embed(("a b c d e f", "h", "b a")))
        alone = await encoder.embed(Embed(("h",)))
        await encoder.close()
        return found, alone

    found, alone = asyncio.run(work())
    with torch.inference_mode():
        states = network(**tokenizer("b a", return_tensors="pt")).last_hidden_state[0]
    assert found.vectors.array()[2] == pytest.approx(states.mean(0).numpy(), abs=1e-5)
    # Padding changes nothing.
    assert alone.vectors.array()[0] == pytest.approx(found.vectors.array()[1], abs=1e-5)
    assert found.tokens_in == 8 + 3 + 4
    assert found.seconds > 0


def test_a_text_longer_than_the_network_is_cut(tiny_bert: Path) -> None:
    encoder = NetworkEncoder("tiny", str(tiny_bert), Fingerprint("x"))
    found = asyncio.run(encoder.embed(Embed(("a b " * 50,))))
    assert found.tokens_in == 12


def test_whoever_needs_it_whole_is_told_of_a_text_that_would_be_cut(tiny_bert: Path) -> None:
    """Twelve tokens with the two around them."""
    both = WithEncoder(Scripted(lambda r, i: ""), NetworkEncoder("tiny", str(tiny_bert), Fingerprint("x")))
    asyncio.run(both.require_whole(Embed(("a", "a b " * 5))))
    with pytest.raises(BadRequest, match=r"A text has 14 tokens, and tiny reads 12"):
        asyncio.run(both.require_whole(Embed(("a", "a b " * 6))))


def test_a_folder_that_is_no_network_is_named(tmp_path: Path) -> None:
    pytest.importorskip("transformers")
    with pytest.raises(ModelError, match="no network that can be read"):
        NetworkEncoder("x", str(tmp_path), Fingerprint("x"))


# --- endpoints


def plain(body: Answer) -> Answer:
    if body["path"].endswith("/embeddings"):
        rows = [{"index": i, "embedding": [float(len(text)), 1.0]} for i, text in enumerate(body["input"])]
        return {"data": rows, "usage": {"prompt_tokens": 5}}
    return reply(["fine"])


def test_an_endpoint_that_embeds_needs_no_other_encoder() -> None:
    with Endpoint(plain) as endpoint:
        choice = ModelChoice("openai/fake", (endpoint.address,))
        found = using(choice, lambda model: model.embed(Embed(("ab",))))
        assert (found.vectors.array().tolist(), found.tokens_in) == ([[2.0, 1.0]], 5)
        named = ModelChoice("openai/fake", (endpoint.address,), encoder="openai/vectors")
        found = using(named, lambda model: model.embed(Embed(("abc",))))
        assert found.vectors.array().tolist() == [[3.0, 1.0]]
        assert endpoint.requests[-1]["model"] == "vectors"


def test_an_endpoint_that_does_not_embed_says_what_to_type() -> None:
    def words_only(body: Answer) -> Answer:
        return reply(["fine"])

    async def nothing(model: Model) -> None:
        raise AssertionError("it cannot be connected")

    with Endpoint(words_only) as endpoint, pytest.raises(CannotRun, match="--encoder minilm"):
        using(ModelChoice("openai/fake", (endpoint.address,)), nothing)


@pytest.mark.parametrize(
    "answer",
    [
        {},
        {"data": [{"index": 0}]},
        {"data": [{"index": 0, "embedding": [1.0]}]},
        {"data": [{"index": 0, "embedding": [1.0, 2.0]}, {"index": 1, "embedding": [1.0]}]},
        {"data": [{"index": 0, "embedding": [1.0]}, {"index": 1, "embedding": ["x"]}]},
        {"data": [{"index": 0, "embedding": [1.0]}, {"index": 1, "embedding": [float("nan")]}]},
        "text",
    ],
)
def test_ragged_or_missing_vectors_are_refused(answer: Any) -> None:
    with pytest.raises(BadReply):
        read_embeddings(answer, 2, "some")


# --- names


@pytest.mark.usefixtures("home")
def test_an_encoder_is_no_writer() -> None:
    async def nothing(model: Model) -> None:
        raise AssertionError("it cannot be connected")

    with pytest.raises(UserError, match=r"writes no words.*--encoder minilm"):
        using(ModelChoice("minilm"), nothing)


@pytest.mark.usefixtures("home")
@pytest.mark.engine
def test_an_unknown_encoder_gets_a_suggestion() -> None:
    async def nothing(model: Model) -> None:
        raise AssertionError("it cannot be connected")

    with pytest.raises(UserError, match="minilm"):
        using(ModelChoice(encoder="minilmm"), nothing)
