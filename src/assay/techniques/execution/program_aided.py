"""Program-aided language models: the model writes a program, the sandbox computes the answer.

Source    Gao et al. 2022, "PAL: Program-aided Language Models", section 3 (arXiv 2211.10435).
Here      Worked examples whose answers are programs; the reply's `solution()` is run in the sandbox
          and its value is the answer. The controls read the same examples with the answer alone, or
          with a chain of thought.
Departs   1. Four worked examples of our own instead of the paper's eight, as turns of a chat.
          2. Each program runs in a namespace of its own. In the authors' runner a program that defines
             no `solution` is given the value of the one before.
          3. A `def` line that the model writes again after the prefilled one is dropped, and a body
             that is not indented is: small models do both, and neither says anything about reasoning.
Needs     words, prefill, a sandbox.   Costs   1 call and 1 execution a question.
"""

from __future__ import annotations

import math
import re
import textwrap
from collections.abc import Callable
from dataclasses import dataclass

from assay.core import Answer, Ask, Ended, Execute, Execution, Flow, Message, ask, execute
from assay.core.answers import extract_rationale_answer, read_chain

Extract = Callable[[str], str | None]


@dataclass(frozen=True, slots=True)
class Exemplar:
    """A worked example, solved in each of the three ways."""

    question: str
    thought: str
    program: str
    answer: str


EXEMPLARS = (
    Exemplar(
        "Nora has 5 boxes with 12 pencils in each box. How many pencils does she have?",
        "There are 5 boxes and each holds 12 pencils, so there are 5 * 12 = 60 pencils.",
        "boxes = 5\n    pencils_per_box = 12\n    return boxes * pencils_per_box",
        "60",
    ),
    Exemplar(
        "A bus carries 43 people. At the station 17 people get off. How many people are still on the bus?",
        "43 people are on the bus and 17 leave it, so 43 - 17 = 26 people stay.",
        "people = 43\n    got_off = 17\n    return people - got_off",
        "26",
    ),
    Exemplar(
        "Samir saves 15 coins in March and 28 coins in April. How many coins does he save in the two months?",
        "He saves 15 coins and then 28 coins, so he saves 15 + 28 = 43 coins.",
        "march = 15\n    april = 28\n    return march + april",
        "43",
    ),
    Exemplar(
        "A baker shares 96 rolls equally among 8 baskets. How many rolls are in each basket?",
        "96 rolls are shared among 8 baskets, so each basket has 96 / 8 = 12 rolls.",
        "rolls = 96\n    baskets = 8\n    return rolls // baskets",
        "12",
    ),
)
# No line break at the end: models read a break and the indentation behind it as one token.
DEF_LINE = "def solution():"
FENCE = "```python\n"
LARGEST = 10**1000
"""Beyond it a number is no answer to a word problem, and Python will not even spell it."""


def _turns(question: str, solve: Callable[[Exemplar], str]) -> tuple[Message, ...]:
    turns: list[Message] = []
    for exemplar in EXEMPLARS:
        turns += [Message("user", exemplar.question), Message("assistant", solve(exemplar))]
    return (*turns, Message("user", question))


def few_shot_direct(question: str, *, max_tokens: int = 16) -> Flow[Answer]:
    """The answer alone, after the same worked examples."""
    turns = _turns(question, lambda exemplar: f"The answer is {exemplar.answer}.")
    (reply,) = yield from ask(Ask(turns, prefill="The answer is", max_tokens=max_tokens))
    return Answer(reply.text, finish=reply.finish)


def few_shot_chain(
    question: str, extract: Extract = extract_rationale_answer, *, max_tokens: int = 128
) -> Flow[Answer]:
    """A chain of thought and the answer, after the same worked examples."""
    turns = _turns(question, lambda exemplar: f"{exemplar.thought} The answer is {exemplar.answer}.")
    (reply,) = yield from ask(Ask(turns, max_tokens=max_tokens))
    value = read_chain(reply, extract)
    return Answer("" if value is None else reply.text, value=value, finish=reply.finish)


def program_aided(question: str, *, max_tokens: int = 128) -> Flow[Answer]:
    """The value of the program the model wrote; the detail says how the program ended."""
    (reply,) = yield from ask(_program_request(question, max_tokens))
    execution = yield from execute(Execute(solution_of(reply.text), entry="solution"))
    value = number_of(execution)
    return Answer(
        "" if value is None else value,
        value=value,
        finish=reply.finish,
        detail="" if value is not None else execution.error or "the program returned no number",
    )


def program_without_execution(question: str, *, max_tokens: int = 128) -> Flow[Answer]:
    """Ablation: the same program, but the model itself states what it returns. Isolates the interpreter."""
    asked = _program_request(question, max_tokens)
    (program,) = yield from ask(asked)
    stated = f"{asked.prefill}{program.text.rstrip()}\n```\nThe program returns"
    (reply,) = yield from ask(Ask(asked.prompt, prefill=stated, max_tokens=16))
    return Answer(reply.text, finish=reply.finish)


def _program_request(question: str, max_tokens: int) -> Ask:
    turns = _turns(question, lambda exemplar: f"{FENCE}{DEF_LINE}\n    {exemplar.program}\n```")
    return Ask(turns, prefill=FENCE + DEF_LINE, max_tokens=max_tokens, stop=("```",))


def solution_of(text: str) -> str:
    """The program in a reply that goes on after `def solution():`."""
    body = re.sub(r"^\s*def\s+solution\s*\(\s*\)[^:\n]*:", "", text.split("```")[0])
    lines = [line for line in body.splitlines() if line.strip()]
    if lines and not lines[0].startswith((" ", "\t")):
        lines = textwrap.indent("\n".join(lines), "    ").splitlines()
    return "\n".join([DEF_LINE, *lines])


def number_of(execution: Execution) -> str | None:
    """The program's value as a number, or None: True is no number, and neither is text that is not one."""
    value = execution.value
    if execution.ended is not Ended.OK or isinstance(value, bool):
        return None
    if isinstance(value, int):
        return str(value) if abs(value) < LARGEST else None
    if isinstance(value, float) and math.isfinite(value):
        # Answers are compared as numbers within the paper's tolerance of 1e-3.
        return str(int(value)) if value.is_integer() else repr(round(value, 3))
    return None
