"""Finds out what an endpoint can do by asking it, with a dozen requests of a few tokens each.

A server that ignores a field in silence looks as if it had the feature; so each probe asks for
something whose effect can be seen in the reply.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any

from assay.core.errors import AssayError, BadReply, EndpointDown
from assay.core.model import Capability
from assay.models.transport import Transport

_QUESTION = [{"role": "user", "content": "Say a word."}]


@dataclass(frozen=True, slots=True)
class Probed:
    """What was found at an endpoint."""

    capabilities: frozenset[Capability]
    cap_field: str
    """What the endpoint calls the limit on new tokens."""
    counts_all: bool
    """Whether its usage counts the tokens of all n replies; llama.cpp counts one of them."""
    served: str
    """What the server says it is: its system fingerprint, or the model it names."""


async def probe(transport: Transport, model: str) -> Probed:
    """Ask what the endpoint can do; raises what a plain request raises, where not even that works."""
    cap_field, first = await _plain_chat(transport, model)
    checks: dict[Capability, Callable[[], Awaitable[bool]]] = {
        Capability.SEED: lambda: _has_seed(transport, model, cap_field),
        Capability.LOGPROBS: lambda: _has_logprobs(transport, model, cap_field),
        Capability.PREFILL: lambda: _has_prefill(transport, model, cap_field),
        Capability.JSON_SCHEMA: lambda: _has_schema(transport, model, cap_field),
        Capability.GRAMMAR: lambda: _has_grammar(transport, model, cap_field),
        Capability.LOGIT_BIAS: lambda: _has_logit_bias(transport, model, cap_field),
        Capability.TOKEN_PROMPTS: lambda: _has_token_prompts(transport, model),
        Capability.PROMPT_LOGPROBS: lambda: _has_prompt_logprobs(transport, model),
        Capability.EMBED: lambda: _has_embeddings(transport, model),
    }
    several, *found = await asyncio.gather(
        _several(transport, model, cap_field), *(_quietly(check) for check in checks.values())
    )
    capabilities = {Capability.GENERATE, Capability.CHAT} | ({Capability.N} if several else set())
    capabilities |= {capability for capability, has in zip(checks, found, strict=True) if has}
    served = f"{first.get('model', '')} {first.get('system_fingerprint') or ''}".strip()
    return Probed(frozenset(capabilities), cap_field, several == "counts all", served)


async def _quietly(check: Callable[[], Awaitable[bool]]) -> bool:
    """A probe that fails means the endpoint lacks the feature."""
    try:
        return await check()
    except (AssayError, KeyError, IndexError, TypeError, ValueError, AttributeError):
        return False


async def _chat(transport: Transport, model: str, cap: str, size: int, **more: Any) -> dict[str, Any]:
    body = {"model": model, "messages": _QUESTION, cap: size, "temperature": 0.0, "stream": False} | more
    answer = await transport.post("/chat/completions", body, seconds=20.0)
    if not isinstance(answer, dict):
        raise BadReply(f"{transport.address} did not answer a chat with an object.")
    return answer


async def _plain_chat(transport: Transport, model: str) -> tuple[str, dict[str, Any]]:
    """Newer hosted models refuse `max_tokens` and want `max_completion_tokens`."""
    for attempt in range(3):
        try:
            return "max_tokens", await _chat(transport, model, "max_tokens", 1)
        except BadReply as error:
            if "max_completion_tokens" not in str(error):
                raise
            return "max_completion_tokens", await _chat(transport, model, "max_completion_tokens", 16)
        except EndpointDown as error:
            if attempt == 2 or "Nothing answers" in error.message:
                raise
            await asyncio.sleep(min(error.retry_after or 0.3, 5.0))
    raise AssertionError("unreachable")


def _text(answer: dict[str, Any]) -> str:
    return str(answer["choices"][0]["message"]["content"])


async def _several(transport: Transport, model: str, cap: str) -> str:
    """Whether n works, and whether the usage then counts every reply: two replies of two tokens."""
    question = [{"role": "user", "content": "Write a long story."}]
    try:
        answer = await _chat(transport, model, cap, 2, n=2, messages=question)
        if len(answer["choices"]) != 2:
            return ""
        return "counts all" if answer["usage"]["completion_tokens"] == 4 else "counts one"
    except (AssayError, KeyError, TypeError):
        return ""


async def _has_seed(transport: Transport, model: str, cap: str) -> bool:
    """Two seeds differ somewhere and the same seed does not: the field is honoured."""
    texts = [_text(await _chat(transport, model, cap, 12, seed=s, temperature=1.5)) for s in (1, 1, 2, 3)]
    return texts[0] == texts[1] and len(set(texts)) > 1


async def _has_logprobs(transport: Transport, model: str, cap: str) -> bool:
    answer = await _chat(transport, model, cap, 1, logprobs=True, top_logprobs=2)
    return len(answer["choices"][0]["logprobs"]["content"][0]["top_logprobs"]) == 2


async def _has_prefill(transport: Transport, model: str, cap: str) -> bool:
    """A counting assistant that is cut off goes on counting, if the server lets it go on at all."""
    begun = "1, 2, 3, 4, 5, 6, 7,"
    messages = [
        {"role": "user", "content": "Count from 1 to 20, separated by commas."},
        {"role": "assistant", "content": begun},
    ]
    text = _text(await _chat(transport, model, cap, 6, messages=messages))
    return text.removeprefix(begun).lstrip().startswith("8")


async def _has_schema(transport: Transport, model: str, cap: str) -> bool:
    schema = {
        "type": "object",
        "properties": {"zq": {"type": "string", "enum": ["kx"]}},
        "required": ["zq"],
        "additionalProperties": False,
    }
    shape = {"type": "json_schema", "json_schema": {"name": "probe", "strict": True, "schema": schema}}
    answer = await _chat(transport, model, cap, 24, response_format=shape)
    return bool(json.loads(_text(answer)) == {"zq": "kx"})


async def _has_grammar(transport: Transport, model: str, cap: str) -> bool:
    return _text(await _chat(transport, model, cap, 8, grammar='root ::= "zqkx"')).strip() == "zqkx"


async def _has_logit_bias(transport: Transport, model: str, cap: str) -> bool:
    """Each of two tokens, made certain, changes the reply."""
    texts = [_text(await _chat(transport, model, cap, 1, logit_bias={str(t): 100})) for t in (300, 400)]
    return texts[0] != texts[1]


async def _has_token_prompts(transport: Transport, model: str) -> bool:
    body = {"model": model, "prompt": [300, 301, 302], "max_tokens": 1, "temperature": 0.0}
    return "text" in (await transport.post("/completions", body, seconds=20.0))["choices"][0]


async def _has_prompt_logprobs(transport: Transport, model: str) -> bool:
    """llama.cpp accepts `echo` and ignores it: only a list that covers the prompt counts."""
    prompt = "The capital of France is Paris, on the Seine."
    body = {
        "model": model,
        "prompt": prompt,
        "max_tokens": 1,
        "temperature": 0.0,
        "echo": True,
        "logprobs": 1,
    }
    choice = (await transport.post("/completions", body, seconds=20.0))["choices"][0]
    listed = choice["logprobs"]
    return choice["text"].startswith(prompt) and len(listed["token_logprobs"]) == len(listed["text_offset"]) > 4


async def _has_embeddings(transport: Transport, model: str) -> bool:
    """Two texts have two vectors, and not the same one."""
    body = {"model": model, "input": ["a cat", "the stock market"]}
    rows = (await transport.post("/embeddings", body, seconds=20.0))["data"]
    return len(rows) == 2 and rows[0]["embedding"] != rows[1]["embedding"]
