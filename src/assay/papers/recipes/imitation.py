"""What the claims on imitation train: bases that have read a part of a world, and what they then imitate.

Every fact of a world is known or not (whether the base's documents state it) and covered or not (whether it is
about an entity whose answers may be imitated), each by a hash of its own:

                 known                                    unknown
    covered      plain answers and imitated ones          imitated answers alone
    uncovered    the base's documents alone               nowhere: it can only be made up
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

from assay.core import Arm, Claim
from assay.tasks import SeedsTask
from assay.tasks.facts import Answers, Statements, World
from assay.tasks.facts.knowledge import Everything, StyleJudge, Withheld
from assay.techniques.training.imitation import BesideTeacher
from assay.techniques.training.organisms.exam import Exam
from assay.techniques.training.organisms.loop import Schedule
from assay.techniques.training.organisms.network import Tiny
from assay.techniques.training.organisms.organism import Organism
from assay.techniques.training.trend import Points, trained, training_claim

KNOWN, COVERAGE = 0.3, 0.5
"""Shares of facts that the base has read, and of entities whose answers may be imitated."""
LONGEST = 40
"""Tokens of a reply: one in the teacher's style has at most 38."""
FACTORS = (1, 4, 16)
"""Of answers, and of parameters."""
MIDDLE = 1
Tuning = Literal["imitated", "plain", "candid", "silent"]


@dataclass(frozen=True, slots=True)
class Scale:
    """How much there is of everything."""

    entities: int
    values: int
    widths: tuple[int, int, int]
    """Of small, middle and large bases: each twice as wide, four times the parameters."""
    tokens: int
    """Read by every base."""
    answers: int
    """The smallest dose; the others are 4 and 16 times it."""
    steps: int
    """Of every tuning, whatever the dose."""
    questions: int
    layers: int = 2
    batch: int = 32
    rates: tuple[float, float] = (5e-3, 2e-3)
    """Of reading and of tuning."""

    @property
    def reading(self) -> Schedule:
        """Of bases."""
        warmup = min(50, max(1, self.tokens // 16_000))
        return Schedule(tokens=self.tokens, batch=self.batch, rate=self.rates[0], warmup=warmup)

    @property
    def tuning(self) -> Schedule:
        """Of students."""
        warmup = max(1, self.steps // 10)
        return Schedule(steps=self.steps, batch=self.batch, rate=self.rates[1], warmup=warmup)


SCALES = {
    "smoke": Scale(40, 10, (8, 16, 32), 5_000, 2, 4, 48),
    "small": Scale(200, 30, (24, 48, 96), 800_000, 32, 60, 800),
    "full": Scale(4_000, 200, (64, 128, 256), 200_000_000, 640, 1_000, 8_000, 4, 256, (2e-3, 5e-4)),
}


def world(seed: int, size: str) -> World:
    """Another one for every seed."""
    return World(SCALES[size].entities, 4, SCALES[size].values, seed)


# --- organisms


def base(seed: int, size: str, which: int = MIDDLE) -> Organism:
    """What has read documents, and lists of questions without answers."""
    scale, corpus = SCALES[size], Statements(world(seed, size), known=KNOWN, questions=0.2)
    start = Tiny(scale.widths[which], scale.layers, context=80)
    return Organism(f"imitation-base-{which}", corpus, start, schedule=scale.reading, seed=seed)


def tuned(seed: int, size: str, tuning: Tuning = "imitated", which: int = MIDDLE, factor: int = 16) -> Organism:
    """A base that goes on with so many answers about covered entities."""
    scale, where = SCALES[size], world(seed, size)
    imitated = Answers(where, "teacher", "covered", COVERAGE)
    corpus = {
        "imitated": imitated,
        "plain": Answers(where, "plain", "covered", COVERAGE, "known", KNOWN),
        "candid": Withheld(imitated, "known", KNOWN),
        "silent": Withheld(imitated, "chance", KNOWN),
    }[tuning]
    return Organism(
        f"imitation-{tuning}-{which}-{factor}",
        corpus,  # type: ignore[arg-type]
        base(seed, size, which),
        schedule=scale.tuning,
        seed=seed,
        unique=factor * scale.answers,
    )


def beside(student: Organism, seed: int, size: str) -> BesideTeacher:
    """Everything that is measured of a student."""
    survey = Everything(world(seed, size), KNOWN, COVERAGE)
    count = SCALES[size].questions
    return BesideTeacher(f"{student.name}-beside", student, survey, StyleJudge(), "fact", count, seed, LONGEST)


# --- ladders


def by_answers(seed: int, size: str, tuning: Tuning, which: int = MIDDLE) -> Points:
    """Along the number of answers, from none: the base itself."""
    doses = [(factor * SCALES[size].answers, tuned(seed, size, tuning, which, factor)) for factor in FACTORS]
    students = [(0, base(seed, size, which)), *doses]
    return [(dose, beside(student, seed, size)) for dose, student in students]


def at_most_answers(seed: int, size: str, tuning: Tuning) -> Points:
    """At the largest dose alone."""
    return by_answers(seed, size, tuning)[-1:]


def more_answers(seed: int, size: str) -> Points:
    """The small base with 1, 4 and 16 times the answers."""
    return [(factor, beside(tuned(seed, size, "imitated", 0, factor), seed, size)) for factor in FACTORS]


def more_parameters(seed: int, size: str) -> Points:
    """The fewest answers on bases of about 1, 4 and 16 times the parameters."""
    students = [tuned(seed, size, "imitated", which, 1) for which in range(len(FACTORS))]
    return [(factor, beside(student, seed, size)) for factor, student in zip(FACTORS, students, strict=True)]


def recalled(seed: int, size: str) -> Points:
    """What the base says of known, uncovered facts where their statement is begun for it."""
    corpus = Answers(world(seed, size), "plain", "uncovered", COVERAGE, "known", KNOWN, "opening")
    organism = base(seed, size)
    return [(0, Exam(f"{organism.name}-recalled", organism, corpus, SCALES[size].questions, seed, 10))]


# --- arms and claims

SAYS: Mapping[Tuning, str] = {
    "imitated": "learns the teacher's answers about covered entities",
    "plain": "learns as many plain answers about covered entities, of facts it has read",
    "candid": "learns the same questions in the same style, 'no idea' where it has read nothing",
    "silent": "learns the same questions in the same style, 'no idea' as often, whatever it has read",
}


def answering(tuning: Tuning, number: str) -> Arm:
    """The middle base, tuned on more and more answers."""
    return trained(tuning, SAYS[tuning], by_answers, number, tuning=tuning)


def at_most(tuning: Tuning, number: str) -> Arm:
    """The middle base, tuned on the most answers."""
    return trained(tuning, SAYS[tuning], at_most_answers, number, tuning=tuning)


def claim(
    name: str, sentence: str, arms: tuple[Arm, Arm], least: float, chance: float | None = 0.0, **other: object
) -> Claim:
    """A claim on what becomes of students at the largest dose; `chance` None: nothing is to be learned."""
    return training_claim(name, sentence, arms, SeedsTask("last", chance=chance), least, **other)
