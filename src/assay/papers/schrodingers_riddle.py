"""Schrodinger's riddle: has a model that thinks of an object thought of one?"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

from assay.core import Answer, Arm, Capability, Claim, EvidenceKind, Flow, Measure, Paper, Sample, Size, Task
from assay.tasks.games.riddle import OBJECTS, RiddleTask, consistent, intended
from assay.techniques.prompting.commitment import Holding, entropy_along, forked, hashed_commitment, reveal

NAMES = tuple(OBJECTS)
TURNS = (0, 3, 6, 12)
NEEDS = frozenset({Capability.GENERATE, Capability.SCORE})
SIZES = {"smoke": Size(3), "small": Size(24), "full": Size(400)}


plain = partial(Claim, sizes=SIZES, needs=NEEDS, rule="fixed", placebo=False, equal_spend=False)


def _reveal(sample: Sample, task: Task, *, holding: Holding, way: Callable[..., Flow[Answer]]) -> Flow[Answer]:
    dialogue = intended(sample, sample.meta["turns"])
    return way(NAMES, dialogue, consistent(dialogue), sample.meta["secret"], holding=holding)


def _along(sample: Sample, task: Task, *, answered: bool) -> Flow[Answer]:
    """The same game; where it is not answered, every question gets the same words that say nothing."""
    dialogue = intended(sample, max(TURNS))
    if not answered:
        dialogue = tuple((question, "I would rather not say.") for question, _ in dialogue)
    return entropy_along(NAMES, dialogue, TURNS)


def _hash(sample: Sample, task: Task) -> Flow[Answer]:
    return hashed_commitment(NAMES, intended(sample, sample.meta["turns"]))


def arm(name: str, says: str, holding: Holding, way: Callable[..., Flow[Answer]] = reveal) -> Arm:
    return Arm(name, partial(_reveal, holding=holding, way=way), says)


def claim(name: str, sentence: str, task: RiddleTask, smallest_effect: float, **other: Any) -> Claim:
    """A note in the context against nothing; drawn forks need words only."""
    way = forked if task.scored == "consistent" else reveal
    return plain(
        name,
        sentence,
        arm("note", "the object stands in a note in the context", "note", way),
        arm("naive", "nothing is written down", "nothing", way),
        task,
        smallest_effect,
        measure=Measure.GRADED,
        others=(
            arm("encoded", "the note in base64", "encoded", way),
            arm("tool", "a tool holds the object", "tool", way),
        ),
        **other,
    )


PAPER = Paper(
    slug="schrodingers-riddle",
    title="Schrodinger's riddle",
    authors="Hendricks",
    year=2023,
    url="https://twitter.com/dylanhendricks/status/1642939372306669568",
    row="R18",
    shelf="prompting",
    says="GPT-4 playing twenty questions makes its answer up; commitments asked for beforehand do not help.",
    reading="If so, the reveal's entropy falls with every answer, and a note takes it to nothing.",
    claims=(
        claim(
            "riddle-note-commits",
            "With its object in a note, the forks of a game agree; without one they do not.",
            RiddleTask(),
            0.2,
            direction=-1,
            unit="entropy of the reveal, share of 6 bits",
        ),
        claim(
            "riddle-note-is-consistent",
            "A player with a note reveals an object that fits its answers more often than one without.",
            RiddleTask(scored="consistent"),
            0.1,
            unit="share of forks that fit",
            needs=frozenset({Capability.GENERATE}),
        ),
        plain(
            "riddle-narrows",
            "Without a note, answers narrow down what is revealed.",
            Arm("answered", partial(_along, answered=True), "questions with their answers"),
            Arm("unanswered", partial(_along, answered=False), "the same questions, none answered"),
            RiddleTask(summary="slope"),
            0.05,
            sizes={name: Size(size.n, level="12") for name, size in SIZES.items()},
            direction=-1,
            measure=Measure.GRADED,
            unit="bits a turn",
            evidence=EvidenceKind.TREND,
        ),
        plain(
            "riddle-hash-is-made-up",
            "A SHA-256 given before the game is that of the revealed object in less than one game of ten.",
            Arm("hash", _hash, "the model writes 64 hexadecimal digits, and reveals after the questions"),
            arm("naive", "nothing is written down", "nothing"),
            RiddleTask(scored="valid"),
            0.1,
            sizes={**SIZES, "small": Size(40)},
            unit="share of valid hashes",
            needs=NEEDS | {Capability.GRAMMAR},
            evidence=EvidenceKind.RATE,
            expected=(0.0, 0.1),
        ),
    ),
    departures=(
        "64 known objects in the prompt, and answers from a table of 24 attributes.",
        "The distribution over forks is read off log-probabilities; where it must fit the answers, 16 are drawn.",
    ),
)
