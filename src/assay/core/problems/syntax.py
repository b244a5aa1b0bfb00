"""Python read as a syntax tree, also where several threads read at the same time.

Before 3.11.8 and 3.12.2 CPython counts the depth of a tree once for all threads: where two parse at the same time
one of them may end in a SystemError, whatever its text (python/cpython issue 106905).
"""

from __future__ import annotations

import ast
import threading
from typing import Any, Literal, overload

_ALONE = threading.RLock()
_TRIES = 10
"""A library that parses by itself, in a thread of its own, can still come in between."""


@overload
def parsed(text: str | bytes, mode: Literal["exec"] = "exec") -> ast.Module: ...


@overload
def parsed(text: str | bytes, mode: Literal["eval"]) -> ast.Expression: ...


def parsed(text: str | bytes, mode: Literal["exec", "eval"] = "exec") -> ast.mod:
    """The tree of a text.

    Raises:
        SyntaxError, ValueError, RecursionError, MemoryError: as `ast.parse` does.
    """
    for _ in range(_TRIES):
        try:
            with _ALONE:
                return ast.parse(text, "<unknown>", mode)
        except SystemError:
            continue
    raise RecursionError("the text cannot be parsed")


def literal(text: str) -> Any:
    """The value a text stands for, as `ast.literal_eval` has it, with the same errors."""
    return ast.literal_eval(parsed(text.lstrip(" \t"), "eval"))
