"""What only one source knows: a register of invented people, and a dictionary of an invented language."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from random import Random

from assay.core.answers import extract_text
from assay.core.samples import Answer, Outcome, Sample
from assay.core.validation import require_whole
from assay.tasks.facts.world import RELATIONS, World
from assay.tasks.people import digest
from assay.tasks.scoring import score_match

PEOPLE, RELATIONS_KEPT, VALUES = 75, 4, 50
_ADJECTIVES = "old young red green blue white black small tall quiet loud warm cold clean dark bright soft sweet"
_NOUNS = "house river tree horse bread stone boat road garden door window table lamp bird fish cloud letter bell"
_CONSONANTS, _VOWELS = "bdfgklmnprstvz", "aeiou"


@dataclass(frozen=True, slots=True)
class RegisterTask:
    """Three hundred facts about people nobody has read about; `meta["documents"]` holds all of them, in order."""

    name: str = "register"
    cue: str = "Therefore, the answer (one word) is"
    kind: str = "text"
    chance: float | None = 1 / VALUES
    levels: tuple[str, ...] = ("300",)

    def samples(self, n: int, seed: int, level: str | None = None) -> tuple[Sample, ...]:
        """n of the three hundred questions; every seed has a world of its own."""
        require_whole("n", n, 0, 10_000)
        world = World(PEOPLE, RELATIONS_KEPT, VALUES, seed)
        places = [(person, relation) for person in range(PEOPLE) for relation in range(RELATIONS_KEPT)]
        documents = tuple(world.statement(*place) for place in places)
        Random(f"register/{seed}").shuffle(places)
        return tuple(
            Sample(
                id=f"register-{seed}-{person}-{RELATIONS[relation][0].split()[0]}",
                question=world.question(person, relation).capitalize(),
                target=world.value(person, relation),
                meta={"documents": documents},
            )
            for person, relation in places[:n]
        )

    def extract(self, text: str) -> str | None:
        """The word a reply gives."""
        return extract_text(text)

    def score(self, sample: Sample, answer: Answer) -> Outcome:
        """1.0 for the right word."""
        return score_match(sample, answer, self.extract, _same)


@dataclass(frozen=True, slots=True)
class DictionaryTask:
    """Two words of an invented language, adjective and noun; `meta["dictionary"]` holds the whole of it."""

    name: str = "dictionary"
    cue: str = "Therefore, the answer (two words) is"
    kind: str = "text"
    chance: float | None = None
    levels: tuple[str, ...] = ("two-words",)

    def samples(self, n: int, seed: int, level: str | None = None) -> tuple[Sample, ...]:
        """n different pairs; every seed has a language of its own."""
        adjectives, nouns = (tuple(words.split()) for words in (_ADJECTIVES, _NOUNS))
        require_whole("n", n, 0, len(adjectives) * len(nouns))
        dictionary = dict(_language(seed))
        foreign = {word: invented for invented, word in dictionary.items()}
        pairs = [(adjective, noun) for adjective in adjectives for noun in nouns]
        Random(f"dictionary/{seed}").shuffle(pairs)
        return tuple(
            Sample(
                id=f"dictionary-{seed}-{digest(f'{adjective} {noun}')}",
                question=f"What does '{foreign[adjective]} {foreign[noun]}' mean in English?",
                target=f"{adjective} {noun}",
                meta={"dictionary": dictionary},
            )
            for adjective, noun in pairs[:n]
        )

    def extract(self, text: str) -> str | None:
        """The words a reply gives."""
        return extract_text(text)

    def score(self, sample: Sample, answer: Answer) -> Outcome:
        """1.0 for both words in their order."""
        return score_match(sample, answer, self.extract, _same)


def _same(given: str, target: str) -> bool:
    return extract_text(given) == extract_text(target)


@lru_cache(maxsize=8)
def _language(seed: int) -> tuple[tuple[str, str], ...]:
    """Invented word -> English word, no two alike."""
    rng = Random(f"language/{seed}")
    syllables = [consonant + vowel for consonant in _CONSONANTS for vowel in _VOWELS]
    english = (*_ADJECTIVES.split(), *_NOUNS.split())
    words = rng.sample([one + other for one in syllables for other in syllables], len(english))
    return tuple(zip(words, english, strict=True))
