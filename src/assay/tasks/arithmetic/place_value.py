"""Goat's ten tasks on numbers of given length, answered directly or by a chain over place values.

Source: Liu and Low 2023, https://arxiv.org/abs/2305.14201. There a language model learns the first eight
tasks directly; products and quotients of long numbers it learns only as chains of the other tasks.

Numbers are drawn as there: uniform among those of one length. There the lengths are drawn too, all alike
("log space"); here they are held, and several corpora mixed give the paper's draw. Departures: no
instructions in words, no spaces, one letter before a number that is to be copied, split or ordered.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

from assay.core.errors import UnknownName
from assay.core.training import Example
from assay.core.validation import require, require_whole
from assay.tasks.arithmetic.chains import STAGES, chain_of_product, chain_of_quotient, check_chain, quotient_text
from assay.tasks.splits import gather, require_split

if TYPE_CHECKING:
    import numpy

_SIGNS = {
    "copy": "c",
    "split": "s+",
    "compare": "?<>",
    "order": "o,",
    "add": "+",
    "subtract": "-",
    "multiply-digit": "*",
    "divide-digit": "/Rdefinu",
    "multiply": "*+()",
    "divide": "/R-*;",
}
TASKS = tuple(_SIGNS)
"""The first eight are learned directly, the last two by chains."""
_INFIX = {"compare": "?", "add": "+", "subtract": "-"}
_WITH_DIGIT = ("multiply-digit", "divide-digit")
_DIGITS = tuple([0, 1] + [digit for digit in range(2, 10) for _ in range(3)])
"""0 and 1 make up 4 % each, about as in the paper's generator."""
_RUN = re.compile(r"[0-9]+")


@dataclass(frozen=True)
class Arithmetic:
    """One task on numbers of these lengths: one length for "copy" and "split", two or more for "order", else two.

    Where order does not matter for what is asked, the numbers come in either order, and an item is in the
    same split in both. `without` names stages left out of the chain; one cannot be missed where the smaller
    number has two digits: "term-by-term", since two products are added at once.
    """

    task: str = "multiply"
    digits: tuple[int, ...] = (3, 2)
    form: str = "direct"
    """ "direct": the answer alone; "chain": with its steps, for "multiply" and "divide"."""
    little_endian: bool = False
    """Every number, also in the prompt, is written with its last digit first."""
    without: tuple[str, ...] = ()
    split: str = "train"

    def __post_init__(self) -> None:
        if self.task not in TASKS:
            raise UnknownName("task", self.task, TASKS)
        if self.form not in ("direct", "chain"):
            raise UnknownName("form", self.form, ("direct", "chain"))
        require_split(self.split)
        for length in self.digits:
            require_whole("A number of digits", length, 1, 18)
        wanted = 1 if self.task in ("copy", "split") else 2
        enough = len(self.digits) == wanted or (self.task == "order" and len(self.digits) >= wanted)
        require(enough, f"The task '{self.task}' takes {wanted} lengths of numbers, not {len(self.digits)}.")
        if self.task in _WITH_DIGIT:
            require(self.digits[1] == 1, f"The second number of '{self.task}' has one digit.")
        if self.task in ("multiply", "divide"):
            require(min(self.digits) >= 2, f"The numbers of '{self.task}' have two digits or more.")
        if self.task == "divide":
            require(self.digits[0] >= self.digits[1], "A dividend is not shorter than its divisor.")
        self._require_stages()

    def _require_stages(self) -> None:
        has_chain = self.task in ("multiply", "divide")
        require(has_chain or self.form == "direct", f"The task '{self.task}' has no chain.")
        require(self.form == "chain" or not self.without, "Only a chain has stages to leave out.")
        known = STAGES if self.task == "multiply" else ("products",)
        for stage in self.without:
            if stage not in known:
                raise UnknownName(f"stage of '{self.task}'", stage, known)

    @property
    def alphabet(self) -> str:
        """Every character of the task, whatever the form: both arms get the same vocabulary."""
        return "".join(sorted(set("0123456789=" + _SIGNS[self.task])))

    def examples(self, count: int, rng: numpy.random.Generator) -> list[Example]:
        """Examples drawn with replacement; `BadRequest` where the split is empty."""
        drawn = gather(count, lambda size: self._draw(size, rng), self._item, self.split)
        return [self._example(numbers) for numbers in drawn]

    def mark(self, example: Example, reply: str) -> Mapping[str, float]:
        """ "exact": the answer at the end is right; "steps": share of right steps; "valid": all of them are.

        A step left out, or one too many, is a wrong one.
        """
        prompt, written = example.prompt, reply.strip()
        if self.little_endian:
            prompt, written = _reversed(prompt), _reversed(written)
        last = written.split(";" if self.task == "divide" else "=")[-1] if self.form == "chain" else written
        valid, expected = _steps(prompt, written, self.form, self.without)
        return {
            "exact": float(last == solve(prompt)),
            "steps": sum(valid) / max(len(valid), expected),
            "valid": float(all(valid) and len(valid) == expected),
        }

    def _draw(self, size: int, rng: numpy.random.Generator) -> list[tuple[int, ...]]:
        columns = [rng.integers(10 ** (n - 1), 10**n, size).tolist() for n in self.digits]
        if self.task in _WITH_DIGIT:
            columns[1] = [_DIGITS[at] for at in rng.integers(0, len(_DIGITS), size).tolist()]
        coins = (rng.random(size) < 0.5).tolist()
        rows = zip(*columns, strict=True)
        if self.task in ("divide", "divide-digit"):
            low = 10 ** (self.digits[0] - 1)
            return [_even(a, b, low) if coin else (a, b) for (a, b), coin in zip(rows, coins, strict=True)]
        return [row[::-1] if coin else row for row, coin in zip(rows, coins, strict=True)]

    def _item(self, numbers: tuple[int, ...]) -> str:
        ordered = numbers if self.task in ("divide", "divide-digit") else sorted(numbers)
        return f"{self.task}:{','.join(map(str, ordered))}"

    def _example(self, numbers: tuple[int, ...]) -> Example:
        prompt = _prompt(self.task, numbers)
        if self.form == "direct":
            answer = solve(prompt)
        elif self.task == "multiply":
            answer = chain_of_product(numbers[0], numbers[1], self.without)
        else:
            answer = chain_of_quotient(numbers[0], numbers[1], self.without)
        if self.little_endian:
            prompt, answer = _reversed(prompt), _reversed(answer)
        return Example(prompt, answer)


def solve(prompt: str) -> str:
    """The answer to a prompt of any of the tasks, numbers written as usual: "2*21=" -> "42"."""
    body = prompt.removesuffix("=")
    numbers = [int(run) for run in _RUN.findall(body)]
    sign = body[0] if body[0] in "cso" else _RUN.sub("", body)
    match sign:
        case "c":
            return str(numbers[0])
        case "s":
            text = str(numbers[0])
            return "+".join(digit + "0" * (len(text) - at - 1) for at, digit in enumerate(text) if digit != "0")
        case "o":
            return ",".join(map(str, sorted(numbers)))
    a, b = numbers
    match sign:
        case "?":
            return f"{a}{'<' if a < b else '>' if a > b else '='}{b}"
        case "+":
            return str(a + b)
        case "-":
            return str(a - b)
        case "*":
            return str(a * b)
        case _:
            return quotient_text(a, b)


def verify(
    prompt: str, reply: str, *, form: str = "chain", without: tuple[str, ...] = (), little_endian: bool = False
) -> list[bool]:
    """Per written step whether it is right arithmetic and follows from the prompt; a direct answer is one step."""
    if little_endian:
        prompt, reply = _reversed(prompt), _reversed(reply)
    return _steps(prompt, reply, form, without)[0]


def _steps(prompt: str, reply: str, form: str, without: tuple[str, ...]) -> tuple[list[bool], int]:
    """Per written step whether it is right, and how many steps there should be."""
    return check_chain(prompt, reply, without) if form == "chain" else ([reply == solve(prompt)], 1)


def _prompt(task: str, numbers: tuple[int, ...]) -> str:
    if task in ("copy", "split", "order"):
        return f"{task[0]}{','.join(map(str, numbers))}="
    sign = _INFIX.get(task) or ("*" if task.startswith("multiply") else "/")
    return f"{numbers[0]}{sign}{numbers[1]}="


def _even(a: int, b: int, low: int) -> tuple[int, int]:
    """The same without a remainder, not below `low`."""
    if b == 0 or a <= b:
        return a, b
    even = a - a % b
    return (even if even >= low else even + b), b


def _reversed(text: str) -> str:
    """Every run of digits the other way round; done twice it is undone."""
    return _RUN.sub(lambda found: found[0][::-1], text)
