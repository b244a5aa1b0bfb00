"""What every card, claim and technique must keep to; new ones are collected by themselves."""

from __future__ import annotations

import ast
import asyncio
import dataclasses
import inspect
import random
import re
from pathlib import Path
from typing import Any

import pytest

from assay.core import (
    WHITE_BOX,
    Answer,
    Arm,
    Ask,
    Capability,
    Claim,
    EvidenceKind,
    Flow,
    Measure,
    Paper,
    Reading,
    Reply,
    Sample,
    Score,
    Task,
    UnknownName,
)
from assay.core.answers import curve_text, ranking_text
from assay.core.verdict import Verdict, Word
from assay.lab.driver import Driver
from assay.lab.plan import FREE_CONTROLS, Plan
from assay.lab.session import Stamp, run_claim
from assay.lab.store import Store
from assay.models import Scripted
from assay.papers import all_claims, all_papers, claim_named, paper_named
from assay.stats import RuleName
from assay.tasks import RetrievalTask, SeedsTask, task_named, task_names
from assay.tasks.games.riddle import RiddleTask
from assay.workbench.techniques import all_techniques

CARDS = Path(__file__).parents[2] / "src" / "assay" / "papers"
CLAIMS = {name: (paper, claim) for name, (paper, claim) in all_claims().items()}
OPEN = WHITE_BOX | {Capability.TOKENS, Capability.EMBED}
"""What a claim needs whose arms measure a network instead of reading its words."""


def measures(claim: Claim) -> bool:
    """Whether a claim's arms return numbers, or moves in a form of their own, and not words to be read."""
    prepares = claim.treatment.prepare is not None
    own_form = bool(claim.organism) or prepares or claim.task.kind in ("board", "expression", "score")
    return bool(claim.needs & (OPEN | {Capability.TRAIN})) or not claim.needs or own_form


@pytest.mark.parametrize("paper", all_papers(), ids=lambda paper: paper.slug)
def test_a_card_is_complete(paper: Paper) -> None:
    assert re.fullmatch(r"https?://[^\s]+", paper.url)
    assert re.fullmatch(r"R\d\d", paper.row)
    assert paper.says.endswith(".")
    assert paper.reading.endswith(".")
    assert paper.claims
    assert 1990 < paper.year < 2100


@pytest.mark.parametrize("path", sorted(CARDS.glob("[!_]*.py")), ids=lambda path: path.stem)
def test_a_card_is_short_and_says_what_it_is(path: Path) -> None:
    text = path.read_text()
    assert text.count("\n") <= 120
    assert ast.get_docstring(ast.parse(text))


@pytest.mark.parametrize("name", CLAIMS)
def test_a_claim_is_complete(name: str) -> None:
    claim = CLAIMS[name][1]
    assert set(claim.sizes) == {"smoke", "small", "full"}
    assert (claim.expected is not None) == (claim.evidence is EvidenceKind.RATE)
    assert bool(claim.positive) == (claim.measure is Measure.SCORE) == (claim.evidence is EvidenceKind.DETECTOR)
    assert set(claim.at_chance) <= {arm.name for arm in claim.others}
    if claim.positive:
        targets = {sample.target for sample in claim.task.samples(40, 0, claim.task.levels[0])}
        assert claim.positive in targets
        assert len(targets) == 2
    assert claim.sentence.endswith(".")
    assert claim.smallest_effect > 0
    assert claim.treatment.name != claim.control.name
    names = [arm.name for arm in (claim.treatment, claim.control, *claim.others)]
    assert len(set(names)) == len(names)
    for arm in (claim.treatment, claim.control, *claim.others):
        assert arm.says


class Likely(Scripted):
    """Right with the arm's probability on every sample: it is told which arm and sample it answers."""

    def __init__(self, claim: Claim, right: dict[str, float], seed: int) -> None:
        super().__init__(lambda request, index: "", scores=lambda request: [0.0], name=f"{claim.id} {right}")
        self.claim, self.right = (
            claim,
            {claim.treatment.name: right["treatment"], claim.control.name: right["control"]},
        )
        level = claim.task.levels[0]
        self.samples = {sample.id: sample for sample in claim.task.samples(200, seed, level)}
        # Boards are a choice out of all: which ones are chosen depends on how many are asked for.
        for n in (10, 12, 60, 80):
            self.samples |= {sample.id: sample for sample in claim.task.samples(n, seed, level)}

    def for_sample(self, arm: str, item: str) -> Scripted:
        sample, truth = self.samples[item], random.Random(f"{arm}/{item}").random() < self.right[arm]
        others = [choice for choice in sample.choices if choice != sample.target]
        wrong = others[0] if others else str(random.Random(item).randrange(10**7, 10**8))

        def script(request: Ask, index: int) -> Reply:
            if self.claim.measure is Measure.GRADED:
                tokens = 120 if truth else 20
                return Reply("word " * tokens, tokens_in=9, tokens_out=tokens)
            said = sample.target if truth else wrong
            body = f"\n    return {said}" if "def solution" in request.prefill else f" The answer is {said}."
            return Reply(body, tokens_in=9, tokens_out=5)

        def scores(request: Score) -> list[float]:
            good = sample.meta[f"{self.claim.unit.split()[0]}_moves"]
            cells = [cell for cell in sample.choices if (cell in good) is truth] or list(good)
            return [float(cell == cells[0]) for cell in sample.choices]

        # Each voice has a name of its own, and so a fingerprint: replies are never shared between arms.
        return Scripted(script, scores=scores, name=f"{self.name} {arm} {item}")


def planted_curve(claim: Claim, level: float, noise: float) -> Answer:
    """Three doses; what the task makes of the curve is the level, in units of ten smallest effects."""
    assert isinstance(claim.task, SeedsTask | RiddleTask)
    height = 10 * claim.smallest_effect * (level + 0.005 * noise)
    steep = claim.task.summary == "slope"
    return Answer(value=curve_text([(dose, height * (dose if steep else 1)) for dose in (0, 1, 2)]))


def planted(claim: Claim, right: dict[str, float]) -> Claim:
    """The claim with arms that measure what is planted: its evidence, task and thresholds stay its own.

    `right` is how well an arm does: of a detector how far apart it holds the classes, of a rate whether it
    lies where the claim says, else the mean score.
    """

    def arm(real: Arm, level: float) -> Arm:
        def flow(sample: Sample, task: Task) -> Flow[Answer]:
            yield from ()
            noise = random.Random(f"{real.name}/{sample.id}").gauss(0, 1)
            if claim.evidence is EvidenceKind.DETECTOR:
                score = noise + 6 * (level - 0.2) * (sample.target == claim.positive)
            elif claim.evidence is EvidenceKind.RATE:
                assert claim.expected is not None
                if claim.measure is Measure.GRADED:
                    score = sum(claim.expected) / 2 if level > 0.5 else claim.expected[0] / 2
                else:
                    score = float((level > 0.5) == (claim.expected[1] >= 1))
            elif claim.evidence is EvidenceKind.TREND:
                return planted_curve(claim, level, noise)
            elif claim.measure is Measure.BINARY:
                score = float(random.Random(f"{real.name}/{sample.id}").random() < level)
            else:
                score = min(1.0, max(0.0, level + 0.005 * noise))
            if isinstance(claim.task, SeedsTask):
                return Answer(value=curve_text([(0, score)]))
            if isinstance(claim.task, RetrievalTask):
                found = random.Random(f"{real.name}/{sample.id}").random() < score
                return Answer(value=ranking_text(tuple((one, 1.0) for one in sample.meta["relevant"] if found)))
            answered = sample.target and claim.task.kind != "score"
            if answered and claim.evidence is EvidenceKind.PAIRED and claim.measure is Measure.BINARY:
                wrong = next((choice for choice in sample.choices if choice != sample.target), "0")
                return Answer(value=sample.target if score else wrong)
            measure = getattr(claim.task, "scored", "accuracy" if sample.choices else "score")
            return Answer(measures={measure: score, "score": score})

        return Arm(real.name, flow, real.says)

    treatment, control = arm(claim.treatment, right["treatment"]), arm(claim.control, right["control"])
    # What is planted is not asked of the model: it need not be able to.
    needs = claim.needs & {Capability.GENERATE}
    return dataclasses.replace(claim, treatment=treatment, control=control, needs=needs, others=(), at_chance=())


def subject(claim: Claim, right: dict[str, float], seed: int = 0) -> tuple[Claim, Scripted]:
    """The claim and a model on which its arms do as well as `right` says."""
    if measures(claim):
        reads = Scripted(lambda request, index: "", scores=lambda request: [0.0], reads=lambda r: Reading((1,)))
        return planted(claim, right), reads
    # What a script says is held to no grammar.
    needs = claim.needs - {Capability.GRAMMAR, Capability.LOGPROBS}
    return dataclasses.replace(claim, needs=needs), Likely(claim, right, seed)


def run(
    paper: Paper,
    claim: Claim,
    model: Scripted,
    tmp_path: Path,
    n: int,
    seed: int = 0,
    rule: RuleName | None = None,
) -> Verdict:
    async def work() -> Verdict:
        store = Store(tmp_path / f"{claim.id}-{seed}.sqlite")
        driver = Driver(cache=store)
        level = claim.task.levels[0]
        plan = Plan(paper, claim, n=n, seed=seed, level=level, controls=FREE_CONTROLS, rule=rule)
        try:
            return await run_claim(
                plan, model, f"{claim.id}-aaaaa", store, driver, Stamp("", "0", "", {}), lambda event: None
            )
        finally:
            await driver.close()
            store.close()

    return asyncio.run(work())


def true_and_false(claim: Claim) -> tuple[dict[str, float], dict[str, float]]:
    """How well the arms do where the claim is true, and where it is not."""
    same = {"treatment": 0.5, "control": 0.5}
    if claim.evidence is EvidenceKind.RATE:
        return {"treatment": 1.0, "control": 0.0}, {"treatment": 0.0, "control": 1.0}
    if claim.direction == 0:
        return same, {"treatment": 0.9, "control": 0.5}
    high, low = ("treatment", "control") if claim.direction > 0 else ("control", "treatment")
    # Of two detectors that are alike one is better by chance, in one case of forty: here it is the wrong one.
    return {high: 0.95, low: 0.2}, {high: 0.45, low: 0.55} if claim.positive else same


@pytest.mark.parametrize("name", CLAIMS)
def test_a_planted_effect_is_found(name: str, tmp_path: Path) -> None:
    paper, claim = CLAIMS[name]
    tried, model = subject(claim, true_and_false(claim)[0])
    verdict = run(paper, tried, model, tmp_path, n=80)
    assert verdict.verdict is Word.HOLDS, verdict.reason
    swap = verdict.controls.get("arm_swap")
    one_sided = claim.direction != 0 and claim.evidence is not EvidenceKind.RATE
    assert (swap is not None) == one_sided
    assert swap is None or swap.details["verdict"] != "holds"


@pytest.mark.parametrize("name", CLAIMS)
def test_no_effect_is_not_found(name: str, tmp_path: Path) -> None:
    """Of three seeds one may find what is not there, for the intervals are of 95 %: of 200 claims a few will."""
    paper, claim = CLAIMS[name]
    words = []
    for seed in range(3):
        tried, model = subject(claim, true_and_false(claim)[1], seed)
        words.append(run(paper, tried, model, tmp_path, 60, seed).verdict)
    assert words.count(Word.HOLDS) <= 1, words


@pytest.mark.parametrize("name", CLAIMS)
def test_both_arms_see_the_same_samples_and_usage_adds_up(name: str, tmp_path: Path) -> None:
    paper, claim = CLAIMS[name]
    tried, model = subject(claim, {"treatment": 0.6, "control": 0.5})
    verdict = run(paper, tried, model, tmp_path, n=12, rule="fixed")
    assert verdict.arms["treatment"].n == verdict.arms["control"].n == 12
    store = Store(tmp_path / f"{claim.id}-0.sqlite")
    recorded = store.recorded(f"{claim.id}-aaaaa")
    store.close()
    items = {arm: {item for a, item, _ in recorded if a == arm} for arm in {a for a, _, _ in recorded}}
    assert items[claim.treatment.name] == items[claim.control.name]
    used = verdict.arms["treatment"], verdict.arms["control"]
    assert sum(arm.tokens_out for arm in used) == sum(r.usage.tokens_out for r in recorded.values())


@pytest.mark.parametrize("name", CLAIMS)
def test_the_same_seed_gives_the_same_record(name: str, tmp_path: Path) -> None:
    paper, claim = CLAIMS[name]
    records = []
    for place in ("one", "two"):
        folder = tmp_path / place
        folder.mkdir()
        tried, model = subject(claim, {"treatment": 0.6, "control": 0.5})
        run(paper, tried, model, folder, n=10, rule="fixed")
        store = Store(folder / f"{claim.id}-0.sqlite")
        found = store.recorded(f"{claim.id}-aaaaa")
        store.close()
        records.append({key: (value.outcome, value.trace) for key, value in found.items()})
    assert records[0].keys() == records[1].keys()
    if not claim.sandbox:  # an execution's trace holds its seconds
        assert records[0] == records[1]
    assert {k: v[0] for k, v in records[0].items()} == {k: v[0] for k, v in records[1].items()}


@pytest.mark.parametrize("name", all_techniques())
def test_a_technique_says_where_it_comes_from(name: str) -> None:
    module = inspect.getmodule(all_techniques()[name])
    head = inspect.getdoc(module) or ""
    for word in ("Source", "Here", "Departs", "Needs", "Costs"):
        assert word in head, f"{name}: the head of its file has no {word}"
    assert inspect.getdoc(all_techniques()[name])


@pytest.mark.parametrize("name", task_names())
def test_a_task_keeps_its_promises(name: str) -> None:
    task = task_named(name)
    for level in task.levels:
        samples = task.samples(30, 3, level)
        assert samples == task.samples(30, 3, level)
        assert len({sample.id for sample in samples}) == len(samples) > 0
        assert task.extract("") is None or task.kind == "text"


@pytest.mark.parametrize("look", [claim_named, paper_named, task_named])
def test_unknown_names_get_suggestions(look: Any) -> None:
    with pytest.raises(UnknownName) as caught:
        look("tictactoo" if look is not task_named else "arithmetics")
    assert caught.value.suggestions
