"""The arms that write programs and mend them by their tests: asked in words, or in an organism's bare form."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial

from assay.core import Answer, Arm, Flow, Sample, Task
from assay.tasks.code import problem_of
from assay.techniques.execution.dialects import CHAT, Dialect
from assay.techniques.execution.self_debug import Feedback, debugged, graded, resampled


def debugging(feedback: Feedback, says: str, dialect: Dialect = CHAT) -> Arm:
    """Up to three programs, with feedback between them."""
    return Arm(feedback, partial(_debugged, feedback=feedback, dialect=dialect), says)


def one_program(dialect: Dialect = CHAT) -> Arm:
    """A program, and no second one."""
    return Arm("one-program", partial(_once, dialect=dialect), "one program at temperature 0")


def resampling(dialect: Dialect = CHAT) -> Arm:
    """What debugging costs, spent on fresh programs."""
    says = "fresh programs until the visible tests pass, for about as many tokens"
    return Arm("resampled", partial(_resampled, dialect=dialect), says)


def misleading(dialect: Dialect = CHAT) -> Arm:
    """The placebo: as many programs, and feedback that has nothing to do with them."""
    says = "up to three programs; told a failing test of another problem"
    flow, prepare = partial(_misled, dialect=dialect), partial(_others_feedback, dialect=dialect)
    return Arm("others-feedback", flow, says, prepare)


def _debugged(sample: Sample, task: Task, *, feedback: Feedback, dialect: Dialect) -> Flow[Answer]:
    problem = problem_of(sample)
    return graded(debugged(problem, feedback=feedback, dialect=dialect), problem)


def _once(sample: Sample, task: Task, *, dialect: Dialect) -> Flow[Answer]:
    problem = problem_of(sample)
    return graded(debugged(problem, turns=1, dialect=dialect), problem)


def _resampled(sample: Sample, task: Task, *, dialect: Dialect) -> Flow[Answer]:
    problem = problem_of(sample)
    return graded(resampled(problem, dialect=dialect), problem)


def _others_feedback(
    samples: Sequence[Sample], task: Task, seed: int, *, dialect: Dialect
) -> Flow[dict[str, str]]:
    """For every sample, a failing test of the next sample's function, in the words of the treatment."""
    yield from ()
    given: dict[str, str] = {}
    for sample, donor in zip(samples, [*samples[1:], samples[0]], strict=True):
        cases = problem_of(donor).visible
        given[sample.id] = (
            dialect.fact(cases[0].call, cases[-1].expected, cases[0].expected)
            if cases
            else "The code above fails a test."
        )
    return given


def _misled(sample: Sample, task: Task, given: dict[str, str], *, dialect: Dialect) -> Flow[Answer]:
    problem = problem_of(sample)
    return graded(debugged(problem, instead=given[sample.id], dialect=dialect), problem)
