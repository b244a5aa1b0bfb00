"""Several claims at once: adjusted p-values, and e-values that need no independence."""

from collections.abc import Sequence

import numpy as np

from .samples import FloatArray, check_probability, finite_sample


def holm(p_values: Sequence[float]) -> list[float]:
    """Adjusted p-values that bound the chance of any false rejection (Holm 1979)."""
    p = _checked_p_values(p_values)
    order = np.argsort(p)
    stepped = np.maximum.accumulate(p[order] * np.arange(len(p), 0, -1))
    return _in_given_order(stepped, order)


def benjamini_hochberg(p_values: Sequence[float]) -> list[float]:
    """Adjusted p-values that bound the expected share of false rejections.

    Benjamini and Hochberg (1995), JRSS B 57:289-300. Valid for independent or positively dependent
    tests; with e-values prefer `e_bh`, valid under any dependence.
    """
    p = _checked_p_values(p_values)
    order = np.argsort(p)
    scaled = p[order] * len(p) / np.arange(1, len(p) + 1)
    stepped = np.minimum.accumulate(scaled[::-1])[::-1]
    return _in_given_order(stepped, order)


def e_bh(e_values: Sequence[float], alpha: float = 0.05) -> list[bool]:
    """Which claims to reject so that the expected share of false rejections is at most alpha.

    The e-BH procedure of Wang and Ramdas (2022), JRSS B 84:822-852: the k largest, for the largest
    k of which all are at least m / (alpha k). Each e-value may have been stopped at any time.
    """
    check_probability(alpha, "alpha")
    e = _checked_e_values(e_values)
    descending = np.sort(e)[::-1]
    counts = np.arange(1, len(e) + 1)
    enough = np.flatnonzero(descending >= len(e) / (alpha * counts))
    if enough.size == 0:
        return [False] * len(e)
    return [bool(value >= descending[enough[-1]]) for value in e]


def combine_e_values(e_values: Sequence[float]) -> float:
    """The average: an e-value against no effect anywhere, under any dependence.

    Vovk and Wang (2021), Annals of Statistics 49:1736-1754.
    """
    return float(_checked_e_values(e_values).mean())


def _checked_p_values(p_values: Sequence[float]) -> FloatArray:
    p = finite_sample(p_values, "p-values")
    if p.min() < 0.0 or p.max() > 1.0:
        raise ValueError("p-values must lie between 0 and 1")
    return p


def _checked_e_values(e_values: Sequence[float]) -> FloatArray:
    """E-values may be infinite, never nan or negative."""
    e = np.asarray(e_values, dtype=np.float64)
    if e.ndim != 1 or e.size == 0 or not all(value >= 0.0 for value in e):
        raise ValueError("e-values must be a non-empty sequence of numbers of at least 0")
    return e


def _in_given_order(adjusted: FloatArray, order: np.ndarray) -> list[float]:
    restored = np.empty_like(adjusted)
    restored[order] = np.minimum(adjusted, 1.0)
    return [float(value) for value in restored]
