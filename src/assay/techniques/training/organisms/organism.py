"""An organism: a tiny language model trained on a procedural corpus, kept as an ordinary Hugging Face folder."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar

from assay.core.errors import UserError
from assay.core.training import Corpus, Place, Recipe, Work
from assay.techniques.training.organisms.loop import Batch, Schedule, fit
from assay.techniques.training.organisms.network import (
    Pretrained,
    Tiny,
    device,
    load,
    parameters,
    require_torch,
    save,
)
from assay.techniques.training.organisms.vocabulary import Vocabulary

if TYPE_CHECKING:
    from collections.abc import Sequence

    from assay.core.training import Example

FROM_SCRATCH = Tiny()
CHARACTERS = Vocabulary()
A_MILLION = Schedule(tokens=1_000_000)
CACHED_SET = 200_000
"""Texts of a fixed set, at most: they are held in memory."""


@dataclass(frozen=True)
class Organism(Recipe):
    """Train on a corpus, from scratch, from a pretrained model or from another organism."""

    VERSION: ClassVar[int] = 1
    name: str
    corpus: Corpus
    start: Tiny | Pretrained | Recipe = FROM_SCRATCH
    vocabulary: Vocabulary = CHARACTERS
    """Of an organism from scratch; others keep the one they have."""
    schedule: Schedule = A_MILLION
    seed: int = 0
    """Chooses first weights, texts and their order."""
    unique: int = 0
    """Texts there are: every epoch goes through them in a new order. 0: texts are drawn afresh for ever."""
    watched: Corpus | None = None
    """Held-out texts whose loss is noted along the way."""

    def make(self, place: Place) -> Work:
        """Train, and write the folder."""
        model, tokenizer = begin(self.start, self.vocabulary, self.corpus, self.seed, place)
        texts = Texts(self.corpus, tokenizer, self.schedule.batch, self.seed, self.unique, context_of(model))
        watch = None if self.watched is None else held_out_loss(self.watched, tokenizer, context_of(model))
        work = fit(model, texts, self.schedule, place, watch=watch)
        save(model, tokenizer, place.folder)
        whole, inner = parameters(model)
        found = {**work.numbers, "parameters": whole, "inner_parameters": inner}
        return Work(found, work.tokens_in, work.tokens_out, work.curve)


def begin(
    start: Tiny | Pretrained | Recipe, vocabulary: Vocabulary, corpus: Corpus, seed: int, place: Place
) -> tuple[Any, Any]:
    """Model and tokenizer a training begins with."""
    require_torch()
    import torch

    torch.manual_seed(seed)
    if isinstance(start, Tiny):
        tokenizer = vocabulary.tokenizer(corpus, seed)
        return start.build(tokenizer, seed).to(device()), tokenizer
    model, tokenizer = load(place.of(start) if isinstance(start, Recipe) else start.model)
    _require_letters(tokenizer, corpus)
    return model, tokenizer


def _require_letters(tokenizer: Any, corpus: Corpus) -> None:
    """Raise `UserError` where a tokenizer drops characters of the corpus: it would train on what is left."""
    kept = tokenizer.decode(tokenizer(corpus.alphabet, add_special_tokens=False)["input_ids"])
    lost = sorted(set(corpus.alphabet) - set(kept) - {" "})
    if lost:
        raise UserError(
            f"The model's tokenizer has no token for {''.join(lost[:10])!r}, which the texts hold.",
            hint="Begin with a model that can read them.",
        )


def context_of(model: Any) -> int:
    """Tokens a model can read."""
    return int(getattr(model.config, "max_position_embeddings", 2048))


class Texts:
    """Batches of a corpus: fresh texts for ever, or epochs over a fixed set; a pure function of the step."""

    def __init__(
        self, corpus: Corpus, tokenizer: Any, batch: int, seed: int, unique: int = 0, context: int = 10**9
    ) -> None:
        import numpy

        if unique < 0 or unique > CACHED_SET:
            raise UserError(f"A fixed set has 1 to {CACHED_SET:,} texts, not {unique:,}.")
        self._corpus, self._tokenizer, self._batch, self._seed = corpus, tokenizer, batch, seed
        self._context = context
        self._device = device()
        self._fixed: list[tuple[list[int], int]] = []
        self._orders: dict[int, Any] = {}
        if unique:
            drawn = corpus.examples(unique, numpy.random.default_rng([seed, 1]))
            if not drawn:
                raise UserError("The corpus is empty.", hint="Give it texts.")
            self._fixed = encoded(drawn, tokenizer, context)

    def __call__(self, step: int) -> Batch:
        """The batch of that step."""
        import numpy

        if not self._fixed:
            drawn = self._corpus.examples(self._batch, numpy.random.default_rng([self._seed, 0, step]))
            if not drawn:
                raise UserError("The corpus is empty.", hint="Give it texts.")
            return as_batch(encoded(drawn, self._tokenizer, self._context), self._tokenizer, self._device)
        first, count = step * self._batch, len(self._fixed)
        rows = [self._order(at // count)[at % count] for at in range(first, first + self._batch)]
        return as_batch([self._fixed[row] for row in rows], self._tokenizer, self._device)

    def _order(self, epoch: int) -> Any:
        import numpy

        if epoch not in self._orders:
            self._orders = {k: v for k, v in self._orders.items() if k == epoch - 1}
            self._orders[epoch] = numpy.random.default_rng([self._seed, 2, epoch]).permutation(len(self._fixed))
        return self._orders[epoch]


def encoded(examples: Sequence[Example], tokenizer: Any, context: int) -> list[tuple[list[int], int]]:
    """Token ids of each text, `<|begin|>` before and `<|end|>` after, and how many of them are the prompt."""
    backend = tokenizer.backend_tokenizer
    prompts = backend.encode_batch([example.prompt for example in examples])
    answers = backend.encode_batch([example.answer for example in examples], add_special_tokens=False)
    found = []
    for prompt, answer, example in zip(prompts, answers, examples, strict=True):
        ids = [*prompt.ids, *answer.ids, tokenizer.eos_token_id]
        if len(ids) > context:
            raise UserError(
                f"A text of {len(ids)} tokens does not fit in a context of {context}: {example.prompt[:40]!r}...",
                hint="Give the network a longer context, or the corpus shorter texts.",
            )
        found.append((ids, len(prompt.ids)))
    return found


def as_batch(rows: Sequence[tuple[list[int], int]], tokenizer: Any, where: str) -> Batch:
    """Rows padded on the right to one length; prompts and padding are not learned."""
    import numpy
    import torch

    longest = max(len(ids) for ids, _ in rows)
    ids = numpy.full((len(rows), longest), tokenizer.pad_token_id, dtype=numpy.int64)
    labels = numpy.full((len(rows), longest), -100, dtype=numpy.int64)
    for row, (tokens, prompt) in enumerate(rows):
        ids[row, : len(tokens)] = tokens
        labels[row, prompt : len(tokens)] = tokens[prompt:]
    real = sum(len(tokens) for tokens, _ in rows)
    return Batch(torch.from_numpy(ids).to(where), torch.from_numpy(labels).to(where), real)


HELD_OUT = 512


def held_out_loss(corpus: Corpus, tokenizer: Any, context: int) -> Any:
    """A watch: mean loss per learned token on the same held-out texts every time, in nats."""
    import numpy

    from assay.techniques.training.organisms.loop import next_token_loss

    drawn = corpus.examples(HELD_OUT, numpy.random.default_rng([10**6]))
    rows = encoded(drawn, tokenizer, context)
    batches = [as_batch(rows[i : i + 128], tokenizer, device()) for i in range(0, len(rows), 128)]

    def watch(model: Any) -> dict[str, float]:
        import torch

        with torch.no_grad():
            total = sum(float(next_token_loss(model, batch)) for batch in batches)
        return {"held_out": total / sum(int((batch.labels[:, 1:] != -100).sum()) for batch in batches)}

    return watch
