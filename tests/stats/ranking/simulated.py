"""Battles drawn from strengths that are known."""

from __future__ import annotations

import numpy as np

from assay.stats.ranking import Battles


def drawn(strengths: np.ndarray, count: int, seed: int, tied: float = 0.0) -> Battles:
    """That many battles of random pairs; a share of them is tied whatever the strengths."""
    rng, n = np.random.default_rng(seed), len(strengths)
    a = rng.integers(0, n, count)
    b = (a + rng.integers(1, n, count)) % n
    won = rng.random(count) < 1 / (1 + np.exp(strengths[b] - strengths[a]))
    score = np.where(rng.random(count) < tied, 0.5, won.astype(float))
    names = tuple(f"model {i}" for i in range(n))
    return Battles(names, a.astype(np.int32), b.astype(np.int32), score)
