"""What every recipe of this shelf has: where to begin, how much data, how long and how fast."""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Self

from assay.core.errors import UserError
from assay.core.training import Place, Recipe
from assay.techniques.training.organisms.network import Pretrained, load

if TYPE_CHECKING:
    from pathlib import Path

    import numpy


@dataclass(frozen=True, kw_only=True)
class Tuning(Recipe):
    """What all of them have: where to begin, how much data, how long and how fast."""

    name: str
    start: Recipe | Pretrained
    count: int = 1000
    """Texts, pairs or prompts there are; they are gone through again and again."""
    steps: int = 100
    batch: int = 32
    """Texts, pairs or replies a step."""
    rate: float = 1e-3
    """Highest learning rate; falls linearly to 0."""
    tuned_rate: float = 2e-5
    """The highest where a pretrained model is put in the place of an organism."""
    seed: int = 0
    rank: int = 0
    """Of LoRA matrices on all linear layers, merged in the end; 0: all weights are trained."""

    def on(self, model: str, identity: str) -> Self:
        """The same on a pretrained model, whose weights a rate for tiny ones would destroy."""
        rate = self.rate if isinstance(self.start, Pretrained) else self.tuned_rate
        return dataclasses.replace(super().on(model, identity), rate=rate)

    def _rng(self, stream: int) -> numpy.random.Generator:
        import numpy

        if min(self.count, self.steps, self.batch) < 1:
            raise UserError("count, steps and batch are at least 1.")
        return numpy.random.default_rng([self.seed, stream])

    def _folder(self, place: Place) -> Path | str:
        return place.of(self.start) if isinstance(self.start, Recipe) else self.start.model

    def _started(self, place: Place) -> tuple[Any, Any]:
        """Model and tokenizer; loaded from a folder, where trainers find the frozen reference again."""
        model, tokenizer = load(self._folder(place))
        # Small steps are lost in bfloat16 weights; matrix products are made in it all the same.
        return (model if self.rank else model.float()), tokenizer
