"""Twenty questions in a closed world: 64 objects, 24 attributes, and the dialogue up to any turn.

Answers come from the table, so that no model is blamed for what it does not know of owls.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from random import Random
from types import MappingProxyType

from assay.core.answers import curve_of, slope
from assay.core.errors import UnknownName
from assay.core.samples import Answer, Ending, Outcome, Sample
from assay.core.validation import require_whole

QUESTIONS: Mapping[str, str] = MappingProxyType(
    {
        "a": "Is it alive?",
        "b": "Is it an animal?",
        "c": "Is it a plant?",
        "d": "Do people eat it?",
        "e": "Is it bigger than a person?",
        "f": "Does it fit in one hand?",
        "g": "Is it mostly made of metal?",
        "h": "Is it mostly made of wood?",
        "i": "Is it made of cloth?",
        "j": "Does it have legs?",
        "k": "Can it fly?",
        "l": "Does it live or work in water?",
        "m": "Does it make music?",
        "n": "Is it used in the kitchen?",
        "o": "Does it carry people?",
        "p": "Does it have wheels?",
        "q": "Do people wear it?",
        "r": "Is it usually indoors?",
        "s": "Is it sharp?",
        "t": "Is it round?",
        "u": "Can it be dangerous?",
        "v": "Is it made by people?",
        "w": "Is it sweet?",
        "x": "Does it use electricity?",
    }
)
"""Question by attribute."""
_TABLE = """
dog abj|cat abfjr|horse abejo|cow abdej|pig abdej|elephant abejou|mouse abfj|tiger abejsu|lion abeju|owl abjks
eagle abjksu|penguin abjl|shark abelsu|whale abel|salmon abdl|bee abfjksu|spider abfju|snake abu|frog abfjl
duck abdjkl|oak aceh|rose acfs|cactus acsu|grass ac|apple cdftw|banana cdfw|orange cdftw|carrot cdf|potato cdft
onion cdft|bread dfnrv|cheese dfnrv|cake drtvw|honey dnrvw|hammer fguv|saw gsuv|scissors fgrsuv|knife fgnrsuv
spoon fgnrv|fork fgnrsv|cup fnrtv|bottle fnrv|pan gnrtv|table hjrv|chair hjrv|bed ehijrv|lamp rvx|clock rtvx
candle fruv|mirror rsv|car egopuvx|bicycle gopv|train egopuvx|ship eglov|airplane egkopuvx|hat iqv|shoe fqv
coat iqv|sock fiqv|piano ehjmrv|guitar hmv|violin hmrv|drum mtv|trumpet gmv
"""
OBJECTS: Mapping[str, str] = MappingProxyType(
    dict(row.split(" ", 1) for line in _TABLE.split("\n") for row in line.split("|") if row.strip())
)
"""Attributes by object."""
APART = 100_000


def intended(sample: Sample, turns: int) -> tuple[tuple[str, str], ...]:
    """The first questions of a game with their answers."""
    secret = OBJECTS[sample.meta["secret"]]
    asked: Sequence[str] = sample.meta["asked"]
    return tuple((QUESTIONS[key], "Yes." if key in secret else "No.") for key in asked[:turns])


def consistent(dialogue: Sequence[tuple[str, str]]) -> tuple[str, ...]:
    """The objects that fit every answer given."""
    keys = {question: key for key, question in QUESTIONS.items()}
    return tuple(
        name
        for name, attributes in OBJECTS.items()
        if all((keys[question] in attributes) == (answer == "Yes.") for question, answer in dialogue)
    )


@dataclass(frozen=True, slots=True)
class RiddleTask:
    """A sample is a game: a secret object and the order of the questions. Flows answer with what they measured."""

    scored: str = "entropy"
    """Which measure of the answer is the score: `entropy` (share of 6 bits), `consistent` or `valid`."""
    summary: str = ""
    """`slope`: the answer is a curve along the turns, and its slope is the score."""
    dose: str = "turns"
    name: str = "riddle"
    kind: str = "score"
    cue: str = ""
    chance: float | None = None
    levels: tuple[str, ...] = ("6", "0", "3", "12")
    """Questions asked before the reveal."""

    def samples(self, n: int, seed: int, level: str | None = None) -> tuple[Sample, ...]:
        """n games; two runs share none."""
        require_whole("n", n, 0, APART)
        turns = level or self.levels[0]
        if turns not in self.levels:
            raise UnknownName("level", turns, self.levels)
        found = []
        for at in range(seed * APART, seed * APART + n):
            rng = Random(f"riddle {at}")
            secret = rng.choice(sorted(OBJECTS))
            asked = tuple(rng.sample(sorted(QUESTIONS), len(QUESTIONS)))
            meta = {"secret": secret, "asked": asked, "turns": int(turns), "seed": at}
            found.append(Sample(f"game-{at}", f"Twenty questions, game {at}.", meta=meta))
        return tuple(found)

    def extract(self, text: str) -> str | None:
        """What is scored is not read out of a text."""
        return text or None

    def score(self, sample: Sample, answer: Answer) -> Outcome:
        """The measure that was chosen, or the slope of the curve."""
        if self.summary:
            curve = curve_of(answer.value)
            if len(curve) < 2:
                return Outcome(Ending.UNPARSED, detail="No curve was measured.")
            return Outcome.scored(slope(curve), answer.value)
        if self.scored not in answer.measures:
            return Outcome.without_answer(answer)
        return Outcome.scored(answer.measures[self.scored], answer.value, answer.detail)
