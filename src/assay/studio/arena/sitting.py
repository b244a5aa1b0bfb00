"""A sitting: pairs of replies in a drawn order, on drawn sides, the next one made while one is read.

A browser is told a battle's id, which is drawn too, its prompt and its two texts; who wrote them it is told with
the vote.
"""

from __future__ import annotations

import asyncio
import hashlib
import json
import random
import secrets
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field

from assay.core import AssayError


@dataclass(frozen=True, slots=True)
class Said:
    """What one contender replied."""

    name: str
    text: str


@dataclass(frozen=True, slots=True)
class Battle:
    """Two replies to one prompt, on the sides on which they are shown."""

    prompt: str
    left: Said
    right: Said
    id: str = field(default_factory=lambda: secrets.token_urlsafe(12))

    @property
    def key(self) -> str:
        """The same for the same two replies of the same two to the same prompt, on whichever side they stand."""
        sides = sorted([side.name, side.text] for side in (self.left, self.right))
        body = json.dumps([self.prompt, sides]).encode()
        return hashlib.sha256(body).hexdigest()[:24]


Pair = tuple[str, Said, Said]
"""A prompt and two replies, in an order that says nothing."""
Start = Callable[[], Awaitable[Pair | None]]
"""Makes a pair; None where one of the two has no reply."""


class Sitting:
    """Belongs to one event loop. `known` tells of a battle's key whether there is a vote on it."""

    def __init__(self, starts: Sequence[Start], known: Callable[[str], Awaitable[bool]], seed: int) -> None:
        self._rng = random.Random(seed)
        self._starts = list(starts)
        self._rng.shuffle(self._starts)
        self._known = known
        self._coming: asyncio.Task[Battle | None] | None = None
        self.open: Battle | None = None
        self.equal = 0
        """Pairs left out because both replies are the same."""
        self.missing = 0
        """Pairs left out because a reply is missing."""
        self.voted = 0
        """Pairs left out because there is a vote on them."""

    async def next(self) -> Battle | None:
        """The battle that waits for a vote, or the next one; None where there is no more.

        Raises:
            AssayError: a reply could not be made; its pair is dropped, and who asks again gets the next one.
        """
        if self.open is None:
            task = self._coming = self._coming or asyncio.create_task(self._make())
            try:
                # Shielded: a browser that leaves must not stop what the next look will want.
                found = await asyncio.shield(task)
            except AssayError:
                self._coming = None if self._coming is task else self._coming
                raise
            # Of two tabs that waited for one pair the first opens it, and both show it.
            if self._coming is task:
                self._coming = asyncio.create_task(self._make()) if found else None
                self.open = found
        return self.open

    def close(self, battle: Battle) -> None:
        """Done with it, voted on or skipped."""
        if self.open is battle:
            self.open = None

    async def end(self) -> None:
        """Stop making pairs."""
        if self._coming is not None:
            self._coming.cancel()
            await asyncio.gather(self._coming, return_exceptions=True)

    async def _make(self) -> Battle | None:
        while self._starts:
            pair = await self._starts.pop()()
            if pair is None:
                self.missing += 1
                continue
            prompt, *sides = pair
            self._rng.shuffle(sides)
            left, right = sides
            battle = Battle(prompt, left, right)
            if battle.left.text == battle.right.text:
                self.equal += 1
            elif await self._known(battle.key):
                self.voted += 1
            else:
                return battle
        return None
