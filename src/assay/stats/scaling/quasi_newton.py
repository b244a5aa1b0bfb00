"""L-BFGS with the two stopping criteria that scipy's has by default, on numpy alone."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from .basis import FloatArray

Objective = Callable[[FloatArray], tuple[float, FloatArray]]
"""Value and gradient at a point."""
MEMORY = 10
ENOUGH_DECREASE, ENOUGH_FLATTER = 1e-3, 0.9


@dataclass(frozen=True, eq=False)
class Minimum:
    """Where a search ended: the point, its value, and how many times the objective was computed."""

    point: FloatArray
    value: float
    evaluations: int


def minimise(
    objective: Objective,
    start: FloatArray,
    value_tolerance: float = 2.220446049250313e-09,
    gradient_tolerance: float = 1e-5,
    iterations: int = 15_000,
) -> Minimum:
    """A local minimum by L-BFGS (Nocedal 1980) with steps under the strong Wolfe conditions.

    It stops where a step lowers the value by no more than value_tolerance * max(|old|, |new|, 1), or
    where no entry of the gradient exceeds gradient_tolerance: both defaults are scipy's. The 1 in the
    first makes it an absolute tolerance for objectives below 1, and so a trap for averaged ones.
    """
    point = np.array(start, dtype=np.float64)
    value, slope = objective(point)
    evaluations = 1
    steps: list[FloatArray] = []
    turns: list[FloatArray] = []
    for _ in range(iterations):
        if np.abs(slope).max() <= gradient_tolerance:
            break
        direction = _direction(slope, steps, turns)
        if direction @ slope >= 0.0:  # rounding spoilt the memory: begin again
            steps, turns, direction = [], [], -slope
        length = 1.0 if steps else min(1.0, 1.0 / float(np.linalg.norm(slope)))
        found, spent = _search(objective, (point, value, slope), direction, length)
        evaluations += spent
        if found is None:
            if not steps:
                break
            steps, turns = [], []
            continue
        new_point, new_value, new_slope = found
        step, turn = new_point - point, new_slope - slope
        if step @ turn > 1e-16 * float(turn @ turn):
            steps, turns = [*steps[1 - MEMORY :], step], [*turns[1 - MEMORY :], turn]
        gained = value - new_value
        enough = value_tolerance * max(abs(value), abs(new_value), 1.0)
        point, value, slope = new_point, new_value, new_slope
        if gained <= enough:
            break
    return Minimum(point, value, evaluations)


State = tuple[FloatArray, float, FloatArray]
"""A point, its value and its gradient."""
Probe = tuple[float, float, float]
"""A length along the direction, the value there and the slope along the direction."""


def _direction(slope: FloatArray, steps: list[FloatArray], turns: list[FloatArray]) -> FloatArray:
    """Minus the inverse Hessian of the memory times the gradient, by the two loops."""
    way, shares = slope.copy(), []
    for step, turn in zip(reversed(steps), reversed(turns), strict=True):
        shares.append(float(step @ way) / float(step @ turn))
        way -= shares[-1] * turn
    if steps:
        way *= float(steps[-1] @ turns[-1]) / float(turns[-1] @ turns[-1])
    for step, turn, share in zip(steps, turns, reversed(shares), strict=True):
        way += (share - float(turn @ way) / float(step @ turn)) * step
    return -way


def _search(objective: Objective, at: State, direction: FloatArray, length: float) -> tuple[State | None, int]:
    """A step that lowers the value enough and leaves a flatter slope (Nocedal and Wright 2006, 3.5-3.6).

    Brackets such a step by doubling, then narrows by the cubic through both ends; after 20 tries the
    lowest point found serves if it is lower than where the step began.
    """
    point, value, slope = at
    descent = float(slope @ direction)
    low: Probe = (0.0, value, descent)
    high: Probe | None = None
    best: State | None = None
    for tried in range(1, 21):
        here = point + length * direction
        there, gradient = objective(here)
        rise = float(gradient @ direction)
        if np.isfinite(there) and there < (value if best is None else best[1]):
            best = (here, there, gradient)
        if not np.isfinite(there) or there > value + ENOUGH_DECREASE * length * descent or there >= low[1]:
            high = (length, there, rise)
        elif abs(rise) <= -ENOUGH_FLATTER * descent:
            return (here, there, gradient), tried
        else:
            if rise * ((high[0] if high else np.inf) - low[0]) >= 0.0:
                high = low
            low = (length, there, rise)
        length = 2.0 * length if high is None else _between(low, high)
    return best, 20


def _between(low: Probe, high: Probe) -> float:
    """The minimum of the cubic through two points with slopes, kept off the ends of the bracket."""
    (x0, f0, g0), (x1, f1, g1) = low, high
    width = x1 - x0
    middle = x0 + 0.5 * width
    if not (np.isfinite(f1) and np.isfinite(g1)):
        return x0 + 0.1 * width
    first = g0 + g1 - 3.0 * (f0 - f1) / (x0 - x1)
    under = first * first - g0 * g1
    if under < 0.0:
        return middle
    second = np.copysign(np.sqrt(under), width)
    denominator = g1 - g0 + 2.0 * second
    if denominator == 0.0:
        return middle
    share = 1.0 - (g1 + second - first) / denominator
    return float(x0 + width * min(max(share, 0.1), 0.9))
