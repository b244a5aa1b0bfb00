"""Requests and replies as JSON and back, and the key under which a reply is kept."""

from __future__ import annotations

import dataclasses
import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from assay.core import (
    Ask,
    Embed,
    Embeddings,
    Ended,
    Execute,
    Execution,
    Fetch,
    Finish,
    Image,
    Message,
    Numbers,
    Page,
    Read,
    Reading,
    Reply,
    Request,
    Score,
    Scores,
    Text,
    TokenLogprob,
)
from assay.lab.codec import answer_from_json, cache_key, reply_to_json, request_to_json

# Everything an endpoint can send, halves of characters included.
SAID = st.text(st.characters(exclude_categories=()), max_size=30)
# Everything a request may hold: valid Unicode without NUL.
ASKED = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), min_size=1, max_size=30)
FLOATS = st.floats(allow_nan=False, allow_infinity=False)
COUNTS = st.integers(0, 10**6)
SECONDS = st.integers(0, 10**9).map(lambda microseconds: microseconds / 10**6)
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | FLOATS | SAID,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(SAID, inner, max_size=3),
    max_leaves=8,
)

tokens = st.builds(
    TokenLogprob, COUNTS, SAID, FLOATS, st.lists(st.tuples(COUNTS, SAID, FLOATS), max_size=2).map(tuple)
)
replies = st.builds(
    Reply, SAID, st.sampled_from(Finish), COUNTS, COUNTS, st.lists(tokens, max_size=2).map(tuple), SECONDS, SECONDS
)
numbers = st.lists(st.floats(width=32), max_size=4).map(Numbers.of)
answers: dict[str, st.SearchStrategy[Any]] = {
    "ask": st.lists(replies, min_size=1, max_size=3).map(tuple),
    "score": st.builds(
        Scores, st.lists(FLOATS, max_size=3).map(tuple), st.lists(COUNTS, max_size=3).map(tuple), COUNTS, SECONDS
    ),
    "read": st.builds(
        Reading,
        st.lists(COUNTS, max_size=3).map(tuple),
        logprobs=numbers,
        states=numbers,
        draws=numbers,
        characters=st.lists(COUNTS, max_size=3).map(tuple),
        tokens_in=COUNTS,
        cpu_seconds=SECONDS,
    ),
    "embed": st.builds(Embeddings, numbers, COUNTS, SECONDS, SECONDS),
    "execute": st.builds(Execution, st.sampled_from(Ended), JSON, st.booleans(), SAID, SAID, SECONDS, SAID),
    "fetch": st.builds(Page, SAID, COUNTS, SAID, SAID),
}
contents = st.one_of(
    ASKED,
    st.lists(
        st.builds(Text, ASKED) | st.builds(Image, st.binary(min_size=1, max_size=9)), min_size=1, max_size=2
    ).map(tuple),
)
prompts = ASKED | st.tuples(
    st.builds(Message, st.sampled_from(["system", "assistant"]), ASKED),
    st.builds(Message, st.just("user"), contents),
)
requests: dict[str, st.SearchStrategy[Any]] = {
    "ask": st.builds(
        Ask,
        prompts,
        prefill=ASKED,
        n=st.integers(1, 128),
        max_tokens=st.integers(1, 10**6),
        temperature=st.floats(0, 10),
        top_p=st.floats(0.01, 1),
        stop=st.lists(ASKED, max_size=2).map(tuple),
        seed=st.none() | st.integers(0, 2**31 - 1),
        logit_bias=st.lists(st.tuples(st.integers(0, 9), st.floats(-9, 9)), max_size=2).map(tuple),
    ),
    "score": st.builds(Score, prompts, st.lists(ASKED, min_size=1, max_size=3).map(tuple), prefill=ASKED),
    "read": st.builds(
        Read,
        ASKED | st.lists(COUNTS, min_size=1, max_size=3).map(tuple),
        context=ASKED,
        statistics=st.booleans(),
        modulus=st.floats(0, 9),
        layers=st.lists(st.integers(-1, 40), max_size=2).map(tuple),
        vocabulary=st.lists(COUNTS, max_size=2).map(tuple),
        draws=st.integers(0, 9),
        seed=st.integers(0, 99),
        observer=st.booleans(),
        untrained=st.booleans(),
    ),
    "embed": st.builds(Embed, st.lists(ASKED, min_size=1, max_size=3).map(tuple)),
    "execute": st.builds(Execute, ASKED, st.sampled_from(["", "solution"]), ASKED, st.floats(0.01, 60)),
    "fetch": st.builds(Fetch, ASKED.map(lambda text: f"https://example.org/{text}")),
}


def through_json(value: Any) -> Any:
    """As the store does it: text with halves of characters, as bytes."""
    return json.loads(json.dumps(value, ensure_ascii=False).encode("utf-8", "surrogatepass"))


@pytest.mark.parametrize("kind", answers)
def test_an_answer_comes_back_as_it_was(kind: str) -> None:
    @given(answers[kind])
    def check(answer: Any) -> None:
        assert answer_from_json(kind, through_json(reply_to_json(answer))) == answer

    check()


@pytest.mark.parametrize("kind", requests)
def test_a_request_as_json_says_its_kind_and_every_field_that_is_not_default(kind: str) -> None:
    @given(requests[kind])
    def check(request: Request) -> None:
        fields = through_json(request_to_json(request))
        assert fields.pop("kind") == kind
        unlike_default = {f.name for f in dataclasses.fields(request) if getattr(request, f.name) != f.default}
        assert set(fields) == unlike_default

    check()


@pytest.mark.parametrize("kind", requests)
def test_requests_that_differ_have_different_json(kind: str) -> None:
    """The trace and the cache key are made of it: nothing may be lost on the way."""

    @given(requests[kind], requests[kind])
    def check(one: Request, other: Request) -> None:
        assert (request_to_json(one) == request_to_json(other)) == (one == other)

    check()


def test_an_image_and_a_text_of_its_letters_are_not_the_same() -> None:
    picture = Ask((Message("user", (Image(b"abc"),)),))
    assert request_to_json(picture)["prompt"][0]["content"] == [{"image": "YWJj", "media_type": "image/png"}]
    assert cache_key("m", picture) != cache_key("m", Ask((Message("user", (Text("YWJj"),)),)))


@dataclasses.dataclass(frozen=True)
class Louder:
    """A processor of logits, as a technique brings one."""

    by: float

    def spec(self) -> str:
        return json.dumps({"louder": self.by})

    def __call__(self, contexts: Any, logits: Any) -> None:
        logits += self.by


def test_a_processor_is_kept_by_what_tells_it_from_others() -> None:
    one, other = Ask("q", processor=Louder(1.0)), Ask("q", processor=Louder(2.0))
    assert request_to_json(one)["processor"] == {"processor": '{"louder": 1.0}'}
    assert cache_key("m", one) != cache_key("m", other)


BASE = Ask("q", seed=1)


@pytest.mark.parametrize(
    "other",
    [
        Ask("other", seed=1),
        Ask((Message("system", "q"), Message("user", "q")), seed=1),
        Ask("q", prefill="A:", seed=1),
        Ask("q", max_tokens=9, seed=1),
        Ask("q", temperature=0.5, seed=1),
        Ask("q", top_p=0.5, seed=1),
        Ask("q", stop=("x",), seed=1),
        Ask("q", seed=2),
        Ask("q", logprobs=1, seed=1),
        Ask("q", logit_bias=((1, 2.0),), seed=1),
        Ask("q", json_schema='{"type": "string"}', seed=1),
        Ask("q", grammar='root ::= "x"', seed=1),
        Ask("q", raw=True, seed=1),
        Ask("q", processor=Louder(1.0), seed=1),
    ],
    ids=lambda request: ",".join(
        f.name for f in dataclasses.fields(Ask) if getattr(request, f.name) != getattr(BASE, f.name)
    ),
)
def test_every_field_is_in_the_key(other: Ask) -> None:
    assert cache_key("m", other) != cache_key("m", BASE)


def test_every_field_of_a_request_is_covered_above() -> None:
    """A field that is added to `Ask` and forgotten in the key would mix up replies."""
    marks = test_every_field_is_in_the_key.pytestmark  # type: ignore[attr-defined]
    tried = {
        f.name
        for other in marks[0].args[1]
        for f in dataclasses.fields(Ask)
        if getattr(other, f.name) != getattr(BASE, f.name)
    }
    assert tried == {f.name for f in dataclasses.fields(Ask)} - {"n"}


def test_model_and_index_are_in_the_key_and_n_is_not() -> None:
    assert cache_key("one", BASE) != cache_key("other", BASE)
    assert len({cache_key("m", BASE, index) for index in range(100)}) == 100
    assert cache_key("m", dataclasses.replace(BASE, n=16), 3) == cache_key("m", dataclasses.replace(BASE, n=8), 3)


def test_requests_of_different_kinds_have_different_keys() -> None:
    assert (
        len(
            {
                cache_key("m", request)
                for request in (Ask("q"), Score("q", ("q",)), Read("q"), Embed(("q",)), Execute("q"))
            }
        )
        == 5
    )
