"""Approach 3 as it was published: Huber's loss on the residuals of log loss, by L-BFGS from many starts."""

import math
from itertools import product

import numpy as np

from .basis import FloatArray
from .law import Law
from .quasi_newton import Minimum, Objective, minimise
from .runs import Fit, RunTable, fit_of_law

DELTA = 1e-3
STARTS = tuple(product((0.0, 10.0, 20.0), (0.0, 10.0, 20.0), (0.0,), (0.0, 0.5, 1.0), (0.0, 0.5, 1.0)))
"""Of log A, log B, log E, alpha and beta: 81 starts."""
LOWERED = 1e-3
"""By which share of itself the summed objective may still fall for a fit that counts as converged."""
ROUNDING = 1e-7
LEAST_SHARE = 0.05


def huber(table: RunTable, averaged: bool = False, start: Law | None = None) -> Fit:
    """The law by Huber's loss (delta 1e-3) of log predicted - log loss, summed over the runs.

    L-BFGS goes from every start by scipy's default criteria, and on from the best end by sharp ones:
    the sum is below 1, where the default counts as absolute. With `averaged` the objective is divided
    by the number of runs and the search ends at the default criteria. That changes no minimum but
    stops far from it: the mistake that Besiroglu et al. 2024 (arXiv 2404.10102) found behind the
    estimates of Hoffmann et al. 2022. `converged` is put to the test: going on from the result,
    summed and sharp, must not lower the objective by more than a thousandth. With `start` that law
    is the only start. ValueError if no start ends at positive exponents.
    """
    objective = _Summed(table)
    scale = 1.0 / len(table) if averaged else 1.0

    def scaled(point: FloatArray) -> tuple[float, FloatArray]:
        value, slope = objective(point)
        return scale * value, scale * slope

    starts = STARTS if start is None else (_point(start, table),)
    ended = [minimise(scaled, np.array(one)) for one in starts]
    sound = [one for one in ended if one.point[3:].min() > 0.0 and np.abs(one.point[:3]).max() < 300.0]
    if not sound:
        raise ValueError("no law with positive exponents was found: loss must fall with size and with data")
    point = min(sound, key=lambda one: one.value).point
    if not averaged:
        point = _go_on(objective, point).point
    value, further = objective(point)[0], _go_on(objective, point)
    converged = value - further.value <= LOWERED * value + ROUNDING
    a, b, e = (math.exp(logarithm) for logarithm in point[:3])
    law = Law(e, a, b, float(point[3]), float(point[4]))
    notes: tuple[str, ...] = ()
    if not converged:
        notes = (
            f"not converged: going on from here lowers the objective by {1.0 - further.value / value:.1%}, "
            "so these numbers are where the search stopped and no estimate",
        )
    return fit_of_law("huber-mean" if averaged else "huber", law, table, value, converged, notes)


def _go_on(objective: Objective, point: FloatArray) -> Minimum:
    return minimise(objective, point, value_tolerance=1e-13, gradient_tolerance=1e-9)


def _point(law: Law, table: RunTable) -> tuple[float, ...]:
    """Where a search begins that starts at a law.

    Every part of it begins at a share of the loss at least: in logarithms a part that is nearly 0 has
    no gradient, and would stay there.
    """
    least = math.log(LEAST_SHARE * float(table.loss.min()))
    size, data = float(np.log(table.parameters).mean()), float(np.log(table.tokens).mean())
    least_of = (least + law.alpha * size, least + law.beta * data, least)
    parts = zip((law.A, law.B, law.E), least_of, strict=True)
    return (*(max(math.log(max(part, 1e-300)), low) for part, low in parts), law.alpha, law.beta)


class _Summed:
    """The summed objective and its gradient in (log A, log B, log E, alpha, beta)."""

    def __init__(self, table: RunTable) -> None:
        self._size, self._data, self._loss = np.log(table.parameters), np.log(table.tokens), np.log(table.loss)

    def __call__(self, point: FloatArray) -> tuple[float, FloatArray]:
        a, b, e, alpha, beta = point
        terms = np.stack([a - alpha * self._size, b - beta * self._data, np.full_like(self._size, e)])
        largest = terms.max(axis=0)
        shares = np.exp(terms - largest)
        total = shares.sum(axis=0)
        residual = largest + np.log(total) - self._loss
        pull = np.clip(residual, -DELTA, DELTA)
        value = float(pull @ (residual - 0.5 * pull))
        pulls = shares / total * pull
        slope = [*pulls.sum(axis=1), -float(pulls[0] @ self._size), -float(pulls[1] @ self._data)]
        return value, np.array(slope)
