"""Chains of arithmetic modulo a small number, with a label for every step: to train verifiers on.

Task of our own for Lightman et al. 2023, "Let's Verify Step by Step", https://arxiv.org/abs/2305.20050:

    7+3*4-2:        the prompt, read from left to right
    +3=a            a step: what is done, and the value then; numbers are single characters, a is ten
    *4=7
    -2=5
    5               the answer

A right answer after a wrong step does happen: times 0 forgets every error, and with so few values two
errors meet by chance. Without such false positives outcome and process labels would say the same.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

from assay.core.training import Example
from assay.core.validation import require_whole
from assay.tasks.splits import gather, require_split

if TYPE_CHECKING:
    import numpy

NUMBERS = "0123456789abcdefghijklmnopqrstuvwxyz"
OPERATIONS = "+-*"
_VALUE = {character: value for value, character in enumerate(NUMBERS)}


@dataclass(frozen=True)
class ModularChains:
    """Problems of `steps` operations over the numbers modulo `modulus`; six modulo 11 make 45 characters."""

    steps: int = 6
    modulus: int = 11
    split: str = "train"

    def __post_init__(self) -> None:
        require_whole("The number of steps", self.steps, 1, 100)
        require_whole("The modulus", self.modulus, 2, len(NUMBERS))
        require_split(self.split)

    @property
    def alphabet(self) -> str:
        """Signs, line break and one character per number."""
        return "".join(sorted(f"\n:={OPERATIONS}{NUMBERS[: self.modulus]}"))

    def examples(self, count: int, rng: numpy.random.Generator) -> list[Example]:
        """Problems with their right solutions, drawn with replacement; numbers and operations uniform."""
        prompts = gather(count, lambda size: self._draw(size, rng), str, self.split)
        return [Example(prompt, solution(prompt, self.modulus)) for prompt in prompts]

    def mark(self, example: Example, reply: str) -> Mapping[str, float]:
        """ "exact", "steps" (share of right ones), "process" (all right), "false_positive" (exact, not process).

        A step left out, or one too many, is a wrong one.
        """
        labels = step_labels(example.prompt, reply, self.modulus)
        expected = len(_operations(example.prompt))
        exact = final_answer(reply) == final_answer(solution(example.prompt, self.modulus))
        process = len(labels) == expected and all(labels)
        return {
            "exact": float(exact),
            "steps": sum(labels) / max(len(labels), expected),
            "process": float(process),
            "false_positive": float(exact and not process),
        }

    def step_ends(self, reply: str) -> tuple[int, ...]:
        """Per written step the place of its last character."""
        return step_ends(reply)

    def step_labels(self, prompt: str, reply: str) -> tuple[bool, ...]:
        """Per written step whether it follows from the value written before it."""
        return step_labels(prompt, reply, self.modulus)

    def right(self, prompt: str, reply: str) -> bool:
        """Whether the final answer is right."""
        return final_answer(reply) == final_answer(solution(prompt, self.modulus))

    def final_answer(self, reply: str) -> str | None:
        """The final answer; None where there is none."""
        return final_answer(reply)

    def _draw(self, size: int, rng: numpy.random.Generator) -> list[str]:
        numbers = rng.integers(0, self.modulus, (size, self.steps + 1)).tolist()
        signs = rng.integers(0, len(OPERATIONS), (size, self.steps)).tolist()
        return [
            NUMBERS[row[0]]
            + "".join([OPERATIONS[sign] + NUMBERS[number] for sign, number in zip(chosen, row[1:], strict=True)])
            + ":"
            for row, chosen in zip(numbers, signs, strict=True)
        ]


def solution(prompt: str, modulus: int = 11) -> str:
    """The right reply to a prompt."""
    value = _VALUE[prompt[0]]
    lines = []
    for operation in _operations(prompt):
        value = _applied(operation, value, modulus)
        lines.append(f"{operation}={NUMBERS[value]}")
    return "\n".join([*lines, NUMBERS[value]])


def final_answer(reply: str) -> str | None:
    """The answer, a single character on the last line; None where there is none."""
    return _parts(reply)[1]


def step_labels(prompt: str, reply: str, modulus: int = 11) -> tuple[bool, ...]:
    """Per written step whether it does what the problem says to the value written before it.

    A step after a wrong one can be right. After a line that holds no value, the next step is wrong.
    """
    operations = _operations(prompt)
    value: int | None = _VALUE[prompt[0]]
    labels = []
    for at, line in enumerate(_parts(reply)[0]):
        if value is None or at >= len(operations):
            labels.append(False)
        else:
            labels.append(line == f"{operations[at]}={NUMBERS[_applied(operations[at], value, modulus)]}")
        value = _value_of(line, modulus)
    return tuple(labels)


def first_error(prompt: str, reply: str, modulus: int = 11) -> int | None:
    """The place of the first wrong step, from 0; None where all written ones are right."""
    labels = step_labels(prompt, reply, modulus)
    return labels.index(False) if False in labels else None


def step_ends(reply: str) -> tuple[int, ...]:
    """Per written step the place of its last character in the reply; of an empty line, the line break."""
    ends = []
    start = 0
    for line in _parts(reply)[0]:
        ends.append(start + max(len(line) - 1, 0))
        start += len(line) + 1
    return tuple(ends)


def _parts(reply: str) -> tuple[list[str], str | None]:
    """Lines of steps, and the answer: a last line of one character that is a number."""
    text = reply.rstrip()
    lines = text.split("\n") if text else []
    if lines and lines[-1] in _VALUE:
        return lines[:-1], lines[-1]
    return lines, None


def _operations(prompt: str) -> list[str]:
    """ "7+3*4:" -> ["+3", "*4"]."""
    return [prompt[at : at + 2] for at in range(1, len(prompt) - 1, 2)]


def _value_of(line: str, modulus: int) -> int | None:
    """The value a step ends with; None where it is not written as a step."""
    if len(line) != 4 or line[2] != "=" or line[0] not in OPERATIONS:
        return None
    value = _VALUE.get(line[3], modulus)
    return value if value < modulus else None


def _applied(operation: str, value: int, modulus: int) -> int:
    number = _VALUE[operation[1]]
    match operation[0]:
        case "+":
            return (value + number) % modulus
        case "-":
            return (value - number) % modulus
        case _:
            return value * number % modulus
