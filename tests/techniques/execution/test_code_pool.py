"""The pool of code: mutants, the matrix, which tests count, who is chosen, and the judge."""

from __future__ import annotations

import ast
import math
from typing import Any

import pytest

from assay.core import Ask, Execute, Finish, Flow, Reply, Request, Score, Scores, UnknownName
from assay.core.problems.programs import Case, Problem
from assay.techniques.execution.cases import passes, solves, trials
from assay.techniques.execution.code_pool import agreed, code_pool, judged, pooled
from assay.techniques.execution.mutants import mutants
from assay.techniques.execution.pool_arms import first, judge_program, kept, majority
from assay.techniques.execution.repairing.repair import repair
from assay.techniques.execution.repairing.repaired import repaired

from .test_self_debug import PROBLEM, values

ADD, SAME, TWO = "\n    return n + 1", "\n    return n", "\n    return n + 2"


def play(flow: Flow[Any], said: dict[str, list[str]], logprobs: Any = None) -> tuple[Any, list[Request]]:
    """Answers an Ask by the replies under how its prefill begins, an Execute by running it."""
    asked: list[Request] = []
    try:
        requests = next(flow)
        while True:
            asked += requests
            sent: list[Any] = []
            for request in requests:
                if isinstance(request, Ask):
                    (found,) = [replies for begin, replies in said.items() if begin in request.prefill]
                    sent.append(tuple(Reply(text, tokens_in=50, tokens_out=9) for text in found[: request.n]))
                elif isinstance(request, Score):
                    sent.append(Scores(logprobs(request), (1,) * len(request.continuations)))
                else:
                    assert isinstance(request, Execute)
                    sent.append(values(request.code.replace("\n# run 1", "")))
            requests = flow.send(sent)
    except StopIteration as stop:
        return stop.value, asked


def pool(codes: list[str], tests: list[str]) -> Any:
    return play(pooled(PROBLEM, len(codes), len(tests)), {"def inc": codes, "assert inc(": tests})[0]


def test_one_thing_is_changed_in_each_mutant() -> None:
    source = (
        'def f(xs):\n    """Doc."""\n    if xs and xs[0] > 3:\n        return max(xs) - 1\n'
        "    return [i for i in xs if i]\n"
    )
    found = mutants(source, 50)
    assert len(found) == len(set(found)) >= 7
    original = ast.unparse(ast.parse(source))
    for text in found:
        assert sum(a != b for a, b in zip(text.split(), original.split(), strict=False)) <= 2 or "not" in text
        assert '"""Doc."""' in text
    assert any(">= 3" in text for text in found)
    assert any("xs or xs" in text for text in found)
    assert any("min(xs)" in text for text in found)
    assert mutants(source, 50) == found
    assert mutants(source, 2) == found[:2]
    assert mutants("def f(:") == ()
    assert mutants("def f():\n    pass\n") == ()


def test_the_matrix_says_which_function_passes_which_test() -> None:
    found = pool([ADD, SAME, TWO], ["7) == 8", "7) == 7\nassert inc(9) == 11"])
    assert found.tests == (Case("inc(7)", "8"), Case("inc(7)", "7"), Case("inc(9)", "11"))
    assert found.passed == (frozenset({0}), frozenset({1}), frozenset({2}))


def test_examples_of_the_prompt_and_what_is_no_call_are_no_tests() -> None:
    found = pool([ADD], ["1) == 2", "4) == 5", "7) == inc(7)", "7) > 0", ") == 0\nassert True"])
    assert [case.call for case in found.tests] == ["inc()"]


def test_a_test_that_no_mutant_fails_is_vacuous() -> None:
    """Nothing that can be changed in a function over a list is noticed on the empty list."""
    found = pool(["\n    return [i + 1 for i in n]"], ["[]) == []", "[1]) == [2]"])
    assert [case.call for case in found.tests] == ["inc([1])"]
    assert found.vacuous == 1
    assert found.passed == (frozenset({0}),)


def test_a_pass_must_be_seen_twice() -> None:
    flow = pooled(PROBLEM, 1, 1)
    next(flow)
    runs = flow.send([(Reply(ADD),), (Reply("7) == 8"),)])
    assert len(runs) == 2
    assert runs[0] != runs[1]
    with pytest.raises(StopIteration) as returned:
        flow.send([values(runs[0].code), values(runs[0].code.replace("n + 1", "n + 2"))])
    assert returned.value.value.passed == (frozenset(),)


@pytest.mark.parametrize(
    ("passed", "chosen"),
    [
        ([{0}, {1, 2}, {0}], 0),  # 2 x 1 against 1 x 2: the first of equals
        ([{0}, {1, 2}, {1, 2}], 1),
        ([{0}, {0}, {0}, {1, 2}], 0),
        ([set(), set(), {0}], 2),
        ([set(), set()], 0),
    ],
)
def test_the_largest_agreement(passed: list[set[int]], chosen: int) -> None:
    """CodeT, section 2: the number of functions of a cluster times the number of tests they pass."""
    assert agreed([frozenset(one) for one in passed]) == chosen


CODES, TESTS = [SAME, TWO, ADD, ADD], ["7) == 8", "9) == 10", "9) == 9", "x"]


def test_what_is_kept_is_put_to_the_hidden_tests() -> None:
    said = {"def inc": CODES, "assert inc(": TESTS}
    chosen, asked = play(kept(PROBLEM, 4, 4, "agreement"), said)
    assert chosen.measures["score"] == 1
    assert chosen.measures["tests"] == 3
    assert chosen.measures["programs that pass a test"] == 3
    one, _ = play(first(PROBLEM), said)
    assert one.measures["score"] == 0
    pair, _ = play(kept(PROBLEM, 4, 4, "first-pair"), said)
    assert (pair.measures["score"], pair.value) == (0, one.value)
    prompts = [turn.text for request in asked if isinstance(request, Ask) for turn in request.prompt]
    assert not any(hidden in prompt for prompt in prompts for hidden in ("977", "978", "313", "312"))


def test_the_pools_first_function_is_the_controls() -> None:
    """Equal but for n: the driver then draws the same reply for both."""
    import dataclasses

    said = {"def inc": CODES, "assert inc(": TESTS}
    pool_asks, first_asks = (play(flow, said)[1][0] for flow in (kept(PROBLEM, 4, 4, "random"), first(PROBLEM)))
    assert dataclasses.replace(pool_asks, n=1) == first_asks


def test_random_is_the_same_every_time_and_any_of_them() -> None:
    said = {"def inc": CODES, "assert inc(": TESTS}
    chosen = set()
    for number in range(12):
        problem = Problem(
            "inc", PROBLEM.prompt.replace("plus 1", f"plus 1{' ' * number}"), PROBLEM.visible, PROBLEM.hidden
        )
        values_of = [play(kept(problem, 4, 4, "random"), said)[0].value for _ in range(2)]
        assert values_of[0] == values_of[1]
        chosen.add(values_of[0])
    assert len(chosen) == 3


def test_the_commonest_by_what_they_give() -> None:
    answer, _ = play(majority(PROBLEM, 4), {"def inc": [SAME, "\n    return 1 + n", TWO, ADD]})
    assert answer.value.endswith("return 1 + n")
    assert answer.measures["score"] == 1


def test_the_judges_grade_is_an_expectation() -> None:
    logprobs = tuple(math.log(weight) for weight in [0.5, *[1e-12] * 9, 0.5])
    grade, asked = play(judged(PROBLEM, "def inc(n):\n    return n"), {}, lambda request: logprobs)
    assert grade == pytest.approx(5.0, abs=1e-6)
    assert asked[0].continuations == tuple(f" {grade}" for grade in range(11))
    odds, _ = play(judged(PROBLEM, "def inc(n):\n    return n", "words"), {}, lambda request: (-1.0, -3.0))
    assert odds == 2.0


def test_the_judge_chooses_the_highest_grade() -> None:
    def likes(request: Score) -> tuple[float, ...]:
        return (*[-9.0] * 10, 0.0) if "n + 2" in str(request.prompt) else (0.0, *[-9.0] * 10)

    answer, _ = play(kept(PROBLEM, 4, 4, "judge"), {"def inc": CODES, "assert inc(": TESTS}, likes)
    assert answer.value.endswith("return n + 2")


SOLVED = Problem(
    "inc", PROBLEM.prompt, PROBLEM.visible, PROBLEM.hidden, solution="def inc(n):\n    return n + 1\n"
)


def test_a_wrong_program_is_a_mutant_that_fails() -> None:
    def flat(request: Score) -> tuple[float, ...]:
        return (0.0,) * len(request.continuations)

    wrong, asked = play(judge_program(SOLVED, False, "grades"), {}, flat)
    assert "return n - 1" in wrong.text
    assert "n - 1" in str(asked[-1].prompt)
    right, _ = play(judge_program(SOLVED, True, "grades"), {}, flat)
    assert right.text == SOLVED.solution.strip()
    assert right.measures["score"] == 5.0
    blind = [play(judge_program(SOLVED, target, "blind"), {}, flat)[1][-1] for target in (True, False)]
    assert blind[0] == blind[1]
    assert "return" not in str(blind[0].prompt).split("An answer")[1]


def test_where_no_mutant_fails_nothing_is_judged() -> None:
    idle = Problem("inc", PROBLEM.prompt, (), PROBLEM.hidden, solution="def inc(n):\n    return n\n")
    answer, _ = play(judge_program(idle, False, "grades"), {}, None)
    assert "score" not in answer.measures


def test_a_cut_function_is_truncated() -> None:
    flow = first(PROBLEM)
    next(flow)
    with pytest.raises(StopIteration) as returned:
        flow.send([(Reply("\n    return (n", Finish.LENGTH),)])
    assert returned.value.value.finish is Finish.LENGTH
    assert "score" not in returned.value.value.measures


def test_a_question_in_words() -> None:
    said = {"def inc": CODES, "assert inc(": TESTS}
    answer, _ = play(code_pool(PROBLEM.prompt), said)
    assert answer.value.endswith("return n + 1")
    assert answer.detail == "it passes 2 of 3 tests; 0 more were vacuous"
    with pytest.raises(UnknownName, match="agreement"):
        next(code_pool("x", select="agrement"))  # type: ignore[arg-type]


# --- tests of programs ----------------------------------------------------------------------------------


def test_each_test_is_an_execution_and_all_hidden_ones_are_one() -> None:
    program = "def inc(n):\n    return 1 / n"
    ran, asked = play(trials(program, (Case("inc(0)", "1"), Case("inc(2)", "0.5"))), {})
    assert [trial.passed for trial in ran] == [False, True]
    assert ran[0].gave == "ZeroDivisionError: division by zero"
    assert len(asked) == 2
    whole, asked = play(passes(program, (Case("inc(1)", "1.0"), Case("inc(2)", "0.5"))), {})
    assert (whole, len(asked)) == (True, 1)
    assert play(passes(program, (Case("inc(1)", "1.0"), Case("inc(0)", "0.5"))), {})[0] is False


def test_a_check_must_come_to_its_end() -> None:
    problem = Problem("inc", "", check="def check(candidate):\n    assert candidate(41) == 42\n")
    flow = solves("def inc(n):\n    return n + 1", problem)
    (request,) = next(flow)
    namespace: dict[str, Any] = {}
    exec(request.code, namespace)
    assert namespace[request.entry]() is True
    exec(request.code.replace("n + 1", "n"), namespace)
    with pytest.raises(AssertionError):
        namespace[request.entry]()


def test_a_repair_is_measured_by_the_tests_of_what_was_there_before() -> None:
    right, faulty, cases = "def f(x):\n    return x\n", "def f(x)\n    return x\n", (Case("f(1)", "1"),)
    mended, _ = play(repaired(faulty, repair, right, cases), {})
    assert mended.measures == {"parses": 1, "behaves": 1, "deleted": 0, "score": 1}
    emptied, _ = play(repaired("def f(x):\n    return (x +\n", repair, right, cases), {})
    assert emptied.measures["parses"] == 1
    assert (emptied.measures["behaves"], emptied.measures["score"]) == (0, 0)
    assert (
        play(repaired("def f(x):\n    return (x +\n", repair, right, cases, "parses"), {})[0].measures["score"]
        == 1
    )
    other, _ = play(repaired(faulty, repair, "def f(x):\n    return 2\n", cases), {})
    assert "score" not in other.measures
    assert "fails its own tests" in other.detail
