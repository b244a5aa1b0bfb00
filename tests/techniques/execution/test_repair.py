"""Repair of Python that does not parse: the source's greedy one, and the one by fewest edits."""

from __future__ import annotations

import ast
import inspect
import textwrap
import time
from collections.abc import Callable
from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from assay.techniques.execution.repairing import repair as greedy
from assay.techniques.execution.repairing.minimal_repair import minimal_repair
from assay.techniques.execution.repairing.repair import Repaired, fenced_code, repair
from assay.techniques.execution.repairing.source_text import brackets, fault_of, scan

REPAIRERS = [repair, minimal_repair]
VALID = [
    "x = 1\n",
    "",
    "# nothing\n",
    "def f(x):\n\treturn x\n",
    "def f(x):\r\n    return x\r\n",
    inspect.getsource(textwrap),
    inspect.getsource(ast),
    "async def f():\n    await g()\n",
    "s = '''```python\nx\n```'''\n",
]

BOTH = [
    ("def f(x)\n    return x\n", "def f(x):\n    return x\n"),
    ("if x == 1  # one\n    y = 2\n", "if x == 1:  # one\n    y = 2\n"),
    ("def f(\n    a,\n    b\n)\n    return a\n", "def f(\n    a,\n    b\n):\n    return a\n"),
    ("x = f(1]\n", "x = f(1)\n"),
    ("x = 'abc\ny = 2\n", "x = 'abc'\ny = 2\n"),
    ("```python\nx = 1\n```\n", "x = 1\n"),
    ("Sure:\n\n```py\nx = 1\n```\nDone.", "x = 1\n"),
    ("x = 1\n```\nThat is all.", "x = 1\n"),
    ("\ufeffdef f(x)\r\n    return x\r\n", "def f(x):\n    return x\n"),
    ("x = 1\x00\n", "x = 1\n"),
    ("s = 'a\x00b'\n", "s = 'ab'\n"),
    ("def f(x)\n    y\u00a0=\u200b x\n    return y\n", "def f(x):\n    y = x\n    return y\n"),
    ("def f(x):\n    y = x\n      return y\n", "def f(x):\n    y = x\n    return y\n"),
]


@pytest.mark.parametrize("mend", REPAIRERS)
@pytest.mark.parametrize(("faulty", "right"), BOTH)
def test_what_both_repair_alike(mend: Callable[[str], Repaired], faulty: str, right: str) -> None:
    found = mend(faulty)
    assert (found.ok, found.text, found.deleted) == (True, right, ())
    assert found.changes


@pytest.mark.parametrize("mend", REPAIRERS)
def test_what_strings_and_comments_hold_stays(mend: Callable[[str], Repaired]) -> None:
    odd = "a\u200bb\u00a0c\u200dd\x0ce\ufefff"
    head = f"s = \"{odd}\"  # {odd}\nt = '''{odd}\n{odd}'''\n"
    found = mend(f"{head}def f(x)\n    return x\n")
    assert found.text == f"{head}def f(x):\n    return x\n"
    assert found.changes == ("line 4: a colon added",)


@pytest.mark.parametrize("mend", REPAIRERS)
@pytest.mark.parametrize("source", VALID, ids=range(len(VALID)))
def test_what_parses_comes_back_as_it_was(mend: Callable[[str], Repaired], source: str) -> None:
    assert mend(source) == Repaired(source, True)


@pytest.mark.parametrize(
    ("faulty", "right"),
    [
        # What the greedy repair gets wrong, or can only delete.
        ("def f(x):\nreturn x\n", "def f(x):\n    return x\n"),
        ("def f(xs):\n    return sum(lenxs) for x in xs)\n", "def f(xs):\n    return sum(len(xs) for x in xs)\n"),
        ("def f(x):\n    return ', .join(x)\n", "def f(x):\n    return ', '.join(x)\n"),
        ("def f(x):\n    return {'a: 1, 'b': x}\n", "def f(x):\n    return {'a': 1, 'b': x}\n"),
        ("def f(x):\n    print(hello')\n    return x\n", "def f(x):\n    print('hello')\n    return x\n"),
        ('def f(x):\n    """Doc.""\n    return x\n', 'def f(x):\n    """Doc."""\n    return x\n'),
        ("def f(x):\n    y = f(x[0)\n    return y\n", "def f(x):\n    y = f(x[0])\n    return y\n"),
        ("def countOfa, b):\n    return a + b\n", "def countOf(a, b):\n    return a + b\n"),
        (
            "def f(xs):\n    t = 0\n    for x in xs:\n        t += x\n      return t\n",
            "def f(xs):\n    t = 0\n    for x in xs:\n        t += x\n    return t\n",
        ),
        # Where a text breaks off.
        ("def f(x):\n    return g(x, [1", "def f(x):\n    return g(x, [1])\n"),
        ("def f(x):\n    y = x\n    for i in x:\n", "def f(x):\n    y = x\n    for i in x: pass\n"),
    ],
)
def test_the_fewest_edits_are_found(faulty: str, right: str) -> None:
    found = minimal_repair(faulty)
    assert found.ok
    assert ast.dump(ast.parse(found.text)) == ast.dump(ast.parse(right))


def test_two_faults_take_two_edits() -> None:
    found = minimal_repair("def f(x)\n    return [x, g(x]\n")
    assert found.text == "def f(x):\n    return [x, g(x)]\n"
    assert len(found.changes) == 2


def test_the_faulty_line_is_deleted_as_a_last_resort_and_only_if_allowed() -> None:
    faulty = "x = 1\nthis is no python at all\ny = 2\n"
    assert repair(faulty).text == "x = 1\ny = 2\n"
    assert repair(faulty).deleted == ("this is no python at all",)
    kept = repair(faulty, delete=False)
    assert (kept.ok, kept.text) == (False, faulty)
    assert "line 2" in kept.reason


def test_the_fewest_edits_never_delete_a_line() -> None:
    faulty = "x = 1\nthis is ? no $ python ! at all (\ny = 2\n"
    found = minimal_repair(faulty)
    assert (found.ok, found.text, found.deleted) == (False, faulty, ())
    assert found.reason


def test_the_words_of_the_error_are_not_read(monkeypatch: pytest.MonkeyPatch) -> None:
    """Every version of Python words them anew: with other words the same repairs are made."""
    real, words = ast.parse, [repair(faulty).text for faulty, _ in BOTH]

    def reworded(*arguments: object) -> object:
        try:
            return real(*arguments)  # type: ignore[call-overload]
        except SyntaxError as error:
            raise type(error)("?", *error.args[1:]) from None

    monkeypatch.setattr(ast, "parse", reworded)
    assert [repair(faulty).text for faulty, _ in BOTH] == words


@pytest.mark.parametrize("line", [None, 0, 10**9])
def test_a_parser_that_names_no_place_is_no_crash(monkeypatch: pytest.MonkeyPatch, line: int | None) -> None:
    def lost(*arguments: object) -> None:
        raise SyntaxError("?", ("<text>", line, None, None))

    monkeypatch.setattr(ast, "parse", lost)
    for mend in REPAIRERS:
        found = mend("x = 1\n")  # type: ignore[operator]
        assert (found.ok, found.text) == (False, "x = 1\n")
        assert line or mend is minimal_repair or found.reason == "The parser names no place."


def test_steps_are_bounded() -> None:
    faulty = "this is no python\n" * 30
    assert not repair(faulty, most=10).ok
    assert repair(faulty, most=100).text == ""


def test_a_text_is_never_returned_to(monkeypatch: pytest.MonkeyPatch) -> None:
    """A repair that adds what the next step drops would go on for ever."""
    seen: list[str] = []
    real = greedy.fault_of
    monkeypatch.setattr(greedy, "fault_of", lambda text: (seen.append(text), real(text))[1])
    repair("def f(\n    ) ] } x = '\n  ((\n]\n")
    tried = [text for text in seen if text != seen[0]]
    assert len(tried) == len(set(tried))


@pytest.mark.slow
@pytest.mark.parametrize("mend", REPAIRERS)
@pytest.mark.parametrize(
    "text",
    [
        "x = 1\n" * 170_000 + "if x\n    y = 2\n",
        "(((" * 333_000,
        "'" * 1_000_001,
    ],
    ids=["one colon", "brackets", "quotes"],
)
def test_a_megabyte_is_done_in_time(mend: Callable[[str], Repaired], text: str) -> None:
    began = time.process_time()
    mend(text)
    assert time.process_time() - began < 45


PIECES = st.sampled_from(
    [
        *("def f(x):", "if ", "else", "for ", " in ", "return", "lambda", "x", "1", "é", "=", "+", ".", ":", ","),
        *("    ", "\t", "\n", "\r", "\x00", "\ufeff", "\ud800", "\\", "#", "```", "```python"),
        *("(", ")", "[", "]", "{", "}", "'", '"', '"""'),
    ]
)


@pytest.mark.parametrize("mend", REPAIRERS)
@settings(max_examples=60, deadline=None)
@given(st.lists(PIECES, max_size=40).map("".join))
def test_nothing_raises_and_what_is_called_repaired_parses(mend: Callable[[str], Repaired], text: str) -> None:
    found = mend(text)
    if found.ok:
        assert fault_of(found.text) is None
        assert mend(found.text) == Repaired(found.text, True)
    else:
        assert found.text == text
        assert found.reason


@given(st.lists(PIECES, max_size=40).map("".join))
def test_tokens_stand_in_order_and_never_overlap(text: str) -> None:
    tokens = scan(text)
    assert all(text[token.start : token.end] == token.text for token in tokens)
    assert all(left.end <= right.start for left, right in pairwise(tokens))


def test_brackets_pair_as_python_pairs_them() -> None:
    assert brackets(scan("f(a[1], {2: ')'})")).count == 0
    assert [token.text for token in brackets(scan("f(a[1)")).unclosed] == ["["]
    assert [token.text for token in brackets(scan("f(a\nreturn x)")).unclosed] == ["("]
    assert [(a.text, b.text) for a, b in brackets(scan("(1]")).crossed] == [("(", "]")]


@pytest.mark.parametrize(
    ("reply", "code"),
    [
        ("no fence", "no fence"),
        ("```\nx = 1\n```", "x = 1\n"),
        ("```python\nnot python here\n```\nor\n```python\nx = 1\n```", "x = 1\n"),
        ("```python\nx = 1", "x = 1"),
        ("x = 1\n```\nwords", "x = 1\n"),
        ("a\n```python\nb c\n```\n```python\nb c d\n```", "b c d\n"),
    ],
)
def test_the_code_of_a_reply(reply: str, code: str) -> None:
    assert fenced_code(reply) == code
