"""How odd a program is that parses: what a wrong guess at a repair leaves behind.

Source    none of its own: what linters complain about, counted.
Here      `oddity` adds up names nobody defines or reads, statements without effect or never reached, loops
          that cannot go round, calls of what cannot be called, brackets that change nothing, odd blanks.
          It only says which of two repairs of one text is likelier; it has no unit.
Departs   -
Needs     nothing.
Costs     nothing.
"""

from __future__ import annotations

import ast
import builtins
import warnings
from collections.abc import Iterator
from itertools import pairwise

from assay.core.problems.syntax import parsed
from assay.techniques.execution.repairing.source_text import Token, scan

JUMPS = (ast.Return, ast.Raise, ast.Break, ast.Continue)
BUILTINS = frozenset(dir(builtins))


def oddity(text: str) -> float:
    """How odd a text is that parses; 0 for what nothing is to be said against."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        tree = parsed(text)
    return _names(tree) + sum(_node(node) for node in ast.walk(tree)) + untidiness(scan(text))


def _names(tree: ast.AST) -> float:
    """Names that are read and nowhere bound, and names that are bound and nowhere read."""
    read: set[str] = set()
    bound: set[str] = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Name):
            (read if isinstance(node.ctx, ast.Load) else bound).add(node.id)
        elif isinstance(node, ast.arg):
            bound.add(node.arg)
    elsewhere = set(_defined(tree))
    unknown = read - bound - elsewhere - BUILTINS
    idle = {name for name in bound - read if not name.startswith("_")}
    return len(unknown) + 0.75 * len(idle)


def _defined(tree: ast.AST) -> Iterator[str]:
    for node in ast.walk(tree):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
            yield node.name
        elif isinstance(node, ast.alias):
            yield (node.asname or node.name).partition(".")[0]
        elif isinstance(node, ast.ExceptHandler) and node.name:
            yield node.name


def _node(node: ast.AST) -> float:
    """What is odd about one node and the blocks it holds."""
    found = 0.0
    blocks = [getattr(node, name, None) for name in ("body", "orelse", "finalbody")]
    for block in (block for block in blocks if isinstance(block, list)):
        found += sum(isinstance(statement, JUMPS) for statement in block[:-1])
        first = isinstance(node, ast.Module | ast.FunctionDef | ast.ClassDef | ast.AsyncFunctionDef)
        found += sum(_is_idle(statement) for statement in block[1 if first and _is_docstring(block) else 0 :])
    match node:
        case ast.For() | ast.While():
            found += isinstance(node.body[-1], ast.Return | ast.Break)
            breaks = any(isinstance(part, ast.Break) for part in ast.walk(node))
            found += 0.5 * bool(node.orelse and not breaks)
        case ast.Call(func=ast.Constant() | ast.Tuple() | ast.List() | ast.Dict()):
            found += 1
        case ast.FunctionDef():
            found += 0.5 * (not _returns_everywhere(node))
        case ast.Compare(left=ast.Constant()):
            found += 0.25
        case ast.Subscript(slice=ast.Tuple()):
            found += 0.5
    return found


def _is_docstring(block: list[ast.stmt]) -> bool:
    return bool(block) and isinstance(block[0], ast.Expr) and isinstance(block[0].value, ast.Constant)


def _is_idle(statement: ast.stmt) -> bool:
    """An expression whose value goes nowhere."""
    calls = (ast.Call, ast.Await, ast.Yield, ast.YieldFrom)
    return isinstance(statement, ast.Expr) and not isinstance(statement.value, calls)


def _returns_everywhere(function: ast.FunctionDef) -> bool:
    """Whether a function that returns values returns one at its end as well, or has none to return."""
    gives = any(isinstance(node, ast.Return) and node.value is not None for node in ast.walk(function))
    return not gives or _ends(function.body)


def _ends(block: list[ast.stmt]) -> bool:
    last = block[-1] if block else None
    if isinstance(last, ast.If):
        return _ends(last.body) and _ends(last.orelse)
    if isinstance(last, ast.Try):
        return _ends(last.finalbody) or all(_ends(part) for part in (last.body, *(h.body for h in last.handlers)))
    if isinstance(last, ast.With | ast.While | ast.Match):
        return True
    return isinstance(last, ast.Return | ast.Raise)


def untidiness(tokens: list[Token]) -> float:
    """What is odd about any text, whether it parses or not."""
    found = 0.0
    words = ("name", "number", "string")
    for left, right in pairwise([Token("newline", "", 0), *tokens]):
        gap = right.start - left.end
        if right.kind in ("newline", "comment"):
            continue
        if left.kind == "newline":
            found += 0.5 * (right.kind == "string" and right.text[:3] not in ('"""', "'''"))
            continue
        if gap and (
            right.kind == "close" or right.text in (",", ".", ":") or left.kind == "open" or left.text == "."
        ):
            found += 0.25
        if gap == 0 and right.kind in words and (left.kind in words or left.kind == "close"):
            found += 0.5
        if gap == 0 and left.text == ",":
            found += 0.1
    return found + 0.5 * sum(_idle_brackets(tokens))


def _idle_brackets(tokens: list[Token]) -> Iterator[bool]:
    """Of round brackets that group: whether what they hold would be a group without them."""
    opened: list[tuple[int, bool]] = []
    for at, token in enumerate(tokens):
        if token.kind == "open":
            before = tokens[at - 1] if at else None
            opened.append((at, before is not None and token.text == "(" and before.text in BEFORE))
        elif token.kind == "close" and opened:
            start, may_be_idle = opened.pop()
            after = tokens[at + 1] if at + 1 < len(tokens) else None
            inside = tokens[start + 1 : at]
            alone = after is None or after.kind in ("newline", "comment", "close")
            if may_be_idle and inside and (alone or len(inside) == 1):
                yield not any(one.text in (",", "for") or one.kind == "newline" for one in inside)


BEFORE = frozenset({"=", "+=", "-=", "*=", "return", "(", "[", "in", "if", "while"})
