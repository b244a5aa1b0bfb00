"""The command that a page shows asks for the same run again, whatever was asked for."""

from __future__ import annotations

import shlex
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from assay.cli import conducting
from assay.cli.app import run_command_line
from assay.lab.plan import CONTROLS
from assay.models import ModelChoice
from assay.workbench.wish import Wish

NAMES = st.sampled_from(["", "smollm2-135m", "openai/a b", "gguf:/tmp/it's.gguf"])
CHOICES = st.builds(
    ModelChoice,
    name=NAMES,
    base_urls=st.lists(st.sampled_from(["http://a/v1", "http://b/v1"]), unique=True).map(tuple),
    slots=st.sampled_from([1, 8, 64]),
    seconds=st.sampled_from([1.0, 120.0, 600.0, 12.5]),
    may_pull=st.just(True),
    observer=st.sampled_from(["", "hf:/tmp/x"]),
    encoder=st.sampled_from(["", "minilm"]),
)
WISHES = st.builds(
    Wish,
    claims=st.just(("pal",)),
    model=CHOICES,
    size=st.sampled_from(["smoke", "small", "full"]),
    seed=st.integers(0, 9),
    n=st.none() | st.integers(1, 99),
    level=st.none() | st.just("2"),
    task=st.none() | st.just("arithmetic"),
    rule=st.none() | st.just("obf5"),
    controls=st.lists(st.sampled_from(CONTROLS), unique=True).map(tuple),
    budget_tokens=st.none() | st.sampled_from([1e6, 123456.0]),
    repeats=st.integers(1, 3),
    driver=st.sampled_from(["", "constrained"]),
)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(wish=WISHES)
def test_the_command_asks_for_the_same(wish: Wish, monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[Wish] = []

    def note(found: Wish, *_: Any, **__: Any) -> list[Any]:
        asked.append(found)
        return []

    monkeypatch.setattr(conducting, "run_wish", note)
    assert run_command_line(shlex.split(wish.command())[1:]) == 0
    assert asked == [wish]
    assert Wish.from_json(wish.to_json()) == wish
