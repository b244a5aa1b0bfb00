"""The inside of a toolbox's process: the user's file is imported here, and its functions are called here.

It talks in lines of JSON over two pipes of its own; what tools print goes to standard error.
"""

from __future__ import annotations

import importlib.util
import inspect
import json
import os
import sys
import typing
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

KINDS: dict[Any, str] = {str: "text", int: "integer", float: "number", bool: "yes-no"}
LONGEST_RESULT = 4_000
"""Characters; what is longer is cut with a mark."""


def main(file: str, requests: int, answers: int) -> None:
    """Load the tools of a file, say what they are, and use them one at a time until the pipe closes."""
    with os.fdopen(requests, "r", encoding="utf-8") as asked, os.fdopen(answers, "w", encoding="utf-8") as told:

        def tell(value: Any) -> None:
            told.write(json.dumps(value) + "\n")
            told.flush()

        sys.stdout = sys.stderr
        try:
            tools = dict(_tools(Path(file)))
            tell({"tools": {name: _described(name, tool) for name, tool in tools.items()}})
        except BaseException as error:  # A file may raise anything, SystemExit too.
            tell({"fault": _sentence(error)})
            return
        for line in asked:
            wanted = json.loads(line)
            try:
                result = tools[wanted["tool"]](**wanted["arguments"])
                tell({"text": _cut(result if isinstance(result, str) else _as_text(result)), "failed": False})
            except BaseException as error:
                tell({"text": _sentence(error), "failed": True})


def _tools(file: Path) -> Iterator[tuple[str, Callable[..., Any]]]:
    """Every public function and method that the file itself defines, wrapped ones (`functools.cache`) too."""
    spec = importlib.util.spec_from_file_location(file.stem, file)
    if spec is None or spec.loader is None:
        raise ValueError(f"{file} is no Python file")
    module = importlib.util.module_from_spec(spec)
    sys.modules[file.stem] = module
    sys.path.insert(0, str(file.parent))
    spec.loader.exec_module(module)
    for name, value in vars(module).items():
        function = inspect.isfunction(value) or inspect.ismethod(value) or hasattr(value, "__wrapped__")
        if function and value.__module__ == module.__name__ and not name.startswith("_"):
            yield name, value


def _described(name: str, tool: Callable[..., Any]) -> dict[str, Any]:
    """A tool's help and parameters; a parameter needs a type that a model can be told."""
    if name == "finish":
        raise TypeError("finish is always there; call yours something else")
    inner = inspect.unwrap(tool)
    if inspect.iscoroutinefunction(inner) or inspect.isasyncgenfunction(inner):
        raise TypeError(f"{name} must be written with def, not with async def")
    if inspect.isgeneratorfunction(inner):
        raise TypeError(f"{name} must return what it gives, not yield it")
    hints = typing.get_type_hints(tool)
    parameters = []
    for parameter in inspect.signature(tool).parameters.values():
        hint = hints.get(parameter.name)
        choices: list[str] = []
        if typing.get_origin(hint) is typing.Literal:
            choices, hint = list(typing.get_args(hint)), str
            if not all(isinstance(one, str) for one in choices):
                raise TypeError(f"the choices of '{parameter.name}' of {name} must be texts")
        named = parameter.kind in (parameter.POSITIONAL_OR_KEYWORD, parameter.KEYWORD_ONLY)
        if not named or hint not in KINDS:
            raise TypeError(
                f"the parameter '{parameter.name}' of {name} needs a type: str, int, float, bool or Literal[...]"
            )
        parameters.append({"name": parameter.name, "kind": KINDS[hint], "choices": choices})
    says = (inspect.getdoc(tool) or "").partition("\n")[0]
    return {"says": says, "parameters": parameters}


def _as_text(value: Any) -> str:
    try:
        return json.dumps(value, ensure_ascii=False)
    except (TypeError, ValueError):
        return str(value)


def _cut(text: str) -> str:
    """Text that can be passed on: not too long, and a half character is a question mark."""
    text = text.encode("utf-8", "replace").decode()
    return text if len(text) <= LONGEST_RESULT else text[:LONGEST_RESULT] + " [cut]"


def _sentence(error: BaseException) -> str:
    return _cut(f"{type(error).__name__}: {' '.join(str(error).split())}".rstrip(": "))


if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2]), int(sys.argv[3]))
