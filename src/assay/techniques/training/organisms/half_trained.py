"""An organism whose training ends when it solves a given share of problems: far from floor and ceiling."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar

from assay.core.training import Corpus, Place, Work
from assay.core.validation import require
from assay.techniques.training.organisms.loop import answer_logs, fit
from assay.techniques.training.organisms.network import device, parameters, save
from assay.techniques.training.organisms.organism import Organism, Texts, as_batch, begin, context_of, encoded

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

LOOKS = 200
"""Times it is looked at, over the whole budget."""
PROBLEMS = 256
SEED = 10**6 + 1


@dataclass(frozen=True)
class HalfTrained(Organism):
    """Trained on its corpus until a drawn answer to a held-out prompt is the right one with chance `solved`.

    The chance is exact where there is one right answer: the product of its tokens' probabilities, averaged over
    the prompts of `watched`. The budget is an upper bound.
    """

    VERSION: ClassVar[int] = 1
    solved: float = 0.5

    def make(self, place: Place) -> Work:
        """Train, and write the folder; the number `solved` says where it ended."""
        require(self.watched is not None and 0 < self.solved < 1, "Half-training watches problems, up to a share.")
        assert self.watched is not None, "required above"
        model, tokenizer = begin(self.start, self.vocabulary, self.corpus, self.seed, place)
        context = context_of(model)
        texts = Texts(self.corpus, tokenizer, self.schedule.batch, self.seed, self.unique, context)
        work = fit(
            model,
            texts,
            self.schedule,
            place,
            watch=share_solved(self.watched, tokenizer, context),
            watched=LOOKS,
            enough=lambda found: found["solved"] >= self.solved,
        )
        save(model, tokenizer, place.folder)
        reached = [point["solved"] for point in work.curve if "solved" in point][-1]
        numbers = {**work.numbers, "parameters": parameters(model)[0], "solved": reached}
        return Work(numbers, work.tokens_in, work.tokens_out, work.curve)


def share_solved(corpus: Corpus, tokenizer: Any, context: int) -> Callable[[Any], Mapping[str, float]]:
    """A watch: the chance that an answer drawn at temperature 1 is the one in the corpus, over fixed prompts."""
    import numpy

    drawn = corpus.examples(PROBLEMS, numpy.random.default_rng([SEED]))
    batch = as_batch(encoded(drawn, tokenizer, context), tokenizer, device())

    def watch(model: Any) -> dict[str, float]:
        return {"solved": float(answer_logs(model, batch).exp().mean())}

    return watch
