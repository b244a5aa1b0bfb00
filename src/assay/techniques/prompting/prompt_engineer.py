"""Automatic prompt engineer: a model proposes instructions from examples, and the best scoring one is taken.

Source    Zhou et al. 2022, "Large Language Models Are Human-Level Prompt Engineers", section 3 (arXiv 2211.01910).
Here      Propose: subsets of the examples are shown, and the instruction behind them is asked for, three times
          each at temperature 0.9. Filter: what is empty, said already or gives outputs away. Score: the mean
          log-probability per token of the right outputs, or the share of outputs that are right. Resample:
          variations of the best are scored too.
Departs   1. Every candidate is scored on the same examples; the authors' code draws new ones for each, which adds
             noise to the ranking.
          2. Candidates that repeat outputs of the examples are dropped: they are answers and no instructions.
          3. No bandit: the pools here are small enough to score every candidate on every example.
Needs     words; by likelihood, scoring of given continuations.
Costs     for each of the c candidates, examples times one call; c and the variations are replies of a few tokens.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from random import Random
from typing import Literal

from assay.core import Answer, Ask, Flow, Score, Scores, ask, together
from assay.core.answers import extract_text
from assay.core.flow import score

Example = tuple[str, str]
"""Input and right output."""
By = Literal["likelihood", "accuracy"]
"""How candidates are scored."""
LONGEST = 160
"""Characters of an instruction."""
SHOWN = 5
"""Examples a proposal is made from."""


@dataclass(frozen=True, slots=True)
class Candidate:
    """An instruction, and how well it does on the examples it was scored on."""

    instruction: str
    score: float
    """By likelihood the mean log-probability per token (nats) of the right outputs; by accuracy as `mean`."""
    mean: float
    """What is measured on new examples too: probability per token of the right outputs, or the share right."""
    origin: str
    """`proposed` or `varied`."""

    @property
    def note(self) -> str:
        """What a verdict says of it: how it did where it was chosen, to be held against how it does elsewhere."""
        return f"'{self.instruction}' ({self.origin}), with {self.mean:.3f} on the examples it was chosen on"


@dataclass(frozen=True, slots=True)
class Search:
    """How much is searched."""

    proposals: int = 18
    variations: int = 6
    temperature: float = 0.9
    seed: int = 0
    by: By = "likelihood"


def applied(instruction: str, asked: str, *, max_tokens: int = 12) -> Flow[Answer]:
    """The output for an input under an instruction; an empty one leaves the input alone."""
    (reply,) = yield from ask(
        Ask(_worded(instruction, asked), max_tokens=max_tokens, prefill="Output:", stop=("\n",))
    )
    return Answer(reply.text, finish=reply.finish)


def likelihood(instruction: str, asked: str, told: str) -> Flow[Answer]:
    """The probability per token of the right output under an instruction, as the measure `likelihood`."""
    found = yield from score(_gold(instruction, (asked, told)))
    return Answer(value=told, measures={"likelihood": min(1.0, math.exp(_per_token(found)))})


def engineer(examples: Sequence[Example], search: Search | None = None) -> Flow[tuple[Candidate, ...]]:
    """Candidates, the best first; `examples` are what they are proposed from and scored on."""
    search = search or Search()
    proposed = yield from _proposals(examples, search)
    candidates = yield from scored(_kept(proposed, examples, ()), examples, "proposed", search.by)
    best = sorted(candidates, key=lambda candidate: -candidate.score)[:3]
    varied = yield from varied_from([candidate.instruction for candidate in best], search)
    known = [candidate.instruction for candidate in candidates]
    more = yield from scored(_kept(varied, examples, known), examples, "varied", search.by)
    return tuple(sorted((*candidates, *more), key=lambda candidate: -candidate.score))


def paraphrases(
    instruction: str, examples: Sequence[Example], search: Search | None = None
) -> Flow[tuple[Candidate, ...]]:
    """As many variations of a given instruction as `engineer` has candidates, scored alike, the best first."""
    search = search or Search()
    many = search.proposals + search.variations
    varied = yield from varied_from([instruction], replace(search, variations=many))
    kept = [instruction, *_kept(varied, examples, [instruction])]
    found = yield from scored(kept, examples, "varied", search.by)
    return tuple(sorted(found, key=lambda candidate: -candidate.score))


def scored(
    instructions: Sequence[str], examples: Sequence[Example], origin: str, by: By = "likelihood"
) -> Flow[list[Candidate]]:
    """Each instruction with its score on the same examples."""
    pairs = [(instruction, example) for instruction in instructions for example in examples]
    each = len(examples)
    if by == "likelihood":
        found = yield from together([score(_gold(*pair)) for pair in pairs])
        logprobs = [_per_token(one) for one in found]
        scores, means = logprobs, list(map(math.exp, logprobs))
    else:
        answers = yield from together([applied(instruction, asked) for instruction, (asked, _) in pairs])
        said = [extract_text(answer.text) for answer in answers]
        means = [float(one == extract_text(told)) for one, (_, (_, told)) in zip(said, pairs, strict=True)]
        scores = means
    return [
        Candidate(
            instruction,
            math.fsum(scores[at * each : (at + 1) * each]) / each,
            math.fsum(means[at * each : (at + 1) * each]) / each,
            origin,
        )
        for at, instruction in enumerate(instructions)
    ]


def varied_from(instructions: Sequence[str], search: Search) -> Flow[list[str]]:
    """Other words for instructions, `search.variations` in all."""
    if not instructions or not search.variations:
        return []
    each = -(-search.variations // len(instructions))
    requests = [
        ask(
            Ask(
                f"Say this instruction in other words, in one sentence.\nInstruction: {instruction}",
                prefill="Instruction:",
                n=each,
                temperature=search.temperature,
                max_tokens=40,
                stop=("\n",),
            )
        )
        for instruction in instructions
    ]
    replies = yield from together(requests)
    return [reply.text for group in replies for reply in group]


def _proposals(examples: Sequence[Example], search: Search) -> Flow[list[str]]:
    """What the model takes for the instruction, from different subsets of the examples."""
    rng = Random(search.seed)
    each = 3
    requests = []
    for _ in range(-(-search.proposals // each)):
        shown = rng.sample(list(examples), min(SHOWN, len(examples)))
        pairs = "\n\n".join(f"Input: {asked}\nOutput: {told}" for asked, told in shown)
        prompt = (
            f"A friend followed one instruction and wrote these outputs.\n\n{pairs}\n\nWhat was the instruction?"
        )
        requests.append(
            ask(
                Ask(
                    prompt,
                    prefill="The instruction was:",
                    n=each,
                    temperature=search.temperature,
                    max_tokens=40,
                    stop=("\n",),
                )
            )
        )
    replies = yield from together(requests)
    return [reply.text for group in replies for reply in group]


def _kept(texts: Sequence[str], examples: Sequence[Example], known: Sequence[str]) -> list[str]:
    """Instructions that can be used: none empty, none twice, none that gives outputs of the examples away."""
    found: dict[str, str] = {one.casefold(): "" for one in known}
    outputs = {told.casefold() for _, told in examples}
    for text in texts:
        plain = " ".join(text.split()).strip(" \"'*")[:LONGEST]
        words = plain.casefold()
        leaks = sum(f" {output} " in f" {words} " for output in outputs if len(outputs) > 3)
        if len(plain) > 3 and words not in found and leaks < 2:
            found[words] = plain
    return [plain for plain in found.values() if plain]


def _worded(instruction: str, asked: str) -> str:
    return f"{instruction}\n\nInput: {asked}" if instruction else f"Input: {asked}"


def _gold(instruction: str, example: Example) -> Score:
    return Score(_worded(instruction, example[0]), (f" {example[1]}",), prefill="Output:")


def _per_token(found: Scores) -> float:
    return found.logprobs[0] / max(found.tokens[0], 1)
