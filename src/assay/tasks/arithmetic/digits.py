"""Random digits, and rewards for a fixed number of them: a policy whose best possible entropy is known.

For the entropy claim of Karpathy's "State of GPT" (2023),
https://build.microsoft.com/sessions/db3f4859-cd30-4445-a0cd-553c3304f8e2.

    =  ->  470265913380...        `DigitStrings`: every digit is as likely, whatever came before
    4702  ->  3/4                 `EvenDigits(4)`: three of four are even
    4702  ->  2/4                 `CoinTosses(4)`: as an honest coin fell, once and for all, for this reply

Both rewards take the same values equally often on random digits; only one of them can be learned. Strings
are longer than the replies that are drawn, so that no reply of a trained policy has an end to move.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from typing import TYPE_CHECKING

from assay.core.training import Example
from assay.core.validation import require_whole

if TYPE_CHECKING:
    import numpy

DIGITS, PROMPT = "0123456789", "="


@dataclass(frozen=True)
class DigitStrings:
    """After one prompt, digits drawn alike and apart: log 10 nats each."""

    length: int = 24

    def __post_init__(self) -> None:
        require_whole("The number of digits", self.length, 1, 10_000)

    @property
    def alphabet(self) -> str:
        """Ten digits and the prompt."""
        return DIGITS + PROMPT

    def examples(self, count: int, rng: numpy.random.Generator) -> list[Example]:
        """That many strings."""
        require_whole("count", count, 0, 100_000_000)
        drawn = rng.integers(0, 10, (count, self.length)).tolist()
        return [Example(PROMPT, "".join(map(str, digits))) for digits in drawn]


@dataclass(frozen=True)
class EvenDigits:
    """Share of even digits among the first `length` characters; one that is missing is not even."""

    length: int = 16

    def __post_init__(self) -> None:
        require_whole("The number of digits", self.length, 1, 10_000)

    def score(self, prompt: str, reply: str) -> float:
        """In [0, 1]; a shorter reply is never worth more."""
        return sum(character in "02468" for character in reply[: self.length]) / self.length


@dataclass(frozen=True)
class CoinTosses:
    """Share of heads in `length` tosses that belong to the reply: spread as `EvenDigits`, of no use to anyone."""

    length: int = 16

    def __post_init__(self) -> None:
        require_whole("The number of tosses", self.length, 1, 256)

    def score(self, prompt: str, reply: str) -> float:
        """In [0, 1]; always the same for the same reply."""
        tosses = int.from_bytes(hashlib.sha256(f"coin/{reply}".encode()).digest()) % (1 << self.length)
        return tosses.bit_count() / self.length
