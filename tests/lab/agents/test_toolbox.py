"""The user's own tools run in a process of their own: typed, timed, without secrets, killed where they hang."""

from __future__ import annotations

import asyncio
import json
import os
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from assay.core import BadFile, Use, Used
from assay.core.agents import Parameter
from assay.lab.agents import open_toolbox

GOOD = '''
"""Tools for a test."""
import os, sys, time
from typing import Literal

def price(fruit: Literal["apple", "pear"], pieces: int) -> int:
    """the price of some fruit

    More words that a model is not told.
    """
    print("a word to nobody")
    return {"apple": 3, "pear": 4}[fruit] * pieces

def secret() -> str:
    return str(sorted(name for name in os.environ if "KEY" in name))

def broken(x: float) -> str:
    raise ValueError("no such\\n fruit")

def leave() -> str:
    sys.exit(3)

def die() -> str:
    os._exit(1)

def hang() -> str:
    if os.fork() == 0:
        time.sleep(60)
    time.sleep(60)
    return ""

def long() -> str:
    return "x" * 100_000

def table() -> dict[str, list[int]]:
    return {"a": [1, 2]}

def half() -> str:
    return "a\\ud800b"

def half_a_fault() -> str:
    raise ValueError("c\\udc00d")

def _private() -> None:
    pass
'''


WRAPPED = '''
from functools import cache, wraps
from math import sqrt
from random import choice

@cache
def price(fruit: str) -> int:
    """the price"""
    return 4

class Stock:
    def count(self, fruit: str) -> int:
        """how many there are"""
        return 7

pieces = Stock().count
'''


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "tools.py"
    path.write_text(GOOD)
    return path


def using(file: Path, *requests: Use, passed_on: tuple[str, ...] = ()) -> list[Used]:
    async def work() -> list[Used]:
        box = await open_toolbox(file, passed_on)
        try:
            return [await box.use(request) for request in requests]
        finally:
            await box.close()

    return asyncio.run(work())


def test_public_functions_are_tools_with_types_and_a_line_of_help(file: Path) -> None:
    async def work() -> tuple[object, ...]:
        box = await open_toolbox(file)
        await box.close()
        return box.tools

    tools = {tool.name: tool for tool in asyncio.run(work())}  # type: ignore[attr-defined]
    assert "_private" not in tools
    assert "Literal" not in tools
    assert tools["price"].says == "the price of some fruit"
    assert tools["price"].parameters == (
        Parameter("fruit", choices=("apple", "pear")),
        Parameter("pieces", "integer"),
    )


def test_what_comes_back_is_text_and_a_fault_is_one_sentence(file: Path) -> None:
    price, table, broken, leave, long = using(
        file,
        Use("price", json.dumps({"fruit": "pear", "pieces": 7})),
        Use("table"),
        Use("broken", '{"x": 1}'),
        Use("leave"),
        Use("long"),
    )
    assert (price.text, price.failed) == ("28", False)
    assert json.loads(table.text) == {"a": [1, 2]}
    assert (broken.text, broken.failed) == ("ValueError: no such fruit", True)
    assert (leave.text, leave.failed) == ("SystemExit: 3", True)
    assert long.text.endswith("x [cut]")
    assert len(long.text) < 5000


def test_half_a_character_comes_back_as_a_question_mark(file: Path) -> None:
    half, fault = using(file, Use("half"), Use("half_a_fault"))
    assert (half.text, half.failed) == ("a?b", False)
    assert (fault.text, fault.failed) == ("ValueError: c?d", True)


def test_a_tool_that_hangs_or_dies_is_replaced(file: Path) -> None:
    begun = time.monotonic()
    hung, died, after = using(
        file, Use("hang", seconds=0.5), Use("die"), Use("price", '{"fruit": "apple", "pieces": 1}')
    )
    assert hung.failed
    assert hung.text == "hang was stopped after 0.5 seconds."
    assert died.failed
    assert died.text == "die died without a word."
    assert after.text == "3"
    assert time.monotonic() - begun < 30
    assert not [pid for pid in os.listdir("/proc") if pid.isdigit() and str(file) in _command(pid)]


def _command(pid: str) -> str:
    try:
        return Path(f"/proc/{pid}/cmdline").read_text()
    except OSError:
        return ""


def test_tools_see_nothing_of_the_environment_but_what_is_named(
    file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SECRET_KEY", "x")
    monkeypatch.setenv("SHOP_KEY", "y")
    assert using(file, Use("secret"))[0].text == "[]"
    assert using(file, Use("secret"), passed_on=("SHOP_KEY",))[0].text == "['SHOP_KEY']"


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("def f(x): return x", "the parameter 'x' of f needs a type"),
        ("def f(x: list) -> str: return x", "needs a type"),
        ("def f(*x: int) -> str: return x", "needs a type"),
        ("from typing import Literal\ndef f(x: Literal[1, 2]): return x", "the choices of 'x' of f must be texts"),
        ("async def f() -> str: return ''", "f must be written with def, not with async def"),
        ("async def f() -> str: yield ''", "f must be written with def, not with async def"),
        ("def f() -> str: yield ''", "f must return what it gives, not yield it"),
        ("def finish() -> str: return ''", "finish is always there; call yours something else"),
        ("x = 1", "it defines no function"),
        ("def f(:", "SyntaxError"),
        ("raise SystemExit(2)", "SystemExit"),
        ("import nowhere_to_be_found", "nowhere_to_be_found"),
        ("import os\nos._exit(3)", "it ended while it was being loaded"),
    ],
)
def test_a_file_without_tools_is_refused_in_one_sentence(tmp_path: Path, text: str, says: str) -> None:
    path = tmp_path / "tools.py"
    path.write_text(text)
    with pytest.raises(BadFile, match=says.replace("(", r"\(")):
        using(path)


def test_a_file_that_does_not_load_again_is_what_the_call_gave(tmp_path: Path) -> None:
    path, lock = tmp_path / "tools.py", tmp_path / "lock"
    path.write_text(f"open({str(lock)!r}, 'x')\nimport time\ndef hang() -> str:\n    time.sleep(60)\n")
    hung, after = using(path, Use("hang", seconds=0.5), Use("hang", seconds=0.5))
    assert hung.text == "hang was stopped after 0.5 seconds."
    assert after.failed
    assert "FileExistsError" in after.text
    lock.unlink()


def test_a_function_with_a_cache_and_a_method_are_tools_and_what_is_imported_is_none(tmp_path: Path) -> None:
    path = tmp_path / "tools.py"
    path.write_text(WRAPPED)
    price, pieces = using(path, Use("price", '{"fruit": "pear"}'), Use("pieces", '{"fruit": "pear"}'))
    assert (price.text, pieces.text) == ("4", "7")

    async def names() -> set[str]:
        box = await open_toolbox(path)
        await box.close()
        return {tool.signature for tool in box.tools}

    assert asyncio.run(names()) == {
        "price(fruit: a text) - the price",
        "pieces(fruit: a text) - how many there are",
    }


def test_a_file_that_is_not_there_is_said(tmp_path: Path) -> None:
    with pytest.raises(BadFile, match="there is no such file"):
        using(tmp_path / "nothing.py")


def test_calls_at_the_same_time_do_not_mix(file: Path) -> None:
    async def work() -> list[Used]:
        box = await open_toolbox(file)
        asked: list[Callable[[], Use]] = [
            lambda n=n: Use("price", json.dumps({"fruit": "apple", "pieces": n}))  # type: ignore[misc]
            for n in range(20)
        ]
        try:
            return list(await asyncio.gather(*(box.use(make()) for make in asked)))
        finally:
            await box.close()

    assert [used.text for used in asyncio.run(work())] == [str(3 * n) for n in range(20)]
