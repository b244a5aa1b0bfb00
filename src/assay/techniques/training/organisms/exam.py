"""An exam: prompts an organism has not seen, its greedy replies, and the marks they get."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

from assay.core.training import Exercise, Place, Recipe, Work
from assay.techniques.training.organisms.network import load, require_torch

ROWS = 128
KEPT = 5
"""Replies shown in the trace."""


@dataclass(frozen=True)
class Exam(Recipe):
    """Mean marks of greedy replies."""

    VERSION: ClassVar[int] = 1
    name: str
    organism: Recipe
    exercise: Exercise
    count: int = 500
    seed: int = 0
    longest: int = 48
    """Tokens of a reply, at most."""

    def make(self, place: Place) -> Work:
        """Write replies and mark them."""
        import numpy

        require_torch()
        model, tokenizer = load(place.of(self.organism))
        examples = self.exercise.examples(self.count, numpy.random.default_rng([self.seed, 3]))
        replies = write(model, tokenizer, [example.prompt for example in examples], self.longest, place=place)
        marks = [self.exercise.mark(example, reply) for example, reply in zip(examples, replies, strict=True)]
        shown = [[example.prompt, reply] for example, reply in zip(examples[:KEPT], replies[:KEPT], strict=True)]
        means = {name: float(numpy.mean([mark[name] for mark in marks])) for name in marks[0]}
        return Work(means | {"replies": shown}, *counted(tokenizer, examples, replies))


def counted(tokenizer: Any, examples: Sequence[Any], replies: Sequence[str]) -> tuple[int, int]:
    """Tokens of prompts and of replies."""
    read = sum(len(ids) for ids in tokenizer([example.prompt for example in examples])["input_ids"])
    written = sum(len(ids) for ids in tokenizer(list(replies), add_special_tokens=False)["input_ids"])
    return read, written


def write(
    model: Any,
    tokenizer: Any,
    prompts: Sequence[str],
    longest: int,
    *,
    temperature: float = 0.0,
    seed: int = 0,
    place: Place | None = None,
) -> list[str]:
    """One reply per prompt, without special tokens: greedy, or drawn at a temperature.

    Prompts of one length go together, so that none needs padding.
    """
    import torch

    model.eval()
    torch.manual_seed(seed)
    encoded = tokenizer(list(prompts))["input_ids"]
    by_length: dict[int, list[int]] = {}
    for index, ids in enumerate(encoded):
        by_length.setdefault(len(ids), []).append(index)
    replies = [""] * len(prompts)
    groups = [rows[i : i + ROWS] for _, rows in sorted(by_length.items()) for i in range(0, len(rows), ROWS)]
    # What a pretrained model's own configuration adds to sampling is left out.
    drawing = (
        {"do_sample": True, "repetition_penalty": 1.0, "temperature": temperature, "top_k": 0, "top_p": 1.0}
        if temperature
        else {}
    )
    for done, rows in enumerate(groups):
        ids = torch.tensor([encoded[row] for row in rows], device=model.device)
        with torch.no_grad():
            out = model.generate(
                input_ids=ids,
                attention_mask=torch.ones_like(ids),
                max_new_tokens=longest,
                pad_token_id=tokenizer.pad_token_id,
                eos_token_id=tokenizer.eos_token_id,
                **(drawing or {"do_sample": False}),
            )
        for row, tokens in zip(rows, out[:, ids.shape[1] :].tolist(), strict=True):
            replies[row] = tokenizer.decode(tokens, skip_special_tokens=True)
        if place is not None:
            place.tell((done + 1) / len(groups), "writing replies")
    return replies
