"""A curve: points (dose, measure), as the answer of a flow that measured along a dose."""

from __future__ import annotations

import json
import math
from collections.abc import Sequence

Curve = tuple[tuple[float, float], ...]
"""Points (dose, measure) in rising order of the dose."""


def curve_text(points: Sequence[tuple[float, float]]) -> str:
    """The canonical text of a curve: a JSON list of pairs, sorted by dose. Numbers must be finite."""
    for x, y in points:
        if not (math.isfinite(x) and math.isfinite(y)):
            raise ValueError(f"the point ({x}, {y}) is not finite")
    return json.dumps([[x, y] for x, y in sorted(points)])


def curve_of(text: str | None) -> Curve:
    """The curve of such a text; empty where it is none."""
    try:
        return tuple((float(x), float(y)) for x, y in json.loads(text or ""))
    except (ValueError, TypeError):
        return ()


def slope(points: Sequence[tuple[float, float]]) -> float:
    """Least-squares slope of the measure in the dose; needs two different doses."""
    n = len(points)
    mean_x, mean_y = sum(x for x, _ in points) / n, sum(y for _, y in points) / n
    spread = sum((x - mean_x) ** 2 for x, _ in points)
    if spread == 0:
        raise ValueError("a slope needs two different doses")
    return sum((x - mean_x) * (y - mean_y) for x, y in points) / spread
