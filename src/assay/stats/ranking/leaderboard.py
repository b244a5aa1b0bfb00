"""The leaderboard: ratings on the Elo scale with intervals and ranks, and in words what they do not tell."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

import numpy as np

from .basis import FloatArray, Interval, check_probability, normal_quantile, summed, wilson
from .battles import Battles, PairCounts
from .bradley_terry import MOST_DENSE, Strengths, fit_bradley_terry
from .connected import Flags, Labels
from .davidson import fit_davidson
from .elo import OFFSET, SCALE
from .resampling import bootstrap_strengths
from .sparse import fit_sparse
from .style import fit_style

Ties = Literal["half", "davidson"]
CERTAIN = 1e-9
"""A standard error below this is none: nothing varied."""


@dataclass(frozen=True, eq=False)
class Leaderboard:
    """One entry a model, in the order of `models`; the ratings of every component have the mean 1000."""

    models: tuple[str, ...]
    strengths: Strengths
    ratings: FloatArray
    low: FloatArray
    high: FloatArray
    ranks: Labels
    """1 + the number of models of the same component whose interval lies wholly above this one's."""
    votes: FloatArray
    level: float
    style: Mapping[str, tuple[float, float]] = field(default_factory=dict)
    """By feature, log-odds per root mean square, and its standard error."""
    notes: tuple[str, ...] = ()
    """Sentences that must stand beside the numbers."""

    @property
    def component(self) -> Labels:
        """Per model which component it is in; ratings of different ones say nothing about each other."""
        return self.strengths.connection.component

    @property
    def unbounded(self) -> Flags:
        """Models whose rating the battles leave open on one side or both."""
        return self.strengths.connection.unbounded

    @property
    def order(self) -> Labels:
        """Models by component, the one with most votes first, and in it by rating."""
        size = -summed(self.component, self.votes, self.strengths.connection.components)[self.component]
        return np.lexsort((-self.ratings, self.component, size))


@dataclass(frozen=True)
class Resampling:
    """How often the table is resampled for percentile intervals, and by which randomness."""

    rng: np.random.Generator
    times: int = 0
    """0: intervals by the sandwich."""

    @classmethod
    def seeded(cls, seed: int, times: int = 0) -> Resampling:
        """By the generator that draws Poisson counts in two thirds of the time of numpy's default."""
        return cls(np.random.Generator(np.random.SFC64(seed)), times)


def leaderboard(
    battles: Battles | PairCounts,
    resampling: Resampling,
    *,
    ties: Ties = "half",
    style: Mapping[str, tuple[FloatArray, FloatArray]] | None = None,
    level: float = 0.95,
    start: Leaderboard | None = None,
) -> Leaderboard:
    """Ratings, intervals and ranks of the models.

    Args:
        battles: one row a battle, or counts by pair, with which a board is kept up to date in milliseconds.
        resampling: of the bootstrap; beyond 2,000 models the errors are drawn by its randomness.
        ties: half a win for both, or an outcome of their own.
        style: measures of style to control for, see `fit_style`; needs battles, and ties as half wins.
        level: of the intervals.
        start: an earlier board of the same models, or of the first of them, to begin at.
    """
    check_probability(level, "level")
    counts = battles.counted() if isinstance(battles, Battles) else battles
    plain = ties == "half" and not style
    if resampling.times and not (plain and len(counts.models) <= MOST_DENSE):
        raise ValueError(
            f"the bootstrap is for ties as half wins, no style and up to {MOST_DENSE} models: take the sandwich"
        )
    worth: Mapping[str, tuple[float, float]] = {}
    notes: list[str] = []
    if style:
        if ties != "half" or not isinstance(battles, Battles):
            raise ValueError("style is controlled with ties as half wins, battle by battle")
        fit = fit_style(battles, style)
        strengths, worth = fit.strengths, fit.coefficients
        notes += [f"no two answers differ in {name}, so it is not controlled for" for name in fit.unused]
    elif ties == "davidson":
        strengths = fit_davidson(counts)
    elif len(counts.models) > MOST_DENSE:
        strengths = fit_sparse(counts, resampling.rng)
    else:
        strengths = fit_bradley_terry(counts, None if start is None else start.strengths.values)
    low, high = _intervals(counts, strengths, resampling, level)
    ratings = OFFSET + SCALE * strengths.values
    ranks = _ranks(low, high, strengths.connection.component)
    notes += _notes(counts, strengths)
    return Leaderboard(
        counts.models, strengths, ratings, low, high, ranks, counts.votes(), level, worth, tuple(notes)
    )


def _intervals(
    counts: PairCounts, strengths: Strengths, resampling: Resampling, level: float
) -> tuple[FloatArray, FloatArray]:
    values = strengths.values
    if resampling.times:
        drawn = bootstrap_strengths(counts, strengths, resampling.times, resampling.rng)
        low, high = np.quantile(drawn, (0.5 - level / 2, 0.5 + level / 2), axis=0)
    else:
        half = normal_quantile(0.5 + level / 2) * strengths.standard_errors
        low, high = values - half, values + half
    alone = counts.votes() == 0
    low = np.where(strengths.connection.no_floor | alone, -np.inf, OFFSET + SCALE * low)
    high = np.where(strengths.connection.no_ceiling | alone, np.inf, OFFSET + SCALE * high)
    return low, high


def _ranks(low: FloatArray, high: FloatArray, component: Labels) -> Labels:
    ranks = np.ones(len(low), np.int64)
    for number in range(int(component.max()) + 1):
        members = np.flatnonzero(component == number)
        ordered = np.sort(low[members])
        ranks[members] = 1 + len(members) - np.searchsorted(ordered, high[members], side="right")
    return ranks


def _notes(counts: PairCounts, strengths: Strengths) -> list[str]:
    found, notes = strengths.connection, list[str]()
    if not strengths.converged:
        notes.append("the fit did not converge: the ratings are not to be used")
    if found.components > 1:
        notes.append(
            f"the models fall into {found.components} groups that never met: each is ranked by itself, "
            "and ratings of different groups cannot be compared"
        )
    if found.unbounded.any():
        notes.append(
            f"the votes leave the rating of {_named(counts, found.unbounded)} open, for all of them went one way: "
            "half a tie was added to each such pair, so the number is a convention and the interval has no end"
        )
    certain = (strengths.standard_errors < CERTAIN) & ~found.unbounded & (counts.votes() > 0)
    if certain.any():
        notes.append(
            f"every vote on {_named(counts, certain)} was what its rating expects, a tie among equals: its "
            "interval has no width, which with few votes is no certainty"
        )
    return notes


def _named(counts: PairCounts, which: Flags) -> str:
    names = [counts.models[at] for at in np.flatnonzero(which)]
    return ", ".join(names[:5]) + (f" and {len(names) - 5} more" if len(names) > 5 else "")


def position_bias(first: int, second: int, level: float = 0.95) -> Interval | None:
    """How far beyond one half the share of decided votes for what was shown first lies; None without any.

    Wilson's interval. It is a bias where sides are drawn by chance, or where every pair is shown in both orders.
    """
    if first + second == 0:
        return None
    share = wilson(first, first + second, level)
    return Interval(share.low - 0.5, share.high - 0.5, level)
