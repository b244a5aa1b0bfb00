"""PaLM 2: the exponents of compute-optimal scaling, found once more by parabolas at equal compute."""

from __future__ import annotations

from assay.core import Paper
from assay.papers.recipes.scaling import claim, exponent, organism
from assay.techniques.training.trend import OWN_NETWORKS

PAPER = Paper(
    slug="palm2",
    title="PaLM 2 Technical Report",
    authors="Anil, Dai, Firat, et al.",
    year=2023,
    url="https://arxiv.org/abs/2305.10403",
    row="R35",
    shelf="training",
    says="At larger compute than Hoffmann et al. had, data and size should again grow about 1:1; the optimum is "
    "read off parabolas of loss against size at equal FLOP.",
    reading="That two methods agree on one table of runs shows that the table has an optimum inside, not that the "
    "exponent is right. A parabola is biased where the exponents of size and data differ, or sizes lie unevenly "
    "about the optimum (arXiv 2603.22339), and three budgets make a line of three points: agreement within 0.1 "
    "asks much.",
    claims=(
        claim(
            "isoflop-agrees",
            "Parabolas at equal compute give the exponent that the parametric law gives on the same runs.",
            (
                exponent("isoflop", "a parabola at each budget, and a line through their minima"),
                exponent("varpro", "the law E + A / N^alpha + B / D^beta by least squares"),
            ),
            0.1,
            direction=0,
            unit="exponent a",
            needs=OWN_NETWORKS,
        ),
    ),
    organisms={"scaling-base": organism},
    departures=(
        "The runs are those of the Chinchilla card: one layer, on a Markov source of order 2.",
        "Parabolas are drawn over exact FLOP, where attention weighs more in small networks; that alone "
        "makes the exponent about 0.02 larger than over 6 N D, which the law's exponent goes by.",
        "On seed 1 the best width of two of the three budgets of the small size was the smallest: there is no "
        "minimum inside. A smaller width at as much compute takes many times as long, for it reads more tokens.",
        "A seed whose parabolas have no minimum inside the sizes at two budgets has no exponent and is left out.",
    ),
)
