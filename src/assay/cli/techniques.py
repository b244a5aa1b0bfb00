"""Techniques by the name a user types, found by looking through `assay.techniques`."""

from __future__ import annotations

import asyncio
import importlib
import inspect
import pkgutil
from collections.abc import Callable, Sequence
from typing import Any

from assay.core import Answer, Budget, Capability, Flow, UnknownName, UserError
from assay.models import ModelChoice

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


def ask_technique(
    flow: Flow[Answer],
    choice: ModelChoice,
    needs: frozenset[Capability],
    seed: int,
    budget_tokens: float | None,
    trace: bool,
) -> None:
    """Run the flow and print its answer, what it measured, its votes and its cost."""
    from rich.console import Console
    from rich.markup import escape

    from assay.cli.workbench import bench
    from assay.home import find_home
    from assay.lab.driver import Done, Job

    budget = Budget(tokens=budget_tokens) if budget_tokens is not None else None

    async def work() -> Done[Answer]:
        async with bench(choice, find_home().make(), needs) as (_, model, driver):
            return await driver.drive(Job(None, lambda: flow, model, seed=seed, budget=budget))

    done = asyncio.run(work())
    console = Console(highlight=False)
    if trace:
        import json

        for number, step in enumerate(done.steps, 1):
            console.print(f"[dim]step {number}[/]")
            console.print(escape(json.dumps(step.to_json(), indent=1, ensure_ascii=False)), soft_wrap=True)
    if done.error is not None:
        raise done.error
    answer = done.value
    assert answer is not None, "a flow without error returns an answer"
    shown = answer.value if answer.value is not None else answer.text.strip()
    if shown or not answer.measures:
        console.print(escape(shown or f"(no answer: {answer.detail or 'the reply was empty'})"))
    else:
        for name, value in answer.measures.items():
            console.print(f"{escape(name):20} {value:.4g}")
    if answer.votes:
        votes = ", ".join(f"{text} x{count}" for text, count in answer.votes)
        console.print(f"[dim]votes: {escape(votes)}[/]")
    usage = done.usage
    console.print(
        f"[dim]{usage.calls} calls, {usage.tokens_in} tokens in, {usage.tokens_out} out, {usage.seconds:.1f} s[/]"
    )
