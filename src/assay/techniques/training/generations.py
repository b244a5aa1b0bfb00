"""Generations: each model is trained on what the one before it wrote.

Source   Shumailov et al. 2024 (https://www.nature.com/articles/s41586-024-07566-y): models trained on their
         predecessors' samples alone drift away from the data; Gerstgrasser et al. 2024 (arXiv 2404.01413): not
         where samples are added to the real data instead of replacing them.
Here     the data come from a source whose every probability is known, so that divergence, entropy and the mass
         of the tail are exact and apart: a perplexity alone hides which way a model went wrong. Decoding is an
         axis of its own, because a beam narrows what is written whoever writes it.
Departs  (1) tiny networks from scratch in every generation; the source fine-tunes OPT-125m. (2) samples at
         temperature 1 from the beginning of a text, unless a prefix of the real data is asked for.
Needs    training.
Costs    one training and one set of samples a generation.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, ClassVar, Literal, Protocol

from assay.core.training import Corpus, Example, Place, Recipe, Work
from assay.core.validation import require, require_number, require_whole
from assay.techniques.training.organisms.loop import Schedule, fit
from assay.techniques.training.organisms.network import Tiny, parameters, require_torch, save
from assay.techniques.training.organisms.organism import Texts, begin, context_of
from assay.techniques.training.organisms.vocabulary import Vocabulary

if TYPE_CHECKING:
    import numpy

Policy = Literal["replace", "keep", "accumulate", "fresh"]
POLICIES = ("replace", "keep", "accumulate", "fresh")
SMALL, BRIEF = Tiny(64, context=72), Schedule(steps=75)
TEXTS = "texts.json"
TEST_TEXTS = 64
RARE = 0.002
"""True probability below which a symbol belongs to the tail."""
PREFIX_SEED, REAL_SEED, TEST_SEED = 11, 12, 13


class KnownSource(Corpus, Protocol):
    """A first-order source of texts, one token a symbol, whose probabilities are known."""

    @property
    def length(self) -> int:
        """Symbols of a text."""
        ...

    def texts(self, count: int, rng: numpy.random.Generator) -> list[str]:
        """That many texts."""
        ...

    def transitions(self) -> Any:
        """[symbols, symbols]: probability of the next symbol given the last."""
        ...


@dataclass(frozen=True)
class Generation(Recipe):
    """One language model in a line of them: trained on a set of texts, then it writes the next one's.

    `replace`: the set is what the parent wrote; `keep`: but for `kept`, which stays real; `accumulate`: the
    parent's set and what it wrote; `fresh`: new real texts. Numbers: `divergence` of its predictions from the
    source's, their `entropy` (nats a token) and their mass on `tail` symbols, all in true contexts.
    """

    VERSION: ClassVar[int] = 1
    name: str
    source: KnownSource
    parent: Generation | None = None
    policy: Policy = "replace"
    count: int = 800
    """Texts written by each generation, and in the first one's set."""
    kept: float = 0.1
    start: Tiny = SMALL
    schedule: Schedule = BRIEF
    """The same for every generation, however many texts there are."""
    seed: int = 0
    temperature: float = 1.0
    beams: int = 1
    """Above 1: the likeliest of that many beams is written instead of a sample."""
    prefix: int = 0
    """Symbols of a real text that each written one begins with."""

    def __post_init__(self) -> None:
        require(self.policy in POLICIES, f"A policy is one of {', '.join(POLICIES)}, not '{self.policy}'.")
        require_whole("The number of texts", self.count, 2, 1_000_000)
        require_number("The share that is kept", self.kept, 0.0, 1.0)
        require_whole("The number of beams", self.beams, 1, 64)
        require(
            self.beams == 1 or self.prefix > 0, "Beams need a prefix: without one they all write the same text."
        )

    @property
    def number(self) -> int:
        """Which generation it is, from 0."""
        return 0 if self.parent is None else self.parent.number + 1

    def make(self, place: Place) -> Work:
        """Train on the set, measure, write."""
        require_torch()
        texts = self._set(place)
        model, tokenizer = begin(self.start, Vocabulary(), self.source, self.seed + 100 * self.number, place)
        batches = Texts(_Given(texts), tokenizer, self.schedule.batch, self.seed, len(texts), context_of(model))
        work = fit(model, batches, self.schedule, place)
        save(model, tokenizer, place.folder)
        found = self._measured(model, tokenizer)
        written = self._written(model, tokenizer)
        (place.folder / TEXTS).write_text(json.dumps({"set": texts, "written": written}))
        numbers = {**work.numbers, **found, "parameters": parameters(model)[0], "generation": self.number}
        return Work(numbers, work.tokens_in, sum(len(text) - self.prefix for text in written), work.curve)

    def _set(self, place: Place) -> list[str]:
        """What it is trained on."""
        real = self.source.texts(self.count, _rng(self.seed, REAL_SEED, self.number * (self.policy == "fresh")))
        if self.parent is None or self.policy == "fresh":
            return real
        before: dict[str, list[str]] = json.loads((place.of(self.parent) / TEXTS).read_text())
        if self.policy == "accumulate":
            return [*before["set"], *before["written"]]
        kept = round(self.kept * self.count) if self.policy == "keep" else 0
        return real[:kept] + before["written"][: self.count - kept]

    def _measured(self, model: Any, tokenizer: Any) -> dict[str, float]:
        """Exact measures of its predictions in contexts drawn from the source."""
        import torch

        texts = self.source.texts(TEST_TEXTS, _rng(self.seed, TEST_SEED, 0))
        ids = torch.tensor(tokenizer(texts)["input_ids"], device=model.device)
        symbols = torch.tensor(_symbol_ids(tokenizer, self.source.alphabet), device=model.device)
        with torch.no_grad():
            logits = model(input_ids=ids).logits[:, 1:-1, :].double()
        predicted = torch.log_softmax(logits[..., symbols], dim=-1).cpu()
        place_of = {int(token): index for index, token in enumerate(symbols.tolist())}
        contexts = torch.tensor([[place_of[token] for token in row] for row in ids[:, 1:-1].tolist()])
        truth = torch.tensor(self.source.transitions().copy())[contexts]
        return _compared(truth.numpy(), predicted.numpy())

    def _written(self, model: Any, tokenizer: Any) -> list[str]:
        """What the next generation reads."""
        import torch

        prefixes = [
            text[: self.prefix]
            for text in self.source.texts(self.count, _rng(self.seed, PREFIX_SEED, self.number))
        ]
        torch.manual_seed(self.seed + 100 * self.number)
        special = [tokenizer.bos_token_id, tokenizer.eos_token_id, tokenizer.pad_token_id]
        how = (
            {"do_sample": True, "temperature": self.temperature, "top_k": 0, "top_p": 1.0}
            if self.beams == 1
            else {"do_sample": False, "num_beams": self.beams}
        )
        wanted = self.source.length - self.prefix
        written: list[str] = []
        for begin_at in range(0, self.count, 400):
            ids = torch.tensor(tokenizer(prefixes[begin_at : begin_at + 400])["input_ids"], device=model.device)
            with torch.no_grad():
                out = model.generate(
                    input_ids=ids,
                    attention_mask=torch.ones_like(ids),
                    min_new_tokens=wanted,
                    max_new_tokens=wanted,
                    suppress_tokens=special,
                    pad_token_id=tokenizer.pad_token_id,
                    **how,
                )
            written += tokenizer.batch_decode(out, skip_special_tokens=True)
        return written


def line_of(first: Generation, generations: int, **changes: Any) -> list[Generation]:
    """The first generation and that many after it, under a policy."""
    found = [first]
    for number in range(1, generations + 1):
        parent = found[-1]
        name = f"{first.name}-{changes.get('policy', first.policy)}-{number}"
        found.append(replace(first, name=name, parent=parent, **changes))
    return found


@dataclass(frozen=True)
class _Given:
    """Texts that are there already, as a corpus."""

    texts: Sequence[str]

    @property
    def alphabet(self) -> str:
        """Their characters."""
        return "".join(sorted(set("".join(self.texts))))

    def examples(self, count: int, rng: numpy.random.Generator) -> list[Example]:
        """All of them."""
        return [Example("", text) for text in self.texts]


def _rng(seed: int, what: int, number: int) -> numpy.random.Generator:
    import numpy

    return numpy.random.default_rng([seed, what, number])


def _symbol_ids(tokenizer: Any, alphabet: str) -> list[int]:
    """The token of each symbol, in the order of the alphabet."""
    found = tokenizer(list(alphabet), add_special_tokens=False)["input_ids"]
    require(all(len(ids) == 1 for ids in found), "Every symbol of the source is one token.")
    return [ids[0] for ids in found]


def _compared(truth: Any, log_predicted: Any) -> dict[str, float]:
    """Divergence, entropy and tail mass of predictions [..., symbols], averaged over contexts."""
    import numpy

    predicted = numpy.exp(log_predicted)
    with numpy.errstate(divide="ignore", invalid="ignore"):
        own = numpy.where(truth > 0, truth * numpy.log(truth), 0.0)
    return {
        "divergence": float((own - truth * log_predicted).sum(-1).mean()),
        "entropy": float(-(predicted * log_predicted).sum(-1).mean()),
        "tail": float((predicted * (truth < RARE)).sum(-1).mean()),
        "true_entropy": float(-own.sum(-1).mean()),
        "true_tail": float((truth * (truth < RARE)).sum(-1).mean()),
    }
