"""Chinchilla: at a given compute, should size and data grow alike? And were Gopher and MT-NLG too large?"""

from __future__ import annotations

from functools import partial
from typing import Any

from assay.core import Arm, Claim, EvidenceKind, Measure, Paper, Size
from assay.papers.recipes.scaling import at_one_budget, claim, exponent, loss, loss_claim, organism
from assay.tasks import SimulatedSourcesTask
from assay.techniques.training.scaling import exponent_error
from assay.techniques.training.trend import OWN_NETWORKS

SUMMED = Arm("summed", partial(exponent_error, averaged=False), "Huber's loss summed over runs, |a - true a|")
AVERAGED = Arm("averaged", partial(exponent_error, averaged=True), "the same loss averaged, |a - true a|")
NUMERIC: dict[str, Any] = {
    "sizes": {"smoke": Size(10), "small": Size(40), "full": Size(200)},
    "measure": Measure.GRADED,
    "unit": "error of the exponent a",
    "needs": frozenset(),
    "rule": "fixed",
    "driver": "calibrated",
    "equal_spend": False,
    "placebo": False,
}
ON_ORGANISMS = (
    "One layer whose width alone grows, on a Markov source of order 2, with fifteen runs a seed: the source "
    "has transformers of many depths on natural text.",
    "The rate falls as 1 / width and was tuned at no size.",
    "FLOP count every matrix product, attention and head included; size leaves out the embedding.",
    "Gopher's place is taken by the width next to the largest, at four times the parameters, as it was.",
)

PAPER = Paper(
    slug="chinchilla",
    title="Training Compute-Optimal Large Language Models",
    authors="Hoffmann, Borgeaud, Mensch, et al.",
    year=2022,
    url="https://arxiv.org/abs/2203.15556",
    row="R04",
    shelf="training",
    says="From more than 400 runs of 70M to 16B parameters, the optimal size grows with compute to a power of "
    "0.50, 0.49 or 0.46, by three approaches: size and data grow alike. Gopher (280B) and MT-NLG (530B), trained "
    "on about 300B tokens, were far too large for their compute.",
    reading="The exponent is a property of the data and of the parametrization: on a Markov source nothing makes "
    "it 0.5. What should carry over is that an optimum lies inside and moves up. The law has no room for a loss "
    "that falls in a step, when a network finds out that the symbol before the last one matters; budgets that "
    "span a factor of nine leave exponents loose. Besiroglu et al. 2024 (arXiv 2404.10102) explain the odd third "
    "approach by a loss that was averaged, which ended its search early.",
    claims=(
        claim(
            "equal-scaling",
            "The optimal size grows with compute to a power between 0.4 and 0.6.",
            (
                exponent("varpro", "the law E + A / N^alpha + B / D^beta by least squares"),
                exponent("isoflop", "a parabola at each budget, and a line through their minima"),
            ),
            0.1,
            evidence=EvidenceKind.RATE,
            expected=(0.4, 0.6),
            unit="exponent a",
            needs=OWN_NETWORKS,
            departures=ON_ORGANISMS,
        ),
        loss_claim(
            "gopher-was-too-big",
            "At one compute budget a network with a quarter of the parameters has the lower loss.",
            (
                loss("a quarter", "more tokens through the smaller network", at_one_budget, which=0),
                loss("four times", "few tokens through the larger one", at_one_budget, which=1),
            ),
            0.02,
            direction=-1,
            needs=OWN_NETWORKS,
            departures=ON_ORGANISMS,
        ),
        loss_claim(
            "overtrained-cosine",
            "A learning rate whose cosine is twice as long as the training leaves a higher loss.",
            (
                loss("too long", "the cosine would end at twice the budget", horizon=2.0),
                loss("matched", "the cosine ends where the training ends"),
            ),
            0.01,
            departures=ON_ORGANISMS,
        ),
        Claim(
            "averaged-huber-misses",
            "Averaged over runs, Huber's loss gives an exponent further from the truth than summed.",
            AVERAGED,
            SUMMED,
            SimulatedSourcesTask(labels=("table",)),
            0.01,
            departures=("Simulated: 156 runs a table, drawn from the refitted law with 0.4 % of noise.",),
            **NUMERIC,
        ),
    ),
    organisms={"scaling": organism, "scaling-long-cosine": partial(organism, horizon=2.0)},
)
