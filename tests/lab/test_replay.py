"""Recorded transcripts as a model: effects by hand, exported runs, and what is said of bad files."""

from __future__ import annotations

import asyncio
import dataclasses
import json
from pathlib import Path
from typing import Any

import pytest

from assay.cli.replaying import replay_file
from assay.core import Ask, BadFile, BadReply, CannotRun, Finish, PerSample, Reply
from assay.core.verdict import Word
from assay.lab.driver import Driver
from assay.lab.plan import Plan
from assay.lab.replaying.replay import Replay, transcript_task
from assay.lab.replaying.replay_transcripts import read_recording
from assay.lab.session import Stamp, run_claim
from assay.lab.store import Store
from assay.lab.transfer import export_run
from assay.models.scripted import Scripted
from assay.papers import claim_named

DATA = Path(__file__).parent / "data"
COT = claim_named("zero-shot-cot")[1]


def written(tmp_path: Path, *lines: dict[str, Any]) -> Path:
    path = tmp_path / "transcripts.jsonl"
    path.write_text("".join(json.dumps(line) + "\n" for line in lines))
    return path


def pair(item: str = "q1", **more: Any) -> tuple[dict[str, Any], dict[str, Any]]:
    """Both arms of zero-shot-cot on one item: the treatment is right and the control is not."""
    treatment = {"arm": "treatment", "item": item, "replies": [" One and two.", " 3."], "target": "3", **more}
    return treatment, {"arm": "control", "item": item, "replies": [" 4."], **more}


# --- whole replays


def test_a_flow_of_two_steps() -> None:
    verdict = replay_file(DATA / "zero-shot-cot.jsonl", "zero-shot-cot", 0)
    # Twelve items: q1 both right, q2 to q10 the treatment alone, q11 the control alone, q12 neither.
    assert verdict.n == 12
    assert verdict.effect == pytest.approx(8 / 12)
    assert (verdict.test["only_treatment"], verdict.test["only_control"]) == (9, 1)
    assert verdict.test["mcnemar_p"] == pytest.approx(22 / 1024)
    assert (verdict.verdict, verdict.test["rule"]) == (Word.HOLDS, "fixed")
    treatment, control = verdict.arms["treatment"], verdict.arms["control"]
    assert treatment.mean == pytest.approx(10 / 12)
    assert control.mean == pytest.approx(2 / 12)
    # 40 and 20 tokens an item as recorded, shared out over two replies; 30 and 3.
    assert (treatment.tokens_in, treatment.tokens_out, treatment.calls) == (480, 240, 24)
    assert (control.tokens_in, control.tokens_out, control.calls) == (360, 36, 12)
    assert verdict.cost_ratio == pytest.approx(720 / 396)
    assert (verdict.driver, verdict.level, verdict.run) == ("replay", "recorded", "")
    assert verdict.model["name"] == "replay:zero-shot-cot.jsonl"
    assert set(verdict.controls) == {"format", "arm_swap"}
    assert not any("estimate" in note for note in verdict.notes)


def test_a_vote_over_eight_samples() -> None:
    verdict = replay_file(DATA / "self-consistency.jsonl", "self-consistency", 3)
    # Votes 5:3 right, 3:5 wrong, 4:3:1 right, 8 right; control wrong, right, wrong, right.
    assert (verdict.n, verdict.effect) == (4, 0.25)
    assert (verdict.test["only_treatment"], verdict.test["only_control"]) == (2, 1)
    assert (verdict.arms["treatment"].mean, verdict.arms["control"].mean) == (0.75, 0.5)
    # No usage in the file: eight replies of six words.
    assert verdict.arms["treatment"].tokens_out == 4 * 8 * 6
    assert any("an estimate" in note for note in verdict.notes)


def test_recorded_programs_are_run(tmp_path: Path) -> None:
    lines = []
    for item in range(1, 4):
        program = f"\n    boxes = {item}\n    return boxes * 12"
        lines.append({"arm": "program", "item": item, "target": 12 * item, "replies": [program]})
        lines.append({"arm": "control", "item": item, "replies": [" The answer is 5."]})
    verdict = replay_file(written(tmp_path, *lines), "pal", 0)
    assert (verdict.n, verdict.effect, verdict.arms["treatment"].mean) == (3, 1.0, 1.0)


def test_an_exported_run_replays_to_the_same_numbers(tmp_path: Path) -> None:
    paper, claim = claim_named("zero-shot-cot")
    solved = {sample.question: sample for sample in claim.task.samples(8, 0, "2")}

    def script(request: Ask, index: int) -> Reply:
        sample = solved[request.messages[-1].text]
        thinking = "step by step" in request.prefill
        if thinking and "Therefore" not in request.prefill:
            return Reply(" Let us see.", tokens_in=20, tokens_out=7)
        right = thinking or int(sample.target) % 2 == 0
        finish = Finish.LENGTH if sample is list(solved.values())[3] else Finish.STOP
        text = " " + (sample.target if right else "999999")
        return Reply(text, finish, tokens_in=10, tokens_out=3)

    async def export() -> Any:
        store, driver = Store(tmp_path / "db"), Driver()
        model = Scripted(script)
        plan = Plan(paper, claim, n=8, level="2", rule="fixed", controls=("format", "aa", "placebo"))
        verdict = await run_claim(plan, model, "r", store, driver, Stamp("", "", ""), lambda event: None)
        row = store.run("r")
        export_run(row, store, tuple(solved.values()), tmp_path / "run.jsonl")
        await driver.close()
        store.close()
        return verdict

    first = asyncio.run(export())
    again = replay_file(tmp_path / "run.jsonl", "zero-shot-cot", 0)
    assert again.n == first.n == 7, "one reply was cut inside its number, and is cut in the replay too"
    assert again.effect == first.effect
    assert again.effect is not None
    assert again.effect > 0
    for arm in ("treatment", "control"):
        assert dataclasses.replace(again.arms[arm], wall_seconds=0) == dataclasses.replace(
            first.arms[arm], wall_seconds=0
        )
    assert set(again.controls) == {"format", "arm_swap", "placebo"}
    assert again.controls["placebo"].effect == first.controls["placebo"].effect
    assert any("Other arms in the file: direct (again)." in note for note in again.notes)


def test_repeats_are_averaged(tmp_path: Path) -> None:
    lines = [{**line, "repeat": 0} for line in pair()]
    lines += [{**line, "repeat": 1} for line in pair()]
    lines[2]["replies"] = [" One and two.", " 5."]
    verdict = replay_file(written(tmp_path, *lines), "zero-shot-cot", 0)
    assert (verdict.n, verdict.effect) == (1, 0.5)


def test_equal_questions_keep_their_own_replies(tmp_path: Path) -> None:
    lines = [line for item in ("a", "b") for line in pair(item, question="The same?")]
    lines[3]["replies"] = [" 3."]
    verdict = replay_file(written(tmp_path, *lines), "zero-shot-cot", 0)
    assert (verdict.n, verdict.effect) == (2, 0.5)


def test_the_order_of_lines_changes_nothing(tmp_path: Path) -> None:
    texts = (DATA / "zero-shot-cot.jsonl").read_text().splitlines()
    path = tmp_path / "zero-shot-cot.jsonl"
    path.write_text("\n".join(reversed(texts)))
    found, straight = (replay_file(p, "zero-shot-cot", 0) for p in (path, DATA / "zero-shot-cot.jsonl"))
    assert (found.effect, found.interval, found.test) == (straight.effect, straight.interval, straight.test)


def test_notes_say_what_does_not_fit(tmp_path: Path) -> None:
    lines = [*pair("a"), *pair("b"), pair("c")[0]]
    lines[1]["replies"] = [" 4.", " 5."]
    notes = replay_file(written(tmp_path, *lines), "zero-shot-cot", 0).notes
    assert any(note.startswith("1 transcripts hold more replies than the flow asked for") for note in notes)
    assert "1 items have replies in one arm alone and are left out." in notes


# --- the model


def test_the_model_gives_each_flow_its_own_replies_in_order(tmp_path: Path) -> None:
    path = written(tmp_path, *pair(), {**pair("q2")[0], "finish": ["stop", "length"]})
    replay = Replay(read_recording(path, COT))
    assert isinstance(replay, PerSample)

    async def ask() -> list[tuple[Reply, ...]]:
        one, two = replay.for_sample("chain-of-thought", "q1"), replay.for_sample("chain-of-thought", "q2")
        assert one.fingerprint != two.fingerprint
        request = Ask("How many are it?", prefill="So")
        return [
            await one.generate(request, [5]),
            await two.generate(request, [0, 1]),
            await one.generate(request, [9]),
        ]

    first, both, second = asyncio.run(ask())
    assert [reply.text for reply in (*first, *second)] == [" One and two.", " 3."]
    assert [(reply.text, reply.finish) for reply in both] == [
        (" One and two.", Finish.STOP),
        (" 3.", Finish.LENGTH),
    ]
    assert (first[0].tokens_in, first[0].tokens_out) == (5, 3), "words where nothing was counted"
    with pytest.raises(CannotRun, match="no replies of arm 'direct' to item 'q2'"):
        replay.for_sample("direct", "q2")
    with pytest.raises(BadReply, match="only through for_sample"):
        asyncio.run(replay.generate(Ask("x"), [0]))


def test_replies_that_run_out_are_the_files_fault(tmp_path: Path) -> None:
    lines = [*pair("a"), *pair("b")]
    lines[2]["replies"] = [" One and two."]
    path = written(tmp_path, *lines)
    replay = Replay(read_recording(path, COT))
    says = "arm 'chain-of-thought', item 'b': 1 reply is recorded and the flow asks for 2."
    with pytest.raises(BadReply) as asked:
        asyncio.run(replay.for_sample("chain-of-thought", "b").generate(Ask("x"), [0, 1]))
    assert asked.value.message == says
    with pytest.raises(BadFile) as caught:
        replay_file(path, "zero-shot-cot", 0)
    assert (caught.value.line, caught.value.field) == (3, "replies")
    assert says in caught.value.message


def test_a_sample_that_a_budget_cut_may_be_short(tmp_path: Path) -> None:
    lines = [line for item in "abc" for line in pair(item)]
    lines[4] |= {"replies": [" One and two."], "ending": "truncated"}
    verdict = replay_file(written(tmp_path, *lines), "zero-shot-cot", 0)
    assert (verdict.n, verdict.arms["treatment"].endings["errored"]) == (2, 1)


def test_usage_is_shared_out_to_the_token(tmp_path: Path) -> None:
    line = pair()[0] | {"replies": ["a b", "c", "d e f g"], "usage": {"tokens_in": 9, "tokens_out": 10}}
    found = read_recording(written(tmp_path, line), COT).transcripts["chain-of-thought", "q1"][0]
    assert [reply.tokens_out for reply in found.replies] == [2, 2, 6]
    assert [reply.tokens_in for reply in found.replies] == [9, 0, 0]
    silent = pair()[0] | {"replies": ["", ""], "usage": {"tokens_in": 9, "tokens_out": 3}}
    found = read_recording(written(tmp_path, silent), COT).transcripts["chain-of-thought", "q1"][0]
    assert sum(reply.tokens_out for reply in found.replies) == 3


# --- the task


def test_targets_are_brought_to_the_tasks_form(tmp_path: Path) -> None:
    lines = pair()
    lines[0]["target"], lines[1]["answer"] = "3.0", "3"
    (sample,) = transcript_task(read_recording(written(tmp_path, *lines), COT), COT).samples(5, 1)
    assert (sample.id, sample.target) == ("q1", "3")


def test_the_models_answer_in_an_exported_line_is_no_target(tmp_path: Path) -> None:
    lines = list(pair())
    lines[0] |= {"target": "", "answer": "3", "ending": "scored"}
    with pytest.raises(BadFile, match=r"line 1, field 'target': the item 'q1' has no target"):
        replay_file(written(tmp_path, *lines), "zero-shot-cot", 0)


# --- what is wrong


@pytest.mark.parametrize(
    ("change", "line", "field", "says"),
    [
        ({"arm": "tretment"}, 2, "arm", "has no arm 'tretment'; it has: chain-of-thought, direct, placebo."),
        ({"arm": None}, 2, "arm", "a text is needed, and there is None."),
        ({"item": ""}, 2, "item", "a text is needed, and there is ''."),
        ({"replies": " 4."}, 2, "replies", "a list of texts is needed."),
        ({"replies": [4]}, 2, "replies", "a list of texts is needed."),
        ({"finish": "done"}, 2, "finish", "each is one of stop, length, refused."),
        ({"finish": ["stop", "stop"]}, 2, "finish", "2 for 1 replies."),
        ({"usage": {"tokens_in": 1}}, 2, "usage", "tokens_in and tokens_out are needed."),
        ({"choices": "ab"}, 2, "choices", "a list of texts is needed."),
        ({"repeat": "a"}, 2, "repeat", "a whole number from 0 is needed."),
        ({"steps": [[{"request": {}}]]}, 2, "steps", "this is no trace"),
        ({"target": "many"}, 2, "target", "'many' is no answer of the kind 'number'"),
        ({"target": "5"}, 2, "target", "the item 'q1' has several targets: 3, 5."),
        ({"arm": "treatment"}, 2, "item", "arm 'chain-of-thought' and item 'q1' stand on line 1 too."),
        ({"item": "q2"}, None, "", "no item has replies in both arms, chain-of-thought and direct."),
    ],
)
def test_errors_say_where(tmp_path: Path, change: dict[str, Any], line: int | None, field: str, says: str) -> None:
    treatment, control = pair()
    path = written(tmp_path, treatment, control | change)
    with pytest.raises(BadFile) as caught:
        replay_file(path, "zero-shot-cot", 0)
    assert (caught.value.line, caught.value.field) == (line, field)
    assert str(caught.value).startswith(str(path))
    assert says in str(caught.value)


def test_a_file_without_transcripts_is_refused(tmp_path: Path) -> None:
    with pytest.raises(BadFile, match="holds no transcripts of the claim zero-shot-cot"):
        replay_file(written(tmp_path, {"format": "assay run 1"}), "zero-shot-cot", 0)
    with pytest.raises(BadFile, match="there is no such file"):
        replay_file(tmp_path / "none.jsonl", "zero-shot-cot", 0)


def test_a_claim_on_more_than_words_is_refused(tmp_path: Path) -> None:
    path = written(tmp_path, {"arm": "board", "item": "a", "replies": ["5"], "target": "5"})
    with pytest.raises(
        CannotRun, match=r"tictactoe needs score, and recorded replies are words alone\. Type: assay run"
    ):
        replay_file(path, "tictactoe", 0)
