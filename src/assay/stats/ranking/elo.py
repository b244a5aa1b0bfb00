"""Online Elo, for comparison: ratings that move after every battle, and so remember in which order they came."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from .basis import FloatArray
from .battles import Battles

SCALE = 400.0 / np.log(10.0)
"""Elo points of one natural unit of strength: 400 points are odds of ten to one."""
OFFSET = 1000.0


def online_elo(battles: Battles, k: float = 4.0, orders: NDArray[np.int64] | None = None) -> FloatArray:
    """Final ratings [orders, models], all from 1000; `orders` [orders, battles] holds rows, None: as they stand.

    After each battle the winner takes k (score - expected) points from the loser.
    """
    if not k > 0:
        raise ValueError(f"k must be above 0, got {k}")
    order = np.arange(len(battles))[None, :] if orders is None else orders
    ratings = np.full((len(order), len(battles.models)), OFFSET)
    lane = np.arange(len(order))
    for rows in order.T:
        a, b = battles.a[rows], battles.b[rows]
        expected = 1.0 / (1.0 + np.exp((ratings[lane, b] - ratings[lane, a]) / SCALE))
        won = k * (battles.score[rows] - expected)
        ratings[lane, a] += won
        ratings[lane, b] -= won
    return ratings


def kendall_tau(first: FloatArray, second: FloatArray) -> float:
    """Kendall's tau-b of two scorings of the same things: 1 for one order, -1 for its reverse (Kendall 1945)."""
    if len(first) != len(second) or len(first) < 2:
        raise ValueError("tau compares two scorings of the same two or more things")
    one = np.sign(np.subtract.outer(first, first))
    other = np.sign(np.subtract.outer(second, second))
    untied = float(np.abs(one).sum()) * float(np.abs(other).sum())
    if untied == 0:
        raise ValueError("tau has no value where everything is tied")
    return float((one * other).sum() / np.sqrt(untied))
