"""Large Language Model Guided Tree-of-Thought: a controller that checks every step and takes it back."""

from __future__ import annotations

from functools import partial

from assay.core import Paper, Size
from assay.papers.recipes.boards import CALLS, along_checker, along_proposer, board_claim, graphs, sweep_claim
from assay.papers.recipes.tree import filler

WORDS = {"smoke": Size(n=2, level="4x4-4"), "small": Size(n=10, level="4x4-4"), "full": Size(n=200, level="4x4-8")}
BARE = {
    "smoke": Size(n=6, level="4x4-4"),
    "small": Size(n=200, level="4x4-8"),
    "full": Size(n=1000, level="4x4-10"),
}
FURTHER = ("no-backtracking", "model-checker", "one-board")

PAPER = Paper(
    slug="tree-controller",
    title="Large Language Model Guided Tree-of-Thought",
    authors="Long",
    year=2023,
    url="https://arxiv.org/abs/2305.08291",
    row="R41",
    shelf="search",
    says="Of ten puzzles each of 3x3, 4x4 and 5x5 the controlled model solves 10, 9 and 8; with worked examples "
    "alone it solves 9, 5 and 5.",
    reading="Much may be the checker's and the backtracking's doing: a proposer that draws digits blindly is the "
    "arm that tells. On the organism the errors are planted, so it shows what a controller makes of a proposer "
    "that is right so often, and not that models are.",
    claims=(
        board_claim(
            "tree-controller",
            "A controller that takes wrong cells back solves more Sudokus than as many calls for whole boards.",
            WORDS,
            FURTHER,
        ),
        board_claim(
            "tree-controller-organism",
            "With a network that fills seven cells in ten rightly, a controller that takes wrong cells back "
            "solves more Sudokus than as many calls for whole boards.",
            BARE,
            (*FURTHER, "greedy-board"),
            organism="sudoku-filler",
        ),
        sweep_claim(
            "controller-beats-resampling-calibrated",
            "On average over proposers from blind to perfect, a controller that takes wrong cells back solves "
            "more Sudokus than as many calls for whole boards.",
            along_proposer,
            "p",
            "rules",
            "mean",
        ),
        sweep_claim(
            "controller-colours-graphs-calibrated",
            "On average over proposers from blind to perfect, a controller that takes wrong colours back colours "
            "more graphs than as many calls for whole colourings.",
            partial(along_proposer, pose=graphs),
            "p",
            "rules",
            "mean",
        ),
        sweep_claim(
            "checker-competence-matters",
            "The more often its checker is right, the more Sudokus a controller solves.",
            along_checker,
            "q",
            "checker",
            "slope",
        ),
    ),
    organisms={"sudoku-filler": filler},
    departures=(
        "Generated 4x4 Sudokus with one solution and the block rule; the source has Latin squares, a 5x5 one of "
        "which has no solution.",
        f"{CALLS} calls an empty cell, the same for all arms, in place of 100 rounds: blind luck has a limit.",
        "15 % of what the organism learned from is wrong. On 150 puzzles its draws were right in 71 % of cells, "
        "its likeliest digits in 86 %.",
        "One cell a call, held to its form by a grammar; the organism fills cells in reading order.",
        "Sweeps have no placebo of their own: at p = 0.25 the proposer is the blind one. Graph colouring is "
        "ours: 12 nodes, 36 edges, four colours.",
    ),
)
