"""Requests that servers accept in silence or choke on are refused here, in one sentence each."""

from __future__ import annotations

import json
from collections.abc import Callable

import pytest

from assay.core import Ask, BadRequest, Embed, Execute, Fetch, Image, Message, Score, Text

DEEP: dict[str, object] = {"type": "object"}
for _ in range(40):
    DEEP = {"type": "object", "properties": {"a": DEEP}}


def schema(value: object) -> str:
    return json.dumps(value)


MALFORMED: dict[str, Callable[[], object]] = {
    "temperature below zero": lambda: Ask("hi", temperature=-1),
    "temperature 1e30": lambda: Ask("hi", temperature=1e30),
    "temperature not a number": lambda: Ask("hi", temperature=float("nan")),
    "temperature infinite": lambda: Ask("hi", temperature=float("inf")),
    "temperature a text": lambda: Ask("hi", temperature="hot"),  # type: ignore[arg-type]
    "top_p zero": lambda: Ask("hi", top_p=0.0),
    "top_p above one": lambda: Ask("hi", top_p=1.5),
    "n zero": lambda: Ask("hi", n=0),
    "n 1000": lambda: Ask("hi", n=1000),
    "n a fraction": lambda: Ask("hi", n=1.5),  # type: ignore[arg-type]
    "n a truth value": lambda: Ask("hi", n=True),
    "no tokens wanted": lambda: Ask("hi", max_tokens=0),
    "tokens below zero": lambda: Ask("hi", max_tokens=-1),
    "seed below zero": lambda: Ask("hi", seed=-1),
    "seed beyond 31 bits": lambda: Ask("hi", seed=2**40),
    "a billion logprobs": lambda: Ask("hi", logprobs=10**9),
    "logprobs below zero": lambda: Ask("hi", logprobs=-1),
    "empty prompt": lambda: Ask(""),
    "no messages": lambda: Ask(()),
    "role zebra": lambda: Ask((Message("zebra", "hi"),)),  # type: ignore[arg-type]
    "message without words": lambda: Ask((Message("user", ""),)),
    "message of bytes": lambda: Message("user", b"hi"),  # type: ignore[arg-type]
    "conversation that ends with the assistant": lambda: Ask((Message("assistant", "hi"),)),
    "lone surrogate in the prompt": lambda: Ask("half \ud83d"),
    "lone surrogate in the prefill": lambda: Ask("hi", prefill="\udc00"),
    "NUL in the prompt": lambda: Ask("a\x00b"),
    "prompt longer than any context": lambda: Ask("x" * 5_000_000),
    "raw conversation": lambda: Ask((Message("user", "hi"),), raw=True),
    "seventeen stop texts": lambda: Ask("hi", stop=("x",) * 17),
    "empty stop text": lambda: Ask("hi", stop=("",)),
    "bias on a token below zero": lambda: Ask("hi", logit_bias=((-1, 1.0),)),
    "bias that is no number": lambda: Ask("hi", logit_bias=((1, float("nan")),)),
    "schema that is not JSON": lambda: Ask("hi", json_schema="{"),
    "schema that is a list": lambda: Ask("hi", json_schema="[]"),
    "schema of type zzz": lambda: Ask("hi", json_schema=schema({"type": "zzz"})),
    "schema that refers to itself": lambda: Ask("hi", json_schema=schema({"$ref": "#"})),
    "schema nested forty deep": lambda: Ask("hi", json_schema=schema(DEEP)),
    "schema and grammar": lambda: Ask("hi", json_schema="{}", grammar='root ::= "a"'),
    "grammar without root": lambda: Ask("hi", grammar='start ::= "a"'),
    "grammar with an unknown rule": lambda: Ask("hi", grammar="root ::= missing"),
    "grammar with an open bracket": lambda: Ask("hi", grammar='root ::= ("a"'),
    "grammar that recurses to the left": lambda: Ask("hi", grammar='root ::= root "a" | "b"'),
    "grammar with an unknown sign": lambda: Ask("hi", grammar="root ::= $"),
    "image without bytes": lambda: Image(b""),
    "image of an unknown type": lambda: Image(b"x", "image/tiff"),
    "nothing to score": lambda: Score("hi", ()),
    "empty continuation": lambda: Score("hi", ("",)),
    "nothing to embed": lambda: Embed(()),
    "entry that is no name": lambda: Execute("1", entry="a b"),
    "no time to run": lambda: Execute("1", seconds=0),
    "file address": lambda: Fetch("file:///etc/passwd"),
}


@pytest.mark.parametrize("name", MALFORMED)
def test_malformed_requests_are_refused_in_one_sentence(name: str) -> None:
    with pytest.raises(BadRequest) as caught:
        MALFORMED[name]()
    sentence = str(caught.value)
    assert sentence.endswith((".", ")")) or sentence[-1].isalnum()
    assert "\n" not in sentence
    assert len(sentence) < 240


def test_there_are_at_least_as_many_as_were_found_in_the_wild() -> None:
    assert len(MALFORMED) >= 41


def test_good_requests_pass() -> None:
    Ask("hi", grammar='root ::= "a" | [0-9]+ tail\ntail ::= ("." | "!")? # end')
    Ask("hi", json_schema=schema({"type": ["string", "null"], "maxLength": 4}))
    Ask((Message("system", "Be brief."), Message("user", (Text("What is it?"), Image(b"\x89PNG")))))
    assert Ask("hi").messages == (Message("user", "hi"),)
