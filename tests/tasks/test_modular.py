"""Chains modulo a small number: labels per step by hand and against Python, strange replies, false positives."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from assay.core import AssayError
from assay.core.training import Example
from assay.tasks.arithmetic.modular import (
    NUMBERS,
    ModularChains,
    final_answer,
    first_error,
    solution,
    step_ends,
    step_labels,
)

PROMPT = "7+3*4-2:"
GOOD = "+3=a\n*4=7\n-2=5\n5"


def rng(seed: int = 0) -> np.random.Generator:
    return np.random.default_rng(seed)


def test_an_example_by_hand() -> None:
    assert solution(PROMPT) == GOOD
    assert step_labels(PROMPT, GOOD) == (True, True, True)
    assert final_answer(GOOD) == "5"
    assert first_error(PROMPT, GOOD) is None
    assert [GOOD[: end + 1] for end in step_ends(GOOD)] == ["+3=a", "+3=a\n*4=7", "+3=a\n*4=7\n-2=5"]


@pytest.mark.parametrize(
    ("reply", "labels", "answer"),
    [
        ("+3=9\n*4=3\n-2=1\n1", (False, True, True), "1"),
        ("+3=a\n*4=8\n-2=5\n5", (True, False, False), "5"),
        ("+4=0\n*4=0\n-2=9\n9", (False, True, True), "9"),
        ("*4=6\n+3=9\n-2=7\n7", (False, False, True), "7"),
        ("+3=a\n*4=7\n-2=5\n", (True, True, True), None),
        ("+3=a\n*4=7\n-2=5", (True, True, True), None),
        ("+3=a\n*4=7\n-", (True, True, False), None),
        ("+3=a\n\n-2=5\n5", (True, False, False), "5"),
        ("\n*4=7\n-2=5\n5", (False, False, True), "5"),
        ("+3=a\n*4=7\n-2=5\n-2=3\n3", (True, True, True, False), "3"),
        ("+3=z\n*4=7\n-2=5\n5", (False, False, True), "5"),
        ("+3=z\n*4=8\n-2=6\n6", (False, False, True), "6"),
        ("5", (), "5"),
        ("", (), None),
        ("55", (False,), None),
        (" +3=a\n*4=7\n-2=5\n5", (False, False, True), "5"),
    ],
)
def test_labels_by_hand(reply: str, labels: tuple[bool, ...], answer: str | None) -> None:
    assert step_labels(PROMPT, reply) == labels
    assert final_answer(reply) == answer
    assert len(step_ends(reply)) == len(labels)
    assert first_error(PROMPT, reply) == (labels.index(False) if False in labels else None)


def test_marks_by_hand() -> None:
    corpus = ModularChains(steps=3)

    def marks(reply: str, prompt: str = PROMPT) -> tuple[float, ...]:
        found = corpus.mark(Example(prompt, ""), reply)
        assert list(found) == ["exact", "steps", "process", "false_positive"]
        return tuple(found.values())

    assert marks(GOOD) == (1, 1, 1, 0)
    assert marks(GOOD[:-1] + "6") == (0, 1, 1, 0), "the steps are right, the answer is not theirs"
    assert marks("+3=9\n*4=3\n-2=1\n1") == (0, 2 / 3, 0, 0)
    assert marks("+3=9\n*4=7\n-2=5\n5") == (1, 1 / 3, 0, 1)
    assert marks("5") == (1, 0, 0, 1), "no steps are no right steps"
    assert marks(GOOD[:-2] + "\n-2=5\n5") == (1, 0.75, 0, 1)
    assert marks("+3=0\n*0=0\n-2=9\n9", "7+3*0-2:") == (1, 2 / 3, 0, 1), "times 0 forgets the error"
    assert marks("") == (0, 0, 0, 0)


@given(st.integers(0, 10), st.lists(st.tuples(st.sampled_from("+-*"), st.integers(0, 10)), min_size=1, max_size=8))
def test_solutions_are_what_python_says(start: int, operations: list[tuple[str, int]]) -> None:
    prompt = NUMBERS[start] + "".join(sign + NUMBERS[number] for sign, number in operations) + ":"
    value = start
    for line, (sign, number) in zip(solution(prompt).split("\n"), operations, strict=False):
        value = eval(f"({value} {sign} {number}) % 11")  # numbers and a sign drawn above
        assert line == f"{sign}{NUMBERS[number]}={NUMBERS[value]}"
    assert final_answer(solution(prompt)) == NUMBERS[value]
    assert step_labels(prompt, solution(prompt)) == (True,) * len(operations)


@given(st.text(alphabet="0123456789az+-*=\n :é", max_size=60))
def test_no_reply_is_too_strange(reply: str) -> None:
    labels, ends = step_labels(PROMPT, reply), step_ends(reply)
    assert len(labels) == len(ends)
    assert all(0 <= end < len(reply) for end in ends)
    assert list(ends) == sorted(set(ends))
    assert all(0 <= mark <= 1 for mark in ModularChains().mark(Example(PROMPT, ""), reply).values())


def test_one_changed_character_of_a_step_makes_it_wrong() -> None:
    for example in ModularChains().examples(50, rng()):
        for at in step_ends(example.answer):
            other = "1" if example.answer[at] != "1" else "2"
            reply = example.answer[:at] + other + example.answer[at + 1 :]
            assert first_error(example.prompt, reply) == at // 5


@pytest.mark.parametrize("corpus", [ModularChains(), ModularChains(3, 7), ModularChains(4, 36, "test")], ids=str)
def test_a_corpus_keeps_its_promises(corpus: ModularChains) -> None:
    examples = corpus.examples(300, rng(1))
    assert examples == corpus.examples(300, rng(1))
    assert corpus.alphabet == "".join(sorted(set(corpus.alphabet)))
    for example in examples:
        assert set(example.prompt + example.answer) <= set(corpus.alphabet)
        assert corpus.mark(example, example.answer) == {
            "exact": 1,
            "steps": 1,
            "process": 1,
            "false_positive": 0,
        }
        assert len(example.answer) == 5 * corpus.steps + 1
    assert max(len(e.prompt + e.answer) for e in ModularChains().examples(100, rng())) == 45


def test_train_and_test_share_nothing() -> None:
    train, test = (
        {e.prompt for e in ModularChains(1, 11, split).examples(4000, rng())} for split in ("train", "test")
    )
    assert not train & test
    assert len(train | test) == 11 * 33


def test_wrong_steps_reach_right_answers_often_enough_to_tell_verifiers_apart() -> None:
    """A solver that errs one step in seven, as the measured organism does: spec 19.4 saw 7.5 %."""
    corpus, noise = ModularChains(), rng(5)
    false = 0.0
    for example in corpus.examples(3000, rng()):
        value, lines = example.prompt[0], []
        for at in range(1, 13, 2):
            operation = example.prompt[at : at + 2]
            value = solution(f"{value}{operation}:")[-1]
            if noise.random() < 1 / 7:
                value = NUMBERS[(NUMBERS.index(value) + int(noise.integers(1, 11))) % 11]
            lines.append(f"{operation}={value}")
        false += corpus.mark(example, "\n".join([*lines, value]))["false_positive"]
    assert 0.05 < false / 3000 < 0.2


@pytest.mark.parametrize("fields", [{"steps": 0}, {"modulus": 1}, {"modulus": 37}, {"split": "dev"}])
def test_what_makes_no_sense_is_refused(fields: dict[str, object]) -> None:
    with pytest.raises(AssayError):
        ModularChains(**fields)  # type: ignore[arg-type]
