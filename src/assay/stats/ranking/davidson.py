"""Davidson's Bradley-Terry with ties: a tie is an outcome of its own, likeliest between equals.

With weights w = exp(strength), P(i wins) : P(tie) : P(j wins) = w_i : nu sqrt(w_i w_j) : w_j (Davidson 1970,
Journal of the American Statistical Association 65:317-328). Strengths and log nu are fitted together.
"""

from __future__ import annotations

import numpy as np

from .basis import FloatArray
from .battles import PairCounts, at_both
from .bradley_terry import MOST_DENSE, Strengths, bounded_by_ties, errors_of, fit_bradley_terry, laplacian
from .connected import connection
from .newton import Local, gauge_of, maximise


def fit_davidson(counts: PairCounts) -> Strengths:
    """The most likely strengths and weight of ties; without a tie nu is 0 and it is Bradley-Terry."""
    if not counts.ties.any():
        return fit_bradley_terry(counts)
    if not (counts.wins.any() or counts.losses.any()):
        raise ValueError("every battle was a tie: how much a tie weighs cannot be told")
    n = len(counts.models)
    if n > MOST_DENSE:
        raise ValueError(f"ties of their own are fitted for up to {MOST_DENSE} models, these are {n}")
    found = connection(counts)
    tried = bounded_by_ties(counts, found)
    start = np.append(np.zeros(n), np.log(2 * tried.ties.sum() / (tried.wins + tried.losses).sum()))
    maximum = maximise(lambda point: _local(tried, point), start, gauge_of(found.component, 1))
    errors = errors_of(maximum, _scores(tried, maximum.point))[:n]
    weight = float(np.exp(maximum.point[n]))
    return Strengths(maximum.point[:n], errors, found, maximum.steps, maximum.converged, weight)


def _chances(counts: PairCounts, point: FloatArray) -> tuple[FloatArray, FloatArray, FloatArray, FloatArray]:
    """Chances that the first wins, of a tie, that the second wins; and the logarithm of their common divisor.

    All is measured from half the gap, so that nothing overflows: exponents are h, log nu and -h.
    """
    half = 0.5 * (point[counts.first] - point[counts.second])
    tie = np.full_like(half, point[-1])
    divisor = np.logaddexp(np.logaddexp(half, -half), tie)
    return np.exp(half - divisor), np.exp(tie - divisor), np.exp(-half - divisor), divisor


def _local(counts: PairCounts, point: FloatArray) -> Local:
    win, tie, loss, divisor = _chances(counts, point)
    battles = counts.battles
    half = 0.5 * (point[counts.first] - point[counts.second])
    value = float((counts.wins - counts.losses) @ half + counts.ties.sum() * point[-1] - battles @ divisor)
    missed = 0.5 * (counts.wins - counts.losses - battles * (win - loss))
    gradient = np.append(at_both(counts, missed, -missed), counts.ties.sum() - battles @ tie)
    spread = 0.25 * battles * (win + loss - (win - loss) ** 2)
    # The covariance of half the sign of the outcome with whether it is a tie.
    mixed = -0.5 * battles * (win - loss) * tie
    return Local(value, gradient, _bordered(counts, spread, mixed, float(battles @ (tie * (1 - tie)))))


def _scores(counts: PairCounts, point: FloatArray) -> FloatArray:
    """The sum over battles of the squared score: what each outcome differs by from what was expected."""
    win, tie, loss, _ = _chances(counts, point)
    outcomes = ((counts.wins, 0.5, 0.0), (counts.ties, 0.0, 1.0), (counts.losses, -0.5, 0.0))
    missed = [(times, sign - 0.5 * (win - loss), drawn - tie) for times, sign, drawn in outcomes]
    return _bordered(
        counts,
        np.sum([times * own**2 for times, own, _ in missed], axis=0),
        np.sum([times * own * ties for times, own, ties in missed], axis=0),
        float(np.sum([times * ties**2 for times, _, ties in missed])),
    )


def _bordered(counts: PairCounts, pairs: FloatArray, mixed: FloatArray, corner: float) -> FloatArray:
    """The matrix of strengths with a row and a column for log nu."""
    n = len(counts.models)
    matrix = np.empty((n + 1, n + 1))
    matrix[:n, :n] = laplacian(counts, pairs)
    matrix[n, :n] = matrix[:n, n] = at_both(counts, mixed, -mixed)
    matrix[n, n] = corner
    return matrix
