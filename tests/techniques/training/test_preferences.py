"""Every trainer of `trl` for some real steps on a real organism of 0.02M parameters."""

from __future__ import annotations

import importlib.metadata
import math
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy
import pytest

from assay.core.errors import CannotRun, UserError
from assay.core.training import Recipe, Stopped, Work
from assay.techniques.training.alignment.entropy import Entropy, distinct, self_bleu
from assay.techniques.training.alignment.preferences import (
    DirectPreference,
    Judge,
    KtoPreference,
    Pair,
    PolicyGradient,
    RewardModel,
    SupervisedTuning,
    Tuning,
)
from assay.techniques.training.organisms.loop import Diverged
from assay.techniques.training.organisms.network import Pretrained, load
from tests.techniques.training.by_hand import Copies, Here, organism

pytest.importorskip("torch")
pytest.importorskip("trl")

BASE = organism(60)


@dataclass(frozen=True)
class Evens:
    """Preferred are even digits, the other answer has odd ones."""

    def pairs(self, count: int, rng: numpy.random.Generator) -> list[Pair]:
        found = []
        for example in Copies().examples(count, rng):
            digits = rng.integers(0, 5, 3) * 2
            found.append((example.prompt, "".join(map(str, digits)), "".join(map(str, digits + 1))))
        return found


@dataclass(frozen=True)
class Evenness:
    """The share of even digits."""

    def score(self, prompt: str, reply: str) -> float:
        return sum(character in "02468" for character in reply) / max(1, len(reply))


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> dict[Recipe, Path]:
    folder = tmp_path_factory.mktemp("base")
    BASE.make(Here(folder))
    return {BASE: folder}


def run(recipe: Recipe, folder: Path, made: dict[Recipe, Path], **changes: int) -> tuple[Work, Here]:
    folder.mkdir(exist_ok=True)
    place = Here(folder, made, **changes)
    return recipe.make(place), place


def weights(folder: Path) -> dict[str, Any]:
    return dict(load(folder)[0].named_parameters())


def distance(first: Path, second: Path) -> float:
    ours, theirs = weights(first), weights(second)
    return max(float((ours[name] - theirs[name]).detach().abs().max()) for name in ours)


COMMON: dict[str, Any] = {"start": BASE, "count": 64, "batch": 16, "steps": 5, "rate": 3e-3}
SFT = SupervisedTuning(name="sft", data=Copies(reverse=True), **COMMON)
REWARD = RewardModel(
    name="reward", data=Evens(), **{**COMMON, "count": 256, "batch": 32, "steps": 25, "rate": 1e-2}
)
DPO = DirectPreference(name="dpo", data=Evens(), **COMMON)
KTO = KtoPreference(name="kto", data=Evens(), **COMMON)
LOUD = {**COMMON, "steps": 12, "batch": 32, "rate": 2e-2}
RLOO = PolicyGradient(name="rloo", data=Copies(), reward=Evenness(), longest=6, **LOUD)


@pytest.mark.parametrize("rank", [0, 4])
def test_supervised_tuning_lowers_the_loss_and_writes_an_ordinary_folder(
    rank: int, made: dict[Recipe, Path], tmp_path: Path
) -> None:
    recipe = replace(SFT, rank=rank, steps=8, rate=1e-2)
    work, place = run(recipe, tmp_path / "sft", made)
    assert work.numbers["loss"] < work.numbers["loss_first"] - 0.1
    assert distance(tmp_path / "sft", made[BASE]) > 1e-3
    assert work.tokens_in == 8 * 16 * 9, "begin, three digits, the sign, three digits and the end"
    assert [row["tokens"] for row in work.curve] == [144 * step for step in range(1, 9)]
    assert place.told[-1] == 1.0
    assert not (tmp_path / "sft" / "trainer").exists()
    assert not (tmp_path / "sft" / "adapter_config.json").exists()


def test_prompts_are_not_learned(made: dict[Recipe, Path], tmp_path: Path) -> None:
    """The loss of the first step is that of the answers alone, worked out by hand."""
    import torch

    recipe = replace(SFT, count=16, steps=1)
    work, _ = run(recipe, tmp_path / "sft", made)
    model, tokenizer = load(made[BASE])
    examples = recipe.data.examples(16, numpy.random.default_rng([0, 4]))
    rows = [tokenizer(e.prompt + e.answer)["input_ids"] + [tokenizer.eos_token_id] for e in examples]
    ids = torch.tensor(rows)
    with torch.no_grad():
        logs = torch.log_softmax(model(input_ids=ids).logits[:, :-1], -1).gather(-1, ids[:, 1:, None])[..., 0]
    answers, everything = -logs[:, 4:].mean().item(), -logs.mean().item()
    assert work.numbers["loss"] == pytest.approx(answers, abs=1e-4)
    assert abs(answers - everything) > 0.05


def test_the_same_recipe_gives_the_same_weights(made: dict[Recipe, Path], tmp_path: Path) -> None:
    for recipe in (SFT, replace(RLOO, steps=3)):
        first, second = tmp_path / f"{recipe.name}1", tmp_path / f"{recipe.name}2"
        ours, theirs = run(recipe, first, made)[0], run(recipe, second, made)[0]
        assert distance(first, second) == 0.0
        assert ours == theirs
    other = tmp_path / "other"
    run(replace(SFT, seed=1), other, made)
    assert distance(tmp_path / "sft1", other) > 0.0


@pytest.mark.parametrize("recipe", [SFT, replace(RLOO, steps=5), replace(DPO, rank=4)], ids=lambda r: r.name)
def test_a_stopped_training_goes_on_to_the_same_weights(
    recipe: Tuning, made: dict[Recipe, Path], tmp_path: Path
) -> None:
    unbroken, folder = tmp_path / "unbroken", tmp_path / "stopped"
    whole, _ = run(recipe, unbroken, made)
    with pytest.raises(Stopped):
        run(recipe, folder, made, stop_after=1)
    assert not (folder / "model.safetensors").exists(), "half a training is no organism"
    assert (folder / "trainer").is_dir()
    work, place = run(recipe, folder, made)
    assert distance(folder, unbroken) == 0.0
    assert work.tokens_in == whole.tokens_in
    assert work.tokens_out == whole.tokens_out
    assert [row["tokens"] for row in work.curve] == [row["tokens"] for row in whole.curve]
    assert len(place.told) == recipe.steps - 2, "two steps were done before"


def test_a_reward_model_ranks_pairs_it_has_not_seen(made: dict[Recipe, Path], tmp_path: Path) -> None:
    work, _ = run(REWARD, tmp_path / "reward", made)
    assert work.numbers["accuracy"] > 0.75
    assert work.numbers["loss"] < work.numbers["loss_first"]
    judge = Judge(tmp_path / "reward")
    assert judge(["123="], ["2468"]) == pytest.approx(judge(["123=", "1="], ["2468", ""])[:1], abs=1e-5)
    tuned = replace(RLOO, name="proxy", reward=REWARD, steps=3)
    assert set(tuned.inputs()) == {BASE, REWARD}
    found, _ = run(tuned, tmp_path / "proxy", {**made, REWARD: tmp_path / "reward"})
    assert math.isfinite(found.numbers["reward"])


def test_direct_preference_raises_the_margin(made: dict[Recipe, Path], tmp_path: Path) -> None:
    work, _ = run(DPO, tmp_path / "dpo", made)
    assert work.numbers["margin_first"] == pytest.approx(0.0, abs=1e-6), "the reference is the start"
    assert work.numbers["margin"] > 0.05
    assert work.tokens_in == 5 * 16 * 2 * 9


def test_kto_raises_the_margin_and_each_row_has_its_neighbours_answer(
    made: dict[Recipe, Path], tmp_path: Path
) -> None:
    work, _ = run(KTO, tmp_path / "kto", made)
    assert work.numbers["margin"] > work.numbers["margin_first"] + 0.01
    _, tokenizer = load(made[BASE])
    rng = numpy.random.default_rng(0)
    rows = replace(KTO, batch=4)._rows(Evens().pairs(5, rng), tokenizer, 32, rng)
    for row in rows:
        answer = tokenizer.decode(row["completion_ids"], skip_special_tokens=True)
        assert row["label"] == all(digit in "02468" for digit in answer)
    for first in (0, 4, 8):
        part = rows[first : first + 4]
        assert sorted(r["KL_completion_ids"] for r in part) == sorted(r["completion_ids"] for r in part)
        assert part[0]["KL_completion_ids"] == part[-1]["completion_ids"]


@pytest.mark.parametrize("method", ["rloo", "grpo"])
def test_policy_gradients_raise_the_reward(method: Any, made: dict[Recipe, Path], tmp_path: Path) -> None:
    work, _ = run(replace(RLOO, method=method), tmp_path / method, made)
    assert work.numbers["reward"] > work.numbers["reward_first"] + 0.1
    assert work.numbers["kl_first"] == pytest.approx(0.0, abs=1e-4)
    assert work.numbers["kl"] > 0.01
    assert work.tokens_in == 12 * 32 * 5 + work.tokens_out, "prompts of five tokens, and what was written"
    assert 12 * 32 <= work.tokens_out <= 12 * 32 * 6


def test_our_entropy_and_divergence_agree_with_what_the_trainer_logs(
    made: dict[Recipe, Path], tmp_path: Path
) -> None:
    """At a rate of 0 the policy stays: one estimate from many replies by each."""
    still = replace(RLOO, rate=0.0, steps=6, batch=64, beta=0.1)
    work, _ = run(still, tmp_path / "still", made)
    measure = Entropy("entropy", BASE, Copies(), reference=BASE, count=384, longest=6)
    ours, _ = run(measure, tmp_path / "entropy", made)
    logged = numpy.mean([row["entropy"] for row in work.curve])
    assert ours.numbers["entropy"] == pytest.approx(logged, rel=0.1)
    assert ours.numbers["kl"] == pytest.approx(0.0, abs=1e-6)
    assert ours.numbers["kl_reply"] == pytest.approx(0.0, abs=1e-6)
    assert len(ours.numbers["entropies"]) == 384


def test_entropy_counts_replies_and_not_prompts(made: dict[Recipe, Path], tmp_path: Path) -> None:
    """Of a model with all weights 0 every token has the entropy of the whole vocabulary."""
    import torch

    model, tokenizer = load(made[BASE])
    with torch.no_grad():
        for weight in model.parameters():
            weight.zero_()
    flat = replace(BASE, name="flat")
    model.save_pretrained(tmp_path / "flat")
    tokenizer.save_pretrained(tmp_path / "flat")
    measure = Entropy("entropy", flat, Copies(), reference=BASE, count=50, longest=6)
    found = run(measure, tmp_path / "entropy", {**made, flat: tmp_path / "flat"})[0].numbers
    assert found["entropy"] == pytest.approx(math.log(len(tokenizer)), abs=1e-5)
    assert found["kl"] > 0.5
    assert found["kl_reply"] == pytest.approx(found["kl"] * (found["length"] + 1 - found["unended"]), rel=1e-6)


def test_variety_by_hand() -> None:
    assert distinct([[1, 1, 2], [1, 2]], 1) == 2 / 5
    assert distinct([[1, 1, 2], [1, 2]], 2) == 2 / 3
    assert distinct([[], [1]], 2) == 0.0
    assert self_bleu([[1, 2, 3, 4]] * 3) == pytest.approx(1.0)
    assert self_bleu([[1, 2, 3], [4, 5, 6]]) == 0.0
    # 1 1 2 against 1 2: of 1, 1 and 2 two are found; of 11 and 12 one; of 112 none.
    assert self_bleu([[1, 1, 2], [1, 2]]) == pytest.approx((0.0 + 1.0) / 2)
    assert self_bleu([[1, 2], [2, 1]]) == pytest.approx(0.0)
    assert self_bleu([[], []]) == 1.0


def test_a_reward_that_is_no_number_ends_the_training(made: dict[Recipe, Path], tmp_path: Path) -> None:
    @dataclass(frozen=True)
    class Infinite:
        def score(self, prompt: str, reply: str) -> float:
            return math.inf if reply.startswith("1") else 0.0

    with pytest.raises(UserError, match=r"The reward of '1.*' is inf"):
        run(replace(RLOO, reward=Infinite(), count=200), tmp_path / "infinite", made)


def test_a_loss_that_is_no_number_ends_the_training(made: dict[Recipe, Path], tmp_path: Path) -> None:
    with pytest.raises(Diverged, match="at step"):
        run(replace(SFT, rate=1e30, steps=10), tmp_path / "lost", made)


def test_a_pretrained_model_gets_a_rate_of_its_own() -> None:
    moved = RLOO.on("some/model", "1")
    assert moved.rate == RLOO.tuned_rate
    assert moved.start == BASE.on("some/model", "1")
    direct = replace(SFT, start=Pretrained("some/model"))
    assert direct.on("other", "1").rate == SFT.rate


def test_batches_that_cannot_be_made_are_refused(made: dict[Recipe, Path], tmp_path: Path) -> None:
    for wrong in (replace(RLOO, group=5), replace(RLOO, group=1), replace(RLOO, count=3), replace(KTO, batch=1)):
        with pytest.raises(UserError):
            run(wrong, tmp_path / "wrong", made)
    long = replace(SFT, data=Copies(digits=40))
    with pytest.raises(UserError, match="does not fit"):
        run(long, tmp_path / "long", made)


def test_another_trl_is_refused(monkeypatch: pytest.MonkeyPatch, made: dict[Recipe, Path], tmp_path: Path) -> None:
    monkeypatch.setattr(importlib.metadata, "version", lambda name: "1.17.0")
    with pytest.raises(CannotRun, match=r"trl 1\.16; 1\.17\.0 is installed.*assay\[train\]"):
        run(SFT, tmp_path / "sft", made)
    monkeypatch.setitem(__import__("sys").modules, "trl", None)
    with pytest.raises(CannotRun, match="needs trl"):
        run(SFT, tmp_path / "sft", made)
