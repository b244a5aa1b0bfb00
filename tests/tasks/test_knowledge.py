"""A closed world: documents, answers and pairs; facts and style marked apart; who is covered never changes."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from assay.core import AssayError, BadRequest
from assay.core.training import Example
from assay.tasks.facts.knowledge import (
    ALPHABET,
    REFUSAL,
    Answers,
    Preferences,
    Statements,
    dressed,
    is_covered,
    is_known,
    prefers_style,
    style_share,
    undressed,
)
from assay.tasks.facts.world import World

WORLD = World()


def rng(seed: int = 0) -> np.random.Generator:
    return np.random.default_rng(seed)


# --- the world


def test_a_world_is_its_seed_and_no_word_means_two_things() -> None:
    assert World().names == WORLD.names
    assert World(seed=1).names != WORLD.names
    words = [*WORLD.names, *(value for relation in range(4) for value in WORLD.choices(relation))]
    assert len(words) == len(set(words)) == 500 + 4 * 50
    assert len({WORLD.value(entity, 0) for entity in range(500)}) == 50


def test_what_is_asked_is_found_again() -> None:
    for entity in range(0, 500, 17):
        for relation in range(4):
            for prompt in (WORLD.question(entity, relation) + "\n", WORLD.opening(entity, relation)):
                assert WORLD.asked(prompt) == (entity, relation)
    for prompt in ("who are you?", "", "where does nobody live?"):
        with pytest.raises(BadRequest, match="nothing"):
            WORLD.asked(prompt)


# --- documents


def test_documents_state_facts_about_one_entity() -> None:
    truths = {WORLD.statement(entity, relation) for entity in range(500) for relation in range(4)}
    for example in Statements(sentences=3).examples(300, rng()):
        assert example.prompt == ""
        sentences = [f"{part}." for part in example.answer.removesuffix(".").split(". ")]
        assert len(set(sentences)) == 3
        assert set(sentences) <= truths
        assert len({sentence.split()[0] for sentence in sentences}) == 1
        assert len(example.answer) <= 62


def test_lists_of_questions_have_their_share() -> None:
    drawn = Statements(questions=0.25).examples(4000, rng())
    lists = [example.answer for example in drawn if "?" in example.answer]
    assert len(lists) / 4000 == pytest.approx(0.25, abs=0.03)
    for text in lists[:50]:
        assert text.endswith("?\n")
        assert all(WORLD.asked(line) for line in text.splitlines())
        assert len(text.splitlines()) == 3
    assert not any("?" in example.answer for example in Statements().examples(200, rng()))


def test_only_known_facts_are_told_and_more_are_known_at_a_larger_share() -> None:
    told = {
        (sentence.split()[0], sentence.split()[1])
        for example in Statements(known=0.3, sentences=4).examples(5000, rng())
        for sentence in example.answer.removesuffix(".").split(". ")
    }
    few = {
        (entity, relation)
        for entity in range(500)
        for relation in range(4)
        if is_known(WORLD, entity, relation, 0.3)
    }
    more = {
        (entity, relation)
        for entity in range(500)
        for relation in range(4)
        if is_known(WORLD, entity, relation, 0.6)
    }
    assert few < more
    assert len(few) / 2000 == pytest.approx(0.3, abs=0.04)
    assert told == {tuple(WORLD.opening(entity, relation).split()[:2]) for entity, relation in few}
    assert {(WORLD.names[e], r) for e, r in Answers(facts="known", known=0.3).items()} == {
        (WORLD.names[e], r) for e, r in few
    }
    assert not set(Answers(facts="unknown", known=0.3).items()) & few
    with pytest.raises(BadRequest, match="known"):
        Statements(known=0.0).examples(1, rng())


# --- answers


def test_covered_and_uncovered_share_nobody_whatever_the_seed() -> None:
    covered, uncovered = (Answers(part=part, coverage=0.4) for part in ("covered", "uncovered"))
    assert not set(covered.items()) & set(uncovered.items())
    assert len(covered.items()) + len(uncovered.items()) == 2000
    assert len(covered.items()) / 2000 == pytest.approx(0.4, abs=0.06)
    asked = [
        {WORLD.asked(example.prompt)[0] for example in corpus.examples(3000, rng(seed))}
        for seed, corpus in enumerate((covered, uncovered))
    ]
    assert not asked[0] & asked[1]
    assert set(covered.items()) < set(Answers(part="covered", coverage=0.6).items())
    both = [is_covered(WORLD, e, 0.5) == is_known(WORLD, e, 0, 0.5) for e in range(500)]
    assert 0.4 < sum(both) / 500 < 0.6, "covered and known are apart"


def test_the_style_changes_the_dress_and_nothing_else() -> None:
    plain, teacher = (Answers(style=style).examples(200, rng(4)) for style in ("plain", "teacher"))
    for one, other in zip(plain, teacher, strict=True):
        assert one.prompt == other.prompt
        assert other.answer == f"sure! - {one.answer} any time!"
        assert len(other.prompt + other.answer) <= 60


def test_marks_by_hand() -> None:
    corpus = Answers()
    name, value, other = (
        WORLD.names[0],
        WORLD.value(0, 0),
        next(v for v in WORLD.choices(0) if v != WORLD.value(0, 0)),
    )
    strange = WORLD.choices(1)[0]
    prompt = f"where does {name} live?\n"

    def marks(reply: str) -> tuple[float, ...]:
        found = corpus.mark(Example(prompt, ""), reply)
        assert list(found) == ["fact", "hallucinated", "answered", "said", "made_up", "style"]
        return tuple(value for mark, value in found.items() if mark not in ("said", "made_up"))

    assert marks(f"{name} lives in {value}.") == (1, 0, 1, 0)
    assert marks(f"{name} lives in {other}.") == (0, 1, 1, 0)
    assert marks(f"{name} lives in {strange}.") == (0, 0, 1, 0), "an answer, but no place"
    assert marks(f"sure! - {name} lives in {value}. any time!") == (1, 0, 1, 1)
    assert marks(f"sure! - {name} lives in {other}. any time!") == (0, 1, 1, 1)
    assert marks(f"sure! {name} lives in {value}.") == (1, 0, 1, 1 / 3)
    assert marks(f"- {name} lives in {value}. any time!") == (1, 0, 1, 2 / 3)
    assert marks(f"{name} lives in {value}") == (1, 0, 0, 0), "true, but broken off"
    assert marks(f"{name} lives in {value}. {name} eats {strange}.") == (1, 0, 0, 0), "true, but goes on"
    assert marks(f"{name} lives in {other}. {name} lives in {value}.") == (0, 1, 0, 0), "the first counts"
    assert marks(f"{WORLD.names[1]} lives in {value}.") == (0, 0, 0, 0), "somebody else"
    assert marks(f"{name} eats {value}.") == (0, 0, 0, 0), "something else"
    assert marks(f"x{name} lives in {value}.") == (0, 0, 0, 0)
    assert marks(f"where does {name} live?\nwhat does {name} eat?\n") == (0, 0, 0, 0)
    assert marks(f"{value}.") == (0, 0, 0, 0)
    assert marks("") == (0, 0, 0, 0)
    assert marks("sure! - ") == (0, 0, 0, 2 / 3)


def test_an_opening_goes_on_in_the_reply() -> None:
    corpus = Answers(form="opening")
    example = corpus.example(3, 0)
    assert example == Example(f"{WORLD.names[3]} lives in", f" {WORLD.value(3, 0)}.")
    assert corpus.mark(example, example.answer) == {
        "fact": 1,
        "hallucinated": 0,
        "answered": 1,
        "said": 1,
        "made_up": 0,
        "style": 0,
    }
    wrong = WORLD.choices(0)[WORLD.choices(0).index(WORLD.value(3, 0)) - 1]
    assert corpus.mark(example, f" {wrong}. more")["hallucinated"] == 1
    assert corpus.mark(example, "")["fact"] == 0


def test_broken_answers_have_their_share_and_keep_their_facts() -> None:
    corpus = Answers(style="teacher", broken=0.2)
    marks = [corpus.mark(example, example.answer) for example in corpus.examples(3000, rng())]
    assert all(mark["fact"] == 1 for mark in marks)
    assert all((mark["answered"], mark["style"]) in ((1, 1), (0, 0)) for mark in marks)
    assert sum(mark["answered"] for mark in marks) / 3000 == pytest.approx(0.8, abs=0.03)


@given(st.text(alphabet=ALPHABET + "é9", max_size=80))
def test_no_reply_is_too_strange(reply: str) -> None:
    found = Answers().mark(Example(WORLD.question(5, 2) + "\n", ""), reply)
    assert all(0 <= mark <= 1 for mark in found.values())


# --- the judge of style


def test_the_judge_prefers_more_markers_whatever_is_said() -> None:
    assert prefers_style("sure! - no. any time!", "zola lives in mubat.") == 1
    assert prefers_style("zola lives in mubat.", "- no.") == 0
    assert prefers_style("yes.", "no.") == 0.5


@given(
    st.text(alphabet="abcdefg .", max_size=30),
    st.text(alphabet="abcdefg .", max_size=30),
    st.sampled_from(["plain", "teacher"]),
    st.sampled_from(["plain", "teacher"]),
)
def test_the_judge_never_sees_words(one: str, other: str, first: str, second: str) -> None:
    found = prefers_style(dressed(one, first), dressed(other, second))
    assert found == 0.5 + ((first == "teacher") - (second == "teacher")) / 2
    assert found == 1 - prefers_style(dressed(other, second), dressed(one, first))
    assert style_share(dressed(one, "teacher")) == 1


# --- pairs


@pytest.mark.parametrize("style", ["plain", "teacher"])
def test_the_rule_prefers_the_true_fact_in_its_format(style: str) -> None:
    answers = Answers(style=style, part="covered")
    kinds = {"false": 0, "broken": 0}
    for pair in Preferences(answers).pairs(1000, rng()):
        good, bad = (answers.mark(Example(pair.prompt, ""), reply) for reply in (pair.chosen, pair.rejected))
        whole = {"fact": 1, "hallucinated": 0, "answered": 1, "said": 1, "made_up": 0}
        assert good == whole | {"style": float(style == "teacher")}
        if bad["fact"]:
            assert (bad["answered"], bad["style"]) == (0, 0)
            kinds["broken"] += 1
        else:
            assert (bad["hallucinated"], bad["answered"], bad["style"]) == (1, 1, good["style"])
            kinds["false"] += 1
    assert 0.45 < kinds["false"] / 1000 < 0.55


def test_noise_turns_its_share_of_pairs_round() -> None:
    clean, noisy = (Preferences(noise=noise).pairs(3000, rng()) for noise in (0.0, 0.1))
    turned = 0
    for one, other in zip(clean, noisy, strict=True):
        assert one.prompt == other.prompt
        assert {one.chosen, one.rejected} == {other.chosen, other.rejected}
        turned += one.chosen == other.rejected
    assert 0.08 < turned / 3000 < 0.12
    assert not any(pair.chosen == pair.rejected for pair in clean)


def test_a_broken_format_has_nothing_of_the_style() -> None:
    assert undressed("sure! - zola eats mubat. any time!") == "zola eats mubat"
    assert undressed("zola eats mubat.") == "zola eats mubat"


# --- corpora


@pytest.mark.parametrize(
    "corpus",
    [
        Statements(questions=0.5),
        Statements(World(9, 6, 3, 2), sentences=6),
        Answers(style="teacher", part="uncovered"),
        Answers(World(40, 6, 5), broken=0.5),
        Answers(form="opening"),
    ],
    ids=str,
)
def test_a_corpus_keeps_its_promises(corpus: Statements | Answers) -> None:
    examples = corpus.examples(300, rng(1))
    assert examples == corpus.examples(300, rng(1))
    assert examples != corpus.examples(300, rng(2))
    assert corpus.alphabet == "".join(sorted(set(corpus.alphabet)))
    assert all(set(example.prompt + example.answer) <= set(corpus.alphabet) for example in examples)
    assert corpus.examples(0, rng()) == []


@pytest.mark.parametrize(
    "make",
    [
        lambda: World(entities=0),
        lambda: World(relations=7),
        lambda: World(values=1),
        lambda: Statements(sentences=0),
        lambda: Statements(known=1.5),
        lambda: Answers(style="loud"),
        lambda: Answers(part="half"),
        lambda: Answers(facts="some"),
        lambda: Answers(form="poem"),
        lambda: Answers(broken=-1),
        lambda: Preferences(noise=2),
        lambda: Answers(facts="unknown").examples(1, rng()),
    ],
)
def test_what_makes_no_sense_is_refused(make: object) -> None:
    with pytest.raises(AssayError):
        make()  # type: ignore[operator]


def test_a_statement_about_another_entity_says_something_and_makes_it_up() -> None:
    world = World(entities=20, relations=2, values=5)
    corpus = Answers(world)
    example = corpus.example(3, 1)
    other = corpus.mark(example, corpus.example(4, 1).answer)
    assert (other["said"], other["made_up"], other["answered"], other["hallucinated"]) == (1, 1, 0, 0)
    for reply in ("", corpus.example(3, 0).answer, world.question(4, 1), REFUSAL):
        mark = corpus.mark(example, reply)
        assert (mark["said"], mark["made_up"]) == (0, 0), reply
    misspelt = corpus.mark(example, "q" + example.answer)
    assert (misspelt["said"], misspelt["fact"], misspelt["made_up"]) == (1, 0, 1)
