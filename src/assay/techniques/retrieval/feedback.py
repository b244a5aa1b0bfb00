"""Pseudo-relevance feedback: the query is widened with words of what it found first.

Source    Lavrenko and Croft 2001, "Relevance-Based Language Models"; Abdul-Jaleel et al. 2004 (RM3).
Here      The first documents BM25 finds are taken for relevant, each as much as its score says. Their
          commonest words, weighted by how telling they are of those documents, are mixed with the query's.
          The same mix takes in words of a hypothetical document.
Departs   1. Scores are BM25's, normalised over the documents, instead of query likelihoods.
Needs     nothing of a model.   Costs   no tokens.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence

from assay.core.answers import Ranking
from assay.techniques.retrieval.bm25 import Bm25, words


def mixed(question: str, others: Mapping[str, float], share: float = 0.5) -> dict[str, float]:
    """The words of a query and others, each side's weights summing to its share."""
    found: dict[str, float] = {}
    for weights, part in ((Counter(words(question)), 1 - share), (others, share)):
        total = sum(weights.values())
        for word, weight in weights.items():
            found[word] = found.get(word, 0.0) + part * weight / total
    return found


def mean_words(texts: Sequence[str]) -> dict[str, float]:
    """The words of some texts, each text counting the same."""
    found: dict[str, float] = {}
    for text in texts:
        counts = Counter(words(text))
        for word, count in counts.items():
            found[word] = found.get(word, 0.0) + count / counts.total() / len(texts)
    return found


def feedback_search(question: str, index: Bm25, k: int = 10, *, documents: int = 5, terms: int = 20) -> Ranking:
    """What the widened query finds; where the query finds nothing there is nothing to widen it with."""
    first = index.search(question, documents)[:documents]
    total = sum(score for _, score in first)
    places = {document: place for place, document in enumerate(index.ids)}
    telling: dict[str, float] = {}
    for document, score in first:
        counts = index.counts[places[document]]
        for word, count in counts.items():
            telling[word] = telling.get(word, 0.0) + score / total * count / counts.total()
    kept = dict(sorted(telling.items(), key=lambda pair: (-pair[1], pair[0]))[:terms])
    return index.search(mixed(question, kept), k)
