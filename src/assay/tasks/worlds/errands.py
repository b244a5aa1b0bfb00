"""A world of errands: things to be got, some only after others, some for nothing, some not at all.

It is deterministic, and it says in words everything that an agent may know. What is hidden (which thing needs
which) comes out by trying; an agent that remembers what it was told loses less.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from random import Random

from assay.core.agents import Parameter, Question, Tool, ToolCall
from assay.core.flow import Flow

ADJECTIVES = (
    "brass", "oak", "wool", "red", "clay", "silver", "paper", "glass", "iron", "blue", "stone", "linen", "green",
    "copper", "leather", "black", "tin", "white", "amber", "cedar",
)  # fmt: skip
NOUNS = (
    "key", "chest", "coat", "map", "lamp", "rope", "letter", "ladder", "bell", "wheel", "box", "book", "cup",
    "saw", "flag", "coin", "knife", "brush", "drum", "basket",
)  # fmt: skip
TASK = "get the {}"
HAVE = "You have the {} now."
MISSING = "You cannot get the {} without the {}."
USELESS = "You have the {} now. It is of no use."
BROKEN = "Error 503: the {} cannot be reached."
ALREADY = "You have the {} already."
_MISSING = re.compile(r"You cannot get the ([a-z]+ [a-z]+) without the (.+?)\.")
_HAVE = re.compile(r"You have the ([a-z]+ [a-z]+) (?:now|already)\.")


@dataclass(frozen=True, slots=True)
class Thing:
    """Something that can be got."""

    name: str
    cost: int = 1
    needs: tuple[str, ...] = ()
    mentions: tuple[str, ...] = ()
    """What one hears of on getting it."""
    use: bool = True
    reachable: bool = True


@dataclass(frozen=True, slots=True)
class Errand:
    """An objective in such a world, and what may be spent on it."""

    things: tuple[Thing, ...]
    goals: tuple[str, ...]
    budget: int
    """Cost of all actions together, at most."""

    def needed(self) -> set[str]:
        """The goals that can be reached, and everything they need."""
        by_name = {thing.name: thing for thing in self.things}

        def reachable(name: str) -> bool:
            return by_name[name].reachable and all(reachable(need) for need in by_name[name].needs)

        found: set[str] = set()
        waiting = [goal for goal in self.goals if reachable(goal)]
        while waiting:
            name = waiting.pop()
            found.add(name)
            waiting += [need for need in by_name[name].needs if need not in found]
        return found


@dataclass(slots=True)
class ErrandWorld:
    """One errand being run; the state an agent acts on."""

    errand: Errand
    had: list[str] = field(default_factory=list)
    heard: list[str] = field(default_factory=list)
    """Names that have come up, in that order: what an agent can speak of."""
    spent: int = 0
    calls: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.heard = self.heard or list(self.errand.goals)

    @property
    def objective(self) -> str:
        """What is to be achieved, in words."""
        return f"Get the {_listed(self.errand.goals)}."

    @property
    def first_tasks(self) -> tuple[str, ...]:
        """The goals, as tasks."""
        return tuple(TASK.format(goal) for goal in self.errand.goals)

    @property
    def tools(self) -> tuple[Tool, ...]:
        """One tool: things that have come up can be got, or tried."""
        return (
            Tool("get", "get a thing, or learn what it needs", (Parameter("thing", choices=tuple(self.heard)),)),
        )

    @property
    def finished(self) -> str:
        """`done` once all goals were got, `spent` once nothing is left to spend."""
        if all(goal in self.had for goal in self.errand.goals):
            return "done"
        return "spent" if self.spent >= self.errand.budget else ""

    def act(self, call: ToolCall) -> Flow[str]:
        """Try to get a thing."""
        yield from ()
        name = str(dict(call.arguments)["thing"])
        thing = next(one for one in self.errand.things if one.name == name)
        self.calls.append(name)
        self.spent += thing.cost
        if name in self.had:
            return ALREADY.format(name)
        if not thing.reachable:
            return BROKEN.format(name)
        missing = [need for need in thing.needs if need not in self.had]
        if missing:
            self._hear(missing)
            return MISSING.format(name, _listed(missing))
        self.had.append(name)
        self._hear(thing.mentions)
        said = (HAVE if thing.use else USELESS).format(name)
        return f"{said} A note on it speaks of the {_listed(thing.mentions)}." if thing.mentions else said

    def measures(self) -> Mapping[str, float]:
        """How it went: goals got, and what was spent for nothing."""
        wasted = len(self.calls) - len(set(self.calls) & set(self.had) & self.errand.needed())
        return {
            "goals": sum(goal in self.had for goal in self.errand.goals) / len(self.errand.goals),
            "actions": float(len(self.calls)),
            "waste": wasted / len(self.calls) if self.calls else 0.0,
            "spent": min(1.0, self.spent / self.errand.budget),
        }

    def _hear(self, names: Sequence[str]) -> None:
        self.heard += [name for name in names if name not in self.heard]

    # --- what is to be decided in it, and what one would decide who understands what was said and knows no more

    def which_call(self, task: str, seen: Sequence[str]) -> Question:
        """What to do next for a task, after these observations."""
        options = tuple(TASK.format(name) for name in self.heard)
        prompt = f"Objective: {self.objective}\n{_told(seen)}Task: {task}.\nWhat do you do next for this task?"
        return Question("tool", prompt, options, self._helpful(task, seen))

    def call_of(self, option: str) -> ToolCall:
        """The call that an option of `which_call` stands for."""
        return ToolCall("get", (("thing", option.removeprefix(TASK.format(""))),))

    def which_tasks(self, result: str, waiting: Sequence[str]) -> Question | None:
        """Which new tasks a result gives rise to; None where it speaks of nothing."""
        options = tuple(TASK.format(name) for name in self.heard if name in result)
        if not options:
            return None
        _, needs, _ = _read([result])
        wanted = [TASK.format(need) for name in needs for need in needs[name]] + [
            TASK.format(name) for name in needs
        ]
        right = tuple(task for task in dict.fromkeys(wanted) if task not in waiting)
        prompt = (
            f"Objective: {self.objective}\nThe last result: {result}\nTasks that wait: {_inline(waiting)}.\n"
            "Which new tasks does the result give rise to?"
        )
        return Question("new tasks", prompt, options, right, "select", most=3)

    def which_order(self, tasks: Sequence[str], seen: Sequence[str]) -> Question:
        """In which order waiting tasks are done."""
        had, needs, broken = _read(seen)

        def height(name: str, above: frozenset[str] = frozenset()) -> int:
            below = [need for need in needs.get(name, ()) if need not in had and need not in above]
            return 1 + max((height(need, above | {name}) for need in below), default=0)

        def urgency(task: str) -> tuple[bool, int]:
            name = task.removeprefix(TASK.format(""))
            return (name in had or name in broken, height(name))

        prompt = f"Objective: {self.objective}\n{_told(seen)}In which order should the tasks be done?"
        return Question("order", prompt, tuple(tasks), tuple(sorted(tasks, key=urgency)), "order")

    def is_done(self, task: str, seen: Sequence[str]) -> bool:
        """Whether these observations say that the task is done."""
        return task.removeprefix(TASK.format("")) in _read(seen)[0]

    def _helpful(self, task: str, seen: Sequence[str]) -> tuple[str, ...]:
        had, needs, broken = _read(seen)
        wanted = [name for name in self.heard if name in task and name not in had and name not in broken]
        wanted += [goal for goal in self.errand.goals if goal not in had and goal not in broken]
        for name in wanted:
            met: set[str] = set()
            while name not in met and (missing := [need for need in needs.get(name, ()) if need not in had]):
                met.add(name)
                name = missing[0]
            if name not in broken and name in self.heard:
                return (TASK.format(name),)
        return ()


def _read(seen: Sequence[str]) -> tuple[set[str], dict[str, list[str]], set[str]]:
    """What observations say: had, needed for what, and out of reach."""
    had: set[str] = set()
    needs: dict[str, list[str]] = {}
    broken: set[str] = set()
    for text in seen:
        had |= set(_HAVE.findall(text))
        broken |= set(re.findall(r"Error 503: the ([a-z]+ [a-z]+) cannot", text))
        for name, missing in _MISSING.findall(text):
            needs[name] = re.findall(r"[a-z]+ [a-z]+(?=$|,| and the )", missing.replace(", the ", ", "))
    return had, needs, broken


def _told(seen: Sequence[str]) -> str:
    return "".join(["What came of it so far:\n", *(f"- {text}\n" for text in seen)]) if seen else ""


def _inline(tasks: Sequence[str]) -> str:
    return "; ".join(tasks) or "none"


def _listed(names: Sequence[str]) -> str:
    return names[0] if len(names) == 1 else ", the ".join(names[:-1]) + " and the " + names[-1]


def errand(rng: Random, things: int, goals: int, depth: int, *, unreachable: int = 0) -> Errand:
    """An errand at random: goals on top of chains of needs, the rest of the things lead nowhere.

    `unreachable` goals always answer with an error. The budget is twice what one pays who knows everything.
    """
    names = rng.sample([f"{a} {n}" for a in ADJECTIVES for n in NOUNS], things)
    made: dict[str, Thing] = {}
    free = list(names)
    tops = [free.pop() for _ in range(goals)]
    for at, goal in enumerate(tops):
        _chain(rng, goal, free, depth, made, reachable=at >= unreachable)
    idle = [Thing(name, rng.randint(1, 2), use=False, reachable=rng.random() > 0.3) for name in free]
    for place in made.values():
        mentioned = tuple(rng.sample(free, min(len(free), rng.randint(0, 2))))
        made[place.name] = Thing(place.name, place.cost, place.needs, mentioned, place.use, place.reachable)
    found = Errand((*made.values(), *idle), tuple(sorted(tops)), 1)
    price = sum(thing.cost for thing in found.things if thing.name in found.needed())
    return Errand(found.things, found.goals, 2 * max(price, 1) + 2 * unreachable)


def _chain(
    rng: Random, name: str, free: list[str], depth: int, made: dict[str, Thing], *, reachable: bool = True
) -> None:
    """The thing and what it needs, down to `depth` below it."""
    wanted = rng.randint(1, 2) if depth > 0 and reachable else 0
    needs = tuple(free.pop() for _ in range(min(wanted, len(free))))
    made[name] = Thing(name, rng.randint(1, 2), needs, reachable=reachable)
    for need in needs:
        _chain(rng, need, free, depth - rng.randint(1, 2), made)
