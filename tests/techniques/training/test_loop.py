"""The loop: budgets, the same weights after a kill, divergence, and inputs that cannot be trained on."""

from __future__ import annotations

import math
import sys
from dataclasses import dataclass, replace
from pathlib import Path

import numpy
import pytest

from assay.core import AssayError, CannotRun, Example, Stopped, UserError
from assay.techniques.training.organisms.loop import CHECKPOINT, Diverged, Schedule
from assay.techniques.training.organisms.network import Tiny, load
from assay.techniques.training.organisms.organism import Organism, Texts, encoded

from .by_hand import TINY, Copies, Here, make, organism


def weights(folder: Path) -> dict[str, bytes]:
    from safetensors.numpy import load_file

    return {name: tensor.tobytes() for name, tensor in load_file(folder / "model.safetensors").items()}


def test_training_lowers_the_loss_and_writes_an_ordinary_folder(tmp_path: Path) -> None:
    recipe = organism(80, watched=Copies())
    work = recipe.make(Here(tmp_path))
    losses = [point["loss"] for point in work.curve if "loss" in point]
    held_out = [point["held_out"] for point in work.curve if "held_out" in point]
    assert losses[0] == pytest.approx(math.log(14), abs=0.4)  # 11 characters and 3 special tokens, all alike
    assert work.numbers["loss"] < 0.8 * losses[0]
    assert 9 <= len(held_out) <= 11
    assert held_out[-1] < held_out[0]
    model, tokenizer = load(tmp_path)
    assert sum(p.numel() for p in model.parameters()) == work.numbers["parameters"]
    assert tokenizer("12=")["input_ids"][0] == tokenizer.bos_token_id
    assert (tmp_path / CHECKPOINT).exists()  # taken away when the folder is finished


@pytest.mark.parametrize("unique", [0, 48])
def test_a_stopped_training_ends_with_the_same_weights_bit_for_bit(unique: int, tmp_path: Path) -> None:
    recipe = organism(30, unique=unique)
    whole = make(recipe, tmp_path / "whole")
    parts = tmp_path / "parts"
    parts.mkdir()
    for stop_after in (11, 8):
        with pytest.raises(Stopped):
            recipe.make(Here(parts, stop_after=stop_after))
        assert (parts / CHECKPOINT).exists()
    work = recipe.make(Here(parts))
    assert weights(parts) == weights(whole)
    assert work.numbers["steps"] == 30
    assert work.tokens_in == 30 * 32 * 9  # <|begin|>, three digits, =, three digits, <|end|>
    other = make(organism(30, unique=unique, seed=1), tmp_path / "other")
    assert weights(other) != weights(whole)


def test_a_damaged_checkpoint_is_left_aside(tmp_path: Path) -> None:
    (tmp_path / CHECKPOINT).write_bytes(b"no checkpoint")
    assert organism(5).make(Here(tmp_path)).numbers["steps"] == 5


@pytest.mark.parametrize(
    "schedule",
    [Schedule(tokens=3000, batch=8), Schedule(cpu_seconds=0.5, batch=8), Schedule(steps=12, batch=8)],
    ids=["tokens", "cpu", "steps"],
)
def test_every_kind_of_budget_ends(schedule: Schedule, tmp_path: Path) -> None:
    work = replace(organism(), schedule=schedule).make(Here(tmp_path))
    if schedule.tokens:
        assert 3000 <= work.tokens_in < 3000 + 8 * 9
    elif schedule.steps:
        assert work.numbers["steps"] == 12
    else:
        assert work.numbers["cpu_seconds"] >= 0.5


@pytest.mark.parametrize("given", [{}, {"tokens": 5, "steps": 5}, {"steps": -1}])
def test_a_schedule_has_one_budget(given: dict[str, int]) -> None:
    with pytest.raises(UserError, match="exactly one"):
        Schedule(**given)  # type: ignore[arg-type]


def test_the_rate_warms_up_and_falls_along_a_cosine() -> None:
    schedule = Schedule(steps=100, rate=1.0, warmup=10, floor=0.1)
    assert schedule.rate_at(0, 0.0) == pytest.approx(0.1)
    assert schedule.rate_at(9, 0.0) == pytest.approx(1.0)
    assert schedule.rate_at(50, 0.5) == pytest.approx(0.55)
    assert schedule.rate_at(99, 1.0) == pytest.approx(0.1)
    cut = replace(schedule, horizon=2.0)
    assert cut.rate_at(99, 1.0) == pytest.approx(0.55)
    assert schedule.on("hub/name", "1").rate == schedule.tuned_rate


def test_a_loss_out_of_bounds_stops_with_the_last_good_weights_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("assay.techniques.training.organisms.loop.KEEP_EVERY", 0.0)
    wild = replace(organism(), schedule=Schedule(steps=200, batch=8, rate=1e30, warmup=8, clip=1e30))
    with pytest.raises(Diverged, match="Lower the learning rate") as caught:
        wild.make(Here(tmp_path))
    assert str(tmp_path / CHECKPOINT) in caught.value.message


def test_a_full_disk_is_said_and_the_checkpoint_before_it_stays(tmp_path: Path) -> None:
    import resource

    recipe = organism(30)
    with pytest.raises(Stopped):
        recipe.make(Here(tmp_path, stop_after=5))
    before = (tmp_path / CHECKPOINT).read_bytes()
    limits = resource.getrlimit(resource.RLIMIT_FSIZE)
    try:
        resource.setrlimit(resource.RLIMIT_FSIZE, (20_000, limits[1]))
        with pytest.raises(UserError, match="could not be written"):
            recipe.make(Here(tmp_path, stop_after=5))
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limits)
    assert (tmp_path / CHECKPOINT).read_bytes() == before
    assert list(tmp_path.glob("*.draft")) == []


@dataclass(frozen=True)
class Nothing:
    """No texts, or texts of nothing."""

    count: int = 0
    alphabet: str = "ab"

    def examples(self, count: int, rng: numpy.random.Generator) -> list[Example]:
        return [Example("a", "b")] * min(count, self.count)


@pytest.mark.parametrize(
    ("recipe", "said"),
    [
        (Organism("x", Nothing(), TINY), "The corpus is empty"),
        (Organism("x", Nothing(), TINY, unique=10), "The corpus is empty"),
        (Organism("x", Nothing(alphabet=""), TINY), "has no characters"),
        (Organism("x", Copies(40), TINY), "does not fit in a context of 32"),
        (Organism("x", Copies(), TINY, unique=-1), "A fixed set has 1 to"),
    ],
)
def test_what_cannot_be_trained_on_is_said(recipe: Organism, said: str, tmp_path: Path) -> None:
    with pytest.raises(AssayError, match=said):
        recipe.make(Here(tmp_path))


def test_where_torch_is_missing_it_is_said_what_to_type(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "torch", None)
    with pytest.raises(CannotRun, match="needs torch") as caught:
        organism(1).make(Here(tmp_path))
    assert "assay[train]" in caught.value.hint


def test_epochs_go_through_the_fixed_set_in_new_orders() -> None:
    tokenizer = organism().vocabulary.tokenizer(Copies())
    texts = Texts(Copies(), tokenizer, 8, seed=3, unique=24)
    epochs = [[tuple(row) for step in range(e * 3, e * 3 + 3) for row in texts(step).ids.tolist()] for e in (0, 1)]
    assert sorted(epochs[0]) == sorted(epochs[1])
    assert epochs[0] != epochs[1]


def test_prompts_and_padding_are_not_learned() -> None:
    tokenizer = organism().vocabulary.tokenizer(Copies())
    ((ids, prompt),) = encoded([Example("12=", "12")], tokenizer, 32)
    assert prompt == 4
    assert tokenizer.decode(ids[prompt:-1]) == "12"
    assert ids[-1] == tokenizer.eos_token_id


def test_an_organism_goes_on_from_another_with_its_tokenizer(tmp_path: Path) -> None:
    base = organism(20)
    folder = make(base, tmp_path / "base")
    more = Organism("more", Copies(reverse=True), base, schedule=Schedule(steps=3, batch=4))
    assert more.inputs() == (base,)
    out = make(more, tmp_path / "more", {base: folder})
    assert (out / "tokenizer.json").read_text() == (folder / "tokenizer.json").read_text()
    assert weights(out).keys() == weights(folder).keys()


def test_the_same_recipe_trains_pretrained_weights(tmp_path: Path) -> None:
    folder = make(organism(20), tmp_path / "base")
    moved = Organism("goat", Copies(), Tiny(), schedule=Schedule(steps=3, batch=4)).on(str(folder), "1")
    work = moved.make(Here(tmp_path / "moved")) if (tmp_path / "moved").mkdir() is None else None
    assert work is not None
    assert work.numbers["parameters"] < 30_000  # the given weights, not those of Tiny()
    assert moved.schedule.rate == moved.schedule.tuned_rate
