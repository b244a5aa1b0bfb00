"""Let's verify step by step: is a verifier of steps a better judge of solutions than one of outcomes?"""

from __future__ import annotations

from functools import partial

from assay.core import Arm, Claim, Paper
from assay.papers.recipes.verify import choices, generator, verifier
from assay.tasks import SeedsTask
from assay.techniques.training.trend import trained, training_claim

SAYS = {
    "outcome_best": "the best of N by a verifier of outcomes",
    "process_product": "the best of N by the product of a verifier's steps",
    "process_vote": "a vote of N weighted by the product of a verifier's steps",
    "majority": "a vote of N, one each",
}
RIGHT = "share of problems solved, mean over N"


def selector(number: str, name: str = "", **settings: str) -> Arm:
    """A way of choosing, measured along N."""
    says = SAYS[number.removesuffix("_process")]
    return trained(name or number.replace("_", " "), says, choices, number, **settings)


def claim(name: str, sentence: str, treatment: Arm, control: Arm, unit: str = RIGHT) -> Claim:
    """A claim about the area under two curves over N."""
    return training_claim(
        name, sentence, (treatment, control), SeedsTask(dose="N", chance=1 / 11), 0.03, unit=unit
    )


OUTCOME, PROCESS, MAJORITY = selector("outcome_best"), selector("process_product"), selector("majority")

PAPER = Paper(
    slug="verify-step-by-step",
    title="Let's Verify Step by Step",
    authors="Lightman, Kosaraju, Burda, Edwards, Baker, Lee, Leike, Schulman, Sutskever, Cobbe",
    year=2023,
    url="https://arxiv.org/abs/2305.20050",
    row="R49",
    shelf="training",
    says="The best of 1860 solutions by a process-supervised reward model is right on 78.2 % of a test set of "
    "MATH, 72.4 % by an outcome-supervised one; both grow with N.",
    reading="A label of a process says more than one of an outcome, so arms are matched on solutions, and in a "
    "claim of its own on labels. Right answers after wrong steps exist here (a product with 0 forgets errors), "
    "else both labels would say the same. Every best-of-N may bend down where the verifier is wrong; a weighted "
    "vote should not. Verifiers see two solutions of each of many problems: of few problems they learn less.",
    claims=(
        claim(
            "process-beats-outcome",
            "The best of N is right more often by a verifier of steps than by one of outcomes, given as much.",
            PROCESS,
            OUTCOME,
        ),
        claim(
            "process-beats-outcome-at-equal-labels",
            "The best of N is right more often by a verifier of steps, even if it is told as many labels.",
            selector("process_product", "process product, paid", match="labels"),
            selector("outcome_best", "outcome best", match="labels"),
        ),
        claim(
            "process-beats-majority",
            "The best of N by a verifier of steps is right more often than the majority of N.",
            PROCESS,
            MAJORITY,
        ),
        claim(
            "process-vote-beats-majority",
            "A vote weighted by a verifier of steps is right more often than the majority of N.",
            selector("process_vote"),
            MAJORITY,
        ),
        claim(
            "process-right-for-right-reasons",
            "Solutions chosen by a verifier of steps are more often right in every step than by one of outcomes.",
            selector("process_product_process", "process product"),
            selector("outcome_best_process", "outcome best"),
            "share of problems solved with every step right, mean over N",
        ),
    ),
    organisms={
        "chains": generator,
        "chains-process": verifier,
        "chains-outcome": partial(verifier, kind="outcome"),
    },
    departures=(
        "A network of 0.1 million parameters writes chains of six steps modulo 11; a program labels every step.",
        "The outcome verifier learns at step ends and at the last token, the source's at every token.",
        "No active choice of what is labelled.",
        "The generator's training stops when one solution in two is right: on seed 1 it went on to 97 to 99.9 % "
        "in four of five networks, which left verifiers nothing to find; verdicts are from other seeds.",
    ),
)
