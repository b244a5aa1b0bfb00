"""Bradley-Terry: P(i beats j) = sigmoid(s_i - s_j), fitted to pair counts; a tie is half a win for both.

Newton on the n x n table of pairs: a fit costs as much for a million battles as for a thousand.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from .basis import FloatArray
from .battles import PairCounts, at_both
from .connected import Connection, connection
from .newton import Local, Maximum, gauge_of, maximise

MOST_DENSE = 2000
"""Models of which a table of all pairs is still handled."""


@dataclass(frozen=True, eq=False)
class Strengths:
    """A fit in natural units; the strengths of every component add up to 0."""

    values: FloatArray
    standard_errors: FloatArray
    """Against the mean of the component, by the sandwich: from what was missed, not what was expected."""
    connection: Connection
    steps: int
    converged: bool
    tie_weight: float = 0.0
    """Davidson's nu; 0 where a tie is half a win."""


def fit_bradley_terry(counts: PairCounts, start: FloatArray | None = None) -> Strengths:
    """The most likely strengths, with their sandwich covariance.

    Where a rating does not exist because nobody ever beat a model, or it nobody, half a tie is added to each
    pair between it and the others it met, and nowhere else; `connection.unbounded` names such models.

    Args:
        counts: battles by pair.
        start: strengths of an earlier fit, for a quicker one; models that came since begin at 0.
    """
    found = connection(counts)
    if len(counts.models) > MOST_DENSE:
        raise ValueError(f"a table of {len(counts.models)} models by as many is too large: fit_sparse fits it")
    tried = bounded_by_ties(counts, found)
    n = len(counts.models)
    gauge = gauge_of(found.component)
    begun = np.zeros(n) if start is None else np.concatenate([start, np.zeros(n - len(start))])
    begun = begun - gauge @ begun
    maximum = maximise(lambda point: _local(tried, point), begun, gauge)
    errors = errors_of(maximum, laplacian(tried, missed_squares(tried, maximum.point)))
    return Strengths(maximum.point, errors, found, maximum.steps, maximum.converged)


def bounded_by_ties(counts: PairCounts, found: Connection) -> PairCounts:
    """The counts with half a tie wherever all battles across a divide went one way."""
    return counts.with_ties(np.where(found.one_sided, 0.5, 0.0)) if found.one_sided.any() else counts


def sigmoid(gap: FloatArray) -> FloatArray:
    """1 / (1 + exp(-gap)), which never overflows."""
    value: FloatArray = 0.5 * (1.0 + np.tanh(0.5 * gap))
    return value


def log_sigmoid(gap: FloatArray) -> FloatArray:
    """Its logarithm, exact in both tails."""
    value: FloatArray = -np.logaddexp(0.0, -gap)
    return value


def laplacian(counts: PairCounts, weights: FloatArray) -> FloatArray:
    """The n x n matrix of sum over pairs of weight (e_i - e_j)(e_i - e_j)^T."""
    n = len(counts.models)
    matrix = np.zeros((n, n))
    matrix[counts.first, counts.second] = -weights
    matrix += matrix.T
    np.fill_diagonal(matrix, -matrix.sum(axis=1))
    return matrix


def _local(counts: PairCounts, strengths: FloatArray) -> Local:
    gap = strengths[counts.first] - strengths[counts.second]
    chance, battles = sigmoid(gap), counts.battles
    # log p and log(1 - p) differ by the gap: one logarithm a pair.
    value = float(battles @ log_sigmoid(-gap) + counts.score @ gap)
    missed = counts.score - battles * chance
    return Local(value, at_both(counts, missed, -missed), laplacian(counts, battles * chance * (1.0 - chance)))


def missed_squares(counts: PairCounts, strengths: FloatArray) -> FloatArray:
    """Per pair the sum over its battles of the squared difference of score and chance."""
    chance = sigmoid(strengths[counts.first] - strengths[counts.second])
    squares: FloatArray = (
        counts.wins * (1 - chance) ** 2 + counts.ties * (0.5 - chance) ** 2 + counts.losses * chance**2
    )
    return squares


def errors_of(maximum: Maximum, scores: FloatArray) -> FloatArray:
    """Standard errors by the sandwich: information^-1, the sum of squared `scores`, information^-1."""
    inverse = np.linalg.inv(maximum.information)
    variances = np.einsum("ij,jk,ik->i", inverse, scores, inverse, optimize=True)
    errors: FloatArray = np.sqrt(variances.clip(0.0))
    return errors
