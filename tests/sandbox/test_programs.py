"""What both tiers promise of an ordinary program: its value, its output and its end."""

import asyncio
from concurrent.futures import ThreadPoolExecutor

import pytest

from assay.core import Ended, Execute
from assay.sandbox import OUTPUT_BYTES, BlockingSandbox, BubblewrapSandbox
from assay.sandbox.box import read_value


def test_value_of_the_entry_function(sandbox: BlockingSandbox) -> None:
    got = sandbox.execute(Execute("def solution():\n    return 7 / 2", entry="solution"))
    assert (got.ended, got.has_value, got.value, got.tier) == (Ended.OK, True, 3.5, sandbox.name)


def test_value_of_the_last_expression(sandbox: BlockingSandbox) -> None:
    assert sandbox.execute(Execute("x = 4\n(x +\n 1)  # five")).value == 5
    assert sandbox.execute(Execute("é = 'ü'; é + 'x'")).value == "üx"
    assert not sandbox.execute(Execute("x = 4")).has_value
    assert not sandbox.execute(Execute("")).has_value


def test_a_function_that_is_not_defined(sandbox: BlockingSandbox) -> None:
    for code in ("x = 1", "solution = 3"):
        got = sandbox.execute(Execute(code, entry="solution"))
        assert (got.ended, got.has_value) == (Ended.ERROR, False)
        assert got.error == "no function named 'solution'"


def test_nothing_is_left_from_the_program_before(sandbox: BlockingSandbox) -> None:
    first = "def solution(): return 1\nleft = 2\n"
    for _ in range(8):  # every worker
        assert sandbox.execute(Execute(first, entry="solution")).value == 1
    for _ in range(8):
        assert not sandbox.execute(Execute("pass", entry="solution")).has_value
        assert sandbox.execute(Execute("left")).ended is Ended.ERROR


def test_no_file_and_no_patch_is_left(bubblewrap: BubblewrapSandbox) -> None:
    patch = "open('/tmp/left', 'w').write('x')\nimport math, sys, builtins\nmath.pi = 3\nbuiltins.left = 1"
    for _ in range(4):
        assert bubblewrap.execute(Execute(patch)).ended is Ended.OK
        got = bubblewrap.execute(Execute("import math, os\n[os.listdir('/tmp'), math.pi > 3]"))
        assert got.value == [[], True]
        assert bubblewrap.execute(Execute("left")).ended is Ended.ERROR


@pytest.mark.parametrize(
    ("code", "ended", "error"),
    [
        ("x = 1\n1 / 0", Ended.ERROR, "ZeroDivisionError: division by zero (line 2)"),
        ("def f():\n    return missing\nf()", Ended.ERROR, "name 'missing' is not defined"),
        ("x = = 1", Ended.ERROR, "SyntaxError"),
        ("while True: pass", Ended.TIMEOUT, "the program ran longer than 0.5 seconds"),
        ("x = [0] * 10**9", Ended.MEMORY, "MemoryError"),
        ("for _ in range(2000): print('x' * 100)", Ended.OUTPUT, "printed more than 65536 bytes"),
    ],
)
def test_ends(sandbox: BlockingSandbox, code: str, ended: Ended, error: str) -> None:
    got = sandbox.execute(Execute(code, seconds=0.5, memory_mb=64))
    assert got.ended is ended
    assert error in got.error
    assert (got.has_value, got.value) == (False, None)


def test_errors_of_the_entry_function(sandbox: BlockingSandbox) -> None:
    got = sandbox.execute(Execute("def solution():\n    return missing", entry="solution"))
    assert got.error.startswith("NameError: name 'missing' is not defined")
    assert got.error.endswith("(line 2)")


def test_output_is_kept_and_cut_at_the_cap(sandbox: BlockingSandbox) -> None:
    assert sandbox.execute(Execute("print('a'); print(1, 'é', end='')")).stdout == "a\n1 é"
    assert sandbox.execute(Execute("print('seen')\n1 / 0")).stdout == "seen\n"
    long = sandbox.execute(Execute("while True: print('x' * 99)", seconds=2))
    assert long.ended is Ended.OUTPUT
    assert long.stdout == ("x" * 99 + "\n") * (OUTPUT_BYTES // 100) + "x" * (OUTPUT_BYTES % 100)


def test_prints_before_a_timeout_are_kept(bubblewrap: BubblewrapSandbox) -> None:
    got = bubblewrap.execute(Execute("print('seen')\nwhile True: pass", seconds=0.3))
    assert (got.ended, got.stdout) == (Ended.TIMEOUT, "seen\n")


def test_input_reads_the_given_text(sandbox: BlockingSandbox) -> None:
    code = "a = input()\nb = input('b? ')\na + b"
    got = sandbox.execute(Execute(code, stdin="one\ntwo\n"))
    assert (got.value, got.stdout) == ("onetwo", "b? ")
    assert sandbox.execute(Execute(code, stdin="one\n")).ended is Ended.ERROR


def test_standard_input_is_a_file_too(bubblewrap: BubblewrapSandbox) -> None:
    code = "import sys\nsys.stdin.read() + open(0, closefd=False).read()"
    assert bubblewrap.execute(Execute(code, stdin="é" * 100_000)).value == "é" * 100_000


@pytest.mark.parametrize(
    ("code", "value"),
    [
        ("(1, [2.5, None, True], {'a': 'é'})", [1, [2.5, None, True], {"a": "é"}]),
        ("{1: 2}", {"1": 2}),
        ("2 ** 200", 2**200),
        ("0.1 + 0.2", 0.1 + 0.2),
        ("'a\"\\\\' * 300_000", None),
        ("{1, 2}", None),
        ("float('nan')", None),
        ("[1.0, float('inf')]", None),
        ("1j", None),
        ("lambda: 1", None),
        ("10 ** 5000", None),
        ("b'x'", None),
        ("None", None),
        ("class A: pass\nA()", None),
        ("x = [1]\nx.append(x)\nx", None),
    ],
)
def test_values_are_json(sandbox: BlockingSandbox, code: str, value: object) -> None:
    got = sandbox.execute(Execute(code))
    assert (got.ended, got.has_value, got.value) == (Ended.OK, value is not None, value)


@pytest.mark.parametrize(
    "text", ["", "{", "NaN", "[1, -Infinity]", '"\\ud800"', "null", "1" * 5000, "[" * 200 + "]" * 200, "[" * 9**6]
)
def test_text_that_is_no_value(text: str) -> None:
    assert read_value(text) == (False, None)


def test_many_at_once(sandbox: BlockingSandbox) -> None:
    async def all_of_them() -> list[object]:
        requests = [Execute(f"print({n})\nsum(range({n}))") for n in range(20)]
        return [(got.value, got.stdout) for got in await asyncio.gather(*map(sandbox.run, requests))]

    expected = [(sum(range(n)), f"{n}\n") for n in range(20)]
    assert asyncio.run(all_of_them()) == expected
    assert asyncio.run(all_of_them()) == expected  # a second event loop


def test_a_neighbour_in_trouble_changes_nothing(bubblewrap: BubblewrapSandbox) -> None:
    trouble = "import threading, time\nfor _ in range(30): threading.Thread(target=time.sleep, args=(1,)).start()"
    calm = "import threading\nt = threading.Thread(target=print, args=('ok',))\nt.start()\nt.join()"
    with ThreadPoolExecutor(2) as both:
        first = both.submit(bubblewrap.execute, Execute(trouble + "\nwhile True: pass", seconds=1))
        while not first.done():
            assert bubblewrap.execute(Execute(calm)).stdout == "ok\n"
