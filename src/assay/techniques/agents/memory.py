"""What an agent remembers of earlier results: nothing, the last few, or those that fit its task.

Source    BabyAGI (2023) keeps results in a vector store and recalls the five nearest to the task at hand.
Here      Four stores behind one interface. The results come back in the order in which they happened.
Departs   1. Vectors are centred on what is in the store: mean-pooled states of a language model all point the
             same way, and raw cosine tells related from unrelated hardly at all.
Needs     for vectors, a model that embeds.
Costs     for vectors, one embedding a result and one a recall.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Protocol

from assay.core import Embed, Embeddings, Flow
from assay.techniques.retrieval import Bm25

if TYPE_CHECKING:
    from numpy.typing import NDArray

RECALLED = 5


class Memory(Protocol):
    """Results by the order they came in."""

    def keep(self, text: str) -> Flow[None]:
        """Remember a result."""
        ...

    def recall(self, task: str) -> Flow[list[str]]:
        """At most `RECALLED` results for a task, oldest first."""
        ...


@dataclass(slots=True)
class NoMemory:
    """Forgets at once."""

    def keep(self, text: str) -> Flow[None]:
        """Nothing is kept."""
        yield from ()

    def recall(self, task: str) -> Flow[list[str]]:
        """Nothing."""
        yield from ()
        return []


@dataclass(slots=True)
class LastResults:
    """A list; the last few come back, whatever the task."""

    texts: list[str] = field(default_factory=list)

    def keep(self, text: str) -> Flow[None]:
        """At the end of the list."""
        yield from ()
        self.texts.append(text)

    def recall(self, task: str) -> Flow[list[str]]:
        """The last few."""
        yield from ()
        return self.texts[-RECALLED:]


class WordMemory(LastResults):
    """Results that share words with the task, by BM25."""

    __slots__ = ()

    def recall(self, task: str) -> Flow[list[str]]:
        """The best by BM25; of equals the later one, which knows more."""
        yield from ()
        if not self.texts:
            return []
        index = Bm25.of([str(at) for at in range(len(self.texts))], self.texts)
        return _best(self.texts, index.scores(task))


@dataclass(slots=True)
class VectorMemory:
    """Results near the task, by the cosine of centred embeddings."""

    texts: list[str] = field(default_factory=list)
    vectors: list[NDArray[Any]] = field(default_factory=list)

    def keep(self, text: str) -> Flow[None]:
        """One embedding more."""
        self.texts.append(text)
        self.vectors.append((yield from _embed(text)))

    def recall(self, task: str) -> Flow[list[str]]:
        """The nearest."""
        import numpy as np

        if not self.texts:
            return []
        stored = np.array(self.vectors)
        centre = stored.mean(axis=0)
        stored, query = stored - centre, np.array((yield from _embed(task))) - centre
        norms = np.linalg.norm(stored, axis=1) * np.linalg.norm(query)
        return _best(self.texts, stored @ query / np.where(norms > 0, norms, 1.0))


def _embed(text: str) -> Flow[NDArray[Any]]:
    (found,) = yield [Embed((text,))]
    assert isinstance(found, Embeddings), "a driver answers an Embed with Embeddings"
    vector: NDArray[Any] = found.vectors.array()[0]
    return vector


def _best(texts: list[str], scores: NDArray[Any]) -> list[str]:
    ranked = sorted(range(len(texts)), key=lambda at: (-scores[at], -at))[:RECALLED]
    return [texts[at] for at in sorted(ranked)]


MEMORIES: dict[str, Callable[[], Memory]] = {
    "none": NoMemory,
    "list": LastResults,
    "bm25": WordMemory,
    "vector": VectorMemory,
}
