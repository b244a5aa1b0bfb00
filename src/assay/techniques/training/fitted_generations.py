"""Generations of the smallest models there are: a Gaussian, a mixture, an n-gram, fitted over and over.

Source   Shumailov et al. 2024 (https://www.nature.com/articles/s41586-024-07566-y): theory, and mixtures.
Here     the same policies as for language models, in milliseconds; whatever is fitted is handed in.
Departs  -
Needs    nothing but numpy.
Costs    a fit a generation.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar, Protocol

from assay.core.training import Place, Recipe, Work
from assay.core.validation import require, require_number, require_whole
from assay.techniques.training.generations import POLICIES, Policy

if TYPE_CHECKING:
    from collections.abc import Mapping

    import numpy


class Fitting(Protocol):
    """A kind of model and the source it is first fitted to: a frozen dataclass."""

    def real(self, count: int, rng: numpy.random.Generator) -> list[Any]:
        """That many points of the source."""
        ...

    def fit(self, points: list[Any], rng: numpy.random.Generator) -> Any:
        """The model of these points."""
        ...

    def sample(self, model: Any, count: int, rng: numpy.random.Generator) -> list[Any]:
        """That many points of a model."""
        ...

    def measured(self, model: Any) -> Mapping[str, float]:
        """Finite numbers that tell how far it is from the source."""
        ...


@dataclass(frozen=True)
class FittedGenerations(Recipe):
    """A whole line of fits; each measure of the fitting comes as a list of [generation, value]."""

    VERSION: ClassVar[int] = 1
    name: str
    fitting: Fitting
    policy: Policy = "replace"
    generations: int = 20
    count: int = 100
    """Points of a generation."""
    kept: float = 0.1
    seed: int = 0

    def __post_init__(self) -> None:
        require(self.policy in POLICIES, f"A policy is one of {', '.join(POLICIES)}, not '{self.policy}'.")
        require_whole("The number of points", self.count, 2, 10_000_000)
        require_whole("The number of generations", self.generations, 1, 10_000)
        require_number("The share that is kept", self.kept, 0.0, 1.0)

    def make(self, place: Place) -> Work:
        """Fit, sample, fit again."""
        import numpy

        rng = numpy.random.default_rng([self.seed, 21])
        real = self.fitting.real(self.count, rng)
        points, kept = list(real), round(self.kept * self.count)
        found: dict[str, list[list[float]]] = {}
        used = 0
        for generation in range(self.generations + 1):
            model = self.fitting.fit(points, rng)
            used += len(points)
            for name, value in self.fitting.measured(model).items():
                found.setdefault(name, []).append([generation, float(value)])
            if self.policy == "fresh":
                points = self.fitting.real(self.count, rng)
                continue
            written = self.fitting.sample(model, self.count, rng)
            if self.policy == "accumulate":
                points = points + written
            else:
                keep = kept if self.policy == "keep" else 0
                points = list(real[:keep]) + written[: self.count - keep]
            place.tell(generation / self.generations)
        return Work({**found, "points": used})
