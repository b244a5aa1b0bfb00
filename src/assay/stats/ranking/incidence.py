"""Differences and sums along pairs for many columns at once, without a matrix of pairs by models."""

from __future__ import annotations

import numpy as np

from .basis import FloatArray
from .battles import PairCounts


class Incidence:
    """The map from strengths to differences of pairs, and back; pairs lie in the order of their first model."""

    def __init__(self, counts: PairCounts) -> None:
        self.models = len(counts.models)
        self.first, self.second = counts.first, counts.second
        self.heads, self.head_at = np.unique(counts.first, return_index=True)
        self.order = np.argsort(counts.second, kind="stable")
        self.tails, self.tail_at = np.unique(counts.second[self.order], return_index=True)

    def differences(self, strengths: FloatArray) -> FloatArray:
        """[pairs, columns] from [models, columns]."""
        gap: FloatArray = strengths[self.first]
        gap -= strengths[self.second]
        return gap

    def sums(self, values: FloatArray) -> FloatArray:
        """[models, columns] from [pairs, columns]: added for the first of a pair, subtracted for the second."""
        total = np.zeros((self.models, *values.shape[1:]))
        total[self.heads] = np.add.reduceat(values, self.head_at, axis=0)
        total[self.tails] -= np.add.reduceat(values[self.order], self.tail_at, axis=0)
        return total
