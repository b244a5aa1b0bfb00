"""Verifiers of solutions: trained on the outcome, or on the process up to its first error.

Source   Lightman et al. 2023, "Let's Verify Step by Step" (arXiv 2305.20050, section 2, appendices E and F).
Here     the trunk is the generator's, a head on top says for a token whether it is right. Process: learned at
         step ends, up to and including the first wrong step. Outcome: whether the final answer is right,
         learned at step ends and at the last token, read at the last token.
Departs  (1) labels come from a program and not from people; none is neutral. (2) The paper's outcome verifier
         learns at every token; here at the places where the process verifier learns, and the last. (3) No
         active choice of what is labelled: `problems`, `solutions` and `judgements` say how much is.
Needs    weights.
Costs    one forward and one backward pass a step; to score, one forward pass over the solutions.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar, Literal, Protocol

from assay.core.errors import UserError
from assay.core.training import Place, Recipe, Work
from assay.techniques.training.organisms.loop import Batch, Schedule, fit
from assay.techniques.training.organisms.network import device, parameters, require_torch
from assay.techniques.training.organisms.organism import context_of
from assay.techniques.training.organisms.sampling import Pool, Samples, pools

if TYPE_CHECKING:
    from torch import Tensor

Kind = Literal["process", "outcome"]
Row = tuple[list[int], dict[int, bool]]
"""Token ids of prompt and reply, and what is said at which of them."""
ROWS = 256
USUAL = Schedule(steps=1000, batch=64, rate=1e-3)


class Steps(Protocol):
    """What is a step, and what is right: a frozen dataclass of a task. No reply may make it raise."""

    def step_ends(self, reply: str) -> Sequence[int]:
        """Per written step the place of its last character in the reply, ascending; none of an empty reply."""
        ...

    def step_labels(self, prompt: str, reply: str) -> Sequence[bool]:
        """Per written step whether it is right."""
        ...

    def right(self, prompt: str, reply: str) -> bool:
        """Whether the final answer is right."""
        ...

    def final_answer(self, reply: str) -> str | None:
        """The final answer, equal for equal ones; None where there is none."""
        ...


@dataclass(frozen=True)
class Verifier(Recipe):
    """A verifier trained on samples of a generator.

    `problems` and `solutions` a problem bound what is read, the same for both kinds; `judgements` bounds what is
    labelled: of a process one per step up to the first error, of an outcome one per solution. 0: no bound. The
    solution that passes the bound of judgements is left out whole, and what comes after it.
    """

    VERSION: ClassVar[int] = 1
    name: str
    kind: Kind
    samples: Samples
    generator: Recipe
    """Whose weights the trunk begins with."""
    steps: Steps
    schedule: Schedule = USUAL
    problems: int = 0
    solutions: int = 0
    judgements: int = 0
    seed: int = 0

    def make(self, place: Place) -> Work:
        """Train, and write a token classifier with one output."""
        import torch

        require_torch()
        torch.manual_seed(self.seed)
        model, tokenizer = _classifier(place.of(self.generator))
        solutions = list(self._chosen(pools(place.of(self.samples))))
        if not solutions:
            raise UserError("There is nothing to learn from.", hint="Raise judgements, or give other samples.")
        rows = [
            located(tokenizer, prompt, reply, places(self.kind, self.steps, prompt, reply))
            for prompt, reply in solutions
        ]
        longest = max(len(ids) for ids, _ in rows)
        if longest > context_of(model):
            raise UserError(f"A solution of {longest} tokens does not fit in a context of {context_of(model)}.")
        work = fit(
            model, Marked(rows, tokenizer, self.schedule.batch, self.seed), self.schedule, place, loss_of=loss
        )
        model.save_pretrained(place.folder)
        tokenizer.save_pretrained(place.folder)
        said = [right for _, marks in rows for right in marks.values()]
        found = {
            **work.numbers,
            "solutions": len(rows),
            "judgements": sum(map(self._price, solutions)),
            "labels": len(said),
            "labels_right": sum(said) / len(said),
            "parameters": parameters(model)[0],
        }
        return Work(found, work.tokens_in, work.tokens_out, work.curve)

    def _chosen(self, drawn: Sequence[Pool]) -> Iterator[tuple[str, str]]:
        """Solutions that have something to learn, within all bounds; first ones of every problem first."""
        drawn = drawn[: self.problems or None]
        most = max((len(pool.replies) for pool in drawn), default=0)
        spent = 0
        for at in range(min(most, self.solutions or most)):
            for pool in drawn:
                solution = (pool.prompt, pool.replies[at])
                if not places(self.kind, self.steps, *solution):
                    continue
                spent += self._price(solution)
                if self.judgements and spent > self.judgements:
                    return
                yield solution

    def _price(self, solution: tuple[str, str]) -> int:
        """Judgements somebody makes to label it."""
        return 1 if self.kind == "outcome" else len(places("process", self.steps, *solution))


def places(kind: Kind, steps: Steps, prompt: str, reply: str) -> dict[int, bool]:
    """What is to be learned at which characters of a reply; -1 is the end of the prompt.

    Process: the steps up to and including the first wrong one; nothing of a reply without steps. Outcome: the
    same at every step end and at the last character.
    """
    ends = steps.step_ends(reply)
    if kind == "outcome":
        right = steps.right(prompt, reply)
        return dict.fromkeys((*ends, len(reply) - 1), right)
    found: dict[int, bool] = {}
    for end, right in zip(ends, steps.step_labels(prompt, reply), strict=True):
        found[end] = right
        if not right:
            break
    return found


def reading_places(kind: Kind, steps: Steps, reply: str) -> list[int]:
    """The characters a verifier is read at: all step ends, or the last character."""
    return [len(reply) - 1] if kind == "outcome" else list(steps.step_ends(reply))


def located(tokenizer: Any, prompt: str, reply: str, marks: dict[int, bool]) -> Row:
    """Tokens, and the marks at the tokens that hold their characters; of two in one token the later stays."""
    backend = tokenizer.backend_tokenizer
    before = backend.encode(prompt).ids
    after = backend.encode(reply, add_special_tokens=False)
    starts = [start for start, _ in after.offsets]
    found = {}
    for place, right in sorted(marks.items()):
        found[len(before) - 1 + sum(start <= place for start in starts)] = right
    return [*before, *after.ids], found


class Marked:
    """Batches of marked rows, epochs in orders of their own; a pure function of the step."""

    def __init__(self, rows: Sequence[Row], tokenizer: Any, batch: int, seed: int) -> None:
        self._rows, self._pad, self._batch, self._seed = rows, tokenizer.pad_token_id, batch, seed
        self._order: tuple[int, Any] = (-1, None)

    def __call__(self, step: int) -> Batch:
        """Labels are 1, 0, and -100 where nothing is learned [rows, tokens]."""
        first, count = step * self._batch, len(self._rows)
        rows = [self._rows[self._at(at // count, at % count)] for at in range(first, first + self._batch)]
        return batched(rows, self._pad)

    def _at(self, epoch: int, index: int) -> int:
        import numpy

        if self._order[0] != epoch:
            self._order = (epoch, numpy.random.default_rng([self._seed, 2, epoch]).permutation(len(self._rows)))
        return int(self._order[1][index])


def batched(rows: Sequence[Row], pad: int) -> Batch:
    """Rows padded on the right to one length."""
    import numpy
    import torch

    shape = (len(rows), max(len(ids) for ids, _ in rows))
    ids, labels = numpy.full(shape, pad, dtype=numpy.int64), numpy.full(shape, -100, dtype=numpy.int64)
    for row, (tokens, marks) in enumerate(rows):
        ids[row, : len(tokens)] = tokens
        for at, right in marks.items():
            labels[row, at] = right
    real = sum(len(tokens) for tokens, _ in rows)
    return Batch(torch.from_numpy(ids).to(device()), torch.from_numpy(labels).to(device()), real)


def loss(model: Any, batch: Batch) -> Tensor:
    """Binary cross-entropy where there is a label, summed, in nats."""
    import torch.nn.functional as functional

    learned = batch.labels != -100
    said = model(input_ids=batch.ids, use_cache=False).logits[..., 0]
    return functional.binary_cross_entropy_with_logits(
        said[learned].float(), batch.labels[learned].float(), reduction="sum"
    )


def opinions(folder: Path, kind: Kind, steps: Steps, drawn: Sequence[Pool]) -> tuple[list[list[list[float]]], int]:
    """Per problem and reply the log-probabilities of being right, of every step or of the outcome; tokens read."""
    import torch

    model, tokenizer = _classifier(folder)
    model.eval()
    rows = [
        located(tokenizer, pool.prompt, reply, dict.fromkeys(reading_places(kind, steps, reply), True))
        for pool in drawn
        for reply in pool.replies
    ]
    order = sorted(range(len(rows)), key=lambda row: len(rows[row][0]))
    found: list[list[float]] = [[] for _ in rows]
    for first in range(0, len(rows), ROWS):
        part = order[first : first + ROWS]
        batch = batched([rows[row] for row in part], tokenizer.pad_token_id)
        with torch.inference_mode():
            said = torch.nn.functional.logsigmoid(
                model(input_ids=batch.ids, use_cache=False).logits[..., 0].float()
            )
        for row, values in zip(part, said.tolist(), strict=True):
            found[row] = [values[at] for at in sorted(rows[row][1])]
    each = iter(found)
    return [[next(each) for _ in pool.replies] for pool in drawn], sum(len(ids) for ids, _ in rows)


def _classifier(folder: Path | str) -> tuple[Any, Any]:
    """A token classifier with one output; its head is random where the folder holds none."""
    import torch
    from transformers import AutoConfig, AutoModelForTokenClassification, AutoTokenizer

    tokenizer = AutoTokenizer.from_pretrained(folder)
    if tokenizer.pad_token_id is None:
        tokenizer.pad_token = tokenizer.eos_token
    config = AutoConfig.from_pretrained(folder, num_labels=1)
    # The library's head drops a tenth of its inputs unless told otherwise.
    config.classifier_dropout = 0.0
    model = AutoModelForTokenClassification.from_pretrained(folder, config=config, dtype=torch.float32)
    return model.to(device()), tokenizer
