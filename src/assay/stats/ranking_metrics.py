"""How good a ranking is: nDCG, recall and reciprocal rank of scored documents, at a cut, ties shared fairly.

Documents with equal scores stand in no order. Every metric here is its mean over all orders they could be
put in (McSherry and Najork 2008): a scorer that gives every document the same score gets what a shuffle gets
on average. Competition ranks would call such a scorer perfect, and file order would make it luck.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from itertools import groupby


def ndcg(scores: Sequence[float], gains: Sequence[float], judged: Sequence[float], k: int = 10) -> float:
    """Normalised discounted cumulative gain at k, in [0, 1]: gains count linearly, as in trec_eval.

    Args:
        scores: of the documents that were ranked, in any order; higher is better.
        gains: of the same documents, 0 for what is not relevant or was never judged.
        judged: gains of all that was judged for this query, found or not: what a perfect ranking is made of.
        k: ranks beyond it count for nothing.
    """
    ideal = sorted((_checked_gain(gain) for gain in judged), reverse=True)[:k]
    best = math.fsum(gain * _discount(rank) for rank, gain in enumerate(ideal, start=1))
    if best == 0:
        raise ValueError("a query needs a relevant document")
    total = math.fsum(
        math.fsum(group) / len(group) * _discount(rank)
        for first, group in _tied(scores, gains, k)
        for rank in range(first, min(first + len(group), k + 1))
    )
    return min(1.0, total / best)


def recall(scores: Sequence[float], gains: Sequence[float], relevant: int, k: int = 10) -> float:
    """Share of the query's relevant documents (a gain above 0) among the first k."""
    if relevant < 1:
        raise ValueError("a query needs a relevant document")
    found = math.fsum(
        _relevant(group) * min(len(group), k + 1 - first) / len(group) for first, group in _tied(scores, gains, k)
    )
    return min(1.0, found / relevant)


def reciprocal_rank(scores: Sequence[float], gains: Sequence[float], k: int = 10) -> float:
    """1 / rank of the first relevant document; 0 where none stands among the first k."""
    for first, group in _tied(scores, gains, k):
        size, hits = len(group), _relevant(group)
        if hits:
            # Of the orders of the group, those whose first relevant document has `before` others ahead of it.
            orders = math.comb(size, hits)
            return math.fsum(
                math.comb(size - before - 1, hits - 1) / orders / (first + before)
                for before in range(min(size - hits, k - first) + 1)
            )
    return 0.0


def _discount(rank: int) -> float:
    return 1 / math.log2(1 + rank)


def _tied(scores: Sequence[float], gains: Sequence[float], k: int) -> Iterator[tuple[int, list[float]]]:
    """Gains of documents that share a score, best first, with the rank at which each group begins; to rank k."""
    if k < 1:
        raise ValueError(f"a cut at {k} leaves no rank")
    if not all(math.isfinite(score) for score in scores):
        raise ValueError("scores must be finite")
    pairs = sorted(zip(scores, map(_checked_gain, gains), strict=True), reverse=True)
    first = 1
    for _, members in groupby(pairs, key=lambda pair: pair[0]):
        if first > k:
            return
        group = [gain for _, gain in members]
        yield first, group
        first += len(group)


def _relevant(group: Sequence[float]) -> int:
    return sum(1 for gain in group if gain > 0)


def _checked_gain(gain: float) -> float:
    if not (math.isfinite(gain) and gain >= 0):
        raise ValueError(f"a gain of {gain} is none")
    return gain
