"""Word squares: words of a short list that read across and down, some letters given."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from itertools import islice
from random import Random

from assay.core.errors import UnknownName
from assay.core.samples import Answer, Outcome, Sample
from assay.core.validation import require, require_whole
from assay.tasks.games.short_words import WORDS
from assay.tasks.scoring import score_match

Rows = tuple[str, ...]
LEVELS = ("3x3-2", "4x4-2", "5x5-4", "5x5-0")
BANK = 4
"""Words a puzzle lists, for each row: those of one solution, and others."""
_LEVEL = re.compile(r"([345])x\1-([0-9])")
_SQUARE = re.compile(r"[a-z]+(?:[ \t]*[/\n][ \t]*[a-z]+)+")


@dataclass(frozen=True, slots=True)
class WordSquare:
    """A puzzle. A problem for a tree (`techniques.search.tree`); a state is its first rows, from the top.

    A step is a word of the list that keeps the given letters. What reads down is looked at where a column is
    complete: the last word must make words of all columns, and whether that can still come is for a judge to say.
    """

    pattern: str
    """Rows with slashes, a dot for a letter that is not given."""
    bank: Rows

    def __post_init__(self) -> None:
        rows = self.pattern.split("/")
        require(len(rows) > 1 and {len(row) for row in rows} == {len(rows)}, f"'{self.pattern}' is no square.")
        require(all(len(word) == len(rows) for word in self.bank), f"Words of {len(rows)} letters are needed.")

    @property
    def size(self) -> int:
        """Letters of a word."""
        return len(self.pattern.split("/"))

    @property
    def start(self) -> Rows:
        """No row is filled."""
        return ()

    def render(self, state: Rows) -> str:
        """The list, and the square with dots for letters to be found."""
        return "\n".join([f"Words: {', '.join(self.bank)}.", *state, *self.pattern.split("/")[len(state) :]])

    def step(self, state: Rows, line: str) -> Rows | None:
        """The square with one more row; None where the line is no word that may stand there."""
        word = line.strip().casefold()
        return (*state, word) if word in self.moves(state) else None

    def moves(self, state: Rows) -> Rows:
        """Words that may stand in the next row."""
        return () if self.finished(state) else tuple(word for word in self.bank if not self.check((*state, word)))

    def check(self, state: Rows) -> str:
        """The first rule that is broken."""
        for row, given in zip(state, self.pattern.split("/"), strict=False):
            if row not in self.bank:
                return f"'{row}' is not in the list."
            if not _keeps(row, given):
                return f"'{row}' does not keep the given letters {given}."
        wrong = [] if len(state) < self.size else [word for word in _down(state) if word not in self.bank]
        return f"'{wrong[0]}', which reads down, is not in the list." if wrong else ""

    def finished(self, state: Rows) -> bool:
        """Whether every row is filled."""
        return len(state) == self.size

    def told(self, state: Rows) -> str:
        """Rows with slashes between."""
        return "/".join(state)

    def answers(self, text: str) -> bool:
        """Whether a told square is complete and keeps all rules. There may be several."""
        rows = tuple(text.split("/"))
        return len(rows) == self.size and not self.check(rows)


def can_be_finished(puzzle: WordSquare, state: Rows) -> bool:
    """Whether some words complete the square, found by trying them."""
    if puzzle.finished(state):
        return not puzzle.check(state)
    beginnings = {word[: len(state)] for word in puzzle.bank}
    if any(down not in beginnings for down in _down(state)):
        return False
    return any(can_be_finished(puzzle, (*state, word)) for word in puzzle.moves(state))


def _keeps(word: str, given: str) -> bool:
    return len(word) == len(given) and all(g in (".", w) for w, g in zip(word, given, strict=True))


def _down(rows: Rows) -> Rows:
    """What reads down so far."""
    return tuple("".join(column) for column in zip(*rows, strict=False))


# --- the task ------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class WordSquareTask:
    """Level "5x5-4" has words of five letters and four letters given. Any square by the rules is right.

    `meta`: `pattern`, `bank`, and a `seed` for whoever decides at random. The target is the square that the
    puzzle was made of, which reads the same across and down; others are as good.
    """

    levels: tuple[str, ...] = LEVELS
    name: str = "word-square"
    kind: str = "board"
    cue: str = "Therefore, the square (rows separated by slashes) is"
    chance: float | None = None

    def __post_init__(self) -> None:
        for level in self.levels:
            if level not in LEVELS:
                raise UnknownName("level", level, LEVELS)

    def samples(self, n: int, seed: int, level: str | None = None) -> tuple[Sample, ...]:
        """n puzzles of the level (None: the first)."""
        require_whole("n", n, 0, 100_000)
        level = level or self.levels[0]
        if level not in self.levels:
            raise UnknownName("level", level, self.levels)
        return tuple(islice(_generated(level, seed), n))

    def extract(self, text: str) -> str | None:
        """The last rows, with slashes or line ends between, that make a square."""
        for found in reversed(_SQUARE.findall(text.casefold())):
            rows = re.findall("[a-z]+", found)
            if {len(row) for row in rows} == {len(rows)}:
                return "/".join(rows)
        return None

    def score(self, sample: Sample, answer: Answer) -> Outcome:
        """1.0 for a square that keeps the rules; a partial one is 0.0."""
        puzzle = puzzle_of(sample)
        return score_match(sample, answer, self.extract, lambda value, _: puzzle.answers(value))


def puzzle_of(sample: Sample) -> WordSquare:
    """The puzzle of a sample."""
    return WordSquare(str(sample.meta["pattern"]), tuple(sample.meta["bank"]))


def _generated(level: str, seed: int) -> Iterator[Sample]:
    found = _LEVEL.fullmatch(level)
    assert found is not None, "checked when the task was made"
    size, letters = int(found[1]), int(found[2])
    rng = Random(f"word-square/{level}/{seed}")
    seen: set[WordSquare] = set()
    while True:
        square = next(_squares((), size, rng))
        others = rng.sample([word for word in WORDS[size] if word not in square], BANK * size - len(set(square)))
        given = rng.sample([(r, c) for r in range(size) for c in range(size)], letters)
        rows = ("".join(square[r][c] if (r, c) in given else "." for c in range(size)) for r in range(size))
        puzzle = WordSquare("/".join(rows), tuple(sorted({*square, *others})))
        if puzzle not in seen:
            seen.add(puzzle)
            yield _sample(puzzle, square, rng.randrange(2**31))


def _sample(puzzle: WordSquare, square: Rows, seed: int) -> Sample:
    size = puzzle.size
    return Sample(
        id=f"square-{puzzle.pattern.replace('/', '')}-{'-'.join(puzzle.bank)}",
        question=f"Fill the {size}x{size} square so that every row and every column is a word of the list. "
        f"Dots are letters to be found.\n{puzzle.render(puzzle.start)}",
        target=puzzle.told(square),
        meta={"pattern": puzzle.pattern, "bank": puzzle.bank, "seed": seed},
    )


def _squares(rows: Rows, size: int, rng: Random) -> Iterator[Rows]:
    """Squares that read the same across and down, of all words there are, in random order."""
    if len(rows) == size:
        yield rows
        return
    begun = "".join(row[len(rows)] for row in rows)
    words = _by_beginning(size)[begun]
    for word in rng.sample(words, len(words)):
        if all(down in _by_beginning(size) for down in _down((*rows, word))):
            yield from _squares((*rows, word), size, rng)


@cache
def _by_beginning(size: int) -> dict[str, Rows]:
    found: dict[str, list[str]] = {}
    for word in WORDS[size]:
        for at in range(size + 1):
            found.setdefault(word[:at], []).append(word)
    return {begun: tuple(words) for begun, words in found.items()}
