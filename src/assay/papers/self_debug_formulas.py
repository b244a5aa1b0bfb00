"""Self-Debug on networks that were trained to find formulas, and to mend wrong ones."""

from __future__ import annotations

from typing import Any

from assay.core import Claim, Paper, Size
from assay.papers.recipes.debugging import debugging, misleading, one_program, resampling
from assay.papers.recipes.mending import mender, untold
from assay.tasks.code import FormulaTask
from assay.techniques.execution.dialects import BARE

UNIT_TEST = debugging("unit-test", "up to three formulas; told what the first failing example gave", BARE)
FORMULAS: dict[str, Any] = {
    "treatment": UNIT_TEST,
    "task": FormulaTask(),
    "smallest_effect": 0.05,
    "sizes": {"smoke": Size(n=4), "small": Size(n=500), "full": Size(n=580)},
    "unit": "problems solved",
    "placebo": misleading(BARE),
    "equal_spend": False,
    "sandbox": True,
    "organism": "formula-mender",
}

PAPER = Paper(
    slug="self-debug-formulas",
    title="Teaching Large Language Models to Self-Debug (on networks trained for it)",
    authors="Chen, Lin, Schärli, Zhou",
    year=2023,
    url="https://arxiv.org/abs/2304.05128",
    row="R23",
    shelf="execution",
    says="Teaching a model to debug means a few examples in the prompt: it then reads what running its program "
    "gave, and mends the program.",
    reading="Whether feedback is worth its tokens is best asked of a model that was taught to use it. A small "
    "network learns to find formulas from examples, and to mend wrong ones with and without being told what they "
    "gave. Fresh formulas for as many tokens are the rival, and the bare word that it is wrong is the other.",
    claims=(
        Claim(
            id="self-debug-organism",
            sentence="On a network trained to mend formulas, being told what a failing example gave solves more "
            "problems than fresh formulas for as many tokens.",
            control=resampling(BARE),
            others=(one_program(BARE),),
            **FORMULAS,
        ),
        Claim(
            id="self-debug-content",
            sentence="On a network trained to mend formulas, being told what a failing example gave solves more "
            "problems than being told that the formula is wrong.",
            control=debugging("simple", "up to three formulas; told that the formula is wrong", BARE),
            **FORMULAS,
        ),
    ),
    organisms={"formula-mender": mender, "formula-mender-untold": untold},
    departures=(
        "A network of 0.8 million parameters; Python formulas of two steps over x, found from four examples; "
        "no function that is asked for was ever an answer in training.",
        "The wrong formulas it learned to mend were made (a step drawn anew, or another formula that is "
        "right for an example at least), and are not its own.",
        "Trained and not prompted: the examples of debugging are its training.",
        "The first language had three steps; one formula in twenty was right (seed 1), too few to compare. "
        "It was made smaller for that, and judged on seed 2.",
        "--model organism:NAME runs the same claims on formula-mender-untold, which was never told what a formula "
        "gave; assay organisms train formula-mender-untold --size small trains it.",
    ),
)
