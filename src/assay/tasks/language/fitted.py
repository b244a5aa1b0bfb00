"""Models that are fitted in no time, with the sources they are first fitted to: see `fitted_generations`.

Each offers `real(count, rng)`, `fit(points, rng)`, `sample(model, count, rng)` and `measured(model)`.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from assay.tasks.language.markov import Markov
from assay.tasks.language.mixtures import Mixture, fit_gaussian, fit_mixture

if TYPE_CHECKING:
    import numpy

SOURCE = Markov(symbols=100, order=1, length=64)


@dataclass(frozen=True)
class Gaussian:
    """A Gaussian fitted to samples of the one before it, with the unbiased variance."""

    def real(self, count: int, rng: numpy.random.Generator) -> list[float]:
        """Standard normal points."""
        points: list[float] = Mixture().sample(count, rng).tolist()
        return points

    def fit(self, points: Sequence[float], rng: numpy.random.Generator) -> Mixture:
        """Mean and variance of the points."""
        import numpy

        return fit_gaussian(numpy.asarray(points))

    def sample(self, model: Mixture, count: int, rng: numpy.random.Generator) -> list[float]:
        """Points of the Gaussian."""
        points: list[float] = model.sample(count, rng).tolist()
        return points

    def measured(self, model: Mixture) -> Mapping[str, float]:
        """Logarithm of its standard deviation, and its divergence from the first one."""
        return {"log_deviation": math.log(model.deviations[0]), "divergence": Mixture().divergence(model)}


@dataclass(frozen=True)
class TwoHumps:
    """A mixture of a large and a small component, fitted by expectation-maximisation."""

    def source(self) -> Mixture:
        """Nine points in ten about -2, one about 3."""
        return Mixture((0.9, 0.1), (-2.0, 3.0), (1.0, 0.5))

    def real(self, count: int, rng: numpy.random.Generator) -> list[float]:
        """Points of the source."""
        points: list[float] = self.source().sample(count, rng).tolist()
        return points

    def fit(self, points: Sequence[float], rng: numpy.random.Generator) -> Mixture:
        """Two components."""
        import numpy

        return fit_mixture(numpy.asarray(points), 2, rng)

    def sample(self, model: Mixture, count: int, rng: numpy.random.Generator) -> list[float]:
        """Points of the fit."""
        points: list[float] = model.sample(count, rng).tolist()
        return points

    def measured(self, model: Mixture) -> Mapping[str, float]:
        """Divergence from the source, and the mass where the small component was."""
        import numpy

        grid = numpy.linspace(1.5, 4.5, 601)
        mass = float(numpy.exp(model.log_density(grid)).sum() * (grid[1] - grid[0]))
        return {"divergence": self.source().divergence(model), "minority": mass}


@dataclass(frozen=True)
class Ngram:
    """The counts of which symbol follows which, with a weight of one for how common a symbol is at all.

    Where a context was not seen, the next symbol is drawn as if there were none; what was not seen at all is
    hardly written again.
    """

    source: Markov = SOURCE

    def real(self, count: int, rng: numpy.random.Generator) -> list[str]:
        """Texts of the source."""
        return self.source.texts(count, rng)

    def fit(self, points: Sequence[str], rng: numpy.random.Generator) -> Any:
        """Its table of transitions."""
        import numpy

        from assay.tasks.language import chain

        counts = chain.count(points, self.source.alphabet, self.source.order)
        common = counts.sum(axis=0) + 1e-6
        mixed = counts + common / common.sum()
        table: Any = mixed / numpy.sum(mixed, axis=1, keepdims=True)
        return table

    def sample(self, model: Any, count: int, rng: numpy.random.Generator) -> list[str]:
        """Texts of the table."""
        return self.source.texts_of(model, count, rng)

    def measured(self, model: Any) -> Mapping[str, float]:
        """Divergence, entropy and mass of the tail."""
        return {
            "divergence": self.source.divergence(model),
            "entropy": self.source.entropy(model),
            "tail": self.source.tail_mass(model),
        }
