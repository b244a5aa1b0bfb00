"""Tools an agent may use, what a call to one looks like, and the world that answers."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal, Protocol

from assay.core.agents.deciding import Question
from assay.core.agents.grammar import Rule, number, one_of, quotable, sequence
from assay.core.errors import AssayError
from assay.core.flow import Flow
from assay.core.validation import require

ParameterKind = Literal["text", "integer", "number", "yes-no"]
NAMES: dict[ParameterKind, str] = {
    "text": "a text",
    "integer": "a whole number",
    "number": "a number",
    "yes-no": "true or false",
}


@dataclass(frozen=True, slots=True)
class Parameter:
    """One argument of a tool."""

    name: str
    kind: ParameterKind = "text"
    choices: tuple[str, ...] = ()
    """Of a text: the only ones there are; empty: any."""
    longest: int = 120
    """Characters of a text that is not chosen."""

    def rule(self) -> Rule:
        """Its values as they stand in JSON."""
        if self.choices:
            return one_of(*(json.dumps(choice) for choice in self.choices))
        if self.kind == "text":
            return sequence('"', quotable(self.longest), '"')
        return one_of("true", "false") if self.kind == "yes-no" else number(9, 4 if self.kind == "number" else 0)

    def fault_of(self, value: Any) -> str:
        """What is wrong with a value, as the rest of a sentence; empty where nothing is."""
        fits = {
            "text": isinstance(value, str),
            "integer": isinstance(value, int) and not isinstance(value, bool),
            "number": isinstance(value, int | float) and not isinstance(value, bool),
            "yes-no": isinstance(value, bool),
        }[self.kind]
        if not fits:
            return f"must be {NAMES[self.kind]}"
        if self.choices and value not in self.choices:
            return f"must be one of {', '.join(self.choices)}"
        return ""


@dataclass(frozen=True, slots=True)
class Tool:
    """Something an agent can do: a name, one line of help, and typed parameters, all of them wanted."""

    name: str
    says: str = ""
    parameters: tuple[Parameter, ...] = ()

    def __post_init__(self) -> None:
        require(self.name.isidentifier(), f"'{self.name}' is no name for a tool.")

    @property
    def signature(self) -> str:
        """The tool as a line of a prompt."""
        wanted = ", ".join(
            f"{p.name}: {' | '.join(p.choices) if p.choices else NAMES[p.kind]}" for p in self.parameters
        )
        return f"{self.name}({wanted})" + (f" - {self.says}" if self.says else "")

    def rule(self) -> Rule:
        """Its calls, as JSON."""
        parts: list[Rule | str] = [f'{{"tool": {json.dumps(self.name)}, "arguments": {{']
        for at, parameter in enumerate(self.parameters):
            parts += [f"{', ' if at else ''}{json.dumps(parameter.name)}: ", parameter.rule()]
        return sequence(*parts, "}}")


@dataclass(frozen=True, slots=True)
class ToolCall:
    """A tool and its arguments; equal calls are equal values."""

    tool: str
    arguments: tuple[tuple[str, str | int | float | bool], ...] = ()

    @property
    def spelled(self) -> str:
        """As the JSON a model writes."""
        return json.dumps({"tool": self.tool, "arguments": dict(self.arguments)}, ensure_ascii=False)

    def __str__(self) -> str:
        return f"{self.tool}({', '.join(str(value) for _, value in self.arguments)})"


class World(Protocol):
    """What an agent acts on. A world of our own answers at once; another asks through requests of its flow."""

    @property
    def objective(self) -> str:
        """What is to be achieved, in words."""
        ...

    @property
    def tools(self) -> tuple[Tool, ...]:
        """What can be done now."""
        ...

    def act(self, call: ToolCall) -> Flow[str]:
        """Do it and say what came of it. A fault of the tool is an observation, not an error."""
        ...

    @property
    def finished(self) -> str:
        """How it ended: `done`, or `spent` where the world's own budget is; empty while it goes on."""
        ...

    def measures(self) -> Mapping[str, float]:
        """How it went, in numbers; empty where the world cannot say."""
        ...


class ClosedWorld(World, Protocol):
    """A world that knows every option, and what is right for one who has seen certain observations."""

    def which_call(self, task: str, seen: Sequence[str]) -> Question:
        """What to do next for a task."""
        ...

    def call_of(self, option: str) -> ToolCall:
        """The call an option of `which_call` stands for."""
        ...

    def which_tasks(self, result: str, waiting: Sequence[str]) -> Question | None:
        """Which new tasks a result gives rise to; None where there is nothing to choose from."""
        ...

    def which_order(self, tasks: Sequence[str], seen: Sequence[str]) -> Question:
        """In which order waiting tasks are done."""
        ...

    def is_done(self, task: str, seen: Sequence[str]) -> bool:
        """Whether these observations say that a task is done."""
        ...


class MalformedCall(AssayError):
    """A reply in which no call can be read; the message is what the model is told."""


def call_rule(tools: Sequence[Tool], *more: Rule) -> Rule:
    """Every call of every tool, as JSON; and whatever else may stand in its place."""
    return one_of(*(tool.rule() for tool in tools), *more)


def read_call(text: str, tools: Sequence[Tool]) -> ToolCall:
    """The first call that stands in a reply, prose around it allowed.

    Raises:
        MalformedCall: there is none, or it does not fit its tool.
    """
    fields = _first_object(text)
    name, arguments = fields.get("tool"), fields.get("arguments", {})
    known = {tool.name: tool for tool in tools}
    if name not in known:
        raise MalformedCall(f"There is no tool {json.dumps(name)}. Tools: {', '.join(known)}.")
    if not isinstance(arguments, dict):
        raise MalformedCall('"arguments" must be an object.')
    wanted = {parameter.name: parameter for parameter in known[name].parameters}
    if missing := [each for each in wanted if each not in arguments]:
        raise MalformedCall(f"{name} needs {', '.join(missing)}.")
    if unknown := [each for each in arguments if each not in wanted]:
        raise MalformedCall(f"{name} has no argument {', '.join(unknown)}.")
    for each, parameter in wanted.items():
        if fault := parameter.fault_of(arguments[each]):
            raise MalformedCall(f"{each} of {name} {fault}.")
    return ToolCall(name, tuple((each, arguments[each]) for each in wanted))


def _first_object(text: str) -> dict[str, Any]:
    decoder = json.JSONDecoder()
    at, found = text.find("{"), False
    while at >= 0:
        found = True
        try:
            fields, _ = decoder.raw_decode(text, at)
        except (ValueError, RecursionError):
            fields = None
        if isinstance(fields, dict) and "tool" in fields:
            return fields
        at = text.find("{", at + 1)
    reason = "The JSON in the reply cannot be read as a call" if found else "There is no JSON object in the reply"
    raise MalformedCall(f'{reason}. Write: {{"tool": NAME, "arguments": {{...}}}}')
