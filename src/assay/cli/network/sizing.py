"""`assay size`: how large is a hidden model, from its logits or from its scores beside known models."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import typer

from assay.cli.network.inputs import Row, number, parameters, read_table, short
from assay.cli.network.work import JSON, OPEN_MODEL, checked, run_with, value_of
from assay.cli.printing import echo
from assay.report.wording import finite

if TYPE_CHECKING:
    from assay.core import Answer, Model
    from assay.lab.driver import Driver
    from assay.stats import ReferenceFamily, SizeEstimate


NOT_TASKS = ("name", "parameters", "trials")
TRIALS = 100.0

size = typer.Typer(help="Infer how large a model is, from its logits or from its scores.", no_args_is_help=True)


@size.command("logits")
def logits(
    model: str = OPEN_MODEL,
    texts: int = typer.Option(0, "--texts", min=0, help="Logit vectors to read; 0: as many as it takes."),
    seed: int = typer.Option(0, "--seed", min=0, help="Of the texts and of the part of the vocabulary."),
    as_json: bool = JSON,
) -> None:
    """Find the hidden width of a network as the rank of its logits.

    Logits after many texts are stacked; their singular values fall off a cliff after as many as the last
    hidden state has dimensions. It takes more texts than that: about 20 seconds for SmolLM2.

    For instance: assay size logits --model hf:./my-network
    """
    from assay.cli.progress import progress
    from assay.core import Capability
    from assay.lab.plan import Event
    from assay.techniques.logits.width import hidden_width
    from assay.workbench.wish import model_choice

    async def work(network: Model, driver: Driver) -> Answer:
        with progress("size") as report:
            report(Event("note", "reading logits after short texts, until their rank shows"))
            return await value_of(driver, network, lambda: hidden_width(texts=texts, seed=seed))

    answer, name = run_with(model_choice(model, None, 8, 120.0), frozenset({Capability.LOGITS}), work)
    rank, values = int(answer.measures["rank"]), _cliff(answer.measures)
    if as_json:
        fields = {"model": name, "width": rank, "gap": answer.measures["gap"]}
        echo(json.dumps(fields | {"texts": int(answer.measures["texts"]), "singular_values": values}, indent=1))
        return
    echo(f"hidden width {rank}   ({name}, {int(answer.measures['texts'])} logit vectors)")
    for index, value in values.items():
        side = "kept" if index <= rank else "dropped"
        echo(f"  singular value {index:>5}  {value:10.4g}  {side}")
    echo(f"The cliff is {answer.measures['gap']:,.0f}-fold.")


def _cliff(measures: Mapping[str, float]) -> dict[int, float]:
    start = "singular value "
    return {int(name.removeprefix(start)): value for name, value in measures.items() if name.startswith(start)}


@size.command("infer")
def infer(
    file: Path = typer.Argument(..., metavar="FAMILY.csv", help="Columns name, parameters, and one per task."),
    unknown: str = typer.Option(..., "--unknown", help="The name of the model whose size is wanted."),
    level: float = typer.Option(0.9, "--level", help="Of the interval."),
    trials: list[str] = typer.Option(None, "--trials", help="Items behind a score: N, or TASK=N; repeat it."),
    chance: list[str] = typer.Option(None, "--chance", help="What guessing scores: C, or TASK=C; repeat it."),
    as_json: bool = JSON,
) -> None:
    """Infer the size of a model from its scores beside models of known size.

    Sizes are written 10k, 3M, 1.3B or 1.3e9, that of the unknown is left empty; scores lie in [0, 1], or are
    all in percent. At least three references of different sizes are needed.

    Scores tell size only among models trained alike: trained longer, a model looks larger than it is, and no
    interval knows that.

    For instance: assay size infer family.csv --unknown mystery --chance piqa=0.5 --chance mmlu=0.25
    """
    import numpy as np

    from assay.stats import infer_size

    rows = read_table(file, ("name", "parameters"))
    tasks = [column for column in rows[0][1] if column not in NOT_TASKS]
    family, scores, names = _family(file, rows, tasks, unknown, (trials or [], chance or []))
    found = checked(lambda: infer_size(family, np.array(scores), level))
    covered, problem = _coverage(family, level)
    fields = {
        "unknown": unknown,
        "parameters": found.parameters,
        "interval": [finite(found.interval.low), finite(found.interval.high)],
        "level": level,
        "bound": found.bound,
        "references": names,
        "tasks": [task for index, task in enumerate(tasks) if index not in found.dropped],
        "dropped": [tasks[index] for index in found.dropped],
        "scatter": found.scatter,
        "overdispersion": found.overdispersion,
        "covered": dict(zip(names, covered, strict=True)) if covered else None,
    }
    if as_json:
        echo(json.dumps(fields, indent=1))
        return
    _print_size(found, fields, problem)


def _print_size(found: SizeEstimate, fields: dict[str, Any], problem: str) -> None:
    said = {"none": "about", "at least": "at least", "at most": "at most"}[found.bound]
    low, high = (short(value) for value in (found.interval.low, found.interval.high))
    echo(f"{fields['unknown']}: {said} {short(found.parameters)} parameters")
    echo(f"  {found.interval.level:.0%} interval  {low} to {high}")
    if found.bound != "none":
        echo("  Its scores lie beyond those of the references: nothing is extrapolated.")
    echo(f"  from {len(fields['references'])} references on {', '.join(fields['tasks'])}")
    if fields["dropped"]:
        echo(f"  dropped, for they tell no sizes apart: {', '.join(fields['dropped'])}")
    if fields["covered"] is None:
        echo(f"  Leave-one-out cannot be done: {problem}.")
        return
    hits = sum(fields["covered"].values())
    missed = [name for name, inside in fields["covered"].items() if not inside]
    echo(
        f"  leave-one-out: {hits} of {len(fields['covered'])} references lie in their own interval"
        + (f" (not {', '.join(missed)})" if missed else "")
    )


def _family(
    file: Path, rows: Sequence[Row], tasks: Sequence[str], unknown: str, given: tuple[list[str], list[str]]
) -> tuple[ReferenceFamily, list[float], list[str]]:
    """The references, the scores of the unknown, and the names of the references."""
    import numpy as np

    from assay.core import BadFile, UnknownName
    from assay.stats import ReferenceFamily

    if not tasks:
        raise BadFile(file, "there is no column with scores.", hint="Give one column per task.")
    names = [cells["name"] for _, cells in rows]
    if unknown not in names:
        raise UnknownName("model", unknown, names, hint=f"The file has {', '.join(names[:8])}.")
    if len(set(names)) < len(names):
        raise BadFile(file, "two rows have one name.", field="name")
    scores = _scores(file, rows, tasks)
    known = [index for index, name in enumerate(names) if name != unknown]
    sizes = [parameters(file, line, cells["parameters"]) for line, cells in (rows[i] for i in known)]
    trials = [
        float(math.floor(number(file, line, "trials", cells["trials"])))
        for line, cells in rows
        if "trials" in cells and cells["trials"].strip()
    ]
    # One number a task is what the law takes: the smallest of the rows claims nothing that is not there.
    per_task = (_per_task(given[0], tasks, "--trials", min(trials, default=TRIALS)), "trials")
    guessed = (_per_task(given[1], tasks, "--chance", 0.0), "chance")
    if not (given[0] or trials):
        echo(f"assay: each score is taken for one of {TRIALS:.0f} items; else give --trials.", err=True)
    table = np.array([[scores[task][index] for task in tasks] for index in known])
    family = checked(
        lambda: ReferenceFamily(np.array(sizes), table, np.array(per_task[0]), np.array(guessed[0])), file
    )
    return family, [scores[task][names.index(unknown)] for task in tasks], [names[index] for index in known]


def _coverage(family: ReferenceFamily, level: float) -> tuple[tuple[bool, ...], str]:
    """Whether each reference lies in the interval that the others give it; else why that cannot be said."""
    from assay.stats import leave_one_out

    try:
        return tuple(bool(hit) for hit in leave_one_out(family, level).covered), ""
    except ValueError as error:
        return (), str(error)


def _scores(file: Path, rows: Sequence[Row], tasks: Sequence[str]) -> dict[str, list[float]]:
    """Scores in [0, 1] by task; percent is recognised by a sign, or by values above 1 in every column."""
    from assay.core import BadFile

    signed = {task: any("%" in cells[task] for _, cells in rows) for task in tasks}
    scores = {task: [number(file, line, task, cells[task].rstrip("% ")) for line, cells in rows] for task in tasks}
    large = [task for task in tasks if not signed[task] and max(scores[task]) > 1]
    small = [task for task in tasks if not signed[task] and 0 < max(scores[task]) <= 1]
    if large and small:
        raise BadFile(
            file,
            f"'{large[0]}' looks like percent and '{small[0]}' like shares of 1.",
            hint="Write all scores one way, or put % behind percent.",
        )
    for task in tasks:
        scale = 100 if signed[task] or large else 1
        scores[task] = [value / scale for value in scores[task]]
        for (line, _), value in zip(rows, scores[task], strict=True):
            if not 0 <= value <= 1:
                raise BadFile(file, "a score lies in [0, 1], or in percent in [0, 100].", line=line, field=task)
    return scores


def _per_task(given: Sequence[str], tasks: Sequence[str], option: str, default: float) -> list[float]:
    """One number per task from `N` for all and `TASK=N` for one."""
    from assay.core import UnknownName, UserError

    values = dict.fromkeys(tasks, default)
    for text in sorted(given, key=lambda one: "=" in one):
        task, separator, value = text.rpartition("=")
        if separator and task not in values:
            raise UnknownName("task", task, tasks, hint=f"Tasks: {', '.join(tasks)}.")
        try:
            values |= dict.fromkeys([task] if separator else tasks, float(value))
        except ValueError:
            raise UserError(
                f"{option} {text} is no number.", hint=f"Write {option} 100 or {option} TASK=100"
            ) from None
    return list(values.values())
