"""A repair, put to the test: does the text parse again, and does it do again what it did?

Source    catid 2023, "supercharger" (github.com/catid/supercharger): code is repaired before it is judged.
Here      The repaired text runs the tests of the function it was before a fault was put in.
Departs   1. The source gives no figure for its repair; this measures both of what it might claim.
Needs     a sandbox; no model.
Costs     no calls, two executions.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Literal

from assay.core import Answer, Flow
from assay.core.problems.programs import Case
from assay.techniques.execution.cases import passes
from assay.techniques.execution.repairing.repair import Repaired

Repair = Callable[[str], Repaired]
Counts = Literal["parses", "behaves"]


def repaired(
    text: str, repair: Repair, right: str, cases: Sequence[Case], counts: Counts = "behaves"
) -> Flow[Answer]:
    """What a repair makes of a faulty text: the measures `parses`, `behaves` and `deleted`, one of them the score.

    Args:
        text: what does not parse.
        repair: one of this shelf's repairers.
        right: the function as it was; where it fails its own tests here, nothing is measured.
        cases: its tests.
        counts: which measure is the score.
    """
    if not (yield from passes(right, cases)):
        return Answer(detail="The function fails its own tests in this sandbox.")
    found = repair(text)
    behaves = found.ok and (yield from passes(found.text, cases))
    measures = {"parses": float(found.ok), "behaves": float(behaves), "deleted": float(len(found.deleted))}
    measures["score"] = measures[counts]
    return Answer(found.text, detail="; ".join(found.changes) or found.reason, measures=measures)
