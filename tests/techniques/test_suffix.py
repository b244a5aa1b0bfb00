"""A sentence behind the prompt, and the length of the reply."""

from __future__ import annotations

from assay.core import Ask, Finish, Reply
from assay.tasks import WritingTask
from assay.techniques.prompting import with_suffix

from .by_hand import by_hand

TIP = "I'm going to tip $200 for a perfect solution!"


def test_the_suffix_stands_behind_the_prompt() -> None:
    _, asked = by_hand(with_suffix("Write a poem.", TIP, max_tokens=9), [(Reply("Roses"),)])
    assert asked == [[Ask(f"Write a poem. {TIP}", max_tokens=9, temperature=0.7)]]


def test_no_suffix_leaves_the_prompt_as_it_is() -> None:
    """A blank at the end of the control's prompt would be a difference nobody asked for."""
    _, asked = by_hand(with_suffix("Write a poem."), [(Reply("Roses"),)])
    assert asked[0][0].prompt == "Write a poem."


def test_departure_1_tokens_and_characters_are_measured() -> None:
    answer, _ = by_hand(with_suffix("Write."), [(Reply("Rosen blühn", tokens_out=7),)])
    assert answer.measures == {"tokens": 7.0, "characters": 11.0}


def test_the_task_scores_the_tokens_and_a_cut_reply_counts_as_the_cap() -> None:
    task = WritingTask(cap=255)
    (sample,) = task.samples(1, 0)
    short, _ = by_hand(with_suffix(sample.question), [(Reply("Roses", tokens_out=15),)])
    cut, _ = by_hand(with_suffix(sample.question), [(Reply("Roses", Finish.LENGTH, 4, 255),)])
    # log(16) / log(256) is one half.
    assert task.score(sample, short).score == 0.5
    assert (task.score(sample, cut).score, task.score(sample, cut).detail) == (1.0, "capped")
