"""flux: many completions of one prompt in a tree. Do they vary, and do they show where the model is unsure?"""

from __future__ import annotations

from functools import partial

from assay.core import Answer, Arm, Capability, Claim, Flow, Measure, Paper, Sample, Size, Task
from assay.tasks.facts.recall import RecallTask
from assay.tasks.writing.naming import NamingTask
from assay.techniques.search.branching import By, error_ranking, variety

BRANCHES = 8


def _ranked(sample: Sample, task: Task, *, by: By, shift: int = 0) -> Flow[Answer]:
    return error_ranking(sample.meta.get("questions", ()), by=by, shift=shift, n=BRANCHES)


def _varied(sample: Sample, task: Task, *, temperature: float) -> Flow[Answer]:
    return variety(sample.question, task.cue, n=BRANCHES, temperature=temperature)


def ranking(name: str, says: str, by: By, shift: int = 0) -> Arm:
    """A way to tell how unsure a model is of its answers."""
    return Arm(name, partial(_ranked, by=by, shift=shift), says)


def drawing(name: str, temperature: float) -> Arm:
    """Eight replies to one prompt."""
    return Arm(name, partial(_varied, temperature=temperature), f"eight replies at temperature {temperature:g}")


PAPER = Paper(
    slug="flux",
    title="flux: a power tool for interacting with large language models",
    authors="transmissions11",
    year=2023,
    url="https://github.com/paradigmxyz/flux",
    row="R15",
    shelf="search",
    says="A tree of completions gives a wider variety of creative responses, and its inconsistencies show where "
    "the model is uncertain (README; no numbers).",
    reading="Both are testable. Disagreement costs eight replies, so it must beat what one reply already tells: "
    "the log-probability of its own tokens. Variety follows from the temperature and not from the tree: replies "
    "drawn again at a low one are the rival.",
    claims=(
        Claim(
            "disagreement-is-uncertainty",
            "Where eight branches disagree the answer is wrong more often than where its tokens were improbable.",
            ranking("disagreement", "1 minus the share of the commonest of eight drawn answers", "disagreement"),
            ranking("likelihood", "minus the mean log-probability of the one greedy answer", "likelihood"),
            RecallTask(),
            0.05,
            {"smoke": Size(2), "small": Size(28), "full": Size(28)},
            measure=Measure.GRADED,
            unit="AUROC within a block",
            needs=frozenset({Capability.GENERATE, Capability.LOGPROBS}),
            rule="fixed",
            placebo=ranking("misplaced", "the disagreement of the next question's branches", "disagreement", 1),
            equal_spend=ranking(
                "likelihood-of-8", "minus the mean log-probability of the same eight", "likelihood of branches"
            ),
        ),
        Claim(
            "tree-diversity",
            "Eight branches at temperature 1 name more different things than eight regenerations at 0.3.",
            drawing("branches", 1.0),
            drawing("regenerations", 0.3),
            NamingTask(),
            0.1,
            {"smoke": Size(6), "small": Size(60), "full": Size(96)},
            measure=Measure.GRADED,
            unit="share of different answers",
            placebo=False,
            equal_spend=False,
            others=(drawing("in between", 0.7),),
        ),
    ),
    departures=(
        "Which answers are wrong is known only afterwards: AUROCs are taken within blocks of twelve questions and "
        "paired by block. Both arms judge the same greedy answer.",
        "The questions on cities, capitals, elements and opposites fill 28 blocks: small and full are the same.",
        "Answers are compared by their first words, up to a mark; other words for the same thing differ.",
        "Variety has no placebo, for both arms are the same request but for one number, and spend alike.",
        "Seed 1 was looked at while the likelihood still counted what follows an answer, and variety how "
        "things are said. Both were mended, and judged on seed 2.",
    ),
)
