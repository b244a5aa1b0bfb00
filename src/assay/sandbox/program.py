"""Run one program and say how it went. This source is executed inside the sandbox.

It imports the standard library alone and runs on the system's Python, 3.9 or later.
"""

from __future__ import annotations

import ast
import json
import sys
import traceback
from types import ModuleType
from typing import Any

FILE = "<program>"
VALUE_BYTES = 1_000_000
"""A value whose JSON is longer is no value."""


def run_program(code: str, entry: str) -> dict[str, Any]:
    """How the program ended, its error as one sentence, and its value as JSON text where it has one."""
    module = ModuleType("__main__")
    sys.modules["__main__"] = module
    try:
        value = _evaluate(code, entry, module.__dict__)
        return {"ended": "ok", "error": "", "value": _json_text(value)}
    except MemoryError:
        return {"ended": "memory", "error": "MemoryError: the program needed more memory than its limit"}
    except _NoFunction:
        return {"ended": "error", "error": f"no function named '{entry}'"}
    except BaseException as error:  # SystemExit too: leaving early must not look like success
        return {"ended": "error", "error": _sentence(error)}


class _NoFunction(Exception):
    """The program defines no function of the name that was to be called."""


def _evaluate(code: str, entry: str, namespace: dict[str, Any]) -> Any:
    """Run the code, then call the entry function; without one, its last expression is the value."""
    tree = ast.parse(code, FILE)
    last = None
    if not entry and tree.body and isinstance(tree.body[-1], ast.Expr):
        last = ast.Expression(tree.body[-1].value)
        del tree.body[-1]
    exec(compile(tree, FILE, "exec", dont_inherit=True), namespace)
    if entry:
        if not callable(namespace.get(entry)):
            raise _NoFunction
        return namespace[entry]()
    return eval(compile(last, FILE, "eval", dont_inherit=True), namespace) if last else None


def _json_text(value: Any) -> str | None:
    """The value as JSON, None where it is not; the program may have broken `json` for itself."""
    try:
        text = json.dumps(value)
        return text if type(text) is str and len(text) <= VALUE_BYTES else None
    except Exception:
        return None


def _sentence(error: BaseException) -> str:
    """Such as `ZeroDivisionError: division by zero (line 3)`; `str` of a hostile error may raise."""
    line = error.lineno if isinstance(error, SyntaxError) else None
    try:
        words = error.msg if isinstance(error, SyntaxError) else str(error)
        text = " ".join(words.split())[:300]
    except BaseException:
        text = ""
    for frame, number in traceback.walk_tb(error.__traceback__):
        if frame.f_code.co_filename == FILE:
            line = number
    sentence = f"{type(error).__name__}: {text}" if text else type(error).__name__
    return f"{sentence} (line {line})" if line else sentence
