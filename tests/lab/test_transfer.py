"""A file that somebody wrote as an export: taken in whole, or not at all."""

from __future__ import annotations

import asyncio
import contextlib
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from assay.core import BadFile, Outcome, Usage, UserError
from assay.lab.lease import lease
from assay.lab.store import Recorded, Store, trace_hash
from assay.lab.transfer import export_run, import_file

STEPS = [[{"request": {"kind": "ask", "prompt": "hi"}, "reply": [{"text": "yes"}]}]]


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    with contextlib.closing(Store(tmp_path / "a.sqlite")) as found:
        yield found


async def plant(store: Store, steps: list[Any]) -> None:
    await store.begin("pal-abcde", "2026-01-01T00:00:00", "pal", {"seed": 1})
    for item in ("a", "b"):
        one = Recorded("arm", item, 0, Outcome.scored(0.5, "7"), Usage(1, 2, 3), trace_hash(steps))
        await store.record("pal-abcde", one, steps)
    await store.finish("pal-abcde", "done", None)


def exported(store: Store, file: Path, steps: list[Any] = STEPS) -> list[dict[str, Any]]:
    """The lines of a run of two samples, which stands in the store."""
    asyncio.run(plant(store, steps))
    export_run(store.run("pal-abcde"), store, (), file)
    return [json.loads(line) for line in file.read_text("utf-8").splitlines()]


def write(file: Path, lines: list[dict[str, Any]]) -> None:
    file.write_text("".join(json.dumps(line) + "\n" for line in lines))


def take_in(file: Path, store: Store) -> tuple[str, int]:
    return asyncio.run(import_file(file, store, file.parent / "running"))


WRONG: list[dict[str, Any]] = [
    {"usage": {"tokens_in": "x"}},
    {"usage": {"tokens_in": 1.5}},
    {"usage": {"tokens_at": 1}},
    {"usage": []},
    {"answer": 5},
    {"answer": "half \ud800"},
    {"arm": "half \ud800"},
    {"item": None},
    {"detail": 5},
    {"score": "x"},
    {"score": True},
    {"score": float("nan")},
    {"score": float("inf")},
    {"score": 10**400},
    {"score": None},
    {"repeat": 2**63},
    {"repeat": "0"},
    {"ending": "sideways"},
    {"ending": []},
    {"steps": 5},
    {"steps": [5]},
    {"steps": [[{"request": {}}]]},
]


@pytest.mark.parametrize("wrong", WRONG, ids=lambda wrong: f"{wrong!r:.40}")
def test_a_line_that_is_wrong_changes_nothing_and_the_store_goes_on(
    wrong: dict[str, Any], store: Store, tmp_path: Path
) -> None:
    file = tmp_path / "run.jsonl"
    head, first, second = exported(store, file)
    before = store.run("pal-abcde"), store.recorded("pal-abcde")
    write(file, [head, first, second | wrong])
    with pytest.raises(BadFile, match="line 3: this is no sample") as caught:
        take_in(file, store)
    str(caught.value).encode()
    assert (store.run("pal-abcde"), store.recorded("pal-abcde")) == before
    # Into a store without it: not half of it.
    write(file, [head | {"run": "pal-other"}, first, second | wrong])
    with pytest.raises(BadFile, match="line 3"):
        take_in(file, store)
    assert [row.id for row in store.runs()] == ["pal-abcde"]
    write(file, [head | {"run": "pal-other"}, first, second])
    assert take_in(file, store) == ("pal-other", 2)


@pytest.mark.parametrize(
    "wrong",
    [
        {"config": {"model": "m"}},
        {"run": "../a"},
        {"run": ""},
        {"run": "x" * 300},
        {"run": 5},
        {"claim": "\ud800"},
        {"created": None},
    ],
    ids=repr,
)
def test_a_run_that_no_file_could_be_named_after_or_on_no_model_is_refused(
    wrong: dict[str, Any], store: Store, tmp_path: Path
) -> None:
    file = tmp_path / "run.jsonl"
    head, *samples = exported(store, file)
    write(file, [head | wrong, *samples])
    with pytest.raises(BadFile, match="line 1"):
        take_in(file, store)
    assert [row.id for row in store.runs()] == ["pal-abcde"]


def test_a_line_that_is_nested_too_deep_is_one_sentence(store: Store, tmp_path: Path) -> None:
    file = tmp_path / "run.jsonl"
    exported(store, file)
    with file.open("a") as out:
        out.write("[" * 100_000)
    with pytest.raises(BadFile, match="line 4: this line is not JSON"):
        take_in(file, store)


def test_nobody_takes_in_a_run_that_a_process_is_at(store: Store, tmp_path: Path) -> None:
    file = tmp_path / "run.jsonl"
    exported(store, file)
    asyncio.run(store.begin("pal-abcde", "", "", {}))
    with lease(tmp_path / "running", "pal-abcde"), pytest.raises(UserError, match="is being run by process"):
        take_in(file, store)
    assert store.run("pal-abcde").status == "running"


def test_what_was_exported_before_a_run_was_done_does_not_undo_it(store: Store, tmp_path: Path) -> None:
    file = tmp_path / "run.jsonl"
    head, *samples = exported(store, file)
    write(file, [head | {"status": "stopped"}, *samples])
    assert take_in(file, store) == ("pal-abcde", 2)
    assert store.run("pal-abcde").status == "done"


def test_half_a_character_in_a_models_words_goes_out_and_comes_in(store: Store, tmp_path: Path) -> None:
    file = tmp_path / "run.jsonl"
    steps = [[{"request": {"kind": "ask", "prompt": "hi"}, "reply": [{"text": "half \ud83d"}]}]]
    head, *samples = exported(store, file, steps)
    write(file, [head | {"run": "pal-other"}, *samples])
    take_in(file, store)
    assert store.trace(store.recorded("pal-other")["arm", "a", 0].trace) == steps
