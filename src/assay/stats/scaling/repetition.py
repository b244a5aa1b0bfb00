"""What tokens are worth that were seen before: effective data, and how fast its worth decays.

The form of Muennighoff et al. 2023 (https://arxiv.org/abs/2305.16264). It rises with every repetition
and tends to a limit: it cannot express that loss gets worse, which small models on little data do.
"""

import math
from collections.abc import Callable
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from numpy.typing import ArrayLike

from .basis import FloatArray
from .law import Law
from .runs import RunTable

TOKENS_DECAY, PARAMETERS_DECAY = 15.387756, 5.309743
"""R*_D and R*_N of Muennighoff et al. 2023, fitted together with the law of theirs in `PUBLISHED_LAWS`."""
FEWEST_REPEATED = 3
SMALLEST, LARGEST = 0.01, 1e4
"""Where decay constants are looked for, in repetitions."""
GRID, GRID_OF_PAIRS, ZOOMS = 61, 21, 12


@dataclass(frozen=True)
class Repetition:
    """The decay constants R*_D of repeated tokens and R*_N of excess parameters.

    Infinite where repeats were worth as much as new tokens as far as the runs go; `objective` is the
    sum of squared residuals of log loss. Without R*_N, `parameters` is None and size counts in full.
    """

    tokens: float
    parameters: float | None
    objective: float
    notes: tuple[str, ...] = ()


def effective_tokens(tokens: ArrayLike, unique: ArrayLike, decay: float) -> FloatArray:
    """The number of new tokens that D tokens drawn from U different ones are worth, in arrays that broadcast.

    D' = U + U R* (1 - exp(-R / R*)) with R = D / U - 1 repetitions; D' = D where D < U or R* is
    infinite, and no more than U (1 + R*) ever. ValueError for counts or an R* that are not positive.
    The form cannot express loss getting worse with repetition.
    """
    return _worth(tokens, unique, decay, "tokens")


def effective_parameters(parameters: ArrayLike, fitting: ArrayLike, decay: float) -> FloatArray:
    """What N parameters are worth where `fitting` of them suit the unique data; the form of the tokens."""
    return _worth(parameters, fitting, decay, "parameters")


def fit_repetition(table: RunTable, law: Law, excess_parameters: bool = False) -> Repetition:
    """R*_D, and R*_N if asked for, from runs with `unique_tokens`, by least squares of log loss.

    The law is taken as known: fit it to runs that repeat nothing. Excess parameters are those beyond
    the size for which the unique tokens are compute-optimal under that law. ValueError if fewer than
    3 runs repeat tokens, or if the law does not depend on data.
    """
    if table.unique_tokens is None:
        raise ValueError("a decay of repeated tokens needs the number of unique tokens of each run")
    unique = np.minimum(table.unique_tokens, table.tokens)
    if (repeated := int((table.tokens > unique).sum())) < FEWEST_REPEATED:
        raise ValueError(f"a decay needs at least {FEWEST_REPEATED} runs that repeat tokens, got {repeated}")
    if law.B == 0.0:
        raise ValueError("in this law loss does not depend on data: repeats cannot be weighed by it")
    observed = np.log(table.loss)
    fitting = law.parameters_for(unique) if excess_parameters else table.parameters

    def objective(by_tokens: float, by_parameters: float) -> float:
        size = effective_parameters(table.parameters, fitting, by_parameters)
        off = np.log(law.loss(size, effective_tokens(table.tokens, unique, by_tokens))) - observed
        return float(off @ off)

    data, size = _lowest(objective, excess_parameters)
    notes = []
    for name, value in (("R*_D", data), ("R*_N", size if excess_parameters else 1.0)):
        if not SMALLEST < value < LARGEST:
            side = "no decay shows" if value >= LARGEST else "repeats were worth nothing"
            notes.append(f"{name} is not identified: {side} in these runs")
    if worse := _worse_with_more(table):
        pairs = "1 pair" if worse == 1 else f"{worse} pairs"
        notes.append(f"in {pairs} of runs loss rose with more repetition, which this form cannot express")
    data, size = (math.inf if value >= LARGEST else value for value in (data, size))
    return Repetition(data, size if excess_parameters else None, objective(data, size), tuple(notes))


def _worth(amount: ArrayLike, base: ArrayLike, decay: float, name: str) -> FloatArray:
    total, first = np.asarray(amount, dtype=np.float64), np.asarray(base, dtype=np.float64)
    if not ((total > 0.0).all() and (first > 0.0).all() and decay > 0.0):
        raise ValueError(f"{name}, their base and the decay constant must be positive")
    if math.isinf(decay):
        return np.asarray(total + 0.0 * first)
    repeats = np.maximum(total / first - 1.0, 0.0)
    return np.asarray(np.where(total <= first, total, first - first * decay * np.expm1(-repeats / decay)))


def _lowest(objective: Callable[[float, float], float], both: bool) -> tuple[float, float]:
    """The pair of constants with the lowest objective: a grid, then ever finer grids around its best."""
    low, high = math.log(SMALLEST), math.log(LARGEST)
    points, half = (GRID_OF_PAIRS if both else GRID), 0.5 * (high - low)
    data = size = 0.5 * (low + high)
    for _ in range(ZOOMS):
        along = np.linspace(-half, half, points)
        by_tokens = np.clip(data + along, low, high)
        by_parameters = np.clip(size + along, low, high) if both else np.array([high])
        values = [[objective(math.exp(x), math.exp(y)) for y in by_parameters] for x in by_tokens]
        row, column = divmod(int(np.argmin(values)), len(by_parameters))
        data, size, half = float(by_tokens[row]), float(by_parameters[column]), 0.25 * half
    # exp(log(x)) may miss x by an ulp: an end of the search is an end.
    found = [math.exp(at) if low < at < high else (LARGEST if at >= high else SMALLEST) for at in (data, size)]
    return found[0], found[1]


def _worse_with_more(table: RunTable) -> int:
    """Pairs of runs of one size and one set of tokens in which the longer run has the higher loss."""
    assert table.unique_tokens is not None
    runs = sorted(zip(table.parameters, table.unique_tokens, table.tokens, table.loss, strict=True))
    return sum(bool(a[:2] == b[:2] and b[2] > a[2] > a[1] and b[3] > a[3]) for a, b in pairwise(runs))
