"""`assay bench choice`: its items and its figures; the race itself is run by hand."""

from __future__ import annotations

import asyncio
from collections import Counter
from pathlib import Path
from typing import Any

import pytest

from assay.cli.benchmarks import choice as bench_choice
from assay.cli.benchmarks.choice import (
    CHOICES,
    EXAMPLES,
    MISSING,
    Item,
    Pass,
    figures_of,
    items,
    open_peer,
    worked,
)
from assay.home import find_home
from assay.models import ModelChoice, connect
from assay.models.network.model import OpenNetwork


def test_items_are_the_same_every_time_and_differ_by_seed() -> None:
    assert list(items(40, seed=0)) == list(items(40, seed=0))
    assert not {item.context for item in items(40, seed=0)} & {item.context for item in items(40, seed=1)}


def test_every_item_has_four_options_and_the_space_belongs_to_them() -> None:
    for item in items(100, seed=0):
        assert len(set(item.choices)) == CHOICES == len(item.choices)
        assert item.context == item.context.strip()
        assert all(text == f" {choice}" for text, choice in zip(item.continuations, item.choices, strict=True))
    places = Counter(item.right for item in items(100, seed=0))
    assert min(places[place] for place in range(CHOICES)) > 10


def test_worked_items_end_where_the_next_question_begins() -> None:
    assert worked([Item("Q\nAnswer:", ("no", "yes"), 1)]) == "Q\nAnswer: yes\n\n"


def test_figures_compare_the_passes_item_by_item() -> None:
    ours = {
        "": Pass(2.0, 1.0, ((-1.0, -2.0), (-3.0, -1.0))),
        "_prefix": Pass(4.0, 4.0, ((-1.0, -2.0), (-3.0, -1.0))),
    }
    theirs = {
        "": Pass(8.0, 6.0, ((-1.0, -2.25), (-3.0, -1.0))),
        "_prefix": Pass(80.0, 20.0, ((-2.0, -1.0), (-3.0, -1.0))),
    }
    found = figures_of(ours, theirs)
    assert (found["items_per_s"], found["items_per_s_prefix"]) == (1.0, 0.5)
    assert (found["ratio"], found["ratio_prefix"], found["cpu_ratio"], found["cpu_ratio_prefix"]) == (4, 20, 6, 5)
    assert found["largest_difference"] == 1.0
    assert found["same_argmax"] == 1
    assert found["peer"]["items_per_s"] == 0.25
    assert found["peer"]["cpu_seconds_prefix"] == 20.0


def test_without_the_peer_there_are_our_own_figures_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    found = figures_of({"": Pass(2.0, 1.0, ((-1.0, -2.0),))}, {})
    assert found == {"items_per_s": 0.5, "seconds": 2.0, "cpu_seconds": 1.0}

    def missing(name: str) -> Any:
        raise ModuleNotFoundError(name)

    monkeypatch.setattr(bench_choice, "import_module", missing)
    assert open_peer(Path("nowhere")) is None


@pytest.mark.engine
def test_a_small_round_on_the_real_network(home: object, monkeypatch: pytest.MonkeyPatch) -> None:
    """Lengths are as announced, options tokenise alike alone and in their sentence, and it runs."""

    async def lengths() -> None:
        model = await connect(ModelChoice("hf:smollm2-135m"), find_home())
        assert isinstance(model, OpenNetwork)
        ids = model.vocabulary.ids
        for item in items(100, seed=0):
            assert 20 <= len(ids(item.context)) <= 60
            for text in item.continuations:
                assert 1 <= len(ids(text)) <= 9
                assert ids(item.context + text) == ids(item.context) + ids(text)
        assert 450 <= len(ids(worked(list(items(EXAMPLES, seed=1))))) <= 550
        await model.close()

    asyncio.run(lengths())
    said: list[str] = []
    monkeypatch.setattr(bench_choice, "ITEMS", 4)
    monkeypatch.setattr(bench_choice, "open_peer", lambda folder: None)
    found = asyncio.run(bench_choice.choice(said.append))
    assert said[-1] == MISSING
    assert found["items"] == 4
    assert found["items_per_s"] > 0 < found["items_per_s_prefix"]
    assert "peer" not in found
    assert "ratio" not in found
