"""Self-Debug, the pool and its judge on the real embedded model and the real sandbox, once each."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

import pytest

from assay.core import Answer, Flow
from assay.home import find_home
from assay.lab.driver import Done, Job
from assay.models import ModelChoice
from assay.tasks.code import TinyPythonTask, problem_of
from assay.techniques.execution import code_pool, self_debug
from assay.techniques.execution.pool_arms import judge_program
from assay.techniques.execution.self_debug import debugged, graded
from assay.workbench.opening import bench

pytestmark = pytest.mark.engine


def on_the_model(*flows: Flow[Answer]) -> list[Done[Answer]]:
    async def work() -> list[Done[Answer]]:
        async with bench(ModelChoice("smollm2-135m"), find_home().make()) as (_, model, driver):
            jobs = [Job(at, lambda flow=flow: flow, model) for at, flow in enumerate(flows)]  # type: ignore[misc]
            return sorted([done async for done in driver.run(jobs)], key=lambda done: done.key)

    return asyncio.run(work())


def test_programs_are_written_run_and_judged(home: Path) -> None:
    question = 'def total(xs):\n    """Return the sum of xs.\n\n    >>> total([1, 2])\n    3\n    """\n'
    problems = [problem_of(sample) for sample in TinyPythonTask().samples(2, 11)]
    done = on_the_model(
        self_debug(question),
        code_pool(question, codes=2, tests=2),
        judge_program(problems[0], True, "grades"),
        *(graded(debugged(problem), problem) for problem in problems),
    )
    assert [one.error for one in done] == [None] * 5
    answers: list[Any] = [one.value for one in done]
    assert "sum(xs)" in answers[0].value
    assert answers[0].detail == "1 of 1 examples pass after 1 programs"
    assert answers[1].value.startswith("def total(xs):")
    assert 0 <= answers[2].measures["score"] <= 10
    for answer, one, problem in zip(answers[3:], done[3:], problems, strict=True):
        assert answer.measures["score"] in (0, 1)
        prompts = str(
            [request.prompt for step in one.steps for request in step.requests if hasattr(request, "prompt")]
        )
        assert problem.visible[0].call in prompts
        assert not any(case.call in prompts for case in problem.hidden)
