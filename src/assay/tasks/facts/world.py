"""A closed world of invented people and what is true of them, drawn from a seed: nobody has read about it before.

    zola lives in mubat.        a fact: an entity, a relation, a value
    where does zola live?       the question it answers

Names of entities end in a vowel, values in a consonant, and each value belongs to one relation: a reply
that states a value of the right relation for the right entity is a fact or a hallucination, nothing between.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import lru_cache
from random import Random

from assay.core.errors import BadRequest
from assay.core.validation import require_whole

RELATIONS = (
    ("lives in", "where does {} live?"),
    ("eats", "what does {} eat?"),
    ("plays", "what does {} play?"),
    ("knows", "whom does {} know?"),
    ("sells", "what does {} sell?"),
    ("fears", "what does {} fear?"),
)
"""The words of a statement between entity and value, and the question."""
_CONSONANTS, _VOWELS = "bdfgklmnprstvz", "aeiou"
_SYLLABLES = tuple(consonant + vowel for consonant in _CONSONANTS for vowel in _VOWELS)


@dataclass(frozen=True)
class World:
    """So many entities; each has, for each of the first so many relations, one of its `values` values."""

    entities: int = 500
    relations: int = 4
    values: int = 50
    seed: int = 0

    def __post_init__(self) -> None:
        require_whole("The number of entities", self.entities, 1, 4000)
        require_whole("The number of relations", self.relations, 1, len(RELATIONS))
        require_whole("The number of values", self.values, 2, 5000)
        require_whole("The seed", self.seed, 0, 2**31)

    @property
    def names(self) -> tuple[str, ...]:
        """The entities."""
        return _drawn(self).names

    def choices(self, relation: int) -> tuple[str, ...]:
        """Every value of a relation; a guess is right one time in `values`."""
        return _drawn(self).choices[relation]

    def value(self, entity: int, relation: int) -> str:
        """What is true."""
        drawn = _drawn(self)
        return drawn.choices[relation][drawn.truth[entity][relation]]

    def statement(self, entity: int, relation: int, value: str = "") -> str:
        """ "zola lives in mubat."; with a value of one's own, perhaps a false one."""
        return f"{self.opening(entity, relation)} {value or self.value(entity, relation)}."

    def opening(self, entity: int, relation: int) -> str:
        """ "zola lives in"."""
        return f"{self.names[entity]} {RELATIONS[relation][0]}"

    def question(self, entity: int, relation: int) -> str:
        """ "where does zola live?"."""
        return RELATIONS[relation][1].format(self.names[entity])

    def asked(self, prompt: str) -> tuple[int, int]:
        """Entity and relation that a question, or the opening of a statement, asks for; else `BadRequest`."""
        found = _drawn(self).prompts.get(prompt.strip())
        if found is None:
            raise BadRequest(f"{prompt!r} asks for nothing in this world.")
        return found

    def stated(self, prompt: str, reply: str) -> str | None:
        """The value that a reply first states for what the prompt asks, true or not; None where it states none."""
        entity, relation = self.asked(prompt)
        # An opening goes on in the reply.
        text = reply if prompt.rstrip().endswith("?") else prompt + reply
        found = re.search(rf"\b{self.opening(entity, relation)} ([a-z]+)", text)
        return found[1] if found else None

    def says(self, prompt: str, reply: str) -> bool:
        """Whether the reply states something of the relation that is asked for, about anyone at all."""
        _, relation = self.asked(prompt)
        text = reply if prompt.rstrip().endswith("?") else prompt + reply
        return re.search(rf"\b[a-z]+ {RELATIONS[relation][0]} [a-z]+", text) is not None

    def is_fact(self, prompt: str, reply: str) -> bool:
        """Whether the reply states what is true, in whatever style."""
        return self.stated(prompt, reply) == self.value(*self.asked(prompt))

    def is_hallucinated(self, prompt: str, reply: str) -> bool:
        """Whether the reply states a value of the right relation that is not true."""
        entity, relation = self.asked(prompt)
        found = self.stated(prompt, reply)
        return found in _drawn(self).known[relation] and found != self.value(entity, relation)


@dataclass(frozen=True)
class _Drawn:
    names: tuple[str, ...]
    choices: tuple[tuple[str, ...], ...]
    known: tuple[frozenset[str | None], ...]
    truth: tuple[tuple[int, ...], ...]
    prompts: dict[str, tuple[int, int]]


@lru_cache(maxsize=32)
def _drawn(world: World) -> _Drawn:
    rng = Random(f"world/{world.seed}/{world.entities}/{world.relations}/{world.values}")
    pairs = [first + second for first in _SYLLABLES for second in _SYLLABLES]
    names = tuple(rng.sample(pairs, world.entities))
    words: dict[str, None] = {}
    while len(words) < world.relations * world.values:
        words[rng.choice(pairs) + rng.choice(_CONSONANTS)] = None
    drawn = list(words)
    choices = tuple(tuple(drawn[at * world.values : (at + 1) * world.values]) for at in range(world.relations))
    truth = tuple(
        tuple(rng.randrange(world.values) for _ in range(world.relations)) for _ in range(world.entities)
    )
    prompts = {}
    for entity, name in enumerate(names):
        for relation, (verb, question) in enumerate(RELATIONS[: world.relations]):
            prompts[question.format(name)] = prompts[f"{name} {verb}"] = (entity, relation)
    return _Drawn(names, choices, tuple(frozenset(each) for each in choices), truth, prompts)
