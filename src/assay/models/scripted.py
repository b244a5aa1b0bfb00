"""A model whose replies are written by hand. For tests alone: its results never enter `results/`."""

from __future__ import annotations

import asyncio
import hashlib
from collections.abc import Callable, Sequence

from assay.core.model import WHITE_BOX, Capability, Fingerprint, Grouping
from assay.core.replies import Embeddings, Finish, Numbers, Reading, Reply, Scores
from assay.core.requests import Ask, Embed, Read, Score
from assay.models.meter import Meter

Script = Callable[[Ask, int], str | Reply]


class Scripted:
    """Answers every request by a function of (request, sample index)."""

    def __init__(
        self,
        script: Script,
        *,
        scores: Callable[[Score], Sequence[float]] | None = None,
        reads: Callable[[Read], Reading] | None = None,
        name: str = "scripted",
        slots: int = 8,
        grouping: Grouping = Grouping.TOGETHER,
        seconds: float = 0.0,
    ) -> None:
        self.name = name
        self.slots = slots
        self.grouping = grouping
        self.meter = Meter()
        self.fingerprint = Fingerprint(hashlib.sha256(name.encode()).hexdigest()[:16], (("script", name),))
        self.capabilities = frozenset(
            {*(Capability.GENERATE, Capability.CHAT, Capability.PREFILL, Capability.N, Capability.SEED)}
            | {Capability.EMBED}
            | ({Capability.SCORE} if scores else set())
            | ({Capability.TOKENS, *WHITE_BOX} if reads else set())
        )
        self._script = script
        self._scores = scores
        self._reads = reads
        self._seconds = seconds

    async def generate(self, request: Ask, indexes: Sequence[int]) -> tuple[Reply, ...]:
        """What the script says; a plain text counts its words as tokens."""
        await asyncio.sleep(self._seconds)
        tokens_in = sum(len(message.text.split()) for message in request.messages)
        self.meter.requests += 1
        self.meter.prompt_tokens += tokens_in
        replies = []
        for index in indexes:
            said = self._script(request, index)
            if isinstance(said, str):
                words = len(said.split())
                said = Reply(said, Finish.STOP, tokens_in, words)
            self.meter.generated_tokens += said.tokens_out
            replies.append(said)
        return tuple(replies)

    async def score(self, request: Score) -> Scores:
        """What the scoring function says."""
        assert self._scores is not None, "this script has no scores"
        values = tuple(float(value) for value in self._scores(request))
        return Scores(values, tuple(1 for _ in values), tokens_in=1)

    async def read(self, request: Read) -> Reading:
        """What the reading function says."""
        assert self._reads is not None, "this script has no readings"
        return self._reads(request)

    async def embed(self, request: Embed) -> Embeddings:
        """One number per text: its length."""
        return Embeddings(Numbers.of([[float(len(text))] for text in request.texts]))

    async def close(self) -> None:
        """Nothing to let go of."""
