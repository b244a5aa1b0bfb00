"""Many replies of one organism to each of many prompts, drawn token by token; kept as lines of JSON.

Source   ancestral sampling at temperature 1, as Lightman et al. 2023 (arXiv 2305.20050) sample solutions.
Here     prompts of one length go together, so that none is padded; a prompt is read once for all its replies;
         a reply that has ended leaves the batch.
Departs  from `generate` of transformers: randomness comes from a generator handed in, and nothing but the
         temperature shapes the distribution (no top-p, no top-k, no penalties of a generation config).
Needs    weights.
Costs    one forward pass over the batch per token.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar

from assay.core.errors import UserError
from assay.core.training import Corpus, Place, Recipe, Stopped, Work
from assay.techniques.training.organisms.network import load, require_torch
from assay.techniques.training.organisms.organism import context_of

if TYPE_CHECKING:
    from pathlib import Path

ROWS = 256
"""Replies written at a time."""
FILE = "samples.jsonl"


@dataclass(frozen=True, slots=True)
class Pool:
    """A problem and the solutions drawn for it."""

    prompt: str
    replies: tuple[str, ...]
    ended: tuple[bool, ...]
    """Whether the reply came to its end, or was cut off."""


@dataclass(frozen=True)
class Samples(Recipe):
    """`each` replies of an organism to each of `count` prompts; writes `samples.jsonl`.

    Draws afresh when it was stopped. `tokens_in` counts a prompt once, as it is read once.
    """

    VERSION: ClassVar[int] = 1
    name: str
    organism: Recipe
    corpus: Corpus
    count: int = 500
    each: int = 64
    longest: int = 48
    """Tokens of a reply, at most."""
    temperature: float = 1.0
    seed: int = 0

    def make(self, place: Place) -> Work:
        """Draw, and write the lines."""
        import numpy

        require_torch()
        if min(self.count, self.each, self.longest) < 1 or self.temperature <= 0:
            raise UserError("count, each, longest and the temperature are above 0.")
        model, tokenizer = load(place.of(self.organism))
        examples = self.corpus.examples(self.count, numpy.random.default_rng([self.seed, 3]))
        prompts = [example.prompt for example in examples]
        drawn = sample(model, tokenizer, prompts, self, place)
        end = tokenizer.eos_token_id
        lines = []
        for prompt, replies in zip(prompts, drawn, strict=True):
            texts = tokenizer.batch_decode(replies, skip_special_tokens=True)
            ended = [bool(ids) and ids[-1] == end for ids in replies]
            lines.append(json.dumps({"prompt": prompt, "replies": texts, "ended": ended}, ensure_ascii=False))
        (place.folder / FILE).write_text("\n".join(lines) + "\n", encoding="utf-8")
        lengths = [len(ids) for replies in drawn for ids in replies]
        unended = sum(ids[-1:] != [end] for replies in drawn for ids in replies) / len(lengths)
        read = sum(len(ids) for ids in tokenizer(prompts)["input_ids"])
        return Work({"length": sum(lengths) / len(lengths), "unended": unended}, read, sum(lengths))


def pools(folder: Path) -> list[Pool]:
    """What `Samples` wrote, in the order of its problems."""
    rows = map(json.loads, (folder / FILE).read_text(encoding="utf-8").splitlines())
    return [Pool(row["prompt"], tuple(row["replies"]), tuple(row["ended"])) for row in rows]


def sample(
    model: Any, tokenizer: Any, prompts: Sequence[str], how: Samples, place: Place | None = None
) -> list[list[list[int]]]:
    """Token ids of `how.each` replies to every prompt; one that ended has the end token last.

    Raises `Stopped` where the place says so, with nothing kept.
    """
    import torch

    model.eval()
    chance = torch.Generator(model.device).manual_seed(how.seed)
    encoded: list[list[int]] = tokenizer(list(prompts))["input_ids"]
    found: list[list[list[int]]] = [[] for _ in prompts]
    groups = list(_groups(encoded, max(1, ROWS // how.each)))
    for done, rows in enumerate(groups):
        room = context_of(model) - len(encoded[rows[0]])
        if room < 1:
            raise UserError(f"The prompt {prompts[rows[0]][:40]!r} leaves no room for a reply.")
        ids = torch.tensor([encoded[row] for row in rows], device=model.device)
        with torch.inference_mode():
            replies = _written(model, ids, how, min(how.longest, room), tokenizer.eos_token_id, chance)
        for at, row in enumerate(rows):
            found[row] = replies[at * how.each : (at + 1) * how.each]
        if place is not None:
            place.tell((done + 1) / len(groups), "drawing replies")
            if place.stopping():
                raise Stopped
    return found


def _groups(encoded: Sequence[Sequence[int]], most: int) -> Iterator[list[int]]:
    """Indices of prompts of one length, at most so many together."""
    by_length: dict[int, list[int]] = {}
    for index, ids in enumerate(encoded):
        by_length.setdefault(len(ids), []).append(index)
    for _, rows in sorted(by_length.items()):
        yield from (rows[at : at + most] for at in range(0, len(rows), most))


def _written(model: Any, ids: Any, how: Samples, longest: int, end: int, chance: Any) -> list[list[int]]:
    """Replies to prompts [prompts, tokens], those to one prompt side by side."""
    import torch
    from transformers import DynamicCache

    cache = DynamicCache(config=model.config)
    logits = model(input_ids=ids, past_key_values=cache, use_cache=True, logits_to_keep=1).logits[:, -1]
    cache.batch_repeat_interleave(how.each)
    logits = logits.repeat_interleave(how.each, 0)
    written = torch.full((len(logits), longest), -1, device=ids.device)
    alive = torch.arange(len(logits), device=ids.device)
    for at in range(longest):
        chosen = torch.multinomial(torch.softmax(logits.float() / how.temperature, -1), 1, generator=chance)
        written[alive, at] = chosen[:, 0]
        going = (chosen[:, 0] != end).nonzero()[:, 0]
        if not len(going) or at == longest - 1:
            break
        if len(going) < len(alive):
            alive, chosen = alive[going], chosen[going]
            cache.batch_select_indices(going)
        logits = model(input_ids=chosen, past_key_values=cache, use_cache=True).logits[:, -1]
    return [[token for token in row if token >= 0] for row in written.tolist()]
