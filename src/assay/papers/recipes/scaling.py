"""What the claims on scaling laws train: a grid of sizes and budgets on one source, and runs that repeat texts."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from assay.core import Arm, Claim
from assay.tasks import SeedsTask
from assay.tasks.language import Markov
from assay.techniques.training.organisms.loop import Schedule
from assay.techniques.training.organisms.network import Tiny
from assay.techniques.training.organisms.organism import Organism
from assay.techniques.training.organisms.vocabulary import SPECIAL
from assay.techniques.training.scaling import MeasuredRun, Method, RepetitionFit, RunTableFit, planned_flops
from assay.techniques.training.trend import Points, trained, training_claim

ENDS = 2
"""Tokens that begin and end a text."""


@dataclass(frozen=True)
class Grid:
    """What is trained at one size of the dial: per budget of FLOP, networks of several widths."""

    source: Markov
    budgets: tuple[tuple[float, tuple[int, ...]], ...]
    """(FLOP of a run, widths tried with it), cheapest first."""
    layers: int = 1
    batch: int = 32
    context: int = 64
    quarter: tuple[int, int] = (48, 96)
    """Widths with about four times the parameters from one to the other, both at the largest budget."""
    base: tuple[int, int] = (64, -1)
    """(width, which budget) of the runs that repeat texts, or whose cosine is too long."""


GRIDS = {
    "smoke": Grid(
        Markov(symbols=8, order=2, length=14),
        ((3e8, (16, 24, 32)), (6e8, (16, 24, 32))),
        quarter=(16, 32),
        base=(16, -1),
    ),
    # 576 contexts of 24 symbols: some 50,000 bits, which 23,000 parameters hold at two bits each, and 14,000
    # numbers, each seen some ten to a hundred times. Sizes and tokens lie on either side of both.
    "small": Grid(
        Markov(symbols=24, order=2, length=30),
        ((30e9, (16, 24, 32, 48, 64)), (90e9, (24, 32, 48, 64, 96)), (270e9, (32, 48, 64, 96, 128))),
    ),
    "full": Grid(
        Markov(symbols=128, order=2, length=62),
        (
            (1e15, (128, 192, 256, 384, 512)),
            (4e15, (192, 256, 384, 512, 768)),
            (16e15, (256, 384, 512, 768, 1024)),
        ),
        layers=4,
        batch=512,
        quarter=(384, 768),
        base=(384, 0),
    ),
}
"""FLOP of a run lie a factor of three or four apart, and so do tokens from one width to the next."""


def network(width: int, grid: Grid) -> Tiny:
    """Only the width grows; first weights have the same effect at every width: 1 / sqrt(width)."""
    inner = 8 * -(-width // 3)
    return Tiny(width, grid.layers, 4, inner, grid.context, spread=0.5 * width**-0.5)


def steps_of(width: int, budget: float, grid: Grid) -> int:
    """Steps that cost the budget, in FLOP that are counted out."""
    length = grid.source.length + ENDS
    each = planned_flops(network(width, grid), grid.source.symbols + len(SPECIAL), length)
    return max(1, round(budget / (each * grid.batch * length)))


def organism(seed: int, size: str, width: int = 0, at: int = -1, epochs: int = 1, **other: Any) -> Organism:
    """A run of that width and budget, of the base run where neither is given; `other` changes its schedule.

    The rate falls as 1 / width, as maximal-update parametrization has it for Adam, from the 3e-3 that
    organisms of width 64 are trained with everywhere here. It was not tuned, at no size.
    """
    grid = GRIDS[size]
    if not width:
        width, at = grid.base
    budget = grid.budgets[at][0]
    steps = steps_of(width, budget, grid)
    schedule = Schedule(steps=steps, batch=grid.batch, rate=3e-3 * 64 / width, warmup=max(1, steps // 20), **other)
    unique = round(steps * grid.batch / epochs) if epochs > 1 else 0
    changed = [f"{key.replace('_', '-')}-{value:g}" for key, value in other.items()]
    name = "-".join([f"scaling-{width}", f"{budget:.3g}".replace("+", ""), *changed])
    name += f"-epochs-{epochs}" if epochs > 1 else ""
    return Organism(name, grid.source, network(width, grid), schedule=schedule, seed=seed, unique=unique)


def measured(seed: int, size: str, width: int = 0, at: int = -1, epochs: int = 1, **other: Any) -> MeasuredRun:
    """Its held-out loss."""
    one = organism(seed, size, width, at, epochs, **other)
    return MeasuredRun(f"{one.name}-measured", one, GRIDS[size].source)


def runs(seed: int, size: str) -> tuple[MeasuredRun, ...]:
    """The whole grid; last budget first, whose runs take longest."""
    budgets = GRIDS[size].budgets
    places = [(width, at) for at, (_, widths) in enumerate(budgets) for width in widths]
    return tuple(measured(seed, size, width, at - len(budgets)) for width, at in reversed(places))


def fitted(seed: int, size: str, method: Method = "varpro") -> RunTableFit:
    """The law of the grid."""
    return RunTableFit(f"scaling-{method}", runs(seed, size), method)


def fits(seed: int, size: str, method: Method) -> Points:
    """The law's numbers."""
    return [(0, fitted(seed, size, method))]


def one_run(seed: int, size: str, **other: Any) -> Points:
    """The base run, with changes."""
    return [(0, measured(seed, size, **other))]


def at_one_budget(seed: int, size: str, which: int) -> Points:
    """The smaller (0) or the larger (1) of two networks that cost the same."""
    return [(0, measured(seed, size, GRIDS[size].quarter[which]))]


def decay(seed: int, size: str, method: Method) -> Points:
    """R*_D from 4, 16 and 64 epochs of the base run, under the law of the grid."""
    repeated = tuple(measured(seed, size, epochs=epochs) for epochs in (4, 16, 64))
    return [(0, RepetitionFit(f"scaling-decay-{method}", runs(seed, size), repeated, method))]


# --- arms and claims

Ladder = Callable[..., Points]


def exponent(method: Method, says: str) -> Arm:
    """The exponent a of the optimal size by a method."""
    return trained(method, says, fits, "a", method=method)


def loss(name: str, says: str, ladder: Ladder = one_run, **settings: Any) -> Arm:
    """The held-out loss of a run."""
    return trained(name, says, ladder, "loss", **settings)


def claim(name: str, sentence: str, arms: tuple[Arm, Arm], least: float, **other: Any) -> Claim:
    """A claim on exponents or losses, over seeds."""
    return training_claim(name, sentence, arms, SeedsTask(), least, **other)


def loss_claim(name: str, sentence: str, arms: tuple[Arm, Arm], least: float, **other: Any) -> Claim:
    """A claim on held-out losses."""
    return claim(name, sentence, arms, least, unit="nats of held-out loss", **other)
