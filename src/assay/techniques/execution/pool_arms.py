"""What a pool of code comes to on hidden tests, and its judge on programs known to be right or wrong.

Source    catid 2023, "supercharger"; Chen et al. 2022, "CodeT" (see `code_pool.py`).
Here      The function that is kept is put to the hidden tests. The judge sees the right program, or a mutant of
          it that fails a hidden test.
Departs   1. The source has no tests but the model's own.
Needs     words, prefill, scoring, a sandbox.
Costs     what the pool costs; of the judge 1 call.
"""

from __future__ import annotations

from assay.core import Answer, Flow, Reply
from assay.core.problems.programs import Problem
from assay.techniques.execution.cases import solves
from assay.techniques.execution.code_pool import Select, commonest, drawn, judged, likeliest, pooled, selected
from assay.techniques.execution.mutants import mutants
from assay.techniques.execution.writing import is_cut

WRONG_ONES = 24
"""Mutants that are tried for one that fails."""


def kept(problem: Problem, codes: int, tests: int, select: Select) -> Flow[Answer]:
    """The function a pool keeps, and whether it is right."""
    pool = yield from pooled(problem, codes, tests)
    at = yield from selected(pool, problem, select)
    measures = {
        "tests": float(len(pool.tests)),
        "vacuous tests": float(pool.vacuous),
        "programs that pass a test": float(sum(map(bool, pool.passed))),
    }
    return (yield from _graded(problem, pool.replies[at], pool.programs[at], measures))


def first(problem: Problem) -> Flow[Answer]:
    """The first function drawn."""
    ((reply, program),) = yield from drawn(problem, 1)
    return (yield from _graded(problem, reply, program, {}))


def majority(problem: Problem, n: int) -> Flow[Answer]:
    """The commonest of n functions by what they give on the prompt's examples."""
    found = yield from drawn(problem, n)
    at = yield from commonest(problem, [program for _, program in found])
    return (yield from _graded(problem, *found[at], {}))


def _graded(problem: Problem, reply: Reply, program: str, measures: dict[str, float]) -> Flow[Answer]:
    if not program or is_cut(reply, program):
        return Answer(reply.text, finish=reply.finish, detail="no whole program", measures=measures)
    right = yield from solves(program, problem)
    return Answer(program, program, measures={**measures, "score": float(right)})


def judge_program(problem: Problem, right: bool, how: str) -> Flow[Answer]:
    """The judge's score of the right program, or of a mutant that fails a hidden test.

    `grades` and `words` are scales, `likelihood` asks nothing, and what is judged `blind` is an empty function.
    """
    program = problem.solution.strip("\n")
    if not right:
        program = yield from _failing_mutant(problem)
    if not program:
        return Answer(detail="No mutant of this program fails a test.")
    if how == "likelihood":
        value = yield from likeliest(problem, program)
    elif how == "blind":
        value = yield from judged(problem, f"{program.partition(':')[0]}:\n    ...")
    else:
        value = yield from judged(problem, program, "words" if how == "words" else "grades")
    return Answer(program, measures={"score": value})


def _failing_mutant(problem: Problem) -> Flow[str]:
    """The first mutant of the right program that fails a hidden test; empty where none does."""
    for mutant in mutants(problem.solution, WRONG_ONES):
        if not (yield from solves(mutant, problem)):
            return mutant
    return ""
