"""Repair of Python that does not parse by the fewest edits, none of them a deleted line.

Source    none for the whole; single-token edits around the fault are how parsers recover from errors since
          Graham and Rhodes 1975. It stands beside the greedy repair of Supercharger (see `repair.py`).
Here      Best first: every edit of one token near the fault is tried, and of those after which the text
          parses the most plausible is kept. Where none parses, edits are tried on the few that came furthest.
          Plausible is what leaves few traces of a wrong guess: names nobody defines or reads, statements
          without effect or behind a return, loops that cannot go round, brackets that change nothing, blanks
          where nobody puts them.
Departs   1. No line is ever deleted: what cannot be mended comes back as it was.
          2. Only at the very end may tokens be cut away, where the text breaks off.
Needs     nothing: no model, no execution.
Costs     no calls; some hundred parses a fault.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from heapq import nsmallest

from assay.techniques.execution.repairing.edits import edits_near
from assay.techniques.execution.repairing.oddities import oddity, untidiness
from assay.techniques.execution.repairing.repair import Attempts, Repaired, normalise
from assay.techniques.execution.repairing.source_text import Fault, brackets, fault_of, scan

MOST = 1500
"""Texts parsed."""
WIDTH = 8
"""Texts that edits are tried on at once, after the first."""
LONGEST = 100_000
"""Characters of a text whose repairs are compared by more than the edits they take."""
DEPTH = 6
"""Edits at most, one after the other."""


@dataclass(frozen=True, slots=True)
class State:
    """A text on the way."""

    text: str
    fault: Fault
    cost: float = 0.0
    changes: tuple[str, ...] = ()

    @property
    def rank(self) -> tuple[int, int, float]:
        """Lower is nearer to parsing: little that does not pair, the fault far down, few edits."""
        tokens = scan(self.text)
        wrong = brackets(tokens).count + sum(token.kind == "broken" for token in tokens)
        return wrong, -self.fault.line, self.cost + untidiness(tokens)


def minimal_repair(source: str, *, most: int = MOST) -> Repaired:
    """The source as Python that parses after the fewest edits, or as it was, with the reason.

    Args:
        source: any text.
        most: texts that are parsed.
    """
    text, changes, fault = normalise(source)
    if fault is None:
        return Repaired(text, True, tuple(changes))
    attempts = Attempts(most=most)
    beam = [State(text, fault, 0.0, tuple(changes))]
    best: tuple[float, State] | None = None
    for deep in range(1, DEPTH + 1):
        if best is not None and best[1].cost < deep:
            break  # an edit costs 1 at least: what is still to come takes more of them
        broken: list[State] = []
        for state in _edited(beam, attempts):
            if state.fault.line:
                broken.append(state)
            else:
                likely = state.cost + (oddity(state.text) if len(state.text) < LONGEST else 0)
                if best is None or (likely, state.text) < (best[0], best[1].text):
                    best = likely, state
        beam = nsmallest(WIDTH, broken, key=lambda state: state.rank)
    if best is not None:
        return Repaired(best[1].text, True, best[1].changes)
    return Repaired(source, False, reason=f"No {DEPTH} edits near line {fault.line} make it parse.")


PARSES = Fault(0)


def _edited(beam: list[State], attempts: Attempts) -> Iterator[State]:
    """Every text one edit further; the fault is `PARSES` where there is none."""
    for state in beam:
        for edit in edits_near(state.text, state.fault):
            if not attempts.has_room(state.text):
                return
            text = edit.applied(state.text)
            if attempts.new(text):
                fault = fault_of(text)
                if fault is None or fault.line:
                    yield State(text, fault or PARSES, state.cost + edit.cost, (*state.changes, edit.says))
