"""What the claims on the State of GPT make: one chain of artefacts, a policy whose best is known, and judges.

gpt-base  --->  gpt-sft  --->  gpt-reward          documents and lists of questions; answers; pairs
   |               |               |
   |               +----> gpt-rl <-+               replies, paid by the reward model
   +--> gpt-verifier                               as many pairs as gpt-sft has answers, from the same base

digits-base  --->  digits-evens, digits-coin       random digits, paid by a program
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Literal

from assay.core import Arm, Claim, Recipe
from assay.tasks import SeedsTask
from assay.tasks.arithmetic.digits import CoinTosses, DigitStrings, EvenDigits
from assay.tasks.facts import Answers, Preferences, Statements, World
from assay.tasks.facts.alternatives import Alternatives, AsPairs
from assay.techniques.training.alignment.entropy import Entropy
from assay.techniques.training.alignment.judging import Audit, Choosing, Writing
from assay.techniques.training.alignment.preferences import PolicyGradient, RewardModel, SupervisedTuning
from assay.techniques.training.alignment.tuning import Tuning
from assay.techniques.training.organisms.exam import Exam
from assay.techniques.training.organisms.loop import Schedule
from assay.techniques.training.organisms.network import Tiny
from assay.techniques.training.organisms.organism import Organism
from assay.techniques.training.organisms.vocabulary import Vocabulary
from assay.techniques.training.trend import Points, trained, training_claim

BETAS = (0.0, 0.02, 0.05, 0.1, 0.2)
"""What a nat of divergence costs, on digits."""
ENDS = (BETAS[0], BETAS[-1])
BETA = 0.05
"""Of the chain."""
LENGTH = 16
"""Digits of a reply."""
LONGEST = 24
"""Tokens of an answer, at most: one has at most 21 characters."""
ASKED = 0.2
"""Share of the base's documents that are lists of questions."""
RELATIONS = 4
COPYING = (
    "So small a writer hardly copies the name it is asked about and writes no fact, though by likelihood it knows "
    "most of them (shown beside): what is easier here is that nothing has to be copied.",
)
PARTS = (16, 4, 1)
"""By which the labels of verifier and writer are divided: few are too few, all may be more than enough."""


@dataclass(frozen=True, slots=True)
class Scale:
    """How much there is of everything."""

    entities: int
    values: int
    network: Tiny
    tokens: int
    """Read by the base."""
    labels: int
    """Answers that are shown, and pairs the verifier sees."""
    pairs: int
    """That the chain's reward model sees."""
    steps: int
    """Of tuning by answers and by pairs."""
    reinforced: int
    """Steps of reinforcement."""
    digit_steps: int
    """Of the base that writes digits."""
    questions: int
    vocabulary: int = 512
    batch: int = 32
    group: int = 4

    @property
    def reading(self) -> Schedule:
        """Of the base."""
        return Schedule(tokens=self.tokens, warmup=min(50, max(1, self.tokens // 20_000)))


SCALES = {
    "smoke": Scale(24, 6, Tiny(32, 1, context=80), 4_000, 32, 32, 3, 2, 4, 32, 300, 16),
    "small": Scale(120, 20, Tiny(64, context=80), 1_000_000, 400, 1_000, 150, 60, 100, 300),
    "full": Scale(
        4_000, 200, Tiny(256, 6, 8, context=80), 300_000_000, 8_000, 20_000, 1_000, 500, 2_000, 2_000, 4_096, 256
    ),
}


def world(seed: int, size: str) -> World:
    """Another one for every seed."""
    return World(SCALES[size].entities, RELATIONS, SCALES[size].values, seed)


def answers(seed: int, size: str, part: str) -> Answers:
    """Covered entities are tuned on, uncovered ones asked; the base has read about both."""
    return Answers(world(seed, size), "plain", part)


# --- the chain


def base(seed: int, size: str) -> Organism:
    """Completes documents."""
    scale, corpus = SCALES[size], Statements(world(seed, size), questions=ASKED)
    vocabulary = Vocabulary("bpe", scale.vocabulary)
    return Organism("gpt-base", corpus, scale.network, vocabulary, scale.reading, seed)


def tuned(seed: int, size: str, part: int = 1) -> SupervisedTuning:
    """Has been shown answers, or a part of them for as many steps."""
    settings = _shown(seed, size, part)
    return SupervisedTuning(name=_named("gpt-sft", part), data=answers(seed, size, "covered"), **settings)


def longer(seed: int, size: str) -> SupervisedTuning:
    """Has been shown the same answers for as many steps more as others are reinforced."""
    settings = _shown(seed, size) | {"start": tuned(seed, size), "steps": SCALES[size].reinforced}
    return SupervisedTuning(name="gpt-sft-longer", data=answers(seed, size, "covered"), **settings)


def judge(seed: int, size: str) -> RewardModel:
    """Prefers true facts in the asked format."""
    pairs = AsPairs(Preferences(answers(seed, size, "covered")))
    settings = _shown(seed, size) | {"start": tuned(seed, size), "count": SCALES[size].pairs}
    return RewardModel(name="gpt-reward", data=pairs, **settings)


def reinforced(seed: int, size: str, beta: float = BETA) -> PolicyGradient:
    """Is paid by the reward model for answers about covered entities."""
    name = "gpt-rl" if beta == BETA else f"gpt-rl-beta-{beta:g}"
    settings = _shown(seed, size) | {"start": tuned(seed, size), "steps": SCALES[size].reinforced}
    asked, paid = answers(seed, size, "covered"), judge(seed, size)
    return PolicyGradient(
        name=name, data=asked, reward=paid, beta=beta, group=SCALES[size].group, longest=LONGEST, **settings
    )


def verifier(seed: int, size: str, part: int = 1) -> RewardModel:
    """A reward model from the base itself, on as many labels as the writer has, all of them about facts."""
    pairs = AsPairs(Preferences(answers(seed, size, "covered"), false=1.0))
    return RewardModel(name=_named("gpt-verifier", part), data=pairs, **_shown(seed, size, part))


def _shown(seed: int, size: str, part: int = 1) -> dict[str, Any]:
    """What is shown to the base, and for how long."""
    scale, start = SCALES[size], base(seed, size)
    count = scale.labels // part
    return {"start": start, "count": count, "steps": scale.steps, "batch": scale.batch, "seed": seed}


def _named(name: str, part: int) -> str:
    return name if part == 1 else f"{name}-part-{part}"


Stage = Literal["base", "sft", "sft longer", "rl"]
STAGES: Mapping[Stage, Callable[..., Recipe]] = {
    "base": base,
    "sft": tuned,
    "sft longer": longer,
    "rl": reinforced,
}


def audit(policy: Recipe, seed: int, size: str) -> Audit:
    """Entropy, divergence from the answerer, reward, true marks and length, on entities it was not tuned on."""
    asked, count = answers(seed, size, "uncovered"), SCALES[size].questions
    reference, paid = tuned(seed, size), judge(seed, size)
    return Audit(f"{policy.name}-audit", policy, asked, reference, count, 1, LONGEST, seed, paid)


def audited(seed: int, size: str, stage: Stage, **settings: float) -> Points:
    """A policy's replies to questions about uncovered entities."""
    return [(0, audit(STAGES[stage](seed, size, **settings), seed, size))]


def examined(seed: int, size: str, stage: Stage) -> Points:
    """Greedy replies to the same questions."""
    policy, asked = STAGES[stage](seed, size), answers(seed, size, "uncovered")
    return [(0, Exam(f"{policy.name}-exam", policy, asked, SCALES[size].questions, seed, LONGEST))]


# --- who verifies and who writes


def writing(seed: int, size: str) -> Points:
    """The answerer's greedy facts, above those of a guess, along the number of answers shown."""
    asked, scale = answers(seed, size, "uncovered"), SCALES[size]
    students = [tuned(seed, size, part) for part in PARTS]
    exams = [
        Writing(f"{one.name}-writing", one, asked, scale.questions, seed, LONGEST, chance=1 / scale.values)
        for one in students
    ]
    return [(one.count, exam) for one, exam in zip(students, exams, strict=True)]


def choosing(seed: int, size: str, by: Literal["reward", "likelihood"] = "reward", every: bool = False) -> Points:
    """The verifier's choice, or the answerer's by likelihood, of two or of all values."""
    offered = Alternatives(answers(seed, size, "uncovered"), every)
    points: list[tuple[float, Recipe]] = []
    for part in PARTS:
        chooser = verifier(seed, size, part) if by == "reward" else tuned(seed, size, part)
        name = f"{chooser.name}-choosing-of-{'all' if every else 'two'}"
        points.append((chooser.count, Choosing(name, chooser, offered, by, SCALES[size].questions, seed)))
    return points


# --- digits


def digits_base(seed: int, size: str) -> Organism:
    """Writes random digits."""
    scale = SCALES[size]
    schedule = Schedule(steps=scale.digit_steps, warmup=max(1, scale.digit_steps // 5))
    return Organism("digits-base", DigitStrings(), scale.network, schedule=schedule, seed=seed)


def digits_paid(seed: int, size: str, beta: float, reward: EvenDigits | CoinTosses) -> PolicyGradient:
    """Writes digits for a reward."""
    scale, paid = SCALES[size], "evens" if isinstance(reward, EvenDigits) else "coin"
    return PolicyGradient(
        name=f"digits-{paid}-beta-{beta:g}",
        start=digits_base(seed, size),
        data=DigitStrings(),
        reward=reward,
        beta=beta,
        group=2 * scale.group,
        batch=2 * scale.batch,
        count=scale.batch,
        steps=scale.reinforced,
        rate=2e-3,
        longest=LENGTH,
        seed=seed,
    )


def spread(policy: Tuning | Organism, seed: int, size: str) -> Entropy:
    """Entropy over digits at temperature 1, and divergence from who wrote at random."""
    count = 4 * SCALES[size].batch
    reference = digits_base(seed, size)
    return Entropy(f"{policy.name}-entropy", policy, DigitStrings(), reference, count, 2, LENGTH, seed)


def paid_by(seed: int, size: str, reward: EvenDigits | CoinTosses, betas: tuple[float, ...] = BETAS) -> Points:
    """Along the price of divergence."""
    return [(beta, spread(digits_paid(seed, size, beta, reward), seed, size)) for beta in betas]


def unpaid(seed: int, size: str, betas: tuple[float, ...] = BETAS) -> Points:
    """The start, whatever the price."""
    return [(beta, spread(digits_base(seed, size), seed, size)) for beta in betas]


# --- arms and claims


def on_chain(name: str, says: str, stage: Stage, **settings: float) -> Arm:
    """An arm whose measure is entropy on the chain."""
    return trained(name, says, audited, "entropy", stage=stage, **settings)


def entropy_claim(name: str, sentence: str, arms: tuple[Arm, Arm], least: float, **other: Any) -> Claim:
    """A claim about entropy on the chain; `least` below 0: it falls."""
    direction = 1 if least > 0 else -1
    return training_claim(
        name, sentence, arms, SeedsTask(), abs(least), unit="nats a token", direction=direction, **other
    )


def on_digits(name: str, says: str, ladder: Any, **settings: Any) -> Arm:
    """An arm whose measure is entropy on digits."""
    return trained(name, says, ladder, "entropy", **settings)


def dose_claim(name: str, sentence: str, arms: tuple[Arm, Arm], least: float, **other: Any) -> Claim:
    """A claim about how entropy rises with beta."""
    return training_claim(
        name, sentence, arms, SeedsTask("slope"), least, unit="nats a token per unit beta", **other
    )


def share_claim(name: str, sentence: str, arms: tuple[Arm, Arm], least: float, unit: str, **other: Any) -> Claim:
    """A claim about a share of replies, or what is left of one above chance: who knows nothing has 0."""
    return training_claim(name, sentence, arms, SeedsTask(chance=0.0), least, unit=unit, **other)


def above_chance(name: str, says: str, ladder: Any, **settings: Any) -> Arm:
    """An arm whose measure is what is known, guesses taken away."""
    return trained(name, says, ladder, "above_chance", **settings)
