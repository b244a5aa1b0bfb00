"""Requests and replies as JSON and back: for traces, for the cache and for recorded transcripts."""

from __future__ import annotations

import dataclasses
import hashlib
import json
from base64 import b64decode, b64encode
from typing import Any

from assay.core.replies import (
    AnyReply,
    Embeddings,
    Ended,
    Execution,
    Finish,
    Numbers,
    Page,
    Reading,
    Reply,
    Scores,
    TokenLogprob,
    Used,
)
from assay.core.requests import Ask, Image, Request
from assay.core.training import Made, Recipe


def request_to_json(request: Request) -> dict[str, Any]:
    """A request as JSON, its kind included; fields that have their default value are left out."""
    fields = {
        field.name: _plain(value)
        for field in dataclasses.fields(request)
        if (value := getattr(request, field.name)) != field.default
    }
    return {"kind": type(request).__name__.lower(), **fields}


def shown(fields: dict[str, Any]) -> dict[str, Any]:
    """A request's JSON for a trace: the secret key of a processor is replaced by its digest."""
    held = fields.get("processor")
    if held is None:
        return fields
    try:
        spec = json.loads(held["processor"])
    except ValueError:
        return fields
    if isinstance(spec, dict) and "key" in spec:
        spec["key"] = "sha256:" + hashlib.sha256(str(spec["key"]).encode()).hexdigest()[:12]
    return fields | {"processor": {"processor": json.dumps(spec, sort_keys=True)}}


def _plain(value: Any) -> Any:
    if isinstance(value, Image):
        return {"image": b64encode(value.data).decode(), "media_type": value.media_type}
    if isinstance(value, Numbers):
        return {"float32": b64encode(value.data).decode(), "shape": list(value.shape)}
    if isinstance(value, Recipe):
        return value.spec()
    if hasattr(value, "spec"):
        return {"processor": value.spec()}
    if dataclasses.is_dataclass(value):
        return {field.name: _plain(getattr(value, field.name)) for field in dataclasses.fields(value)}
    if isinstance(value, tuple | list):
        return [_plain(part) for part in value]
    return value


def reply_to_json(reply: AnyReply) -> Any:
    """The answer to a request as JSON; a list of objects for an `Ask`, one object otherwise."""
    if isinstance(reply, tuple):
        return [_reply_fields(one) for one in reply]
    fields = dataclasses.fields(reply)
    if isinstance(reply, Reading):
        # Most of what a reading could hold was not wanted.
        fields = tuple(field for field in fields if getattr(reply, field.name) != field.default)
    return {field.name: _plain(getattr(reply, field.name)) for field in fields}


def _reading_from_json(value: dict[str, Any]) -> Reading:
    found: dict[str, Any] = {}
    for name, part in value.items():
        if isinstance(part, dict):
            part = _numbers(part)
        found[name] = tuple(part) if isinstance(part, list) else part
    return Reading(**found)


def _numbers(value: dict[str, Any]) -> Numbers:
    return Numbers(b64decode(value["float32"]), tuple(value["shape"]))


def _reply_fields(reply: Reply) -> dict[str, Any]:
    fields: dict[str, Any] = {
        "text": reply.text,
        "finish": reply.finish.value,
        "tokens_in": reply.tokens_in,
        "tokens_out": reply.tokens_out,
        "seconds": round(reply.seconds, 6),
        "cpu_seconds": round(reply.cpu_seconds, 6),
    }
    if reply.logprobs:
        fields["logprobs"] = [[t.id, t.text, t.logprob, _plain(t.top)] for t in reply.logprobs]
    return fields


def reply_from_json(fields: dict[str, Any]) -> Reply:
    """One reply of an `Ask`."""
    logprobs = tuple(
        TokenLogprob(id, text, logprob, tuple((i, t, p) for i, t, p in top))
        for id, text, logprob, top in fields.get("logprobs", ())
    )
    return Reply(
        text=str(fields["text"]),
        finish=Finish(fields.get("finish", "stop")),
        tokens_in=int(fields.get("tokens_in", 0)),
        tokens_out=int(fields.get("tokens_out", 0)),
        logprobs=logprobs,
        seconds=float(fields.get("seconds", 0.0)),
        cpu_seconds=float(fields.get("cpu_seconds", 0.0)),
    )


def answer_from_json(kind: str, value: Any) -> AnyReply:
    """The answer to a request of that kind, as `reply_to_json` wrote it."""
    if kind == "ask":
        return tuple(reply_from_json(fields) for fields in value)
    if kind == "score":
        return Scores(**{**value, "logprobs": tuple(value["logprobs"]), "tokens": tuple(value["tokens"])})
    if kind == "read":
        return _reading_from_json(value)
    if kind == "embed":
        return Embeddings(**{**value, "vectors": _numbers(value["vectors"])})
    if kind == "execute":
        return Execution(**{**value, "ended": Ended(value["ended"])})
    if kind == "make":
        return Made(**{**value, "curve": tuple(value["curve"])})
    if kind == "use":
        return Used(**value)
    assert kind == "fetch", f"unknown kind of request {kind!r}"
    return Page(**value)


def cache_key(fingerprint: str, request: Request, index: int = 0) -> bytes:
    """Key of one reply: which model, the whole request, and which of its samples.

    `n` is left out, so that sample 3 of 8 is also sample 3 of 16.
    """
    if isinstance(request, Ask):
        request = dataclasses.replace(request, n=1)
    text = json.dumps([fingerprint, request_to_json(request), index], sort_keys=True, ensure_ascii=False)
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).digest()
