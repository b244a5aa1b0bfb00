"""Who can meet: models, techniques in front of a model, and the two arms of a recorded run."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from functools import partial
from itertools import combinations

from assay.core import Answer, Ask, Budget, EvidenceKind, Flow, UserError, ask
from assay.core.verdict import Verdict
from assay.lab.driver import Job
from assay.lab.listing import RunLine
from assay.lab.store import Recorded, RunRow
from assay.papers import all_papers, claim_named
from assay.serve.names import Named, technique_called
from assay.studio.arena.sitting import Pair, Said, Start
from assay.studio.desk import Desk
from assay.workbench.techniques import bind, needs_of

MOST_TOKENS = 50_000.0
"""That one reply of a technique may cost."""


def contender(desk: Desk, name: str) -> Named:
    """What MODEL or TECHNIQUE/MODEL stands for, checked before anybody waits for it."""
    head, _, model = name.partition("/")
    technique, settings = technique_called(head)
    named = Named(model, technique, settings) if technique else Named(name)
    if technique:
        bind(technique, "?", settings).close()
    desk.choice(named.model)
    return named


def live_pairs(desk: Desk, names: Sequence[str], prompts: Sequence[str], longest: int, seed: int) -> list[Start]:
    """Every two contenders on every prompt; nothing is asked before a pair is wanted."""
    known = {name: contender(desk, name) for name in names}
    if len(known) < 2:
        raise UserError("One alone has nobody to meet.", hint="Choose two contenders or more.")

    async def start(prompt: str, names: tuple[str, str]) -> Pair:
        texts = await asyncio.gather(
            *(written(desk, known[name], prompt, longest, seed) for name in names), return_exceptions=True
        )
        for text in texts:
            if isinstance(text, BaseException):
                raise text
        one, two = (Said(name, str(text)) for name, text in zip(names, texts, strict=True))
        return prompt, one, two

    return [partial(start, prompt, pair) for prompt in prompts for pair in combinations(known, 2)]


async def written(desk: Desk, named: Named, prompt: str, longest: int, seed: int) -> str:
    """What a contender replies to the prompt."""
    needs = needs_of(named.technique) if named.technique else frozenset()
    model = await desk.pool.model(desk.choice(named.model).name, needs)

    def start() -> Flow[Answer]:
        return bind(named.technique, prompt, named.settings) if named.technique else _plain(prompt, longest)

    job = Job(None, start, model, seed=seed, budget=Budget(tokens=MOST_TOKENS))
    answer = (await desk.pool.driver.drive(job)).result()
    return shown([answer.text], answer.value)


def _plain(prompt: str, longest: int) -> Flow[Answer]:
    (reply,) = yield from ask(Ask(prompt, max_tokens=longest))
    return Answer(reply.text, finish=reply.finish)


def recorded_pairs(desk: Desk, row: RunRow) -> list[Start]:
    """What both arms of a run replied to each sample that both came to an end with."""
    first, second = arms_of(row)
    recorded = desk.store.recorded(row.id)
    items = [(item, repeat) for arm, item, repeat in recorded if arm == first]
    items = [(item, repeat) for item, repeat in items if (second, item, repeat) in recorded]
    if not items:
        raise UserError(f"No sample of {row.id} has ended in both arms.")
    questions = {sample.id: sample.question for sample in desk.samples(row)}
    model = (row.verdict or row.config).get("model", {}).get("name") or "model"

    async def start(item: str, repeat: int) -> Pair | None:
        texts = [_said(desk, recorded[arm, item, repeat]) for arm in (first, second)]
        if None in texts:
            return None
        one, two = (Said(f"{arm}/{model}", str(text)) for arm, text in zip((first, second), texts, strict=True))
        return questions.get(item, item), one, two

    return [partial(start, item, repeat) for item, repeat in items]


def recorded_runs(desk: Desk, most: int) -> list[RunLine]:
    """The newest runs whose arms answer samples: those of a trend or a detector leave numbers."""
    kinds = (EvidenceKind.PAIRED, EvidenceKind.RATE)
    claims = [claim.id for paper in all_papers() for claim in paper.claims if claim.evidence in kinds]
    return [line for line in desk.store.listing.lines(claims=claims, most=most) if line.samples]


def arms_of(row: RunRow) -> tuple[str, str]:
    """Names of the treatment and the control of a run."""
    if row.verdict:
        arms = Verdict.from_json(row.verdict).arms
        return arms["treatment"].name, arms["control"].name
    _, claim = claim_named(row.claim)
    return claim.treatment.name, claim.control.name


def _said(desk: Desk, one: Recorded) -> str | None:
    """The last replies of a trace with the answer; None where the model wrote nothing."""
    texts: list[str] = []
    for step in desk.store.trace(one.trace):
        asked = [pair for pair in step if pair["request"]["kind"] == "ask"]
        texts = [str(reply["text"]) for pair in asked for reply in pair["reply"]] or texts
    return shown(texts, one.outcome.answer) if texts else None


def shown(texts: Sequence[str], answer: str | None) -> str:
    """What a reader is to judge: a text that holds the answer, else the one text with the answer beneath it.

    Of several texts (a vote) none of which holds the answer it is the answer alone.
    """
    # What stands before the first line of a program is part of it.
    texts = [text.strip("\n").rstrip() for text in texts]
    if answer is None or not answer.strip():
        return texts[0]
    holding = [text for text in texts if answer in text]
    if holding:
        return holding[0]
    return f"{texts[0]}\n\nAnswer: {answer}" if len(texts) == 1 else f"Answer: {answer}"
