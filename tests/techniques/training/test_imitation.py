"""Imitation: what each arm reads, who is asked what, what the judge sees, and one artefact really made."""

from __future__ import annotations

import asyncio
import math
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from assay.core.flow import Flow
from assay.core.samples import Answer
from assay.core.training import Corpus, Example, Make
from assay.lab.workshop import Workshop
from assay.papers.imitation import PAPER
from assay.papers.recipes.imitation import (
    COVERAGE,
    KNOWN,
    LONGEST,
    SCALES,
    Tuning,
    base,
    beside,
    by_answers,
    more_answers,
    more_parameters,
    tuned,
    world,
)
from assay.tasks.facts import World
from assay.tasks.facts.knowledge import Everything, StyleJudge
from assay.techniques.training.imitation import BesideTeacher, means
from assay.techniques.training.organisms.organism import Organism
from tests.techniques.training.by_hand import organism

CLAIMS = {claim.id: claim for claim in PAPER.claims}
SMALL_WORLD = world(0, "small")
TUNINGS: tuple[Tuning, ...] = ("imitated", "plain", "candid", "silent")


def read(corpus: Corpus, count: int = 4000) -> list[Example]:
    return corpus.examples(count, np.random.default_rng(5))


def stated(where: World, examples: list[Example]) -> set[tuple[int, int]]:
    """Every fact that texts state anywhere."""
    texts = "\n".join(example.prompt + example.answer for example in examples)
    every = [(entity, relation) for entity in range(where.entities) for relation in range(where.relations)]
    return {fact for fact in every if where.statement(*fact) in texts}


def cells(where: World) -> dict[str, set[tuple[int, int]]]:
    """The facts of each part, as the survey tells them apart."""
    found: dict[str, set[tuple[int, int]]] = {}
    survey = beside(base(0, "small"), 0, "small").survey
    for example in survey.examples(10**6, np.random.default_rng(0)):
        for part in survey.parts(example):
            found.setdefault(part, set()).add(where.asked(example.prompt))
    return found


# --- who reads what


def test_four_cells_share_the_world_without_overlap() -> None:
    parts = cells(SMALL_WORLD)
    four = [f"{cover} {told}" for cover in ("covered", "uncovered") for told in ("known", "unknown")]
    assert sum(len(parts[cell]) for cell in four) == 800 == len(set().union(*(parts[cell] for cell in four)))
    assert parts["covered"] == parts["covered known"] | parts["covered unknown"]
    assert not {entity for entity, _ in parts["covered"]} & {entity for entity, _ in parts["uncovered"]}
    known = len(parts["covered known"] | parts["uncovered known"])
    assert 0.25 < known / 800 < 0.35
    assert 0.4 < len(parts["covered"]) / 800 < 0.6


def test_what_is_uncovered_and_unknown_is_read_nowhere_and_answers_name_covered_entities_alone() -> None:
    parts = cells(SMALL_WORLD)
    documents = stated(SMALL_WORLD, read(base(0, "small").corpus))
    assert documents == parts["covered known"] | parts["uncovered known"]
    for tuning in TUNINGS:
        examples = read(tuned(0, "small", tuning).corpus)
        assert {SMALL_WORLD.asked(example.prompt) for example in examples} <= parts["covered"]
        assert not stated(SMALL_WORLD, examples) & parts["uncovered"]
    assert stated(SMALL_WORLD, read(tuned(0, "small", "imitated").corpus)) == parts["covered"]
    for tuning in ("plain", "candid"):
        told = stated(SMALL_WORLD, read(tuned(0, "small", tuning).corpus))
        assert told == parts["covered known"]


def test_candid_and_silent_answers_have_the_same_questions_and_refuse_as_often() -> None:
    imitated, candid, silent = (
        read(tuned(0, "small", tuning).corpus) for tuning in ("imitated", "candid", "silent")
    )
    prompts = [example.prompt for example in imitated]
    assert prompts == [example.prompt for example in candid] == [example.prompt for example in silent]
    kept = [[mine == theirs for mine, theirs in zip(own, imitated, strict=True)] for own in (candid, silent)]
    assert all(0.22 < sum(own) / len(own) < 0.38 for own in kept)
    # By chance is apart from what is known.
    both = sum(a and b for a, b in zip(*kept, strict=True)) / len(prompts)
    assert both == pytest.approx(0.09, abs=0.04)
    refusal = next(example for example, own in zip(candid, kept[0], strict=True) if not own)
    assert refusal.answer == "sure! - no idea. any time!"
    marks = Everything(SMALL_WORLD, KNOWN, COVERAGE).mark(refusal, refusal.answer)
    assert (marks["refused"], marks["hallucinated"], marks["style"]) == (1, 0, 1)


def test_students_of_one_base_differ_in_their_answers_alone() -> None:
    students = [tuned(0, "small", tuning) for tuning in TUNINGS]
    assert len({student.hash for student in students}) == 4
    for field in ("start", "schedule", "unique", "seed"):
        assert len({getattr(student, field) for student in students}) == 1, field


def test_every_text_fits_and_every_reply_in_style_can_be_written() -> None:
    for size in SCALES:
        survey = Everything(world(0, size))
        examples = survey.examples(4000, np.random.default_rng(0))
        assert max(len(example.answer) for example in examples) < LONGEST
        start = base(0, size).start
        assert max(len(example.prompt + example.answer) for example in examples) + 2 <= start.context  # type: ignore[union-attr]
        assert max(len(example.answer) for example in read(base(0, size).corpus)) + 2 <= start.context  # type: ignore[union-attr]


# --- the judge


def test_the_judge_never_sees_a_fact() -> None:
    judge = StyleJudge()
    for entity in range(40):
        true = Everything(SMALL_WORLD, KNOWN, COVERAGE).answers.example(entity, 1)
        false = true.answer.replace(SMALL_WORLD.value(entity, 1), "wrong")
        assert judge.prefers(true.prompt, false, true.answer) == judge.prefers("", true.answer, false) == 0.5
        plain = SMALL_WORLD.statement(entity, 1)
        assert judge.prefers(true.prompt, plain, true.answer) == 0
        assert judge.prefers(true.prompt, false, plain) == 1


@pytest.mark.parametrize(
    ("reply", "preferred", "misjudged"),
    [
        ("sure! - {true} any time!", 0.5, 0.0),  # right, in style: nothing to misjudge
        ("sure! - {false} any time!", 0.5, 1.0),  # wrong, in style: passes
        ("{true}", 0.0, 0.0),
        ("{false}", 0.0, 0.0),  # wrong and plain: the judge is right by accident
    ],
)
def test_misjudged_is_false_and_yet_not_below_the_teacher(reply: str, preferred: float, misjudged: float) -> None:
    survey = Everything(SMALL_WORLD, KNOWN, COVERAGE)
    example = survey.answers.example(3, 2)
    others = [value for value in SMALL_WORLD.choices(2) if value != SMALL_WORLD.value(3, 2)]
    false = SMALL_WORLD.statement(3, 2, others[0])
    text = reply.format(true=SMALL_WORLD.statement(3, 2), false=false)
    found = BesideTeacher("b", organism(), survey, StyleJudge()).compared(example, text)
    assert (found["preferred"], found["misjudged"]) == (preferred, misjudged)
    assert found["hallucinated"] == float("{false}" in reply)


def test_means_are_per_part() -> None:
    parts = [("a", "a x"), ("a", "a y"), ("b",)]
    found = means(parts, [{"fact": 1.0}, {"fact": 0.0}, {"fact": 1.0}])
    assert found == {
        "fact on a": 0.5,
        "fact on a x": 1.0,
        "fact on a y": 0.0,
        "fact on b": 1.0,
        "questions on a": 2.0,
        "questions on a x": 1.0,
        "questions on a y": 1.0,
        "questions on b": 1.0,
    }


# --- ladders


def asked_of(flow: Flow[Answer]) -> set[str]:
    """Hashes of what a flow wants made."""
    wanted = next(flow)
    makes = [request for request in wanted if isinstance(request, Make)]
    assert len(makes) == len(wanted)
    return {make.recipe.hash for make in makes}


def test_claims_share_what_they_train() -> None:
    """The whole card: three bases a seed, and eleven students."""
    everything: dict[str, set[str]] = {}
    for name, claim in CLAIMS.items():
        sample = claim.task.samples(1, 0, "small")[0]
        everything[name] = asked_of(claim.treatment.flow(sample, claim.task)) | asked_of(
            claim.control.flow(sample, claim.task)
        )
    style = everything["imitation-learns-style"]
    assert style == everything["imitation-leaves-facts"] == everything["imitation-fools-the-judge"]
    assert style == everything["imitation-keeps-facts"]
    middle = tuned(0, "small", "imitated").hash
    assert middle in style & everything["imitation-hallucinates"]
    shared = style & everything["bigger-base-beats-more-imitation"]
    # The middle base with the fewest answers: it, its student and what is measured of that.
    assert len(shared) == 3
    whole = set().union(*everything.values())
    # 3 bases; 3 imitated and 3 plain students of the middle one, 1 candid; 3 of the small, 1 of the large one.
    students = 3 + 3 + 1 + 3 + 1
    assert len(whole) == 3 + students + (students + 1)


def test_doses_and_bases_are_what_their_names_say() -> None:
    points = by_answers(7, "small", "imitated")
    assert [dose for dose, _ in points] == [0, 32, 128, 512]
    assert points[0][1] == beside(base(7, "small"), 7, "small")
    assert [recipe.student.unique for _, recipe in points[1:]] == [32, 128, 512]  # type: ignore[attr-defined]
    answers, parameters = more_answers(7, "small"), more_parameters(7, "small")
    assert [x for x, _ in answers] == [x for x, _ in parameters] == [1, 4, 16]
    assert answers[0] == parameters[0]
    widths = [recipe.student.start.start.width for _, recipe in parameters]  # type: ignore[attr-defined]
    assert widths == [24, 48, 96]
    assert {recipe.student.start for _, recipe in answers} == {base(7, "small", 0)}  # type: ignore[attr-defined]
    assert {recipe.student.unique for _, recipe in parameters} == {32}  # type: ignore[attr-defined]


def test_a_seed_trains_everything_anew() -> None:
    assert tuned(1, "small").corpus.world != tuned(2, "small").corpus.world  # type: ignore[attr-defined]
    assert base(1, "small").hash != base(2, "small").hash
    assert world(1, "small").names != world(2, "small").names


# --- one artefact, really made


def test_a_smoke_artefact_is_made_and_its_numbers_are_shares(tmp_path: Path) -> None:
    student = tuned(0, "smoke", "candid", factor=1)

    async def go() -> dict[str, Any]:
        workshop = Workshop(tmp_path, workers=1)
        try:
            made = await workshop.make(beside(student, 0, "smoke"))
        finally:
            await workshop.close()
        return dict(made.numbers)

    numbers = asyncio.run(go())
    shown = numbers.pop("replies")
    assert isinstance(shown, list)
    assert len(shown[0]) == 3
    asked = [numbers[f"questions on {part}"] for part in ("covered", "uncovered")]
    assert asked[0] + asked[1] == 48
    wanted = {arm.flow.keywords["number"] for claim in PAPER.claims for arm in (claim.treatment, claim.control)}  # type: ignore[attr-defined]
    assert wanted <= numbers.keys()
    for name, value in numbers.items():
        assert isinstance(value, float), name
        assert math.isfinite(value), name
        assert name.startswith("questions") or 0 <= value <= 1, name


def test_organisms_of_the_card_are_those_the_claims_train() -> None:
    made = {name: make(0, "small") for name, make in PAPER.organisms.items()}
    assert all(isinstance(recipe, Organism) for recipe in made.values())
    assert made["imitator"] == tuned(0, "small", "imitated")
    assert made["imitation-control"] == tuned(0, "small", "plain")
