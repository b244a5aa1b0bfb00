"""A guard that stops a loop which goes round and round, instead of warning of it.

Source    none of its own: what users of Auto-GPT and BabyAGI complained of most is the same action over and over.
Here      An action and what came of it are one fingerprint. The third time it comes up, or when a cycle of two to
          four fingerprints has come round twice, the agent is told; the next such time it is stopped.
Departs   -
Needs     nothing.
Costs     nothing.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum

from assay.core.agents import ToolCall

SAME = 3
LONGEST_CYCLE = 4
WARNING = "You have done this before and the same came of it. Do something else."


def reminded(seen: list[str], warned: bool) -> list[str]:
    """What a prompt shows: the warning too where one is due, unless a memory has recalled it anyway."""
    return [*seen, WARNING] if warned and WARNING not in seen else seen


class Verdict(StrEnum):
    """What the guard makes of an action."""

    GO_ON = "go on"
    WARN = "warn"
    STOP = "stop"


@dataclass(slots=True)
class LoopGuard:
    """Watches one loop."""

    history: list[tuple[ToolCall, str]] = field(default_factory=list)
    warned: bool = False

    def see(self, call: ToolCall, observation: str) -> Verdict:
        """Note an action with its observation, and say whether it goes in circles."""
        self.history.append((call, observation))
        if not self._circles():
            return Verdict.GO_ON
        if self.warned:
            return Verdict.STOP
        self.warned = True
        return Verdict.WARN

    def _circles(self) -> bool:
        if self.history.count(self.history[-1]) >= SAME:
            return True
        for length in range(2, LONGEST_CYCLE + 1):
            if len(self.history) >= 2 * length and self.history[-length:] == self.history[-2 * length : -length]:
                return True
        return False
