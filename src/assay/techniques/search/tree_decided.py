"""Proposers, checkers and judges whose decisions are among options: a model under a grammar, or known competence.

Source    none: the drivers of `core.agents.deciding` applied to Long 2023 (arXiv 2305.08291) and to the
          depth-first search of Yao et al. 2023 (2305.10601).
Here      Steps are chosen among all there are, one (`decided`) or several (`named`). A checker says whether a
          state keeps the rules, a judge whether it can still be completed. A calibrated decider is right with
          its probability; where a state has no right step any more, it takes any.
Departs   -
Needs     nothing where a policy decides; words and a grammar where a model does.
Costs     1 call a decision; without a model nothing.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence

from assay.core import Flow
from assay.core.agents import Decider, Question
from assay.techniques.search.tree import Check, Judge, Problem, Propose, State

STEP, CHECK, NAME, JUDGE = "step", "check", "name", "judge"
"""Kinds of decisions."""
KEEPS, BREAKS = "keeps the rules", "breaks a rule"
POSSIBLE, IMPOSSIBLE = "possible", "impossible"


def decided(problem: Problem[State], decider: Decider, right: Callable[[State], str | None]) -> Propose[State]:
    """Steps that a decider chooses among all there are; `right` is the good one, where there is one."""

    def propose(state: State, complaint: str) -> Flow[Sequence[str]]:
        good = right(state)
        options = tuple(problem.moves(state))
        return (yield from decider.decide(Question(STEP, problem.render(state), options, (good,) if good else ())))

    return propose


def checked(problem: Problem[State], decider: Decider) -> Check[State]:
    """What a decider reports of the rules."""

    def check(state: State) -> Flow[str]:
        truth = BREAKS if problem.check(state) else KEEPS
        said = yield from decider.decide(Question(CHECK, problem.render(state), (KEEPS, BREAKS), (truth,)))
        return "" if KEEPS in said else "This is said to break a rule."

    return check


def named(
    problem: Problem[State], decider: Decider, hopeful: Callable[[State], bool], rules: str, most: int
) -> Propose[State]:
    """Up to `most` steps of all there are; right are those to states that can still be completed."""

    def propose(state: State, complaint: str) -> Flow[Sequence[str]]:
        options = tuple(problem.moves(state))
        if not options:
            return ()
        states = [problem.step(state, line) for line in options]
        right = [line for line, after in zip(options, states, strict=True) if after is not None and hopeful(after)]
        prompt = f"{rules}\n{problem.render(state)}\nWhat may come next?"
        return (yield from decider.decide(Question(NAME, prompt, options, tuple(right), "select", most)))

    return propose


def believed(
    problem: Problem[State], decider: Decider, hopeful: Callable[[State], bool], rules: str
) -> Judge[State]:
    """1 for a state that is said to be possible, else 0; a finished one keeps the rules and is not asked about."""

    def judge(states: Sequence[State]) -> Flow[Sequence[float]]:
        values = []
        for state in states:
            truth = POSSIBLE if hopeful(state) else IMPOSSIBLE
            prompt = f"{rules}\n{problem.render(state)}\nCan this still be completed?"
            question = Question(JUDGE, prompt, (POSSIBLE, IMPOSSIBLE), (truth,))
            said = (POSSIBLE,) if problem.finished(state) else (yield from decider.decide(question))
            values.append(float(POSSIBLE in said))
        return values

    return judge


class Tallied:
    """A decider whose decisions are counted by their kind, for searches that may spend so many."""

    def __init__(self, decider: Decider, tally: Counter[str]) -> None:
        self.decider, self.tally = decider, tally

    @property
    def driver(self) -> str:
        """That of the decider."""
        return self.decider.driver

    def seeded(self, seed: int) -> Tallied:
        """The decider with a random state of its own, and the same tally."""
        return Tallied(self.decider.seeded(seed), self.tally)

    def decide(self, question: Question) -> Flow[tuple[str, ...]]:
        """What is decided."""
        self.tally[question.kind] += 1
        return self.decider.decide(question)
