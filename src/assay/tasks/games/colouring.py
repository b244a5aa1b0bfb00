"""Graph colouring: neighbours get different colours; problems with a hidden solution, and maybe others."""

from __future__ import annotations

import re
from dataclasses import dataclass
from itertools import combinations
from random import Random

from assay.core.validation import require

Colours = tuple[int, ...]
"""Of the first nodes, in order; the first colour is 1."""


@dataclass(frozen=True, slots=True)
class Colouring:
    """A problem for a tree (`techniques.search.tree`): nodes are coloured one by one, in their order."""

    nodes: int
    edges: tuple[tuple[int, int], ...]
    """Pairs of nodes, the lower one first; the first node is 0."""
    colours: int

    @property
    def start(self) -> Colours:
        """Nothing is coloured."""
        return ()

    def render(self, state: Colours) -> str:
        """Edges, and the colours so far."""
        edges = " ".join(f"{a + 1}-{b + 1}" for a, b in self.edges)
        return f"edges: {edges}\ncolours: {self.told(state)}"

    def step(self, state: Colours, line: str) -> Colours | None:
        """The next node in the colour the line says; whether a neighbour has it is for the checker to say."""
        return (*state, int(line)) if line in self.moves(state) else None

    def moves(self, state: Colours) -> tuple[str, ...]:
        """Every colour."""
        return () if self.finished(state) else tuple(str(colour) for colour in range(1, self.colours + 1))

    def check(self, state: Colours) -> str:
        """Two neighbours of one colour, where there are any."""
        alike = (
            f"{a + 1} and {b + 1} are alike." for a, b in self.edges if b < len(state) and state[a] == state[b]
        )
        return next(alike, "")

    def finished(self, state: Colours) -> bool:
        """Whether every node is coloured."""
        return len(state) == self.nodes

    def told(self, state: Colours) -> str:
        """The colours in the order of the nodes."""
        return " ".join(map(str, state))

    def answers(self, text: str) -> bool:
        """Whether told colours are a solution."""
        state = tuple(map(int, re.findall("[1-9]", text)))
        return self.finished(state) and max(state) <= self.colours and not self.check(state)


def completed(problem: Colouring, state: Colours) -> Colours | None:
    """A solution that begins so; None where there is none."""
    if problem.check(state):
        return None
    if problem.finished(state):
        return state
    ways = (completed(problem, (*state, colour)) for colour in range(1, problem.colours + 1))
    return next((way for way in ways if way is not None), None)


def coloured(nodes: int, edges: int, colours: int, rng: Random) -> Colouring:
    """A graph with a hidden solution that uses every colour alike; `BadRequest` for more edges than it leaves."""
    hidden = [at % colours for at in rng.sample(range(nodes), nodes)]
    pairs = [(a, b) for a, b in combinations(range(nodes), 2) if hidden[a] != hidden[b]]
    require(edges <= len(pairs), f"{nodes} nodes in {colours} colours have no {edges} edges.")
    return Colouring(nodes, tuple(sorted(rng.sample(pairs, edges))), colours)
