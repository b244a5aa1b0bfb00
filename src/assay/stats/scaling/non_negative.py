"""Least squares with coefficients that must not be negative, exact for a handful of columns."""

from functools import cache
from itertools import combinations

import numpy as np

from .basis import FloatArray


def non_negative(gram: FloatArray, moments: FloatArray) -> FloatArray:
    """The x >= 0 that minimises x' G x - 2 c' x, for gram G (..., k, k) and moments c (..., k).

    The solution is the plain least-squares one on some subset of the columns, so all 2^k - 1 subsets
    are solved and of those without a negative entry the best is kept: exact, and for k = 3 cheap.
    Columns that depend on each other get the solution of least norm.
    """
    solution = _solve(gram, moments)
    bad = (solution < 0.0).any(axis=-1)
    if not bad.any():
        return solution
    gram, moments = gram[bad], moments[bad]
    best, most = np.zeros_like(moments), np.zeros(len(moments))
    for chosen in _subsets(moments.shape[-1]):
        part = _solve(gram[:, chosen][:, :, chosen], moments[:, chosen])
        explained = (part * moments[:, chosen]).sum(axis=-1)
        better = (part >= 0.0).all(axis=-1) & (explained > most)
        whole = np.zeros_like(best)
        whole[:, chosen] = part
        best, most = np.where(better[:, None], whole, best), np.where(better, explained, most)
    solution[bad] = best
    return solution


def _solve(gram: FloatArray, moments: FloatArray) -> FloatArray:
    inverse = np.linalg.pinv(gram, rcond=1e-14, hermitian=True)
    return np.asarray((inverse @ moments[..., None])[..., 0])


@cache
def _subsets(columns: int) -> tuple[list[int], ...]:
    """All proper subsets of the columns but the empty one."""
    return tuple(list(some) for size in range(1, columns) for some in combinations(range(columns), size))
