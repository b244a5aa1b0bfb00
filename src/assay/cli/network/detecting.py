"""`assay detect`: how unusual a text's score is among texts by people, and how many texts a detector needs."""

from __future__ import annotations

import json
import math
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import typer
from typer.core import TyperGroup

from assay.cli.network.inputs import FILE, number, read_table, whole_text
from assay.cli.network.work import JSON, OPEN_MODEL, checked, completer, patient, run_with
from assay.cli.printing import echo
from assay.cli.records import run_names

if TYPE_CHECKING:
    from assay.core import Answer, Flow, Model
    from assay.lab.driver import Driver
    from assay.stats import DocumentPlan
    from assay.tasks.text_origin import HumanText

DETECTORS = ("fast-detectgpt", "likelihood", "log-rank", "lrr", "entropy", "binoculars", "detectgpt")
WINDOW, KNOWN, MOST_WINDOWS = 120, 24, 40
"""Words judged at once; words of context that are taken into account; windows judged of a long text."""
MACHINE_LIKE, ABSTAINS = 1, 4
POSITIVE = ("machine", "ai", "generated", "positive", "1", "true", "yes")
CAVEAT = (
    "p says how rare such a score is among windows of this human collection, read by this model. "
    "It is no probability that a machine wrote the text."
)


class TextFirst(TyperGroup):
    """A group whose commands may be left out: what is none of them is a file for `text`."""

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        """The words with `text` before them, where they begin with no command."""
        if args and args[0] not in {*self.commands, "--help", "-h"}:
            args = ["text", *args]
        return super().parse_args(ctx, args)


detect = typer.Typer(
    cls=TextFirst,
    help="Judge whether a text is unlike human ones: assay detect FILE. Or plan how many texts it takes.",
    no_args_is_help=True,
)


@dataclass(frozen=True, slots=True)
class Window:
    """Some words of a text, and those before them where they are known."""

    text: str
    before: str = ""


@dataclass(frozen=True, slots=True)
class Judgement:
    """What was found; `p` is None where the detector abstains."""

    verdict: str
    score: float | None
    p: float | None
    resolution: float
    alpha: float
    windows: int
    words: int
    detector: str
    model: str
    collection: str
    calibrated_on: int
    reason: str = ""


@detect.command("text")
def text(
    file: Path = FILE,
    detector: str = typer.Option(
        "fast-detectgpt", "--detector", "-d", help=f"{', '.join(DETECTORS)}.", autocompletion=completer(DETECTORS)
    ),
    model: str = OPEN_MODEL,
    observer: str = typer.Option("", "--observer", help="Second network for binoculars: hf:OTHER."),
    prompt_file: Path | None = typer.Option(None, "--prompt-file", help="What stood before the text, if known."),
    human: Path | None = typer.Option(None, "--human", help="Your own human texts, a file or folder."),
    calibration: int = typer.Option(200, "--calibration", min=1, help="Human windows to compare with."),
    alpha: float = typer.Option(0.05, "--alpha", help="Machine-like is a p at or below it."),
    seed: int = typer.Option(0, "--seed", min=0, help="Chooses the human windows."),
    as_json: bool = JSON,
) -> None:
    """Score a text and say how rare such a score is among human windows of the same length.

    Longer texts are cut into windows of at most 120 words, each compared with human windows; p is then twice
    the mean of theirs, which holds however they go together. Human scores are kept: a second text is quick.

    Exit codes: 0 like the human texts, 1 machine-like, 4 under 25 tokens: no judgement (2 and 3 are errors).

    For instance: assay detect essay.txt --human my-own-essays/ --detector entropy
    """
    import dataclasses

    from assay.core import Capability
    from assay.workbench.wish import model_choice

    _check(detector, observer, alpha, human)
    words, before = whole_text(file).split(), whole_text(prompt_file).split() if prompt_file else []
    collection = collected(human)
    windows = windows_of(words, before)
    null = human_windows(collection, windows, calibration, seed, alpha) if windows else []
    answers: list[Answer] = []
    name = model
    if windows:

        async def work(network: Model, driver: Driver) -> list[Answer]:
            return await _scored(network, driver, (windows, null), detector)

        choice = dataclasses.replace(model_choice(model, None, 8, 120.0), observer=observer)
        answers, name = run_with(choice, frozenset({Capability.LOGITS}), work)
    about: dict[str, Any] = {"alpha": alpha, "words": len(words), "detector": detector}
    about |= {"model": name, "collection": collection.name}
    found = _judged(answers[: len(windows)], answers[len(windows) :], about)
    _print_judgement(found, as_json)
    raise typer.Exit({"human-like": 0, "machine-like": MACHINE_LIKE}.get(found.verdict, ABSTAINS))


def _check(detector: str, observer: str, alpha: float, human: Path | None) -> None:
    from assay.core import BadFile, UnknownName, UserError
    from assay.core.validation import require_number

    if detector not in DETECTORS:
        raise UnknownName("detector", detector, DETECTORS, hint=f"Detectors: {', '.join(DETECTORS)}.")
    if detector == "binoculars" and not observer:
        raise UserError("binoculars compares two models.", hint="Add a second one: --observer hf:OTHER")
    require_number("alpha", alpha, 1e-9, 0.999999)
    if human is not None and not human.exists():
        raise BadFile(human, "there is no such file or folder.")


def collected(human: Path | None) -> HumanText:
    """The user's human texts, or those that come with assay."""
    from assay.tasks.text_origin import human_text, packaged_text

    return human_text(human) if human else packaged_text()


def windows_of(words: Sequence[str], before: Sequence[str] = ()) -> list[Window]:
    """A text as windows of one length, at most 120 words; of a long one, some spread over the whole of it."""
    if not words:
        return []
    known = min(len(before), KNOWN)
    count = math.ceil(len(words) / (WINDOW - known))
    length = len(words) // count
    chosen = [round(i * (count - 1) / (MOST_WINDOWS - 1)) for i in range(MOST_WINDOWS)]
    found = []
    for at in chosen if count > MOST_WINDOWS else range(count):
        start = at * length
        context = [*before, *words[:start]][-known:] if known else []
        found.append(Window(" ".join(words[start : start + length]), " ".join(context)))
    return found


def human_windows(
    collection: HumanText, like: Sequence[Window], count: int, seed: int, alpha: float
) -> list[Window]:
    """Windows of human text as long as those judged, with as much before them: the first of each passage,
    and further ones only where there are too few passages. Too few windows for this alpha are an error."""
    from random import Random

    from assay.core import UserError

    length, known = len(like[0].text.split()), len(like[0].before.split())
    passages = [passage.split() for passage in collection.passages]
    Random(f"calibration/{seed}").shuffle(passages)
    found: list[Window] = []
    for turn in range(max(len(passage) for passage in passages) // (length + known)):
        for passage in passages:
            part = passage[turn * (length + known) :][: length + known]
            if len(part) == length + known and len(found) < count:
                found.append(Window(" ".join(part[known:]), " ".join(part[:known])))
    best = (2 if len(like) > 1 else 1) / (len(found) + 1)
    if best > alpha:
        hint = f"Give --alpha {best:.3g}, or more human windows."
        raise UserError(f"{len(found)} human windows cannot give a p below {best:.3g}.", hint=hint)
    return found


async def _scored(
    network: Model, driver: Driver, windows: tuple[Sequence[Window], Sequence[Window]], detector: str
) -> list[Answer]:
    """Answers on the judged windows and on the human ones behind them; none of those where nothing is judged."""
    from assay.cli.progress import progress
    from assay.lab.driver import Job
    from assay.lab.plan import Event
    from assay.techniques.logits.detection import SHORTEST

    judged, null = windows
    found: dict[int, Answer] = {}
    total = len(judged) + len(null)
    with progress("detect") as shown:
        report = patient(shown)
        for first, part, shortest in ((0, judged, SHORTEST), (len(judged), null, 1)):
            jobs = [
                Job(first + at, partial(_score, window, detector, shortest), network)
                for at, window in enumerate(part)
            ]
            async for done in driver.run(jobs, in_flight=64):
                if done.error is not None or done.value is None:
                    raise done.error or AssertionError("an answer or an error")
                found[done.key] = done.value
                report(Event("sample", f"windows read by {network.name}", done=len(found), total=total))
            if not any("score" in answer.measures for answer in found.values()):
                break
    return [found[index] for index in sorted(found)]


def _score(window: Window, detector: str, shortest: int) -> Flow[Answer]:
    from assay.techniques.logits.detection import detect_gpt, machine_score

    if detector == "detectgpt":
        return detect_gpt(window.text, prompt=window.before, shortest=shortest)
    return machine_score(window.text, score=detector, prompt=window.before, shortest=shortest)


def _judged(answers: Sequence[Answer], null: Sequence[Answer], about: dict[str, Any]) -> Judgement:
    """The judgement from the answers on the text and on the human windows."""
    import numpy as np

    from assay.stats import NullSample

    scores = [answer.measures["score"] for answer in answers if "score" in answer.measures]
    if not scores or not null:
        reason = answers[0].detail if answers else "There is no text to judge."
        return Judgement(
            "abstains", None, None, 1.0, windows=len(answers), calibrated_on=0, reason=reason, **about
        )
    sample = NullSample(np.array([answer.measures["score"] for answer in null]))
    each = sample.p_many(scores)
    # Twice the mean of p-values is one, whatever their dependence (Vovk and Wang 2020); a p of the mean score
    # against single windows would not be: a mean of two can pass a line more often than each of them.
    factor = 1 if len(scores) == 1 else 2
    p = min(1.0, factor * float(each.mean()))
    return Judgement(
        "machine-like" if p <= about["alpha"] else "human-like",
        float(np.mean(scores)),
        p,
        factor * sample.resolution,
        windows=len(scores),
        calibrated_on=len(null),
        **about,
    )


def _print_judgement(found: Judgement, as_json: bool) -> None:
    if as_json:
        echo(json.dumps(asdict(found) | {"caveat": CAVEAT}, indent=1, ensure_ascii=False))
        return
    if found.p is None:
        echo(f"No judgement: {found.reason}")
        return
    parts = "one window" if found.windows == 1 else f"{found.windows} windows"
    echo(f"{found.verdict}: p {found.p:.3g} (it cannot be below {found.resolution:.3g})")
    echo(f"  {found.detector} {found.score:.4g} on {parts} of {found.words} words, read by {found.model}")
    echo(f"  compared with {found.calibrated_on} human windows of {found.collection}; alpha {found.alpha:g}")
    echo(CAVEAT)


@detect.command("plan")
def plan(
    tpr: float = typer.Option(0.95, "--tpr", help="Share of machine writers to be found."),
    fpr: float = typer.Option(0.01, "--fpr", help="Share of people who may be taken for machines."),
    run: str = typer.Option("", "--run", help="A finished run of a detector's claim.", autocompletion=run_names),
    scores: Path | None = typer.Option(None, "--scores", help="A CSV file: score, label and perhaps author."),
    positive: str = typer.Option("", "--positive", help="The label that means machine; found if not given."),
    level: float = typer.Option(0.95, "--level", help="Of the interval."),
    seed: int = typer.Option(0, "--seed", min=0, help="Of the bootstrap."),
    as_json: bool = JSON,
) -> None:
    """Say how many texts of one author must be averaged to tell a machine at these rates.

    With a column author, texts of one author count as going together, and no number may be enough: "never".

    For instance: assay detect plan --tpr 0.95 --fpr 0.001 --run fast-beats-likelihood
    """
    import numpy as np

    from assay.core import UserError
    from assay.stats import documents_needed

    if bool(run) == (scores is not None):
        raise UserError(
            "A plan rests on a run or on a file of scores.", hint="Give --run RUN or --scores FILE.csv"
        )
    hits, null, clusters = _run_scores(run) if run else _file_scores(scores, positive)
    rng = np.random.default_rng(seed)
    found = checked(lambda: documents_needed(hits, null, tpr, fpr, rng, level, clusters), scores or "")
    _print_plan(found, (len(hits), len(null)), as_json)


def _print_plan(found: DocumentPlan, counts: tuple[int, int], as_json: bool) -> None:
    low, high = (_texts(value) for value in (found.interval.low, found.interval.high))
    if as_json:
        fields = {"documents": _texts(found.documents), "interval": [low, high], "level": found.interval.level}
        fields |= {"separation": found.separation, "correlation": found.correlation, "tpr": found.tpr}
        echo(json.dumps(fields | {"fpr": found.fpr, "machine": counts[0], "human": counts[1]}, indent=1))
        return
    needed = _texts(found.documents)
    said = (
        "no number of texts is enough" if needed == "never" else f"{needed} text{'s' if needed != 1 else ''} each"
    )
    echo(f"To find {found.tpr:.3g} of machines at {found.fpr:g} of people: {said}")
    echo(f"  {found.interval.level:.0%} interval  {low} to {high}")
    echo(f"  separation {found.separation:.3g} sd, correlation within an author {found.correlation:.3g}")
    echo(f"  from {counts[0]} machine and {counts[1]} human scores, means taken as normal")
    if found.separation <= 0:
        echo("  The scores point the wrong way: people score higher.")


def _texts(value: float) -> int | str:
    return int(value) if math.isfinite(value) else "never"


Scores = tuple[list[float], list[float], tuple[list[str], list[str]] | None]
"""Of machines, of people, and their authors where they are known."""


def _file_scores(file: Path | None, positive: str) -> Scores:
    from assay.core import BadFile, UnknownName

    assert file is not None, "one of the two was named"
    rows = read_table(file, ("score", "label"))
    labels = sorted({cells["label"] for _, cells in rows})
    if len(labels) != 2:
        hint = "Give scores of texts by machines and by people."
        raise BadFile(file, f"there are {len(labels)} labels, and it takes two.", field="label", hint=hint)
    if positive and positive not in labels:
        raise UnknownName("label", positive, labels, hint=f"Labels: {', '.join(labels)}.")
    known = [positive] if positive else [label for label in labels if label.lower() in POSITIVE]
    if len(known) != 1:
        hint = f"Say it: --positive {labels[0]}"
        raise BadFile(file, f"which of {labels[0]} and {labels[1]} is the machine?", field="label", hint=hint)
    sides: dict[bool, list[tuple[float, str]]] = {True: [], False: []}
    for line, cells in rows:
        pair = number(file, line, "score", cells["score"]), cells.get("author", "")
        sides[cells["label"] == known[0]].append(pair)
    hits, null = ([score for score, _ in sides[side]] for side in (True, False))
    if "author" not in rows[0][1]:
        return hits, null, None
    return hits, null, ([author for _, author in sides[True]], [author for _, author in sides[False]])


def _run_scores(name: str) -> Scores:
    from assay.core import UserError
    from assay.lab.session import rows_of
    from assay.papers import claim_named
    from assay.workbench.opening import open_store
    from assay.workbench.records import samples_of

    store = open_store()
    try:
        row = store.run(name)
        rows = rows_of(row, store, samples_of(row)) if row.verdict else []
    finally:
        store.close()
    if not row.verdict:
        raise UserError(f"The run {row.id} has no verdict yet.", hint=f"Type: assay resume {row.id}")
    _, claim = claim_named(row.claim)
    if claim.evidence != "detector":
        raise UserError(f"{row.claim} is no claim about a detector.", hint="Take a run of fast-beats-likelihood.")
    scored = [(one.score, one.target) for one in rows if one.arm == "treatment" and one.score is not None]
    hits = [score for score, target in scored if target == claim.positive]
    null = [score for score, target in scored if target and target != claim.positive]
    if not hits or not null:
        raise UserError(
            f"The run {row.id} has no scores of both kinds.", hint="Take another, or --scores FILE.csv"
        )
    return hits, null, None
