"""What clients are sent, in OpenAI's shapes."""

from __future__ import annotations

import secrets
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

from assay.core import Finish, Reply
from assay.core.replies import Embeddings, TokenLogprob

_FINISH = {Finish.STOP: "stop", Finish.LENGTH: "length", Finish.REFUSED: "content_filter"}


def usage_of(tokens_in: int, tokens_out: int) -> dict[str, int]:
    """Tokens spent."""
    return {"prompt_tokens": tokens_in, "completion_tokens": tokens_out, "total_tokens": tokens_in + tokens_out}


def logprobs_of(tokens: Sequence[TokenLogprob], alternatives: int) -> dict[str, Any] | None:
    """Log-probabilities as a chat lists them, with so many alternatives of each token."""
    if not tokens:
        return None

    def entry(text: str, logprob: float) -> dict[str, Any]:
        return {"token": text, "logprob": logprob, "bytes": list(text.encode("utf-8", "replace"))}

    return {
        "content": [
            entry(token.text, token.logprob)
            | {"top_logprobs": [entry(text, logprob) for _, text, logprob in token.top[:alternatives]]}
            for token in tokens
        ],
        "refusal": None,
    }


@dataclass(frozen=True, slots=True)
class Sheet:
    """One response on its way: everything that its pieces have in common."""

    model: str
    kind: Literal["chat", "text"] = "chat"
    alternatives: int = 0
    """Of each token, where log-probabilities are sent."""
    id: str = field(default_factory=lambda: secrets.token_hex(12))
    created: int = field(default_factory=lambda: int(time.time()))

    def whole(self, replies: Sequence[Reply], usage: dict[str, int], **more: Any) -> dict[str, Any]:
        """The response in one piece."""
        choices = [self._choice(index, reply) for index, reply in enumerate(replies)]
        return self._head(chunk=False) | {"choices": choices, "usage": usage} | more

    def _choice(self, index: int, reply: Reply) -> dict[str, Any]:
        listed = logprobs_of(reply.logprobs, self.alternatives)
        ending = {"index": index, "finish_reason": _FINISH[reply.finish], "logprobs": listed}
        if self.kind == "text":
            return {"text": reply.text} | ending
        return {"message": {"role": "assistant", "content": reply.text, "refusal": None}} | ending

    def begins(self, index: int) -> dict[str, Any]:
        """The first piece of a choice."""
        return self._piece(index, {"role": "assistant", "content": ""}, "")

    def says(self, index: int, text: str, tokens: Sequence[TokenLogprob] = ()) -> dict[str, Any]:
        """Some words of a choice."""
        return self._piece(index, {"content": text}, text, logprobs=logprobs_of(tokens, self.alternatives))

    def ends(self, index: int, finish: Finish, **more: Any) -> dict[str, Any]:
        """The last piece of a choice."""
        return self._piece(index, {}, "", finish_reason=_FINISH[finish]) | more

    def cost(self, usage: dict[str, int]) -> dict[str, Any]:
        """The piece with what everything cost."""
        return self._head(chunk=True) | {"choices": [], "usage": usage}

    def _piece(self, index: int, delta: dict[str, str], text: str, **more: Any) -> dict[str, Any]:
        words: dict[str, Any] = {"text": text} if self.kind == "text" else {"delta": delta}
        choice = {"index": index, "finish_reason": None, "logprobs": None} | words | more
        return self._head(chunk=True) | {"choices": [choice]}

    def _head(self, *, chunk: bool) -> dict[str, Any]:
        prefix, name = ("cmpl", "text_completion") if self.kind == "text" else ("chatcmpl", "chat.completion")
        name += ".chunk" if chunk and self.kind == "chat" else ""
        return {"id": f"{prefix}-{self.id}", "object": name, "created": self.created, "model": self.model}


def embeddings_of(model: str, found: Embeddings, *, packed: bool) -> dict[str, Any]:
    """Vectors; `packed`: each as base64 of little-endian 32-bit floats, which is what OpenAI's clients ask for."""
    from base64 import b64encode

    width = found.vectors.shape[1] * 4
    data = found.vectors.data
    rows: list[Any]
    if packed:
        rows = [b64encode(data[at : at + width]).decode() for at in range(0, len(data), width)]
    else:
        rows = found.vectors.array().tolist()
    return {
        "object": "list",
        "model": model,
        "data": [{"object": "embedding", "index": i, "embedding": row} for i, row in enumerate(rows)],
        "usage": {"prompt_tokens": found.tokens_in, "total_tokens": found.tokens_in},
    }
