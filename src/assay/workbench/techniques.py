"""Techniques by the name a user types, found by looking through `assay.techniques`."""

from __future__ import annotations

import importlib
import inspect
import pkgutil
from collections.abc import Callable, Sequence
from typing import Any

from assay.core import Answer, Capability, Flow, UnknownName, UserError

QUESTIONS = ("question", "prompt", "text")
"""What techniques on one question call it."""


def all_techniques() -> dict[str, Callable[..., Flow[Answer]]]:
    """Every technique that takes a question, by its name with dashes."""
    import assay.techniques as shelves

    found: dict[str, Callable[..., Flow[Answer]]] = {}
    for shelf in pkgutil.iter_modules(shelves.__path__):
        module = importlib.import_module(f"{shelves.__name__}.{shelf.name}")
        for name in getattr(module, "__all__", ()):
            technique = getattr(module, name)
            if inspect.isgeneratorfunction(technique) and _takes_a_question(technique):
                found[name.replace("_", "-")] = technique
    return dict(sorted(found.items()))


def _takes_a_question(technique: Callable[..., Any]) -> bool:
    """Whether its first parameter is what a user would type: loops take a world, and others examples."""
    first = next(iter(inspect.signature(technique).parameters), "")
    return first in QUESTIONS


def needs_of(name: str) -> frozenset[Capability]:
    """What a technique needs of a model: its shelf says so."""
    shelf = all_techniques()[name].__module__.split(".")[2]
    below_words = {
        "logits": Capability.LOGITS,
        "activations": Capability.ACTIVATIONS,
        "training": Capability.WEIGHTS,
    }
    return frozenset({below_words[shelf]} if shelf in below_words else ())


def bind(name: str, question: str, pairs: Sequence[str]) -> Flow[Answer]:
    """The technique's flow on a question, with settings given as NAME=VALUE."""
    known = all_techniques()
    if name not in known:
        raise UnknownName("technique", name, known, hint=f"Techniques: {', '.join(known)}.")
    technique = known[name]
    parameters = list(inspect.signature(technique).parameters.values())[1:]
    simple = {p.name: p for p in parameters if p.name != "extract"}
    settings: dict[str, Any] = {}
    for pair in pairs:
        key, separator, value = pair.partition("=")
        key = key.strip().replace("-", "_")
        if not separator:
            raise UserError(f"'{pair}' is no setting.", hint="Write it as --set NAME=VALUE")
        if key not in simple:
            hint = f"It has: {', '.join(simple)}." if simple else "It has none."
            raise UnknownName(f"setting of {name}", key, simple, hint=hint)
        settings[key] = _convert(value, simple[key])
    missing = [p.name for p in simple.values() if p.default is p.empty and p.name not in settings]
    if missing:
        raise UserError(f"{name} needs {' and '.join(missing)}.", hint=f"Add: --set {missing[0]}=...")
    return technique(question, **settings)


def _convert(value: str, parameter: inspect.Parameter) -> Any:
    kind = str(parameter.annotation)
    try:
        if kind == "int":
            return int(value)
        if kind == "float":
            return float(value)
    except ValueError:
        raise UserError(f"{parameter.name} is a number, and '{value}' is none.") from None
    if "Sequence" in kind or "tuple" in kind:
        return tuple(part.strip() for part in value.split("|"))
    return value
