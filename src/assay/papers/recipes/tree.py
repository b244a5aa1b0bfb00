"""What claims on trees of thoughts train: one that fills small Sudokus and errs, one that plays the Game of 24."""

from __future__ import annotations

from assay.core import Recipe
from assay.tasks.games.game24_texts import Game24Texts
from assay.tasks.games.sudoku_texts import Fills
from assay.techniques.training.organisms.loop import Schedule
from assay.techniques.training.organisms.network import Tiny
from assay.techniques.training.organisms.organism import Organism

FILLER = {"smoke": Tiny(32, 1, context=32), "small": Tiny(96, 3, context=32), "full": Tiny(192, 6, 6, context=32)}
FILLS = {"smoke": 40_000, "small": 4_000_000, "full": 60_000_000}
"""Tokens."""
PLAYER = {
    "smoke": Tiny(32, 1, context=112),
    "small": Tiny(96, 3, context=112),
    "full": Tiny(192, 6, 6, context=112),
}
PLAYS = {"smoke": 40_000, "small": 5_000_000, "full": 100_000_000}


def filler(seed: int, size: str, wrong: float = 0.15) -> Recipe:
    """Says the digit of the first empty cell of a 4x4 Sudoku, and whether a board breaks a rule."""
    return Organism("sudoku-filler", Fills(wrong), FILLER[size], schedule=Schedule(tokens=FILLS[size]), seed=seed)


def player(seed: int, size: str) -> Recipe:
    """Proposes steps of the Game of 24, judges states, and writes solutions."""
    schedule = Schedule(tokens=PLAYS[size])
    return Organism("game24-player", Game24Texts(), PLAYER[size], schedule=schedule, seed=seed)
