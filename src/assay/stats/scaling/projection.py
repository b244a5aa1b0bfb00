"""Approach 3 by variable projection: two exponents are searched, the other three numbers are solved for."""

import math

import numpy as np

from .basis import FloatArray
from .law import Law
from .non_negative import non_negative
from .quasi_newton import minimise
from .runs import Fit, RunTable, fit_of_law

SMALLEST, LARGEST = 0.03, 3.0
"""Where exponents are looked for."""
GRID = 25
FLAT = 1e-4


def varpro(table: RunTable, start: Law | None = None) -> Fit:
    """The law by variable projection (Golub and Pereyra 1973), the fitter to begin with.

    For fixed alpha and beta the law is linear in E, A and B, which non-negative least squares gives
    exactly. So only (alpha, beta) are searched: on a grid, then by L-BFGS from its best point, or
    from the exponents of `start` alone. What is minimised is the sum of squared relative residuals,
    (predicted - loss) / loss: linear in E, A and B, noise in proportion to the loss counts alike
    everywhere, and to first order it is the residual of log loss that approach 3 has. Unlike Huber's
    it is not robust: one run that diverged moves it.
    """
    problem = _Projected(table)
    begin = problem.best_of_grid() if start is None else np.log([start.alpha, start.beta])
    scale = max(problem.value_and_slope(begin)[0], 1e-30)

    def objective(point: FloatArray) -> tuple[float, FloatArray]:
        value, slope = problem.value_and_slope(point)
        return value / scale, slope / scale

    # The scale makes the objective 1 at the start: a stop at small absolute change comes too early.
    found = minimise(objective, begin, value_tolerance=1e-14, gradient_tolerance=1e-9, iterations=500)
    ends = math.log(SMALLEST), math.log(LARGEST)
    point = np.clip(found.point, *ends)
    value, slope = problem.value_and_slope(point)
    stuck = [name for name, at in zip(("alpha", "beta"), point, strict=True) if at in ends]
    law = problem.law(point)
    notes = tuple(
        f"{name} is not identified: it ran to the end of the search, {SMALLEST} to {LARGEST}" for name in stuck
    )
    converged = bool(np.abs(slope).max() <= FLAT * scale) or bool(stuck)
    return fit_of_law("varpro", law, table, value, converged, notes)


class _Projected:
    """The sum of squared relative residuals as a function of log alpha and log beta alone.

    Sizes and token counts are taken relative to their geometric means, so that columns of any
    exponent are of order 1.
    """

    def __init__(self, table: RunTable) -> None:
        size, data = np.log(table.parameters), np.log(table.tokens)
        self._middle = float(size.mean()), float(data.mean())
        self._size, self._data = size - self._middle[0], data - self._middle[1]
        self._weight = 1.0 / table.loss

    def best_of_grid(self) -> FloatArray:
        """The point of the grid with the lowest objective."""
        axis = np.linspace(math.log(SMALLEST), math.log(LARGEST), GRID)
        exponents = np.exp(axis)[:, None]
        by_size = self._weight * np.exp(-exponents * self._size)
        by_data = self._weight * np.exp(-exponents * self._data)
        gram = np.empty((GRID, GRID, 3, 3))
        moments = np.empty((GRID, GRID, 3))
        gram[..., 0, 0], moments[..., 0] = self._weight @ self._weight, self._weight.sum()
        gram[..., 1, 1], moments[..., 1] = (by_size**2).sum(axis=1)[:, None], by_size.sum(axis=1)[:, None]
        gram[..., 2, 2], moments[..., 2] = (by_data**2).sum(axis=1), by_data.sum(axis=1)
        gram[..., 0, 1] = gram[..., 1, 0] = (by_size @ self._weight)[:, None]
        gram[..., 0, 2] = gram[..., 2, 0] = by_data @ self._weight
        gram[..., 1, 2] = gram[..., 2, 1] = by_size @ by_data.T
        numbers = non_negative(gram.reshape(-1, 3, 3), moments.reshape(-1, 3))
        explained = (numbers * moments.reshape(-1, 3)).sum(axis=1)
        row, column = divmod(int(np.argmax(explained)), GRID)
        return np.array([axis[row], axis[column]])

    def value_and_slope(self, point: FloatArray) -> tuple[float, FloatArray]:
        """The objective with E, A and B solved for; they drop out of its gradient, being optimal."""
        (alpha, beta), columns, numbers = self._solved(point)
        residual = numbers @ columns - 1.0
        by_size = -alpha * numbers[1] * float(residual @ (columns[1] * self._size))
        by_data = -beta * numbers[2] * float(residual @ (columns[2] * self._data))
        return float(residual @ residual), 2.0 * np.array([by_size, by_data])

    def law(self, point: FloatArray) -> Law:
        """The law at a point, in parameters and tokens."""
        (alpha, beta), _, (floor, size, data) = self._solved(point)
        size *= math.exp(alpha * self._middle[0])
        data *= math.exp(beta * self._middle[1])
        return Law(float(floor), float(size), float(data), float(alpha), float(beta))

    def _solved(self, point: FloatArray) -> tuple[FloatArray, FloatArray, FloatArray]:
        # Far beyond the search the exponentials would overflow; a line search may look there.
        exponents = np.exp(np.clip(point, math.log(SMALLEST) - 1.0, math.log(LARGEST) + 1.0))
        shapes = np.stack([np.zeros_like(self._size), -exponents[0] * self._size, -exponents[1] * self._data])
        columns = self._weight * np.exp(shapes)
        gram, moments = columns @ columns.T, columns.sum(axis=1)
        return exponents, columns, non_negative(gram[None], moments[None])[0]
