"""When the arms cannot carry a finding, and what stands on a verdict beside it."""

from __future__ import annotations

import asyncio
import dataclasses
import math
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from assay.core import (
    Answer,
    Arm,
    Ask,
    Capability,
    Ending,
    EndpointDown,
    Finish,
    Flow,
    Outcome,
    Reply,
    Sample,
    Score,
    Task,
    Usage,
    UserError,
    ask,
)
from assay.core.verdict import ControlResult, Verdict, Word
from assay.lab import dispatch
from assay.lab.arms import ArmRecord, pairs_of
from assay.lab.assemble import arm_result, assemble, at_floor, chance_of, no_room, power_of
from assay.lab.controls import cluster_control
from assay.lab.driver import Driver
from assay.lab.evidence import PairedEvidence, Question
from assay.lab.experiment import Experiment, Result
from assay.lab.plan import Plan
from assay.lab.store import Recorded, Store
from assay.models import Scripted
from assay.models.llamacpp import ServerVocabulary
from assay.models.openai import OpenAI
from assay.models.probing import Probed
from assay.models.rendering import Renderer
from assay.models.transport import Transport
from assay.papers.tip_length import PAPER as TIP
from assay.tasks import FactsTask
from assay.techniques.prompting import direct
from tests.models.endpoint import Answer as Wire
from tests.models.endpoint import Endpoint, reply

from . import planted
from .test_experiment import run

UNREAD = Outcome(Ending.UNPARSED)
CUT = Outcome(Ending.TRUNCATED)
LOST = Outcome(Ending.ERRORED)


def right(answer: str = "7") -> Outcome:
    return Outcome.scored(1.0, answer)


def wrong(answer: str = "8") -> Outcome:
    return Outcome.scored(0.0, answer)


def arm(name: str, outcomes: list[Outcome], repeats: int = 1) -> ArmRecord:
    """An arm with these outcomes for items 0, 1, 2 ...; every repeat ends like the first."""
    record = ArmRecord(name, "")
    for index, outcome in enumerate(outcomes):
        for repeat in range(repeats):
            usage = Usage(calls=1, tokens_in=10, tokens_out=2, seconds=0.5, cpu_seconds=0.25)
            record.samples[str(index), repeat] = Recorded(name, str(index), repeat, outcome, usage, "")
    return record


def gathered(treatment: list[Outcome], control: list[Outcome], **settings: Any) -> Result:
    """A finished run of the planted claim with these outcomes; targets are all different."""
    paper = settings.pop("paper", planted.paper(n=len(treatment)))
    claim = dataclasses.replace(paper.claims[0], **settings.pop("claim", {}))
    plan = Plan(paper, claim, task=settings.pop("task", planted.Sums()), controls=())
    samples = tuple(Sample(str(index), "q", str(index)) for index in range(len(treatment)))
    one, other = arm("treatment", treatment), arm("control", control)
    items = [sample.id for sample in samples]
    evidence = PairedEvidence(Question(claim.smallest_effect, claim.direction), "fixed", len(items))
    for pair in pairs_of(items, one, other):
        evidence.add(pair)
    model = Scripted(lambda request, index: "")
    finding = settings.pop("finding", evidence.finding(complete=True))
    return Result(plan, model, "run", "only", samples, one, other, finding, tuple(items), **settings)


def judged(result: Result, controls: dict[str, ControlResult] | None = None) -> Verdict:
    return assemble(result, controls or {}, command="assay run", version="0", commit="abc")


# --- the floor


def test_two_arms_at_a_known_chance_are_the_floor_and_no_failure() -> None:
    """Coin flips: 26 and 24 of 50 where guessing gives 25."""
    task = planted.Sums(chance=0.5)
    control = [right()] * 24 + [wrong()] * 26
    result = gathered([right()] * 26 + [wrong()] * 24, control, task=task)
    verdict = judged(result)
    assert (verdict.verdict, verdict.reason.split(":")[0]) == (Word.UNDECIDED, "floor")
    assert "50.0%" in " ".join([verdict.reason, *verdict.notes])


def test_the_floor_overrules_even_a_finding() -> None:
    """15 against 30 of 60: a clear difference, of which the better half is guessing."""
    result = gathered(
        [right()] * 15 + [wrong()] * 45, [right()] * 30 + [wrong()] * 30, task=planted.Sums(chance=0.5)
    )
    assert result.finding.word is Word.FAILS
    assert judged(result).reason.startswith("floor")


def test_one_arm_above_chance_is_enough() -> None:
    result = gathered(
        [right()] * 50 + [wrong()] * 10, [right()] * 30 + [wrong()] * 30, task=planted.Sums(chance=0.5)
    )
    assert judged(result).verdict is Word.HOLDS


def test_within_noise_is_what_a_guesser_reaches_in_one_case_of_twenty() -> None:
    """Of ten coin flips, eight or more heads come up in 56 of 1024 cases, nine or more in 11."""
    items = [str(index) for index in range(10)]
    assert at_floor(arm("a", [right()] * 8 + [wrong()] * 2), items, 0.5)
    assert not at_floor(arm("a", [right()] * 9 + [wrong()]), items, 0.5)


def test_an_arm_without_scores_is_at_the_floor() -> None:
    assert at_floor(arm("a", [UNREAD] * 5), [str(index) for index in range(5)], 0.1)


def test_unknown_chance_is_measured_on_other_samples_targets() -> None:
    """Everybody answers 3, and one target of twenty is 3: by shifting, one hit in 20."""
    result = gathered([wrong("3")] * 20, [wrong("3")] * 20)
    # 19 shifts of 20 answers, each answer once against every other sample: 19 hits of 380, and one more.
    assert chance_of(result) == pytest.approx((19 + 1) / (380 + 1))


def test_a_guess_that_never_hit_is_said_to_be_a_bound() -> None:
    """Twenty different wrong answers: 19 shifts of 20, and no hit."""
    outcomes = [wrong(f"a{index}") for index in range(20)]
    verdict = judged(gathered(outcomes, outcomes))
    assert (verdict.verdict, verdict.reason) == (Word.UNDECIDED, "floor")
    assert "Of 380 tries" in verdict.notes[0]
    assert "0.3% at most" in verdict.notes[0]


def test_one_answer_tells_nothing_of_what_a_guess_scores() -> None:
    """It was taken for a chance of one: the only answer, a right one, was called a guess."""
    one_right = [right("0"), *[UNREAD] * 19]
    result = gathered(one_right, [wrong("1"), *[UNREAD] * 19])
    assert chance_of(result) == 0.0
    assert judged(result).reason == "unparsed"
    never = judged(gathered([wrong("1"), *[UNREAD] * 19], [wrong("1"), *[UNREAD] * 19]))
    assert (never.reason, never.notes[0]) == ("floor", "There are too few answers to tell what a guess scores.")


def test_a_constant_answer_that_is_often_right_is_the_floor() -> None:
    """Half the targets are 1: an arm that always says 1 is right in half of the cases, and knows nothing."""
    outcomes = [right("1") if index % 2 else wrong("1") for index in range(40)]
    result = gathered(outcomes, outcomes)
    samples = tuple(Sample(str(index), "q", "1" if index % 2 else "0") for index in range(40))
    assert judged(dataclasses.replace(result, samples=samples)).reason.startswith("floor")


# --- the ceiling


@pytest.mark.parametrize(
    ("rate", "direction", "room"), [(39, 1, False), (36, 1, True), (1, -1, False), (4, -1, True)]
)
def test_room_is_what_is_left_above_or_below_the_control(rate: int, direction: int, room: bool) -> None:
    """Of 40, the smallest effect of 0.05 is two samples."""
    result = gathered([right()] * 40, [right()] * rate + [wrong()] * (40 - rate), claim={"direction": direction})
    assert no_room(result) == (not room)


def test_the_ceiling_explains_an_undecided_verdict_and_overrules_none() -> None:
    undecided = judged(gathered([right()] * 20, [right()] * 20))
    assert (undecided.verdict, undecided.reason.split(":")[0]) == (Word.UNDECIDED, "ceiling")
    many = judged(gathered([right()] * 400, [right()] * 400))
    assert (many.verdict, many.reason.split(":")[0]) == (Word.UNDECIDED, "ceiling")
    failed = judged(gathered([right()] * 10 + [wrong()] * 30, [right()] * 40))
    assert (failed.verdict, failed.reason) == (Word.FAILS, "the effect goes the other way")


# --- samples that belong together


def in_clusters(result: Result, clusters: list[str]) -> Result:
    named = zip(result.samples, clusters, strict=True)
    samples = tuple(dataclasses.replace(sample, cluster=cluster) for sample, cluster in named)
    return dataclasses.replace(result, samples=samples)


FIFTEEN_WON = [right()] * 30 + [wrong()] * 30, [wrong()] * 15 + [right()] * 15 + [wrong()] * 30


def test_pairs_that_all_come_from_one_place_decide_nothing() -> None:
    """All fifteen that the treatment wins are of one cluster; the other 45 pairs stand alone, without a name.

    By hand: mean 1/4, residuals of the 46 sums 15 - 15/4 and 45 times -1/4, Student's t with 45 degrees.
    """
    alone = gathered(*FIFTEEN_WON)
    assert judged(alone).verdict is Word.HOLDS
    assert cluster_control(alone) is None
    result = in_clusters(alone, ["a"] * 15 + [""] * 45)
    verdict = judged(result)
    assert (verdict.verdict, verdict.reason) == (Word.UNDECIDED, "clustered")
    assert "Pair by pair: holds; as 46 clusters" in verdict.notes[-1]
    half = 2.014103 * math.sqrt(46 / 45 * (11.25**2 + 45 * 0.25**2)) / 60
    found = cluster_control(result)
    assert found is not None
    assert found.interval == pytest.approx((0.25 - half, 0.25 + half), abs=1e-6)
    assert "60 pairs of 46 clusters" in found.says


def test_pairs_that_come_from_many_places_decide_what_they_did() -> None:
    """Thirty clusters of a won or lost pair and another one each: hardly less is known than of sixty."""
    alone = gathered(*FIFTEEN_WON)
    result = in_clusters(alone, [str(index % 30) for index in range(60)])
    assert (judged(result).verdict, judged(result).reason) == (Word.HOLDS, judged(alone).reason)


def test_few_clusters_are_said_and_a_single_one_decides_nothing() -> None:
    alone = gathered(*FIFTEEN_WON)
    few = cluster_control(in_clusters(alone, [str(index % 4) for index in range(60)]))
    assert few is not None
    assert "fewer than 20" in few.says
    one = in_clusters(alone, ["a"] * 60)
    assert (judged(one).verdict, judged(one).reason) == (Word.UNDECIDED, "clustered")


def test_pairs_that_are_all_alike_leave_a_verdict_as_it_is() -> None:
    """No pair differs: that says nothing of how much clusters do."""
    same = [right()] * 200 + [wrong()] * 200
    result = gathered(same, same)
    clustered = in_clusters(result, [str(index % 100) for index in range(400)])
    assert judged(result).verdict is judged(clustered).verdict is Word.FAILS


# --- replies that cannot be read, faults


def test_below_half_of_the_pairs_nothing_is_decided() -> None:
    verdict = judged(gathered([right()] * 40, [wrong()] * 19 + [UNREAD] * 21))
    assert (verdict.verdict, verdict.reason.split(":")[0]) == (Word.UNDECIDED, "unparsed")


def test_a_verdict_that_turns_on_unread_replies_is_none() -> None:
    """Where the treatment answers it is better; on a third of the items it does not answer."""
    treatment = [right()] * 30 + [wrong()] * 10 + [UNREAD] * 20
    control = [right()] * 15 + [wrong()] * 25 + [right()] * 20
    result = gathered(treatment, control)
    assert result.finding.word is Word.HOLDS
    assert (judged(result).verdict, judged(result).reason.split(":")[0]) == (Word.UNDECIDED, "unparsed")


def test_a_verdict_that_survives_unread_replies_stands() -> None:
    result = gathered([right()] * 50 + [UNREAD] * 10, [wrong()] * 50 + [UNREAD] * 10)
    assert judged(result).verdict is Word.HOLDS


def test_faults_of_transport_are_no_wrong_answers() -> None:
    verdict = judged(gathered([right()] * 30 + [LOST] * 20, [wrong()] * 50))
    assert (verdict.verdict, verdict.n) == (Word.HOLDS, 30)


def test_more_faults_than_answers_decide_nothing() -> None:
    verdict = judged(gathered([right()] * 20 + [LOST] * 21, [wrong()] * 41))
    assert (verdict.verdict, verdict.reason.split(":")[0]) == (Word.UNDECIDED, "errored")


def test_a_run_that_used_nothing_was_too_poor() -> None:
    result = dataclasses.replace(gathered([right()], [wrong()]), used=())
    assert (judged(result).verdict, judged(result).reason) == (Word.UNDECIDED, "budget")


# --- what stands beside it


def test_an_arm_is_counted_over_the_items_of_the_verdict_alone() -> None:
    found = arm_result(arm("a", [right(), wrong(), UNREAD, CUT, right()]), ["0", "1", "2", "3"], binary=True)
    assert found.endings == {"scored": 2, "unparsed": 1, "truncated": 1, "refused": 0, "errored": 0}
    assert (found.n, found.mean, found.calls) == (4, 0.5, 4)
    assert (found.tokens_in, found.tokens_out) == (40, 8)
    assert (found.wall_seconds, found.cpu_seconds) == (2.0, 1.0)


def test_the_cost_ratio_is_of_all_tokens() -> None:
    result = gathered([right()] * 4, [wrong()] * 4)
    for key, recorded in result.treatment.samples.items():
        result.treatment.samples[key] = dataclasses.replace(recorded, usage=Usage(1, 30, 6))
    assert judged(result).cost_ratio == 3.0


def test_power_is_what_the_rule_leaves_of_the_pairs() -> None:
    """Connor 1987: at a discordance of 25 %, 0.1 takes 195 pairs; 1.6 times as many when one may always look."""
    assert power_of(195, "fixed", binary=True)["detectable_effect"] == pytest.approx(0.1, abs=1e-3)
    assert power_of(312, "anytime", binary=True)["detectable_effect"] == pytest.approx(0.1, abs=1e-3)
    effects = [power_of(100, rule, binary=True)["detectable_effect"] for rule in ("fixed", "obf5", "anytime")]
    assert effects == sorted(effects)  # type: ignore[type-var]


def test_too_few_pairs_can_detect_nothing() -> None:
    assert power_of(1, "fixed", binary=True)["detectable_effect"] is None
    assert power_of(4, "anytime", binary=True)["detectable_effect"] is None
    assert power_of(2, "anytime", binary=False)["detectable_effect"] is None


def control(effect: float, low: float, high: float) -> ControlResult:
    return ControlResult("placebo", effect, (low, high), 50, "")


@pytest.mark.parametrize("name", ["placebo", "equal_spend"])
def test_a_control_that_does_about_as_well_is_noted(name: str) -> None:
    result = gathered([right()] * 50, [wrong()] * 50)
    assert not judged(result, {name: control(0.4, 0.2, 0.6)}).notes
    assert len(judged(result, {name: control(0.1, -0.1, 0.3)}).notes) == 1


def test_a_control_that_differs_from_itself_is_noted() -> None:
    result = gathered([right()] * 50, [wrong()] * 50)
    assert not judged(result, {"aa": control(0.0, -0.1, 0.1)}).notes
    assert "differs from itself" in judged(result, {"aa": control(0.2, 0.1, 0.3)}).notes[0]


# --- verdicts that would be too good


def test_a_few_unread_replies_cannot_make_a_verdict_either() -> None:
    """9 % of the treatment's replies are unreadable, all where the control is right: delivered, it is worse."""
    treatment = ([UNREAD] * 9 + [right()] * 49 + [wrong()] * 42) * 4
    control = ([right()] * 9 + [right()] * 41 + [wrong()] * 50) * 4
    verdict = judged(gathered(treatment, control))
    assert verdict.arms["treatment"].endings["unparsed"] == 36
    assert verdict.verdict is not Word.HOLDS


def test_faults_that_meet_one_arm_alone_cannot_make_a_verdict() -> None:
    """Long prompts do not fit, or time out: the treatment is judged on the 60 % it could do."""
    treatment = [right()] * 40 + [wrong()] * 20 + [LOST] * 40
    control = [right()] * 15 + [wrong()] * 45 + [right()] * 40
    verdict = judged(gathered(treatment, control))
    assert verdict.verdict is not Word.HOLDS or verdict.notes


def test_repeating_the_same_answers_does_not_lift_an_arm_off_the_floor() -> None:
    """18 of 30 coin flips are guessing; so are they when every one is told five times."""
    outcomes = [right()] * 18 + [wrong()] * 12
    items = [str(index) for index in range(30)]
    assert at_floor(arm("a", outcomes), items, 0.5)
    assert at_floor(arm("a", outcomes, repeats=5), items, 0.5)


def test_notes_of_a_claim_of_less_look_at_the_other_end() -> None:
    result = gathered([wrong()] * 50, [right()] * 50, claim={"direction": -1})
    assert result.finding.word is Word.HOLDS
    assert not judged(result, {"placebo": control(-0.4, -0.6, -0.2)}).notes


def test_what_a_placebo_costs_is_what_the_placebo_cost(tmp_path: Path) -> None:
    claim_paper = planted.paper(n=60, steps=2)
    model = planted.model({"treatment": 0.8, "control": 0.3})
    verdict = run(tmp_path, model, paper=claim_paper, controls=("placebo", "equal-spend"))
    for name in ("placebo", "equal_spend"):
        spent = verdict.arms[name.replace("_", "-")]
        assert verdict.controls[name].tokens == spent.tokens_in + spent.tokens_out


def test_faults_in_the_pilot_say_nothing_about_a_level(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where it answers, the control is right half of the time at the first level; half of the requests fail."""
    monkeypatch.setattr(dispatch, "FIRST_WAIT", 0.0001)
    task = planted.Sums(levels=("easy", "hard"))
    pilot = {s.question: (level, i) for level in task.levels for i, s in enumerate(task.samples(40, 7_919, level))}

    def script(request: Ask, index: int) -> str:
        level, i = pilot.get(str(request.prompt), ("", 0))
        if level == "easy" and i % 2:
            raise EndpointDown("gone")
        rate = 2 if level == "easy" else 4  # right at 1/2 of those that answer; at 1/4
        truth = str(request.prompt).split()[2]
        return f" {truth}" if (i // 2) % rate == 0 else " -1"

    paper = planted.paper(n=4, levels=("easy", "hard"), pilot=40)
    verdict = run(tmp_path, Scripted(script), paper=paper, rule="fixed")
    assert "easy: 0.50" in verdict.notes[0]


# --- budgets


class Long(Scripted):
    """Wants to write so many tokens, the same in both arms, and writes as many of them as it may."""

    def __init__(self, wants: Callable[[Ask], int], slots: int = 8) -> None:
        def script(request: Ask, index: int) -> Reply:
            written = min(wants(request), request.max_tokens)
            finish = Finish.LENGTH if written == request.max_tokens else Finish.STOP
            return Reply("word " * written, finish, 2, written)

        super().__init__(script, slots=slots, seconds=0.001)


def test_a_reply_that_the_budget_cut_is_not_scored(tmp_path: Path) -> None:
    """From the 21st prompt on all replies are long, whatever stands behind the prompt: no pair can differ."""
    short = tuple(sample.question for sample in TIP.claims[0].task.samples(20, 0))

    def wants(request: Ask) -> int:
        return 10 if str(request.prompt).startswith(short) else 250

    for budget in range(650, 800, 20):
        name = f"planted-{budget}"
        verdict = run(tmp_path, Long(wants, slots=1), name, paper=TIP, budget_tokens=budget, n=80, controls=())
        assert verdict.n > 0
        assert verdict.effect == pytest.approx(0, abs=1e-12)


def test_a_budget_is_not_overspent_many_times(tmp_path: Path) -> None:
    def eight(sample: Sample, task: Task) -> Flow[Answer]:
        replies = yield from ask(Ask(sample.question, n=8, temperature=1.0, max_tokens=128))
        return Answer(replies[0].text)

    claim = dataclasses.replace(
        planted.paper(n=50).claims[0], treatment=Arm("vote", eight), control=Arm("again", eight)
    )
    paper = dataclasses.replace(planted.paper(), claims=(claim,))
    model = Long(lambda request: 128)
    run(tmp_path, model, paper=paper, budget_tokens=2400)
    assert model.meter.prompt_tokens + model.meter.generated_tokens <= 1.5 * 2400


def test_a_decided_run_leaves_its_budget_to_its_controls(tmp_path: Path) -> None:
    """With 16 slots 34 samples are under way when nine pairs have decided; none is when the controls begin."""

    async def work() -> int:
        paper, store = planted.paper(), Store(tmp_path / "a.sqlite")
        model = planted.model({"treatment": 1.0, "control": 0.0}, seconds=0.001, slots=16)
        driver = Driver()
        try:
            await store.begin("run", "now", "planted", {})
            plan = Plan(paper, paper.claims[0])
            experiment = Experiment(plan, model, "run", store, driver, lambda event: None)
            result = await experiment.main()
            await experiment.run_arm(planted.arm("control"), result.samples[:1])
            return experiment._in_flight
        finally:
            await driver.close()
            store.close()

    assert asyncio.run(work()) == 0


# --- endpoints


def test_a_control_the_endpoint_cannot_do_does_not_cost_the_verdict(tmp_path: Path) -> None:
    """vLLM has `echo` with log-probabilities: raw text can be scored by it, a chat cannot."""
    facts = dataclasses.replace(
        planted.paper(n=20).claims[0],
        treatment=Arm("one", lambda s, t: direct(s.question, t.cue)),
        control=Arm("other", lambda s, t: direct(f"Well: {s.question}", t.cue)),
        task=FactsTask(),
    )
    paper = dataclasses.replace(planted.paper(), claims=(facts,))

    def say(body: Wire) -> Wire:
        return reply([" yes"])

    probed = Probed(
        frozenset({Capability.GENERATE, Capability.PREFILL, Capability.PROMPT_LOGPROBS}),
        "max_tokens",
        True,
        "fake",
    )
    with Endpoint(say) as endpoint:
        model = OpenAI("fake", [Transport(endpoint.address)], probed, slots=4)
        assert run(tmp_path, model, paper=paper, controls=("forced-choice",)).n == 20


def test_an_endpoint_that_counts_no_tokens_has_no_lengths_to_score(tmp_path: Path) -> None:
    """Thirty words without a tip and ninety with one are no effect at all where both count as 0."""

    def say(body: Wire) -> Wire:
        answer = reply([" word" * (90 if "$200" in str(body["messages"]) else 30)])
        del answer["usage"]
        return answer

    probed = Probed(frozenset({Capability.GENERATE, Capability.PREFILL}), "max_tokens", True, "fake")
    with Endpoint(say) as endpoint:
        model = OpenAI("fake", [Transport(endpoint.address)], probed, slots=8)
        verdict = run(tmp_path, model, paper=TIP, n=20, controls=())
    assert verdict.effect != 0


def test_another_way_of_asking_is_another_model_to_the_cache() -> None:
    """A probe that timed out once: replies to 'begin your answer with' would be served for a true prefill."""
    found = [
        OpenAI("m", [Transport("http://x/v1")], Probed(frozenset(abilities), "max_tokens", True, "m"), slots=1)
        for abilities in ({Capability.GENERATE}, {Capability.GENERATE, Capability.PREFILL})
    ]
    assert found[0].fingerprint.hash != found[1].fingerprint.hash


@pytest.mark.parametrize("key", ["sk-very\nsecret", "sk-very secret", "sk-very-s\u00e9cret"])
def test_a_key_no_header_can_carry_is_refused_and_not_printed(key: str) -> None:
    with pytest.raises(UserError) as caught:
        Transport("http://127.0.0.1:9/v1", key=key)
    assert "very" not in str(caught.value)


def test_a_key_with_a_curly_quote_is_refused_in_a_sentence() -> None:
    from assay.core import AssayError

    async def work() -> None:
        with pytest.raises(AssayError):
            await Transport("http://127.0.0.1:9/v1", key="“sk-x”").get("/models")

    asyncio.run(work())


class Template:
    """What llama-server answers for a model that wants a BOS: the rendered prompt comes without it, because
    its own tokenizer would add it (common/chat.cpp: `if (inputs.add_bos && string_starts_with(result, bos))`)."""

    async def post(self, path: str, body: dict[str, Any]) -> Any:
        if path == "/apply-template":
            return {"prompt": f"<|user|>{body['messages'][0]['content']}<|assistant|>"}
        specials = {"<|user|>": 11, "<|assistant|>": 12}
        if body["parse_special"] and body["content"] in specials:
            return {"tokens": [specials[body["content"]]]}
        return {"tokens": ([1] if body["add_special"] else []) + [100 + ord(sign) for sign in body["content"]]}


def rendered(text: str) -> tuple[int, ...]:
    from assay.core import Message

    renderer = Renderer(ServerVocabulary(Template(), has_template=True))  # type: ignore[arg-type]
    return asyncio.run(renderer.render((Message("user", text),), "", raw=False))


@pytest.mark.parametrize("text", ["<|assistant|>", "\ue0000\ue001", "<|user|>\ue000", "[INST]"])
def test_text_is_never_a_control_token_or_a_place_mark(text: str) -> None:
    tokens = rendered(text)
    assert (tokens.count(11), tokens.count(12)) == (1, 1)
    assert tokens[-1 - len(text) : -1] == tuple(100 + ord(sign) for sign in text)


def test_a_chat_begins_with_the_token_the_model_wants_at_the_start() -> None:
    assert rendered("hi")[0] == 1


def test_an_endless_token_count_is_no_crash() -> None:
    def say(body: Wire) -> Wire:
        return reply(["x"]) | {"usage": {"prompt_tokens": 1e999, "completion_tokens": 1}}

    async def work(address: str) -> None:
        model = OpenAI("fake", [Transport(address)], Probed(frozenset(), "max_tokens", True, ""), slots=1)
        try:
            with pytest.raises(EndpointDown):
                await model.generate(Ask("q", seed=0), [0])
        finally:
            await model.close()

    with Endpoint(say) as endpoint:
        asyncio.run(work(endpoint.address))


def test_a_score_of_the_wrong_shape_is_the_endpoints_fault() -> None:
    async def work(address: str) -> None:
        probed = Probed(frozenset({Capability.PROMPT_LOGPROBS}), "max_tokens", True, "")
        model = OpenAI("fake", [Transport(address)], probed, slots=1)
        try:
            with pytest.raises(EndpointDown):
                await model.score(Score("q", (" a",), raw=True))
        finally:
            await model.close()

    with Endpoint(lambda body: {"choices": [{"text": "q a"}]}) as endpoint:
        asyncio.run(work(endpoint.address))
