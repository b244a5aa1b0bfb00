"""Teaching Large Language Models to Self-Debug: a model mends its program by what came of running it."""

from __future__ import annotations

from typing import Any

from assay.core import Claim, Paper, Size
from assay.papers.recipes.debugging import debugging, misleading, one_program, resampling
from assay.tasks.code import TinyPythonTask

UNIT_TEST = debugging("unit-test", "up to three programs; told which call gave what instead of what")
CODE: dict[str, Any] = {
    "task": TinyPythonTask(),
    "smallest_effect": 0.05,
    "sizes": {"smoke": Size(n=4), "small": Size(n=160, pilot=12), "full": Size(n=1000, pilot=40)},
    "unit": "problems solved",
    "placebo": misleading(),
    "sandbox": True,
}

PAPER = Paper(
    slug="self-debug",
    title="Teaching Large Language Models to Self-Debug",
    authors="Chen, Lin, Schärli, Zhou",
    year=2023,
    url="https://arxiv.org/abs/2304.05128",
    row="R23",
    shelf="execution",
    says="With feedback from its own explanation a code model gains 2 to 3 % on Spider, and up to 12 % on "
    "TransCoder and MBPP where unit tests are there; it matches baselines that draw ten times as many programs "
    "(abstract).",
    reading="A second program is a second chance, whatever stands before it. So the rival is not one program but "
    "as many fresh ones as the tokens buy, the visible tests choosing among them; and feedback on somebody else's "
    "problem shows what a second chance alone is worth. Programs are judged by tests that no prompt holds.",
    claims=(
        Claim(
            id="self-debug",
            sentence="A model that is told which test failed, and how, solves more problems than by one program.",
            treatment=UNIT_TEST,
            control=one_program(),
            equal_spend=resampling(),
            others=(
                debugging("simple", "up to three programs; told that the code is wrong"),
                debugging("explanation", "up to three programs; its own explanation of the code before each"),
                debugging("unit-test+explanation", "up to three programs; both"),
                debugging("trace", "up to three programs; its own account of the failing call before each"),
            ),
            **CODE,
        ),
        Claim(
            id="self-debug-beats-resampling",
            sentence="Feedback on failed tests solves more problems than fresh programs for as many tokens.",
            treatment=UNIT_TEST,
            control=resampling(),
            equal_spend=False,
            **CODE,
        ),
    ),
    departures=(
        "Generated one-line functions, not Spider, TransCoder and MBPP; or --task human-eval, or your own file.",
        "No worked examples of debugging in the prompt; the last program and its feedback only; three programs.",
        "The control of the second claim is the equal spend of the first: draws are bought for what debugging "
        "that failed on these very draws would have cost, so that tokens match to half a draw a problem.",
        "160 samples of tiny-python hold some 60 functions: samples that share one differ in their examples only, "
        "and functions come back under other seeds.",
    ),
)
