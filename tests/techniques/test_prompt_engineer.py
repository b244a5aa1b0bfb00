"""Automatic prompt engineer: proposes, filters, scores every candidate on the same examples, resamples."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import Any

import pytest

from assay.core import Ask, Flow, Reply, Score, Scores
from assay.techniques.prompting import Candidate, Search, applied, engineer, likelihood, paraphrases, scored
from tests.techniques.by_hand import by_hand, says

EXAMPLES = [(f"word {at}", f"output{at}") for at in range(8)]


def answering(flow: Flow[Any], says_what: Callable[[Ask], Sequence[str]], good: str) -> tuple[Any, list[Any]]:
    """Run a flow: asks are answered by a function, and the instruction `good` makes outputs likelier."""
    asked: list[Any] = []
    requests: Sequence[Any] = next(flow)
    try:
        while True:
            asked += requests
            replies: list[Any] = []
            for request in requests:
                if isinstance(request, Score):
                    logprob = -1.0 if str(request.prompt).startswith(good + "\n") else -4.0
                    replies.append(Scores((2 * logprob,), (2,)))
                else:
                    replies.append(tuple(Reply(text) for text in says_what(request)))
            requests = flow.send(replies)
    except StopIteration as stop:
        return stop.value, asked


def propose(request: Ask) -> list[str]:
    if "in other words" in str(request.prompt):
        return [" name the result"] * request.n
    return [" Write the output.", " write  the output.", " output1 and output2 are right", "", " Best one"][
        : request.n
    ]


def test_the_best_scoring_instruction_is_first_and_all_are_scored_on_the_same_examples() -> None:
    found, asked = answering(engineer(EXAMPLES, Search(6, 3)), propose, "name the result")
    assert found[0] == Candidate("name the result", -1.0, pytest.approx(math.exp(-1)), "varied")
    assert [candidate.instruction for candidate in found[1:]] == ["Write the output."]
    per_instruction: dict[str, list[str]] = {}
    for request in asked:
        if isinstance(request, Score):
            instruction, _, item = str(request.prompt).partition("\n\n")
            per_instruction.setdefault(instruction, []).append(item)
    assert {tuple(items) for items in per_instruction.values()} == {tuple(f"Input: word {at}" for at in range(8))}


def test_what_is_empty_said_before_or_gives_outputs_away_is_dropped() -> None:
    found, _ = answering(engineer(EXAMPLES, Search(3, 0)), propose, "none")
    assert [candidate.instruction for candidate in found] == ["Write the output."]


def test_paraphrases_are_as_many_as_the_engineer_has_candidates_and_the_original_is_one() -> None:
    def vary(request: Ask) -> list[str]:
        return [f" other words {at}" for at in range(request.n)]

    found, _ = answering(paraphrases("Say it.", EXAMPLES, Search(4, 2)), vary, "other words 3")
    assert len(found) == 7
    assert found[0].instruction == "other words 3"
    assert "Say it." in [candidate.instruction for candidate in found]


def test_by_accuracy_no_score_is_asked_for_and_the_share_right_counts() -> None:
    def follow(request: Ask) -> list[str]:
        prompt = str(request.prompt)
        if "Input: word" in prompt and not prompt.startswith("A friend"):
            number = prompt.rpartition("word ")[2]
            return [f" Output{number}." if prompt.startswith("Write the output.") else " no"]
        return propose(request)

    found, asked = answering(engineer(EXAMPLES, Search(6, 3, by="accuracy")), follow, "")
    assert not [request for request in asked if isinstance(request, Score)]
    assert found[0] == Candidate("Write the output.", 1.0, 1.0, "proposed")
    assert found[1].mean == 0.0


def test_the_order_of_examples_changes_nothing() -> None:
    def value(request: Score) -> float:
        return -float(len(str(request.prompt)) % 5)

    results = []
    for examples in (EXAMPLES, EXAMPLES[::-1]):
        flow = scored(["one", "another", "a third one"], examples, "x")
        requests = next(flow)
        with pytest.raises(StopIteration) as ended:
            flow.send([Scores((value(request),), (1,)) for request in requests])  # type: ignore[arg-type]
        results.append([candidate.score for candidate in ended.value.value])
    assert results[0] == pytest.approx(results[1])


def test_an_instruction_is_applied_to_an_input() -> None:
    answer, asked = by_hand(applied("Add.", "3 4"), says(" 7"))
    assert answer.text == " 7"
    assert asked[0][0].prompt == "Add.\n\nInput: 3 4"
    assert by_hand(applied("", "3 4"), says(" 7"))[1][0][0].prompt == "Input: 3 4"


def test_the_likelihood_is_per_token() -> None:
    answer, asked = by_hand(likelihood("Add.", "3 4", "7"), [Scores((math.log(0.25),), (2,))])
    assert answer.measures["likelihood"] == pytest.approx(0.5)
    assert asked[0][0].continuations == (" 7",)
