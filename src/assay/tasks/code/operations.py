"""What one-line functions do: forty operations on numbers, lists and texts, in words and in Python."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from random import Random
from typing import Any

NUMBER, NUMBERS, TEXT, WORDS, TRUTH = "n", "xs", "s", "words", "truth"
"""Kinds of values; of the first four, also what a parameter is called."""


@dataclass(frozen=True, slots=True)
class Operation:
    """From a value of one kind to a value of another; {x} is the value, {k} a small number drawn anew."""

    name: str
    takes: str
    gives: str
    says: str
    code: str


def _table(takes: str, *rows: tuple[str, str, str, str]) -> tuple[Operation, ...]:
    return tuple(Operation(name, takes, gives, says, code) for name, gives, says, code in rows)


OPERATIONS = (
    *_table(
        NUMBER,
        ("add", NUMBER, "{x} plus {k}", "{x} + {k}"),
        ("subtract", NUMBER, "{x} minus {k}", "{x} - {k}"),
        ("times", NUMBER, "{x} times {k}", "{x} * {k}"),
        ("square", NUMBER, "the square of {x}", "{x} ** 2"),
        ("absolute", NUMBER, "the absolute value of {x}", "abs({x})"),
        ("remainder", NUMBER, "the remainder of {x} divided by {k}", "{x} % {k}"),
        ("at_least", NUMBER, "the larger of {x} and {k}", "max({x}, {k})"),
        ("at_most", NUMBER, "the smaller of {x} and {k}", "min({x}, {k})"),
        ("is_even", TRUTH, "whether {x} is even", "{x} % 2 == 0"),
        ("is_above", TRUTH, "whether {x} is greater than {k}", "{x} > {k}"),
        ("digits", TEXT, "{x} as a string", "str({x})"),
        ("count_up", NUMBERS, "the list of numbers from 1 to {k} plus the absolute value of {x}",
         "list(range(1, abs({x}) + {k} + 1))"),
    ),
    *_table(
        NUMBERS,
        ("length", NUMBER, "the number of items in {x}", "len({x})"),
        ("total", NUMBER, "the sum of {x}", "sum({x})"),
        ("largest", NUMBER, "the largest item of {x}", "max({x})"),
        ("smallest", NUMBER, "the smallest item of {x}", "min({x})"),
        ("first", NUMBER, "the first item of {x}", "{x}[0]"),
        ("last", NUMBER, "the last item of {x}", "{x}[-1]"),
        ("reverse", NUMBERS, "{x} in reverse order", "{x}[::-1]"),
        ("sort", NUMBERS, "{x} sorted from small to large", "sorted({x})"),
        ("sort_down", NUMBERS, "{x} sorted from large to small", "sorted({x}, reverse=True)"),
        ("keep_even", NUMBERS, "the even items of {x}", "[i for i in {x} if i % 2 == 0]"),
        ("keep_above", NUMBERS, "the items of {x} that are greater than {k}", "[i for i in {x} if i > {k}]"),
        ("add_each", NUMBERS, "{x} with {k} added to every item", "[i + {k} for i in {x}]"),
        ("times_each", NUMBERS, "{x} with every item multiplied by {k}", "[i * {k} for i in {x}]"),
        ("take", NUMBERS, "the first {k} items of {x}", "{x}[:{k}]"),
        ("count_above", NUMBER, "how many items of {x} are greater than {k}", "len([i for i in {x} if i > {k}])"),
        ("spread", NUMBER, "the largest item of {x} minus the smallest", "max({x}) - min({x})"),
        ("contains", TRUTH, "whether {k} is in {x}", "{k} in {x}"),
        ("every_second", NUMBERS, "every second item of {x}, beginning with the first", "{x}[::2]"),
    ),
    *_table(
        TEXT,
        ("shout", TEXT, "{x} in upper case", "{x}.upper()"),
        ("mirror", TEXT, "{x} reversed", "{x}[::-1]"),
        ("letters", NUMBER, "the length of {x}", "len({x})"),
        ("repeat", TEXT, "{x} repeated {k} times", "{x} * {k}"),
        ("begin", TEXT, "the first {k} characters of {x}", "{x}[:{k}]"),
        ("end", TEXT, "the last {k} characters of {x}", "{x}[-{k}:]"),
        ("split", WORDS, "the list of words in {x}", "{x}.split()"),
        ("count_a", NUMBER, "how often 'a' occurs in {x}", "{x}.count('a')"),
        ("swap_a", TEXT, "{x} with every 'a' replaced by 'o'", "{x}.replace('a', 'o')"),
        ("is_mirror", TRUTH, "whether {x} reads the same backwards", "{x} == {x}[::-1]"),
    ),
    *_table(
        WORDS,
        ("how_many", NUMBER, "the number of words in {x}", "len({x})"),
        ("longest", TEXT, "the longest word of {x}", "max({x}, key=len)"),
        ("join", TEXT, "the words of {x} joined by a dash", "'-'.join({x})"),
        ("lengths", NUMBERS, "the lengths of the words in {x}", "[len(w) for w in {x}]"),
        ("alphabet", WORDS, "the words of {x} in alphabetical order", "sorted({x})"),
    ),
)  # fmt: skip


def _word(rng: Random) -> str:
    half = "".join(rng.choices("abdeilnrst", k=rng.randint(2, 3)))
    return half + half[::-1] if rng.random() < 0.3 else half + "".join(rng.choices("aeou", k=2))


DRAWS: dict[str, Callable[[Random], Any]] = {
    NUMBER: lambda rng: rng.randint(-9, 20),
    NUMBERS: lambda rng: [rng.randint(-5, 15) for _ in range(rng.randint(3, 6))],
    TEXT: lambda rng: " ".join(_word(rng) for _ in range(rng.randint(1, 3))),
    WORDS: lambda rng: [_word(rng) for _ in range(rng.randint(2, 4))],
}
"""An argument of each kind."""
