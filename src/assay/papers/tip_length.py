"""Offering a tip gives longer responses."""

from __future__ import annotations

from assay.core import Answer, Arm, ArmFlow, Claim, Flow, Measure, Paper, Sample, Size, Task
from assay.tasks import WritingTask
from assay.techniques.prompting import with_suffix

CAP = 256
SUFFIXES = {
    "no-tip": "",
    "tip-200": "I'm going to tip $200 for a perfect solution!",
    "tip-20": "I'm going to tip $20 for a perfect solution!",
    "refuse": "I won't tip, by the way.",
    "neutral": "I'm going to read this on the train on Monday!",
    "in-detail": "Please answer in great detail and at length.",
}


def _with(suffix: str) -> ArmFlow:
    def arm(sample: Sample, task: Task) -> Flow[Answer]:
        return with_suffix(sample.question, suffix, max_tokens=CAP)

    return arm


def _arm(name: str) -> Arm:
    suffix = SUFFIXES[name]
    return Arm(name, _with(suffix), f"the prompt, then: {suffix}" if suffix else "the prompt alone")


PAPER = Paper(
    slug="tip",
    title="Offering a tip gives longer responses",
    authors="Theia Vogel",
    year=2023,
    url="https://twitter.com/voooooogel/status/1730726744314069190",
    row="R64",
    shelf="prompting",
    says="A thread of December 2023: replies get longer with the tip that is offered, and shorter where a tip "
    "is refused.",
    reading="One prompt and a handful of samples stood behind it. Any suffix changes the length of a reply, so "
    "the control of interest is a neutral sentence of the same length; and a plain request for detail must "
    "lengthen the reply, or the test is blind.",
    claims=(
        Claim(
            id="tip-length",
            sentence="Offering a tip of $200 makes the reply longer.",
            treatment=_arm("tip-200"),
            control=_arm("no-tip"),
            task=WritingTask(cap=CAP),
            smallest_effect=0.02,
            measure=Measure.GRADED,
            unit="log length",
            sizes={"smoke": Size(n=3), "small": Size(n=80), "full": Size(n=400)},
            placebo=_arm("neutral"),
            equal_spend=False,
            others=(_arm("tip-20"), _arm("refuse"), _arm("in-detail")),
        ),
    ),
    departures=(
        f"The score is log(1 + tokens) / log(1 + {CAP}); 0.02 of it is about 12 % more tokens.",
        f"Replies are cut at {CAP} tokens and then count as {CAP}: differences beyond are not seen.",
        "Many prompts, one sample each, instead of many samples of one prompt.",
    ),
)
