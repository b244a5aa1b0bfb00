"""Yes/no questions that are certainly true or certainly false, made to order for either answer."""

from __future__ import annotations

from collections.abc import Callable
from random import Random

from assay.tasks.facts.words import all_words, kinds, with_article
from assay.tasks.people import MONTHS, WEEKDAYS

_LETTERS = "abcdefghijklmnopqrstuvwxyz"


def comparison(rng: Random, truth: bool) -> str:
    """Which of two numbers of equal length is larger or smaller."""
    digits = rng.choice((2, 3, 4, 5))
    small, large = sorted(rng.sample(range(10 ** (digits - 1), 10**digits), 2))
    word = rng.choice(("larger", "smaller"))
    first, second = (large, small) if (word == "larger") == truth else (small, large)
    return f"Is {first} {word} than {second}?"


def parity(rng: Random, truth: bool) -> str:
    """Whether a number is even, or odd."""
    number = rng.randint(11, 99_999)
    word = "even" if (number % 2 == 0) == truth else "odd"
    return f"Is {number} an {word} number?"


def letter(rng: Random, truth: bool) -> str:
    """Whether a word contains a letter."""
    word = rng.choice(all_words())
    inside = sorted(set(word))
    wanted = rng.choice(inside if truth else sorted(set(_LETTERS) - set(word)))
    return f"Does the word '{word}' contain the letter '{wanted}'?"


def letter_place(rng: Random, truth: bool) -> str:
    """Whether a word begins or ends with a letter; a wrong letter comes from inside the word."""
    word = rng.choice(all_words())
    place, right = rng.choice((("first", word[0]), ("last", word[-1])))
    wanted = right if truth else rng.choice(sorted(set(word) - {right}))
    return f"Is '{wanted}' the {place} letter of the word '{word}'?"


def alphabet(rng: Random, truth: bool) -> str:
    """The order of two words in a dictionary."""
    early, late = sorted(rng.sample(all_words(), 2))
    word = rng.choice(("before", "after"))
    first, second = (early, late) if (word == "before") == truth else (late, early)
    return f"Does '{first}' come {word} '{second}' in alphabetical order?"


def weekday(rng: Random, truth: bool) -> str:
    """Which day it is in some days' time."""
    return _cycle(rng, truth, WEEKDAYS, "If today is {now}, is it {then} in {n} days?", 60)


def month(rng: Random, truth: bool) -> str:
    """Which month it is in some months' time."""
    return _cycle(rng, truth, MONTHS, "If it is {now} now, is it {then} in {n} months?", 60)


def kind(rng: Random, truth: bool) -> str:
    """Whether a thing is of a kind."""
    sorted_words = kinds()
    own = rng.choice(tuple(sorted_words))
    word = rng.choice(sorted_words[own])
    named = own if truth else rng.choice([other for other in sorted_words if other != own])
    return f"Is {with_article(word)} {with_article(named)}?"


Statement = Callable[[Random, bool], str]

STATEMENTS: tuple[Statement, ...] = (
    comparison,
    parity,
    letter,
    letter_place,
    alphabet,
    weekday,
    month,
    kind,
)


def _cycle(rng: Random, truth: bool, names: tuple[str, ...], form: str, longest: int) -> str:
    now, n = rng.randrange(len(names)), rng.randint(2, longest)
    then = (now + n) % len(names)
    if not truth:
        then = rng.choice([index for index in range(len(names)) if index != then])
    return form.format(now=names[now], then=names[then], n=n)
