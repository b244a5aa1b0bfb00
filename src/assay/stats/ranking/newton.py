"""Newton's method on a concave log-likelihood of strengths, of which only differences count."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from .basis import FloatArray

MOST_STEPS = 60
MOST_HALVINGS = 40


@dataclass(frozen=True, eq=False)
class Local:
    """A log-likelihood at one point: value, gradient, and minus its second derivatives."""

    value: float
    gradient: FloatArray
    information: FloatArray


@dataclass(frozen=True, eq=False)
class Maximum:
    """Where the likelihood is highest, and how it curves there."""

    point: FloatArray
    information: FloatArray
    """With the gauge added, so that it can be inverted."""
    steps: int
    converged: bool


def maximise(
    local: Callable[[FloatArray], Local], start: FloatArray, gauge: FloatArray, tolerance: float = 1e-10
) -> Maximum:
    """Newton steps from `start`, halved where the likelihood would fall, until one is shorter than `tolerance`.

    Args:
        local: the likelihood; singular exactly along the directions that `gauge` fills.
        start: a point at which the gauge's sums are 0, as they stay.
        gauge: a matrix added to the information: 1 1^T / n in the block of every component.
        tolerance: of the largest move, in natural units.
    """
    point, here = start, local(start)
    for steps in range(1, MOST_STEPS + 1):
        move = np.linalg.solve(here.information + gauge, here.gradient)
        for _ in range(MOST_HALVINGS):
            there = local(point + move)
            # Rounding of a sum over many battles: a likelihood that is as good as equal is no fall.
            if there.value >= here.value - 1e-12 * abs(here.value):
                break
            move = move / 2
        point, here = point + move, there
        if float(np.abs(move).max()) < tolerance:
            return Maximum(point, here.information + gauge, steps, True)
    return Maximum(point, here.information + gauge, MOST_STEPS, False)


def gauge_of(component: np.ndarray, further: int = 0) -> FloatArray:
    """1 1^T / n in the block of every component, and nothing for `further` parameters behind the strengths."""
    n = len(component)
    size = np.bincount(component)[component].astype(np.float64)
    full = np.zeros((n + further, n + further))
    full[:n, :n] = (component[:, None] == component[None, :]) / size
    return full
