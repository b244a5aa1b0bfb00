"""Asking for a function, and the program in what comes back.

Source    none of its own: what Self-Debug and the code pool of this shelf share.
Here      The problem stands in the user's turn, the signature begins the assistant's; the body that comes back
          is put behind it. A question in free words is a problem without a signature.
Departs   1. A `def` line that the model writes again is dropped and a body without indentation is indented, as
             in `program_aided`: small models do both.
Needs     words, prefill.
Costs     1 call.
"""

from __future__ import annotations

import ast
import re
import textwrap
from dataclasses import dataclass

from assay.core import Ask, Finish, Message, Reply
from assay.core.problems.programs import Problem, cases_in
from assay.core.problems.syntax import parsed
from assay.techniques.execution.repairing.repair import fenced_code
from assay.techniques.execution.repairing.source_text import fault_of

FENCE = "```python\n"
STOPS = ("```", "\ndef ", "\nclass ", "\nprint", "\nassert", "\nif ", "\n#")
LONGEST = 192
"""Tokens of one program."""


@dataclass(frozen=True, slots=True)
class Signature:
    """A prompt taken apart."""

    before: str
    """Imports and helpers."""
    header: str
    """From `def` to the colon; empty where the prompt is no code."""


def signature_of(problem: Problem) -> Signature:
    """Where the function's body begins."""
    try:
        tree = parsed(f"{problem.prompt}\n    pass")
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return Signature("", "")
    lines = problem.prompt.split("\n")
    for node in tree.body:
        if isinstance(node, ast.FunctionDef) and node.name == problem.entry:
            header = lines[node.lineno - 1 : max(node.lineno, node.body[0].lineno - 1)]
            return Signature("\n".join(lines[: node.lineno - 1]), "\n".join(header).rstrip())
    return Signature("", "")


def asked_freely(question: str) -> Problem:
    """A question in a user's own words as a problem; examples in it are its visible tests."""
    named = re.search(r"\bdef\s+(\w+)\s*\(", question)
    cases = cases_in(question, named[1] if named else "")
    entry = named[1] if named else cases[0].call.partition("(")[0] if cases else ""
    same = tuple(case for case in cases if case.call.startswith(f"{entry}("))
    return Problem(entry, question, same)


def task_of(problem: Problem) -> Message:
    """The user's turn that states the problem."""
    if signature_of(problem).header:
        return Message("user", f"Complete this Python function.\n\n{FENCE}{problem.prompt.rstrip()}\n```")
    return Message("user", f"Write a Python function.\n\n{problem.prompt}")


def program_request(problem: Problem, turns: tuple[Message, ...], temperature: float, n: int = 1) -> Ask:
    """The request for a program, after these turns."""
    # No line break at the end: models read a break and the indentation behind it as one token.
    prefill = f"{FENCE}{signature_of(problem).header}".rstrip("\n")
    stops = STOPS if signature_of(problem).header else ("```",)
    return Ask(turns, prefill=prefill, n=n, max_tokens=LONGEST, temperature=temperature, stop=stops)


def program_of(problem: Problem, text: str) -> str:
    """The program in a reply that goes on after the signature; empty where there is none."""
    signature = signature_of(problem)
    if not signature.header:
        return fenced_code(f"{FENCE}{text.lstrip(chr(10))}\n```").strip("\n")
    body = re.sub(rf"^\s*(?:async\s+)?def\s+{problem.entry}\s*\([^\n]*:", "", text.split("```")[0])
    lines = [line for line in body.splitlines() if line.strip()]
    if not lines:
        return ""
    if not lines[0].startswith((" ", "\t")):
        lines = textwrap.indent("\n".join(lines), "    ").splitlines()
    return "\n".join([signature.before, signature.header, *lines]).lstrip("\n")


def is_cut(reply: Reply, program: str) -> bool:
    """Whether a reply was cut before its program was whole."""
    return reply.finish is Finish.LENGTH and fault_of(program) is not None
