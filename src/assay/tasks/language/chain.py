"""The tables of a Markov chain of any order: making, its stationary distribution, drawing and counting.

A context is the last `order` symbols read as a number in base `symbols`, the oldest first: tables have one
row per context and one column per next symbol. Import this module inside functions only: it needs numpy.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
import numpy.typing as npt

Array = npt.NDArray[np.float64]


@dataclass(frozen=True)
class Tables:
    """What follows from a source's fields; the arrays are not to be written to."""

    order: int
    transitions: Array
    """(symbols**order, symbols), rows sum to 1."""
    stationary: Array
    """(symbols**order,): how often each context occurs."""
    thresholds: Array
    """Cumulative transitions, the number of the row added to each: sorted as one long row."""


@lru_cache(maxsize=8)
def tables(symbols: int, order: int, tail: float, favour: float, seed: int) -> Tables:
    """In each context the k-th most likely symbol has a probability in proportion to k**-tail.

    Which symbol is k-th is drawn without replacement, symbol j with a weight of j**-favour: at 0 all symbols
    are equally common, above 0 the same ones are common everywhere and contexts are unequal too.
    """
    rng = np.random.default_rng([seed, symbols, order])
    ranks = np.arange(1, symbols + 1, dtype=float)
    weights = np.empty(symbols)
    weights[rng.permutation(symbols)] = -favour * np.log(ranks)
    # Sorting by weight plus Gumbel noise is drawing without replacement.
    ranking = np.argsort(-(weights + rng.gumbel(size=(symbols**order, symbols))), axis=1)
    likely = ranks**-tail
    transitions = np.empty(ranking.shape)
    np.put_along_axis(transitions, ranking, np.broadcast_to(likely / likely.sum(), ranking.shape), axis=1)
    found = tables_of(transitions, order)
    for array in (found.transitions, found.stationary, found.thresholds):
        array.setflags(write=False)
    return found


def tables_of(transitions: Array, order: int) -> Tables:
    """What follows from transitions (symbols**order, symbols)."""
    thresholds = np.cumsum(transitions, axis=1) + np.arange(len(transitions))[:, None]
    return Tables(order, transitions, stationary(transitions), thresholds.ravel())


def stationary(transitions: Array) -> Array:
    """How often each context occurs in the long run, by steps of the chain until nothing changes (to 1e-13)."""
    contexts, symbols = transitions.shape
    shares = np.full(contexts, 1 / contexts)
    for _ in range(100_000):
        # The oldest symbol of the context is forgotten, the new one comes last.
        after = (shares[:, None] * transitions).reshape(symbols, -1).sum(0)
        after /= after.sum()
        done = float(np.abs(after - shares).sum()) < 1e-13
        shares = after
        if done:
            break
    return shares


def draw(found: Tables, count: int, length: int, rng: np.random.Generator) -> npt.NDArray[np.int64]:
    """(count, length) symbols; the first ones are a context from the stationary distribution."""
    contexts, symbols = found.transitions.shape
    begin = np.searchsorted(np.cumsum(found.stationary), rng.random(count), side="right")
    context = np.minimum(begin, contexts - 1)
    drawn = np.empty((count, length), dtype=np.int64)
    for at in range(min(found.order, length)):
        drawn[:, at] = context // symbols ** (found.order - at - 1) % symbols
    for at in range(found.order, length):
        chosen = np.searchsorted(found.thresholds, context + rng.random(count), side="right")
        # Rounding may lead past the end of the row.
        drawn[:, at] = np.clip(chosen - context * symbols, 0, symbols - 1)
        context = (context * symbols + drawn[:, at]) % contexts
    return drawn


def count(texts: Sequence[str], alphabet: str, order: int) -> Array:
    """(symbols**order, symbols): how often each symbol follows each context; other characters break the chain."""
    symbols = len(alphabet)
    found = np.zeros(symbols**order * symbols)
    number = np.full(0x110000, -1, dtype=np.int32)
    number[[ord(character) for character in alphabet]] = np.arange(symbols)
    joined = "\0".join(texts).encode("utf-32-le", "surrogatepass")
    ids = number[np.frombuffer(joined, dtype="<u4")].astype(np.int64)
    if len(ids) > order:
        windows = np.lib.stride_tricks.sliding_window_view(ids, order + 1)
        whole = windows[(windows >= 0).all(axis=1)]
        found += np.bincount(whole @ symbols ** np.arange(order, -1, -1), minlength=len(found))
    return found.reshape(-1, symbols)
