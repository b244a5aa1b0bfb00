"""State of GPT: the chain, what its claims share, rewards and choices by hand, and the chain really made."""

from __future__ import annotations

import asyncio
import dataclasses
import math
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from assay.core.answers import slope
from assay.core.claim import Arm
from assay.core.training import Made, Make, Recipe, with_inputs
from assay.lab.workshop import Workshop
from assay.papers.recipes.state_of_gpt import (
    BETA,
    BETAS,
    LENGTH,
    LONGEST,
    PARTS,
    SCALES,
    answers,
    audit,
    base,
    choosing,
    digits_base,
    digits_paid,
    examined,
    judge,
    reinforced,
    spread,
    tuned,
    verifier,
    world,
    writing,
)
from assay.papers.state_of_gpt import PAPER
from assay.tasks.arithmetic.digits import CoinTosses, DigitStrings, EvenDigits
from assay.tasks.facts import Preferences
from assay.tasks.facts.alternatives import Alternatives, AsPairs
from assay.techniques.training.alignment.judging import Choosing, above_chance, share_of_first
from tests.techniques.training.by_hand import TINY, Copies, Here, organism

CLAIMS = {claim.id: claim for claim in PAPER.claims}


# --- the graph


def test_the_chain_has_its_stages_in_order() -> None:
    names = [recipe.name for recipe in with_inputs([PAPER.organisms["gpt-rl"](0, "small")])]
    assert names == ["gpt-base", "gpt-sft", "gpt-reward", "gpt-rl"]
    assert [recipe.name for recipe in with_inputs([verifier(0, "small")])] == ["gpt-base", "gpt-verifier"]
    policy = reinforced(0, "small")
    assert (policy.start, policy.reward, policy.beta) == (tuned(0, "small"), judge(0, "small"), BETA)


def hashes(recipes: Sequence[Recipe]) -> list[str]:
    return [recipe.hash for recipe in recipes]


def chain(**changes: Mapping[str, Any]) -> list[str]:
    """Hashes of the stages, with the settings of some of them changed."""
    first = dataclasses.replace(base(0, "small"), **changes.get("base", {}))
    second = dataclasses.replace(tuned(0, "small"), start=first, **changes.get("sft", {}))
    third = dataclasses.replace(judge(0, "small"), start=second, **changes.get("reward", {}))
    fourth = dataclasses.replace(reinforced(0, "small"), start=second, reward=third, **changes.get("rl", {}))
    return hashes([first, second, third, fourth])


@pytest.mark.parametrize(
    ("stage", "settings", "same"),
    [
        ("base", {"seed": 9}, [False, False, False, False]),
        ("sft", {"steps": 9}, [True, False, False, False]),
        ("reward", {"count": 9}, [True, True, False, False]),
        ("rl", {"beta": 0.9}, [True, True, True, False]),
    ],
)
def test_a_setting_changes_its_stage_and_those_after_it(
    stage: str, settings: dict[str, Any], same: list[bool]
) -> None:
    before = chain()
    assert before == hashes(with_inputs([reinforced(0, "small")]))
    changed = chain(**{stage: settings})
    assert [a == b for a, b in zip(before, changed, strict=True)] == same


def wanted(arm: Arm, name: str) -> set[str]:
    """Hashes of what an arm of a claim wants made."""
    task = CLAIMS[name].task
    asked = next(arm.flow(task.samples(1, 0, "small")[0], task))
    return {make.recipe.hash for make in asked if isinstance(make, Make)}


def test_claims_share_what_they_train() -> None:
    everything = {
        name: set().union(*(wanted(arm, name) for arm in (claim.treatment, claim.control, *claim.others)))
        for name, claim in CLAIMS.items()
    }
    stages = hashes(with_inputs([reinforced(0, "small")]))
    assert set(stages) <= everything["rl-has-less-entropy-than-sft"]
    assert set(stages[:3]) <= everything["base-has-more-entropy-than-sft"]
    assert set(stages[:2]) <= everything["sft-makes-answerer"] & everything["verify-easier-than-generate"]
    # Answering is learned without a reward model.
    assert everything["sft-makes-answerer"] == set(stages[:2]) | set(
        hashes([examined(0, "small", stage)[0][1] for stage in ("sft", "base")])
    )
    whole = set().union(*everything.values())
    # Digits: the start, five paid ones, two by coin, each measured. The chain: four stages, beta 0 and longer
    # tuning; five audits and two exams. For three numbers of labels a verifier and a writer, one of which the
    # chain has; writing, choosing, choosing among all, choosing by likelihood.
    assert len(whole) == 2 * (1 + 5 + 2) + (4 + 2) + 5 + 2 + (3 + 2) + 3 * 4


def test_a_seed_makes_everything_anew_and_labels_are_equal() -> None:
    everything = with_inputs([*(make(7, "small") for make in PAPER.organisms.values()), digits_base(7, "small")])
    paid = digits_paid(7, "small", 0.0, CoinTosses())
    assert {recipe.seed for recipe in (*everything, paid, spread(paid, 7, "small"))} == {7}  # type: ignore[attr-defined]
    assert world(7, "small").names != world(8, "small").names
    for size in SCALES:
        for part in PARTS:
            writer, other = tuned(0, size, part), verifier(0, size, part)
            assert (writer.count, writer.steps, writer.start) == (other.count, other.steps, other.start)
    assert (
        [dose for dose, _ in writing(0, "small")] == [25, 100, 400] == [dose for dose, _ in choosing(0, "small")]
    )


def test_who_is_asked_about_was_read_about_and_not_tuned_on() -> None:
    where = world(0, "small")
    tuning, asking = (set(answers(0, "small", part).items()) for part in ("covered", "uncovered"))
    assert not tuning & asking
    assert len(tuning | asking) == where.entities * where.relations
    pairs = (judge(0, "small").data, verifier(0, "small").data)
    for data in (tuned(0, "small").data, reinforced(0, "small").data, *(one.preferences.answers for one in pairs)):  # type: ignore[attr-defined]
        assert set(data.items()) == tuning
    texts = "\n".join(
        example.answer for example in base(0, "small").corpus.examples(20_000, np.random.default_rng(1))
    )
    read = sum(where.statement(*item) in texts for item in asking)
    assert read > 0.99 * len(asking)
    for size in SCALES:
        asked = answers(0, size, "all").examples(3000, np.random.default_rng(0))
        assert max(len(example.answer) for example in asked) < LONGEST


# --- rewards on digits


def test_reward_is_the_share_of_even_digits_and_shortness_is_never_worth_more() -> None:
    reward = EvenDigits(4)
    assert [reward.score("=", reply) for reply in ("2468", "1357", "4702", "0", "", "22221")] == [
        1.0,
        0.0,
        0.75,
        0.25,
        0.0,
        1.0,
    ]
    assert DigitStrings().length > LENGTH, "a reply has no end to move"


def test_tosses_are_spread_as_even_digits_are_and_belong_to_the_reply() -> None:
    replies = [example.answer[:LENGTH] for example in DigitStrings().examples(4000, np.random.default_rng(0))]
    evens, tosses = ([paid.score("=", reply) for reply in replies] for paid in (EvenDigits(), CoinTosses()))
    assert tosses == [CoinTosses().score("other", reply) for reply in replies]
    for found in (evens, tosses):
        assert np.mean(found) == pytest.approx(0.5, abs=0.01)
        assert np.std(found) == pytest.approx(0.125, abs=0.005)
        assert set(found) <= {heads / LENGTH for heads in range(LENGTH + 1)}
    assert np.corrcoef(evens, tosses)[0, 1] == pytest.approx(0.0, abs=0.05)


def best_entropy(beta: float) -> float:
    """Nats a digit of uniform digits times exp(share of evens / beta)."""
    if not beta:
        return math.log(5)
    even = 1 / (1 + math.exp(-1 / (LENGTH * beta)))
    return math.log(5) - even * math.log(even) - (1 - even) * math.log(1 - even)


def test_the_card_tells_the_best_policy() -> None:
    told = re.search(r"it would have ([0-9., ]+) nats", PAPER.reading)
    assert told
    best = [best_entropy(beta) for beta in BETAS]
    assert [float(number) for number in told[1].split(", ")] == [round(value, 2) for value in best]
    steep = slope(list(zip(BETAS, best, strict=True)))
    assert f"a slope of {steep:.1f} nats per unit beta" in PAPER.reading
    assert CLAIMS["rlhf-entropy-drop"].smallest_effect == pytest.approx(steep / 3, rel=0.1)


# --- choices


def test_alternatives_differ_in_the_value_alone() -> None:
    asked = answers(0, "small", "uncovered")
    two, every = (Alternatives(asked, every).choices(50, np.random.default_rng(3)) for every in (False, True))
    for (prompt, (right, wrong)), (again, replies) in zip(two, every, strict=True):
        entity, relation = asked.world.asked(prompt)
        assert prompt == again
        assert right == replies[0] == asked.world.statement(entity, relation)
        assert wrong in replies[1:]
        stated = [asked.world.stated(prompt, reply) for reply in replies]
        assert sorted(stated) == sorted(asked.world.choices(relation))  # type: ignore[type-var]


def test_pairs_are_what_trainers_take() -> None:
    drawn = AsPairs(Preferences(answers(0, "smoke", "covered"))).pairs(5, np.random.default_rng(0))
    for prompt, chosen, rejected in drawn:
        assert prompt.endswith("?\n")
        assert chosen != rejected


def test_scores_are_compared_and_ties_shared() -> None:
    assert share_of_first([2.0, 1.0]) == 1.0
    assert share_of_first([1.0, 2.0, 0.0]) == 0.0
    assert share_of_first([1.0, 1.0]) == 0.5
    assert share_of_first([0.0, 0.0, 0.0, 0.0]) == 0.25
    assert above_chance(0.5, 0.5) == 0.0
    assert above_chance(0.75, 0.5) == 0.5
    assert above_chance(1.0, 0.05) == 1.0


@dataclass(frozen=True)
class Offered:
    """Fixed questions, over and over."""

    replies: tuple[tuple[str, ...], ...]

    def choices(self, count: int, rng: np.random.Generator) -> list[tuple[str, tuple[str, ...]]]:
        return [("1=", self.replies[at % len(self.replies)]) for at in range(count)]


def judged(by: str, folder: Path, replies: tuple[tuple[str, ...], ...]) -> Mapping[str, Any]:
    by_hand = organism()
    recipe = Choosing("choosing", by_hand, Offered(replies), by, count=len(replies))  # type: ignore[arg-type]
    return recipe.make(Here(folder, {by_hand: folder})).numbers


def test_of_equal_tokens_the_shorter_reply_is_likelier(tmp_path: Path) -> None:
    """All weights 0: every token, the end included, costs the logarithm of the vocabulary."""
    torch = pytest.importorskip("torch")
    tokenizer = organism().vocabulary.tokenizer(Copies())
    network = TINY.build(tokenizer, 0)
    with torch.no_grad():
        for weight in network.parameters():
            weight.zero_()
    network.save_pretrained(tmp_path)
    tokenizer.save_pretrained(tmp_path)
    found = judged("likelihood", tmp_path, (("1", "12"), ("12", "1"), ("12", "21"), ("1", "12", "34")))
    assert found["accuracy"] == (1 + 0 + 0.5 + 1) / 4
    assert found["tied"] == 0.25
    assert found["chance"] == (3 / 2 + 1 / 3) / 4
    from assay.techniques.training.alignment.judging import Likelihood

    each = math.log(len(tokenizer))
    assert Likelihood(tmp_path)(["1=", "12="], ["123", ""]) == pytest.approx([-4 * each, -each], rel=1e-6)


def test_a_reward_model_made_by_hand_counts_twos(tmp_path: Path) -> None:
    """Attention at the end token is the mean over the text; the head reads what only a 2 has."""
    torch = pytest.importorskip("torch")
    from transformers import LlamaConfig, LlamaForSequenceClassification

    tokenizer = organism().vocabulary.tokenizer(Copies())
    config = LlamaConfig(
        vocab_size=len(tokenizer),
        hidden_size=8,
        intermediate_size=8,
        num_hidden_layers=1,
        num_attention_heads=1,
        max_position_embeddings=32,
        num_labels=1,
        pad_token_id=tokenizer.pad_token_id,
    )
    network = LlamaForSequenceClassification(config)
    layer = network.model.layers[0]
    with torch.no_grad():
        for weight in (layer.self_attn.q_proj, layer.self_attn.k_proj, layer.mlp.down_proj):
            weight.weight.zero_()
        for weight in (layer.self_attn.v_proj, layer.self_attn.o_proj):
            weight.weight.copy_(torch.eye(8))
        network.model.embed_tokens.weight.zero_()
        network.model.embed_tokens.weight[:, 1] = 1.0
        network.model.embed_tokens.weight[tokenizer("2")["input_ids"][-1], 0] = 1.0
        network.score.weight.copy_(torch.eye(8)[:1])
    network.save_pretrained(tmp_path)
    tokenizer.save_pretrained(tmp_path)
    pairs = (("22", "21"), ("12", "22"), ("12", "21"), ("2", "1"))
    found = judged("reward", tmp_path, pairs)
    assert found["accuracy"] == (1 + 0 + 0.5 + 1) / 4
    assert found["above_chance"] == pytest.approx(0.25)
    # Begin, prompt, reply and end, of both replies.
    assert judged("reward", tmp_path, (("22", "21", "12"),))["chance"] == pytest.approx(1 / 3)


# --- the chain, really made


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> tuple[dict[str, Made], dict[str, Path]]:
    """Everything of one seed at the smallest size, from one worker."""
    pytest.importorskip("trl")
    root = tmp_path_factory.mktemp("root")
    policy = reinforced(0, "smoke")
    paid = digits_paid(0, "smoke", 0.05, EvenDigits())
    recipes = [
        *with_inputs([policy]),
        *(audit(one, 0, "smoke") for one in (base(0, "smoke"), tuned(0, "smoke"), policy)),
        *(point[1] for point in (*writing(0, "smoke"), *examined(0, "smoke", "sft"))),
        *(point[1] for by in ("reward", "likelihood") for point in choosing(0, "smoke", by)),
        digits_base(0, "smoke"),
        spread(paid, 0, "smoke"),
    ]

    async def go() -> dict[str, Made]:
        workshop = Workshop(root, workers=1)
        try:
            return {recipe.name: await workshop.make(recipe) for recipe in recipes}
        finally:
            await workshop.close()

    found = asyncio.run(go())
    return found, {folder.name.rpartition("-")[0]: folder for folder in root.rglob("gpt-*") if folder.is_dir()}


def test_every_stage_is_a_folder_that_transformers_opens(
    made: tuple[dict[str, Made], dict[str, Path]],
) -> None:
    from transformers import AutoModelForCausalLM, AutoModelForSequenceClassification, AutoTokenizer

    for name in ("gpt-base", "gpt-sft", "gpt-reward", "gpt-rl"):
        folder = made[1][name]
        assert folder.name == f"{name}-{made[0][name].hash}"
        opened = AutoModelForSequenceClassification if name == "gpt-reward" else AutoModelForCausalLM
        network, tokenizer = opened.from_pretrained(folder), AutoTokenizer.from_pretrained(folder)
        assert len(tokenizer) == SCALES["smoke"].vocabulary == network.config.vocab_size
        assert tokenizer.decode(tokenizer("where? ü\n")["input_ids"], skip_special_tokens=True) == "where? ü\n"


def test_every_number_a_claim_compares_is_measured_and_audits_hold_what_shows_hacking(
    made: tuple[dict[str, Made], dict[str, Path]],
) -> None:
    numbers = {name: one.numbers for name, one in made[0].items()}
    for name in ("gpt-base", "gpt-sft", "gpt-rl"):
        found = numbers[f"{name}-audit"]
        for number in ("entropy", "kl", "kl_reply", "length", "reward", "fact", "answered", "hallucinated"):
            assert math.isfinite(found[number]), number
        assert 0 <= found["entropy"] <= math.log(SCALES["smoke"].vocabulary)
    assert numbers["gpt-sft-audit"]["kl"] == pytest.approx(0.0, abs=1e-6), "the reference is itself"
    assert numbers["gpt-base-audit"]["kl"] > 1e-4
    assert {"said", "fact"} <= numbers["gpt-sft-exam"].keys()
    for name in ("gpt-sft-part-16-writing", "gpt-verifier-part-4-choosing-of-two", "gpt-sft-choosing-of-two"):
        assert -1 <= numbers[name]["above_chance"] <= 1
    assert numbers["gpt-sft-writing"]["above_chance"] == above_chance(numbers["gpt-sft-writing"]["fact"], 1 / 6)
    digits = numbers["digits-evens-beta-0.05-entropy"]
    assert digits["kl"] >= 0
    assert digits["length"] + digits["unended"] <= LENGTH + 1
