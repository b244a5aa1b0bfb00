"""Large Language Models are Zero-Shot Reasoners."""

from __future__ import annotations

from assay.core import Answer, Arm, Capability, Claim, Flow, Paper, Sample, Size, Task
from assay.tasks import multi_step, one_step
from assay.techniques.prompting import chain_of_thought, direct


def _direct(sample: Sample, task: Task) -> Flow[Answer]:
    return direct(sample.question, task.cue)


def _reasoned(sample: Sample, task: Task) -> Flow[Answer]:
    return chain_of_thought(sample.question, task.cue)


DIRECT = Arm("direct", _direct, "the answer cue right after the question")
REASONED = Arm("chain-of-thought", _reasoned, "'Let's think step by step.', a rationale, then the answer cue")
NEEDS = frozenset({Capability.GENERATE})
SIZES = {"smoke": Size(n=6), "small": Size(n=200, pilot=12), "full": Size(n=1000, pilot=40)}

PAPER = Paper(
    slug="zero-shot-cot",
    title="Large Language Models are Zero-Shot Reasoners",
    authors="Kojima, Gu, Reid, Matsuo, Iwasawa",
    year=2022,
    url="https://arxiv.org/abs/2205.11916",
    row="R02",
    shelf="prompting",
    says="With 'Let's think step by step' before the answer, text-davinci-002 goes from 17.7 % to 78.7 % on "
    "MultiArith and from 10.4 % to 40.7 % on GSM8K (their table 1).",
    reading="Multi-step arithmetic is where it should help. Recomputed from the authors' published "
    "transcripts, there is no clear effect on one-step problems (AddSub 72.2 to 69.6), and most of the gain "
    "on yes/no tasks is that the control's replies held no yes or no. Small models were flat in the paper: "
    "expect the floor below a few billion parameters.",
    claims=(
        Claim(
            id="zero-shot-cot",
            sentence="Thinking step by step before the answer raises accuracy on multi-step arithmetic.",
            treatment=REASONED,
            control=DIRECT,
            task=multi_step(),
            smallest_effect=0.05,
            needs=NEEDS,
            sizes=SIZES,
        ),
        Claim(
            id="zero-shot-cot-one-step",
            sentence="Thinking step by step before the answer raises accuracy on one-step arithmetic too.",
            treatment=REASONED,
            control=DIRECT,
            task=one_step(),
            smallest_effect=0.05,
            needs=NEEDS,
            sizes=SIZES,
        ),
    ),
    departures=(
        "Trigger and rationale stand in the assistant's turn; the paper's models had no turns.",
        "A rationale that begins a new question is cut there.",
        "Generated problems instead of MultiArith and GSM8K; name your copy with --task.",
    ),
)
