"""BM25: which documents share rare words with the query, and how often.

Source    Robertson et al. 1994 (Okapi at TREC-3); the weight of a word as Lucene computes it.
Here      Words are runs of letters and digits in lower case, plurals cut (Harman's "S" stemmer, 1991), the
          commonest words left out. A query may also be a bag of weighted words: that is what query
          expansion by feedback, or by a hypothetical document, comes to.
Departs   1. Lucene keeps a document's length in one byte; here it is exact.
          2. Plurals are all that is stemmed.
Needs     nothing of a model.   Costs   no tokens.
"""

from __future__ import annotations

import math
import re
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from assay.core.answers import Ranking
from assay.techniques.retrieval.ranking import best

if TYPE_CHECKING:
    from numpy.typing import NDArray

_WORD = re.compile(r"[^\W_]+")
_COMMON = """
    a an and are as at be but by for from has have he her his if in into is it its no not of on or our she such
    that the their then there these they this to was we were will with you your"""
_LEFT_OUT = frozenset(_COMMON.split())


def words(text: str) -> list[str]:
    """The words of a text that count, in order."""
    return [_singular(word) for word in _WORD.findall(text.casefold()) if word not in _LEFT_OUT]


def _singular(word: str) -> str:
    if len(word) < 4 or not word.endswith("s") or word.endswith(("us", "ss")):
        return word
    if word.endswith("ies") and not word.endswith(("eies", "aies")):
        return word[:-3] + "y"
    return word if word.endswith(("aes", "ees", "oes")) else word[:-1]


@dataclass(frozen=True, slots=True, eq=False)
class Bm25:
    """An index over documents; build it with `Bm25.of`."""

    ids: tuple[str, ...]
    counts: tuple[Counter[str], ...]
    """Words of each document."""
    postings: Mapping[str, tuple[NDArray[Any], NDArray[Any]]]
    """Word -> the documents that hold it, and what it adds to the score of each."""

    @classmethod
    def of(cls, ids: Sequence[str], texts: Sequence[str], *, k1: float = 1.2, b: float = 0.75) -> Bm25:
        """An index over texts.

        Args:
            ids: one per text.
            texts: the documents.
            k1: how soon further occurrences of a word stop counting; 0: at the first.
            b: how much long documents are marked down, from 0 to 1.
        """
        import numpy as np

        counts = tuple(Counter(words(text)) for text in texts)
        lengths = np.array([count.total() for count in counts], dtype=np.float64)
        # Where no document has a word, no word is ever looked up.
        norms = k1 * (1 - b + b * lengths / (lengths.mean() or 1.0)) if len(lengths) else lengths
        holders: dict[str, list[int]] = {}
        for index, count in enumerate(counts):
            for word in count:
                holders.setdefault(word, []).append(index)
        postings = {}
        for word, indexes in holders.items():
            often = np.array([counts[index][word] for index in indexes], dtype=np.float64)
            rarity = math.log(1 + (len(texts) - len(indexes) + 0.5) / (len(indexes) + 0.5))
            postings[word] = (np.array(indexes), rarity * often / (often + norms[indexes]))
        return cls(tuple(ids), counts, postings)

    def scores(self, query: str | Mapping[str, float]) -> NDArray[Any]:
        """A score per document, [documents]; 0 where it holds no word of the query."""
        import numpy as np

        weights = Counter(words(query)) if isinstance(query, str) else query
        found = np.zeros(len(self.ids))
        for word, weight in weights.items():
            if word in self.postings:
                indexes, adds = self.postings[word]
                found[indexes] += weight * adds
        return found

    def search(self, query: str | Mapping[str, float], k: int = 10) -> Ranking:
        """The k best documents, and what ties with the last; none that shares no word with the query."""
        return best(self.ids, self.scores(query), k, above=0.0)
