"""Goat's ten tasks: the paper's own examples, chains derived anew, corruption caught, splits apart."""

from __future__ import annotations

import re
import time

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from assay.core import AssayError, BadRequest
from assay.core.training import Example
from assay.tasks.arithmetic.chains import chain_of_product, chain_of_quotient, check_chain
from assay.tasks.arithmetic.place_value import TASKS, Arithmetic, solve, verify
from assay.tasks.splits import gather, position, split_of

LENGTHS = {
    "copy": (4,),
    "split": (4,),
    "order": (3, 2, 3),
    "multiply-digit": (4, 1),
    "divide-digit": (4, 1),
    "divide": (4, 2),
}
CORPORA = [Arithmetic(task, LENGTHS.get(task, (3, 2))) for task in TASKS] + [
    Arithmetic("multiply", (3, 3), "chain"),
    Arithmetic("multiply", (4, 3), "chain", little_endian=True, without=("split", "expand")),
    Arithmetic("divide", (5, 2), "chain", split="test"),
    Arithmetic("divide", (5, 2), "chain", little_endian=True, without=("products",)),
]
WITHOUT = [(), ("split",), ("expand",), ("products",), ("term-by-term",), ("split", "expand", "products")]


def rng(seed: int = 0) -> np.random.Generator:
    return np.random.default_rng(seed)


# --- the paper's examples: https://arxiv.org/abs/2305.14201, figure 1, and its repository's README


def test_the_products_of_the_paper() -> None:
    chain = "4429*(300+90+7)=4429*300+4429*90+4429*7=1328700+398610+31003=1727310+31003=1758313"
    assert chain_of_product(397, 4429) == chain_of_product(4429, 397) == chain
    assert chain_of_product(37, 3066) == "3066*(30+7)=3066*30+3066*7=91980+21462=113442"
    assert verify("397*4429=", chain) == [True] * 5


def test_the_quotient_of_the_papers_repository() -> None:
    chain = "5697-47*100=5697-4700=997;997-47*20=997-940=57;57-47*1=57-47=10;121R10"
    assert chain_of_quotient(5697, 47) == chain
    assert verify("5697/47=", chain) == [True] * 4


def test_each_stage_can_be_left_out() -> None:
    wanted = {
        "split": "4429*300+4429*90+4429*7=1328700+398610+31003=1727310+31003=1758313",
        "expand": "4429*(300+90+7)=1328700+398610+31003=1727310+31003=1758313",
        "products": "4429*(300+90+7)=4429*300+4429*90+4429*7=1727310+31003=1758313",
        "term-by-term": "4429*(300+90+7)=4429*300+4429*90+4429*7=1328700+398610+31003=1758313",
    }
    for stage, chain in wanted.items():
        assert chain_of_product(397, 4429, (stage,)) == chain
        assert verify("397*4429=", chain, without=(stage,)) == [True] * 4
        assert not all(verify("397*4429=", chain)), "it is not the whole chain"
    assert chain_of_quotient(130, 12, ("products",)) == "130-12*10=10;10R10"


def test_zero_digits_are_skipped_and_round_numbers_have_no_chain() -> None:
    assert chain_of_product(5003, 204) == "5003*(200+4)=5003*200+5003*4=1000600+20012=1020612"
    assert chain_of_product(400, 27) == "10800"
    assert chain_of_product(345, 20) == "6900"
    assert chain_of_product(345, 0) == "0"
    assert chain_of_quotient(4040, 4) == "4040-4*1000=4040-4000=40;40-4*10=40-40=0;1010"
    assert chain_of_quotient(15, 64) == "0R15"
    assert chain_of_quotient(64, 64) == "1"


@pytest.mark.parametrize(
    ("prompt", "answer"),
    [
        ("c59265395=", "59265395"),
        ("s4536=", "4000+500+30+6"),
        ("s4006=", "4000+6"),
        ("59?61=", "59<61"),
        ("61?59=", "61>59"),
        ("7?7=", "7=7"),
        ("o3568,9591,8061=", "3568,8061,9591"),
        ("94140209+73=", "94140282"),
        ("8432862-659016175=", "-650583313"),
        ("37*3066=", "113442"),
        ("5697/47=", "121R10"),
        ("5697/0=", "undefined"),
    ],
)
def test_every_task_has_its_answer(prompt: str, answer: str) -> None:
    assert solve(prompt) == answer


# --- every chain derived anew


def test_ten_thousand_chains_verify() -> None:
    started = time.perf_counter()
    for corpus in (
        Arithmetic("multiply", (4, 3), "chain"),
        Arithmetic("multiply", (2, 2), "chain", little_endian=True),
        Arithmetic("divide", (5, 2), "chain"),
        Arithmetic("divide", (3, 3), "chain", little_endian=True),
    ):
        for example in corpus.examples(2500, rng()):
            assert corpus.mark(example, example.answer) == {"exact": 1, "steps": 1, "valid": 1}, example
            assert all(verify(example.prompt, example.answer, little_endian=corpus.little_endian)), example
    assert time.perf_counter() - started < 20


@given(st.integers(10, 10**6), st.integers(10, 10**6), st.sampled_from("*/"), st.sampled_from(WITHOUT), st.data())
@settings(max_examples=300)
def test_a_chain_verifies_and_no_corrupted_digit_passes(
    a: int, b: int, sign: str, without: tuple[str, ...], data: st.DataObject
) -> None:
    chain = (chain_of_product if sign == "*" else chain_of_quotient)(a, b, without)
    prompt = f"{a}{sign}{b}="
    labels, expected = check_chain(prompt, chain, without)
    assert labels == [True] * expected
    at = data.draw(st.sampled_from([found.start() for found in re.finditer("[0-9]", chain)]))
    digit = data.draw(st.sampled_from([each for each in "0123456789" if each != chain[at]]))
    broken = chain[:at] + digit + chain[at + 1 :]
    separator = "=" if sign == "*" else ";"
    step = chain[:at].count(separator)
    found = verify(prompt, broken, without=without)
    assert [place for place, right in enumerate(found) if not right] == [step], "that step and no other"


@given(st.integers(10, 99999), st.integers(10, 9999))
def test_the_chain_is_true_as_python_reads_it(a: int, b: int) -> None:
    assert {eval(stage) for stage in chain_of_product(a, b).split("=")} == {
        a * b
    }  # a known text of digits and signs
    *lines, answer = chain_of_quotient(a, b).split(";")
    for line in lines:
        assert len({eval(side) for side in line.split("=")}) == 1
    quotient, _, remainder = answer.partition("R")
    assert int(quotient) * b + int(remainder or 0) == a


@given(st.text(alphabet="0123456789=+*()-/;R٣", max_size=60), st.sampled_from(["34*27=", "345/12="]))
def test_no_reply_is_too_strange(reply: str, prompt: str) -> None:
    corpus = Arithmetic("multiply" if "*" in prompt else "divide", (2, 2), "chain")
    marks = corpus.mark(Example(prompt, ""), reply)
    assert set(marks) == {"exact", "steps", "valid"}
    assert all(0 <= mark <= 1 for mark in marks.values())
    assert verify("40*27=", "9" * 5000) == [False], "longer than `int` reads"


def test_what_has_no_chain_is_not_checked_for_one() -> None:
    assert check_chain("345/0=", "undefined") == ([True], 1)
    with pytest.raises(BadRequest, match="no product"):
        check_chain("345+12=", "357")


# --- marks, by hand


def marks(corpus: Arithmetic, prompt: str, reply: str) -> tuple[float, float, float]:
    found = corpus.mark(Example(prompt, ""), reply)
    return found["exact"], found["steps"], found["valid"]


def test_marks_of_products() -> None:
    corpus = Arithmetic("multiply", (2, 2), "chain")
    good = "34*(20+7)=34*20+34*7=680+238=918"
    assert marks(corpus, "27*34=", good) == (1, 1, 1)
    assert marks(corpus, "34*27=", good.replace("238", "248")) == (1, 0.75, 0), "a right answer by luck"
    assert marks(corpus, "34*27=", good.replace("918", "928")) == (0, 0.75, 0)
    assert marks(corpus, "34*27=", "34*(20+7)=34*20+34*7=680+248=928") == (0, 0.5, 0), "goes on from the error"
    assert marks(corpus, "34*27=", "27*(30+4)=27*30+27*4=810+108=918") == (1, 0.25, 0), "true, not the chain asked"
    assert marks(corpus, "34*27=", "34*(20+7)=34*20+34*7=680+238") == (0, 0.75, 0)
    assert marks(corpus, "34*27=", good + "=918") == (1, 0.8, 0)
    assert marks(corpus, "34*27=", "918") == (1, 0, 0)
    assert marks(corpus, "34*27=", good.replace("918", "0918")) == (0, 0.75, 0)
    assert marks(corpus, "34*27=", "") == (0, 0, 0)
    assert marks(corpus, "40*27=", "1080") == (1, 1, 1)


def test_marks_of_quotients_and_of_direct_answers() -> None:
    corpus = Arithmetic("divide", (3, 2), "chain")
    good = "345-12*20=345-240=105;105-12*8=105-96=9;28R9"
    assert marks(corpus, "345/12=", good) == (1, 1, 1)
    assert marks(corpus, "345/12=", good.replace("=105;", "=115;")) == (1, 2 / 3, 0)
    assert marks(corpus, "345/12=", good.replace("28R9", "28")) == (0, 2 / 3, 0)
    assert marks(corpus, "345/12=", "28R9") == (1, 0, 0)
    assert marks(corpus, "36/12=", "36-12*3=36-36=0;3R0") == (0, 0.5, 0)
    assert marks(Arithmetic("divide", (3, 2)), "345/12=", "28R9 ") == (1, 1, 1)
    assert marks(Arithmetic("divide", (3, 2)), "345/12=", "28R8") == (0, 0, 0)
    assert marks(Arithmetic("subtract"), "12-345=", "-333") == (1, 1, 1)


def test_little_endian_turns_every_number_of_both_arms() -> None:
    chain = Arithmetic("multiply", (3, 2), "chain", little_endian=True)
    assert marks(chain, "543*72=", "543*(02+7)=543*02+543*7=0096+5142=5139") == (1, 1, 1)
    assert marks(chain, "345*27=", "345*(20+7)=345*20+345*7=6900+2415=9315") == (0, 0, 0)
    direct, other = (Arithmetic("multiply", (3, 2), little_endian=turned) for turned in (True, False))
    for one, two in zip(direct.examples(50, rng()), other.examples(50, rng()), strict=True):
        assert one.answer == two.answer[::-1]
        assert one.prompt[:-1] == "*".join(n[::-1] for n in two.prompt[:-1].split("*"))


# --- corpora


@pytest.mark.parametrize("corpus", CORPORA, ids=str)
def test_a_corpus_keeps_its_promises(corpus: Arithmetic) -> None:
    examples = corpus.examples(400, rng(3))
    assert examples == corpus.examples(400, rng(3))
    assert examples != corpus.examples(400, rng(4))
    assert corpus.alphabet == "".join(sorted(set(corpus.alphabet)))
    for example in examples:
        assert set(example.prompt + example.answer) <= set(corpus.alphabet)
        assert set(corpus.mark(example, example.answer).values()) == {1.0}
        lengths = [len(run) for run in re.findall("[0-9]+", example.prompt)]
        assert sorted(lengths) == sorted(corpus.digits)


@pytest.mark.parametrize("task", TASKS)
def test_train_and_test_share_nothing_in_any_order(task: str) -> None:
    ordered = task.startswith("divide")

    def items(split: str, seed: int) -> set[tuple[str, ...]]:
        corpus = Arithmetic(task, LENGTHS.get(task, (2, 2)), split=split)
        found = [re.findall("[0-9]+", example.prompt) for example in corpus.examples(1500, rng(seed))]
        return {tuple(numbers if ordered else sorted(numbers)) for numbers in found}

    train, test = items("train", 0), items("test", 1)
    assert not train & test
    assert len(test) > 50


def test_commuted_factors_occur_and_stay_together() -> None:
    corpus = Arithmetic("multiply", (2, 2), split="test")
    prompts = {example.prompt for example in corpus.examples(3000, rng())}
    commuted = {f"{b}*{a}=" for a, b in (prompt[:-1].split("*") for prompt in prompts)}
    assert len(prompts & commuted) > 0.8 * len(prompts)
    train = {example.prompt for example in Arithmetic("multiply", (2, 2)).examples(20000, rng())}
    assert not train & (prompts | commuted)


def test_the_form_changes_the_answer_and_nothing_else() -> None:
    direct, chain = (Arithmetic("multiply", (3, 2), form) for form in ("direct", "chain"))
    assert direct.alphabet == chain.alphabet
    assert [e.prompt for e in direct.examples(99, rng())] == [e.prompt for e in chain.examples(99, rng())]


def test_half_of_the_quotients_have_no_remainder_and_digits_are_mostly_not_0_or_1() -> None:
    whole = [("R" not in e.answer) for e in Arithmetic("divide", (4, 2)).examples(4000, rng())]
    assert 0.47 < sum(whole) / len(whole) < 0.56
    digits = [e.prompt[:-1].split("/")[1] for e in Arithmetic("divide-digit", (4, 1)).examples(4000, rng())]
    assert 0.02 < digits.count("0") / 4000 < 0.06
    assert {e.answer for e in Arithmetic("divide-digit", (4, 1)).examples(500, rng()) if "/0" in e.prompt} == {
        "undefined"
    }


@pytest.mark.parametrize(
    "fields",
    [
        {"task": "root"},
        {"form": "short"},
        {"split": "dev"},
        {"digits": (3,)},
        {"digits": (0, 2)},
        {"digits": (19, 2)},
        {"digits": (3, 1)},
        {"task": "copy"},
        {"task": "multiply-digit"},
        {"task": "divide", "digits": (2, 3)},
        {"task": "add", "form": "chain"},
        {"without": ("split",)},
        {"form": "chain", "without": ("all",)},
        {"task": "divide", "form": "chain", "without": ("split",)},
    ],
)
def test_what_makes_no_sense_is_refused(fields: dict[str, object]) -> None:
    with pytest.raises(AssayError):
        Arithmetic(**fields)  # type: ignore[arg-type]


def test_a_split_without_items_is_refused() -> None:
    other = {"train": "test", "test": "train"}[split_of("7")]
    with pytest.raises(BadRequest, match="too few"):
        gather(1, lambda size: ["7"] * size, str, other)
    assert gather(3, lambda size: ["7"] * size, str, split_of("7")) == ["7", "7", "7"]


def test_the_hash_is_for_ever() -> None:
    """Another hash would let trained organisms be tested on what they were trained on."""
    assert [round(position(item), 6) for item in ("multiply:27,34", "7+3*4-2:", "")] == [
        0.316524,
        0.11287,
        0.866604,
    ]
    share = sum(split_of(str(item)) == "test" for item in range(20000)) / 20000
    assert 0.115 < share < 0.135
