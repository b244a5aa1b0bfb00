"""What was spent, and what may be spent."""

from __future__ import annotations

import math
import time
from collections.abc import Callable
from dataclasses import dataclass, fields

from assay.core.errors import BudgetExceeded, UserError


@dataclass(frozen=True, slots=True)
class Usage:
    """What something cost; additive. A cached reply counts in full: this is what the arm would pay."""

    calls: int = 0
    tokens_in: int = 0
    tokens_out: int = 0
    executions: int = 0
    seconds: float = 0.0
    """Wall seconds that model and sandbox worked on it, our own queue left out."""
    cpu_seconds: float = 0.0
    """CPU seconds of an engine on this machine; 0 where the model runs elsewhere."""

    def __add__(self, other: Usage) -> Usage:
        return Usage(*(getattr(self, f.name) + getattr(other, f.name) for f in fields(self)))

    @property
    def tokens(self) -> int:
        """Tokens in and out together."""
        return self.tokens_in + self.tokens_out


class Budget:
    """A limit on tokens, calls and wall seconds, carved out of the parent's and never copied.

    What a child spends, every ancestor has spent. A budget that is used up raises `BudgetExceeded`.
    """

    def __init__(
        self,
        *,
        tokens: float = math.inf,
        calls: float = math.inf,
        seconds: float = math.inf,
        parent: Budget | None = None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        for name, limit in (("tokens", tokens), ("calls", calls), ("seconds", seconds)):
            if not limit > 0:
                raise UserError(f"A budget of {limit:g} {name} buys nothing.", hint="Give a number above 0.")
        self._limits = {"tokens": tokens, "calls": calls, "seconds": seconds}
        self._spent = {"tokens": 0.0, "calls": 0.0}
        self._parent = parent
        self._clock = clock
        self._start = clock()

    def carve(self, *, tokens: float = math.inf, calls: float = math.inf, seconds: float = math.inf) -> Budget:
        """A child that can never spend more than is left here."""
        return Budget(tokens=tokens, calls=calls, seconds=seconds, parent=self, clock=self._clock)

    def left(self, which: str = "tokens") -> float:
        """What may still be spent of `tokens`, `calls` or `seconds`, here and in every ancestor."""
        own = self._limits[which] - self.spent(which)
        return own if self._parent is None else min(own, self._parent.left(which))

    def spent(self, which: str = "tokens") -> float:
        """What was spent so far."""
        return self._clock() - self._start if which == "seconds" else self._spent[which]

    def spend(self, usage: Usage) -> None:
        """Note what was used; never raises, for what is used is used."""
        self._spent["tokens"] += usage.tokens
        self._spent["calls"] += usage.calls
        if self._parent is not None:
            self._parent.spend(usage)

    def check(self) -> None:
        """Raise `BudgetExceeded` where nothing is left."""
        for which, limit in self._limits.items():
            if self.spent(which) >= limit:
                raise BudgetExceeded(which, self.spent(which), limit)
        if self._parent is not None:
            self._parent.check()
