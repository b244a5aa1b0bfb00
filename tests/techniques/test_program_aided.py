"""PAL, Gao et al. 2022 (arXiv 2211.10435), and the arms that read the same worked examples."""

from __future__ import annotations

import ast

import pytest

from assay.core import Ended, Execute, Execution, Finish, Reply
from assay.tasks import ArithmeticTask
from assay.techniques.execution import few_shot_chain, few_shot_direct, program_aided, program_without_execution
from assay.techniques.execution.program_aided import EXEMPLARS, number_of, solution_of

from .by_hand import by_hand, says

# The worked example of the paper's figure 1, as the body of solution().
TENNIS = "Roger has 5 tennis balls. He buys 2 more cans of tennis balls. Each can has 3. How many has he now?"
PROGRAM = """
    tennis_balls = 5
    bought_balls = 2 * 3
    answer = tennis_balls + bought_balls
    return answer
"""


def ran(value: object = None, ended: Ended = Ended.OK, error: str = "") -> list[Execution]:
    return [Execution(ended, value, has_value=value is not None, error=error)]


def value_of(code: str) -> object:
    """What the program computes; for the text of these tests alone, never for a model's."""
    namespace: dict[str, object] = {}
    exec(code, namespace)
    return namespace["solution"]()  # type: ignore[operator]


def test_the_papers_program_is_run_and_its_value_is_the_answer() -> None:
    answer, asked = by_hand(program_aided(TENNIS), says(PROGRAM), ran(11))
    assert asked[1] == [Execute(solution_of(PROGRAM), entry="solution")]
    assert value_of(asked[1][0].code) == 11
    assert (answer.value, answer.text, answer.detail) == ("11", "11", "")


def test_departure_1_four_worked_examples_as_turns_of_a_chat() -> None:
    _, asked = by_hand(program_aided(TENNIS), says(PROGRAM), ran(11))
    turns = asked[0][0].prompt
    assert [turn.role for turn in turns] == ["user", "assistant"] * 4 + ["user"]
    assert turns[-1].text == TENNIS
    assert turns[1].text.startswith("```python\ndef solution():\n    boxes = 5")


def test_the_program_is_begun_for_the_model_and_ends_at_the_fence() -> None:
    _, asked = by_hand(program_aided(TENNIS), says(PROGRAM), ran(11))
    assert asked[0][0].prefill == "```python\ndef solution():"
    assert asked[0][0].stop == ("```",)


@pytest.mark.parametrize("exemplar", EXEMPLARS, ids=lambda exemplar: exemplar.answer)
def test_the_worked_examples_are_right_in_all_three_forms(exemplar: object) -> None:
    program = solution_of(f"\n    {exemplar.program}")  # type: ignore[attr-defined]
    assert str(value_of(program)) == exemplar.answer  # type: ignore[attr-defined]
    assert f"= {exemplar.answer} " in exemplar.thought  # type: ignore[attr-defined]


def test_departure_2_no_state_passes_from_one_program_to_the_next() -> None:
    """The authors' runner gives a program that defines nothing the value of the one before."""
    first, _ = by_hand(program_aided("q"), says(PROGRAM), ran(11))
    second, asked = by_hand(program_aided("q"), says("\n    pass\n"), ran(None))
    assert first.value == "11"
    assert "tennis" not in asked[1][0].code
    assert (second.value, second.detail) == (None, "the program returned no number")


def test_departure_3_a_repeated_def_line_is_dropped() -> None:
    for line in ("def solution():", "\ndef solution() -> int:", "\n    def  solution( ):"):
        code = solution_of(f"{line}\n    return 7")
        assert code.count("def ") == 1
        assert value_of(code) == 7


def test_departure_3_a_body_without_indentation_is_indented() -> None:
    code = solution_of("\nballs = 5\nfor can in range(2):\n    balls += 3\nreturn balls")
    assert value_of(code) == 11


def test_a_program_on_the_line_of_its_def_runs() -> None:
    assert value_of(solution_of(" return 5 + 6")) == 11


def test_words_behind_the_closing_fence_are_no_code() -> None:
    assert value_of(solution_of("\n    return 3\n```\nSo the answer is 3.")) == 3


def test_an_empty_reply_makes_a_program_that_does_not_run() -> None:
    """It is sent all the same: the sandbox says in the error what is wrong with it."""
    with pytest.raises(SyntaxError):
        ast.parse(solution_of(""))
    answer, _ = by_hand(program_aided("q"), says(""), ran(ended=Ended.ERROR, error="SyntaxError: expected a body"))
    assert (answer.value, answer.detail) == (None, "SyntaxError: expected a body")


@pytest.mark.parametrize(
    ("ended", "error"),
    [
        (Ended.ERROR, "SyntaxError: invalid syntax (line 2)"),
        (Ended.ERROR, "ZeroDivisionError: division by zero (line 3)"),
        (Ended.TIMEOUT, "it ran for more than 5 s"),
        (Ended.MEMORY, "it wanted more than 256 MB"),
    ],
)
def test_the_detail_says_how_a_program_failed(ended: Ended, error: str) -> None:
    answer, _ = by_hand(program_aided("q"), says(PROGRAM), ran(ended=ended, error=error))
    assert (answer.value, answer.detail) == (None, error)


@pytest.mark.parametrize("ended", [ended for ended in Ended if ended is not Ended.OK])
def test_a_value_of_a_program_that_did_not_end_well_does_not_count(ended: Ended) -> None:
    assert number_of(Execution(ended, 5, has_value=True)) is None


@pytest.mark.parametrize(
    ("value", "number"),
    [
        (11, "11"),
        (0, "0"),
        (-3, "-3"),
        (11.0, "11"),
        (2.5, "2.5"),
        (10 / 3, "3.333"),
        (-0.0, "0"),
        (0.1 + 0.2, "0.3"),
        (10**30, "1" + "0" * 30),
        (True, None),
        (False, None),
        (None, None),
        ("11", None),
        ([11], None),
        ({"answer": 11}, None),
        (float("nan"), None),
        (float("inf"), None),
    ],
)
def test_only_a_finite_number_is_a_number(value: object, number: str | None) -> None:
    assert number_of(Execution(Ended.OK, value, has_value=True)) == number


def test_a_number_of_five_thousand_digits_is_no_crash() -> None:
    number_of(Execution(Ended.OK, 10**5000, has_value=True))


def test_the_finish_is_that_of_the_program() -> None:
    cut = [(Reply("\n    balls = 5", Finish.LENGTH),)]
    answer, _ = by_hand(program_aided("q"), cut, ran(None))
    assert (answer.value, answer.finish) == (None, Finish.LENGTH)


def test_the_ablation_states_the_programs_value_and_runs_nothing() -> None:
    answer, asked = by_hand(program_without_execution(TENNIS), says(PROGRAM), says(" 11."))
    program, stated = asked[0][0], asked[1][0]
    _, with_interpreter = by_hand(program_aided(TENNIS), says(PROGRAM), ran(11))
    assert program == with_interpreter[0][0]
    assert stated.prompt == program.prompt
    assert stated.prefill == f"```python\ndef solution():{PROGRAM.rstrip()}\n```\nThe program returns"
    assert answer.text == " 11."


def test_the_direct_arm_reads_the_same_questions_and_begins_its_answer() -> None:
    answer, asked = by_hand(few_shot_direct(TENNIS), says(" 11."))
    assert asked[0][0].prefill == "The answer is"
    assert asked[0][0].prompt[1].text == "The answer is 60."
    assert answer.text == " 11."


def test_the_chain_arm_reads_the_same_examples_in_words() -> None:
    chain = "Roger has 5 balls and buys 2 * 3 = 6, so 5 + 6 = 11. The answer is 11."
    answer, asked = by_hand(few_shot_chain(TENNIS), says(chain))
    _, programs = by_hand(program_aided(TENNIS), says(PROGRAM), ran(11))
    users = [[turn.text for turn in step[0].prompt if turn.role == "user"] for step in (asked[0], programs[0])]
    assert users[0] == users[1]
    assert asked[0][0].prompt[1].text.endswith("The answer is 60.")
    assert (answer.text, answer.value) == (chain, "11")


def test_both_arms_of_the_claim_set_a_cut_reply_apart() -> None:
    """Else the cap on tokens alone makes the treatment win."""
    task = ArithmeticTask()
    (sample,) = task.samples(1, 0)
    cut = says("\n    balls = 5\n    bought = 2 *", finish=Finish.LENGTH)
    program, _ = by_hand(program_aided("q"), cut, ran(ended=Ended.ERROR, error="SyntaxError"))
    chain, _ = by_hand(few_shot_chain("q"), says("Roger has 5 balls and buys 2 *", finish=Finish.LENGTH))
    assert task.score(sample, program).ending.value == "truncated"
    assert task.score(sample, chain).ending.value == "truncated"
