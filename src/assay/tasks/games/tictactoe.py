"""Tic-tac-toe positions: does the model name a legal move, and an optimal one?"""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction
from functools import cache
from random import Random
from typing import Literal

from assay.core.answers import extract_choice
from assay.core.errors import UnknownName
from assay.core.samples import Answer, Outcome, Sample
from assay.core.validation import require, require_whole
from assay.tasks.games.solver import CELLS, legal_moves, optimal_moves, player, require_running, running
from assay.tasks.scoring import score_match

NORMAL = "XO."
SHUFFLED = ".XO"
"""Control: what was X is shown as a dot, O as X and a dot as O, while the rules stay as they are."""

RULES = (
    "This is a game of tic-tac-toe. X and O take turns, X begins, and three in a row, a column or a "
    "diagonal win. The board is written row by row, cells 1 to 9: X and O are taken cells, a dot is a free "
    "cell. A move names the number of a free cell.\n"
)

ScoreAs = Literal["legal", "optimal"]


def render(board: str, symbols: str = NORMAL) -> str:
    """The nine cells in reading order on one line; `symbols` are shown for X, O and a free cell."""
    require(len(symbols) == 3, "Three symbols are needed: for X, for O and for a free cell.")
    return " ".join(symbols["XO.".index(sign)] for sign in board)


def prompt(board: str, symbols: str = NORMAL) -> str:
    """Rules, who moves, and last the board: positions that begin alike share a long prefix."""
    require_running(board)
    return f"{RULES}{player(board)} is to move. Board: {render(board, symbols)}"


@dataclass(frozen=True, slots=True)
class TicTacToeTask:
    """All 4,520 positions in which somebody has to move; the answer is the digit of a cell.

    Samples stand in lexicographic order of their boards, a seeded choice of them where n is smaller, so
    that neighbours share prefixes. Ids do not depend on the symbols: an arm with other symbols pairs
    with this one. The set is finite: two seeds overlap, and whoever needs them apart drops by id.
    `meta`: board, legal_moves and optimal_moves (digits), legal and optimal (how many of nine).
    """

    score_as: ScoreAs = "optimal"
    symbols: str = NORMAL
    name: str = "tic-tac-toe"
    cue: str = "Therefore, the answer (the number of a free cell) is"
    kind: str = "move"
    levels: tuple[str, ...] = ("all",)

    def __post_init__(self) -> None:
        if self.score_as not in ("legal", "optimal"):
            raise UnknownName("score of tic-tac-toe", self.score_as, ("legal", "optimal"))
        require(len(set(self.symbols)) == 3, "Three different symbols are needed: for X, O and a free cell.")

    @property
    def chance(self) -> float | None:
        """The score of a cell drawn uniformly from nine, averaged over all positions: exact."""
        return float(exact_chance(self.score_as))

    def samples(self, n: int, seed: int, level: str | None = None) -> tuple[Sample, ...]:
        """All positions where n covers them, else n of them chosen by the seed; in board order."""
        require_whole("n", n, 0, 10_000_000)
        if level is not None and level not in self.levels:
            raise UnknownName("level", level, self.levels)
        boards = running()
        if n < len(boards):
            boards = tuple(sorted(Random(f"tic-tac-toe/{seed}").sample(boards, n)))
        return tuple(self._sample(board) for board in boards)

    def extract(self, text: str) -> str | None:
        """The digit of the cell the reply names."""
        return extract_choice(text, CELLS)

    def score(self, sample: Sample, answer: Answer) -> Outcome:
        """1.0 for a legal, or an optimal, move; any other digit is 0.0, and no digit is no answer."""
        right: str = sample.meta[f"{self.score_as}_moves"]
        return score_match(sample, answer, self.extract, lambda value, _: value.strip() in tuple(right))

    def _sample(self, board: str) -> Sample:
        legal, optimal = legal_moves(board), optimal_moves(board)
        return Sample(
            id=f"ttt-{board}",
            question=prompt(board, self.symbols),
            target=(legal if self.score_as == "legal" else optimal)[0],
            choices=tuple(CELLS),
            meta={
                "board": board,
                "legal_moves": legal,
                "optimal_moves": optimal,
                "legal": len(legal),
                "optimal": len(optimal),
            },
        )


@cache
def exact_chance(score_as: ScoreAs) -> Fraction:
    """Mean over all positions of the share of the nine cells that score."""
    moves = legal_moves if score_as == "legal" else optimal_moves
    return Fraction(sum(len(moves(board)) for board in running()), 9 * len(running()))
