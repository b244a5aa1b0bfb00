"""Who acts, thinks of tasks and puts them in order inside a loop.

Source    BabyAGI's three agents (execution, creation, prioritisation) and Auto-GPT's one, as prompts of ours.
Here      In a closed world every decision is among options that are known, and any driver can make it. With
          tools of the user's own the model writes calls as JSON and tasks as lines, held to a grammar or not.
Departs   1. A reply in which no call can be read gets one more turn with the reason; then the step has failed.
          2. What tools say stands in quotation marks, as data.
Needs     words; for `constrained`, grammars.
Costs     1 call a decision, 2 where the first cannot be read.
"""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol, TypeVar

from assay.core import Ask, Flow, Message, ask
from assay.core.agents import (
    ClosedWorld,
    Decider,
    MalformedCall,
    ToolCall,
    World,
    call_rule,
    characters,
    read_call,
    repeated,
)

W = TypeVar("W", bound=World, contravariant=True)
LONGEST_TASK = 80
LONGEST_CALL = 200
NEW_TASKS = 3
QUOTED = 600
"""Characters of one observation that a prompt shows."""
SYSTEM = "You work toward an objective by calling tools, one at a time."
FORMAT = 'Reply with one JSON object: {"tool": NAME, "arguments": {...}}'


class Policy(Protocol[W]):
    """Decides in a loop over worlds of kind W."""

    def act(self, world: W, task: str, seen: Sequence[str]) -> Flow[ToolCall | None]:
        """The next call; None where none could be read."""
        ...

    def propose(self, world: W, task: str, result: str, waiting: Sequence[str]) -> Flow[tuple[str, ...]]:
        """New tasks that a result gives rise to."""
        ...

    def order(self, world: W, tasks: Sequence[str], seen: Sequence[str]) -> Flow[tuple[str, ...]]:
        """The tasks in the order in which they are done; some may be missing from it."""
        ...

    def is_done(self, world: W, task: str, seen: Sequence[str]) -> bool:
        """Whether a task needs no more doing."""
        ...

    def note(self, call: ToolCall, observation: str) -> str:
        """What is remembered of a step."""
        ...


@dataclass(frozen=True, slots=True)
class ClosedPolicy:
    """Decides among the options of a closed world, by any driver."""

    decider: Decider

    def act(self, world: ClosedWorld, task: str, seen: Sequence[str]) -> Flow[ToolCall | None]:
        """One of the calls that can be made now."""
        found = yield from self.decider.decide(world.which_call(task, seen))
        return world.call_of(found[0]) if found else None

    def propose(self, world: ClosedWorld, task: str, result: str, waiting: Sequence[str]) -> Flow[tuple[str, ...]]:
        """Some of the tasks that can be made of the result."""
        question = world.which_tasks(result, waiting)
        return () if question is None else (yield from self.decider.decide(question))

    def order(self, world: ClosedWorld, tasks: Sequence[str], seen: Sequence[str]) -> Flow[tuple[str, ...]]:
        """All of them, in an order."""
        return (yield from self.decider.decide(world.which_order(tasks, seen)))

    def is_done(self, world: ClosedWorld, task: str, seen: Sequence[str]) -> bool:
        """As the observations say."""
        return world.is_done(task, seen)

    def note(self, call: ToolCall, observation: str) -> str:
        """The observation: the world is of our own making and names what it speaks of."""
        return observation


@dataclass(frozen=True, slots=True)
class OpenPolicy:
    """The model writes calls and tasks itself, in a world of which nothing is known beyond its tools."""

    constrained: bool = True
    temperature: float = 0.0

    def act(self, world: World, task: str, seen: Sequence[str]) -> Flow[ToolCall | None]:
        """The call the model writes; asked once more with the reason where none can be read."""
        prompt = f"{_scene(world)}\n{_history(seen)}Task: {task}\n{FORMAT}"
        request = self._request(prompt, call_rule(world.tools).grammar, LONGEST_CALL)
        (reply,) = yield from ask(request)
        try:
            return read_call(reply.text, world.tools)
        except MalformedCall as fault:
            again = f"{prompt}\nYou wrote: {_quoted(reply.text)}\nThat cannot be used: {fault.message}"
        (reply,) = yield from ask(self._request(again, call_rule(world.tools).grammar, LONGEST_CALL))
        try:
            return read_call(reply.text, world.tools)
        except MalformedCall:
            return None

    def propose(self, world: World, task: str, result: str, waiting: Sequence[str]) -> Flow[tuple[str, ...]]:
        """Up to three lines, each a task; none where the model has nothing to add."""
        listed = "\n".join(f"- {one}" for one in waiting) or "- none"
        prompt = (
            f"{_scene(world)}\nThe last task: {task}\nIts result: {_quoted(result)}\nTasks that wait:\n{listed}\n"
            f"Write up to {NEW_TASKS} new tasks that the result calls for, one a line, or: none"
        )
        line = characters("A-Za-z0-9 .,'?:/()_", 3, LONGEST_TASK)
        grammar = repeated(line, 1, NEW_TASKS, "\n").grammar
        (reply,) = yield from ask(self._request(prompt, grammar, NEW_TASKS * LONGEST_TASK // 3))
        lines = (re.sub(r"^[\s\-*0-9.)]+", "", one).strip() for one in reply.text.splitlines())
        return tuple(one[:LONGEST_TASK] for one in lines if one and one.rstrip(".").lower() != "none")[:NEW_TASKS]

    def order(self, world: World, tasks: Sequence[str], seen: Sequence[str]) -> Flow[tuple[str, ...]]:
        """By number, as the model writes them."""
        listed = "\n".join(f"{at}. {task}" for at, task in enumerate(tasks, 1))
        prompt = (
            f"{_scene(world)}\n{_history(seen)}Tasks:\n{listed}\n"
            "Write the numbers of the tasks in the order in which they should be done, separated by commas."
        )
        grammar = repeated(characters("0-9", 1, 2), 1, len(tasks), ", ").grammar
        (reply,) = yield from ask(self._request(prompt, grammar, 4 * len(tasks) + 8))
        numbers = dict.fromkeys(int(number) for number in re.findall(r"\d{1,3}", reply.text))
        return tuple(tasks[number - 1] for number in numbers if 1 <= number <= len(tasks))

    def is_done(self, world: World, task: str, seen: Sequence[str]) -> bool:
        """A task is tried once: whether it was done nobody can say."""
        return True

    def note(self, call: ToolCall, observation: str) -> str:
        """The call, and what it gave as quoted data."""
        return f"{call} gave {_quoted(observation)}"

    def _request(self, prompt: str, grammar: str, max_tokens: int) -> Ask:
        return Ask(
            (Message("system", SYSTEM), Message("user", prompt)),
            max_tokens=max_tokens,
            temperature=self.temperature,
            grammar=grammar if self.constrained else "",
        )


def _scene(world: World) -> str:
    """What never changes comes first: an engine keeps what it has evaluated."""
    tools = "\n".join(f"- {tool.signature}" for tool in world.tools)
    return f"Objective: {world.objective}\nTools:\n{tools}"


def _history(seen: Sequence[str]) -> str:
    return "".join(["What came of it so far:\n", *(f"- {one}\n" for one in seen)]) if seen else ""


def _quoted(text: str) -> str:
    """Data, and not an instruction: in quotation marks, on one line, cut with a mark."""
    plain = " ".join(text.split())
    return json.dumps(plain if len(plain) <= QUOTED else plain[:QUOTED] + " [cut]", ensure_ascii=False)
