"""Tests of a program, run in the box and judged outside of it.

Source    none of its own: what every technique of this shelf that runs tests shares.
Here      `trials` runs each test by itself and says of each how it went; `passes` runs many as one program.
          A test passes if the value that came back is the expected one: what a program prints, and how it
          ends, decides nothing.
Departs   -
Needs     a sandbox.
Costs     no calls; an execution a test, or one for all of them.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from assay.core import Ended, Execute, Execution, Flow, execute
from assay.core.problems.programs import Case, Problem

SECONDS = 2.0
"""One test may take so long."""
CHECKED = "_assay_checked"


@dataclass(frozen=True, slots=True)
class Trial:
    """How one test went."""

    case: Case
    passed: bool
    gave: str
    """The value that came back, as Python writes it, or the error."""


def trials(program: str, cases: Sequence[Case], *, again: int = 0) -> Flow[list[Trial]]:
    """Every test of a program by itself: one that hangs takes no other with it.

    `again` sets runs of the same program apart, which otherwise are the same run.
    """
    mark = f"\n# run {again}" if again else ""
    # In a list, so that None is a value too.
    replies = yield [Execute(f"{program}\n\n[{case.call}]{mark}", seconds=SECONDS) for case in cases]
    return [_trial(case, execution) for case, execution in zip(cases, replies, strict=True)]


def _trial(case: Case, execution: Execution) -> Trial:
    if execution.ended is not Ended.OK:
        return Trial(case, False, execution.error or f"it ended by {execution.ended.value}")
    if not isinstance(execution.value, list) or len(execution.value) != 1:
        return Trial(case, False, "nothing that can be compared")
    (value,) = execution.value
    return Trial(case, case.accepts(value), repr(value))


def passes(program: str, cases: Sequence[Case]) -> Flow[bool]:
    """Whether a program passes all tests; they run in one process, so an error in one fails all."""
    calls = f"[{', '.join(case.call for case in cases)}]"
    execution = yield from execute(Execute(f"{program}\n\n{calls}", seconds=SECONDS))
    values = execution.value
    if execution.ended is not Ended.OK or not isinstance(values, list) or len(values) != len(cases):
        return False
    return all(case.accepts(value) for case, value in zip(cases, values, strict=True))


def solves(program: str, problem: Problem) -> Flow[bool]:
    """Whether a program passes the hidden tests of a problem, all of them."""
    if problem.hidden and not (yield from passes(program, problem.hidden)):
        return False
    if not problem.check:
        return True
    # The tests are a program of their own here, so they share the box; the value says that they got to their end.
    ending = f"def {CHECKED}():\n    check({problem.entry})\n    return True"
    code = f"{program}\n\n{problem.check}\n\n{ending}"
    execution = yield from execute(Execute(code, entry=CHECKED, seconds=2 * SECONDS))
    return execution.ended is Ended.OK and execution.value is True
