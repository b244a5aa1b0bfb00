"""A Markov source of texts with all its numbers: entropy, the divergence of a model from it, the mass of its tail.

For model collapse (Shumailov et al. 2024, https://www.nature.com/articles/s41586-024-07566-y) at order 1:
100 symbols with the defaults have 2.98 nats a symbol. For scaling laws at order 2, where contexts are many
and unequal: how often they occur falls with their rank, faster and faster, about as a power in the middle.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING

from assay.core.training import Example
from assay.core.validation import require, require_number, require_whole

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt

    from assay.tasks.language.chain import Tables

    Array = npt.NDArray[np.float64]

MOST_ENTRIES = 20_000_000
_AT_ONCE = 8192
"""Rows drawn at once, to bound memory."""


@lru_cache(maxsize=16)
def _characters(symbols: int) -> str:
    """The first so many characters that show, "!" first: ASCII, then Latin letters; no space."""
    return "".join([chr(code) for code in range(33, 0x250) if chr(code).isprintable()][:symbols])


@dataclass(frozen=True)
class Markov:
    """Texts of `length` symbols, each drawn given the last `order` ones; all is a function of the fields."""

    symbols: int = 100
    order: int = 1
    length: int = 128
    tail: float = 1.3
    """In each context the k-th most likely symbol has probability in proportion to k**-tail."""
    favour: float = 1.0
    """How much contexts agree on which symbols are likely; 0: not at all, and all symbols are equally common."""
    seed: int = 0

    def __post_init__(self) -> None:
        require_whole("The number of symbols", self.symbols, 2, 400)
        require_whole("The order", self.order, 1, 6)
        require_whole("The length of a text", self.length, 1, 1_000_000)
        require_number("The tail", self.tail, 0, 20)
        require_number("The favour", self.favour, 0, 20)
        require_whole("The seed", self.seed, 0, 2**31)
        entries = self.symbols ** (self.order + 1)
        require(entries <= MOST_ENTRIES, f"A table of {entries:,} transitions is too large.")

    # --- texts

    @property
    def alphabet(self) -> str:
        """One character per symbol, sorted: the i-th character is column i of the tables."""
        return _characters(self.symbols)

    def examples(self, count: int, rng: np.random.Generator) -> list[Example]:
        """Texts without a prompt, begun as if the source had run for ever."""
        return [Example("", text) for text in self.texts(count, rng)]

    def texts(self, count: int, rng: np.random.Generator) -> list[str]:
        """`count` texts of `length` characters."""
        return self._drawn(self._tables(), count, rng)

    def texts_of(self, predicted: Array, count: int, rng: np.random.Generator) -> list[str]:
        """`count` texts that a model with this table of predictions writes, begun as its own chain goes on."""
        from assay.tasks.language import chain

        return self._drawn(chain.tables_of(self._table(predicted), self.order), count, rng)

    def _drawn(self, tables: Tables, count: int, rng: np.random.Generator) -> list[str]:
        import numpy as np

        from assay.tasks.language import chain

        require_whole("count", count, 0, 100_000_000)
        characters = np.array(list(self.alphabet))
        found: list[str] = []
        while len(found) < count:
            drawn = chain.draw(tables, min(count - len(found), _AT_ONCE), self.length, rng)
            found += characters[drawn].view(f"<U{self.length}").ravel().tolist()
        return found

    # --- the truth

    def _tables(self) -> Tables:
        from assay.tasks.language import chain

        return chain.tables(self.symbols, self.order, float(self.tail), float(self.favour), self.seed)

    def transitions(self) -> Array:
        """(symbols**order, symbols): probability of the next symbol; the oldest of a context counts most."""
        return self._tables().transitions

    def stationary(self) -> Array:
        """(symbols**order,): how often each context occurs."""
        return self._tables().stationary

    def entropy_rate(self) -> float:
        """Nats per symbol once the source runs: the least loss of any model."""
        return self.entropy(self.transitions())

    def least_loss(self) -> float:
        """Nats per learned token of whole texts, their first symbols and their end (which is certain) included."""
        first = min(self.order, self.length)
        shares = self.stationary().reshape(self.symbols**first, -1).sum(1)
        total = float(_surprise(shares, shares).sum()) + (self.length - first) * self.entropy_rate()
        return total / (self.length + 1)

    # --- a model against the truth; `predicted` is a table like `transitions()`

    def divergences(self, predicted: Array) -> Array:
        """(symbols**order,): KL(truth || predicted) in nats; infinite where it excludes what happens."""
        import numpy as np

        truth = self.transitions()
        found = _surprise(truth, self._table(predicted)).sum(axis=1) - _surprise(truth, truth).sum(axis=1)
        # A sum of rounded terms can fall below nothing.
        divergences: Array = np.maximum(found, 0.0)
        return divergences

    def divergence(self, predicted: Array) -> float:
        """KL(truth || predicted) in nats per symbol, contexts weighted by how often they truly occur."""
        return float(self.stationary() @ self.divergences(predicted))

    def entropy(self, predicted: Array) -> float:
        """Nats per symbol of a model's own predictions, in the contexts that truly occur."""
        table = self._table(predicted)
        return float(self.stationary() @ _surprise(table, table).sum(axis=1))

    def tail_mass(self, predicted: Array | None = None, below: float = 0.002) -> float:
        """The share a model (default: the truth) gives to next symbols whose true probability is under `below`."""
        truth = self.transitions()
        table = truth if predicted is None else self._table(predicted)
        return float(self.stationary() @ (table * (truth < below)).sum(axis=1))

    def count_transitions(self, texts: Sequence[str], smoothing: float = 0.1) -> Array:
        """The n-gram model of these texts, `smoothing` added to each count; unseen contexts predict all alike."""
        import numpy as np

        from assay.tasks.language import chain

        require_number("The smoothing", smoothing, 0, 1e9)
        counts = chain.count(texts, self.alphabet, self.order) + smoothing
        sums = counts.sum(axis=1, keepdims=True)
        table: Array = np.divide(counts, sums, out=np.full_like(counts, 1 / self.symbols), where=sums > 0)
        return table

    def _table(self, predicted: Array) -> Array:
        """The predictions with the rounding of their sums taken out."""
        import numpy as np

        shape = (self.symbols**self.order, self.symbols)
        require(predicted.shape == shape, f"A table of predictions has the shape {shape}, not {predicted.shape}.")
        sums = predicted.sum(axis=1)
        fine = bool((predicted >= 0).all() and np.allclose(sums, 1, atol=1e-4))
        require(fine, "Each row of a table of predictions holds probabilities that sum to 1.")
        table: Array = predicted / sums[:, None]
        return table


def _surprise(weights: Array, predicted: Array) -> Array:
    """-weights * log(predicted), 0 where nothing is weighed."""
    import numpy as np

    with np.errstate(divide="ignore", invalid="ignore"):
        found: Array = np.where(weights > 0, -weights * np.log(predicted), 0.0)
    return found
