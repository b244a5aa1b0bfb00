"""Standard errors and intervals of a scaling law, by resampling its runs."""

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial

import numpy as np

from .basis import FloatArray, Interval, check_probability
from .law import Law
from .optima import envelope, isoflop
from .projection import varpro
from .robust import huber
from .runs import Fit, Method, RunTable

FITTERS: Mapping[Method, Callable[[RunTable], Fit]] = {
    "varpro": varpro,
    "huber": huber,
    "huber-mean": partial(huber, averaged=True),
    "isoflop": isoflop,
    "envelope": envelope,
}
FEWEST_DRAWS = 20
WITHOUT_FLOOR = 0.025
"""Above this share of fits without a floor the 95 % interval of E ends at 0."""


@dataclass(frozen=True)
class Spread:
    """A standard error and a percentile interval."""

    standard_error: float
    interval: Interval


@dataclass(frozen=True, eq=False)
class Bootstrap:
    """The fits to resampled tables; `failed` draws could not be fitted and are left out."""

    fits: tuple[Fit, ...]
    failed: int

    def spread(self, name: str, level: float = 0.95) -> Spread:
        """How far a number of the law (E, A, B, alpha, beta) or an exponent (a, b) is known."""
        return _spread(np.array([fit.numbers[name] for fit in self.fits]), level, -math.inf)

    @property
    def notes(self) -> tuple[str, ...]:
        """What the resampled tables say against the fit: what ended at 0, draws that failed."""
        notes = []
        without = sum(any(note.startswith("E is not") for note in fit.notes) for fit in self.fits)
        if without > WITHOUT_FLOOR * len(self.fits):
            notes.append(f"E is barely identified: it is 0 in {without} of {len(self.fits)} resampled tables")
        if lost := sum(math.isnan(fit.a) for fit in self.fits):
            notes.append(
                f"the exponents a and b are not identified in {lost} of {len(self.fits)} resampled tables"
            )
        if self.failed:
            notes.append(f"{self.failed} resampled tables could not be fitted and are left out")
        return tuple(notes)

    def optimal_parameters(self, budget: float, level: float = 0.95) -> Spread:
        """How far the optimal size at `budget` FLOP is known: not at all if half of the draws have none."""
        return _spread(np.array([fit.coefficient * budget**fit.a for fit in self.fits]), level, 0.0)


def fit_law(table: RunTable, method: Method = "varpro") -> Fit:
    """The fit of one method by its name; ValueError for an unknown one."""
    if method not in FITTERS:
        raise ValueError(f"there is no method {method}: {', '.join(FITTERS)}")
    return FITTERS[method](table)


def bootstrap(
    table: RunTable,
    method: Method | Fit,
    times: int,
    rng: np.random.Generator,
    told: Callable[[int], None] | None = None,
) -> Bootstrap:
    """Fit `times` tables of as many runs drawn with replacement, whole groups where there are groups.

    Handing in the fit itself saves making it again. varpro and huber search from the full fit only,
    so a second minimum far from it stays unseen. `told` hears how many draws are done. ValueError for
    a fit that did not converge, whose spread would say how the search stops and not what the runs
    know, and if more than half of the draws cannot be fitted.
    """
    if times < FEWEST_DRAWS:
        raise ValueError(f"a bootstrap needs at least {FEWEST_DRAWS} draws, got {times}")
    full = method if isinstance(method, Fit) else fit_law(table, method)
    if not full.converged:
        raise ValueError(f"{full.method} did not converge: its standard errors would mean nothing")
    refit = _refit(full)
    labels = np.arange(len(table)) if table.groups is None else np.unique(table.groups, return_inverse=True)[1]
    members = [np.flatnonzero(labels == label) for label in range(int(labels.max()) + 1)]
    fits = []
    for done in range(1, times + 1):
        drawn = np.concatenate([members[i] for i in rng.integers(len(members), size=len(members))])
        try:
            fits.append(refit(table.take(drawn.tolist())))
        except ValueError:
            continue
        finally:
            if told is not None:
                told(done)
    if 2 * len(fits) < times:
        raise ValueError(f"only {len(fits)} of {times} resampled tables could be fitted: there are too few runs")
    return Bootstrap(tuple(fits), times - len(fits))


def _refit(full: Fit) -> Callable[[RunTable], Fit]:
    """The method of a fit, its search begun at that fit's law."""
    law: Law | None = full.law
    if full.method == "varpro":
        return partial(varpro, start=law)
    return partial(huber, start=law) if full.method == "huber" else FITTERS[full.method]


def _spread(values: FloatArray, level: float, least: float) -> Spread:
    """The spread of the values that are there; everything from `least` up if half of them are nan."""
    check_probability(level, "level")
    there = values[np.isfinite(values)]
    if 2 * len(there) < len(values) or len(there) < 2:
        return Spread(math.inf, Interval(least, math.inf, level))
    low, high = np.quantile(there, [0.5 * (1.0 - level), 0.5 * (1.0 + level)])
    return Spread(float(there.std(ddof=1)), Interval(float(low), float(high), level))
