"""Exact search among vectors: every document is looked at, nothing is approximated."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from assay.core.answers import Ranking
from assay.core.flow import Flow
from assay.core.replies import Embeddings
from assay.core.requests import Embed
from assay.techniques.retrieval.ranking import best

if TYPE_CHECKING:
    from numpy.typing import NDArray

TOGETHER = 16
"""Texts in one request."""


@dataclass(frozen=True, slots=True, eq=False)
class VectorIndex:
    """Documents as vectors that were centred on the corpus's mean and brought to length 1.

    Centred, because the states of a language model share one large direction that says nothing of a text:
    any two texts look alike in it. Of length 1, so that no text counts more for being longer.
    """

    ids: tuple[str, ...]
    centre: NDArray[Any]
    """Mean of the documents' vectors, [width], float32."""
    rows: NDArray[Any]
    """[documents, width], float32."""

    @classmethod
    def of(cls, ids: Sequence[str], vectors: Any) -> VectorIndex:
        """An index over vectors [documents, width] as the encoder gave them."""
        import numpy as np

        vectors = np.asarray(vectors, dtype=np.float32)
        if len(ids) != len(vectors):
            raise ValueError(f"{len(ids)} ids for {len(vectors)} vectors")
        centre = vectors.mean(axis=0)
        return cls(tuple(ids), centre, _to_length_1(vectors - centre))

    def placed(self, vectors: Any) -> NDArray[Any]:
        """Vectors of other texts, [texts, width], brought to where the documents' are."""
        import numpy as np

        return _to_length_1(np.asarray(vectors, dtype=np.float32) - self.centre)

    def search(self, vector: Any, k: int = 10) -> Ranking:
        """The k documents with the largest inner product with a placed vector, and what ties with the last."""
        return best(self.ids, self.rows @ vector, k)


def _to_length_1(vectors: NDArray[Any]) -> NDArray[Any]:
    import numpy as np

    lengths = np.linalg.norm(vectors, axis=-1, keepdims=True)
    # A vector that is the mean itself points nowhere: it stays 0, and ties with everything.
    lengths[lengths == 0] = 1
    found: NDArray[Any] = vectors / lengths
    return found


def embedded(ids: Sequence[str], texts: Sequence[str]) -> Flow[VectorIndex]:
    """The index over some documents; its requests are the same for whoever embeds them, and so are kept."""
    import numpy as np

    replies = yield [Embed(part) for part in _parts(texts)]
    return VectorIndex.of(ids, np.concatenate([vectors_of(reply) for reply in replies]))


def vectors_of(reply: object) -> NDArray[Any]:
    """The vectors of an `Embed`'s reply, [texts, width]."""
    assert isinstance(reply, Embeddings), "a driver answers an Embed with Embeddings"
    return reply.vectors.array()


def _parts(texts: Sequence[str]) -> Iterator[tuple[str, ...]]:
    for start in range(0, len(texts), TOGETHER):
        yield tuple(texts[start : start + TOGETHER])
