"""Yes/no questions with a certain answer, generated, half of them yes."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from functools import partial
from itertools import islice
from random import Random

from assay.core.answers import extract_yes_no
from assay.core.errors import UnknownName
from assay.core.samples import Answer, Outcome, Sample
from assay.core.validation import require, require_whole
from assay.tasks.facts.flips import flips
from assay.tasks.facts.statements import STATEMENTS, Statement
from assay.tasks.people import ASKERS, DAYS, Scenes, digest
from assay.tasks.scoring import score_match

FLIPS = ("1", "2", "3", "4", "6", "8")
_ATTEMPTS = 200
_FAMILIES: Mapping[str, Statement] = {statement.__name__: statement for statement in STATEMENTS}


@dataclass(frozen=True, slots=True)
class FactsTask:
    """Questions on numbers, words, days and kinds of things that are certainly true or false.

    Samples come in pairs, one yes and one no of a family, so that any n is balanced to within one.
    `samples(n)` is the beginning of `samples(n + 1)`. Seeds that differ modulo `people.ASKERS.count`
    never share a text; the fact itself, without who asks, is the cluster.
    """

    families: tuple[str, ...] = tuple(_FAMILIES)
    name: str = "facts"
    cue: str = "Therefore, the answer (yes or no) is"
    kind: str = "yes-no"
    chance: float | None = 0.5
    levels: tuple[str, ...] = ("mixed",)

    def __post_init__(self) -> None:
        require(len(self.families) > 0, "A facts task needs at least one family.")
        for family in self.families:
            if family not in _FAMILIES:
                raise UnknownName("family of facts", family, _FAMILIES)

    def samples(self, n: int, seed: int, level: str | None = None) -> tuple[Sample, ...]:
        """n questions from all families alike."""
        require_whole("n", n, 0, 10_000_000)
        if level is not None and level not in self.levels:
            raise UnknownName("level", level, self.levels)
        makers = {family: _FAMILIES[family] for family in self.families}
        rng = Random(f"facts/{'+'.join(self.families)}/{seed}")
        return tuple(islice(_questions("fact", makers, ASKERS, rng, seed), n))

    def extract(self, text: str) -> str | None:
        """ "yes" or "no"."""
        return extract_yes_no(text)

    def score(self, sample: Sample, answer: Answer) -> Outcome:
        """1.0 for the right word."""
        return score_match(sample, answer, self.extract, lambda a, b: a.strip().lower() == b)


@dataclass(frozen=True, slots=True)
class CoinFlipTask:
    """A coin (card, lamp, door) that k people turn over or leave alone; level "4" has four people.

    Balanced, prefix-stable and apart by seed (modulo `people.DAYS.count`) as `FactsTask` is. Level "1"
    runs dry after about 2,900 samples.
    """

    levels: tuple[str, ...] = FLIPS
    name: str = "coin-flip"
    cue: str = "Therefore, the answer (yes or no) is"
    kind: str = "yes-no"
    chance: float | None = 0.5

    def __post_init__(self) -> None:
        require(len(self.levels) > 0, "A coin-flip task needs at least one level.")
        for level in self.levels:
            if level not in FLIPS:
                raise UnknownName("number of flips", level, FLIPS)

    def samples(self, n: int, seed: int, level: str | None = None) -> tuple[Sample, ...]:
        """n questions with as many people as the level says (None: the first level)."""
        require_whole("n", n, 0, 10_000_000)
        level = self.levels[0] if level is None else level
        if level not in self.levels:
            raise UnknownName("level", level, self.levels)
        makers = {"flips": partial(flips, k=int(level))}
        rng = Random(f"coin-flip/{level}/{seed}")
        return tuple(islice(_questions(f"flip-{level}", makers, DAYS, rng, seed), n))

    def extract(self, text: str) -> str | None:
        """ "yes" or "no"."""
        return extract_yes_no(text)

    def score(self, sample: Sample, answer: Answer) -> Outcome:
        """1.0 for the right word."""
        return score_match(sample, answer, self.extract, lambda a, b: a.strip().lower() == b)


def _questions(
    prefix: str, makers: Mapping[str, Callable[[Random, bool], str]], scenes: Scenes, rng: Random, seed: int
) -> Iterator[Sample]:
    """Rounds over the families in new order each time; a family that has nothing new left drops out."""
    seen: set[str] = set()
    left = list(makers)
    while left:
        for family in rng.sample(left, len(left)):
            pair = [(truth, _new(makers[family], rng, truth, seen)) for truth in (True, False)]
            if any(fact is None for _, fact in pair):
                left.remove(family)
                continue
            rng.shuffle(pair)
            for truth, fact in pair:
                yield _sample(prefix, family, fact or "", truth, scenes.tell(fact or "", seed))


def _new(make: Callable[[Random, bool], str], rng: Random, truth: bool, seen: set[str]) -> str | None:
    for _ in range(_ATTEMPTS):
        fact = make(rng, truth)
        if fact not in seen:
            seen.add(fact)
            return fact
    return None


def _sample(prefix: str, family: str, fact: str, truth: bool, question: str) -> Sample:
    return Sample(
        id=f"{prefix}-{digest(question)}",
        question=question,
        target="yes" if truth else "no",
        choices=("yes", "no"),
        cluster=digest(fact),
        meta={"family": family, "fact": fact},
    )
