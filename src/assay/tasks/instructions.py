"""Instruction induction: a hidden rule turns inputs into outputs; the instruction is found from examples.

Rules like those of Honovich et al. 2022 (arXiv 2205.10782), with items made from word lists of our own.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from random import Random
from types import MappingProxyType

from assay.core.answers import extract_text
from assay.core.errors import UnknownName
from assay.core.samples import Answer, Outcome, Sample
from assay.core.validation import require_whole
from assay.tasks.facts.words import all_words, kinds
from assay.tasks.scoring import score_match
from assay.tasks.splits import position

PARTS = 7
"""Seeds that differ modulo this number never share an item."""
_LISTS = {
    "good": "wonderful excellent charming brilliant delightful superb touching lovely clever beautiful",
    "bad": "terrible boring awful dreadful clumsy dull disappointing ugly stupid unbearable",
    "place": "film book play concert meal hotel lesson game song novel museum journey speech garden",
    "colour": "red green blue black white yellow brown grey orange purple pink golden",
    "odd plural": "salmon trout cod herring tuna carp mackerel halibut haddock anchovy eel wolf goose",
}
_WORDS = {name: words.split() for name, words in _LISTS.items()}
FRAMES = (
    "The {place} was {word}.",
    "I found the {place} {word}.",
    "We thought that the {place} was {word}.",
    "They said it was a {place} that was {word}.",
)
DEGREES = ("", "really ", "quite ", "truly ")
Item = tuple[str, str]


def _sentiment(rng: Random) -> Item:
    good = rng.random() < 0.5
    frame, place = rng.choice(FRAMES), rng.choice(_WORDS["place"])
    word = f"{rng.choice(DEGREES)}{rng.choice(_WORDS['good' if good else 'bad'])}"
    return frame.format(place=place, word=word), "positive" if good else "negative"


def _find_the_bird(rng: Random) -> Item:
    others = rng.sample([kind for kind in kinds() if kind != "bird"], 2)
    bird = rng.choice(kinds()["bird"])
    words = [bird, *(rng.choice(kinds()[kind]) for kind in others)]
    rng.shuffle(words)
    return ", ".join(words), bird


def _larger_number(rng: Random) -> Item:
    numbers = rng.sample(range(10, 1000), 2)
    return f"{numbers[0]}, {numbers[1]}", str(max(numbers))


def _plural(rng: Random) -> Item:
    noun = rng.choice([word for word in all_words() if word not in _WORDS["odd plural"]])
    colour = rng.choice(_WORDS["colour"])
    if noun.endswith("y") and noun[-2] not in "aeiou":
        return f"{colour} {noun}", f"{colour} {noun[:-1]}ies"
    return f"{colour} {noun}", f"{colour} {noun}{'es' if noun.endswith(('s', 'x', 'ch', 'sh', 'o')) else 's'}"


def _last_word(rng: Random) -> Item:
    words = rng.sample(all_words(), 3)
    return " ".join(words), words[-1]


def _sum(rng: Random) -> Item:
    a, b = rng.randint(2, 49), rng.randint(2, 49)
    return f"{a} {b}", str(a + b)


@dataclass(frozen=True, slots=True)
class Rule:
    """A way to turn inputs into outputs, and how a person would ask for it."""

    item: Callable[[Random], Item]
    instruction: str


RULES: Mapping[str, Rule] = MappingProxyType(
    {
        "sentiment": Rule(_sentiment, "Say whether the sentence is positive or negative."),
        "find the bird": Rule(_find_the_bird, "Write the word that is the name of a bird."),
        "larger number": Rule(_larger_number, "Write the larger of the two numbers."),
        "plural": Rule(_plural, "Write the plural."),
        "last word": Rule(_last_word, "Write the last of the words."),
        "sum": Rule(_sum, "Add the two numbers."),
    }
)


@dataclass(frozen=True, slots=True)
class InstructionsTask:
    """Inputs and outputs of a rule; a level is a rule. Seeds that differ modulo `PARTS` share no item."""

    scored: str = "match"
    """`match` (the output is right), or a measure of the answer, such as `likelihood`."""
    levels: tuple[str, ...] = tuple(RULES)
    name: str = "instructions"
    kind: str = "text"
    cue: str = ""
    chance: float | None = None

    def samples(self, n: int, seed: int, level: str | None = None) -> tuple[Sample, ...]:
        """n different inputs of a rule, fewer where it has no more."""
        require_whole("n", n, 0, 100_000)
        rule = level or self.levels[0]
        if rule not in RULES:
            raise UnknownName("level", rule, RULES)
        drawn = _items(rule, seed, n)
        meta = {"rule": rule, "instruction": RULES[rule].instruction}
        return tuple(Sample(f"{rule}: {asked}", asked, told, meta=meta) for asked, told in drawn)

    def extract(self, text: str) -> str | None:
        """The first line, without quotes and end marks."""
        return extract_text(text)

    def score(self, sample: Sample, answer: Answer) -> Outcome:
        """Whether the output is right, or what the technique measured of it."""
        if self.scored != "match":
            if self.scored not in answer.measures:
                return Outcome.without_answer(answer)
            return Outcome.scored(answer.measures[self.scored], answer.value, answer.detail)
        return score_match(sample, answer, self.extract, lambda said, right: said == right.casefold())


def _items(rule: str, seed: int, n: int) -> Iterator[Item]:
    rng = Random(f"instructions {rule} {seed}")
    seen: set[str] = set()
    idle = 0
    while len(seen) < n:
        asked, told = RULES[rule].item(rng)
        if asked in seen or int(position(asked) * PARTS) != seed % PARTS:
            idle += 1
            if idle > 1000 * PARTS:
                # This part of the rule's inputs is used up.
                return
            continue
        idle = 0
        seen.add(asked)
        yield asked, told
