"""The tree that every search here walks, what it asks of a problem, and who proposes, judges and checks.

Source    the parts that Yao et al. 2023 (arXiv 2305.10601) and Long 2023 (2305.08291) share.
Here      a problem is a value that knows its rules; proposing, judging and checking are flows that can be
          exchanged one by one, so that an ablation changes one of them and nothing else.
Departs   1. A state stands in the tree once: who comes to it on another way, or on a circle, finds it there.
Needs     words, where a model proposes, judges or checks.
Costs     1 call a proposal; the judge's samples a state; 1 call a check by a model.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable, Mapping, Sequence
from dataclasses import dataclass, field
from random import Random
from typing import Generic, Protocol, TypeVar

from assay.core import Answer, Ask, Finish, Flow, Reply
from assay.core.answers import extract_yes_no

State = TypeVar("State", bound=Hashable)


class Problem(Protocol[State]):
    """A search problem: a frozen value. States are values too; equal ones have the same future."""

    @property
    def start(self) -> State:
        """Where the search begins."""
        ...

    def render(self, state: State) -> str:
        """The state as a prompt shows it."""
        ...

    def step(self, state: State, line: str) -> State | None:
        """The state to which a written step leads; None where the line is no step here."""
        ...

    def moves(self, state: State) -> Sequence[str]:
        """Every step there is, good or bad, as a line."""
        ...

    def check(self, state: State) -> str:
        """Which rule the state breaks, as a sentence; empty where it breaks none."""
        ...

    def finished(self, state: State) -> bool:
        """Whether nothing is left to be done, rightly or wrongly."""
        ...

    def told(self, state: State) -> str:
        """The state as an answer."""
        ...


def solved(problem: Problem[State], state: State) -> bool:
    """Whether a state is finished and breaks no rule."""
    return problem.finished(state) and not problem.check(state)


# --- the tree ------------------------------------------------------------------------------------------


@dataclass(slots=True, eq=False)
class Node(Generic[State]):
    """A state with the way that led to it first."""

    id: int
    state: State
    parent: Node[State] | None
    depth: int
    origin: str
    """Who proposed it."""
    value: float = 0.0
    visits: int = 0

    def above(self, steps: int) -> Node[State]:
        """The ancestor so many steps up; the root at most."""
        node = self
        for _ in range(steps):
            node = node.parent or node
        return node


@dataclass(slots=True)
class Tree(Generic[State]):
    """Nodes in the order they were found. A parent stands before its children, so there are no circles."""

    problem: Problem[State]
    nodes: list[Node[State]] = field(default_factory=list)
    _by_state: dict[State, Node[State]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self._add(self.problem.start, None, "given")

    @property
    def root(self) -> Node[State]:
        """Where the search began."""
        return self.nodes[0]

    def grow(self, parent: Node[State], lines: Sequence[str], origin: str) -> list[Node[State]]:
        """New children, one for each line that is a step to a state the tree does not hold."""
        states = [self.problem.step(parent.state, line) for line in lines]
        new = dict.fromkeys(state for state in states if state is not None and state not in self._by_state)
        return [self._add(state, parent, origin) for state in new]

    def reach(self, parent: Node[State], lines: Sequence[str], origin: str) -> Node[State] | None:
        """The node, new or known, to which the first line that is a step leads; None where no line is one."""
        for line in lines:
            state = self.problem.step(parent.state, line)
            if state is not None:
                return self._by_state.get(state) or self._add(state, parent, origin)
        return None

    def path(self, node: Node[State]) -> list[Node[State]]:
        """From the root to the node."""
        found = [node]
        while found[-1].parent is not None:
            found.append(found[-1].parent)
        return found[::-1]

    def _add(self, state: State, parent: Node[State] | None, origin: str) -> Node[State]:
        node = Node(len(self.nodes), state, parent, 0 if parent is None else parent.depth + 1, origin)
        self.nodes.append(node)
        self._by_state[state] = node
        return node


def answer_of(tree: Tree[State], chosen: Node[State], detail: str, measures: Mapping[str, float]) -> Answer:
    """The chosen node as an answer; none where nothing that was proposed could be read."""
    found = {"nodes": float(len(tree.nodes)), "depth": float(chosen.depth)} | dict(measures)
    if len(tree.nodes) == 1 and not solved(tree.problem, chosen.state):
        return Answer(detail=detail or "no step could be read", measures=found)
    told = tree.problem.told(chosen.state)
    return Answer(told, value=told, detail=detail, measures=found)


# --- who proposes, judges and checks ---------------------------------------------------------------------

Propose = Callable[[State, str], Flow[Sequence[str]]]
"""(state, what was wrong before) -> lines, of which those that are steps become children."""
Judge = Callable[[Sequence[State]], Flow[Sequence[float]]]
"""Values of several states, higher is better."""
Check = Callable[[State], Flow[str]]
"""What is wrong with a state, as a sentence; empty: nothing."""
Request = Callable[[str, str], Ask]
"""(state as shown, what was wrong before) -> how a model is asked for steps."""

MARKS: Mapping[str, float] = {"sure": 20.0, "certain": 20.0, "likely": 1.0, "maybe": 1.0, "impossible": 0.001}
"""Yao et al.'s values of a verbal judgement."""


def lines_of(replies: Sequence[Reply]) -> list[str]:
    """The lines of several replies; the last one of a reply that was cut is half a line, and left out."""
    found: list[str] = []
    for reply in replies:
        lines = reply.text.splitlines()
        found += lines[:-1] if reply.finish is Finish.LENGTH and len(lines) > 1 else lines
    return found


def asked(problem: Problem[State], request: Request) -> Propose[State]:
    """The model proposes."""

    def propose(state: State, complaint: str) -> Flow[Sequence[str]]:
        (replies,) = yield [request(problem.render(state), complaint)]
        return lines_of(replies)

    return propose


def drawn(problem: Problem[State], seed: int | str, count: int = 1) -> Propose[State]:
    """Placebo: steps drawn blindly from all there are."""
    rng = Random(seed)

    def propose(state: State, complaint: str) -> Flow[Sequence[str]]:
        yield from ()
        moves = problem.moves(state)
        return rng.sample(moves, min(count, len(moves)))

    return propose


def judged(
    problem: Problem[State], request: Callable[[str], Ask], marks: Mapping[str, float] = MARKS
) -> Judge[State]:
    """The model judges: the sum over its replies of what the last label in each is worth; no state twice."""
    known: dict[State, float] = {}

    def judge(states: Sequence[State]) -> Flow[Sequence[float]]:
        new = [state for state in dict.fromkeys(states) if state not in known]
        if new:
            answers = yield [request(problem.render(state)) for state in new]
            for state, replies in zip(new, answers, strict=True):
                known[state] = sum(mark_of(reply.text, marks) for reply in replies)
        return [known[state] for state in states]

    return judge


def mark_of(text: str, marks: Mapping[str, float] = MARKS) -> float:
    """What the last label in a reply is worth; 0 where there is none."""
    words = "".join(sign if sign.isalpha() else " " for sign in text.casefold()).split()
    return next((marks[word] for word in reversed(words) if word in marks), 0.0)


def voted(problem: Problem[State], request: Callable[[Sequence[str]], Ask]) -> Judge[State]:
    """The model votes: all states in one prompt, numbered from 1; a state's value is its votes."""

    def judge(states: Sequence[State]) -> Flow[Sequence[float]]:
        (replies,) = yield [request([problem.render(state) for state in states])]
        votes = [_number_in(reply.text) for reply in replies]
        return [float(votes.count(at)) for at in range(1, len(states) + 1)]

    return judge


def _number_in(text: str) -> int:
    digits = "".join(sign if sign.isascii() and sign.isdigit() else " " for sign in text).split()
    return int(digits[-1][:6]) if digits else 0


def valued_at_random(seed: int | str) -> Judge[State]:
    """Placebo: values that know nothing, the same for the same state."""
    rng = Random(seed)
    known: dict[Hashable, float] = {}

    def judge(states: Sequence[State]) -> Flow[Sequence[float]]:
        yield from ()
        return [known.setdefault(state, rng.random()) for state in states]

    return judge


def by_rules(problem: Problem[State]) -> Check[State]:
    """The rules of the problem check."""

    def check(state: State) -> Flow[str]:
        yield from ()
        return problem.check(state)

    return check


def by_model(problem: Problem[State], request: Callable[[str], Ask]) -> Check[State]:
    """The model checks: no is a complaint, anything else is none."""

    def check(state: State) -> Flow[str]:
        ((reply,),) = yield [request(problem.render(state))]
        return "You said that this breaks a rule." if extract_yes_no(reply.text) == "no" else ""

    return check
