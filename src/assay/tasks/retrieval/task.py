"""Searching: a sample is a query, an answer is a ranking, and its score is nDCG@10."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from random import Random

from assay.core.answers import ranking_of
from assay.core.errors import UnknownName
from assay.core.replies import Finish
from assay.core.samples import Answer, Outcome, Sample
from assay.core.validation import require_whole
from assay.tasks.people import digest
from assay.tasks.retrieval.corpus import Corpus, Document, load_corpus
from assay.tasks.retrieval.docstrings import docstrings

CUT = 10
"""Ranks that count."""


@dataclass(frozen=True, slots=True)
class RetrievalTask:
    """Queries over a corpus. Level "200" has two hundred documents and the queries for them; "all" has all.

    `meta["level"]` says which documents a sample is searched in, `meta["relevant"]` what is to be found. The
    set of queries is finite: samples of two seeds overlap.
    """

    name: str = "docstrings"
    levels: tuple[str, ...] = ("100", "250", "1000")
    longest: int = 64
    """Words of a document that are kept."""
    source: Callable[[], Corpus] = field(default=docstrings, repr=False)
    cue: str = ""
    kind: str = "score"
    chance: float | None = None

    def corpus(self, level: str | None = None) -> Corpus:
        """The documents of a level and the queries whose every relevant document is among them."""
        level = self.levels[0] if level is None else level
        if level not in self.levels:
            raise UnknownName("level", level, self.levels)
        found = self.source()
        documents = sorted(found.documents, key=lambda document: digest(document.id))
        kept = tuple(
            self._cut(document) for document in (documents if level == "all" else documents[: int(level)])
        )
        there = {document.id for document in kept}
        queries = tuple(query for query in found.queries if query.relevant.keys() <= there)
        return Corpus(found.name, kept, queries, found.kind)

    def _cut(self, document: Document) -> Document:
        return Document(document.id, " ".join(document.text.split()[: self.longest]))

    def samples(self, n: int, seed: int, level: str | None = None) -> tuple[Sample, ...]:
        """The first n queries of a level, shuffled by the seed."""
        require_whole("n", n, 0, 10_000_000)
        level = self.levels[0] if level is None else level
        queries = list(self.corpus(level).queries)
        Random(f"retrieval/{seed}").shuffle(queries)
        return tuple(
            Sample(
                id=f"{self.name}-{digest(query.text)}",
                question=query.text,
                target=", ".join(query.relevant),
                meta={"level": level, "relevant": dict(query.relevant)},
            )
            for query in queries[:n]
        )

    def extract(self, text: str) -> str | None:
        """Nothing: a ranking is measured, not read in words."""
        return None

    def score(self, sample: Sample, answer: Answer) -> Outcome:
        """nDCG@10 of the ranking, equal scores shared fairly; recall and reciprocal rank stand in the detail."""
        from assay.stats import ndcg, recall, reciprocal_rank

        ranking = ranking_of(answer.value)
        if ranking is None or answer.finish is Finish.REFUSED:
            return Outcome.without_answer(answer)
        relevant: dict[str, float] = sample.meta["relevant"]
        scores = [score for _, score in ranking]
        gains = [relevant.get(document, 0.0) for document, _ in ranking]
        value = ndcg(scores, gains, list(relevant.values()), CUT)
        found = recall(scores, gains, len(relevant), CUT)
        first = reciprocal_rank(scores, gains, CUT)
        detail = f"recall@{CUT} {found:.3f}, reciprocal rank {first:.3f}"
        return Outcome.scored(value, ranking[0][0] if ranking else "nothing found", detail)


def load_retrieval(folder: str | Path) -> RetrievalTask:
    """The task over the corpus in a folder; see `load_corpus` for its forms and errors."""
    corpus = load_corpus(folder)
    return RetrievalTask(Path(folder).resolve().name, ("all",), longest=200, source=partial(_same, corpus))


def _same(corpus: Corpus) -> Corpus:
    return corpus
