"""What the claims on self-debugging train: networks that find formulas and mend wrong ones."""

from __future__ import annotations

from assay.core import Recipe
from assay.tasks.code.formula_texts import FormulaTexts
from assay.techniques.training.organisms.loop import Schedule
from assay.techniques.training.organisms.network import Tiny
from assay.techniques.training.organisms.organism import Organism

MENDER = {
    "smoke": Tiny(32, 1, context=80),
    "small": Tiny(128, 4, context=80),
    "full": Tiny(256, 6, 8, context=80),
}
READ = {"smoke": 40_000, "small": 8_000_000, "full": 120_000_000}
"""Tokens."""


def mender(seed: int, size: str) -> Recipe:
    """Half of its wrong formulas came with what they gave, half with the word that they are wrong."""
    schedule = Schedule(tokens=READ[size])
    return Organism("formula-mender", FormulaTexts(), MENDER[size], schedule=schedule, seed=seed)


def untold(seed: int, size: str) -> Recipe:
    """The same network, which was never told what a formula gave."""
    schedule = Schedule(tokens=READ[size])
    return Organism("formula-mender-untold", FormulaTexts(told=0.0), MENDER[size], schedule=schedule, seed=seed)
