"""Worked examples that show how each tool is called, and the same without the calls."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from assay.techniques.execution.program_aided import EXEMPLARS
from assay.techniques.execution.tools.inline import ARROW, OPENING, without_calls


class Shot(NamedTuple):
    """A question, and the text that answers it with its call in place."""

    question: str
    answer: str


def _calculated(thought: str, answer: str) -> str:
    """The conclusion of a worked example, 5 * 12 = 60 in it becoming [Calculator(5 * 12) -> 60] 60."""
    left = " ".join(thought[: thought.index(" =")].split()[-3:])
    concluded = thought.partition(", so ")[2]
    called = concluded.replace(f"{left} = {answer}", f"{OPENING}Calculator({left}){ARROW}{answer}] {answer}")
    return called[0].upper() + called[1:]


CALCULATIONS = tuple(
    Shot(exemplar.question, f"{_calculated(exemplar.thought, exemplar.answer)} The answer is {exemplar.answer}.")
    for exemplar in EXEMPLARS
)
"""The examples of `program_aided`, concluded by a call."""

DAYS = (
    Shot(
        "What day of the week is it today?",
        "[Calendar() -> Today is Sunday, June 1, 2025.] Today is Sunday. The answer is Sunday.",
    ),
    Shot(
        "What day of the week is it tomorrow?",
        "[Calendar() -> Today is Tuesday, May 7, 2019.] Today is Tuesday, so tomorrow is Wednesday. "
        "The answer is Wednesday.",
    ),
    Shot(
        "What day of the week was it yesterday?",
        "[Calendar() -> Today is Saturday, March 3, 2012.] Today is Saturday, so yesterday was Friday. "
        "The answer is Friday.",
    ),
    Shot(
        "What day of the week is it today?",
        "[Calendar() -> Today is Thursday, October 9, 2003.] Today is Thursday. The answer is Thursday.",
    ),
)
FACTS = (
    Shot("Where does mipo live?", "[Search(where does mipo live) -> mipo lives in tagur.] The answer is tagur."),
    Shot("What does ruzi eat?", "[Search(what does ruzi eat) -> ruzi eats lovem.] The answer is lovem."),
    Shot("Whom does pogu know?", "[Search(whom does pogu know) -> pogu knows dikas.] The answer is dikas."),
    Shot("What does femo play?", "[Search(what does femo play) -> femo plays rubat.] The answer is rubat."),
)
TRANSLATIONS = (
    Shot("What does 'quxa olmi' mean in English?", "[Translate(quxa olmi) -> deep lake] The answer is deep lake."),
    Shot("What does 'wexo atri' mean in English?", "[Translate(wexo atri) -> wild goat] The answer is wild goat."),
    Shot("What does 'yawu irpo' mean in English?", "[Translate(yawu irpo) -> thin rope] The answer is thin rope."),
    Shot(
        "What does 'hixa ombe' mean in English?", "[Translate(hixa ombe) -> free bench] The answer is free bench."
    ),
)


def without_tools(shots: Sequence[Shot]) -> tuple[Shot, ...]:
    """The same examples, no call in them."""
    return tuple(Shot(shot.question, " ".join(without_calls(shot.answer).split())) for shot in shots)
