"""Supercharger: code is written many times over, repaired, tested, judged, and the best is kept."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

from assay.core import Answer, Arm, Capability, Claim, EvidenceKind, Flow, Measure, Paper, Sample, Size, Task
from assay.core.problems.programs import Problem
from assay.tasks.code import RIGHT, JudgedProgramsTask, TinyPythonTask, problem_of
from assay.techniques.execution.pool_arms import first, judge_program, kept, majority


def writing(name: str, how: Callable[[Problem], Flow[Answer]], says: str) -> Arm:
    """A way of getting at a function, as an arm."""

    def flow(sample: Sample, task: Task) -> Flow[Answer]:
        return how(problem_of(sample))

    return Arm(name, flow, says)


def judging(name: str, how: str, says: str) -> Arm:
    """A judge of one program, as an arm."""

    def flow(sample: Sample, task: Task) -> Flow[Answer]:
        return judge_program(problem_of(sample), sample.target == RIGHT, how)

    return Arm(name, flow, says)


CODES, TESTS = 4, 4
SELECTED = {
    select: partial(kept, codes=CODES, tests=TESTS, select=select)
    for select in ("agreement", "first-pair", "judge", "random")
}

PAPER = Paper(
    slug="supercharger",
    title="Supercharger: Supercharge Open-Source AI Models",
    authors="catid",
    year=2023,
    url="https://github.com/catid/supercharger",
    row="R16",
    shelf="execution",
    says="A repository of April 2023: locally run models write many functions and many tests, a model scores the "
    "code from 0 to 1, and the first pair that passes and is scored well is kept. Of the score alone its README "
    "says that it does not work: only GPT-4 found all 13 bugs without a false alarm.",
    reading="Tests that a model wrote are wrong as often as its code, and choose well only where wrong ones "
    "disagree with each other. A judge helps only if its score tells right from nearly right.",
    claims=(
        Claim(
            "cross-tests-select",
            "Of four drawn functions the one that drawn tests agree on is right more often than the first.",
            writing(
                "agreement", SELECTED["agreement"], "4 functions on 4 replies of tests, the largest agreement"
            ),
            writing("first-sample", first, "the first function drawn"),
            TinyPythonTask(),
            0.05,
            {"smoke": Size(4), "small": Size(160, pilot=12), "full": Size(1000, pilot=40)},
            unit="problems solved",
            sandbox=True,
            placebo=writing("random", SELECTED["random"], "one of the same functions, whatever the tests say"),
            equal_spend=writing(
                "majority", partial(majority, n=CODES + 2 * TESTS), "12 functions, the commonest by what they give"
            ),
            others=(
                writing("first-pair", SELECTED["first-pair"], "the first function that passes a test"),
                writing("judge", SELECTED["judge"], "the function that the model scores highest"),
            ),
        ),
        Claim(
            "judge-scores-code",
            "The score a model gives a program tells right ones from wrong ones better than blindly.",
            judging("grade", "grades", "expected grade from 0 to 10"),
            judging("blind", "blind", "the same, on the program of no problem: an empty function"),
            JudgedProgramsTask(),
            0.05,
            {"smoke": Size(8), "small": Size(400), "full": Size(2000)},
            measure=Measure.SCORE,
            unit="AUROC",
            needs=frozenset({Capability.SCORE}),
            evidence=EvidenceKind.DETECTOR,
            positive=RIGHT,
            rule="fixed",
            sandbox=True,
            placebo=False,
            equal_spend=False,
            others=(
                judging("words", "words", 'log-odds of "right" against "wrong"'),
                judging("likelihood", "likelihood", "mean log-probability of the program's tokens"),
            ),
        ),
    ),
    departures=(
        "The judge's grade is an expectation over tokens; the source reads one number out of a reply.",
        "Tests are single calls beside literals; those no mutant fails, and copies of examples, do not count.",
        "Selection by agreement is CodeT's (arXiv 2207.10397); the source keeps the first pair.",
        "Equal spend is twelve functions: with their common prompt they cost about what the pool does.",
        "A judge has no placebo: its blind arm is one.",
        "tiny-python has some 60 different functions a level: samples that share one are not independent.",
    ),
)
