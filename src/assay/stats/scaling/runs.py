"""A table of training runs, and what a fit of it comes to."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np

from .basis import FloatArray, finite_sample
from .law import FLOPS_PER, Law, Split

Method = Literal["varpro", "huber", "huber-mean", "isoflop", "envelope"]
FEWEST_RUNS = 6
FEWEST_LEVELS = 3
NOTHING = 1e-3
"""Below this share of the lowest loss a part of the law counts as 0."""


@dataclass(frozen=True, eq=False)
class RunTable:
    """Training runs: parameters, tokens seen and final loss in nats per token, one value a run.

    `flops` is the compute of each run, 6 N D where it is not given. `unique_tokens` is how many
    different tokens it drew on. Runs (or points of a training curve) of one group are resampled
    together. ValueError for numbers that are not positive, and for fewer than 6 different runs or
    3 different sizes or token counts: the law has five numbers.
    """

    parameters: FloatArray
    tokens: FloatArray
    loss: FloatArray
    flops: FloatArray | None = None
    unique_tokens: FloatArray | None = None
    groups: tuple[str, ...] | None = None

    def __post_init__(self) -> None:
        for name in ("parameters", "tokens", "loss", "flops", "unique_tokens"):
            given = getattr(self, name)
            if given is None:
                continue
            values = finite_sample(given, name)
            object.__setattr__(self, name, values)
            if values.min() <= 0.0:
                raise ValueError(f"{name} must be positive in every run")
            if len(values) != len(self.parameters):
                raise ValueError(f"got {len(values)} {name} for {len(self.parameters)} parameters")
        if self.groups is not None and len(self.groups) != len(self.parameters):
            raise ValueError(f"got {len(self.groups)} groups for {len(self.parameters)} parameters")
        for name in ("parameters", "tokens"):
            if (levels := len(np.unique(getattr(self, name)))) < FEWEST_LEVELS:
                raise ValueError(
                    f"a scaling law needs runs at {FEWEST_LEVELS} or more different {name}, got {levels}"
                )
        different = len(set(zip(self.parameters.tolist(), self.tokens.tolist(), strict=True)))
        if different < FEWEST_RUNS:
            raise ValueError(f"a scaling law needs at least {FEWEST_RUNS} different runs, got {different}")

    def __len__(self) -> int:
        return len(self.parameters)

    @property
    def compute(self) -> FloatArray:
        """The FLOP of each run, as given or 6 N D."""
        return FLOPS_PER * self.parameters * self.tokens if self.flops is None else self.flops

    @property
    def flops_per(self) -> float:
        """FLOP per parameter and token: 6, or the median over the runs where FLOP are given."""
        return float(np.median(self.compute / (self.parameters * self.tokens)))

    def take(self, positions: Sequence[int]) -> "RunTable":
        """The runs at these positions, checked anew."""
        index = np.asarray(positions, dtype=np.intp)
        return RunTable(
            self.parameters[index],
            self.tokens[index],
            self.loss[index],
            None if self.flops is None else self.flops[index],
            None if self.unique_tokens is None else self.unique_tokens[index],
            None if self.groups is None else tuple(self.groups[i] for i in index),
        )


@dataclass(frozen=True)
class Optimum:
    """The best size at one budget, as read off the runs by approaches 1 and 2."""

    flops: float
    parameters: float


@dataclass(frozen=True)
class Fit:
    """What one method makes of a table: N_opt = coefficient * C^a, and the law where it fits one.

    a and coefficient are nan where size or data do not matter. `objective` is in the method's own
    units and not comparable between methods. `converged` is False
    where the search stopped short of the minimum. `notes` say what the runs do not tell.
    """

    method: Method
    a: float
    coefficient: float
    flops_per: float
    objective: float
    converged: bool = True
    law: Law | None = None
    optima: tuple[Optimum, ...] = ()
    notes: tuple[str, ...] = ()

    @property
    def b(self) -> float:
        """The exponent of the optimal data, D_opt ~ C^b."""
        return 1.0 - self.a

    @property
    def numbers(self) -> dict[str, float]:
        """All that was fitted, by its name in the law."""
        law = self.law
        five = {} if law is None else {name: getattr(law, name) for name in ("E", "A", "B", "alpha", "beta")}
        return {**five, "a": self.a, "b": self.b}

    def optimal(self, budget: float) -> Split:
        """The split of `budget` FLOP; ValueError where A or B is not identified."""
        if not self.coefficient > 0.0:
            raise ValueError("these runs have no optimal split: loss depends on size alone, or on data alone")
        if self.law is not None:
            return self.law.optimal(budget, self.flops_per)
        if not (budget > 0.0 and np.isfinite(budget)):
            raise ValueError("a budget must be a positive number of FLOP")
        size = self.coefficient * budget**self.a
        return Split(size, budget / (self.flops_per * size))


def fit_of_law(
    method: Method, law: Law, table: RunTable, objective: float, converged: bool, notes: tuple[str, ...]
) -> Fit:
    """A fit that found the whole law; exponents and coefficient are nan where A or B came out as nothing."""
    missing = not_identified(law, table)
    a = coefficient = float("nan")
    if not any(note[0] in "AB" for note in missing):
        a, coefficient = law.a, law.optimal(table.flops_per, table.flops_per).parameters / table.flops_per**law.a
    return Fit(method, a, coefficient, table.flops_per, objective, converged, law, (), (*missing, *notes))


def not_identified(law: Law, table: RunTable) -> tuple[str, ...]:
    """A sentence for each of E, A and B that came out as nothing."""
    least = 1e-3 * float(table.loss.min())
    notes = []
    floor = law.E
    if floor <= least:
        notes.append(
            "E is not identified: the best fit has E = 0, as the losses are too far above their floor; "
            "alpha and beta then take its place, and losses foretold beyond these runs are too low"
        )
    for name, part, of in (
        ("A", law.A * table.parameters**-law.alpha, "size"),
        ("B", law.B * table.tokens**-law.beta, "data"),
    ):
        if part.max() <= least:
            notes.append(
                f"{name} is not identified, nor are the exponents a and b: "
                f"in the best fit loss does not depend on {of}"
            )
    return tuple(notes)
