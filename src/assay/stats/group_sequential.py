"""A few looks planned in advance: the O'Brien-Fleming group-sequential design.

After k of K equal shares of the pairs the mean difference is judged at |z| >= C sqrt(K / k): almost
impossible early, almost the fixed-size bound at the end (O'Brien and Fleming 1979, Biometrics
35:549-556). The score sum then faces the same bound C sqrt(K) at every look, which makes the
recursive integration of Armitage, McPherson and Rowe (1969) short.
"""

import math
from functools import cache

import numpy as np

from .intervals import Interval
from .samples import FloatArray, check_probability
from .sequential import Look, check_difference
from .special import bisect_increasing

_BEYOND = 8.0  # constants above this have an error below 1e-14, the rounding of the integration


def obrien_fleming_error(constant: float, looks: int) -> float:
    """The chance under no effect of |z| >= constant * sqrt(looks / k) at any look k = 1..looks."""
    if looks < 1:
        raise ValueError(f"a design needs at least one look, got {looks}")
    if not constant >= 0.0:
        raise ValueError(f"a bound must not be negative, got {constant}")
    bound = min(constant, _BEYOND) * math.sqrt(looks)
    nodes, weights = _quadrature()
    sums = bound * nodes
    # The density of the score sum while no look has crossed; each look adds a standard normal step.
    step = np.exp(-0.5 * np.subtract.outer(sums, sums) ** 2) / math.sqrt(2.0 * math.pi)
    density = np.exp(-0.5 * sums**2) / math.sqrt(2.0 * math.pi)
    for _ in range(looks - 1):
        density = step @ (bound * weights * density)
    return float(np.clip(1.0 - bound * weights @ density, 1e-14, 1.0))


@cache  # finding a bound integrates about fifty times; computing the nodes would be most of it
def _quadrature() -> tuple[FloatArray, FloatArray]:
    return np.polynomial.legendre.leggauss(128)


def obrien_fleming_bounds(looks: int = 5, alpha: float = 0.05) -> list[float]:
    """The bounds on |z|, one a look, with two-sided error alpha over all looks together."""
    check_probability(alpha, "alpha")
    constant = bisect_increasing(lambda c: alpha - obrien_fleming_error(c, looks), 0.0, _BEYOND)
    return [constant * math.sqrt(looks / k) for k in range(1, looks + 1)]


def obrien_fleming_looks(n: int, looks: int = 5) -> list[int]:
    """The numbers of pairs to look at: equal shares of n, rounded up."""
    if not 1 <= looks <= n:
        raise ValueError(f"{looks} looks cannot be spread over {n} pairs")
    return [-(-n * k // looks) for k in range(1, looks + 1)]


class GroupSequence:
    """The repeated confidence intervals of an O'Brien-Fleming design over n pairs.

    The standard error takes two more pairs into account, one won and one lost by the largest
    difference seen; for binary scores that is the adjusted interval of Bonett and Price (2012),
    which does not collapse when few pairs or none are discordant. `p` is the repeated p-value of
    Jennison and Turnbull (2000, section 9.3): the smallest alpha whose bounds this look would have
    reached. Both hold at every planned look, wherever one stops, as far as the mean is nearly
    normal.
    """

    def __init__(self, n: int, looks: int = 5, level: float = 0.95) -> None:
        check_probability(level, "level")
        self.level = level
        self.looks: list[Look] = []
        self._counts = obrien_fleming_looks(n, looks)
        self._bounds = obrien_fleming_bounds(looks, 1.0 - level)
        self._differences: list[float] = []

    def add(self, difference: float) -> Look | None:
        """Take in one pair; a look at the planned counts, None between them."""
        check_difference(difference)
        if len(self._differences) == self._counts[-1]:
            raise ValueError(f"the design ends at {self._counts[-1]} pairs; plan a larger one to go on")
        self._differences.append(float(difference))
        if len(self._differences) != self._counts[len(self.looks)]:
            return None
        look = self._look(self._bounds[len(self.looks)], len(self.looks) + 1)
        self.looks.append(look)
        return look

    def _look(self, bound: float, number: int) -> Look:
        seen = np.array(self._differences)
        largest = float(np.abs(seen).max()) or 1.0
        padded = np.append(seen, [largest, -largest])
        centre = float(padded.mean())
        standard_error = float(padded.std()) / math.sqrt(len(padded))
        low = max(-1.0, centre - bound * standard_error)
        high = min(1.0, centre + bound * standard_error)
        constant = abs(centre) / standard_error * math.sqrt(number / len(self._counts))
        return Look(
            n=len(seen),
            estimate=float(seen.mean()),
            interval=Interval(low, high, self.level),
            log_e=None,
            p=obrien_fleming_error(constant, len(self._counts)),
        )
