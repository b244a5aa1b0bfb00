"""Encoders: models that give vectors of texts and write none; and a writer that has one at its side."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from typing import Protocol, runtime_checkable

from assay.core.errors import BadRequest
from assay.core.model import Capability, Fingerprint, Grouping, Model
from assay.core.replies import Embeddings, Reading, Reply, Scores
from assay.core.requests import Ask, Embed, Read, Score
from assay.core.validation import require
from assay.models.llamacpp import ServerVocabulary
from assay.models.meter import ProcessClock
from assay.models.openai import read_embeddings
from assay.models.transport import Transport

LONGEST = 512
"""Tokens of a text that an encoder on this machine reads; what stands behind them is left out."""


class Encoder(Protocol):
    """What gives vectors of texts."""

    @property
    def name(self) -> str:
        """The name a user types."""
        ...

    @property
    def fingerprint(self) -> Fingerprint:
        """Identity for caches and records."""
        ...

    async def embed(self, request: Embed) -> Embeddings:
        """One vector per text."""
        ...

    async def close(self) -> None:
        """Let go of connections; the encoder cannot be used afterwards."""
        ...


@runtime_checkable
class Bounded(Protocol):
    """An encoder that reads the first tokens of a text and leaves out the rest."""

    @property
    def longest(self) -> int:
        """How many it reads."""
        ...

    async def lengths(self, request: Embed) -> Sequence[int]:
        """How many tokens each text has."""
        ...


class WithEncoder:
    """A model that writes with one voice and embeds with another: each request goes to whom it belongs."""

    def __init__(self, writer: Model, encoder: Encoder) -> None:
        self.name = writer.name if encoder.name == writer.name else f"{writer.name}+{encoder.name}"
        self.capabilities = writer.capabilities | {Capability.EMBED}
        self.slots = writer.slots
        self.grouping: Grouping = writer.grouping
        theirs = [(f"encoder's {name}", value) for name, value in encoder.fingerprint.parts]
        self.fingerprint = Fingerprint.of(dict((*writer.fingerprint.parts, *theirs)))
        self._writer, self._encoder = writer, encoder

    async def generate(self, request: Ask, indexes: Sequence[int]) -> tuple[Reply, ...]:
        """By the writer."""
        return await self._writer.generate(request, indexes)

    async def score(self, request: Score) -> Scores:
        """By the writer."""
        return await self._writer.score(request)

    async def read(self, request: Read) -> Reading:
        """By the writer."""
        return await self._writer.read(request)

    async def embed(self, request: Embed) -> Embeddings:
        """By the encoder."""
        return await self._encoder.embed(request)

    async def require_whole(self, request: Embed) -> None:
        """`BadRequest` where the encoder would leave out the end of a text."""
        if isinstance(self._encoder, Bounded):
            most, longest = max(await self._encoder.lengths(request)), self._encoder.longest
            require(
                most <= longest,
                f"A text has {most:,} tokens, and {self._encoder.name} reads {longest:,}; send it in parts.",
            )

    async def close(self) -> None:
        """Let go of both."""
        await asyncio.gather(self._writer.close(), self._encoder.close())


class LlamaCppEncoder:
    """An engine of our own that was started for vectors: the mean of a text's last hidden states."""

    longest = LONGEST

    def __init__(self, name: str, transport: Transport, parts: dict[str, str]) -> None:
        self.name = name
        self.transport = transport
        self.fingerprint = Fingerprint.of(parts | {"pooling": "mean"})
        self._vocabulary = ServerVocabulary(transport, has_template=False)
        self._clock = ProcessClock(transport.pid)

    async def embed(self, request: Embed) -> Embeddings:
        """One vector per text, of its first tokens where it is long."""
        rows = [tokens[:LONGEST] for tokens in await self._tokens(request)]
        if not all(rows):
            raise BadRequest("A text to embed has no tokens.")
        answer = await self.transport.post("/v1/embeddings", {"input": rows})
        vectors, tokens = read_embeddings(answer, len(rows), self.name)
        cpu = self._clock.since_last()
        return Embeddings(vectors, tokens, seconds=cpu, cpu_seconds=cpu)

    async def lengths(self, request: Embed) -> Sequence[int]:
        """How many tokens each text has."""
        return [len(tokens) for tokens in await self._tokens(request)]

    async def _tokens(self, request: Embed) -> list[list[int]]:
        return [list(await self._vocabulary.tokenize(text, begin=True)) for text in request.texts]

    async def close(self) -> None:
        """Let go of this event loop's connections; the engine ends itself when nobody uses it."""
        await self.transport.close()
