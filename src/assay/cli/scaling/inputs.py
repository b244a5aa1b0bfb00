"""What the commands on scaling laws take in: methods, laws, budgets, and files of runs."""

from __future__ import annotations

import math
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import typer

from assay.cli.network.inputs import SUFFIXES, Row
from assay.cli.network.work import checked

if TYPE_CHECKING:
    from assay.stats import Law, RunTable

METHODS = ("varpro", "huber", "huber-mean", "isoflop", "envelope")
LAWS = ("hoffmann", "besiroglu", "muennighoff")
WANTED = ("parameters", "tokens", "loss")
BUDGET = typer.Option(None, "--budget", help="FLOP to split between size and data; repeat it.")


def methods_named(name: str) -> tuple[str, ...]:
    from assay.core import UnknownName

    if name not in (*METHODS, "all"):
        raise UnknownName("method", name, (*METHODS, "all"), hint=f"Methods: {', '.join(METHODS)}, all.")
    return METHODS if name == "all" else (name,)


def budgets_of(given: Sequence[float] | None) -> list[float]:
    from assay.core import UserError

    for flops in given or ():
        if not (flops > 0 and math.isfinite(flops)):
            raise UserError(f"--budget {flops:g} is no number of FLOP.", hint="Write --budget 1e21.")
    return list(given or ())


def law_of(text: str) -> Law:
    """A published law, or one from its five numbers."""
    from assay.core import UnknownName, UserError
    from assay.stats import PUBLISHED_LAWS, Law

    if text in PUBLISHED_LAWS:
        return PUBLISHED_LAWS[text]
    if "," not in text:
        raise UnknownName("law", text, LAWS, hint=f"Laws: {', '.join(LAWS)}, or E,A,B,alpha,beta.")
    try:
        numbers = [float(part) for part in text.split(",")]
    except ValueError:
        numbers = []
    if len(numbers) != 5:
        raise UserError(f"--law {text} is not five numbers.", hint="Write E,A,B,alpha,beta: 1.8,482,2085,.35,.37")
    return checked(lambda: Law(*numbers))


def count(text: str) -> float:
    """A positive number, written 1.3B or 1.3e9; nan where it is none."""
    bare = text.strip().lower().replace(",", "").replace("_", "")
    suffix = bare[-1:] if bare[-1:] in SUFFIXES else ""
    try:
        return float(bare.removesuffix(suffix)) * SUFFIXES[suffix]
    except ValueError:
        return math.nan


def unique_tokens_of(text: str) -> float:
    from assay.core import UserError

    if not (0 < (value := count(text)) < math.inf):
        raise UserError(f"--unique-tokens {text} is no number of tokens.", hint="Write --unique-tokens 10B.")
    return value


def _cell(file: Path, line: int, field: str, text: str) -> float:
    from assay.core import BadFile

    value = count(text)
    if not text:
        raise BadFile(file, "the cell is empty.", line=line, field=field)
    if not math.isfinite(value):
        raise BadFile(file, f"'{text}' is no number.", line=line, field=field)
    if value <= 0:
        raise BadFile(file, f"'{text}' is not positive.", line=line, field=field)
    return value


def table_of(file: Path, rows: Sequence[Row]) -> RunTable:
    import numpy as np

    from assay.stats import RunTable

    there = rows[0][1]
    columns = {
        field: np.array([_cell(file, line, field, cells[field]) for line, cells in rows])
        for field in (*WANTED, "flops", "unique_tokens")
        if field in there
    }
    label = next((name for name in ("group", "run") if name in there), None)
    groups = tuple(cells[label] for _, cells in rows) if label else None
    return RunTable(**columns, groups=groups)


def fresh_of(table: RunTable) -> RunTable:
    """The runs that repeat no token."""
    if table.unique_tokens is None:
        return table
    once = (table.tokens <= table.unique_tokens).nonzero()[0]
    try:
        return table.take(once.tolist())
    except ValueError as error:
        raise ValueError(f"without the runs that repeat tokens, {error}") from None
