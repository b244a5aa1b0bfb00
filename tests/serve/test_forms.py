"""What clients may send: everything of OpenAI's, nothing that makes no sense, and always a sentence."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import ValidationError

from assay.core import BadRequest, Message
from assay.serve.forms import ChatForm, CompletionForm, EmbeddingForm
from assay.serve.problems import Problem, sentence_of

HELLO = [{"role": "user", "content": "Hello"}]
SCALARS = st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5)
ANYTHING = st.recursive(
    SCALARS, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3)
)
FIELDS = [name for name in ChatForm.model_fields if name != "model"]


def chat(**fields: Any) -> ChatForm:
    return ChatForm.model_validate({"model": "m", "messages": HELLO} | fields)


@settings(max_examples=300, deadline=None)
@given(fields=st.dictionaries(st.sampled_from(FIELDS), ANYTHING, max_size=4))
def test_whatever_is_sent_is_a_request_or_a_sentence(fields: dict[str, Any]) -> None:
    sentence = "."
    try:
        chat(**fields).to_ask()
    except ValidationError as error:
        sentence = sentence_of(error.errors())
    except (Problem, BadRequest) as error:
        sentence = str(error)
    assert len(sentence) < 2000
    assert sentence.endswith(".")


@given(
    temperature=st.floats(0, 10),
    top_p=st.floats(0.01, 1),
    n=st.integers(1, 128),
    seed=st.integers(-(2**70), 2**70),
    tokens=st.integers(1, 1_000_000),
)
def test_sampling_is_what_was_asked_for(temperature: float, top_p: float, n: int, seed: int, tokens: int) -> None:
    ask = chat(temperature=temperature, top_p=top_p, n=n, seed=seed, max_completion_tokens=tokens).to_ask()
    assert (ask.temperature, ask.top_p, ask.n, ask.max_tokens) == (temperature, top_p, n, tokens)
    assert ask.seed == seed % 2**31


@pytest.mark.parametrize(
    "fields",
    [
        {"messages": []},
        {"messages": [{"role": "zebra", "content": "x"}]},
        {"messages": "hello"},
        {"messages": [{"role": "user", "content": 7}]},
        {"temperature": 1e30},
        {"temperature": -0.1},
        {"temperature": float("nan")},
        {"top_p": 0},
        {"n": 0},
        {"n": 129},
        {"max_tokens": 0},
        {"stop": ["x"] * 17},
        {"response_format": {"type": "yaml"}},
        {"logit_bias": {"5": 1000}},
    ],
)
def test_nonsense_is_refused(fields: dict[str, Any]) -> None:
    with pytest.raises(ValidationError) as caught:
        chat(**fields)
    assert next(iter(fields)) in sentence_of(caught.value.errors())


@pytest.mark.parametrize(
    "fields",
    [
        {"messages": [{"role": "user", "content": [{"type": "text", "text": "See:"}, {"type": "image_url"}]}]},
        {"messages": [{"role": "user", "content": ""}]},
        {"messages": [{"role": "system", "content": None}]},
        {"logit_bias": {"x": 1}},
        {"presence_penalty": 1},
        {"stop": [""]},
        {"tools": [{"type": "function"}]},
        {"response_format": {"type": "json_schema", "json_schema": {"schema": {"$ref": "#"}}}},
    ],
)
def test_what_we_cannot_do_is_refused_and_not_left_out(fields: dict[str, Any]) -> None:
    with pytest.raises((Problem, BadRequest)):
        chat(**fields).to_ask()


def test_a_conversation_keeps_its_turns_and_the_last_words_of_the_assistant_begin_its_reply() -> None:
    turns = [
        {"role": "developer", "content": "Be brief."},
        {"role": "user", "content": [{"type": "text", "text": "One "}, {"type": "text", "text": "two"}]},
        {"role": "assistant", "content": "three"},
    ]
    ask = chat(messages=turns).to_ask()
    assert ask.prompt == (Message("system", "Be brief."), Message("user", "One two"))
    assert ask.prefill == "three"


def test_nulls_and_fields_of_tomorrow_are_accepted() -> None:
    form = chat(**dict.fromkeys(set(FIELDS) - {"messages"}), verbosity="low", service_tier=None)
    assert form.model_dump(exclude_unset=True)["verbosity"] == "low"
    assert form.to_ask().n == 1


def test_without_a_seed_every_request_draws_anew() -> None:
    assert len({chat().to_ask().seed for _ in range(20)}) > 15


def test_tools_that_may_not_be_called_do_no_harm() -> None:
    assert chat(tools=[{"type": "function"}], tool_choice="none").to_ask().n == 1


def test_a_schema_reaches_the_request_as_it_was_sent() -> None:
    schema = {"type": "object", "properties": {"b": {"type": "integer"}, "a": {"type": "string"}}}
    wanted = {"type": "json_schema", "json_schema": {"name": "x", "strict": True, "schema": schema}}
    form = chat(response_format=wanted)
    assert json.loads(form.to_ask().json_schema) == schema
    assert form.model_dump(mode="json", by_alias=True, exclude_unset=True)["response_format"] == wanted


@pytest.mark.parametrize("fields", [{"echo": True}, {"suffix": "x"}, {"best_of": 2}, {"logprobs": 1}])
def test_what_llama_cpp_ignores_in_silence_is_refused(fields: dict[str, Any]) -> None:
    form = CompletionForm.model_validate({"model": "m", "prompt": "x"} | fields)
    with pytest.raises(Problem):
        form.to_asks()


def test_every_prompt_is_a_request() -> None:
    form = CompletionForm.model_validate({"model": "m", "prompt": ["a", "b"], "n": 2})
    assert [(ask.prompt, ask.n, ask.raw) for ask in form.to_asks()] == [("a", 2, True), ("b", 2, True)]


def test_texts_to_embed_are_one_or_many() -> None:
    assert EmbeddingForm(model="m", input="a").texts == ("a",)
    assert EmbeddingForm(model="m", input=["a", "b"]).texts == ("a", "b")
    with pytest.raises(ValidationError):
        EmbeddingForm.model_validate({"model": "m", "input": [[1, 2]]})
