"""Programs to be judged: every problem twice, once with its right program and once with a wrong one."""

from __future__ import annotations

import ast
import dataclasses
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from assay.core.problems.programs import Problem
from assay.core.problems.syntax import parsed
from assay.core.samples import Answer, Outcome, Sample
from assay.core.task import Task
from assay.core.validation import require_whole
from assay.tasks.code.programs import TinyPythonTask
from assay.tasks.scoring import score_judge

RIGHT, WRONG = "right", "wrong"


@dataclass(frozen=True, slots=True)
class JudgedProgramsTask:
    """Each problem of a task twice; the target says which kind of program a judge is shown.

    The task names no wrong program: whether a change does harm is for the sandbox to say. The right one is
    written as a changed one is, by `ast.unparse`, so that brackets and blanks do not tell them apart. A judge
    returns the measure "score", higher where it takes the program to be right.
    """

    problems: Task = field(default_factory=TinyPythonTask)
    name: str = "judged-programs"
    cue: str = ""
    kind: str = "score"
    chance: float | None = None

    @property
    def levels(self) -> tuple[str, ...]:
        """Those of the problems."""
        return self.problems.levels

    def samples(self, n: int, seed: int, level: str | None = None) -> tuple[Sample, ...]:
        """n samples, the two of one problem side by side."""
        require_whole("n", n, 0, 1_000_000)
        found = [
            dataclasses.replace(
                sample, id=f"{target}-{sample.id}", target=target, cluster=sample.id, meta=_unparsed(sample.meta)
            )
            for sample in self.problems.samples(-(-n // 2), seed, level)
            for target in (RIGHT, WRONG)
        ]
        return tuple(found[:n])

    def extract(self, text: str) -> str | None:
        """There is nothing to read: judges measure."""
        return None

    def score(self, sample: Sample, answer: Answer) -> Outcome:
        """The judge's own number; where there was nothing to judge, unparsed with its reason."""
        return score_judge(answer)


def _unparsed(meta: Mapping[str, Any]) -> Mapping[str, Any]:
    """The same with the right program written anew; one that does not parse stays."""
    problem = meta.get("problem")
    if not isinstance(problem, Problem):
        return meta
    try:
        solution = ast.unparse(parsed(problem.solution))
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return meta
    return {**meta, "problem": dataclasses.replace(problem, solution=solution)}
