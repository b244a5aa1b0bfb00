"""Repair of Python that does not parse, as Supercharger does it: step by step at the line of the fault.

Source    catid 2023, "supercharger" (github.com/catid/supercharger), the cleaning of generated code.
Here      Code is taken out of its markdown fence and its line ends, marks and tabs are made regular. Then, as
          long as it does not parse, the first of these that takes the fault further down is kept: a missing
          colon, an indent of 1 to 7, a dedent of 1 to 7, a closing bracket on this or a following line, the
          right closer for a wrong one, the end of a string. Where nothing helps, the faulty line is deleted.
Departs   1. The place of an error and its class are read; the source reads the words of the message, which
             change with every version of Python.
          2. A text that was there before is never returned to, and work is bounded by characters parsed, so
             that a repair ends on any input; the source bounds deletions alone.
          3. Nothing is reformatted, sorted or imported: what parses already comes back as it was.
          4. Where it cannot be made to parse, the text comes back unchanged, with the reason.
          5. A closer without an opener is dropped, and an open string is ended; the source deletes the line.
Needs     nothing: no model, no execution.
Costs     no calls.
"""

from __future__ import annotations

import re
import statistics
from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import pairwise

from assay.techniques.execution.repairing.source_text import (
    PAIRS,
    Fault,
    Lines,
    brackets,
    fault_of,
    lacks_colon,
    scan,
)

MOST = 100
"""Steps, as the source allows deletions."""
WORK = 4_000_000
"""Characters that may be parsed: some ten seconds on one core, all in all."""
FARTHEST = 5
"""Lines below an opening bracket on which its closer is tried."""


@dataclass(frozen=True, slots=True)
class Repaired:
    """What came of a repair."""

    text: str
    """Python that parses, or the text as it was given."""
    ok: bool
    changes: tuple[str, ...] = ()
    """What was done, in words, in order."""
    deleted: tuple[str, ...] = ()
    """Lines that were thrown away."""
    reason: str = ""
    """Why it does not parse, where it does not."""


@dataclass(slots=True)
class Attempts:
    """Texts that were parsed, each once, and how much more may be."""

    work: int = WORK
    most: int = 10**9
    seen: set[str] = field(default_factory=set)

    def has_room(self, text: str) -> bool:
        """Whether one more text of that length may be tried."""
        return self.work >= len(text) and len(self.seen) < self.most

    def new(self, text: str) -> bool:
        """Whether the text has not been tried and there is room for it."""
        if not self.has_room(text):
            return False
        self.work -= len(text)  # of one that was tried before too: it was put together
        known = text in self.seen
        self.seen.add(text)
        return not known


def repair(source: str, *, delete: bool = True, most: int = MOST) -> Repaired:
    """The source as Python that parses, or as it was, with the reason.

    Args:
        source: any text.
        delete: throw the faulty line away where nothing else moves the fault.
        most: steps.
    """
    text, changes, fault = normalise(source)
    attempts, deleted = Attempts(), list[str]()
    attempts.new(text)
    for _ in range(most):
        if fault is None:
            return Repaired(text, True, tuple(changes), tuple(deleted))
        if fault.line == 0:
            return _unrepaired(source, "The parser names no place.")
        step = _step(text, fault, attempts)
        if step is None and delete:
            step = _without_line(text, fault, attempts, deleted)
        if step is None:
            tried = "Nothing tried" if attempts.has_room(text) else "Nothing there was room to try"
            return _unrepaired(source, f"{tried} on line {fault.line} helps.")
        text, says, fault = step
        changes.append(says)
    if fault is None:
        return Repaired(text, True, tuple(changes), tuple(deleted))
    return _unrepaired(source, f"It does not parse after {most} steps.")


def _unrepaired(source: str, reason: str) -> Repaired:
    return Repaired(source, False, reason=reason)


# --- what is done to the whole text ---------------------------------------------------------------------

_FENCE = re.compile(r"^[ \t]*(?:```|~~~)[ \t]*([\w+-]*)[ \t]*$", re.MULTILINE)


def normalise(source: str) -> tuple[str, list[str], Fault | None]:
    """The text without fence, odd line ends, marks and tabs, what of it was done, and the fault that is left.

    What parses as it is stays as it is.
    """
    changes: list[str] = []
    text, fault = source, fault_of(source)
    for change, says in (
        (_plain, "line ends and invisible signs made regular"),
        (fenced_code, "code taken out of its markdown fence"),
        (_without_tabs, "tabs turned into spaces"),
    ):
        changed = text if fault is None else change(text)
        if changed != text:
            text, fault = changed, fault_of(changed)
            changes.append(says)
    return text, changes, fault


def _plain(text: str) -> str:
    """LF line ends, and no sign that stops the parser where it stands and cannot be seen."""
    text = text.replace("\r\n", "\n").replace("\r", "\n")
    # NUL and half characters stop it everywhere, the others in code alone: in a string they are what it holds.
    text = re.sub("[\x00\ud800-\udfff]", "", text)
    parts, done = list[str](), 0
    for token in scan(text):
        if token.kind in ("string", "broken", "comment"):
            parts += _visible(text[done : token.start]), token.text
            done = token.end
    return "".join((*parts, _visible(text[done:])))


def _visible(code: str) -> str:
    """Without byte order marks and the like, and with common blanks for those of other widths."""
    code = re.sub("[\x0b\u200b\u200c\u200d\ufeff]", "", code)
    return re.sub("[\u00a0\u2002-\u200a\u202f\u3000]", " ", code)


def fenced_code(text: str) -> str:
    """The code in a reply: its first fenced block that parses, else its longest; all of it without a fence."""
    fences = list(_FENCE.finditer(text))
    if not fences:
        return text
    blocks: list[str] = []
    opened: int | None = None
    if len(fences) == 1 and not fences[0][1]:
        # A fence that only closes: the code was begun for the model.
        blocks.append(text[: fences[0].start()])
    for fence in fences:
        if opened is None or fence[1]:
            opened = fence.end() + 1
        else:
            blocks.append(text[opened : fence.start()])
            opened = None
    if opened is not None:
        blocks.append(text[opened:])
    blocks = [block for block in blocks if block.strip()]
    whole = next((block for block in blocks if fault_of(block) is None), None)
    return whole if whole is not None else max(blocks, key=len, default="")


def _without_tabs(text: str) -> str:
    """Tabs at the beginning of lines as wide as a level of indentation commonly is in this text."""
    if "\t" not in text:
        return text
    width = indent_width(text)
    return re.sub(r"^[ \t]+", lambda blanks: blanks[0].replace("\t", " " * width), text, flags=re.MULTILINE)


def indent_width(text: str) -> int:
    """Spaces of one level: the median step inwards from one line to the next; 4 where there is none."""
    lines = [
        line for line in text.splitlines() if line.strip() and "\t" not in line[: len(line) - len(line.lstrip())]
    ]
    widths = [len(line) - len(line.lstrip(" ")) for line in lines]
    steps = [inner - outer for outer, inner in pairwise(widths) if 0 < inner - outer <= 8]
    return int(statistics.median_low(steps)) if steps else 4


# --- what is done at the fault --------------------------------------------------------------------------


Step = tuple[str, str, Fault | None]
"""The changed text, what was done, and the fault that is left."""


def _step(text: str, fault: Fault, attempts: Attempts) -> Step | None:
    """The first change that takes the fault away or further down."""
    for changed, says in _candidates(Lines(text), fault):
        if not attempts.has_room(text):
            return None
        if attempts.new(changed):
            left = fault_of(changed)
            if left is None or left.line > fault.line:
                return changed, says, left
    return None


def _candidates(lines: Lines, fault: Fault) -> Iterator[tuple[str, str]]:
    at = min(fault.line, lines.count)
    for line in dict.fromkeys((at, lines.before(at))):
        if line and lacks_colon(lines.logical(line)):
            yield put(lines.text, lines.code_end(line), ":"), f"line {line}: a colon added"
    if fault.indentation:
        yield from _indents(lines, at)
    yield from _closers(lines)
    tokens = [token for token in scan(lines.text) if lines.line_of(token.start) == at]
    for token in (token for token in tokens if token.kind == "broken"):
        quote = re.sub("^[a-zA-Z]*", "", token.text)
        mark = quote[:3] if quote[:3] in ("'''", '"""') else quote[0]
        bare = re.search(r"[)\]}:,\s]*$", token.text)
        ends = (token.end, token.start + bare.start()) if bare else (token.end,)
        for end in dict.fromkeys(ends):
            yield put(lines.text, end, mark), f"line {at}: a string ended"
    if not fault.indentation:
        yield from _indents(lines, at)


def _indents(lines: Lines, at: int) -> Iterator[tuple[str, str]]:
    """The line 1 to 7 spaces further in, or further out: first inwards where a block was opened above."""
    start, _ = lines.span(at)
    before = lines.before(at)
    if not lines.is_code(at):
        return
    deeper = [(put(lines.text, start, " " * by), f"line {at}: indented by {by}") for by in range(1, 8)]
    width = len(lines.indent(at))
    outer = [
        (lines.text[:start] + lines.text[start + by :], f"line {at}: dedented by {by}")
        for by in range(1, min(7, width) + 1)
    ]
    opened = before and lines[before].rstrip().endswith(":") and len(lines.indent(before)) >= width
    yield from (*deeper, *outer) if opened else (*outer, *deeper)


def _closers(lines: Lines) -> Iterator[tuple[str, str]]:
    """A closer for what was never closed, on its line or below; the right one for a wrong one."""
    found = brackets(scan(lines.text))
    for opener, closer in found.crossed:
        right = PAIRS[opener.text]
        says = f"line {lines.line_of(closer.start)}: '{closer.text}' made '{right}'"
        yield lines.text[: closer.start] + right + lines.text[closer.end :], says
    for opener in found.unclosed:
        first = lines.line_of(opener.start)
        for line in range(first, min(first + FARTHEST, lines.count) + 1):
            end = lines.code_end(line)
            if lines[line].rstrip().endswith(":"):
                end -= 1
            yield put(lines.text, end, PAIRS[opener.text]), f"line {line}: '{PAIRS[opener.text]}' added"
    for closer in found.unopened:
        says = f"line {lines.line_of(closer.start)}: '{closer.text}' dropped"
        yield lines.text[: closer.start] + lines.text[closer.end :], says


def put(text: str, index: int, what: str) -> str:
    """The text with something put in."""
    return text[:index] + what + text[index:]


def _without_line(text: str, fault: Fault, attempts: Attempts, deleted: list[str]) -> Step | None:
    """The text without the faulty line; where it was so before, without one further up."""
    lines = Lines(text)
    for at in range(min(fault.line, lines.count), 0, -1):
        if not attempts.has_room(text):
            return None
        start, end = lines.span(at)
        shorter = text[:start] + text[end + 1 :]
        if lines[at].strip() and attempts.new(shorter):
            deleted.append(text[start:end])
            return shorter, f"line {at}: deleted", fault_of(shorter)
    return None
