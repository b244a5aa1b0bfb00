"""What the claims on verifiers make: a generator of chains of steps, its samples, verifiers, and their choices."""

from __future__ import annotations

from typing import Literal

from assay.tasks import ModularChains
from assay.techniques.training.organisms.half_trained import HalfTrained
from assay.techniques.training.organisms.loop import Schedule
from assay.techniques.training.organisms.network import Tiny
from assay.techniques.training.organisms.sampling import Samples
from assay.techniques.training.trend import Points
from assay.techniques.training.verifying.selection import BestOfN
from assay.techniques.training.verifying.verifiers import Kind, Verifier

NETWORK = {"smoke": Tiny(32, 1, context=72), "small": Tiny(64, context=72), "full": Tiny(192, 4, 6, context=72)}
TOKENS = {"smoke": 60_000, "small": 4_000_000, "full": 60_000_000}
"""At most."""
PROBLEMS = {"smoke": 64, "small": 6_000, "full": 200_000}
"""Problems that verifiers learn from, two solutions each."""
EACH = 2
EPOCHS = {"smoke": 1, "small": 4, "full": 4}
BATCH = 64
TESTED = {"smoke": 16, "small": 300, "full": 2_000}
DRAWN = {"smoke": 4, "small": 32, "full": 64}
SIZES = {"smoke": (1, 2, 4), "small": (1, 2, 4, 8, 16, 32), "full": (1, 2, 4, 8, 16, 32, 64)}
LONGEST = 40
Match = Literal["solutions", "labels"]
SOLVED = 0.5
TRAIN, TEST = ModularChains(), ModularChains(split="test")


def generator(seed: int, size: str) -> HalfTrained:
    """Writes solutions of six steps; trained until one in two comes out right.

    A generator without errors leaves verifiers nothing to find. Where it is stopped is blind to both arms.
    """
    schedule = Schedule(tokens=TOKENS[size], warmup=20)
    return HalfTrained("chains", TRAIN, NETWORK[size], schedule=schedule, seed=seed, watched=TEST, solved=SOLVED)


def samples(seed: int, size: str) -> Samples:
    """Solutions that verifiers learn from."""
    return Samples("chains-samples", generator(seed, size), TRAIN, PROBLEMS[size], EACH, LONGEST, seed=seed)


def verifier(seed: int, size: str, kind: Kind = "process", match: Match = "solutions") -> Verifier:
    """Learns from all solutions; `labels`: a process verifier pays for every step it is told about.

    As many judgements as there are solutions are what an outcome verifier pays for all of them.
    """
    solutions = PROBLEMS[size] * EACH
    bound = solutions if match == "labels" and kind == "process" else 0
    name = f"chains-{kind}" + ("-paid" if bound else "")
    steps = max(2, EPOCHS[size] * solutions // BATCH)
    schedule = Schedule(steps=steps, batch=BATCH, rate=2e-3, warmup=min(50, steps // 2))
    drawn, writer = samples(seed, size), generator(seed, size)
    return Verifier(name, kind, drawn, writer, TRAIN, schedule, judgements=bound, seed=seed)


def choices(seed: int, size: str, match: Match = "solutions") -> Points:
    """What each way of choosing among N solutions comes to, on problems nobody has seen."""
    tested = Samples("chains-tested", generator(seed, size), TEST, TESTED[size], DRAWN[size], LONGEST, seed=seed)
    outcome, process = verifier(seed, size, "outcome"), verifier(seed, size, "process", match)
    return [(0, BestOfN(f"chains-choices-{match}", tested, outcome, process, TEST, SIZES[size]))]
