"""A flow written down as it runs: replayed without a model, gone on with after a kill."""

from __future__ import annotations

import contextlib
import json
from pathlib import Path

import pytest
from tests.techniques.by_hand import by_hand, says

from assay.core import Answer, Ask, BadFile, BudgetExceeded, Flow, Reply, Use, Used, UserError, ask, use
from assay.lab.agents import Journal

HEADER = {"objective": "count"}


def count(upto: int) -> Flow[Answer]:
    """Asks, uses a tool, and asks again, until the budget ends or it got that far."""
    heard = []
    try:
        for at in range(upto):
            (reply,) = yield from ask(Ask(f"say {at}"))
            used = yield from use("echo", json.dumps({"text": reply.text}), 1.0)
            heard.append(used.text)
    except BudgetExceeded as error:
        heard.append(str(error))
    return Answer(" ".join(heard))


def written(file: Path, upto: int, steps: int) -> None:
    """A journal of the first steps of a flow, as a killed process leaves it."""
    flow = Journal.begin(file, HEADER).follow(count(upto))
    next(flow)
    for at in range(steps):
        flow.send(says(f"w{at}") if at % 2 == 0 else [Used(f"w{at}")])
    flow.close()


def test_a_whole_trace_replays_without_anybody_asked(tmp_path: Path) -> None:
    file = tmp_path / "t.jsonl"
    answer, _ = by_hand(
        Journal.begin(file, HEADER).follow(count(2)), says("a"), [Used("A")], says("b"), [Used("B")]
    )
    told: list[object] = []
    journal = Journal(file, playing_only=True, tell=lambda asked, replies: told.append(replies))
    with pytest.raises(StopIteration) as ended:
        next(journal.follow(count(2)))
    assert ended.value.value == answer == Answer("A B")
    assert len(told) == journal.steps == 4


@pytest.mark.parametrize("steps", range(5))
def test_wherever_it_was_killed_it_goes_on_from_there(tmp_path: Path, steps: int) -> None:
    file = tmp_path / "t.jsonl"
    written(file, 3, steps)
    with file.open("ab") as handle:
        handle.write(b'{"asked": [{"kind": "as')
    rest = [says(f"w{at}") if at % 2 == 0 else [Used(f"w{at}")] for at in range(steps, 6)]
    answer, asked = by_hand(Journal(file).follow(count(3)), *rest)
    assert answer.text == "w1 w3 w5"
    assert len(asked) == 6 - steps
    assert all(json.loads(line) for line in file.read_text().splitlines())
    with pytest.raises(StopIteration) as ended:
        next(Journal(file, playing_only=True).follow(count(3)))
    assert ended.value.value == answer


def test_a_spent_budget_is_part_of_the_trace(tmp_path: Path) -> None:
    file = tmp_path / "t.jsonl"
    flow = Journal.begin(file, HEADER).follow(count(3))
    next(flow)
    flow.send(says("a"))
    with pytest.raises(StopIteration) as ended:
        flow.throw(BudgetExceeded("tokens", 12, 10))
    with pytest.raises(StopIteration) as again:
        next(Journal(file, playing_only=True).follow(count(3)))
    assert ended.value.value == again.value.value
    assert "budget of 10 tokens" in again.value.value.text


def test_tokens_are_counted_over_all_steps(tmp_path: Path) -> None:
    file = tmp_path / "t.jsonl"
    flow = Journal.begin(file, HEADER).follow(count(1))
    next(flow)
    flow.send([(Reply("a", tokens_in=30, tokens_out=4),)])
    flow.close()
    journal = Journal(file)
    assert (journal.tokens, journal.steps) == (34, 1)


@pytest.mark.parametrize("text", ["one\u2028two\u2029three\x85four", "half \ud800", "null \x00", "\U0001f600"])
def test_a_trace_holds_any_text(tmp_path: Path, text: str) -> None:
    file = tmp_path / "t.jsonl"
    answer, _ = by_hand(Journal.begin(file, HEADER).follow(count(1)), says(text), [Used(text)])
    with pytest.raises(StopIteration) as ended:
        next(Journal(file, playing_only=True).follow(count(1)))
    assert ended.value.value == answer == Answer(text)


def test_a_file_that_is_no_trace_is_left_as_it_is(tmp_path: Path) -> None:
    for text in ("# Notes\nthe last line has no end", '{"objective": "x"}\n{"asked": [], "answered": []}\n{"as'):
        file = tmp_path / "notes.md"
        file.write_text(text)
        with contextlib.suppress(BadFile):
            next(Journal(file, playing_only=True).follow(count(1)))
        assert file.read_text() == text


@pytest.mark.parametrize(
    "step", ['"answered": []', '"answered": null', '"answered": [[{"foo": 1}]]', '"answered": [5]', '"budget": 7']
)
def test_an_edited_step_is_said(tmp_path: Path, step: str) -> None:
    file = tmp_path / "t.jsonl"
    written(file, 1, 1)
    header, first = file.read_text().splitlines()[:2]
    asked = json.dumps(json.loads(first)["asked"])
    file.write_text(f'{header}\n{{"asked": {asked}, {step}}}\n')
    with pytest.raises(BadFile):
        next(Journal(file, playing_only=True).follow(count(1)))


def test_two_processes_do_not_write_on_one_trace(tmp_path: Path) -> None:
    file = tmp_path / "t.jsonl"
    first = Journal.begin(file, HEADER).follow(count(1))
    next(first)
    with pytest.raises(UserError, match="Another process is writing"):
        next(Journal(file).follow(count(1)))
    first.close()
    next(Journal(file).follow(count(1)))


def test_a_call_that_was_under_way_is_known_and_made_again(tmp_path: Path) -> None:
    file = tmp_path / "t.jsonl"
    written(file, 1, 1)
    journal = Journal(file)
    assert journal.under_way == "echo"
    assert next(journal.follow(count(1))) == [Use("echo", '{"text": "w0"}', 1.0)]
    done = Journal.begin(tmp_path / "u.jsonl", HEADER)
    by_hand(done.follow(count(1)), says("a"), [Used("A")])
    assert Journal(tmp_path / "u.jsonl").under_way == ""


def test_a_trace_that_ends_early_says_how_to_go_on(tmp_path: Path) -> None:
    file = tmp_path / "t.jsonl"
    written(file, 3, 2)
    with pytest.raises(BadFile, match=r"ends after 2 steps.*agent resume"):
        next(Journal(file, playing_only=True).follow(count(3)))


def test_a_trace_of_another_flow_is_refused(tmp_path: Path) -> None:
    def other() -> Flow[Answer]:
        yield [Use("dig")]
        return Answer()

    file = tmp_path / "t.jsonl"
    written(file, 3, 2)
    with pytest.raises(BadFile, match="step 1 asks for something else"):
        next(Journal(file).follow(other()))


@pytest.mark.parametrize(
    ("text", "says_what"),
    [("", "no trace"), ("{}\n", "no trace"), ("[]\n", "no JSON object"), ("x\n", "line 1: this is no JSON"),
     ('{"objective": "x"}\n{"step": 1}\n', "no trace")],
)  # fmt: skip
def test_what_is_no_trace_is_said(tmp_path: Path, text: str, says_what: str) -> None:
    file = tmp_path / "t.jsonl"
    file.write_text(text)
    with pytest.raises(BadFile, match=says_what):
        Journal(file)


def test_a_trace_is_not_written_over(tmp_path: Path) -> None:
    file = tmp_path / "t.jsonl"
    Journal.begin(file, HEADER)
    with pytest.raises(UserError, match="is there already"):
        Journal.begin(file, HEADER)
    with pytest.raises(BadFile, match="cannot be read"):
        Journal(tmp_path / "nothing.jsonl")
