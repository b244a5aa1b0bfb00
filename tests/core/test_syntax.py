"""Python read as a syntax tree while something else reads as well."""

from __future__ import annotations

import ast
import gc
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import pytest

from assay.core.problems.syntax import literal, parsed

LONG = "x = [" + ", ".join(f"(a{i} + {i}) * b.c[{i}]" for i in range(300)) + "]\n"
PLACES = range(20, 60)
"""How many ends of a collection pass before it: at some depths of the tree the two counts happen to agree."""
COUNTS_FOR_ALL = sys.version_info < (3, 11, 8) or (3, 12) <= sys.version_info < (3, 12, 2)


@contextmanager
def another_in_between(place: int) -> Iterator[list[str]]:
    """A collection of garbage, well inside the long text, parses something: as another thread may do just then."""
    happened: list[str] = []

    def parse(phase: str, info: dict[str, int]) -> None:
        happened.append(phase)
        if len(happened) == place:
            ast.parse("1")

    threshold = gc.get_threshold()
    gc.callbacks.append(parse)
    gc.set_threshold(50)
    try:
        yield happened
    finally:
        gc.set_threshold(*threshold)
        gc.callbacks.remove(parse)


def parses_alone(place: int) -> bool:
    try:
        with another_in_between(place):
            ast.parse(LONG)
    except SystemError as error:
        return "recursion depth mismatch" not in str(error)
    return True


@pytest.mark.parametrize("place", PLACES)
def test_another_parser_in_between_makes_no_difference(place: int) -> None:
    whole = ast.dump(ast.parse(LONG))
    with another_in_between(place) as happened:
        tree = parsed(LONG)
    assert len(happened) > place
    assert ast.dump(tree) == whole


@pytest.mark.skipif(not COUNTS_FOR_ALL, reason="this Python counts each tree by itself")
def test_it_would_without_that_care() -> None:
    assert not all(parses_alone(place) for place in PLACES)


@pytest.mark.parametrize("text", ["f(", "\0", "(" * 300, "-" * 100_000 + "1"])
@pytest.mark.parametrize("read", [parsed, literal])
def test_what_is_no_python_fails_as_it_always_did(read: Callable[[str], object], text: str) -> None:
    with pytest.raises((SyntaxError, ValueError, RecursionError, MemoryError)):
        read(text)


def test_literals_are_those_of_python() -> None:
    for text in ("1", " (1, 'a', None)", "{'a': [-1.5, True]}", "b'x'"):
        assert literal(text) == ast.literal_eval(text)
    with pytest.raises(ValueError, match="malformed"):
        literal("f(1)")
