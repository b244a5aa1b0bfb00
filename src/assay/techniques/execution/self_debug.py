"""Self-Debug: the model writes a program, is told what came of it, and writes it again.

Source    Chen, Lin, Schärli and Zhou 2023, "Teaching Large Language Models to Self-Debug", sections 2 to 4
          (arXiv 2304.05128).
Here      A program is written at temperature 0 and its visible tests are run. Where one fails, the model is
          given feedback and writes anew: that it is wrong (`simple`), which call gave what instead of what
          (`unit-test`), its own explanation of the code (`explanation`), both, or its own account of how the
          failing call runs (`trace`). It ends when the visible tests pass, or where the model says that the
          code is right (`stop="self"`), or after three programs. `resampled` is the rival: programs drawn
          afresh until one passes the visible tests, for as many tokens.
Departs   1. No worked examples of debugging: the paper prompts with some.
          2. The model sees the problem, its last program and the feedback, not the turns before: prompts stay
             short, and the last program is what is to be mended.
          3. Three programs; the paper allows ten rounds and finds that most is gained in the first three.
          4. Explanations are asked for of a failing program only, so that arms differ in the feedback alone.
          5. Tests are judged by the values that come back, one execution each; programs cannot say they passed.
Needs     words, prefill, a sandbox.
Costs     1 to 3 calls, 2 more a round where something is to be explained first; an execution a visible test.
"""

from __future__ import annotations

import ast
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Literal, get_args

from assay.core import Answer, Ask, Finish, Flow, Message, Reply, UnknownName, ask
from assay.core.answers import extract_yes_no
from assay.core.problems.programs import Problem
from assay.core.problems.syntax import parsed
from assay.techniques.execution.cases import Trial, solves, trials
from assay.techniques.execution.dialects import CHAT, Dialect
from assay.techniques.execution.hard_coded import hard_coded
from assay.techniques.execution.writing import asked_freely, is_cut

Feedback = Literal["simple", "unit-test", "explanation", "unit-test+explanation", "trace"]
Stop = Literal["tests", "self"]
TURNS = 3
SAMPLING = 0.8
WORDS = 96
"""Tokens of an explanation or a trace."""


@dataclass(frozen=True, slots=True)
class Written:
    """A program, the reply it stood in, and how its visible tests went."""

    program: str
    reply: Reply
    trials: tuple[Trial, ...]

    @property
    def passed(self) -> int:
        """Visible tests it passes."""
        return sum(trial.passed for trial in self.trials)

    @property
    def whole(self) -> bool:
        """Whether it passes all of them."""
        return bool(self.program) and self.passed == len(self.trials)


def self_debug(
    question: str, *, feedback: Feedback = "unit-test", turns: int = TURNS, stop: Stop = "tests"
) -> Flow[Answer]:
    """A program for a question in words or code; examples in it (`f(2) == 4`) are the tests it is mended by."""
    problem = asked_freely(question)
    written = yield from debugged(problem, feedback=feedback, turns=turns, stop=stop)
    last = written[-1]
    says = f"{last.passed} of {len(last.trials)} examples pass after {len(written)} programs"
    return Answer(
        last.program, last.program or None, last.reply.finish, detail=says, measures=_counts(written, problem)
    )


def debugged(
    problem: Problem,
    *,
    feedback: Feedback = "unit-test",
    turns: int = TURNS,
    stop: Stop = "tests",
    instead: str = "",
    dialect: Dialect = CHAT,
) -> Flow[list[Written]]:
    """Every program that was written, in order.

    Args:
        problem: its hidden tests are not looked at.
        feedback: what the model is told.
        turns: programs at most.
        stop: whether visible tests or the model itself end it.
        instead: told in place of the feedback (a placebo).
        dialect: how it is told; explanations, traces and the model's own stop are asked for in words.
    """
    if feedback not in get_args(Feedback):
        raise UnknownName("feedback", feedback, get_args(Feedback))
    turns_so_far: tuple[Message, ...] = (dialect.task(problem),)
    written: list[Written] = []
    for _ in range(max(1, turns)):
        one = yield from _write(problem, turns_so_far, 0.0, dialect)
        written.append(one)
        before = (dialect.task(problem), dialect.code(one.program))
        if len(written) >= turns or (yield from _is_over(before, one, stop)):
            break
        turns_so_far = yield from _told(before, one, feedback, instead, dialect)
    return written


def _write(problem: Problem, turns: tuple[Message, ...], temperature: float, dialect: Dialect) -> Flow[Written]:
    (reply,) = yield from ask(dialect.request(problem, turns, temperature))
    program = dialect.program(problem, reply.text)
    ran = yield from trials(program, problem.visible) if program and problem.visible else _untried()
    return Written(program, reply, tuple(ran))


def _untried() -> Flow[list[Trial]]:
    yield from ()
    return []


def _is_over(before: tuple[Message, ...], one: Written, stop: Stop) -> Flow[bool]:
    """Whether no further program is wanted."""
    if one.reply.finish is Finish.REFUSED or not one.program:
        return True
    if stop == "tests":
        return one.whole
    question = Message("user", "Is the code above right? Answer yes or no.")
    (reply,) = yield from ask(Ask((*before, question), prefill="Answer:", max_tokens=4))
    return extract_yes_no(reply.text) == "yes"


def _told(
    before: tuple[Message, ...], one: Written, feedback: Feedback, instead: str, dialect: Dialect
) -> Flow[tuple[Message, ...]]:
    """The turns after which the model writes again."""
    facts = instead or (failure(one.trials, dialect) if "unit-test" in feedback or feedback == "trace" else "")
    wants = {"explanation": EXPLAIN, "unit-test+explanation": EXPLAIN, "trace": TRACE}.get(feedback, "")
    if wants:
        # The explanation is asked for before the facts are told: it is about the code as it stands.
        wish = Message("user", f"{facts}\n{wants}" if feedback == "trace" else wants)
        (reply,) = yield from ask(Ask((*before, wish), max_tokens=WORDS))
        before = (*before, wish, Message("assistant", reply.text.strip() or "..."))
        facts = "" if feedback == "trace" else facts
    return (*before, dialect.again(facts if wants else facts or dialect.wrong))


EXPLAIN = "Explain the code above line by line."
TRACE = "Go through this call step by step: what is the value of each variable?"


def failure(ran: Sequence[Trial], dialect: Dialect = CHAT) -> str:
    """The first failing test as the model is told it."""
    failed = next((trial for trial in ran if not trial.passed), None)
    return dialect.wrong if failed is None else dialect.fact(failed.case.call, failed.gave, failed.case.expected)


# --- the rival, and what is counted ---------------------------------------------------------------------


def resampled(problem: Problem, *, turns: int = TURNS, dialect: Dialect = CHAT) -> Flow[list[Written]]:
    """Programs drawn afresh until one passes the visible tests, for what debugging would have cost.

    What that is follows from the draws themselves: after each of the first `turns - 1` that fail, the problem,
    that program, the feedback on it and a program more would have been paid for. The last is the best one.
    """
    written: list[Written] = []
    spent = allowed = 0.0
    while True:
        one = yield from _write(problem, (dialect.task(problem),), SAMPLING if written else 0.0, dialect)
        written.append(one)
        draw = one.reply.tokens_in + one.reply.tokens_out
        spent += draw
        allowed += draw if len(written) == 1 else 0
        if one.whole or one.reply.finish is Finish.REFUSED:
            break
        if len(written) < turns:
            each = one.reply.tokens_in / max(1, len(dialect.task(problem).text))
            wish = dialect.again(failure(one.trials, dialect))
            allowed += draw + one.reply.tokens_out + each * len(wish.text)
        if allowed - spent < draw / 2:
            break
    best = max(written, key=lambda one: one.passed)
    return [*(one for one in written if one is not best), best]


def graded(programs: Flow[list[Written]], problem: Problem) -> Flow[Answer]:
    """The last program put to the hidden tests: the measure "score", and how those before it would have done."""
    written = yield from programs
    last = written[-1]
    measures = _counts(written, problem)
    if not last.program or last.reply.finish is Finish.REFUSED or is_cut(last.reply, last.program):
        return Answer(last.reply.text, finish=last.reply.finish, detail="no whole program", measures=measures)
    for turn, one in enumerate(written, 1):
        right = bool(one.program) and (yield from solves(one.program, problem))
        measures[f"right after {turn}"] = float(right)
    measures["score"] = float(right)
    return Answer(last.program, last.program, measures=measures)


def _counts(written: Sequence[Written], problem: Problem) -> dict[str, float]:
    """Programs, those that were there before, those that pass fewer visible tests than the one before."""
    shapes = [_shape(one.program) for one in written]
    return {
        "programs": len(written),
        "repeats": sum(shape in shapes[:at] for at, shape in enumerate(shapes)),
        "regressions": sum(b.passed < a.passed for a, b in pairwise(written)),
        "visible passed": written[-1].passed / max(1, len(written[-1].trials)),
        "hard coded": float(hard_coded(written[-1].program, problem.visible, problem.entry)),
    }


def _shape(program: str) -> str:
    """A program without its comments and blanks."""
    try:
        return ast.dump(parsed(program))
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return program
