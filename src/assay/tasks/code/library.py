"""Small functions of Python's own library, read at run time from where it is installed.

Nothing of them is copied into this project. A function comes with what it needs of its module, and its tests
are calls whose values the installed library gives. What another version of Python has not, or has otherwise
than in plain Python, is left out.
"""

from __future__ import annotations

import ast
import builtins
import contextlib
import importlib
import inspect
import json
from functools import cache
from types import ModuleType

from assay.core.problems.programs import Case
from assay.core.problems.syntax import parsed
from assay.tasks.code.functions import Function

LONGEST = 60
"""Lines, with all that a function needs."""
CALLS: tuple[tuple[str, str, tuple[str, ...]], ...] = (
    ("bisect", "bisect_left", ("[1, 3, 3, 7], 3", "[1, 3, 3, 7], 8", "[], 1", "[2, 4], 3")),
    ("bisect", "bisect_right", ("[1, 3, 3, 7], 3", "[1, 3, 3, 7], 0", "[], 1", "[2, 4], 4")),
    ("calendar", "isleap", ("1900", "2000", "2023", "2024")),
    ("calendar", "leapdays", ("1990, 2024", "2000, 2001", "1900, 1901")),
    ("colorsys", "rgb_to_hls", ("0.2, 0.4, 0.4", "1.0, 0.0, 0.0", "0.5, 0.5, 0.5")),
    ("colorsys", "rgb_to_hsv", ("0.2, 0.4, 0.4", "1.0, 0.0, 0.0", "0.5, 0.5, 0.5")),
    ("colorsys", "rgb_to_yiq", ("0.2, 0.4, 0.4", "1.0, 0.0, 0.0")),
    ("colorsys", "yiq_to_rgb", ("0.3, 0.1, 0.0", "0.9, 0.2, 0.1")),
    ("colorsys", "hsv_to_rgb", ("0.5, 0.5, 0.4", "0.1, 0.0, 1.0", "0.9, 1.0, 0.3")),
    ("difflib", "_calculate_ratio", ("3, 10", "0, 0", "5, 20")),
    ("difflib", "_format_range_unified", ("2, 5", "3, 3", "4, 5")),
    ("difflib", "_format_range_context", ("2, 5", "3, 3", "4, 5")),
    ("genericpath", "commonprefix", ("['interview', 'internet', 'interval']", "[]", "['a', 'b']")),
    ("html", "escape", ("'<a href=\"x\">'", "'a & b'", '"it\'s", False')),
    ("inspect", "cleandoc", ("'One.\\n\\n    Two\\n      three\\n    '", "'  x  '", "''")),
    ("inspect", "indentsize", ("'    x'", "'\\tx'", "'x'")),
    ("operator", "countOf", ("[1, 2, 1], 1", "'banana', 'a'", "[], 0")),
    ("operator", "indexOf", ("[5, 6, 7], 6", "'abc', 'c'")),
    ("ntpath", "splitdrive", ("'c:/dir'", "'//host/share/x'", "'plain'")),
    ("posixpath", "basename", ("'/a/b.txt'", "'x/'", "'y'")),
    ("posixpath", "dirname", ("'/a/b.txt'", "'x/'", "'//y'")),
    ("posixpath", "join", ("'a', 'b'", "'a/', '/c'", "'', 'd', 'e'")),
    ("posixpath", "split", ("'/a/b.txt'", "'x/'", "'//y'")),
    ("posixpath", "splitroot", ("'/a'", "'//a'", "'///a'", "'a'")),
    ("quopri", "ishex", ("b'a'", "b'G'", "b'7'")),
    ("shlex", "join", ("['a b', 'c']", "['x']", "[]")),
    ("shlex", "quote", ("'a b'", "'plain'", '"it\'s"')),
    ("statistics", "median", ("[3, 1, 2]", "[4, 1, 2, 3]", "[7]")),
    ("statistics", "median_high", ("[3, 1, 2]", "[4, 1, 2, 3]")),
    ("statistics", "median_low", ("[3, 1, 2]", "[4, 1, 2, 3]")),
    ("statistics", "multimode", ("'aabbc'", "[1, 2, 3]", "[]")),
    ("string", "capwords", ("'hello big world'", "'a-b-c', '-'", "''")),
    ("textwrap", "indent", ("'a\\n\\nb', '> '", "'x', '  '")),
    ("tokenize", "group", ("'a', 'b'", "'x'")),
    ("tokenize", "maybe", ("'a', 'b'", "'x'")),
    ("uuid", "_is_universal", ("0", "2 << 40", "7")),
    ("wsgiref.util", "is_hop_by_hop", ("'Connection'", "'Accept'")),
)


@cache
def library_functions() -> tuple[Function, ...]:
    """Those of the list that this Python has in plain Python, the same every time."""
    found = []
    for module, name, arguments in CALLS:
        # Whatever one version lacks or does otherwise: the function is left out.
        with contextlib.suppress(Exception):
            function = _function(importlib.import_module(module), name, arguments)
            if function is not None:
                found.append(function)
    return tuple(found)


def _function(module: ModuleType, name: str, arguments: tuple[str, ...]) -> Function | None:
    source = _with_needs(module, name)
    real = getattr(module, name)
    calls = [f"{name}({text})" for text in arguments]
    values = [eval(call, {name: real}) for call in calls]
    namespace: dict[str, object] = {}
    exec(source, namespace)
    same = all(eval(call, namespace) == value for call, value in zip(calls, values, strict=True))
    if not (calls and same and source.count("\n") <= LONGEST):
        return None
    json.dumps(values)
    cases = tuple(Case(*pair) for pair in zip(calls, map(repr, values), strict=True))
    return Function(name, source, cases, f"{module.__name__}.{name}")


def _with_needs(module: ModuleType, name: str) -> str:
    """A function's text behind the texts of all that it uses of its module, in the module's order."""
    text = inspect.getsource(module)
    lines = text.splitlines(keepends=True)
    defined: dict[str, ast.stmt] = {}
    for node in parsed(text).body:
        for bound in _bound(node):
            defined.setdefault(bound, node)
    wanted: dict[ast.stmt, None] = {}
    waiting = [name]
    while waiting:
        node = defined[waiting.pop()]
        if node not in wanted:
            wanted[node] = None
            names = {part.id for part in ast.walk(node) if isinstance(part, ast.Name)}
            waiting += sorted(used for used in names if used in defined and used not in dir(builtins))
    ordered = sorted(wanted, key=lambda node: node.lineno)
    return "\n".join("".join(lines[_first(node) - 1 : node.end_lineno]) for node in ordered)


def _bound(node: ast.stmt) -> list[str]:
    if isinstance(node, ast.FunctionDef | ast.ClassDef):
        return [node.name]
    if isinstance(node, ast.Import | ast.ImportFrom):
        return [(alias.asname or alias.name).partition(".")[0] for alias in node.names]
    targets = node.targets if isinstance(node, ast.Assign) else []
    return [target.id for target in targets if isinstance(target, ast.Name)]


def _first(node: ast.stmt) -> int:
    decorators: list[ast.expr] = getattr(node, "decorator_list", [])
    return min([node.lineno, *(one.lineno for one in decorators)])
