"""The bootstrap of Bradley-Terry strengths: full refits of many resampled tables at once.

Every battle counts Poisson(1) times, so a cell of the table counts Poisson(its count) times: what is drawn is as
long as the table and not as the battles. Refits are made together. Each begins at the strengths of the real
table and steps with that table's curvature, which is nearly its own, until no step is longer than the
tolerance; the few tables on which this does not converge are fitted by Newton, one by one.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from .basis import FloatArray
from .battles import PairCounts
from .bradley_terry import Strengths, bounded_by_ties, fit_bradley_terry, laplacian, sigmoid
from .incidence import Incidence
from .newton import gauge_of

TOGETHER = 64
"""Tables in flight: as many as stay in the cache."""
MOST_STEPS = 40
TOLERANCE = 1e-8
"""Largest step of a refit, in natural units: 2e-6 Elo."""


def bootstrap_strengths(counts: PairCounts, fitted: Strengths, times: int, rng: np.random.Generator) -> FloatArray:
    """Strengths of `times` resampled tables, one a row; those of a component add up to 0 as in the fit."""
    if times < 2:
        raise ValueError("a bootstrap needs at least two resampled tables")
    held = bounded_by_ties(counts, fitted.connection)
    gauge = gauge_of(fitted.connection.component)
    gap = fitted.values[held.first] - fitted.values[held.second]
    chance = sigmoid(gap)
    inverse = np.linalg.inv(laplacian(held, held.battles * chance * (1.0 - chance)) + gauge) - gauge
    found = np.empty((times, len(fitted.values)))
    pairs = Incidence(held)
    extra = held.ties - counts.ties
    for begin in range(0, times, TOGETHER):
        size = min(TOGETHER, times - begin)
        wins, tied, losses = (rng.poisson(cell[:, None], (len(cell), size)) for cell in _cells(counts))
        # Half a tie that was lent to a pair is lent to every resampled table as well.
        ties = tied + extra[:, None]
        values, failed = _refitted(pairs, wins + 0.5 * ties, ties + (wins + losses), fitted.values, inverse)
        for column in failed:
            values[:, column] = _alone(held, (wins[:, column], ties[:, column], losses[:, column]), gauge)
        found[begin : begin + size] = values.T
    return found


def _cells(counts: PairCounts) -> tuple[FloatArray, FloatArray, FloatArray]:
    return counts.wins, counts.ties, counts.losses


def _alone(held: PairCounts, drawn: Sequence[NDArray[Any]], gauge: FloatArray) -> FloatArray:
    """One table by Newton; pairs that were not drawn are no pairs, and what fell apart is held by half ties."""
    kept = np.sum(drawn, axis=0) > 0
    wins, ties, losses = (cell[kept].astype(np.float64) for cell in drawn)
    values = fit_bradley_terry(
        PairCounts(held.models, held.first[kept], held.second[kept], wins, ties, losses)
    ).values
    centred: FloatArray = values - gauge @ values
    return centred


def _refitted(
    pairs: Incidence, score: FloatArray, battles: FloatArray, start: FloatArray, inverse: FloatArray
) -> tuple[FloatArray, list[int]]:
    """Strengths [models, columns] of the tables, and the columns in which the steps did not die away."""
    values = np.repeat(start[:, None], score.shape[1], axis=1)
    going, last = np.arange(score.shape[1]), np.full(score.shape[1], np.inf)
    failed: list[int] = []
    for _ in range(MOST_STEPS):
        chance = pairs.differences(values[:, going])
        chance *= 0.5
        np.tanh(chance, out=chance)
        chance += 1.0
        chance *= 0.5
        chance *= battles
        np.subtract(score, chance, out=chance)
        move = inverse @ pairs.sums(chance)
        values[:, going] += move
        length = np.abs(move).max(axis=0)
        lost = length > last  # steps that grow will not die away
        failed += going[lost].tolist()
        more = (length > TOLERANCE) & ~lost
        if not more.any():
            return values, failed
        if not more.all():
            going, score, battles, length = going[more], score[:, more], battles[:, more], length[more]
        last = length
    return values, failed + going.tolist()
