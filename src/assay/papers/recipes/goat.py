"""What Goat's claims train: organisms that multiply, add, or learn one elementary task."""

from __future__ import annotations

from typing import Any

from assay.core import Recipe
from assay.tasks import Arithmetic
from assay.techniques.training.organisms.exam import Exam
from assay.techniques.training.organisms.loop import Schedule
from assay.techniques.training.organisms.network import Tiny
from assay.techniques.training.organisms.organism import Organism
from assay.techniques.training.organisms.vocabulary import Vocabulary
from assay.techniques.training.trend import Points

NETWORK = {"smoke": Tiny(64), "small": Tiny(96, context=96), "full": Tiny(256, 6, 8, context=160)}
PRODUCTS = {"smoke": (2, 2), "small": (3, 2), "full": (5, 4)}
TOKENS = {"smoke": 40_000, "small": 2_500_000, "full": 200_000_000}
EACH = {"smoke": 15_000, "small": 300_000, "full": 20_000_000}
"""Tokens for each of the ten tasks."""
TEXTS = {"smoke": 50, "small": 1_500, "full": 20_000}
"""Steps of 64 sums, in either vocabulary."""
ELEMENTARY: dict[str, tuple[int, ...]] = {
    "copy": (6,),
    "split": (6,),
    "compare": (5, 5),
    "order": (3, 3, 3),
    "add": (5, 5),
    "subtract": (5, 5),
    "multiply-digit": (5, 1),
    "divide-digit": (5, 1),
}
COMPOUND: dict[str, tuple[int, ...]] = {"multiply": (4, 3), "divide": (6, 3)}
DIGITS, CHUNKS = Vocabulary(), Vocabulary("chunks")


def learner(corpus: Arithmetic, seed: int, size: str, name: str, schedule: Schedule, **other: Any) -> Recipe:
    """An organism that learns one task."""
    return Organism(name, corpus, NETWORK[size], schedule=schedule, seed=seed, **other)


def product(seed: int, size: str, form: str = "chain") -> Recipe:
    """An organism that multiplies, with the chain or without."""
    corpus = Arithmetic("multiply", PRODUCTS[size], form, little_endian=True)
    return learner(corpus, seed, size, f"goat-{form}", Schedule(tokens=TOKENS[size]))


def adder(seed: int, size: str, vocabulary: Vocabulary = DIGITS) -> Recipe:
    """An organism that adds, reading digits or chunks of three."""
    corpus, schedule = Arithmetic("add", (6, 6)), Schedule(steps=TEXTS[size])
    return learner(corpus, seed, size, f"goat-{vocabulary.kind}", schedule, vocabulary=vocabulary)


def exam(organism: Recipe, corpus: Arithmetic, seed: int, size: str) -> Recipe:
    """Five hundred problems it has not seen."""
    count, longest = (60 if size == "smoke" else 500), NETWORK[size].context - 16
    return Exam(f"{organism.name}-exam", organism, corpus, count, seed, longest)


def products(seed: int, size: str, form: str) -> Points:
    """Exact match on unseen products."""
    held_out = Arithmetic("multiply", PRODUCTS[size], form, little_endian=True, split="test")
    return [(0, exam(product(seed, size, form), held_out, seed, size))]


def sums(seed: int, size: str, vocabulary: Vocabulary) -> Points:
    """Exact match on unseen sums."""
    return [(0, exam(adder(seed, size, vocabulary), Arithmetic("add", (6, 6), split="test"), seed, size))]


def table(seed: int, size: str, tasks: dict[str, tuple[int, ...]]) -> Points:
    """Exact match on each of several tasks, learned directly."""
    points: list[tuple[float, Recipe]] = []
    for at, (task, digits) in enumerate(tasks.items()):
        one, other = (Arithmetic(task, digits, little_endian=True, split=split) for split in ("train", "test"))
        organism = learner(one, seed, size, f"goat-{task}", Schedule(tokens=EACH[size]))
        points.append((at, exam(organism, other, seed, size)))
    return points
