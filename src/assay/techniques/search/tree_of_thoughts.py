"""Tree of Thoughts on the Game of 24, asked in words, and the chain of thought it is measured against.

Source    Yao et al. 2023, section 4.1 (arXiv 2305.10601).
Here      Propose: one call a state, every line of the reply a child. Judge: three samples a state, "sure",
          "likely" or "impossible", worth 20, 1 and 0.001, added. Five states are kept on every level.
Departs   1. Worked examples of our own, as turns of a chat, the same numbers for every way of asking.
          2. As `tree_search`.
Needs     words.
Costs     of four numbers: 11 proposals, and 3 samples for each state they lead to; a chain is 1 call.
"""

from __future__ import annotations

from collections.abc import Sequence

from assay.core import Answer, Ask, Flow, Message, UnknownName, ask
from assay.core.problems.countdown import Countdown, Left
from assay.core.validation import require_whole
from assay.techniques.search.tree import Judge, Propose, asked, judged, valued_at_random
from assay.techniques.search.tree_search import Pick, breadth_first

NUMBERS = ("1 3 5 12", "2 3 4 6")
PROPOSED = (
    "5 - 3 = 2 (left: 1 2 12)\n3 - 1 = 2 (left: 2 5 12)\n12 / 3 = 4 (left: 1 4 5)\n1 + 5 = 6 (left: 3 6 12)",
    "4 * 6 = 24 (left: 2 3 24)\n3 - 2 = 1 (left: 1 4 6)\n2 + 6 = 8 (left: 3 4 8)\n6 / 2 = 3 (left: 3 3 4)",
)
SOLVED = (
    "5 - 3 = 2 (left: 1 2 12)\n2 * 12 = 24 (left: 1 24)\n1 * 24 = 24 (left: 24)\nAnswer: 1 * ((5 - 3) * 12) = 24",
    "3 - 2 = 1 (left: 1 4 6)\n4 * 6 = 24 (left: 1 24)\n1 * 24 = 24 (left: 24)\nAnswer: (3 - 2) * (4 * 6) = 24",
)
ALONE = ("Answer: 1 * ((5 - 3) * 12) = 24", "Answer: (3 - 2) * (4 * 6) = 24")
JUDGED_NUMBERS = ("4 6", "1 2", "3 4 5")
JUDGED = ("4 * 6 = 24: sure", "1 + 2 = 3, 1 * 2 = 2: impossible", "5 * 4 + 3 = 23: likely")
SAMPLES = 3
TEMPERATURE = 0.7
VALUES = ("judged", "random")


def tree_of_thoughts(
    question: str,
    *,
    goal: int = 24,
    breadth: int = 5,
    values: str = "judged",
    pick: Pick = "best",
    seed: int | str = 0,
) -> Flow[Answer]:
    """The Game of 24 on numbers such as "4 9 10 13".

    `values="random"` keeps states blindly; `pick="any"` answers with a right one if the last beam holds one.
    """
    problem = Countdown.read(question, goal)
    require_whole("breadth", breadth, 1, 64)
    if values not in VALUES:
        raise UnknownName("kind of values", values, VALUES)
    return (
        yield from breadth_first(
            problem,
            proposals(problem),
            judgements(problem) if values == "judged" else valued_at_random(seed),
            depth=len(problem.numbers) - 1,
            breadth=breadth,
            pick=pick,
        )
    )


def proposals(problem: Countdown, temperature: float = TEMPERATURE) -> Propose[Left]:
    """The model proposes next steps, one a line."""

    def request(shown: str, complaint: str) -> Ask:
        told = "Write possible next steps, one a line."
        return Ask(_turns(told, NUMBERS, PROPOSED, shown, problem.goal), max_tokens=72, temperature=temperature)

    return asked(problem, request)


def judgements(problem: Countdown, temperature: float = TEMPERATURE, samples: int = SAMPLES) -> Judge[Left]:
    """The model says of the numbers that are left whether they can reach the goal."""

    def request(shown: str) -> Ask:
        turns = _turns("Sure, likely or impossible?", JUDGED_NUMBERS, JUDGED, shown, problem.goal)
        return Ask(turns, n=samples, max_tokens=24, temperature=temperature, stop=("\n",))

    return judged(problem, request)


def game_chain(question: str, *, goal: int = 24, max_tokens: int = 96) -> Flow[Answer]:
    """The control: one chain of steps that ends in an answer, after the same worked examples."""
    return (yield from _answered("Solve it step by step.", SOLVED, question, goal, max_tokens))


def game_direct(question: str, *, goal: int = 24, max_tokens: int = 32) -> Flow[Answer]:
    """The answer alone, after the same worked examples."""
    return (yield from _answered("Write the answer.", ALONE, question, goal, max_tokens))


def _answered(told: str, worked: Sequence[str], question: str, goal: int, max_tokens: int) -> Flow[Answer]:
    problem = Countdown.read(question, goal)
    shown = problem.render(problem.start)
    (reply,) = yield from ask(Ask(_turns(told, NUMBERS, worked, shown, goal), max_tokens=max_tokens))
    return Answer(reply.text, finish=reply.finish)


def _turns(told: str, numbers: Sequence[str], worked: Sequence[str], shown: str, goal: int) -> tuple[Message, ...]:
    turns: list[Message] = []
    for row, reply in zip(numbers, worked, strict=True):
        turns += [Message("user", f"{told} Numbers: {row}. Goal: 24."), Message("assistant", reply)]
    return (*turns, Message("user", f"{told} Numbers: {shown}. Goal: {goal}."))
