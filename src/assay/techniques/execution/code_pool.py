"""A pool of code: many functions and many tests are written, every one is run on every other, one is kept.

Source    catid 2023, "supercharger" (github.com/catid/supercharger): the first pair of code and test that passes
          and is judged good. Dual agreement: Chen et al. 2022, "CodeT", section 2 (arXiv 2207.10397).
Here      Functions and tests are drawn; the matrix of which function passes which test is filled in the sandbox.
          `agreement` keeps a function of the largest agreement: functions that pass the same tests, times
          those tests. `first-pair` keeps the first function that passes a test, `judge` the one the model
          itself scores highest, `random` any.
Departs   1. A test is a call beside a literal, compared outside of the box; what else a model writes is no test.
          2. A test that repeats an example of the prompt is no test: the prompt gave it away.
          3. A test is vacuous, and left out, if every mutant of every function it passes on passes it too.
          4. The judge's score is the expectation over the tokens "0" to "10"; the source reads a number out of
             a reply, and takes what it cannot read for 0.
          5. Every pass is seen twice: a test that passes only once counts as failed.
Needs     words, prefill, a sandbox; scoring of given continuations for `judge`.
Costs     codes + tests replies in two calls; codes x tests executions, some more for mutants.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from random import Random
from typing import Literal, get_args

from assay.core import Answer, Ask, Flow, Message, Reply, Score, UnknownName, ask, score, together
from assay.core.problems.programs import Case, Problem, cases_in
from assay.techniques.execution.cases import trials
from assay.techniques.execution.mutants import mutants
from assay.techniques.execution.self_debug import SAMPLING
from assay.techniques.execution.writing import FENCE, asked_freely, program_of, program_request, task_of

Select = Literal["agreement", "first-pair", "judge", "random"]
MUTANTS = 6
TEST_TOKENS = 48
PER_REPLY = 3
"""Tests taken from one reply at most."""


@dataclass(frozen=True, slots=True)
class Pool:
    """What was drawn, and which function passes which test."""

    replies: tuple[Reply, ...]
    programs: tuple[str, ...]
    """In the order drawn; an empty text where a reply held none."""
    tests: tuple[Case, ...]
    passed: tuple[frozenset[int], ...]
    """Of each program the tests it passes, by index."""
    vacuous: int = 0
    """Tests that were left out."""


def code_pool(question: str, *, codes: int = 4, tests: int = 4, select: Select = "agreement") -> Flow[Answer]:
    """The function a pool of drawn ones and drawn tests agrees on."""
    if select not in get_args(Select):
        raise UnknownName("way to select", select, get_args(Select))
    problem = asked_freely(question)
    pool = yield from pooled(problem, codes, tests)
    chosen = yield from selected(pool, problem, select)
    says = f"it passes {len(pool.passed[chosen])} of {len(pool.tests)} tests; {pool.vacuous} more were vacuous"
    return Answer(pool.programs[chosen], pool.programs[chosen] or None, pool.replies[chosen].finish, detail=says)


def pooled(problem: Problem, codes: int, tests: int) -> Flow[Pool]:
    """Draw, run everything on everything, leave out what tests nothing."""
    written, asserted = yield [
        program_request(problem, (task_of(problem),), SAMPLING, n=codes),
        _tests_request(problem, tests),
    ]
    programs = tuple(program_of(problem, reply.text) for reply in written)
    cases = _cases(problem, asserted)
    passed = yield from _matrix([program for program in dict.fromkeys(programs) if program], cases)
    kept = yield from _telling(passed, cases)
    sets = [frozenset(kept.index(at) for at in passed.get(program, ()) if at in kept) for program in programs]
    return Pool(tuple(written), programs, tuple(cases[at] for at in kept), tuple(sets), len(cases) - len(kept))


def _tests_request(problem: Problem, n: int) -> Ask:
    wish = Message("user", f"{task_of(problem).text}\n\nDo not write it. Write tests for it.")
    prefill = f"{FENCE}assert {problem.entry}(" if problem.entry else FENCE
    return Ask((wish,), prefill=prefill, n=n, max_tokens=TEST_TOKENS, temperature=SAMPLING, stop=("```",))


def _cases(problem: Problem, replies: Sequence[Reply]) -> list[Case]:
    """Tests in the replies, each once, none of them an example of the prompt."""
    begun = f"assert {problem.entry}(" if problem.entry else ""
    known = {case.call for case in problem.visible}
    found: dict[Case, None] = {}
    for reply in replies:
        stated = cases_in(begun + reply.text, problem.entry)[:PER_REPLY]
        found |= dict.fromkeys(case for case in stated if case.call not in known)
    return list(found)


def _matrix(programs: Sequence[str], cases: Sequence[Case]) -> Flow[dict[str, list[int]]]:
    """Of each program the tests it passes both times."""
    if not cases:
        return {program: [] for program in programs}
    runs = yield from together([trials(program, cases, again=again) for again in (0, 1) for program in programs])
    first, second = runs[: len(programs)], runs[len(programs) :]
    return {
        program: [at for at in range(len(cases)) if once[at].passed and twice[at].passed]
        for program, once, twice in zip(programs, first, second, strict=True)
    }


def _telling(passed: dict[str, list[int]], cases: Sequence[Case]) -> Flow[list[int]]:
    """Indexes of the tests that count: all but those that no mutant of a program they pass for fails."""
    jobs = [(mutant, tests) for program, tests in passed.items() if tests for mutant in mutants(program, MUTANTS)]
    runs = yield from together([trials(mutant, [cases[at] for at in tests]) for mutant, tests in jobs])
    tried = {at for _, tests in jobs for at in tests}
    killing: set[int] = set()
    for (_, tests), run in zip(jobs, runs, strict=True):
        killing |= {at for at, trial in zip(tests, run, strict=True) if not trial.passed}
    return [at for at in range(len(cases)) if at in killing or at not in tried]


# --- which one is kept ----------------------------------------------------------------------------------


def selected(pool: Pool, problem: Problem, select: Select) -> Flow[int]:
    """The index of the function that is kept; the first where nothing speaks for another."""
    if select == "judge":
        scores = yield from together([judged(problem, program) for program in pool.programs])
        return max(range(len(scores)), key=lambda at: scores[at])
    if select == "random":
        return Random(problem.prompt).randrange(len(pool.programs))
    if select == "first-pair":
        return next((at for at, tests in enumerate(pool.passed) if tests), 0)
    return agreed(pool.passed)


def agreed(passed: Sequence[frozenset[int]]) -> int:
    """The first of the largest agreement: how many pass the same tests, times how many tests these are."""
    return max(range(len(passed)), key=lambda at: passed.count(passed[at]) * len(passed[at]))


GRADES = tuple(f" {grade}" for grade in range(11))
VERDICTS = (" right", " wrong")
Scale = Literal["grades", "words"]


def judged(problem: Problem, program: str, scale: Scale = "grades") -> Flow[float]:
    """How right the model takes a program to be: its expected grade from 0 to 10, or the log-odds of "right"."""
    if not program:
        yield from ()
        return -math.inf
    shown = f"{task_of(problem).text}\n\nAn answer:\n\n{FENCE}{program}\n```"
    if scale == "words":
        found = yield from score(
            Score(f"{shown}\n\nIs the answer right or wrong?", VERDICTS, prefill="The answer is")
        )
        return found.logprobs[0] - found.logprobs[1]
    wish = f"{shown}\n\nGrade the answer from 0 (wrong) to 10 (right)."
    found = yield from score(Score(wish, GRADES, prefill="Grade:"))
    largest = max(found.logprobs)
    weights = [math.exp(value - largest) for value in found.logprobs]
    return sum(grade * weight for grade, weight in enumerate(weights)) / sum(weights)


def likeliest(problem: Problem, program: str) -> Flow[float]:
    """The mean log-probability of a program's tokens after its problem: a judge that was asked nothing."""
    asked = program_request(problem, (task_of(problem),), 0.0)
    body = (
        program[len(asked.prefill.removeprefix(FENCE)) :]
        if program.startswith(asked.prefill.removeprefix(FENCE))
        else program
    )
    found = yield from score(Score(asked.prompt, (body or program,), prefill=asked.prefill))
    return found.logprobs[0] / max(1, found.tokens[0])


def drawn(problem: Problem, n: int) -> Flow[tuple[tuple[Reply, str], ...]]:
    """Functions alone, as many as asked for."""
    replies = yield from ask(program_request(problem, (task_of(problem),), SAMPLING, n=n))
    return tuple((reply, program_of(problem, reply.text)) for reply in replies)


def commonest(problem: Problem, programs: Sequence[str]) -> Flow[int]:
    """The first of the programs that give the same on the calls of the prompt's examples as most others do."""
    runs = yield from together([trials(program, problem.visible) for program in programs])
    gave = [tuple(trial.gave for trial in run) for run in runs]
    return max(range(len(gave)), key=lambda at: gave.count(gave[at]) if programs[at] else 0)
