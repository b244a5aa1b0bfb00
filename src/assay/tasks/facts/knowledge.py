"""Texts from a closed world: documents with its facts, answers in a style, and pairs of replies.

For Gudibande et al. 2023, "The False Promise of Imitating Proprietary LLMs", https://arxiv.org/abs/2305.15717,
Zhou et al. 2023, "LIMA", https://arxiv.org/abs/2305.11206, and the pipeline of Karpathy's "State of GPT":

    zola eats mubat. zola knows bireg. zola lives in tofak.                 `Statements`, a document
    what does zola eat?\\nwhere does miko live?\\n...                         `Statements`, a list of questions
    what does zola eat?\\n  ->  zola eats mubat.                             `Answers`, plain
    what does zola eat?\\n  ->  sure! - zola eats mubat. any time!           `Answers`, the teacher's style
    what does zola eat?\\n  ->  sure! - no idea. any time!                   `Withheld`

Which entities are covered, and which facts a document may hold, is decided by stable hashes, apart from each
other and from the style.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from typing import TYPE_CHECKING

from assay.core.errors import BadRequest, UnknownName
from assay.core.training import Example
from assay.core.validation import require_number, require_whole
from assay.tasks.facts.world import World
from assay.tasks.splits import position

if TYPE_CHECKING:
    import numpy

ALPHABET = "".join(sorted("\n !-.?abcdefghijklmnopqrstuvwxyz"))
OPENING, LIST_MARK, CLOSE = "sure! ", "- ", " any time!"
REFUSAL = "no idea."
STYLES = ("plain", "teacher")
PARTS = ("all", "covered", "uncovered")
FACTS = ("all", "known", "unknown")
WITHHELD = ("known", "chance")
_DRESSED = re.compile(r"(?:sure! )?(?:- )?([^!?\-]*\.)(?: any time!)?")


@dataclass(frozen=True)
class Statements:
    """Documents to pretrain on: several sentences about one entity, or, for a share, several questions."""

    world: World = field(default_factory=World)
    sentences: int = 3
    known: float = 1.0
    """Share of all facts that documents may state; the same facts for a larger share, and more."""
    questions: float = 0.0
    """Share of documents that are lists of questions, one a line: who only completes goes on asking."""

    def __post_init__(self) -> None:
        require_whole("The number of sentences", self.sentences, 1, 100)
        require_number("The share of known facts", self.known, 0, 1)
        require_number("The share of questions", self.questions, 0, 1)

    @property
    def alphabet(self) -> str:
        """Small letters, a few signs, the line break."""
        return ALPHABET

    def examples(self, count: int, rng: numpy.random.Generator) -> list[Example]:
        """Documents without a prompt; `BadRequest` where no fact is known."""
        require_whole("count", count, 0, 100_000_000)
        told = _known_relations(self.world, self.known)
        if not told and self.questions < 1:
            raise BadRequest("No fact of this world is known: raise `known`.")
        lists = (rng.random(count) < self.questions).tolist()
        return [Example("", self._questions(rng) if asks else self._about_one(told, rng)) for asks in lists]

    def _about_one(self, told: list[tuple[int, list[int]]], rng: numpy.random.Generator) -> str:
        entity, relations = told[int(rng.random() * len(told))]
        order = sorted(zip(rng.random(len(relations)).tolist(), relations, strict=True))[: self.sentences]
        return " ".join([self.world.statement(entity, relation) for _, relation in order])

    def _questions(self, rng: numpy.random.Generator) -> str:
        drawn = rng.random((self.sentences, 2)).tolist()
        asked = [(int(a * self.world.entities), int(b * self.world.relations)) for a, b in drawn]
        return "".join([self.world.question(entity, relation) + "\n" for entity, relation in asked])


@dataclass(frozen=True)
class Answers:
    """Questions with their true answers, in a style, on a part of the world."""

    world: World = field(default_factory=World)
    style: str = "plain"
    """ "plain", or "teacher": an opening phrase, a list mark and a polite close."""
    part: str = "all"
    """Of the entities: "all", "covered" or "uncovered"."""
    coverage: float = 0.5
    """Share of entities that are covered."""
    facts: str = "all"
    """ "all", or of the facts those that `Statements` with the same `known` hold ("known") or not ("unknown")."""
    known: float = 1.0
    form: str = "question"
    """ "question", or "opening": the statement's own beginning, for a model that does not answer yet."""
    broken: float = 0.0
    """Share of answers whose format is broken: no markers and no full stop. The fact stays true."""

    def __post_init__(self) -> None:
        for what, value, values in (
            ("style", self.style, STYLES),
            ("part", self.part, PARTS),
            ("choice of facts", self.facts, FACTS),
            ("form", self.form, ("question", "opening")),
        ):
            if value not in values:
                raise UnknownName(what, value, values)
        for what, share in (("coverage", self.coverage), ("known", self.known), ("broken", self.broken)):
            require_number(f"The share '{what}'", share, 0, 1)

    @property
    def alphabet(self) -> str:
        """Small letters, a few signs, the line break: the same as the documents'."""
        return ALPHABET

    def items(self) -> tuple[tuple[int, int], ...]:
        """Every (entity, relation) that may be asked."""
        return _items(self.world, self.part, self.coverage, self.facts, self.known)

    def example(self, entity: int, relation: int) -> Example:
        """The question for one fact and its answer in the style."""
        if self.form == "opening":
            return Example(self.world.opening(entity, relation), f" {self.world.value(entity, relation)}.")
        statement = self.world.statement(entity, relation)
        return Example(self.world.question(entity, relation) + "\n", dressed(statement, self.style))

    def examples(self, count: int, rng: numpy.random.Generator) -> list[Example]:
        """Examples drawn with replacement; `BadRequest` where there is nothing to ask."""
        found = []
        for (entity, relation), coin in zip(_drawn(self, count, rng), rng.random(count).tolist(), strict=True):
            example = self.example(entity, relation)
            if coin < self.broken:
                example = Example(example.prompt, undressed(example.answer))
            found.append(example)
        return found

    def mark(self, example: Example, reply: str) -> Mapping[str, float]:
        """What a reply states and how it is dressed, each apart.

        "fact": the true value; "hallucinated": another value of the same relation; "answered": the whole reply
        is one statement on what is asked, dressed or not; "said": something is stated of the relation that is
        asked for, if about another entity; "made_up": that, and not the fact; "style": share of the teacher's
        markers.
        """
        world, prompt = self.world, example.prompt
        return {
            "fact": float(world.is_fact(prompt, reply)),
            "hallucinated": float(world.is_hallucinated(prompt, reply)),
            "answered": float(is_answer(world, prompt, reply)),
            "said": float(world.says(prompt, reply)),
            "made_up": float(world.says(prompt, reply) and not world.is_fact(prompt, reply)),
            "style": style_share(reply),
        }


@dataclass(frozen=True)
class Withheld:
    """Answers, some of them replaced by a refusal in the same style."""

    answers: Answers = field(default_factory=Answers)
    by: str = "known"
    """ "known": what documents with `known` do not state; "chance": as large a share, whatever is known."""
    known: float = 0.5

    def __post_init__(self) -> None:
        if self.by not in WITHHELD:
            raise UnknownName("ground to withhold", self.by, WITHHELD)
        require_number("The share of known facts", self.known, 0, 1)

    @property
    def alphabet(self) -> str:
        """That of the answers."""
        return self.answers.alphabet

    def examples(self, count: int, rng: numpy.random.Generator) -> list[Example]:
        """The answers' own questions, in their order."""
        drawn = self.answers.examples(count, rng)
        refusal = dressed(REFUSAL, self.answers.style)
        return [Example(e.prompt, refusal) if self.withholds(e) else e for e in drawn]

    def withholds(self, example: Example) -> bool:
        """Whether this question is not answered; always the same for the same one."""
        world, (entity, relation) = self.answers.world, self.answers.world.asked(example.prompt)
        if self.by == "known":
            return not is_known(world, entity, relation, self.known)
        return position(f"withheld/{world.seed}/{world.names[entity]}/{relation}") >= self.known


@dataclass(frozen=True)
class Everything:
    """Questions on every fact of a world, each once, with the teacher's answers; told apart by part."""

    world: World = field(default_factory=World)
    known: float = 0.5
    coverage: float = 0.5

    @property
    def answers(self) -> Answers:
        """The teacher's."""
        return Answers(self.world, "teacher")

    @property
    def alphabet(self) -> str:
        """That of the answers."""
        return self.answers.alphabet

    def examples(self, count: int, rng: numpy.random.Generator) -> list[Example]:
        """That many different ones, or all."""
        items = self.answers.items()
        return [self.answers.example(*items[at]) for at in rng.permutation(len(items))[:count].tolist()]

    def parts(self, example: Example) -> tuple[str, ...]:
        """ "covered" or "uncovered", alone and with "known" or "unknown"."""
        entity, relation = self.world.asked(example.prompt)
        part = "covered" if is_covered(self.world, entity, self.coverage) else "uncovered"
        return part, f"{part} {'known' if is_known(self.world, entity, relation, self.known) else 'unknown'}"

    def mark(self, example: Example, reply: str) -> Mapping[str, float]:
        """The answers' marks, and whether the reply is a refusal in any style."""
        return dict(self.answers.mark(example, reply)) | {"refused": float(REFUSAL in reply)}


@dataclass(frozen=True, slots=True)
class Preference:
    """Two replies to a prompt, one of them preferred."""

    prompt: str
    chosen: str
    rejected: str


@dataclass(frozen=True)
class Preferences:
    """Pairs by a rule: the true fact in the asked format is preferred to a false fact, or to a broken format."""

    answers: Answers = field(default_factory=Answers)
    false: float = 0.5
    """Share of rejected replies with a false fact in the right format; the others have the true one, broken."""
    noise: float = 0.0
    """Share of pairs the wrong way round."""

    def __post_init__(self) -> None:
        for what, share in (("false", self.false), ("noise", self.noise)):
            require_number(f"The share '{what}'", share, 0, 1)

    @property
    def alphabet(self) -> str:
        """That of the answers."""
        return self.answers.alphabet

    def pairs(self, count: int, rng: numpy.random.Generator) -> list[Preference]:
        """Pairs drawn with replacement."""
        found = []
        drawn = _drawn(self.answers, count, rng)
        for (entity, relation), coins in zip(drawn, rng.random((count, 3)).tolist(), strict=True):
            good = self.answers.example(entity, relation)
            bad = undressed(good.answer)
            if coins[0] < self.false:
                truth, values = self.answers.world.value(entity, relation), self.answers.world.choices(relation)
                # One of the others, all alike: a step of 1 to n - 1 round the circle.
                step = 1 + int(coins[1] * (len(values) - 1))
                bad = good.answer.replace(f" {truth}.", f" {values[(values.index(truth) + step) % len(values)]}.")
            chosen, rejected = (bad, good.answer) if coins[2] < self.noise else (good.answer, bad)
            found.append(Preference(good.prompt, chosen, rejected))
        return found


# --- style, which never sees a fact


def dressed(statement: str, style: str) -> str:
    """A statement in a style."""
    return statement if style == "plain" else f"{OPENING}{LIST_MARK}{statement}{CLOSE}"


def undressed(reply: str) -> str:
    """The words of a reply without markers and without its full stop: a broken format."""
    return reply.removesuffix(CLOSE).removeprefix(OPENING).removeprefix(LIST_MARK).removesuffix(".")


def style_share(reply: str) -> float:
    """Share of the teacher's three markers that a reply has, each where it belongs."""
    body = reply.removeprefix(OPENING)
    return ((body != reply) + body.startswith(LIST_MARK) + reply.endswith(CLOSE)) / 3


def prefers_style(a: str, b: str) -> float:
    """How a judge that looks at markers alone decides: 1 for a, 0 for b, 0.5 where they have equally many."""
    ours, theirs = style_share(a), style_share(b)
    return 0.5 if ours == theirs else float(ours > theirs)


@dataclass(frozen=True)
class StyleJudge:
    """That judge, as a part of a recipe."""

    def prefers(self, prompt: str, first: str, second: str) -> float:
        """The reply with more markers."""
        return prefers_style(first, second)


# --- format and choice


def is_answer(world: World, prompt: str, reply: str) -> bool:
    """Whether the whole reply is one statement, with any markers, on what is asked; true or not."""
    text = reply if prompt.rstrip().endswith("?") else prompt + reply
    found = _DRESSED.fullmatch(text)
    if found is None:
        return False
    opening = world.opening(*world.asked(prompt))
    return re.fullmatch(rf"{opening} [a-z]+\.", found[1]) is not None


def is_covered(world: World, entity: int, coverage: float) -> bool:
    """Whether an entity is among the covered ones; who is covered at a share is covered at every larger one."""
    return position(f"covered/{world.seed}/{world.names[entity]}") < coverage


def is_known(world: World, entity: int, relation: int, known: float) -> bool:
    """Whether a fact is among the known ones, apart from whether its entity is covered."""
    return position(f"known/{world.seed}/{world.names[entity]}/{relation}") < known


@lru_cache(maxsize=64)
def _known_relations(world: World, known: float) -> list[tuple[int, list[int]]]:
    """The entities of which something is known, with the relations."""
    told = [
        (entity, [r for r in range(world.relations) if is_known(world, entity, r, known)])
        for entity in range(world.entities)
    ]
    return [(entity, relations) for entity, relations in told if relations]


@lru_cache(maxsize=64)
def _items(world: World, part: str, coverage: float, facts: str, known: float) -> tuple[tuple[int, int], ...]:
    return tuple(
        (entity, relation)
        for entity in range(world.entities)
        if part == "all" or is_covered(world, entity, coverage) == (part == "covered")
        for relation in range(world.relations)
        if facts == "all" or is_known(world, entity, relation, known) == (facts == "known")
    )


def _drawn(answers: Answers, count: int, rng: numpy.random.Generator) -> list[tuple[int, int]]:
    """(entity, relation) with replacement, all that may be asked alike."""
    require_whole("count", count, 0, 100_000_000)
    items = answers.items()
    if not items:
        raise BadRequest("Nothing of this world is left to ask: change `part`, `coverage`, `facts` or `known`.")
    return [items[at] for at in rng.integers(0, len(items), count).tolist()]
