"""Syntax faults put into functions that are right: what a model, a person or a cut-off reply leaves behind."""

from __future__ import annotations

import io
import math
import tokenize
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from itertools import islice, pairwise
from random import Random

from assay.core.errors import UnknownName
from assay.core.samples import Answer, Ending, Outcome, Sample
from assay.core.validation import require_whole
from assay.tasks.code.functions import Function, made
from assay.tasks.code.library import library_functions
from assay.tasks.people import digest

Change = tuple[int, int, str]
"""From where to where, and what is put there."""
Spoil = Callable[["Source", Random], list[Change]]
LIBRARY_SHARE = 0.25
LEVELS = ("mixed", "single", "double")


@dataclass(frozen=True, slots=True)
class Source:
    """A right text with its tokens and where its lines begin."""

    text: str
    tokens: tuple[tokenize.TokenInfo, ...]
    starts: tuple[int, ...]

    @classmethod
    def of(cls, text: str) -> Source:
        """The text, taken apart by Python's own tokenizer."""
        starts = [0]
        for line in text.splitlines(keepends=True):
            starts.append(starts[-1] + len(line))
        return cls(text, tuple(tokenize.generate_tokens(io.StringIO(text).readline)), tuple(starts))

    def at(self, place: tuple[int, int]) -> int:
        """Index of (line, column)."""
        return self.starts[place[0] - 1] + place[1]

    def indented(self) -> list[tuple[int, int]]:
        """(start, width) of lines that begin a statement inside a block."""
        first = [token for before, token in pairwise(self.tokens) if _begins(before, token)]
        return [(self.starts[token.start[0] - 1], token.start[1]) for token in first if token.start[1] > 0]


def _begins(before: tokenize.TokenInfo, token: tokenize.TokenInfo) -> bool:
    layout = (tokenize.NEWLINE, tokenize.NL, tokenize.INDENT, tokenize.DEDENT)
    return before.type in layout and token.type not in (*layout, tokenize.COMMENT, tokenize.ENDMARKER)


def _colon(source: Source, rng: Random) -> list[Change]:
    """The colon at the end of a header is missing."""
    pairs = pairwise(source.tokens)
    ends = [
        token
        for token, after in pairs
        if token.string == ":" and after.type in (tokenize.NEWLINE, tokenize.COMMENT)
    ]
    at = source.at(rng.choice(ends).start)
    return [(at, at + 1, "")]


def _indent(source: Source, rng: Random) -> list[Change]:
    """A line stands too far in, too far out, or between two levels."""
    start, width = rng.choice(source.indented())
    new = rng.choice([0, width - 4, width - 2, width - 1, width + 2, width + 4])
    return [(start, start + width, " " * max(0, new))]


def _bracket(source: Source, rng: Random) -> list[Change]:
    """A bracket is missing, or is of another kind."""
    token = rng.choice([token for token in source.tokens if token.string in tuple("()[]{}")])
    kinds = "([{" if token.string in tuple("([{") else ")]}"
    other = rng.choice([kind for kind in kinds if kind != token.string])
    at = source.at(token.start)
    return [(at, at + 1, rng.choice(["", "", other]))]


def _quote(source: Source, rng: Random) -> list[Change]:
    """A string has lost the quote before or behind it."""
    strings = [
        token for token in source.tokens if token.type == tokenize.STRING or token.string[-1:] in ("'", '"')
    ]
    token = rng.choice(strings)
    if rng.random() < 0.5:
        at = source.at(token.end) - 1
    else:
        at = source.at(token.start) + token.string.index(token.string[-1])
    return [(at, at + 1, "")]


def _tab(source: Source, rng: Random) -> list[Change]:
    """A line, or every line from one on, is indented with tabs."""
    lines = source.indented()
    first = rng.randrange(len(lines))
    chosen = lines[first:] if rng.random() < 0.5 else lines[first : first + 1]
    return [(start, start + width, "\t" * max(1, width // 4)) for start, width in chosen]


def _tail(source: Source, rng: Random) -> list[Change]:
    """The text breaks off within its last third."""
    size = len(source.text)
    return [(rng.randrange(size * 2 // 3, size - 1), size, "")]


def _fence(source: Source, rng: Random) -> list[Change]:
    """A reply stands around it, with a markdown fence."""
    before = rng.choice(["", "Here is the function:\n\n", "Sure! You can write it so.\n"])
    after = rng.choice(["", "\nIt does what was asked.\n", "\nLet me know if that helps!"])
    size = len(source.text)
    return [(0, 0, f"{before}```{rng.choice(['python', 'py', ''])}\n"), (size, size, f"```\n{after}")]


CLASSES: Mapping[str, Spoil] = {
    "colon": _colon,
    "indent": _indent,
    "bracket": _bracket,
    "quote": _quote,
    "tab": _tab,
    "tail": _tail,
    "fence": _fence,
}


@dataclass(frozen=True, slots=True)
class FaultsTask:
    """Right functions with one syntax fault or two, and tests that say whether a repair kept what they do.

    `question` is the faulty text; `meta` holds `function` (the right one, with its tests) and `faults`. An arm
    measures the "score": whether its text parses, or does what the right function does.
    """

    name: str = "syntax-faults"
    cue: str = ""
    kind: str = "score"
    chance: float | None = 0.0
    levels: tuple[str, ...] = LEVELS

    def samples(self, n: int, seed: int, level: str | None = None) -> tuple[Sample, ...]:
        """n faulty functions; in level "mixed" every other one has two faults."""
        require_whole("n", n, 0, 1_000_000)
        level = self.levels[0] if level is None else level
        if level not in self.levels:
            raise UnknownName("level", level, self.levels)
        return tuple(islice(_samples(level, seed), n))

    def extract(self, text: str) -> str | None:
        """There is nothing to read: arms measure."""
        return None

    def score(self, sample: Sample, answer: Answer) -> Outcome:
        """What the arm measured; errored where the right function fails its own tests."""
        value = answer.measures.get("score")
        if value is None or not math.isfinite(value):
            return Outcome(Ending.ERRORED, detail=answer.detail or "Nothing was measured.")
        return Outcome.scored(value, detail=answer.detail)


def _samples(level: str, seed: int) -> Iterator[Sample]:
    seen: set[str] = set()
    index = 0
    while True:
        rng = Random(f"faults/{level}/{seed}/{index}")
        count = 2 if level == "double" or (level == "mixed" and index % 2) else 1
        index += 1
        library = library_functions()
        take = library and rng.random() < LIBRARY_SHARE
        function = rng.choice(library) if take else made(rng)
        spoiled = spoil(function, count, rng)
        if spoiled is not None and spoiled[0] not in seen:
            text, names = spoiled
            seen.add(text)
            identity = f"fault-{seed}-{digest(text)}"
            yield Sample(identity, text, cluster=function.origin, meta={"function": function, "faults": names})


ATTEMPTS = 50


def spoil(function: Function, count: int, rng: Random) -> tuple[str, tuple[str, ...]] | None:
    """The function's text with so many faults of different classes, each of which alone stops the parser."""
    source = Source.of(function.source)
    names = rng.sample(list(CLASSES), count)
    for _ in range(ATTEMPTS):
        changes: list[list[Change]] = []
        for name in names:
            try:
                changes.append(CLASSES[name](source, rng))
            except (IndexError, ValueError):
                return None  # the function has nothing that this fault could spoil
        texts = [changed(source.text, one) for one in changes]
        joined = [change for one in changes for change in one]
        if not all(map(_faulty, texts)) or not _apart(joined):
            continue
        text = changed(source.text, joined)
        if _faulty(text):
            return text, tuple(names)
    return None


def _apart(changes: list[Change]) -> bool:
    """Whether no two changes touch."""
    ordered = sorted(changes)
    return all(left[1] <= right[0] for left, right in pairwise(ordered))


def changed(text: str, changes: list[Change]) -> str:
    """The text after changes that do not touch."""
    for start, end, new in sorted(changes, reverse=True):
        text = text[:start] + new + text[end:]
    return text


def _faulty(text: str) -> bool:
    try:
        compile(text, "<faulty>", "exec", dont_inherit=True)
    except (SyntaxError, ValueError):
        return True
    return False
