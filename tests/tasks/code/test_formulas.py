"""Formulas to be found from examples: what they give, what is asked, and the texts an organism learns from."""

from __future__ import annotations

import numpy
import pytest
from hypothesis import given
from hypothesis import strategies as st

from assay.core import UnknownName, UserError
from assay.tasks.code import FormulaTask, problem_of
from assay.tasks.code.formula_texts import FormulaTexts, given_by
from assay.tasks.code.formulas import INPUTS, LARGEST, SHOWN, STEPS, Formula, functions

steps = st.integers(0, len(STEPS) - 1)


@given(steps, steps)
def test_a_formula_gives_what_python_gives(i: int, j: int) -> None:
    formula = Formula((i, j))
    assert formula.values == tuple(eval(formula.text, {"x": x}) for x in INPUTS) == given_by(formula.text)


@given(st.text("0123456789+-*/%()x ", max_size=16))
def test_what_is_read_as_a_formula_is_one(text: str) -> None:
    """Reading takes nothing that Python would not take, and finds the same values."""
    values = given_by(text)
    assert values is None or values == tuple(eval(text.strip(), {"x": x}) for x in INPUTS)


def test_every_function_has_one_formula_and_one_split() -> None:
    train, test = functions("train"), functions("test")
    every = [values for _, values in (*train, *test)]
    assert len(set(every)) == len(every)
    assert 0.1 < len(test) / len(every) < 0.15
    assert all(formula.values == values for formula, values in test)
    assert max(max(map(abs, values)) for values in every) <= LARGEST


def test_four_examples_are_shown_and_the_other_inputs_decide() -> None:
    samples = FormulaTask().samples(50, seed=1)
    assert samples == FormulaTask().samples(50, seed=1) != FormulaTask().samples(50, seed=2)
    tested = {values for _, values in functions("test")}
    for sample in samples:
        problem = problem_of(sample)
        assert (len(problem.visible), len(problem.hidden)) == (SHOWN, len(INPUTS) - SHOWN)
        assert sorted(case.call for case in (*problem.visible, *problem.hidden)) == [f"f({x})" for x in INPUTS]
        assert sample.question == " ".join(f"{c.call[2]}>{c.expected}" for c in problem.visible) + ":"
        space: dict[str, object] = {}
        exec(problem.solution, space)
        assert all(str(eval(c.call, space)) == c.expected for c in (*problem.visible, *problem.hidden))
        assert given_by(problem.solution.rpartition("return ")[2]) in tested


@pytest.mark.parametrize(("told", "least", "most"), [(0.0, 0.0, 0.0), (0.5, 0.4, 0.6), (1.0, 1.0, 1.0)])
def test_texts_of_wrong_formulas_say_what_the_first_failing_example_gave(
    told: float, least: float, most: float
) -> None:
    corpus = FormulaTexts(told=told)
    texts = corpus.examples(1500, numpy.random.default_rng(5))
    trained = {values for _, values in functions("train")}
    mends = [text for text in texts if "!" in text.prompt]
    assert 0.45 < len(mends) / len(texts) < 0.55
    assert least <= sum(not text.prompt.endswith("!:") for text in mends) / len(mends) <= most
    for text in texts:
        assert set(text.prompt + text.answer) <= set(corpus.alphabet)
        assert corpus.mark(text, text.answer) == {"exact": 1.0, "right": 1.0}
        assert given_by(text.answer) in trained
    for text in mends:
        asked, _, rest = text.prompt.partition(":")
        wrong, _, fact = rest.removesuffix(":").partition("!")
        wanted = {int(x): int(y) for x, y in (pair.split(">") for pair in asked.split())}
        gave = given_by(wrong)
        failing = [x for x in wanted if gave is None or gave[x] != wanted[x]]
        assert fact in ("", f"{failing[0]}>{'?' if gave is None else gave[failing[0]]}")
        assert corpus.mark(text, wrong)["right"] == 0.0


def test_bad_wishes_are_refused() -> None:
    with pytest.raises(UnknownName):
        FormulaTask().samples(1, 0, level="4")
    with pytest.raises(UnknownName):
        FormulaTask(split="all")
    with pytest.raises(UserError):
        FormulaTexts(told=1.5)
