"""How much an organism's own replies vary, and how far it is from another one: what tuning takes away.

Source   the claim that tuning by rewards lowers entropy: Karpathy, "State of GPT" (2023),
         https://build.microsoft.com/sessions/db3f4859-cd30-4445-a0cd-553c3304f8e2; distinct-n: Li et al. 2016
         (arXiv 1510.03055); self-BLEU: Zhu et al. 2018 (1802.01886).
Here     replies are drawn at temperature 1 from the whole distribution; entropy and divergence are summed over
         the vocabulary at every token written, the end token included, prompts left out, and averaged over tokens.
Departs  (1) self-BLEU is the geometric mean of clipped precisions of 1 to 3 tokens against all other replies,
         without a brevity penalty: nearly every reply has a reference of its length. (2) What `trl` logs is not
         this: of RLOO and GRPO it is the entropy of the replies of one step before its update, and a
         divergence estimated from the tokens drawn; of SFT, DPO and KTO entropy is that on the data.
Needs    weights.
Costs    the replies, and one forward pass over them per organism.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

from assay.core.errors import UserError
from assay.core.training import Corpus, Place, Recipe, Work
from assay.techniques.training.organisms.network import load, require_torch
from assay.techniques.training.organisms.sampling import Samples, sample

ROWS = 128
ORDERS = (1, 2, 3)


@dataclass(frozen=True)
class Entropy(Recipe):
    """Mean next-token entropy of an organism on its own replies, in nats, and their variety.

    Numbers: `entropy` per token; `entropies`, the mean per prompt; `length` without the end token; `empty` and
    `unended`, shares of replies; `distinct_1` to `distinct_3`, different n-grams over all; `self_bleu`; and
    with a reference `kl` per token and `kl_reply` per reply, of the organism from the reference. Distinct-n
    and self-BLEU depend on how many replies there are and how long: compare them at equal counts.
    """

    VERSION: ClassVar[int] = 1
    name: str
    organism: Recipe
    corpus: Corpus
    """Its prompts are taken."""
    reference: Recipe | None = None
    count: int = 200
    each: int = 1
    longest: int = 32
    seed: int = 0

    def make(self, place: Place) -> Work:
        """Draw replies and measure them."""
        import numpy

        require_torch()
        if self.count < 1 or self.each < 1:
            raise UserError("count and each are at least 1.")
        model, tokenizer = load(place.of(self.organism))
        other = None if self.reference is None else load(place.of(self.reference))[0].eval()
        examples = self.corpus.examples(self.count, numpy.random.default_rng([self.seed, 3]))
        prompts = [example.prompt for example in examples]
        how = Samples(self.name, self.organism, self.corpus, self.count, self.each, self.longest, seed=self.seed)
        drawn = sample(model, tokenizer, prompts, how, place)
        read: list[list[int]] = tokenizer(prompts)["input_ids"]
        rows = [(ids, reply) for ids, replies in zip(read, drawn, strict=True) for reply in replies]
        entropies, divergences = _measured(model, other, rows, tokenizer.pad_token_id)
        end, tokens = tokenizer.eos_token_id, sum(len(reply) for _, reply in rows)
        bare = [[token for token in reply if token != end] for _, reply in rows]
        totals = numpy.array(entropies).reshape(self.count, self.each).sum(1)
        lengths = numpy.array([len(reply) for _, reply in rows]).reshape(self.count, self.each).sum(1)
        found: dict[str, Any] = {
            "entropy": sum(entropies) / tokens,
            "entropies": (totals / lengths).tolist(),
            "length": sum(map(len, bare)) / len(bare),
            "empty": sum(not reply for reply in bare) / len(bare),
            "unended": sum(reply[-1] != end for _, reply in rows) / len(rows),
            "self_bleu": self_bleu(bare),
        }
        found |= {f"distinct_{order}": distinct(bare, order) for order in ORDERS}
        if other is not None:
            found |= {"kl": sum(divergences) / tokens, "kl_reply": sum(divergences) / len(rows)}
        return Work(found, sum(map(len, read)), tokens)


def _measured(
    model: Any, other: Any | None, rows: Sequence[tuple[list[int], list[int]]], pad: int
) -> tuple[list[float], list[float]]:
    """Per (prompt, reply) the entropies of the reply's tokens summed, and divergences from the other model."""
    import torch

    entropies: list[float] = []
    divergences: list[float] = []
    for first in range(0, len(rows), ROWS):
        part = rows[first : first + ROWS]
        longest = max(len(prompt) + len(reply) for prompt, reply in part)
        ids = torch.tensor([[*p, *r, *[pad] * (longest - len(p) - len(r))] for p, r in part], device=model.device)
        at = torch.arange(1, longest, device=model.device)
        read = torch.tensor([len(p) for p, _ in part], device=model.device)[:, None]
        whole = torch.tensor([len(p) + len(r) for p, r in part], device=model.device)[:, None]
        counts = (at >= read) & (at < whole)  # [rows, tokens - 1], of the token that is predicted
        with torch.inference_mode():
            logs = torch.log_softmax(model(input_ids=ids, use_cache=False).logits[:, :-1].float(), -1)
            spread = -(logs.exp() * logs).sum(-1)
            entropies += (spread * counts).sum(-1).tolist()
            if other is not None:
                theirs = torch.log_softmax(other(input_ids=ids, use_cache=False).logits[:, :-1].float(), -1)
                divergences += ((logs.exp() * (logs - theirs)).sum(-1) * counts).sum(-1).tolist()
    return entropies, divergences


def distinct(replies: Sequence[Sequence[int]], order: int) -> float:
    """Different n-grams over all n-grams; 0 where there are none."""
    found = Counter(gram for reply in replies for gram in _grams(reply, order))
    return len(found) / found.total() if found else 0.0


def self_bleu(replies: Sequence[Sequence[int]]) -> float:
    """How much of a reply is found in the others, mean over replies; 1 where all are equal.

    Replies too short for an order are judged on the shorter ones; empty ones count as found.
    """
    if len(replies) < 2:
        return 0.0
    means: list[list[float]] = [[] for _ in replies]
    for order in ORDERS:
        counts = [Counter(_grams(reply, order)) for reply in replies]
        best: dict[tuple[int, ...], list[int]] = {}
        for counted in counts:
            for gram, times in counted.items():
                best[gram] = sorted([*best.get(gram, [0, 0]), times])[-2:]
        for mean, counted in zip(means, counts, strict=True):
            if counted:
                # The most often another reply has it: the second best where this one is the best.
                others = {
                    gram: best[gram][0] if best[gram][1] == n else best[gram][1] for gram, n in counted.items()
                }
                mean.append(sum(min(n, others[gram]) for gram, n in counted.items()) / counted.total())
    return sum(_geometric(mean) for mean in means) / len(means)


def _grams(reply: Sequence[int], order: int) -> list[tuple[int, ...]]:
    return [tuple(reply[at : at + order]) for at in range(len(reply) - order + 1)]


def _geometric(values: Sequence[float]) -> float:
    """Mean of logarithms, as a number; 1 of none, 0 where one is."""
    return math.exp(sum(map(math.log, values)) / len(values)) if all(values) and values else float(not values)
