"""The trace of a sample as blocks of text: what was asked, with which parameters, and what came back."""

from __future__ import annotations

import base64
import binascii
import json
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from assay.report.readings import (
    MARKUP,
    Tint,
    is_numbers,
    least_expected,
    listed,
    shape_text,
    summary_lines,
    tints,
    wanted_words,
)
from assay.report.wording import plain_details, typographic, visible

LONGEST_TEXT = 20_000
OPEN_UP_TO = 700
LARGEST_IMAGE = 200_000
LONGEST_KEY = 6
"""Digits of a watermark's key that may be shown; of a longer one the last four are."""
_LONG_NUMBER = re.compile(r"\d{7,}")
IMAGE_TYPES = ("image/png", "image/jpeg", "image/webp", "image/gif")


@dataclass(frozen=True, slots=True)
class Shown:
    """A text as a page shows it: nothing in it acts, and it is cut where it is very long."""

    text: str
    length: int
    """Characters of the original."""

    left_out: int = 0
    """Characters beyond the cut."""

    @classmethod
    def of(cls, text: str, longest: int = LONGEST_TEXT) -> Shown:
        """The text with its unseen characters written out."""
        return cls(visible(text[:longest]), len(text), max(0, len(text) - longest))

    @property
    def is_long(self) -> bool:
        """Whether it is folded away at first."""
        return self.length > OPEN_UP_TO or self.text.count("\n") > 16

    @property
    def start(self) -> str:
        """Its first words, for the line that unfolds it."""
        return " ".join(self.text[:200].split())[:90]


@dataclass(frozen=True, slots=True)
class Block:
    """One labelled text of an exchange."""

    label: str
    body: Shown
    got: bool = False
    """Whether it came back, or else was sent."""
    image: str = ""
    """A data address, where the block is a picture."""
    strip: tuple[Tint, ...] = ()
    """The tokens of a text that was read, to be tinted by their log-probability."""


@dataclass(frozen=True, slots=True)
class Exchange:
    """A request with its reply."""

    kind: str
    parameters: str
    blocks: tuple[Block, ...]

    @property
    def size(self) -> int:
        """Characters that a page spends on it."""
        strips = sum(MARKUP + len(tint.text) for block in self.blocks for tint in block.strip)
        return strips + sum(len(block.body.text) + len(block.image) for block in self.blocks)


def exchanges(steps: Sequence[Any]) -> list[list[Exchange]]:
    """The exchanges of each step. A trace of an unknown shape is shown as it is."""
    return [[_exchange(pair) for pair in (step if isinstance(step, list | tuple) else [step])] for step in steps]


def _exchange(pair: Any) -> Exchange:
    try:
        request, reply = dict(pair["request"]), pair["reply"]
        kind = str(request.pop("kind"))
        blocks = (*_sent(request, kind), *_RECEIVED.get(kind, _received_plain)(reply, request))
    except (AttributeError, KeyError, TypeError, ValueError, OverflowError):
        return Exchange("unknown", "", (Block("as recorded", _json(pair)),))
    parameters = ", ".join(f"{name} {value}" for name, value in plain_details(request))
    return Exchange(visible(kind), parameters[:2_000], blocks)


def _sent(request: dict[str, Any], kind: str) -> Iterator[Block]:
    """Takes the texts out of the request; what stays in it are parameters."""
    if kind == "read":
        yield from _read(request)
    prompt = request.pop("prompt", None)
    if isinstance(prompt, str):
        yield Block("prompt" if request.get("raw") else "user", Shown.of(prompt))
    elif prompt is not None:
        for message in prompt:
            yield from _message(message)
    for name in ("prefill", "code", "stdin", "url", "grammar", "json_schema"):
        if text := request.pop(name, ""):
            yield Block(name.replace("_", " "), Shown.of(str(text)))
    for text in request.pop("texts", ()):
        yield Block("text", Shown.of(str(text)))
    if processor := request.pop("processor", None):
        yield Block("processor", Shown.of(_processor(processor)))


def _read(request: dict[str, Any]) -> Iterator[Block]:
    """The text stays in the request: its reply is told along it."""
    text = request["text"]
    if context := request.pop("context", ""):
        yield Block("context", Shown.of(str(context)))
    if isinstance(text, str):
        yield Block("text to read", Shown.of(text))
    else:
        yield Block(f"text to read, {_tokens(len(text))} by id", Shown.of(listed(text)))
    yield Block("wanted", Shown.of(wanted_words(request)))


def _processor(processor: Any) -> str:
    """The parameters of a change to the logits as one line of JSON, long keys all but hidden."""
    spec = processor.get("processor") if isinstance(processor, Mapping) else processor
    if not isinstance(spec, str):
        return json.dumps(_hidden(spec), ensure_ascii=False, default=str)
    try:
        return json.dumps(_hidden(json.loads(spec)), ensure_ascii=False)
    except (ValueError, RecursionError):
        return _LONG_NUMBER.sub(lambda found: f"…{found[0][-4:]}", spec)


def _hidden(value: Any, secret: bool = False) -> Any:
    if isinstance(value, Mapping):
        return {name: _hidden(part, secret or "key" in str(name).lower()) for name, part in value.items()}
    if isinstance(value, list):
        return [_hidden(part, secret) for part in value]
    if secret and isinstance(value, int | str) and len(str(value)) > LONGEST_KEY:
        return f"…{str(value)[-4:]}"
    return value


def _message(message: Mapping[str, Any]) -> Iterator[Block]:
    role, content = visible(str(message["role"])), message["content"]
    for part in [{"text": content}] if isinstance(content, str) else content:
        yield _picture(role, part) if "image" in part else Block(role, Shown.of(str(part["text"])))


def _picture(role: str, part: Mapping[str, Any]) -> Block:
    data, kind = str(part["image"]), str(part.get("media_type", "image/png"))
    words = Shown.of(f"[picture, {kind}, {len(data) * 3 // 4:,} bytes]")
    try:
        base64.b64decode(data, validate=True)
    except (binascii.Error, ValueError):
        return Block(role, words)
    fits = len(data) <= LARGEST_IMAGE and kind in IMAGE_TYPES
    return Block(role, words, image=f"data:{kind};base64,{data}" if fits else "")


def _received_replies(replies: Any, _: dict[str, Any]) -> Iterator[Block]:
    for i, reply in enumerate(replies, 1):
        name = "reply" if len(replies) == 1 else f"reply {i}"
        ended = str(reply.get("finish", "stop"))
        label = f"{name}, {visible(ended)}, {_tokens(reply.get('tokens_out', 0))}"
        yield Block(label, Shown.of(str(reply["text"])), got=True)


def _received_scores(scores: Any, request: dict[str, Any]) -> Iterator[Block]:
    texts, best = request.pop("continuations", ()), max(scores["logprobs"], default=None)
    for text, logprob, tokens in zip(texts, scores["logprobs"], scores["tokens"], strict=True):
        likeliest = ", likeliest" if logprob == best else ""
        label = f"continuation, log-probability {logprob:.3f}, {_tokens(tokens)}{likeliest}"
        yield Block(label, Shown.of(str(text)), got=True)


def _received_reading(reading: Any, request: dict[str, Any]) -> Iterator[Block]:
    text, count = request.pop("text"), len(reading["tokens"])
    lines = list(summary_lines(reading, request.pop("vocabulary", ())))
    if not lines:
        lines = [f"token ids: {listed(reading['tokens'])}"]
    yield Block(f"reading, {_tokens(count)}", Shown.of(typographic("\n".join(lines))), got=True)
    if strip := tints(text, reading):
        least = f"least expected: {least_expected(strip)}"
        yield Block("log-probability of each token", Shown.of(least), got=True, strip=strip)


def _received_vectors(reply: Any, _: dict[str, Any]) -> Iterator[Block]:
    yield Block("vectors", Shown.of(f"{shape_text(reply['vectors'])} numbers"), got=True)


def _received_execution(execution: Any, _: dict[str, Any]) -> Iterator[Block]:
    how = ", ".join(
        visible(str(word)) for word in (execution.get("ended"), execution.get("tier")) if word is not None and word
    )
    if execution.get("has_value"):
        yield Block(f"value, {how}", _json(execution.get("value")), got=True)
    for name in ("stdout", "error"):
        if text := execution.get(name):
            yield Block(f"{name}, {how}", Shown.of(str(text)), got=True)
    if not (execution.get("has_value") or execution.get("stdout") or execution.get("error")):
        yield Block(f"no value, {how}", Shown.of(""), got=True)


def _received_page(page: Any, _: dict[str, Any]) -> Iterator[Block]:
    label = (
        f"page, status {page['status']}, {visible(str(page['content_type']))}, from {visible(str(page['url']))}"
    )
    yield Block(label, Shown.of(str(page["text"])), got=True)


def _received_plain(reply: Any, _: dict[str, Any]) -> Iterator[Block]:
    yield Block("reply", _json(reply), got=True)


_RECEIVED = {
    "ask": _received_replies,
    "score": _received_scores,
    "read": _received_reading,
    "embed": _received_vectors,
    "execute": _received_execution,
    "fetch": _received_page,
}


def _tokens(count: Any) -> str:
    return "1 token" if count == 1 else f"{visible(str(count))} tokens"


def _json(value: Any) -> Shown:
    return Shown.of(json.dumps(_readable(value), ensure_ascii=False, indent=1, default=str))


def _readable(value: Any) -> Any:
    """The value without what nobody reads: arrays and pictures are named, keys hidden."""
    if is_numbers(value):
        return f"[numbers, {shape_text(value)}]"
    if isinstance(value, Mapping):
        if set(value) == {"processor"}:
            return {"processor": _processor(value)}
        pictured = "image" in value and isinstance(value["image"], str)
        value = {**value, "image": f"[picture, {len(value['image']):,} characters]"} if pictured else value
        return {str(name): _readable(part) for name, part in value.items()}
    return [_readable(part) for part in value] if isinstance(value, list | tuple) else value
