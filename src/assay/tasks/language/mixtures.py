"""Mixtures of normal distributions on a line, their exact density, and fits that never get worse.

The smallest organisms of model collapse (Shumailov et al. 2024,
https://www.nature.com/articles/s41586-024-07566-y): one Gaussian fitted over and over to its own samples
loses its variance almost surely, a mixture its small components.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

from assay.core.validation import require, require_number, require_whole

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt

    Array = npt.NDArray[np.float64]

NARROWEST = 1e-3
"""Components are no narrower than this share of the points' own spread: on one point the density has no bound."""


@dataclass(frozen=True)
class Mixture:
    """Components with these shares, means and standard deviations; one component is a Gaussian."""

    weights: tuple[float, ...] = (1.0,)
    means: tuple[float, ...] = (0.0,)
    deviations: tuple[float, ...] = (1.0,)

    def __post_init__(self) -> None:
        fits = 0 < len(self.weights) == len(self.means) == len(self.deviations)
        require(fits, "A mixture has as many weights as means and as deviations.")
        for weight, mean, deviation in zip(self.weights, self.means, self.deviations, strict=True):
            require_number("A weight", weight, 0, 1 + 1e-9)
            require_number("A mean", mean, -1e100, 1e100)
            require_number("A standard deviation", deviation, 1e-100, 1e100)
        require(math.isclose(sum(self.weights), 1, abs_tol=1e-6), "The weights of a mixture sum to 1.")

    def sample(self, count: int, rng: np.random.Generator) -> Array:
        """(count,) points."""
        import numpy as np

        edges = np.cumsum(self.weights)
        component = np.searchsorted(edges, rng.random(count) * edges[-1], side="right")
        component = np.minimum(component, len(edges) - 1)
        means, deviations = np.asarray(self.means)[component], np.asarray(self.deviations)[component]
        points: Array = means + deviations * rng.standard_normal(count)
        return points

    def log_density(self, points: Array) -> Array:
        """Logarithm of the density at each point."""
        import numpy as np

        found: Array = np.logaddexp.reduce(_joint(self, points), axis=0)
        return found

    def divergence(self, other: Mixture) -> float:
        """KL(self || other) in nats, by quadrature over 12 deviations around every component."""
        import numpy as np

        total = 0.0
        for weight, mean, deviation in zip(self.weights, self.means, self.deviations, strict=True):
            points = mean + deviation * np.linspace(-12, 12, 4001)
            own = np.exp(_joint(Mixture((1.0,), (mean,), (deviation,)), points)[0])
            values = own * (self.log_density(points) - other.log_density(points))
            total += weight * float(((values[1:] + values[:-1]) / 2 * np.diff(points)).sum())
        return max(total, 0.0)


def log_likelihood(mixture: Mixture, points: Array) -> float:
    """Mean logarithm of the density per point."""
    return float(mixture.log_density(points).mean())


def fit_gaussian(points: Array, *, unbiased: bool = True) -> Mixture:
    """The Gaussian with the points' mean and variance, the latter divided by n - 1 where unbiased."""
    require(len(points) >= 2, "A Gaussian is fitted to two points or more.")
    deviation = float(points.std(ddof=1 if unbiased else 0))
    require(deviation > 0, "A Gaussian is not fitted to points that are all alike.")
    return Mixture((1.0,), (float(points.mean()),), (deviation,))


def fit_mixture(points: Array, components: int, rng: np.random.Generator, rounds: int = 200) -> Mixture:
    """Expectation-maximisation from points drawn as means, until a round gains under 1e-9 nats per point."""
    require_whole("The number of components", components, 1, 1000)
    require(len(points) > components, "A mixture is fitted to more points than it has components.")
    spread = float(points.std())
    require(spread > 0, "A mixture is not fitted to points that are all alike.")
    means = rng.choice(points, components, replace=False).tolist()
    found = Mixture((1 / components,) * components, tuple(means), (spread,) * components)
    before = log_likelihood(found, points)
    for _ in range(rounds):
        found = improved(found, points)
        after = log_likelihood(found, points)
        if after - before < 1e-9:
            break
        before = after
    return found


def improved(mixture: Mixture, points: Array) -> Mixture:
    """One round of expectation-maximisation: points are shared among components, components fitted to shares.

    The likelihood never falls, given that no component is narrower than `NARROWEST` allows.
    """
    import numpy as np

    joint = _joint(mixture, points)
    shares = np.exp(joint - np.logaddexp.reduce(joint, axis=0))
    masses = shares.sum(axis=1)
    # A component that has no points left keeps its place.
    safe = np.maximum(masses, 1e-300)
    means = np.where(masses > 1e-12, shares @ points / safe, mixture.means)
    squares = (shares * (points - means[:, None]) ** 2).sum(axis=1)
    variances = np.where(masses > 1e-12, squares / safe, np.square(mixture.deviations))
    deviations = np.maximum(np.sqrt(variances), NARROWEST * points.std())
    weights = masses / masses.sum()
    return Mixture(tuple(weights.tolist()), tuple(means.tolist()), tuple(deviations.tolist()))


def _joint(mixture: Mixture, points: Array) -> Array:
    """(components, points): log of the weight times the density."""
    import numpy as np

    weights, means, deviations = (
        np.asarray(part)[:, None] for part in (mixture.weights, mixture.means, mixture.deviations)
    )
    with np.errstate(divide="ignore"):
        logs = np.log(weights) - np.log(deviations) - 0.5 * math.log(2 * math.pi)
    joint: Array = logs - 0.5 * ((points - means) / deviations) ** 2
    return joint
