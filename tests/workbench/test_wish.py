"""The command that a page shows asks for the same run again, whatever was asked for."""

from __future__ import annotations

import shlex
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from assay.cli import conducting
from assay.cli.app import run_command_line
from assay.core import UserError
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


FIELDS = Wish(("pal",), ModelChoice(), budget_tokens=5).to_json()


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"mood": "good"}, "its field 'mood' is not known"),
        ({"model": {**FIELDS["model"], "mood": "good"}}, "its field 'model.mood' is not known"),
        ({"model": {"name": "m"}}, "its field 'model.base_urls' is missing"),
        ({"model": {**FIELDS["model"], "base_urls": 5}}, "its field 'model.base_urls' is no list of words"),
        ({"model": "m"}, "its field 'model' is of another kind"),
        ({"claims": "pal"}, "its field 'claims' is no list of words"),
        ({"seed": "x"}, "its field 'seed' is of another kind"),
    ],
    ids=repr,
)
def test_a_wish_that_another_assay_noted_is_refused_by_its_field(change: dict[str, Any], said: str) -> None:
    with pytest.raises(UserError, match="noted by another assay") as caught:
        Wish.from_json(FIELDS | change)
    assert said in str(caught.value)


def test_a_wish_without_its_controls_is_refused_and_one_without_its_driver_is_not() -> None:
    with pytest.raises(UserError, match="its field 'controls' is missing"):
        Wish.from_json({name: value for name, value in FIELDS.items() if name != "controls"})
    assert Wish.from_json({name: value for name, value in FIELDS.items() if name != "driver"}).driver == ""
