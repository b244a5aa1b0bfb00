"""Programs that are asked for, and the tests that decide about them.

What a program ought to give never enters the box with it: the box gets the call, and the value that comes
back is compared out here. A program that prints "passed", leaves early or redefines equality gains nothing.
Only what of a file's `check` is no plain comparison must run beside the program, which could disturb it there.
"""

from __future__ import annotations

import ast
import doctest
import json
import re
from dataclasses import dataclass
from typing import Any

from assay.core.problems.syntax import literal, parsed


@dataclass(frozen=True, slots=True)
class Case:
    """A test: a call, and the value it ought to give."""

    call: str
    """A Python expression, such as `double(3)`."""
    expected: str
    """A Python literal, such as `6`."""

    def accepts(self, value: Any) -> bool:
        """Whether a JSON value from the box is the expected one; a tuple counts as a list, as in JSON."""
        return same_value(value, literal(self.expected))


@dataclass(frozen=True, slots=True)
class Problem:
    """A function to be written: what is shown of it, and what decides whether it is right."""

    entry: str
    """The function's name."""
    prompt: str
    """Code that ends where the body begins: imports, signature, docstring."""
    visible: tuple[Case, ...] = ()
    """Tests that stand in the prompt: a technique may run them and show what came of them."""
    hidden: tuple[Case, ...] = ()
    """Tests that decide. They never enter a prompt."""
    check: str = ""
    """Further hidden tests as the source of a function `check(candidate)`; it is run inside the box."""
    solution: str = ""
    """A right program, whole."""


def same_value(found: Any, expected: Any) -> bool:
    """Equality as `==` has it, on what JSON makes of the expected value."""
    try:
        return bool(found == json.loads(json.dumps(expected)))
    except (TypeError, ValueError):
        return False


_STATED = re.compile(
    r"^\s*(?:>>>|[*-]|assert\b|for\b)?\s*(?P<call>\w+\(.*\))"
    r"\s*(?:==?>?|->|➞|→|\bshould return\b|\breturns?\b)\s*(?P<value>.+?)\s*$"
)


def cases_in(text: str, entry: str = "") -> tuple[Case, ...]:
    """Tests that a text states, each once: doctests, asserts, and lines such as `f(2) == 4` or `f(2) -> 4`.

    Only calls with a literal beside them count, and only of the function `entry` where one is named.
    """
    found: dict[Case, None] = {}
    text = re.sub(r"\"{3}|'{3}", "\n", text)  # quotes that end a docstring are no part of its last example
    for call, value in (*_doctests(text), *_statements(text)):
        case = _case(call, value, entry)
        if case is not None:
            found[case] = None
    return tuple(found)


def _doctests(text: str) -> list[tuple[str, str]]:
    try:
        examples = doctest.DocTestParser().get_examples(text)
    except ValueError:
        return []
    # Where no blank line follows, what stands below is taken for a part of the value: its first line alone then.
    return [
        (one.source.strip(), value)
        for one in examples
        for value in (one.want.strip(), one.want.partition("\n")[0])
    ]


def _statements(text: str) -> list[tuple[str, str]]:
    found = [match for line in text.splitlines() if (match := _STATED.match(line))]
    return [(match["call"], match["value"].removesuffix(".")) for match in found]


def cases_of_check(check: str, entry: str) -> tuple[tuple[Case, ...], str]:
    """What a function `check(candidate)` compares with literals, as tests of `entry`; and the source of the rest.

    Nothing is taken out where JSON would make something else of the value, such as a tuple.
    """
    try:
        tree = parsed(check)
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return (), check
    function = next((one for one in tree.body if isinstance(one, ast.FunctionDef) and one.name == "check"), None)
    if function is None or len(function.args.args) != 1:
        return (), check
    candidate = function.args.args[0].arg
    found = [(statement, _compared(statement, candidate, entry)) for statement in function.body]
    cases = dict.fromkeys(case for _, case in found if case is not None)
    rest = [statement for statement, case in found if case is None and not _says_nothing(statement)]
    if not rest:
        return tuple(cases), ""
    function.body = rest
    return tuple(cases), ast.unparse(tree)


def _compared(statement: ast.stmt, candidate: str, entry: str) -> Case | None:
    """The test in `assert candidate(1) == 2`, where all that is given and expected is literal."""
    match statement:
        case ast.Assert(
            test=ast.Compare(left=ast.Call(func=ast.Name(id=name)) as call, ops=[ast.Eq()], comparators=[expected])
        ) if name == candidate:
            pass
        case _:
            return None
    try:
        for given in (*call.args, *(keyword.value for keyword in call.keywords)):
            ast.literal_eval(given)
        value = ast.literal_eval(expected)
        if json.loads(json.dumps(value, allow_nan=False)) != value:
            return None
    except (ValueError, TypeError, SyntaxError, MemoryError, RecursionError):
        return None
    call.func = ast.Name(entry, ast.Load())
    return Case(ast.unparse(call), ast.unparse(expected))


def _says_nothing(statement: ast.stmt) -> bool:
    """Whether it is a docstring, `pass` or `assert True`."""
    match statement:
        case ast.Pass() | ast.Expr(value=ast.Constant()):
            return True
        case ast.Assert(test=ast.Constant(value=value)):
            return bool(value)
    return False


def _case(call: str, value: str, entry: str) -> Case | None:
    """The test as it stands, or None where it is none."""
    try:
        tree = parsed(call, "eval").body
        json.dumps(literal(value))
    except (SyntaxError, ValueError, TypeError, MemoryError, RecursionError):
        return None
    if not isinstance(tree, ast.Call) or not isinstance(tree.func, ast.Name):
        return None
    return Case(call, value) if tree.func.id == (entry or tree.func.id) else None
