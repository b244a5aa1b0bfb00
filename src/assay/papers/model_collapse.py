"""The curse of recursion: what becomes of models that are trained on what models wrote?"""

from __future__ import annotations

from functools import partial

from assay.core import Paper
from assay.papers.recipes.collapse import (
    PREFIX,
    beams,
    claim,
    first,
    fits_claim,
    networks_claim,
)
from assay.tasks.language import Gaussian, Ngram, TwoHumps

PAPER = Paper(
    slug="model-collapse",
    title="The Curse of Recursion: Training on Generated Data Makes Models Forget",
    authors="Shumailov, Shumaylov, Zhao, Gal, Papernot, Anderson",
    year=2023,
    url="https://arxiv.org/abs/2305.17493",
    row="R62",
    shelf="training",
    says="Models trained on their predecessors' output forget the tails of the data first and then converge to a "
    "point of little variance; a Gaussian fitted again and again loses its variance almost surely. With a tenth "
    "of the real data kept the damage is minor.",
    reading="Divergence, entropy and the mass of the tail need not go together: an under-fitted network blurs, so "
    "that its tails grow while it drifts away. Beam search narrows what is written and is no property of "
    "training. Gerstgrasser et al. 2024 (arXiv 2404.01413) add the samples to the data, and nothing "
    "collapses; with as many steps for all, a set that grows is also read fewer times over, which alone slows it.",
    claims=(
        networks_claim(
            "collapse-diverges",
            "Language models trained on their predecessors' texts alone drift away from the source.",
            ("replace", "fresh"),
            "divergence",
            0.01,
        ),
        networks_claim(
            "collapse-loses-entropy",
            "Language models trained on their predecessors' texts lose entropy.",
            ("replace", "fresh"),
            "entropy",
            -0.01,
        ),
        networks_claim(
            "collapse-loses-tails",
            "Language models trained on their predecessors' texts lose the tail of the source.",
            ("replace", "fresh"),
            "tail",
            -0.002,
        ),
        networks_claim(
            "accumulate-slows-collapse",
            "Models drift more slowly where generated texts are added to real ones than where they replace them.",
            ("accumulate", "replace"),
            "divergence",
            -0.01,
        ),
        networks_claim(
            "a-tenth-kept-slows-collapse",
            "Models drift more slowly where a tenth of the real texts is kept.",
            ("keep", "replace"),
            "divergence",
            -0.01,
        ),
        claim(
            "beams-collapse-faster",
            "Models drift faster where texts are written by beam search than where they are sampled.",
            (beams(5), beams(1)),
            0.05,
        ),
        fits_claim(
            "gaussian-loses-variance",
            "A Gaussian fitted to its predecessor's samples loses its spread.",
            Gaussian(),
            "log_deviation",
            -0.002,
        ),
        fits_claim(
            "mixture-diverges",
            "A mixture fitted to its predecessor's samples drifts away from the source.",
            TwoHumps(),
            "divergence",
            0.002,
        ),
        fits_claim(
            "ngram-loses-tails",
            "An n-gram model fitted to its predecessor's texts loses the source's tail.",
            Ngram(),
            "tail",
            -0.0005,
        ),
    ),
    organisms={"markov": first, "markov-beams": partial(first, prefix=PREFIX, beams=5)},
    departures=(
        "Tiny networks from scratch in every generation, on a Markov source whose probabilities are known; the "
        "source fine-tunes OPT-125m on Wikipedia.",
        "Every generation takes as many steps, however much it has to read.",
    ),
)
