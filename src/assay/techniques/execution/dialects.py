"""How a program, and what came of running it, are told to a model: in words, or in an organism's bare form.

Source    Chen et al. 2023 (arXiv 2304.05128), section 3, whose feedback is the message "The code above fails ...".
Here      `CHAT` asks a chat model for a function and tells it the failing call in a sentence. `BARE` speaks to an
          organism that was trained on formulas: the examples, its formula, and behind a "!" what the failing one
          gave, as in `0>9 3>36:(x+3)*2!0>6:`.
Departs   1. The bare form does not say what the failing example should give: the question stands before it.
Needs     words; the bare form an organism that was trained on it.
Costs     1 call a program.
"""

from __future__ import annotations

from typing import Protocol

from assay.core import Ask, Message
from assay.core.problems.programs import Problem
from assay.core.problems.syntax import literal
from assay.techniques.execution.writing import FENCE, program_of, program_request, task_of

LONGEST = 20
"""Characters of a formula."""
BODY = "\n    return "


class Dialect(Protocol):
    """What is said to a model that writes programs; a conversation is a row of messages."""

    wrong: str
    """That the program is wrong, where nothing more is told."""

    def task(self, problem: Problem) -> Message:
        """What is asked."""
        ...

    def code(self, program: str) -> Message:
        """A program the model wrote, as it wrote it."""
        ...

    def fact(self, call: str, gave: str, expected: str) -> str:
        """What a test that fails has to say."""
        ...

    def again(self, facts: str) -> Message:
        """The wish for another program, after these facts."""
        ...

    def request(self, problem: Problem, turns: tuple[Message, ...], temperature: float) -> Ask:
        """The request for a program, after these turns."""
        ...

    def program(self, problem: Problem, text: str) -> str:
        """The program in a reply; empty where there is none."""
        ...


class Chat:
    """A chat model, in words."""

    wrong = "The code above is wrong."
    _again = "Fix the code."

    def task(self, problem: Problem) -> Message:
        """The user's turn that states the problem."""
        return task_of(problem)

    def code(self, program: str) -> Message:
        """The program in a fence."""
        return Message("assistant", f"{FENCE}{program}\n```")

    def fact(self, call: str, gave: str, expected: str) -> str:
        """The failing call in a sentence."""
        return f"The code above fails a test: {call} should be {expected}, but it is {gave}."

    def again(self, facts: str) -> Message:
        """Facts, then the wish."""
        return Message("user", f"{facts}\n{self._again}".strip())

    def request(self, problem: Problem, turns: tuple[Message, ...], temperature: float) -> Ask:
        """The signature begins the reply."""
        return program_request(problem, turns, temperature)

    def program(self, problem: Problem, text: str) -> str:
        """The body put behind the signature."""
        return program_of(problem, text)


class Bare:
    """An organism that was trained on formulas over x."""

    wrong = ""

    def task(self, problem: Problem) -> Message:
        """The examples as they are asked."""
        return Message("user", problem.prompt)

    def code(self, program: str) -> Message:
        """The formula alone."""
        return Message("assistant", program.rpartition(BODY)[2])

    def fact(self, call: str, gave: str, expected: str) -> str:
        """The input and what came out, "?" where that is no number."""
        return f"{call.partition('(')[2].removesuffix(')')}>{gave if _is_whole(gave) else '?'}"

    def again(self, facts: str) -> Message:
        """Facts between their marks."""
        return Message("user", f"!{facts}:")

    def request(self, problem: Problem, turns: tuple[Message, ...], temperature: float) -> Ask:
        """All turns in one row."""
        prompt = "".join(turn.text for turn in turns)
        return Ask(prompt, raw=True, temperature=temperature, max_tokens=LONGEST)

    def program(self, problem: Problem, text: str) -> str:
        """A function around the formula."""
        return f"def {problem.entry}(x):{BODY}{text.strip()}" if text.strip() else ""


def _is_whole(gave: str) -> bool:
    try:
        return type(literal(gave)) is int
    except (ValueError, SyntaxError, MemoryError, RecursionError):
        return False


CHAT = Chat()
BARE = Bare()
