"""From a score per document to the best of them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from assay.core.answers import Ranking


def best(ids: Sequence[str], scores: Any, k: int, *, above: float | None = None) -> Ranking:
    """The k documents with the highest scores, and all that tie with the last of them.

    Args:
        ids: of all documents.
        scores: a numpy array with a score for each.
        k: how many are wanted.
        above: only scores above it count: where no word of the query stands in a document, it is not found.
    """
    import numpy as np

    if k < 1:
        raise ValueError(f"{k} documents are none")
    scores = np.asarray(scores, dtype=np.float64)
    least = np.partition(scores, -k)[-k] if len(scores) > k else -np.inf
    kept = np.flatnonzero(scores >= least)
    if above is not None:
        kept = kept[scores[kept] > above]
    order = kept[np.argsort(-scores[kept], kind="stable")]
    return tuple((ids[index], float(scores[index])) for index in order)
