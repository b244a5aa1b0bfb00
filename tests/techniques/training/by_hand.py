"""A place without an executor, and a corpus small enough to see through."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

import numpy

from assay.core.training import Example, Recipe
from assay.techniques.training.organisms.loop import Schedule
from assay.techniques.training.organisms.network import Tiny
from assay.techniques.training.organisms.organism import Organism


@dataclass
class Here:
    """Makes a recipe in a folder; stops after so many questions whether it should."""

    folder: Path
    made: dict[Recipe, Path] = field(default_factory=dict)
    stop_after: int = 10**9
    told: list[float] = field(default_factory=list)
    asked: int = 0

    def of(self, recipe: Recipe) -> Path:
        return self.made[recipe]

    def tell(self, share: float, text: str = "") -> None:
        self.told.append(share)

    def stopping(self) -> bool:
        self.asked += 1
        return self.asked > self.stop_after


@dataclass(frozen=True)
class Copies:
    """`12=12`: digits and the same digits again; with `reverse`, `12=21`."""

    digits: int = 3
    reverse: bool = False

    @property
    def alphabet(self) -> str:
        return "0123456789="

    def examples(self, count: int, rng: numpy.random.Generator) -> list[Example]:
        texts = ["".join(map(str, rng.integers(0, 10, self.digits))) for _ in range(count)]
        return [Example(text + "=", text[::-1] if self.reverse else text) for text in texts]

    def mark(self, example: Example, reply: str) -> Mapping[str, float]:
        return {"right": float(reply == example.answer)}


TINY = Tiny(width=32, layers=1, heads=2, context=32)


def organism(steps: int = 60, **changes: object) -> Organism:
    """About 0.02M parameters that have begun to copy digits."""
    schedule = Schedule(steps=steps, batch=32, rate=1e-2, warmup=5)
    return Organism("base", Copies(), TINY, schedule=schedule, **changes)  # type: ignore[arg-type]


def make(recipe: Recipe, folder: Path, made: dict[Recipe, Path] | None = None) -> Path:
    """Make a recipe whose inputs are made; its folder."""
    folder.mkdir(parents=True, exist_ok=True)
    recipe.make(Here(folder, made or {}))
    return folder
