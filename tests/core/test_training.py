"""Recipes: what tells them from others, what they build on, and how they move onto a pretrained model."""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass
from typing import ClassVar

import pytest

from assay.core import Place, Recipe, Work, with_inputs
from assay.core.answers import curve_of, curve_text, slope


@dataclass(frozen=True)
class Start:
    width: int = 8

    def on(self, model: str, identity: str) -> Given:
        return Given(model)


@dataclass(frozen=True)
class Given:
    model: str


@dataclass(frozen=True)
class Step(Recipe):
    name: str
    start: Start | Given | Recipe = dataclasses.field(default_factory=Start)
    others: tuple[Recipe, ...] = ()
    rate: float = 0.5

    def make(self, place: Place) -> Work:
        return Work()


@dataclass(frozen=True)
class Newer(Step):
    VERSION: ClassVar[int] = 2


def test_equal_recipes_have_one_hash_and_every_field_counts() -> None:
    one = Step("a")
    assert one.hash == Step("a").hash
    different = [Step("b"), Step("a", Start(9)), Step("a", rate=0.6), Step("a", others=(one,)), Newer("a")]
    assert len({one.hash, *(recipe.hash for recipe in different)}) == 6


def test_the_spec_is_json_and_names_classes_and_versions() -> None:
    assert Step("a").spec() == {
        "kind": "Step",
        "name": "a",
        "start": {"kind": "Start", "width": 8},
        "others": [],
        "rate": 0.5,
    }
    assert Newer("a").spec()["version"] == 2


def test_inputs_come_first_and_once() -> None:
    base = Step("base")
    left, right = Step("left", base), Step("right", base)
    top = Step("top", left, (right, base))
    assert top.inputs() == (left, right, base)
    assert with_inputs([top, right]) == (base, left, right, top)


def test_a_chain_moves_onto_a_pretrained_model_down_to_where_it_begins() -> None:
    top = Step("top", Step("middle", Step("base")))
    moved = top.on("hub/name", "1")
    assert moved.start.start.start == Given("hub/name")  # type: ignore[union-attr]
    assert moved.hash != top.hash
    assert Step("told", Given("x")).on("y", "1").start == Given("x")


def test_what_is_no_value_cannot_be_part_of_a_recipe() -> None:
    with pytest.raises(AssertionError):
        Step("a", rate=object()).spec()  # type: ignore[arg-type]
    with pytest.raises(ValueError):
        _ = Step("a", rate=float("nan")).hash


def test_a_curve_is_sorted_text_and_back() -> None:
    text = curve_text([(2, 0.5), (1, 0.25)])
    assert text == "[[1, 0.25], [2, 0.5]]"
    assert curve_of(text) == ((1.0, 0.25), (2.0, 0.5))
    assert curve_of(None) == curve_of("seven") == curve_of("[1, 2]") == ()
    with pytest.raises(ValueError, match="finite"):
        curve_text([(1, float("inf"))])


def test_the_slope_is_that_of_least_squares() -> None:
    assert slope([(0, 1.0), (1, 3.0), (2, 5.0)]) == pytest.approx(2.0)
    assert slope([(0, 0.0), (1, 1.0), (2, 0.0)]) == pytest.approx(0.0)
    with pytest.raises(ValueError, match="two different doses"):
        slope([(1, 1.0), (1, 2.0)])
