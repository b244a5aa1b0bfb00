"""Verifiers, samples and choosing among them: labels and estimators by hand, trainings for real."""

from __future__ import annotations

import itertools
import json
import math
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from assay.core.errors import UserError
from assay.core.training import Example, Recipe, Stopped
from assay.techniques.training.organisms.loop import Schedule
from assay.techniques.training.organisms.network import Tiny, load
from assay.techniques.training.organisms.organism import Organism
from assay.techniques.training.organisms.sampling import Pool, Samples, pools, sample
from assay.techniques.training.verifying.selection import (
    BEST,
    VOTES,
    BestOfN,
    Judged,
    chances,
    chosen,
    compare,
    judge,
    vote,
)
from assay.techniques.training.verifying.verifiers import Verifier, batched, located, loss, opinions, places
from tests.techniques.training.by_hand import Here

pytest.importorskip("torch")


@dataclass(frozen=True)
class Sums:
    """`31:` asks for 3, 3+1 modulo 4 and so on: each line is a step, the last character is the answer."""

    steps: int = 3

    @property
    def alphabet(self) -> str:
        return "\n0123:"

    def examples(self, count: int, rng: numpy.random.Generator) -> list[Example]:
        prompts = ["".join(map(str, rng.integers(0, 4, self.steps))) + ":" for _ in range(count)]
        return [Example(prompt, "\n".join(map(str, self._values(prompt)))) for prompt in prompts]

    def mark(self, example: Example, reply: str) -> Mapping[str, float]:
        return {"right": float(reply == example.answer)}

    def _values(self, prompt: str) -> list[int]:
        return [value % 4 for value in itertools.accumulate(map(int, prompt[:-1]))]

    def step_ends(self, reply: str) -> tuple[int, ...]:
        lines, at, ends = reply.split("\n") if reply else [], 0, []
        for line in lines:
            ends.append(at + max(len(line) - 1, 0))
            at += len(line) + 1
        return tuple(ends)

    def step_labels(self, prompt: str, reply: str) -> tuple[bool, ...]:
        true = [*map(str, self._values(prompt))]
        lines = reply.split("\n") if reply else []
        return tuple(at < len(true) and line == true[at] for at, line in enumerate(lines))

    def right(self, prompt: str, reply: str) -> bool:
        return self.final_answer(reply) == str(self._values(prompt)[-1])

    def final_answer(self, reply: str) -> str | None:
        return reply[-1] if reply and reply[-1] in "0123" else None


TASK = Sums()
GENERATOR = Organism(
    "generator", TASK, Tiny(32, 2, 2, context=24), schedule=Schedule(steps=100, batch=64, rate=1e-2)
)
TRAIN = Samples("train", GENERATOR, TASK, 128, 8, 8)
TEST = Samples("test", GENERATOR, TASK, 40, 16, 8, seed=1)
QUICK = Schedule(steps=150, batch=64, rate=3e-3, warmup=5)
OUTCOME = Verifier("outcome", "outcome", TRAIN, GENERATOR, TASK, QUICK)
PROCESS = Verifier("process", "process", TRAIN, GENERATOR, TASK, QUICK)


def run(recipe: Recipe, folder: Path, made: dict[Recipe, Path]) -> dict[str, Any]:
    folder.mkdir()
    numbers = recipe.make(Here(folder, made)).numbers
    made[recipe] = folder
    return dict(numbers)


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> dict[Recipe, Path]:
    root, found = tmp_path_factory.mktemp("verifiers"), {}
    for recipe in (GENERATOR, TRAIN, TEST):
        run(recipe, root / recipe.name, found)
    return found


# Labels.


def test_labels_end_with_the_first_error() -> None:
    prompt = "123:"  # 1, 3, 2
    assert places("process", TASK, prompt, "1\n3\n2") == {0: True, 2: True, 4: True}
    assert places("process", TASK, prompt, "1\n0\n2") == {0: True, 2: False}, (
        "the step after the error is not learned"
    )
    assert places("process", TASK, prompt, "0\n3\n2") == {0: False}
    assert places("outcome", TASK, prompt, "1\n0\n2") == {0: True, 2: True, 4: True}, "a false positive"
    assert places("outcome", TASK, prompt, "1\n3\n3") == {0: False, 2: False, 4: False}


def test_empty_and_malformed_replies_have_no_steps_but_an_outcome() -> None:
    assert places("process", TASK, "123:", "") == {}
    assert places("outcome", TASK, "123:", "") == {-1: False}
    assert places("process", TASK, "123:", ":::") == {2: False}
    assert places("process", TASK, "123:", "\n\n") == {0: False}
    assert TASK.final_answer("1\n:") is None


@settings(max_examples=200, deadline=None)
@given(st.lists(st.sampled_from("0123"), min_size=3, max_size=3))
def test_without_false_positives_outcome_and_process_say_the_same_of_a_solution(values: list[str]) -> None:
    prompt, reply = "123:", "\n".join(values)
    labels = places("process", TASK, prompt, reply)
    outcome = set(places("outcome", TASK, prompt, reply).values())
    false_positive = TASK.right(prompt, reply) and not all(TASK.step_labels(prompt, reply))
    assert (outcome == {all(labels.values())}) is not false_positive


def test_characters_are_found_in_tokens(made: dict[Recipe, Path]) -> None:
    _, tokenizer = load(made[GENERATOR])
    ids, marks = located(tokenizer, "12:", "1\n3", {0: True, 2: False, -1: True})
    assert tokenizer.convert_ids_to_tokens(ids) == ["<|begin|>", "1", "2", ":", "1", "Ċ", "3"]
    assert marks == {3: True, 4: True, 6: False}
    batch = batched([(ids, marks), ([0, 1], {1: True})], tokenizer.pad_token_id)
    assert batch.labels.tolist() == [[-100, -100, -100, 1, 1, -100, 0], [-100, 1, *[-100] * 5]]
    assert batch.tokens == 9


def test_a_place_in_a_token_of_several_characters() -> None:
    from assay.techniques.training.organisms.vocabulary import Vocabulary

    class Digits(Sums):
        alphabet = "0123456789é="

    tokenizer = Vocabulary("chunks").tokenizer(Digits())
    ids, marks = located(tokenizer, "=", "123456=é1", {1: True, 2: False, 5: True, 7: False})
    assert [tokenizer.decode(i) for i in ids] == ["<|begin|>", "=", "123", "456", "=", "é", "1"]
    assert marks == {2: False, 3: True, 5: False}


def test_the_loss_is_that_of_the_labels_alone() -> None:
    import torch

    class Fixed:
        def __call__(self, input_ids: Any, use_cache: bool) -> Any:
            return type("Out", (), {"logits": input_ids[..., None].float()})

    batch = batched([([9, 2, -3, 50], {1: True, 2: False})], 0)
    expected = math.log1p(math.exp(-2)) + math.log1p(math.exp(-3))
    assert float(loss(Fixed(), batch)) == pytest.approx(expected, rel=1e-5)
    assert torch.isfinite(loss(Fixed(), batch))


def test_bounds_on_what_is_labelled(made: dict[Recipe, Path]) -> None:
    drawn = pools(made[TRAIN])
    everything = list(PROCESS._chosen(drawn))
    assert len({prompt for prompt, _ in list(replace(PROCESS, problems=5)._chosen(drawn))}) <= 5
    assert len(list(replace(OUTCOME, solutions=2)._chosen(drawn))) == 2 * len(drawn)
    bound = list(replace(PROCESS, judgements=50)._chosen(drawn))
    price = sum(PROCESS._price(solution) for solution in bound)
    assert 47 < price <= 50
    assert bound == everything[: len(bound)]
    assert len(list(replace(OUTCOME, judgements=50)._chosen(drawn))) == 50


# Samples.


def test_samples_follow_the_model_and_the_seed(made: dict[Recipe, Path], tmp_path: Path) -> None:
    """The mean log-likelihood of drawn first tokens is minus the entropy, within four standard errors."""
    import torch

    model, tokenizer = load(made[GENERATOR])
    how = replace(TRAIN, each=2000, longest=3)
    (replies,) = sample(model, tokenizer, ["120:"], how)
    with torch.no_grad():
        logs = torch.log_softmax(model(input_ids=torch.tensor([tokenizer("120:")["input_ids"]])).logits[0, -1], -1)
    counts = numpy.bincount([reply[0] for reply in replies], minlength=len(tokenizer)) / 2000
    assert abs(counts - logs.exp().numpy()).max() < 4 * 0.5 / math.sqrt(2000)
    assert sample(model, tokenizer, ["120:"], how) == [replies]
    assert sample(model, tokenizer, ["120:"], replace(how, seed=5)) != [replies]
    assert all(len(reply) <= 3 for reply in replies)


def test_a_cache_that_loses_rows_writes_what_no_cache_writes(made: dict[Recipe, Path]) -> None:
    """At a temperature near 0, replies of prompts of two lengths are the greedy ones."""
    from assay.techniques.training.organisms.exam import write

    model, tokenizer = load(made[GENERATOR])
    prompts = [f"{text}:" for text in ("1", "123", "012", "3", "33", "210", "12")]
    drawn = sample(model, tokenizer, prompts, replace(TRAIN, each=3, temperature=1e-4))
    greedy = write(model, tokenizer, prompts, 8)
    for replies, text in zip(drawn, greedy, strict=True):
        assert [tokenizer.decode(reply, skip_special_tokens=True) for reply in replies] == [text] * 3


def test_samples_are_kept_as_lines(made: dict[Recipe, Path], tmp_path: Path) -> None:
    drawn = pools(made[TRAIN])
    assert len(drawn) == 128
    assert {len(pool.replies) for pool in drawn} == {8}
    with pytest.raises(Stopped):
        TRAIN.make(Here(tmp_path, made, stop_after=0))
    assert not list(tmp_path.iterdir())
    with pytest.raises(UserError):
        replace(TRAIN, temperature=0.0).make(Here(tmp_path, made))


# Choosing.


@settings(max_examples=100, deadline=None)
@given(st.lists(st.sampled_from([0.0, -1.0, -2.0, -math.inf, math.nan]), min_size=1, max_size=7), st.data())
def test_chances_are_those_of_all_subsets(scores: list[float], data: st.DataObject) -> None:
    size = data.draw(st.integers(1, len(scores)))
    known = [-math.inf if math.isnan(score) else score for score in scores]
    subsets = list(itertools.combinations(range(len(scores)), size))
    found = [0] * len(scores)
    for subset in subsets:
        found[max(subset, key=lambda at: (known[at], -at))] += 1
    assert chances(scores, size) == pytest.approx([times / len(subsets) for times in found])


def test_votes_and_their_ties() -> None:
    assert vote(["a", "b", "b"], [0.0] * 3) == 1
    assert vote(["b", "a", "a", "b"], [0.0] * 4) == 0, "the answer given first"
    assert vote([None, None], [0.0, 0.0]) is None
    assert vote([None, "a"], [0.0, -math.inf]) == 1
    assert vote(["a", "b", "b"], [math.log(0.9), math.log(0.3), math.log(0.5)]) == 0
    assert vote(["a", "b", "b"], [math.log(0.7), math.log(0.3), math.log(0.5)]) == 2, "its heaviest stands for it"
    assert vote(["a", "b"], [-5000.0, -4999.0]) == 1, "no underflow"
    assert vote(["a", "b"], [math.nan, -9.0]) == 1


POOL = Judged(
    answers=("1", "2", None, "1"),
    right=(True, False, False, True),
    sound=(False, False, False, True),
    outcome=(-0.1, -0.2, -0.3, -0.4),
    process=((-0.5, -0.1), (-0.2, -0.2), (), (-0.05, -0.4)),
)


def test_scores_of_processes() -> None:
    assert BEST["process_product"](POOL) == pytest.approx([-0.6, -0.4, -math.inf, -0.45])
    products = [math.prod(map(math.exp, logs)) if logs else 0.0 for logs in POOL.process]
    assert [math.exp(score) for score in BEST["process_product"](POOL)] == pytest.approx(products)
    assert BEST["process_min"](POOL) == [-0.5, -0.2, -math.inf, -0.4]
    assert BEST["process_last"](POOL) == [-0.1, -0.2, -math.inf, -0.4]
    assert BEST["process_mean"](POOL) == pytest.approx([-0.3, -0.2, -math.inf, -0.225])
    long = replace(POOL, process=((-1.0,) * 2000, (-1.1,) * 2000, (), ()))
    assert chosen(long, "process_product", 4) == (1.0, 0.0), "a product this small is 0 as a number"


def test_what_is_chosen_by_hand() -> None:
    assert chosen(POOL, "outcome_best", 4) == (1.0, 0.0), "right, after a wrong step"
    assert chosen(POOL, "process_product", 4) == (0.0, 0.0)
    assert chosen(POOL, "process_last", 4) == (1.0, 0.0)
    assert chosen(POOL, "oracle", 2)[0] == pytest.approx(1 - 1 / 6), "one of six pairs holds none that is right"
    assert chosen(POOL, "majority", 2) == (1.0, 0.5), "1 before 2; then only 1"
    assert chosen(POOL, "majority", 3) == (1.0, 0.0), "one group of three, the fourth left out"
    assert chosen(POOL, "process_vote", 4) == (1.0, 1.0), (
        "two lighter ones for 1; the heavier of them stands for it"
    )
    for selector in (*BEST, *VOTES):
        assert chosen(POOL, selector, 1)[0] == pytest.approx(0.5)
    twice = replace(POOL, process=POOL.process)
    assert chosen(twice, "process_product", 2) == chosen(POOL, "process_product", 2)


def test_numbers_over_problems_and_the_flag_of_over_optimisation() -> None:
    good = replace(POOL, right=(True,) * 4, sound=(True,) * 4, answers=("1",) * 4)
    numbers, by_problem = compare([POOL, good], [1, 4])
    assert numbers["pass_at_1"] == 0.75
    assert numbers["false_positives"] == 1 / 8
    assert numbers["slice_problems"] == 1
    assert numbers["process_product"] == pytest.approx([0.75, 0.5])
    assert numbers["process_product_over_optimised"] == 1
    assert numbers["outcome_best_over_optimised"] == 0
    assert numbers["outcome_best_slice"] == pytest.approx([0.5, 1.0])
    assert numbers["outcome_best_process"] == pytest.approx([0.625, 0.5])
    assert numbers["majority_by_problem"] == pytest.approx([0.75, 1.0])
    assert by_problem["oracle"] == [[0.5, 1.0], [1.0, 1.0]]


def test_pools_are_judged_by_the_program() -> None:
    found = judge(
        TASK, Pool("123:", ("1\n3\n2", "1\n0\n2", ""), (True,) * 3), [[-0.1], [-0.2], [-3]], [[-1], [-1], []]
    )
    assert found.right == (True, True, False)
    assert found.sound == (True, False, False)
    assert found.answers == ("2", "2", None)


def test_verifiers_learn_and_choose(made: dict[Recipe, Path], tmp_path: Path) -> None:
    own = dict(made)
    process = run(PROCESS, tmp_path / "process", own)
    outcome = run(OUTCOME, tmp_path / "outcome", own)
    first = json.loads((tmp_path / "process" / "config.json").read_text())
    assert first["classifier_dropout"] == 0.0
    assert process["judgements"] == process["labels"]
    assert outcome["judgements"] == outcome["solutions"] == 128 * 8
    found = run(BestOfN("chosen", TEST, OUTCOME, PROCESS, TASK, (1, 4, 16)), tmp_path / "chosen", own)
    assert 0.2 < found["pass_at_1"] < 0.95
    assert found["false_positives"] > 0
    assert found["process_auroc"] > 0.7
    assert found["step_accuracy"] > 0.7
    assert found["process_product"][0] == pytest.approx(found["pass_at_1"])
    assert found["process_product"][1] > found["pass_at_1"] + 0.05
    assert found["process_vote"][-1] > found["pass_at_1"] + 0.1
    assert found["oracle"] == sorted(found["oracle"])
    assert len(found["process_vote_by_problem"]) == 40
    kept = json.loads((tmp_path / "chosen" / "problems.json").read_text())
    assert numpy.mean(kept["right"]["oracle"], axis=0) == pytest.approx(found["oracle"])
    again, read = opinions(
        tmp_path / "process", "process", TASK, [Pool("123:", ("", "1", "1\n3\n2"), (True,) * 3)]
    )
    assert [len(logs) for logs in again[0]] == [0, 1, 3]
    assert again[0][1] == pytest.approx(again[0][2][:1], abs=1e-5), "what comes after a step does not change it"
    assert read == 5 + 6 + 10
    with pytest.raises(UserError):
        run(BestOfN("wrong", TEST, PROCESS, OUTCOME, TASK), tmp_path / "wrong", own)
