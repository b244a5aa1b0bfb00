"""What the lab asks of a model. Backends live in `models`; nothing else knows how one is reached."""

from __future__ import annotations

import contextlib
import hashlib
import json
from collections.abc import AsyncGenerator, Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Protocol, runtime_checkable

from assay.core.replies import Embeddings, Piece, Reading, Reply, Scores
from assay.core.requests import Ask, Embed, Read, Score


class Capability(StrEnum):
    """What a model can do. Found by probing at connect, never guessed from a name."""

    GENERATE = "generate"
    CHAT = "chat"
    PREFILL = "prefill"
    """The assistant's turn can be begun for it."""
    N = "n"
    """Several replies in one request."""
    SEED = "seed"
    LOGPROBS = "logprobs"
    """Log-probabilities of generated tokens."""
    PROMPT_LOGPROBS = "prompt_logprobs"
    LOGIT_BIAS = "logit_bias"
    JSON_SCHEMA = "json_schema"
    GRAMMAR = "grammar"
    TOKEN_PROMPTS = "token_prompts"
    SCORE = "score"
    """Log-probability of a given continuation, by whichever route."""
    EMBED = "embed"
    VISION = "vision"
    TOKENS = "tokens"
    """Texts can be turned into its token ids."""
    LOGITS = "logits"
    """The whole next-token distribution is open: it can be read, and changed while it writes."""
    ACTIVATIONS = "activations"
    """Hidden states can be read."""
    WEIGHTS = "weights"
    TRAIN = "train"
    """Weights can be made: organisms on this machine, or a pretrained model trained further."""
    SCRATCH = "networks of its own sizes and tokenizers"
    """Networks can be made as recipes say; pretrained weights have one size and one tokenizer."""
    OBSERVER = "observer"
    """It was connected with a second model of the same tokenizer."""


WHITE_BOX = frozenset({Capability.LOGITS, Capability.ACTIVATIONS, Capability.WEIGHTS, Capability.OBSERVER})
"""What only an open network has."""


class Grouping(StrEnum):
    """How samples of one prompt are best sent."""

    TOGETHER = "together"
    """In one request with n: the endpoint bills and evaluates the prompt once."""
    BY_SLOT = "by slot"
    """One after another in the slot that holds the prompt, and together only where slots would idle."""
    SINGLY = "singly"
    """The endpoint has no n."""


@dataclass(frozen=True, slots=True)
class Fingerprint:
    """Which model exactly: the same fingerprint must mean the same distribution over replies."""

    hash: str
    """Short hash over everything in `parts`."""
    parts: tuple[tuple[str, str], ...] = field(default=())
    """What went into it: weights, quantisation, chat template, engine build, address."""

    @classmethod
    def of(cls, parts: Mapping[str, str]) -> Fingerprint:
        """The fingerprint of everything that makes a model what it is."""
        digest = hashlib.sha256(json.dumps(dict(parts), sort_keys=True).encode()).hexdigest()[:16]
        return cls(digest, tuple(sorted(parts.items())))


class Model(Protocol):
    """Answers requests. Safe to call many times at once; `slots` says how many times is best."""

    @property
    def name(self) -> str:
        """The name a user types."""
        ...

    @property
    def fingerprint(self) -> Fingerprint:
        """Identity for caches and records."""
        ...

    @property
    def capabilities(self) -> frozenset[Capability]:
        """What it can do."""
        ...

    @property
    def slots(self) -> int:
        """Requests it works on at the same time."""
        ...

    @property
    def grouping(self) -> Grouping:
        """How samples of one prompt are best sent."""
        ...

    async def generate(self, request: Ask, indexes: Sequence[int]) -> tuple[Reply, ...]:
        """One reply per sample index. `request.seed` is set; sample i is drawn with seed + i."""
        ...

    async def score(self, request: Score) -> Scores:
        """Log-probabilities of the continuations, in nats."""
        ...

    async def read(self, request: Read) -> Reading:
        """What it makes of a text it did not write."""
        ...

    async def embed(self, request: Embed) -> Embeddings:
        """One vector per text."""
        ...

    async def close(self) -> None:
        """Let go of connections; the model cannot be used afterwards."""
        ...


@runtime_checkable
class Streams(Protocol):
    """A model that can be watched while it writes."""

    def stream(self, request: Ask, indexes: Sequence[int]) -> AsyncGenerator[Piece]:
        """The same replies as `generate`, piece by piece; closing it stops the model."""
        ...


async def stream(model: Model, request: Ask, indexes: Sequence[int]) -> AsyncGenerator[Piece]:
    """Pieces of the replies of any model; of one that cannot stream each reply is a single piece."""
    if not isinstance(model, Streams):
        for index, reply in zip(indexes, await model.generate(request, indexes), strict=True):
            yield Piece(index, reply.text, reply.logprobs, reply)
        return
    # A generator inside a loop is not closed with the loop: the server would go on writing.
    async with contextlib.aclosing(model.stream(request, indexes)) as pieces:
        async for piece in pieces:
            yield piece


@runtime_checkable
class PerSample(Protocol):
    """A model that has an own voice for every sample of every arm: a recorded transcript."""

    def for_sample(self, arm: str, item: str) -> Model:
        """The model that answers this one flow."""
        ...


@runtime_checkable
class Trainable(Protocol):
    """A model that stands for what is trained: organisms as their recipes say, or weights to begin with."""

    @property
    def begins_with(self) -> str:
        """Folder or hub name of pretrained weights; empty: the recipe's own beginning."""
        ...

    @property
    def identity(self) -> str:
        """What tells those weights from others, wherever they lie."""
        ...
