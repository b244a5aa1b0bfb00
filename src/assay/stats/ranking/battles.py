"""Battles: which two models met and who won, and what is left of them when they are counted by pair."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from .basis import FloatArray, summed

IndexArray = NDArray[np.int32]
MOST_BINS = 1 << 22
"""Pairs are counted in a table of all that there could be up to this size, by sorting beyond it."""


@dataclass(frozen=True, eq=False)
class Battles:
    """One row a battle: the model on side a, the one on side b, and the score of a (1 won, 0.5 tie, 0 lost)."""

    models: tuple[str, ...]
    a: IndexArray
    b: IndexArray
    score: FloatArray

    def __post_init__(self) -> None:
        if not len(self.a) == len(self.b) == len(self.score):
            raise ValueError("a battle has two models and a score: three columns of one length")
        if len(set(self.models)) != len(self.models):
            raise ValueError("a model is named twice")
        if len(self.a) == 0:
            raise ValueError("there is no battle")
        low = min(int(self.a.min()), int(self.b.min()))
        high = max(int(self.a.max()), int(self.b.max()))
        if low < 0 or high >= len(self.models):
            raise ValueError("a battle names a model by a number that none has")
        alone = np.flatnonzero(self.a == self.b)
        if alone.size:
            row = int(alone[0])
            raise ValueError(f"in battle {row + 1} {self.models[self.a[row]]} meets itself")
        # Three comparisons and no sort: this is run on every battle. NaN fails all three.
        known = (self.score == 1.0) | (self.score == 0.5) | (self.score == 0.0)
        if not known.all():
            row = int(np.flatnonzero(~known)[0])
            raise ValueError(f"battle {row + 1} has the score {self.score[row]}, which is not 1, 0.5 or 0")

    def __len__(self) -> int:
        return len(self.a)

    @classmethod
    def named(cls, a: Sequence[str], b: Sequence[str], score: ArrayLike, *, known: Sequence[str] = ()) -> Battles:
        """The same from names; models are numbered as they first appear, after those that are known already."""
        if len(a) != len(b):
            raise ValueError("a battle has two models and a score: three columns of one length")
        number = {name: at for at, name in enumerate(known)}
        coded = np.fromiter((number.setdefault(name, len(number)) for name in (*a, *b)), np.int32)
        return cls(tuple(number), coded[: len(a)], coded[len(a) :], np.asarray(score, dtype=np.float64))

    def take(self, rows: ArrayLike) -> Battles:
        """The battles of these rows, in their order; every model stays known."""
        chosen = np.asarray(rows)
        return Battles(self.models, self.a[chosen], self.b[chosen], self.score[chosen])

    def counted(self) -> PairCounts:
        """The battles counted by pair and outcome, which is all that ratings without a context rest on."""
        n = len(self.models)
        cell = self.a.astype(np.int64)
        cell *= n
        cell += self.b
        cell *= 3
        cell += (2.0 * self.score).astype(np.int8)
        if 3 * n * n > MOST_BINS:
            there, counts = np.unique(cell, return_counts=True)
            return _folded(self.models, there // 3, there % 3, counts)
        table = np.bincount(cell, minlength=3 * n * n)
        there = np.flatnonzero(table)
        return _folded(self.models, there // 3, there % 3, table[there])


@dataclass(frozen=True, eq=False)
class PairCounts:
    """Per pair that met how often its first model won, tied and lost; first < second, pairs in order."""

    models: tuple[str, ...]
    first: NDArray[np.int64]
    second: NDArray[np.int64]
    wins: FloatArray
    ties: FloatArray
    losses: FloatArray

    @property
    def battles(self) -> FloatArray:
        """How often each pair met."""
        total: FloatArray = self.wins + self.ties + self.losses
        return total

    @property
    def score(self) -> FloatArray:
        """What the first of each pair scored, a tie being half a win."""
        total: FloatArray = self.wins + 0.5 * self.ties
        return total

    def votes(self) -> FloatArray:
        """How many battles each model was in."""
        return at_both(self, self.battles, self.battles)

    def plus(self, other: PairCounts) -> PairCounts:
        """Both together, as when battles are appended; the models of `other` begin with those of this one."""
        n = len(other.models)
        if other.models[: len(self.models)] != self.models:
            raise ValueError("what is added must know the models so far, in their order")
        pair = np.concatenate([self.first * n + self.second, other.first * n + other.second])
        there, place = np.unique(pair, return_inverse=True)
        wins, ties, losses = (
            summed(place, np.concatenate(both), len(there))
            for both in ((self.wins, other.wins), (self.ties, other.ties), (self.losses, other.losses))
        )
        return PairCounts(other.models, *divmod(there, n), wins, ties, losses)

    def with_ties(self, extra: FloatArray) -> PairCounts:
        """The same with more ties in each pair."""
        return PairCounts(self.models, self.first, self.second, self.wins, self.ties + extra, self.losses)


def at_both(counts: PairCounts, first: FloatArray, second: FloatArray) -> FloatArray:
    """Sums over a model's pairs: `first` where it is the first of a pair, `second` where it is the second."""
    n = len(counts.models)
    total: FloatArray = summed(counts.first, first, n) + summed(counts.second, second, n)
    return total


def _folded(
    models: tuple[str, ...], pair: NDArray[np.int64], outcome: NDArray[np.int64], times: NDArray[np.int64]
) -> PairCounts:
    """Counts of (a, b, outcome) with each pair one way round; an outcome is twice the score of a."""
    a, b = divmod(pair, len(models))
    turned = a > b
    there, place = np.unique(np.where(turned, b * len(models) + a, pair), return_inverse=True)
    outcome = np.where(turned, 2 - outcome, outcome)
    table = summed(3 * place + outcome, times.astype(np.float64), 3 * len(there)).reshape(-1, 3)
    return PairCounts(models, *divmod(there, len(models)), table[:, 2], table[:, 1], table[:, 0])
