"""It can play tic-tac-toe."""

from __future__ import annotations

from collections.abc import Sequence

from assay.core import Answer, Arm, Capability, Claim, Flow, Paper, Sample, Size, Task
from assay.tasks import TicTacToeTask
from assay.tasks.games.solver import player
from assay.tasks.games.tictactoe import NORMAL as NORMAL_SYMBOLS
from assay.tasks.games.tictactoe import RULES, SHUFFLED, render
from assay.techniques.prompting import forced_choice


def _move(board: str, symbols: str, choices: Sequence[str]) -> Flow[Answer]:
    """The rules as the user's words, the position as the beginning of the answer: positions that begin
    alike share all but the end of an evaluated prompt."""
    mover = player(board)
    position = f"{mover} is to move. Board: {render(board, symbols)} and {mover} plays cell"
    return forced_choice(RULES.strip(), choices, prefill=position)


def _normal(sample: Sample, task: Task) -> Flow[Answer]:
    return _move(sample.meta["board"], NORMAL_SYMBOLS, sample.choices)


def _shuffled(sample: Sample, task: Task) -> Flow[Answer]:
    return _move(sample.meta["board"], SHUFFLED, sample.choices)


NORMAL = Arm("board", _normal, "the board as it is; the likeliest of the nine cells is the move")
CONTROL = Arm("shuffled-symbols", _shuffled, "the same positions, X, O and free shown as each other")
SIZES = {"smoke": Size(n=12), "small": Size(n=4520), "full": Size(n=4520)}


def _claim(score_as: str, sentence: str, name: str) -> Claim:
    return Claim(
        id=name,
        sentence=sentence,
        treatment=NORMAL,
        control=CONTROL,
        task=TicTacToeTask(score_as="legal" if score_as == "legal" else "optimal"),
        smallest_effect=0.05,
        unit=f"{score_as} moves",
        needs=frozenset({Capability.SCORE}),
        sizes=SIZES,
        rule="fixed",
        equal_spend=False,
    )


PAPER = Paper(
    slug="tictactoe",
    title="It can play tic-tac-toe",
    authors="Michael Nielsen",
    year=2023,
    url="https://twitter.com/michael_nielsen/status/1649848364232773633",
    row="R33",
    shelf="tasks",
    says="A post of April 2023: GPT-4 can be brought to play tic-tac-toe.",
    reading="A game or two show little, for the same opening comes up again and again. Here every one of the "
    "4,520 positions in which somebody has to move is put before the model, against the exact solver. With "
    "shuffled symbols the board means nothing, so what is left is a liking for certain cells.",
    claims=(
        _claim("legal", "The model names a free cell more often than where the board means nothing.", "tictactoe"),
        _claim(
            "optimal",
            "The model names an optimal move more often than where the board means nothing.",
            "tictactoe-optimal",
        ),
    ),
    departures=(
        "The move is the likeliest of the nine cells, so that every reply can be read.",
        "Single positions instead of whole games.",
    ),
)
