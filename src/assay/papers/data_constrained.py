"""Scaling data-constrained language models: what is a token worth that was read before?"""

from __future__ import annotations

from functools import partial

from assay.core import Arm, EvidenceKind, Paper
from assay.papers.recipes.scaling import claim, decay, loss, loss_claim, organism
from assay.techniques.training.trend import OWN_NETWORKS, trained

FRESH = loss("fresh", "every text is new")
SIXTY_FOUR = loss("64 epochs", "64 times over a sixty-fourth of the texts", epochs=64)


def decays(name: str, says: str, method: str) -> Arm:
    """log10 of R*_D under a law that was fitted by a method."""
    return trained(name, says, decay, "log10_decay", method=method)


PAPER = Paper(
    slug="data-constrained",
    title="Scaling Data-Constrained Language Models",
    authors="Muennighoff, Rush, Barak, et al.",
    year=2023,
    url="https://arxiv.org/abs/2305.16264",
    row="R48",
    shelf="training",
    says="Up to four epochs over the same tokens are almost as good as new tokens; then the worth of a repetition "
    "decays, with a constant R*_D of 15.4, to nothing.",
    reading="What four epochs cost depends on how much of the text a network can learn by heart: here 50,000 "
    "parameters stand against 200,000 tokens, and at 64 epochs against 13,000. The form cannot express that loss "
    "rises with repetition; then R*_D comes out small. It is fitted under a law of fifteen runs, whose misfit at "
    "the base run it takes over. Lovelace et al. 2026 (arXiv 2605.01640) add a penalty for overfitting instead, "
    "and find that a weight decay of 1.0 cuts it by about 70 %: the last claim is theirs.",
    claims=(
        loss_claim(
            "four-epochs-almost-free",
            "Four epochs over a quarter of the texts leave the loss that as many new texts leave.",
            (loss("4 epochs", "four times over a quarter of the texts", epochs=4), FRESH),
            0.02,
            direction=0,
        ),
        loss_claim(
            "sixty-four-epochs-cost",
            "Sixty-four epochs over a sixty-fourth of the texts leave a higher loss than new texts.",
            (SIXTY_FOUR, FRESH),
            0.05,
        ),
        claim(
            "effective-data-law",
            "The worth of repeated tokens decays with a constant between 5 and 50 repetitions.",
            (
                decays("varpro law", "R*_D under the law by least squares", "varpro"),
                decays("Huber law", "R*_D under the law by Huber's loss", "huber"),
            ),
            0.1,
            evidence=EvidenceKind.RATE,
            expected=(0.699, 1.699),
            unit="log10 of R*_D",
            needs=OWN_NETWORKS,
        ),
        loss_claim(
            "weight-decay-helps-repeats",
            "At sixty-four epochs a weight decay of 1.0 leaves a lower loss than 0.1.",
            (
                loss("decay 1.0", "64 epochs with ten times the weight decay", epochs=64, weight_decay=1.0),
                SIXTY_FOUR,
            ),
            0.02,
            direction=-1,
        ),
    ),
    organisms={
        "scaling-4-epochs": partial(organism, epochs=4),
        "scaling-64-epochs": partial(organism, epochs=64),
    },
    departures=(
        "One layer from scratch on a Markov source of order 2, no dropout; the source has networks of up to 9B "
        "parameters on natural text.",
        "One size and one length, the texts repeated 4, 16 and 64 times; the law comes from the runs of the "
        "Chinchilla card.",
        "An R*_D without end counts as 10,000, the end of the search.",
    ),
)
