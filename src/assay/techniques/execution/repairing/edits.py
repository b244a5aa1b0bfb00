"""Edits of one token that may mend a text: around its fault, and where brackets and quotes do not pair.

Source    none of its own: the moves of `minimal_repair`.
Here      Which edits are tried follows from what is wrong: an open string, brackets that do not pair, an
          indent, a colon; and at the end of a text that breaks off, whatever it takes to finish it.
Departs   -
Needs     nothing.
Costs     nothing.
"""

from __future__ import annotations

import builtins
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise

from assay.techniques.execution.repairing.repair import indent_width
from assay.techniques.execution.repairing.source_text import (
    PAIRS,
    Fault,
    Lines,
    Token,
    brackets,
    fault_of,
    is_name,
    lacks_colon,
    opens_block,
    scan,
)

REACH = 6
"""Lines below an open bracket that are looked through for where it was to be closed."""
CUT = 12
"""Tokens that may be cut away where a text breaks off."""
OPENERS = {closer: opener for opener, closer in PAIRS.items()}


@dataclass(frozen=True, slots=True)
class Edit:
    """Something put in the place of a stretch of text."""

    start: int
    end: int
    new: str
    says: str
    cost: float = 1.0

    def applied(self, text: str) -> str:
        """The text after it."""
        return text[: self.start] + self.new + text[self.end :]


def edits_near(text: str, fault: Fault) -> Iterator[Edit]:
    """Every edit worth trying, without order."""
    lines, tokens = Lines(text), scan(text)
    at = min(fault.line, lines.count)
    broken = [token for token in tokens if token.kind == "broken"]
    for line in dict.fromkeys((at, lines.before(at))):
        if line and lacks_colon(lines.logical(line)):
            yield Edit(lines.code_end(line), lines.code_end(line), ":", f"line {line}: a colon added")
    if broken:
        yield from _quotes(lines, tokens, broken[0])
    elif brackets(tokens).count:
        yield from _brackets(lines, tokens)
    elif fault.indentation:
        yield from _indents(lines, at)
    else:
        yield from _indents(lines, at)
        yield from _at(lines, tokens, at, fault.column)
    yield from _finish(lines, tokens, at)


# --- strings --------------------------------------------------------------------------------------------


def _quotes(lines: Lines, tokens: Sequence[Token], broken: Token) -> Iterator[Edit]:
    """A quote put in at any edge of a word on the line, or the odd one taken out."""
    body = broken.text.lstrip("rRbBuUfF")
    mark = body[0]
    line = lines.line_of(broken.start)
    start, end = lines.span(line)
    quote = broken.start + len(broken.text) - len(body)
    says = f"line {line}: a quote"
    if body.startswith(mark * 3):
        yield from _triple(lines, tokens, quote, mark)
    else:
        yield Edit(quote, quote + 1, "", f"{says} dropped")
    for at in _edges(lines.text, start, end):
        yield Edit(at, at, mark, f"{says} added")


def _triple(lines: Lines, tokens: Sequence[Token], quote: int, mark: str) -> Iterator[Edit]:
    """A docstring that lost a quote before or behind it: one more beside any lone or double one."""
    for run in re.finditer(f"(?<!{mark}){mark}{{1,2}}(?!{mark})", lines.text):
        missing = mark * (3 - len(run[0]))
        line = lines.line_of(run.start())
        yield Edit(run.start(), run.start(), missing, f"line {line}: a quote added", len(missing))
    line = lines.line_of(quote)
    for below in range(line, min(line + REACH, lines.count) + 1):
        end = lines.span(below)[1]
        yield Edit(end, end, mark * 3, f"line {below}: a string ended", 3)


def _edges(text: str, start: int, end: int) -> list[int]:
    """Where a word begins or ends, or a sign stands, between two indexes."""
    found = {start, end}
    for piece in re.finditer(r"\w+|[^\w\s]", text[start:end]):
        found |= {start + piece.start(), start + piece.end()}
    return sorted(found)


# --- brackets -------------------------------------------------------------------------------------------


def _brackets(lines: Lines, tokens: Sequence[Token]) -> Iterator[Edit]:
    """The missing one put in wherever it may have stood, the odd one out taken out or made another."""
    wrong = brackets(tokens)
    crossed = [token for pair in wrong.crossed for token in pair]
    for token in (*wrong.unclosed, *wrong.unopened, *crossed):
        line = lines.line_of(token.start)
        if token not in crossed:
            yield Edit(token.start, token.end, "", f"line {line}: '{token.text}' dropped")
        region = _region(lines, tokens, token)
        for one in region:
            for other in PAIRS if one.kind == "open" else OPENERS if one.kind == "close" else ():
                if other != one.text:
                    says = f"line {lines.line_of(one.start)}: '{one.text}' made '{other}'"
                    yield Edit(one.start, one.end, other, says, 1.1 if one.kind == "open" else 1.0)
        if token.kind == "open":
            yield from _put(lines, [one.end for one in region if one.end >= token.end], PAIRS[token.text])
        else:
            starts = [one.start for one in region if one.start <= token.start]
            yield from _put(lines, [*starts, *_seams(tokens, region)], OPENERS[token.text])


def _region(lines: Lines, tokens: Sequence[Token], odd: Token) -> list[Token]:
    """Tokens among which the partner of a bracket is looked for: from its line down, or its statement."""
    line = lines.line_of(odd.start)
    if odd.kind == "open":
        first, last = odd.start, lines.span(min(line + REACH, lines.count))[1]
    else:
        first, last = lines.span(max(1, line - lines.logical(line).count("\n")))[0], lines.span(line)[1]
    return [token for token in tokens if first <= token.start < last and token.kind not in ("newline", "comment")]


def _put(lines: Lines, places: Sequence[int], bracket: str) -> Iterator[Edit]:
    for place in dict.fromkeys(places):
        yield Edit(place, place, bracket, f"line {lines.line_of(max(0, place - 1))}: '{bracket}' added")


def _seams(tokens: Sequence[Token], region: Sequence[Token]) -> Iterator[int]:
    """Inside a word that is two names of this text run together: `lenitems` was `len(items`.

    What is being defined need not have been named before.
    """
    known = {token.text for token in tokens if token.kind == "name"} | set(dir(builtins))
    for before, token in pairwise([Token("sign", "", 0), *region]):
        for at in range(1, len(token.text) if token.kind == "name" else 0):
            left, right = token.text[:at], token.text[at:]
            if is_name(left) and (left in known or before.text == "def") and (right in known or right.isdigit()):
                yield token.start + at


# --- indents and single signs ---------------------------------------------------------------------------


def _indents(lines: Lines, at: int) -> Iterator[Edit]:
    """The faulty line, or the one above, as far in as lines around it are, or one level more."""
    unit = indent_width(lines.text)
    above = lines.before(at)
    wrong = [at, above]
    # What is found here may come of a header further up that stands as far out.
    wrong += [
        line for line in range(above, 0, -1) if opens_block(lines[line]) and lines.indent(line) <= lines.indent(at)
    ][:1]
    for line in dict.fromkeys(wrong):
        if line == 0 or not lines.is_code(line):
            continue
        start, now = lines.span(line)[0], lines.indent(line)
        around = {len(lines.indent(other)) for other in range(1, lines.count + 1) if lines.is_code(other)}
        for width in sorted(around | {width + unit for width in around} | {0}):
            if width != len(now):
                cost = 1 + abs(width - len(now)) / 100 + 0.2 * (line != at)
                says = f"line {line}: indented by {width} instead of {len(now)}"
                yield Edit(start, start + len(now), " " * width, says, cost)


def _at(lines: Lines, tokens: Sequence[Token], at: int, column: int) -> Iterator[Edit]:
    """A sign put in before or behind the offending token, or a token near it taken out."""
    index = lines.span(at)[0] + column
    near = [token for token in tokens if token.kind not in ("newline", "comment")]
    near = [token for token in near if token.end <= index][-2:] + [token for token in near if token.end > index][
        :1
    ]
    for token in near:
        yield Edit(token.start, token.end, "", f"line {at}: '{token.text[:20]}' dropped", 1.5)
        for place in (token.start, token.end):
            for sign in (":", ",", "(", ")", "[", "]", "{", "}"):
                yield Edit(place, place, sign, f"line {at}: '{sign}' added", 1.2)


# --- a text that breaks off -----------------------------------------------------------------------------


def _finish(lines: Lines, tokens: Sequence[Token], at: int) -> Iterator[Edit]:
    """Tokens of its last line cut away, fewest first, and what is open then closed; the first that parses."""
    solid = [token for token in tokens if token.kind not in ("newline", "comment")]
    if not solid:
        return
    end = lines.line_of(solid[-1].start)
    if end > at + 1 and not brackets(tokens).unclosed:
        return
    on_it = sum(lines.line_of(token.start) == end for token in solid)
    for cut in range(min(CUT, on_it + 1, len(solid))):
        kept = solid[: len(solid) - cut]
        last = kept[-1]
        if last.kind == "broken":
            continue
        ending = "".join(PAIRS[token.text] for token in reversed(brackets(kept).unclosed))
        start, line = last.end, lines.line_of(last.start)
        for block in ("", ": pass", " pass"):
            edit = Edit(
                start,
                len(lines.text),
                f"{ending}{block}\n",
                f"line {line}: finished",
                1.0 + cut + len(ending) / 10,
            )
            if fault_of(edit.applied(lines.text)) is None:
                yield edit
                return
