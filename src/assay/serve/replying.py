"""Bare models that are asked by ourselves: without an HTTP endpoint of their own, or for several replies.

llama.cpp counts one reply of n in its usage. Here every reply is counted, and what untrusted text looks like a
control token stays text.
"""

from __future__ import annotations

import contextlib
from collections.abc import Awaitable, Callable, Sequence

from assay.core import Ask, Reply
from assay.core.model import Grouping, Model, stream
from assay.serve.gate import Gate
from assay.serve.shapes import Sheet, usage_of
from assay.serve.watched import Watched


class Replying(Watched):
    """The replies of a model to one request or, for a list of prompts, to several."""

    def __init__(
        self,
        opened: Callable[[], Awaitable[Model]],
        asks: Sequence[Ask],
        sheet: Sheet,
        gate: Gate,
        *,
        streams: bool,
        wants_usage: bool = False,
    ) -> None:
        super().__init__()
        self._opened = opened
        self._asks = asks
        self._sheet = sheet
        self._gate = gate
        self._streams = streams
        self._wants_usage = wants_usage

    async def answer(self) -> None:
        """All replies, in the order of prompts and samples."""
        async with self._gate.enter():
            model = await self._opened()
            if self._streams:
                await self._stream(model)
                return
            found = [await model.generate(ask, range(ask.n)) for ask in self._asks]
        replies = [reply for part in found for reply in part]
        await self.whole(self._sheet.whole(replies, _usage(found, model)))

    async def _stream(self, model: Model) -> None:
        await self.begin_events()
        found: list[list[Reply]] = []
        for ask in self._asks:
            first = sum(len(part) for part in found)
            part: list[Reply] = []
            if self._sheet.kind == "chat":
                for index in range(ask.n):
                    await self.event(self._sheet.begins(first + index))
            async with contextlib.aclosing(stream(model, ask, range(ask.n))) as pieces:
                async for piece in pieces:
                    index = first + piece.index
                    if piece.text or piece.tokens:
                        await self.event(self._sheet.says(index, piece.text, piece.tokens))
                    if piece.reply is not None:
                        part.append(piece.reply)
                        await self.event(self._sheet.ends(index, piece.reply.finish))
            found.append(part)
        if self._wants_usage:
            await self.event(self._sheet.cost(_usage(found, model)))
        await self.end(b"data: [DONE]\n\n")


def _usage(found: Sequence[Sequence[Reply]], model: Model) -> dict[str, int]:
    """Every reply's tokens; the prompt's once, unless the endpoint has no n and was sent it again."""
    billed = [part if model.grouping is Grouping.SINGLY else part[:1] for part in found]
    tokens_in = sum(reply.tokens_in for part in billed for reply in part)
    return usage_of(tokens_in, sum(reply.tokens_out for part in found for reply in part))
