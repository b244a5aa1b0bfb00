"""Verdicts in the terminal: a table of many, and one in full. Reads well at 80 columns and in a pipe."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from rich import box
from rich.console import Console, ConsoleOptions, Group, RenderableType
from rich.table import Table
from rich.text import Text

from assay.core.samples import Ending
from assay.core.verdict import ArmResult, Verdict, Word
from assay.report.wording import (
    NONE,
    arm_title,
    control_title,
    count_text,
    driver_caution,
    effect_text,
    effect_with_interval,
    finite,
    finite_interval,
    interval_text,
    is_binary,
    level_text,
    mean_text,
    pairs_text,
    power_sentence,
    ratio_text,
    reason_text,
    score_text,
    seconds_text,
    smallest_signed,
    tokens_of,
    visible,
    word_with_reason,
)

STYLES = {Word.HOLDS: "bold green", Word.FAILS: "bold red", Word.UNDECIDED: "bold yellow"}
ARMS_ABREAST = 3


def verdict_table(verdicts: Sequence[Verdict]) -> Table:
    """One row per verdict: effect with interval, pairs, and the tokens of both arms."""
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False, show_edge=False, padding=(0, 1, 0, 0))
    table.add_column("claim", overflow="fold", ratio=1)
    table.add_column("verdict", overflow="fold", max_width=12)
    table.add_column(Text("effect\n[interval]"), min_width=16)
    table.add_column("n", justify="right", no_wrap=True)
    table.add_column("tokens\ncontrol /\ntreatment", justify="right", no_wrap=True)
    table.add_column("cost\nratio", justify="right", no_wrap=True)
    for verdict in verdicts:
        binary = is_binary(verdict)
        effect = effect_text(verdict.effect, binary)
        interval = interval_text(verdict.interval, binary, sign=True)
        tokens = [tokens_of(verdict.arms.get(role)) for role in ("control", "treatment")]
        table.add_row(
            Text(visible(verdict.claim)),
            Text(word_with_reason(verdict), style=STYLES[verdict.verdict]),
            Text(f"{effect}\n{interval}".rstrip()),
            Text(f"{verdict.n:,}"),
            Text(" / ".join(tokens)),
            Text(ratio_text(verdict.cost_ratio)),
        )
    return table


def verdict_panel(verdict: Verdict) -> RenderableType:
    """One verdict in full."""
    return _Panel(verdict)


@dataclass(frozen=True, slots=True)
class _Panel:
    verdict: Verdict

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> Iterator[RenderableType]:
        parts = [_head(self.verdict), _effect(self.verdict, options), *_arms(self.verdict)]
        parts += [_controls(self.verdict), *_remarks(self.verdict), _foot(self.verdict)]
        for i, part in enumerate(parts):
            if i:
                yield Text()
            yield part


def _head(verdict: Verdict) -> RenderableType:
    word = Text(word_with_reason(verdict), style=STYLES[verdict.verdict])
    reason = reason_text(verdict)
    if reason:
        word.append(f": {reason}.", style="not bold default")
    model = visible(verdict.model.get("name", "unknown model"))
    where = f"{visible(verdict.claim)} on {model}, {visible(verdict.task)}"
    where += f", level {visible(verdict.level)}" if verdict.level else ""
    where += f", size {visible(verdict.size)}, seed {verdict.seed}"
    return Group(Text(visible(verdict.sentence), style="bold"), Text(where), Text(), word)


def _effect(verdict: Verdict, options: ConsoleOptions) -> RenderableType:
    lines = [Text("effect  ")]
    lines[0].append(effect_with_interval(verdict.effect, verdict.interval, verdict), style="bold")
    if finite(verdict.effect) is not None:
        lines[0].append(f"  {level_text(verdict)} interval, {pairs_text(verdict.n)}")
        lines.append(Text(f"        of {visible(verdict.unit)}, treatment minus control"))
    if finite(verdict.cost_ratio) is not None:
        lines.append(Text(f"cost    {ratio_text(verdict.cost_ratio)} the tokens of the control"))
    bar = interval_bar(verdict, min(options.max_width - 8, 64), ascii_only=options.ascii_only)
    return Group(*lines, *(Text("        " + line, no_wrap=True, overflow="crop") for line in bar))


def interval_bar(verdict: Verdict, width: int, *, ascii_only: bool = False) -> list[str]:
    """Two lines: labels, and the interval between its ends with 0 and the smallest effect marked."""
    ends, effect = finite_interval(verdict.interval), finite(verdict.effect)
    smallest = smallest_signed(verdict)
    if ends is None or effect is None or width < 24:
        return []
    low, high = min(ends[0], effect, smallest, 0.0), max(ends[1], effect, smallest, 0.0)
    span = high - low
    if not 0 < span < float("inf"):
        return []
    low, span = low - span * 0.04, span * 1.08
    at = [round((value - low) / span * (width - 1)) for value in (*ends, effect, 0.0, smallest)]
    empty, inside, left, right, dot, zero, wanted = " -()o|:" if ascii_only else "·─├┤●│┊"
    cells = [inside if at[0] <= column <= at[1] else empty for column in range(width)]
    for column, sign in ((at[4], wanted), (at[3], zero), (at[0], left), (at[1], right), (at[2], dot)):
        cells[column] = sign
    binary = is_binary(verdict)
    return [_bar_labels(at[3], at[4], score_text(smallest, binary, sign=True), width), "".join(cells)]


def _bar_labels(zero: int, smallest: int, size: str, width: int) -> str:
    """A `0` above its mark, and the smallest effect's label on the free side of it."""
    label = f"{size} worth having"
    line = [" "] * width
    line[zero] = "0"
    start = smallest if smallest > zero else smallest - len(label) + 1
    if smallest > zero:
        start = max(zero + 2, min(start, width - len(label)))
    else:
        start = min(zero - 1 - len(label), max(start, 0))
    if 0 <= start <= width - len(label):
        line[start : start + len(label)] = label
    return "".join(line).rstrip()


def _arms(verdict: Verdict) -> Iterator[RenderableType]:
    arms = sorted(verdict.arms.items(), key=lambda named: _ORDER.get(named[0], 2))
    for start in range(0, len(arms), ARMS_ABREAST):
        yield _arms_table(arms[start : start + ARMS_ABREAST], verdict)


_ORDER = {"control": 0, "treatment": 1}


def _arms_table(arms: list[tuple[str, ArmResult]], verdict: Verdict) -> Table:
    binary = is_binary(verdict)
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False, padding=(0, 2, 0, 0), show_edge=False)
    table.add_column("")
    for key, arm in arms:
        table.add_column(Text(arm_title(key, arm)), overflow="fold", min_width=14)
    if any(arm.says for _, arm in arms):
        table.add_row("does", *(Text(visible(arm.says)) for _, arm in arms))
    means = [mean_text(arm.mean, binary) for _, arm in arms]
    intervals = [interval_text(arm.interval, binary) for _, arm in arms]
    table.add_row("mean", *(Text(f"{a} {b}".rstrip()) for a, b in zip(means, intervals, strict=True)))
    for ending in Ending:
        counts = [arm.endings.get(ending.value, 0) for _, arm in arms]
        table.add_row(ending.value, *(Text(f"{n:,}", style="" if n else "dim") for n in counts))
    table.add_row("tokens in", *(f"{arm.tokens_in:,}" for _, arm in arms))
    table.add_row("tokens out", *(f"{arm.tokens_out:,}" for _, arm in arms))
    table.add_row("calls", *(f"{arm.calls:,}" for _, arm in arms))
    table.add_row("CPU seconds", *(seconds_text(arm.cpu_seconds) for _, arm in arms))
    return table


def _controls(verdict: Verdict) -> RenderableType:
    if not verdict.controls:
        return Text("No controls were run.")
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False, padding=(0, 2, 0, 0), show_edge=False)
    table.add_column("control", no_wrap=True)
    table.add_column(Text("effect [interval]"), min_width=14)
    table.add_column("n", justify="right", no_wrap=True)
    table.add_column("says", ratio=1, overflow="fold")
    for control in verdict.controls.values():
        effect = effect_with_interval(control.effect, control.interval, verdict)
        cost = f" (+{count_text(control.tokens)} tokens)" if control.tokens else ""
        table.add_row(
            Text(control_title(control.name)),
            Text(effect, style="dim" if effect == NONE else ""),
            f"{control.n:,}",
            Text(visible(control.says) + cost),
        )
    return table


def _remarks(verdict: Verdict) -> Iterator[RenderableType]:
    lines = [line for line in (power_sentence(verdict), driver_caution(verdict)) if line]
    lines += [f"Note: {visible(note)}" for note in verdict.notes]
    lines += [f"Departure {i}: {visible(text)}" for i, text in enumerate(verdict.departures, 1)]
    if lines:
        yield Group(*(Text(line) for line in lines))


def _foot(verdict: Verdict) -> RenderableType:
    run = visible(verdict.run)
    if not run:
        return Text("replayed: no run was kept")
    return Text(f"run {run}\nassay trace {run} SAMPLE", overflow="fold")
