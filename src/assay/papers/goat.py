"""Goat: arithmetic that a model cannot learn directly it learns as a chain of steps it can."""

from __future__ import annotations

from functools import partial
from typing import Any

from assay.core import Arm, Claim, Paper
from assay.papers.recipes.goat import CHUNKS, COMPOUND, DIGITS, ELEMENTARY, adder, product, products, sums, table
from assay.tasks import SeedsTask
from assay.techniques.training.trend import OWN_NETWORKS, trained, training_claim


def arm(name: str, says: str, ladder: Any, **settings: Any) -> Arm:
    """An arm whose measure is exact match."""
    return trained(name, says, ladder, "exact", **settings)


def claim(name: str, sentence: str, treatment: Arm, control: Arm, **other: Any) -> Claim:
    """A claim about exact match on problems that were not trained on."""
    return training_claim(
        name, sentence, (treatment, control), SeedsTask(dose="task", chance=0.0), 0.2, unit="exact match", **other
    )


PAPER = Paper(
    slug="goat",
    title="Goat: Fine-tuned LLaMA Outperforms GPT-4 on Arithmetic Tasks",
    authors="Liu, Low",
    year=2023,
    url="https://arxiv.org/abs/2305.14201",
    row="R44",
    shelf="training",
    says="A 7B model fine-tuned on generated arithmetic multiplies 5-digit numbers with 96.7 % exact match, "
    "GPT-4 with 0.0 %. Long products and quotients are learned as chains, never directly; models whose tokenizer "
    "does not split numbers into digits fail even at adding.",
    reading="Two-digit products can be memorised, so longer ones are asked, on pairs that no training text "
    "holds in either order. Arms have the same tokens, so the direct one sees several times as many problems.",
    claims=(
        claim(
            "decomposed-beats-direct",
            "Products of long numbers are learned better as a chain over place values than directly.",
            arm("chain", "learns products as chains", products, form="chain"),
            arm("direct", "learns products alone, from as many tokens", products, form="direct"),
        ),
        claim(
            "learnable-table",
            "From as few tokens, elementary tasks are learned further on average than products and quotients.",
            arm(
                "elementary",
                "copy, split, compare, order, add, subtract, nD x 1D, nD / 1D",
                table,
                tasks=ELEMENTARY,
            ),
            arm("compound", "nD x mD and nD / mD, answered directly", table, tasks=COMPOUND),
        ),
        claim(
            "digit-tokens",
            "Addition is learned better from digits than from chunks of three digits, on the same sums.",
            arm("digits", "one token a digit", sums, vocabulary=DIGITS),
            arm("chunks", "up to three digits a token, cut from the left", sums, vocabulary=CHUNKS),
            needs=OWN_NETWORKS,
        ),
    ),
    organisms={
        "goat-chain": product,
        "goat-direct": partial(product, form="direct"),
        "goat-characters": adder,
        "goat-chunks": partial(adder, vocabulary=CHUNKS),
    },
    departures=(
        "Networks of a quarter of a million parameters from scratch in place of LLaMA-7B with LoRA.",
        "No instructions in words; numbers of products and of the table are written with the last digit first, in "
        "all arms, which learns faster.",
        "Digits and chunks share the sums and their number; a chunk is three times as dense, so tokens differ.",
    ),
)
