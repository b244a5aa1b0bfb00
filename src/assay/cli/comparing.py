"""`assay compare`: what two result files say of each other, for the eye and as JSON."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from rich.console import RenderableType

    from assay.lab.compare import Comparison

SHOWN = 10
"""Ids that are listed of each kind."""
LONGEST_ID = 40


def compare_files(
    files: Sequence[Path],
    fields: tuple[str, str, str],
    smallest: float,
    seed: int,
    json_file: Path | None,
) -> None:
    """Compare every further file with the first, print it, and write it where the user wants it."""
    from assay.cli.delivering import check_writable
    from assay.cli.printing.console import Console
    from assay.core import UserError
    from assay.lab.compare import compare_all
    from assay.lab.replaying.recorded import Fields, read_result_file

    if len(files) < 2:
        raise UserError("A comparison takes two files.", hint="Type: assay compare CONTROL TREATMENT")
    check_writable(json_file)
    control, *treatments = [read_result_file(file, Fields(*fields)) for file in files]
    comparisons = compare_all(control, treatments, smallest=smallest, seed=seed)
    console = Console()
    for index, comparison in enumerate(comparisons):
        if index:
            console.print()
        console.print(comparison_table(comparison))
    if json_file is not None:
        found = [comparison.to_json(SHOWN) for comparison in comparisons]
        json_file.write_text(json.dumps(found, indent=1, ensure_ascii=False) + "\n", "utf-8", "backslashreplace")
        console.print(f"\nComparisons: {json_file}", highlight=False, soft_wrap=True)


def comparison_table(comparison: Comparison) -> RenderableType:
    """One comparison: the verdict, then a line for everything it rests on."""
    from rich.console import Group
    from rich.table import Table
    from rich.text import Text

    from assay.report.terminal import STYLES

    word = Text(comparison.verdict.value, style=STYLES[comparison.verdict])
    word.append(f": {comparison.reason}.", style="not bold default")
    title = f"{_name(comparison.treatment.file.path)} against {_name(comparison.control.file.path)}"
    table = Table.grid(padding=(0, 2, 0, 0))
    table.add_column(no_wrap=True)
    table.add_column(overflow="fold")
    for label, text in _lines(comparison):
        table.add_row(label, Text(text))
    return Group(Text(title, style="bold", overflow="fold"), word, table)


def _lines(comparison: Comparison) -> Iterator[tuple[str, str]]:
    from assay.lab.compare import LEVEL, cluster_note
    from assay.report.wording import effect_text, interval_text, mean_text

    binary = comparison.binary
    interval = interval_text(comparison.interval, binary, sign=True) or "(no interval)"
    items = "1 item" if comparison.n == 1 else f"{comparison.n:,} items"
    yield "effect", f"{effect_text(comparison.effect, binary)} {interval}, {100 * LEVEL:g} % interval, {items}"
    for role, side in (("control", comparison.control), ("treatment", comparison.treatment)):
        mean = f"{mean_text(side.mean, binary)} {interval_text(side.interval, binary)}".rstrip()
        yield role, f"{mean}  mean of '{_name(side.file.score_field)}', by '{_name(side.file.id_field)}'"
    yield "test", _test_text(comparison)
    if note := cluster_note(comparison):
        yield "", f"Note: {note}."
    yield from _labelled("power", _power_lines(comparison))
    yield from _labelled("left out", _left_out(comparison))
    yield from _labelled("flipped" if binary else "changed", _flipped(comparison))


def _labelled(label: str, lines: Iterator[str]) -> Iterator[tuple[str, str]]:
    for line in lines:
        yield label, line
        label = ""


def _test_text(comparison: Comparison) -> str:
    from assay.report.wording import interval_text

    test = comparison.test
    text = f"{test['name']}: p = {test['p']:.3g}"
    if comparison.comparisons > 1:
        text += f", {comparison.p_holm:.3g} by Holm over {comparison.comparisons} comparisons"
    if "clusters" in test:
        bootstrap = interval_text(test["bootstrap_interval"], comparison.binary, sign=True)
        text += f"; {test['clusters']} clusters, bootstrap over them {bootstrap}"
    return text


def _power_lines(comparison: Comparison) -> Iterator[str]:
    from assay.report.wording import score_text

    power, binary = comparison.power, comparison.binary
    unit = " points" if binary else ""
    differ = f"{100 * power['discordance']:.0f} % of items differ"
    if power["detectable_effect"] is None:
        yield "these items could not detect any effect reliably"
    else:
        size = score_text(power["detectable_effect"], binary)
        yield f"these items detect {size}{unit} with {100 * power['power']:g} % power ({differ})"
    if power.get("items_needed") is not None:
        size = score_text(power["target_effect"], binary)
        target = "the smallest effect" if comparison.smallest_effect else "an effect as large as the one seen"
        yield f"need about {power['items_needed']:,} items to detect {target} ({size}{unit})"


def _left_out(comparison: Comparison) -> Iterator[str]:
    for side in (comparison.control, comparison.treatment):
        name = _name(side.file.path)
        if side.unmatched:
            yield f"unmatched, only in {name} ({len(side.unmatched):,}): {_ids(side.unmatched)}"
        if side.file.without_score:
            yield f"without score in {name} ({len(side.file.without_score):,}): {_ids(side.file.without_score)}"
    for side in (comparison.control, comparison.treatment):
        if side.file.duplicates:
            count = len(side.file.duplicates)
            yield f"duplicates in {_name(side.file.path)}, averaged ({count:,}): {_ids(side.file.duplicates)}"


def _flipped(comparison: Comparison) -> Iterator[str]:
    for role, ids in (("treatment", comparison.better), ("control", comparison.worse)):
        which = f"only {role} right" if comparison.binary else f"{role} higher"
        yield f"{which} ({len(ids):,})" + (f": {_ids(ids)}" if ids else "")


def _ids(ids: Sequence[str]) -> str:
    return ", ".join(_name(item) for item in ids[:SHOWN]) + (", ..." if len(ids) > SHOWN else "")


def _name(text: object) -> str:
    """A name from a file, safe to print and not too long for an id."""
    from assay.report.wording import visible

    shown = visible(" ".join(str(text).split()))
    return shown if isinstance(text, Path) or len(shown) <= LONGEST_ID else shown[: LONGEST_ID - 3] + "..."
