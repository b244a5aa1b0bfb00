from __future__ import annotations

import asyncio
import json
import sqlite3
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from assay.core import BadFile, Ending, Outcome, UnknownName, Usage, UserError
from assay.lab.store import Recorded, Store, trace_hash
from assay.lab.transfer import FORMAT, export_run, import_file

VERDICT = json.loads(min((Path(__file__).parents[2] / "results").glob("pal--*.json")).read_text("utf-8"))
STEPS = [[{"request": {"kind": "ask", "prompt": "hi"}, "reply": [{"text": "yes"}]}]]


def filled(path: Path) -> Store:
    store = Store(path)

    async def fill() -> None:
        await store.begin("pal-abcde", "2026-01-01T00:00:00", "pal", {"seed": 1})
        for item in ("a", "b"):
            outcome = Outcome.scored(1.0, "7") if item == "a" else Outcome(Ending.UNPARSED, detail="no number")
            await store.record(
                "pal-abcde", Recorded("arm", item, 0, outcome, Usage(1, 2, 3), trace_hash(STEPS)), STEPS
            )
        await store.finish("pal-abcde", "done", VERDICT)

    asyncio.run(fill())
    return store


def test_what_is_written_is_read_back(tmp_path: Path) -> None:
    store = filled(tmp_path / "a.sqlite")
    found = store.recorded("pal-abcde")
    assert found["arm", "a", 0].outcome == Outcome.scored(1.0, "7")
    assert found["arm", "b", 0].usage == Usage(1, 2, 3)
    assert store.trace(found["arm", "a", 0].trace) == STEPS
    assert store.run("pal").verdict == VERDICT
    store.close()


def test_writing_twice_changes_nothing(tmp_path: Path) -> None:
    store = filled(tmp_path / "a.sqlite")
    other = Recorded("arm", "a", 0, Outcome.scored(0.0, "8"), Usage(), trace_hash(STEPS))
    asyncio.run(store.record("pal-abcde", other, STEPS))
    assert store.recorded("pal-abcde")["arm", "a", 0].outcome.score == 1.0
    assert len(store.recorded("pal-abcde")) == 2
    store.close()


def test_the_cache_keeps_and_forgets_by_model(tmp_path: Path) -> None:
    store = Store(tmp_path / "a.sqlite")
    store.put(b"k1", "model-1", {"text": "half \ud83d"})
    store.put(b"k2", "model-2", [1])
    assert store.get(b"k1") == {"text": "half \ud83d"}
    store.close()
    store = Store(tmp_path / "a.sqlite")
    assert store.get(b"k1") == {"text": "half \ud83d"}
    assert store.forget("model-1") == 1
    assert (store.get(b"k1"), store.get(b"k2")) == (None, [1])
    store.close()


def test_a_run_survives_export_and_import(tmp_path: Path) -> None:
    store = filled(tmp_path / "a.sqlite")
    file = tmp_path / "run.jsonl"
    assert export_run(store.run("pal-abcde"), store, (), file) == 2
    other = Store(tmp_path / "b.sqlite")
    assert asyncio.run(import_file(file, other, tmp_path / "running")) == ("pal-abcde", 2)
    assert asyncio.run(import_file(file, other, tmp_path / "running")) == ("pal-abcde", 2)
    assert other.recorded("pal-abcde").keys() == store.recorded("pal-abcde").keys()
    assert other.run("pal-abcde").verdict == VERDICT
    store.close()
    other.close()


def test_bad_files_are_named_with_their_line(tmp_path: Path) -> None:
    file = tmp_path / "bad.jsonl"
    store = Store(tmp_path / "a.sqlite")
    file.write_text(
        '{"format": "assay run 1", "run": "r", "created": "c", "claim": "x", "config": {}, '
        '"status": "done", "verdict": null}\n{"arm": 1}\n'
    )
    with pytest.raises(BadFile, match="line 2"):
        asyncio.run(import_file(file, store, tmp_path / "running"))
    head = {"format": FORMAT, "run": "r", "created": "c", "claim": "x", "config": {}, "status": "done"}
    for bad in ({}, head, head | {"verdict": {"verdict": "holds"}}, head | {"verdict": None, "config": 7}):
        file.write_text(json.dumps(bad) + "\n")
        with pytest.raises(BadFile, match="line 1"):
            asyncio.run(import_file(file, store, tmp_path / "running"))
    store.close()


def test_unknown_runs_get_suggestions(tmp_path: Path) -> None:
    store = filled(tmp_path / "a.sqlite")
    with pytest.raises(UnknownName, match="pal-abcde"):
        store.run("pal-abcdf")
    store.close()


def test_a_file_that_is_no_database_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "a.sqlite"
    path.write_bytes(b"not a database at all, not even close to one" * 50)
    with pytest.raises(UserError, match="cannot be used"):
        Store(path)


def test_a_database_of_the_future_is_left_alone(tmp_path: Path) -> None:
    path = tmp_path / "a.sqlite"
    with sqlite3.connect(path) as connection:
        connection.execute("pragma user_version = 99")
    with pytest.raises(UserError, match="format 99"):
        Store(path)


def test_a_full_disk_is_one_sentence_and_nothing_acknowledged_is_lost(tmp_path: Path) -> None:
    store = filled(tmp_path / "a.sqlite")
    store._writer.execute("pragma max_page_count = 1")  # the file may not grow any more: SQLITE_FULL
    big = [[{"request": {"kind": "ask", "prompt": str(i) * 999}} for i in range(4000)]]
    recorded = Recorded("arm", "c", 0, Outcome.scored(1.0), Usage(), trace_hash(big))
    with pytest.raises(UserError, match=r"could not be written: database or disk is full.*make room"):
        asyncio.run(store.record("pal-abcde", recorded, big))
    assert set(store.recorded("pal-abcde")) == {("arm", "a", 0), ("arm", "b", 0)}
    store.close()


def test_what_a_run_tells_is_read_on_from_any_number(tmp_path: Path) -> None:
    store = filled(tmp_path / "a.sqlite")
    for done in range(5):
        store.tell("pal-abcde", {"kind": "look", "done": done})
    store.close()
    store = Store(tmp_path / "a.sqlite")
    every = store.events("pal-abcde")
    assert [event["done"] for _, event in every] == [0, 1, 2, 3, 4]
    third = every[2][0]
    assert [event["done"] for _, event in store.events("pal-abcde", after=third)] == [3, 4]
    assert store.events("pal-other") == []
    store.close()


def test_the_tally_counts_every_ending_with_its_tokens(tmp_path: Path) -> None:
    store = filled(tmp_path / "a.sqlite")
    assert store.tally("pal-abcde") == [
        {
            "arm": "arm",
            "endings": {"scored": 1, "unparsed": 1},
            "score": 1.0,
            "tokens_in": 4,
            "tokens_out": 6,
            "calls": 2,
        }
    ]
    store.close()


def test_a_file_of_the_first_format_is_brought_up_to_date_and_loses_nothing(tmp_path: Path) -> None:
    path = tmp_path / "a.sqlite"
    filled(path).close()
    with sqlite3.connect(path) as old:
        old.execute("drop table event")
        old.execute("pragma user_version = 1")
    store, second = Store(path), Store(path)
    assert store.run("pal").samples == 2
    second.tell("pal-abcde", {"kind": "note", "text": "told after the change"})
    second.close()
    assert [event["text"] for _, event in store.events("pal-abcde")] == ["told after the change"]
    store.close()


@pytest.mark.parametrize("goes_on", [False, True])
def test_after_a_failed_write_a_run_stops_and_a_server_goes_on(tmp_path: Path, goes_on: bool) -> None:
    store = Store(tmp_path / "a.sqlite", goes_on=goes_on)
    with pytest.raises(UserError):
        asyncio.run(store.record("no-such-run", Recorded("arm", "a", 0, Outcome.scored(1.0), Usage(), "x"), STEPS))
    if goes_on:
        asyncio.run(store.keep("name", STEPS))
        assert store.trace("name") == STEPS
    else:
        with pytest.raises(UserError):
            asyncio.run(store.keep("name", STEPS))
        with pytest.raises(UserError):
            store.put(b"key", "model", [1])
        assert store.get(b"key") is None
    store.close()


def many(path: Path) -> Store:
    """Six runs: two with verdicts, one stopped, one noted as running, and one whose verdict SQLite cannot read."""
    store = Store(path)

    async def fill() -> None:
        for at, (claim, verdict) in enumerate(
            [
                ("pal", {"verdict": "holds", "size": "small", "created": "2026-03-01", "model": {"name": "m"}}),
                ("pal", None),
                ("cot", {"verdict": "fails", "size": "full", "created": "2026-01-09", "model": {"name": "m"}}),
                ("cot", {"verdict": "holds", "effect": float("nan")}),
                ("pal_x", None),
            ]
        ):
            run = f"{claim}-{at}"
            await store.begin(run, f"2026-01-0{at + 1}T00:00:00", claim, {"model": {"name": "asked"}})
            outcome = Outcome.scored(1.0, "7")
            steps = [*STEPS, [{"request": {"kind": "ask", "prompt": run}, "reply": []}]] if at else STEPS
            recorded = Recorded("arm", "a", 0, outcome, Usage(1, 2, 3), trace_hash(steps))
            await store.record(run, recorded, steps)
            if at != 4:
                await store.finish(run, "done" if verdict else "stopped", verdict)

    asyncio.run(fill())
    return store


def test_runs_are_listed_by_claim_and_ending_a_page_at_a_time(tmp_path: Path) -> None:
    store = many(tmp_path / "a.sqlite")
    every = [line.id for line in store.listing.lines()]
    assert every == ["pal_x-4", "cot-3", "cot-2", "pal-1", "pal-0"]
    assert [line.id for line in store.listing.lines(most=2, skip=1)] == every[1:3]
    assert [line.id for line in store.listing.lines(claims=["pal"])] == ["pal-1", "pal-0"]
    assert [line.id for line in store.listing.lines(ended="holds")] == ["pal-0"]
    # A process is at one of the two that have no verdict; the other one's is dead, or it was stopped.
    assert [line.id for line in store.listing.lines(ended="running", going={"pal_x-4"})] == ["pal_x-4"]
    assert [line.id for line in store.listing.lines(ended="stopped", going={"pal_x-4"})] == ["pal-1"]
    assert [line.id for line in store.listing.lines(ended="stopped")] == ["pal_x-4", "pal-1"]
    first = store.listing.lines(claims=["pal"])[1]
    assert (first.word, first.model, first.samples, first.status) == ("holds", "m", 1, "done")
    assert store.listing.lines()[0].model == "asked"
    assert store.listing.claims() == ["cot", "pal", "pal_x"]
    assert store.listing.noted_running() == ["pal_x-4"]
    heads = store.listing.heads()
    assert [(head.run, head.size) for head in heads] == [("pal-0", "small"), ("cot-2", "full"), ("cot-3", "")]
    assert [head.run for head in store.listing.heads(["cot"])] == ["cot-2", "cot-3"]
    assert store.listing.verdicts(["cot-2", "no-such"])["cot-2"]["verdict"] == "fails"
    store.close()


def test_a_run_is_found_by_how_its_id_begins_and_by_nothing_else(tmp_path: Path) -> None:
    store = many(tmp_path / "a.sqlite")
    assert store.run("pal_").id == "pal_x-4"
    assert store.listing.ids("pal") == ["pal_x-4", "pal-1", "pal-0"]
    for name, said in (
        ("pal", "Did you mean pal-1"),
        ("%", "assay runs"),
        ("", "Type: assay runs"),
        ("pal-7", "pal-"),
    ):
        with pytest.raises(UnknownName, match=said):
            store.run(name)
    store.close()


def test_a_run_goes_with_all_it_has_and_with_nothing_of_another_s(tmp_path: Path) -> None:
    store = filled(tmp_path / "a.sqlite")
    other = [*STEPS, *STEPS]

    async def more() -> None:
        await store.begin("pal-other", "2026-01-02T00:00:00", "pal", {})
        for item, steps in (("a", STEPS), ("b", other)):
            recorded = Recorded("arm", item, 0, Outcome.scored(1.0), Usage(), trace_hash(steps))
            await store.record("pal-other", recorded, steps)
        await store.finish("pal-other", "done", {"verdict": "holds"})

    asyncio.run(more())
    store.tell("pal-other", {"kind": "note", "text": "x" * 1000})
    store.forget("no such model")  # returns once everything before it is written
    assert store.discard("pal-other") > 1000
    assert store.trace(trace_hash(other)) == []
    assert store.events("pal-other") == []
    assert store.trace(trace_hash(STEPS)) == STEPS
    assert [line.id for line in store.listing.lines()] == ["pal-abcde"]
    assert store.discard("pal-other") == 0
    store.discard("pal-abcde")
    assert store.trace(trace_hash(STEPS)) == []
    store.close()


def test_nothing_is_no_beginning_of_a_run(tmp_path: Path) -> None:
    store = filled(tmp_path / "a.sqlite")
    with pytest.raises(UnknownName):
        store.run("")
    store.close()


def test_a_thread_that_is_reading_keeps_nothing_new_from_another(tmp_path: Path) -> None:
    store = filled(tmp_path / "a.sqlite")
    rows = iter(store._reader.execute("select item from sample"))
    next(rows)

    def begun_and_found() -> str:
        asyncio.run(store.begin("new-run", "2026-01-02T00:00:00", "pal", {}))
        return store.run("new-run").id

    with ThreadPoolExecutor(1) as other:
        assert other.submit(begun_and_found).result() == "new-run"
    assert next(rows)
    store.close()
