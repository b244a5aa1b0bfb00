"""A linear axis: numbers to positions in a drawing, with ticks at round numbers."""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass

LARGEST = 1e12
"""Nothing assay measures is larger; whatever is drawn stays clear of overflow."""


@dataclass(frozen=True, slots=True)
class Axis:
    """Maps [low, high] onto [start, end] of the drawing; what lies outside lands on the nearer end."""

    low: float
    high: float
    start: float
    end: float

    @classmethod
    def around(cls, values: Iterable[float], start: float, end: float, margin: float = 0.06) -> Axis:
        """The axis that holds all values with a margin; [0, 1] where there is none."""
        held = [clamp(value) for value in values if math.isfinite(value)] or [0.0, 1.0]
        low, high = min(held), max(held)
        span = high - low
        if span <= 1e-9 * max(abs(low), abs(high), 1e-6):
            span = max(abs(high) * 0.2, 0.02)
            return cls(low - span / 2, high + span / 2, start, end)
        return cls(low - span * margin, high + span * margin, start, end)

    def at(self, value: float) -> float:
        """The position of a value."""
        share = (min(max(clamp(value), self.low), self.high) - self.low) / (self.high - self.low)
        return self.start + share * (self.end - self.start)

    def holds(self, value: float) -> bool:
        """Whether the value lies on the axis."""
        return self.low <= value <= self.high

    def ticks(self, most: int) -> list[float]:
        """Round numbers on the axis, at most so many (4 or more), 0 among them where the axis holds it."""
        step = self.step(most)
        first = math.ceil(self.low / step - 1e-9)
        last = math.floor(self.high / step + 1e-9)
        return [round(i * step, 12) + 0.0 for i in range(first, last + 1)]

    def step(self, most: int) -> float:
        """The distance of ticks: 1, 2 or 5 times a power of ten."""
        raw = (self.high - self.low) / (most - 1)
        power = 10.0 ** math.floor(math.log10(raw))
        return next(m * power for m in (1, 2, 5, 10) if m * power >= raw * (1 - 1e-9))


def clamp(value: float) -> float:
    """The value within what can be drawn."""
    return min(max(value, -LARGEST), LARGEST)


def tick_text(value: float, step: float, factor: float = 1.0, *, sign: bool = False) -> str:
    """The label of a tick, with as many decimals as the step has."""
    number, step = value * factor, step * factor
    if abs(number) >= 1e5 or step < 1e-5:
        return f"{number:.3g}".replace("-", "−")
    decimals = max(0, -math.floor(math.log10(step) + 1e-9))
    plus = "+" if sign and number else ""
    return f"{number:{plus},.{decimals}f}".replace("-", "−")
