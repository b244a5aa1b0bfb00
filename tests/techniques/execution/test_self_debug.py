"""Self-Debug (arXiv 2304.05128): turns, feedback, stops, the rival that draws afresh, and what is counted."""

from __future__ import annotations

import json
from typing import Any

import pytest

from assay.core import Ended, Execute, Execution, Finish, Flow, Reply, Request, UnknownName
from assay.core.problems.programs import Case, Problem
from assay.tasks.code.formula_texts import FormulaTexts
from assay.techniques.execution.cases import trials
from assay.techniques.execution.dialects import BARE
from assay.techniques.execution.hard_coded import hard_coded
from assay.techniques.execution.self_debug import (
    Feedback,
    Written,
    debugged,
    failure,
    graded,
    resampled,
    self_debug,
)
from assay.techniques.execution.writing import asked_freely, program_of, signature_of

PROMPT = '''import math

def inc(n):
    """Return n plus 1.

    >>> inc(1)
    2
    >>> inc(4)
    5
    """
'''
PROBLEM = Problem(
    "inc", PROMPT, (Case("inc(1)", "2"), Case("inc(4)", "5")), (Case("inc(977)", "978"), Case("inc(-313)", "-312"))
)
RIGHT, WRONG, OTHER = "\n    return n + 1", "\n    return n", "\n    return n + 2"


def values(code: str) -> Any:
    """Runs the code of these tests; for no model's."""
    namespace: dict[str, Any] = {}
    body, _, last = code.rpartition("\n\n")
    try:
        exec(body, namespace)
        return Execution(Ended.OK, json.loads(json.dumps(eval(last, namespace))), has_value=True)
    except Exception as error:
        return Execution(Ended.ERROR, error=f"{type(error).__name__}: {error}")


def play(flow: Flow[Any], *said: str | Reply) -> tuple[Any, list[Request]]:
    """Answers every Ask by the next of these replies and every Execute by running it; what was asked for."""
    replies, asked = iter(said), []
    try:
        requests = next(flow)
        while True:
            asked += requests
            sent = []
            for request in requests:
                if isinstance(request, Execute):
                    sent.append(values(request.code))
                else:
                    one = next(replies, None)
                    assert one is not None, "the flow wants more replies"
                    sent.append((one if isinstance(one, Reply) else Reply(one, tokens_in=100, tokens_out=10),))
            requests = flow.send(sent)
    except StopIteration as stop:
        assert next(replies, None) is None, "not every reply was asked for"
        return stop.value, asked


def asks(asked: list[Request]) -> list[Any]:
    return [request for request in asked if not isinstance(request, Execute)]


def test_a_program_that_passes_the_visible_tests_is_the_last() -> None:
    written, asked = play(debugged(PROBLEM), RIGHT)
    assert [one.program for one in written] == ["import math\n\ndef inc(n):\n    return n + 1"]
    assert [request.code.rpartition("\n\n")[2] for request in asked[1:]] == ["[inc(1)]", "[inc(4)]"]
    assert asks(asked)[0].prefill == "```python\ndef inc(n):"
    assert asks(asked)[0].temperature == 0


def test_the_failing_call_its_value_and_the_right_one_are_told() -> None:
    written, asked = play(debugged(PROBLEM), WRONG, RIGHT)
    last = asks(asked)[1].prompt
    assert [turn.role for turn in last] == ["user", "assistant", "user"]
    assert last[1].text.endswith("def inc(n):\n    return n\n```")
    assert last[2].text.startswith("The code above fails a test: inc(1) should be 2, but it is 1.")
    assert (len(written), written[-1].whole) == (2, True)


def test_none_is_a_value_like_any_other() -> None:
    problem = Problem("first", "def first(xs):\n", (Case("first([])", "None"), Case("first([2])", "2")))
    told, _ = play(trials("def first(xs):\n    return xs[0] if xs else None", problem.visible))
    assert [trial.passed for trial in told] == [True, True]
    wrong, right = play(trials("def first(xs):\n    if xs == []:\n        return 0", problem.visible))[0]
    assert (wrong.passed, wrong.gave, right.passed, right.gave) == (False, "0", False, "None")


def test_an_error_is_told_as_it_is() -> None:
    _, asked = play(debugged(PROBLEM), "\n    return m", RIGHT)
    assert "but it is NameError: name 'm' is not defined" in asks(asked)[1].prompt[2].text


@pytest.mark.parametrize(
    ("feedback", "wishes", "facts"),
    [
        ("simple", 0, "is wrong"),
        ("unit-test", 0, "should be 2"),
        ("explanation", 1, ""),
        ("unit-test+explanation", 1, "should be 2"),
        ("trace", 1, ""),
    ],
)
def test_each_feedback_says_its_own(feedback: Feedback, wishes: int, facts: str) -> None:
    _, asked = play(debugged(PROBLEM, feedback=feedback, turns=2), WRONG, *["It adds."] * wishes, RIGHT)
    turns = asks(asked)[-1].prompt
    assert len(turns) == 3 + 2 * wishes
    assert turns[-1].text.endswith("Fix the code.")
    assert facts in turns[-1].text
    if wishes:
        assert turns[3].text == "It adds."
        # Only a trace is asked for with the facts before it; an explanation is of the code as it stands.
        assert ("should be 2" in turns[2].text) is (feedback == "trace")
    assert ("should be" in "".join(turn.text for turn in turns)) is (
        feedback in ("unit-test", "unit-test+explanation", "trace")
    )


def test_three_programs_at_most_and_the_last_is_kept() -> None:
    written, asked = play(debugged(PROBLEM), WRONG, OTHER, WRONG)
    assert len(written) == 3
    assert len(asks(asked)) == 3


def test_the_model_may_be_the_one_that_stops() -> None:
    written, asked = play(debugged(PROBLEM, stop="self"), WRONG, " Yes.")
    assert len(written) == 1
    assert asks(asked)[1].prefill == "Answer:"
    assert len(play(debugged(PROBLEM, stop="self"), RIGHT, " no", RIGHT, " I cannot say", RIGHT)[0]) == 3


def test_no_feedback_after_a_refusal_or_without_a_program() -> None:
    assert len(play(debugged(PROBLEM), Reply("", Finish.REFUSED))[0]) == 1
    assert len(play(debugged(PROBLEM), "```")[0]) == 1


@pytest.mark.parametrize("feedback", ["simple", "unit-test", "explanation", "unit-test+explanation", "trace"])
def test_hidden_tests_never_enter_a_prompt(feedback: Feedback) -> None:
    wishes = ["Well."] * (feedback not in ("simple", "unit-test"))
    said = [WRONG, *wishes, OTHER, *wishes, WRONG]
    flows = [(graded(debugged(PROBLEM, feedback=feedback), PROBLEM), said)]
    flows.append((graded(resampled(PROBLEM), PROBLEM), [WRONG, OTHER, WRONG, OTHER]))
    for flow, replies in flows:
        _, asked = play(flow, *replies)
        prompts = json.dumps([[turn.text for turn in request.prompt] for request in asks(asked)])
        assert "inc(1)" in prompts
        assert not any(word in prompts for word in ("977", "978", "313", "312"))
        assert any("inc(977)" in request.code for request in asked if isinstance(request, Execute))


def test_a_feedback_from_elsewhere_takes_the_place_of_the_facts() -> None:
    _, asked = play(debugged(PROBLEM, instead="g(1) should be 7, but it is 8.", turns=2), WRONG, RIGHT)
    assert asks(asked)[1].prompt[2].text == "g(1) should be 7, but it is 8.\nFix the code."


def test_an_unknown_feedback_gets_a_suggestion() -> None:
    with pytest.raises(UnknownName, match="unit-test"):
        next(debugged(PROBLEM, feedback="unit-tests"))  # type: ignore[arg-type]


def test_what_decides_is_the_value_and_not_what_is_printed() -> None:
    answer, _ = play(graded(debugged(PROBLEM, turns=1), PROBLEM), "\n    print('2 5 passed')\n    return None")
    assert answer.measures["score"] == 0
    assert answer.measures["visible passed"] == 0


def test_measures_count_repeats_regressions_and_every_program() -> None:
    half = "\n    return 2"  # passes one of the two visible tests
    answer, _ = play(graded(debugged(PROBLEM), PROBLEM), half, WRONG, "\n    return 2  # again")
    counted = answer.measures
    assert (counted["programs"], counted["repeats"], counted["regressions"]) == (3, 1, 1)
    assert [counted[f"right after {turn}"] for turn in (1, 2, 3)] == [0, 0, 0]
    assert counted["hard coded"] == 1
    fixed, _ = play(graded(debugged(PROBLEM), PROBLEM), WRONG, RIGHT)
    assert [fixed.measures[f"right after {turn}"] for turn in (1, 2)] == [0, 1]
    assert fixed.measures["score"] == 1


def test_a_cut_program_is_truncated_and_no_program_is_unparsed() -> None:
    cut, _ = play(graded(debugged(PROBLEM, turns=1), PROBLEM), Reply("\n    return (n +", Finish.LENGTH))
    assert ("score" in cut.measures, cut.finish) == (False, Finish.LENGTH)
    whole, _ = play(graded(debugged(PROBLEM, turns=1), PROBLEM), Reply("\n    return n + 1", Finish.LENGTH))
    assert whole.measures["score"] == 1
    none, _ = play(graded(debugged(PROBLEM, turns=1), PROBLEM), "```")
    assert ("score" in none.measures, none.finish) == (False, Finish.STOP)


# --- the rival ------------------------------------------------------------------------------------------


def test_fresh_programs_until_one_passes() -> None:
    written, asked = play(resampled(PROBLEM), WRONG, OTHER, RIGHT)
    assert written[-1].whole
    requests = asks(asked)
    assert [request.temperature for request in requests] == [0, 0.8, 0.8]
    assert len({request.prompt for request in requests}) == 1
    _, debugging = play(debugged(PROBLEM), WRONG, RIGHT)
    assert requests[0] == asks(debugging)[0]


def test_they_cost_what_debugging_would_have() -> None:
    """A draw is 100 + 10 tokens. Debugging pays for the last program and its feedback in each later prompt."""
    written, _ = play(resampled(PROBLEM), *[WRONG] * 4)
    tokens_a_sign = 100 / len(f"Complete this Python function.\n\n```python\n{PROMPT.rstrip()}\n```")
    feedback = tokens_a_sign * len(f"{failure(written[-1].trials)}\nFix the code.")
    debugging = 110 + 2 * (110 + 10 + feedback)
    assert abs(debugging - 4 * 110) < 55
    long = [Reply(f"\n    # {'x' * 400}{WRONG}", tokens_in=100, tokens_out=200)] * 5
    assert len(play(resampled(PROBLEM), *long)[0]) == 5  # 300 + 2 * (300 + 200 + feedback) is nearer to five draws


def test_of_programs_that_all_fail_the_best_is_kept() -> None:
    written, _ = play(resampled(PROBLEM), WRONG, "\n    return 2", OTHER, WRONG)
    assert written[-1].passed == 1
    assert len(written) == 4


# --- a question in words --------------------------------------------------------------------------------


def test_a_question_in_words_brings_its_own_examples() -> None:
    answer, asked = play(
        self_debug("A function double such that double(2) is twice 2.\ndouble(2) == 4"),
        "def double(n):\n    return n + 1",
        "def double(n):\n    return n * 2",
    )
    assert answer.value == "def double(n):\n    return n * 2"
    assert answer.detail == "1 of 1 examples pass after 2 programs"
    assert asks(asked)[0].prefill == "```python"
    assert "double(2) should be 4, but it is 3" in asks(asked)[1].prompt[2].text


def test_without_examples_the_first_program_stands() -> None:
    answer, _ = play(self_debug("Write a function that greets."), "def hi():\n    return 'hi'")
    assert answer.value == "def hi():\n    return 'hi'"


def test_a_signature_in_the_question_begins_the_program() -> None:
    assert signature_of(asked_freely(PROMPT)).header == "def inc(n):"
    assert asked_freely(PROMPT).visible == PROBLEM.visible
    assert signature_of(asked_freely("def f(x) please")).header == ""


@pytest.mark.parametrize(
    "reply",
    [RIGHT, "\nreturn n + 1", "\ndef inc(n):\n    return n + 1", " return n + 1", f"{RIGHT}\n```\nThat is it."],
)
def test_the_program_in_a_reply(reply: str) -> None:
    namespace: dict[str, Any] = {}
    exec(program_of(PROBLEM, reply), namespace)
    assert namespace["inc"](4) == 5


# --- known by heart -------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("body", "cheats"),
    [
        ("return 2", True),
        ("if n == 1:\n        return 2\n    return 0", True),
        ("return 2 if n == 1 else n + 1", True),
        ("return {1: 2, 4: 5}[n]", True),
        ("return {1: 2, 4: 5}.get(n, n)", True),
        ("return n + 1", False),
        ("if n == 0:\n        return 1\n    return n + 1", False),
        ("if n < 0:\n        return 2\n    return n + 1", False),
        ("return 3", False),
        ("x = 2\n    return n + x", False),
        ("return (", False),
    ],
)
def test_programs_that_know_the_visible_tests_by_heart(body: str, cheats: bool) -> None:
    assert hard_coded(f"def inc(n):\n    {body}\n", PROBLEM.visible, "inc") is cheats


def test_a_function_of_truth_values_is_no_cheat() -> None:
    even = "def even(n):\n    if n % 2 == 0:\n        return True\n    return False\n"
    assert not hard_coded(even, (Case("even(2)", "True"), Case("even(3)", "False")), "even")


def test_the_best_of_nothing_is_nothing() -> None:
    assert not Written("", Reply(""), ()).whole


# --- on an organism ------------------------------------------------------------------------------------


FORMULA = Problem(
    "f", "0>0 3>9 4>16 6>36:", tuple(Case(f"f({x})", str(x * x)) for x in (0, 3, 4, 6)), (Case("f(9)", "81"),)
)


def test_the_bare_form_is_what_an_organism_was_trained_on() -> None:
    written, asked = play(debugged(FORMULA, dialect=BARE), "(x*3)-0", "(x*x", "(x**2)+0")
    first, second, third = asks(asked)
    assert (first.prompt, second.prompt) == (FORMULA.prompt, "0>0 3>9 4>16 6>36:(x*3)-0!4>12:")
    # What gives no number is a question mark, as in the texts it has seen.
    assert third.prompt == "0>0 3>9 4>16 6>36:(x*x!0>?:"
    assert all(request.raw and request.temperature == 0 for request in (first, second, third))
    assert [one.passed for one in written] == [2, 0, 4]
    seen = FormulaTexts().alphabet
    assert set(third.prompt) <= set(seen)


def test_the_bare_form_may_say_only_that_it_is_wrong_or_somebody_elses_fact() -> None:
    _, asked = play(debugged(FORMULA, feedback="simple", dialect=BARE, turns=2), "(x*3)-0", "(x*3)-3")
    assert asks(asked)[1].prompt == "0>0 3>9 4>16 6>36:(x*3)-0!:"
    _, asked = play(debugged(FORMULA, instead="7>1", dialect=BARE, turns=2), "(x*3)-0", "(x*3)-3")
    assert asks(asked)[1].prompt.endswith("!7>1:")


def test_fresh_formulas_are_bought_for_what_mending_costs() -> None:
    draw = Reply("(x*3)-0", tokens_in=18, tokens_out=12)
    written, asked = play(resampled(FORMULA, dialect=BARE), *[draw] * 4)
    # A draw is 30 tokens, mending it the formula's 12 and the fact's 6 on top: 30 + 2 x 48 = 126 buy four draws.
    assert len(written) == 4
    assert {request.prompt for request in asks(asked)} == {FORMULA.prompt}
    assert [request.temperature for request in asks(asked)][:2] == [0, 0.8]
