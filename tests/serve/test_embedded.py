"""What the embedded engine does in its own way, and the proxy in OpenAI's."""

from __future__ import annotations

import struct
from pathlib import Path
from typing import Any

import openai
import pytest

from assay.core.home import Home
from assay.models import KNOWN, locate
from assay.serve import forms
from tests.serve.running import Running, running

pytestmark = pytest.mark.engine
MODEL = "smollm2-135m"
ROME = [{"role": "user", "content": "What is the weather in Rome?"}]
WEATHER = {
    "type": "function",
    "function": {"name": "weather", "parameters": {"type": "object", "properties": {"city": {"type": "string"}}}},
}
NAMED = {"type": "function", "function": {"name": "weather"}}
WITH_TOOLS = (
    "{% if tools %}{{ tools | tojson }}{% endif %}{% for message in messages %}"
    "{{ '<|im_start|>' + message['role'] + '\n' + message['content'] + '<|im_end|>\n' }}{% endfor %}"
    "{% if add_generation_prompt %}{{ '<|im_start|>assistant\n' }}{% endif %}"
)


# --- tools


@pytest.mark.parametrize("choice", [None, "auto", "required", NAMED])
def test_tools_that_the_template_does_not_show_are_refused(proxy: Running, choice: object) -> None:
    asked = {"model": MODEL, "messages": ROME, "tools": [WEATHER], "tool_choice": choice, "max_tokens": 4}
    answer = proxy.post("/chat/completions", asked)
    assert answer.status_code == 400
    assert "shows a model no tools" in answer.json()["error"]["message"]


def test_a_template_that_knows_tools_shows_them(tmp_path: Path, model_cache: Path) -> None:
    (tmp_path / "cache").symlink_to(model_cache, target_is_directory=True)
    name = f"gguf:{with_template(WITH_TOOLS, tmp_path)}"
    asked = {"model": name, "messages": ROME, "max_tokens": 4}
    with running(tmp_path, model=name, seconds=120) as proxy:
        bare = proxy.post("/chat/completions", asked).json()["usage"]["prompt_tokens"]
        shown = proxy.post("/chat/completions", asked | {"tools": [WEATHER], "tool_choice": "required"})
        assert shown.json()["usage"]["prompt_tokens"] > bare + 20
        for tools in ([{"bogus": 1}], [WEATHER, {"type": "function", "function": {}}]):
            answer = proxy.post("/chat/completions", asked | {"tools": tools})
            assert answer.status_code == 400
            assert "The engine cannot read these tools" in answer.json()["error"]["message"]


def with_template(template: str, folder: Path) -> Path:
    """The embedded model with another chat template, as long as its own."""
    path = locate(next(one for one in KNOWN if one.name == MODEL), Home(folder, folder / "cache"))
    assert path is not None
    data = path.read_bytes()
    key = b"tokenizer.chat_template"
    # Behind the key stand the type of the value, in four bytes, and its length in eight.
    start = data.index(key) + len(key) + 12
    (length,) = struct.unpack("<Q", data[start - 8 : start])
    changed = folder / "with-tools.gguf"
    changed.write_bytes(data[:start] + template.encode().ljust(length) + data[start + length :])
    return changed


# --- lengths


def test_a_completion_without_a_limit_has_sixteen_tokens(client: openai.OpenAI) -> None:
    for more in ({}, {"max_tokens": None}):
        answer = client.completions.create(
            model=MODEL, prompt="Once upon a time, there was a", temperature=0, **more
        )
        assert answer.usage is not None
        assert answer.usage.completion_tokens == 16


@pytest.mark.parametrize("n", [1, 2])
def test_a_chat_without_a_limit_has_ours(client: openai.OpenAI, monkeypatch: pytest.MonkeyPatch, n: int) -> None:
    assert forms.CHAT_TOKENS == 1024
    monkeypatch.setattr(forms, "CHAT_TOKENS", 20)
    # A token with this bias is all that is written.
    asked = {"model": MODEL, "messages": ROME, "n": n, "logit_bias": {"253": 100}, "temperature": 0}
    for more in ({}, {"max_tokens": None, "max_completion_tokens": None}):
        answer = client.chat.completions.create(**asked, extra_body=more)
        assert answer.usage is not None
        assert answer.usage.completion_tokens == 20 * n
        assert {choice.finish_reason for choice in answer.choices} == {"length"}


def test_of_two_limits_the_newer_name_counts(client: openai.OpenAI) -> None:
    for n in (1, 2):
        answer = client.chat.completions.create(
            model=MODEL, messages=ROME, n=n, max_tokens=5, max_completion_tokens=3
        )
        assert answer.usage is not None
        assert answer.usage.completion_tokens == 3 * n


# --- one reply and several


def both(client: openai.OpenAI, **asked: Any) -> list[Any]:
    """The same request with n=1 and n=2: the first choice of either."""
    asked = {"model": MODEL, "messages": ROME, "temperature": 0, "max_tokens": 4} | asked
    return [client.chat.completions.create(**asked, n=n).choices[0] for n in (1, 2)]


@pytest.mark.parametrize("begun", ["Once upon", 'Ünï "quoted"\n\tand then'])
def test_words_that_begin_the_reply_are_not_repeated(client: openai.OpenAI, begun: str) -> None:
    turns = [{"role": "user", "content": "Tell a story."}, {"role": "assistant", "content": begun}]
    one, several = both(client, messages=turns)
    assert one.message.content == several.message.content
    assert not one.message.content.startswith(begun)
    pieces = client.chat.completions.create(model=MODEL, messages=turns, temperature=0, max_tokens=4, stream=True)
    assert "".join(piece.choices[0].delta.content or "" for piece in pieces) == one.message.content


@pytest.mark.parametrize("top", [None, 0, 2])
def test_a_token_has_as_many_alternatives_as_were_asked_for(client: openai.OpenAI, top: int | None) -> None:
    asked: dict[str, Any] = {"logprobs": True} | ({} if top is None else {"top_logprobs": top})
    for choice in both(client, **asked):
        assert [len(token.top_logprobs) for token in choice.logprobs.content] == [top or 0] * 4
    for n in (1, 2):
        pieces = client.chat.completions.create(
            model=MODEL, messages=ROME, n=n, max_tokens=3, stream=True, **asked
        )
        parts = [choice.logprobs for piece in pieces for choice in piece.choices if choice.logprobs]
        assert [len(token.top_logprobs) for part in parts for token in part.content or ()] == [top or 0] * 3 * n


@pytest.mark.parametrize("seed", [-1, 2**31 + 5, -(2**70)])
def test_every_seed_draws_the_same_again(client: openai.OpenAI, seed: int) -> None:
    asked = {"model": MODEL, "messages": ROME, "temperature": 2.0, "max_tokens": 12, "seed": seed}
    found = {client.chat.completions.create(**asked).choices[0].message.content for _ in range(3)}
    wrapped = client.chat.completions.create(**asked | {"seed": seed % 2**31})
    assert found == {wrapped.choices[0].message.content}


# --- vectors


def test_a_text_that_would_be_cut_is_not_embedded(tmp_path: Path, model_cache: Path) -> None:
    (tmp_path / "cache").symlink_to(model_cache, target_is_directory=True)
    with running(tmp_path, seconds=120) as proxy:
        asked = {"model": MODEL, "encoding_format": "float"}
        answer = proxy.post("/embeddings", asked | {"input": ["short", "cat " * 600]})
        assert answer.status_code == 400
        said = answer.json()["error"]["message"]
        assert "reads 512" in said
        assert " 60" in said
        # With what a tokenizer puts around a text, these fill it.
        fits = proxy.post("/embeddings", asked | {"input": ["cat " * 509]})
        assert fits.status_code == 200, fits.text
