"""PAL: Program-aided Language Models."""

from __future__ import annotations

from assay.core import Answer, Arm, Claim, Flow, Paper, Sample, Size, Task
from assay.core.answers import extract_last
from assay.tasks import ArithmeticTask
from assay.techniques.execution import (
    few_shot_chain,
    few_shot_direct,
    program_aided,
    program_without_execution,
)


def _program(sample: Sample, task: Task) -> Flow[Answer]:
    return program_aided(sample.question)


def _chain(sample: Sample, task: Task) -> Flow[Answer]:
    return few_shot_chain(sample.question, extract_last(task.kind, sample.choices))


def _direct(sample: Sample, task: Task) -> Flow[Answer]:
    return few_shot_direct(sample.question)


def _stated(sample: Sample, task: Task) -> Flow[Answer]:
    return program_without_execution(sample.question)


PAPER = Paper(
    slug="pal",
    title="PAL: Program-aided Language Models",
    authors="Gao, Madaan, Zhou, Alon, Liu, Yang, Callan, Neubig",
    year=2022,
    url="https://arxiv.org/abs/2211.10435",
    row="R13",
    shelf="execution",
    says="With programs as intermediate steps and an interpreter for the arithmetic, Codex surpasses PaLM-540B "
    "with chain of thought on GSM8K by 15 points (abstract).",
    reading="Two things are in it: the form of a program, and the interpreter. The ablation in which the model "
    "itself states what its program returns tells them apart.",
    claims=(
        Claim(
            id="pal",
            sentence="A program that is run beats a chain of thought on arithmetic word problems.",
            treatment=Arm("program", _program, "the model writes solution(), the sandbox runs it"),
            control=Arm("chain-of-thought", _chain, "the same worked examples, solved in words"),
            task=ArithmeticTask(levels=("1", "2", "3")),
            smallest_effect=0.05,
            sizes={"smoke": Size(n=6), "small": Size(n=120, pilot=12), "full": Size(n=1000, pilot=40)},
            sandbox=True,
            placebo=Arm("program-stated", _stated, "the same program, its value stated by the model"),
            others=(Arm("direct", _direct, "the same worked examples, the answer alone"),),
        ),
    ),
    departures=(
        "Four worked examples of our own instead of eight, as turns of a chat.",
        "Every program has a namespace of its own and runs in a sandbox; the authors' runner shares one.",
        "A repeated def line is dropped and a body without indentation is indented before it runs.",
        "Generated problems instead of GSM8K; name your copy with --task.",
    ),
)
