"""What the claims on model collapse make: generations of a Gaussian, a mixture, an n-gram and a network."""

from __future__ import annotations

from typing import Any

from assay.core import Arm, Claim
from assay.tasks import SeedsTask
from assay.tasks.language import Markov
from assay.techniques.training.fitted_generations import FittedGenerations
from assay.techniques.training.generations import Generation, Policy, line_of
from assay.techniques.training.organisms.loop import Schedule
from assay.techniques.training.organisms.network import Tiny
from assay.techniques.training.trend import OWN_NETWORKS, SEEDS, Points, trained, training_claim

SOURCE = Markov(symbols=100, order=1, length=64)
GENERATIONS = {"smoke": 1, "small": 4, "full": 9}
TEXTS = {"smoke": 64, "small": 800, "full": 20_000}
STEPS = {"smoke": 10, "small": 75, "full": 2_000}
NETWORK = {"smoke": Tiny(32, 1, context=72), "small": Tiny(64, context=72), "full": Tiny(256, 4, 8, context=72)}
PREFIX = 16
FITS = {"smoke": 5, "small": 30, "full": 100}
"""Generations of the models that are fitted in no time."""


def first(seed: int, size: str, **decoding: Any) -> Generation:
    """The generation that reads the real data."""
    name = "-".join(["markov", *(f"{key}-{value}" for key, value in decoding.items())])
    return Generation(
        name,
        SOURCE,
        count=TEXTS[size],
        start=NETWORK[size],
        schedule=Schedule(steps=STEPS[size], warmup=min(50, STEPS[size] // 2)),
        seed=seed,
        **decoding,
    )


def networks(seed: int, size: str, policy: Policy, **decoding: Any) -> Points:
    """A line of language models."""
    line = line_of(first(seed, size, **decoding), GENERATIONS[size], policy=policy)
    return [(generation.number, generation) for generation in line]


def fits(seed: int, size: str, fitting: Any, policy: Policy, count: int = 100) -> Points:
    """A line of fits: one artefact holds all of them."""
    name = f"{type(fitting).__name__.lower()}-{policy}"
    return [(0, FittedGenerations(name, fitting, policy, FITS[size], count, seed=seed))]


# --- arms and claims

SAYS = {
    "replace": "every generation reads only what the one before it wrote",
    "keep": "a tenth of what it reads stays real",
    "accumulate": "what was written is added to all that was read before",
    "fresh": "every generation reads new real texts",
}
MANY = {
    size: type(seeds)((1 if size == "smoke" else 30) * seeds.n, level=seeds.level) for size, seeds in SEEDS.items()
}
"""Fits cost nothing: seeds are plenty."""


def network(policy: str, number: str) -> Arm:
    """A line of language models under a policy."""
    return trained(policy, SAYS[policy], networks, number, policy=policy)


def fitted(fitting: Any, policy: str, number: str) -> Arm:
    """A line of fits under a policy."""
    return trained(policy, SAYS[policy], fits, number, fitting=fitting, policy=policy)


UNITS = {
    "divergence": "nats of divergence a generation",
    "entropy": "nats of entropy a generation",
    "tail": "mass of the tail a generation",
    "log_deviation": "log standard deviation a generation",
}


def claim(name: str, sentence: str, arms: tuple[Arm, Arm], least: float, **other: Any) -> Claim:
    """A claim about how fast something changes from generation to generation; `least` below 0: it falls."""
    number = arms[0].flow.keywords["number"]  # type: ignore[attr-defined]
    direction = 1 if least > 0 else -1
    task = SeedsTask("slope", "generation")
    settings = {"unit": UNITS[number], "direction": direction, "needs": OWN_NETWORKS} | other
    return training_claim(name, sentence, arms, task, abs(least), **settings)


def networks_claim(name: str, sentence: str, policies: tuple[str, str], number: str, least: float) -> Claim:
    """Such a claim on language models under two policies."""
    return claim(name, sentence, (network(policies[0], number), network(policies[1], number)), least)


def fits_claim(name: str, sentence: str, fitting: Any, number: str, least: float) -> Claim:
    """Such a claim on models that are fitted in no time, on many seeds."""
    arms = fitted(fitting, "replace", number), fitted(fitting, "fresh", number)
    return claim(name, sentence, arms, least, sizes=MANY)


def beams(count: int) -> Arm:
    """A line whose texts continue real prefixes, by beam search or by sampling."""
    says = f"texts go on from {PREFIX} real symbols " + (f"by {count} beams" if count > 1 else "by sampling")
    name = f"{count} beams" if count > 1 else "sampling"
    return trained(name, says, networks, "divergence", policy="replace", prefix=PREFIX, beams=count)
