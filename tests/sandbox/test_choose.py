"""A result must not depend on the tier: ordinary programs give the same on both, and in between."""

import asyncio

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from assay.core import Ended, Execute
from assay.sandbox import AutomaticSandbox, BubblewrapSandbox, MontySandbox, inside_subset

ORDINARY = [
    "def solution():\n    apples = 23\n    used = 20\n    bought = 6\n    return apples - used + bought",
    "def solution():\n    return 7 / 2",
    "def solution():\n    return -7 // 2, -7 % 3, 7 // -2, divmod(-7, 2)",
    "def solution():\n    return 2 ** 200 - 3 ** 100",
    "def solution():\n    return 0.1 + 0.2",
    "def solution():\n    return 1.05 ** 10 * 1000",
    "def solution():\n    return 7.5 // 2, -7.5 % 2, 2 ** -2, 2 ** 0.5",
    "import math\ndef solution():\n    return math.sqrt(2), math.floor(-2.5), math.ceil(2.1), math.pi",
    "import math\ndef solution():\n    return math.gcd(12, 18), math.factorial(25), math.comb(10, 3)",
    "from math import isqrt\ndef solution():\n    return isqrt(10 ** 30)",
    "def solution():\n    total = 0\n    for i in range(1, 101):\n        total += i\n    return total",
    "def solution():\n    x = 27\n    n = 0\n    while x != 1:\n        x = x // 2 if x % 2 == 0 else 3 * x + 1\n"
    "        n += 1\n    return n",
    "def fib(n):\n    return n if n < 2 else fib(n - 1) + fib(n - 2)\ndef solution():\n    return fib(12)",
    "def solution():\n    memo = {}\n    def f(n):\n        if n not in memo:\n"
    "            memo[n] = 1 if n < 2 else f(n - 1) + f(n - 2)\n        return memo[n]\n    return f(90)",
    "def solution():\n    return [n for n in range(2, 50) if all([n % d for d in range(2, n)])]",
    "def solution():\n    return {k: v * 2 for k, v in zip('abc', [1, 2, 3])}",
    "def solution():\n    words = 'the cat sat on the mat'.split()\n    counts = {}\n    for word in words:\n"
    "        counts[word] = counts.get(word, 0) + 1\n    return counts",
    "def solution():\n    return sorted(['pear', 'fig', 'apple'], key=lambda w: (len(w), w))",
    "def solution():\n    return 'abc'[::-1] + 'x' * 3 + 'Hi'.upper().replace('H', 'J')",
    "def solution():\n    return int('42') + int(3.99) + int('101', 2) + float('1e3')",
    "def solution():\n    return round(2.5), round(3.5), round(-1.5), abs(-3)",
    "def solution():\n    return str(1e16) + str(1e-5) + str(100.0) + str(-0.0)",
    "def solution():\n    return f'{3.14159:.2f} {1234567:,} {5:03d} {0.256:.1%} {7:>4}|'",
    "def solution():\n    a, *b = [1, 2, 3]\n    a, b = b, a\n    return [a, b]",
    "def solution():\n    digits = [int(c) for c in str(2 ** 40)]\n    return max(digits), len(digits)",
    "def solution():\n    grid = [[0] * 3 for _ in range(3)]\n    grid[1][2] = 5\n    return grid",
    "def solution():\n    return 1 < 2 < 3, not 1, 1 and 0 or 5, 'a' in 'abc', None == 0",
    "def solution():\n    stack = [1, 2, 3]\n    stack.append(stack.pop() + stack.pop(0))\n    return stack",
    "def solution():\n    for i in range(5):\n        if i == 3:\n            break\n    else:\n"
    "        i = 9\n    return i",
    "def solution():\n    return pow(3, 100, 7), pow(2, 10), chr(97), ord('z')",
    "def add(a, b=2, *rest, c=3, **more):\n    return a + b + c + len(rest) + len(more)\n"
    "def solution():\n    return add(1), add(1, 2, 3, 4), add(1, c=5, d=6)",
    "def solution():\n    x = [3, 1, 2]\n    y = x\n    y.sort(reverse=True)\n    return x, list(reversed(x))",
    "def solution():\n    pairs = []\n    for i, c in enumerate('ab', 1):\n"
    "        pairs.append((i, c))\n    return pairs",
    "total = 3 * 4\nprint('The answer is', total)\nprint(total / 5, [1, 'a', 2.5, None, True], (1,), {'k': [1]})",
    "print(1, 2, sep='-', end='!\\n')\nprint()\nprint(10 ** 30, -7 // 2, 1e22, 1 / 3)",
    "assert 2 + 2 == 4\nassert [1] + [2] == [1, 2], 'lists'",
    "x = 10\nif x > 5:\n    print('big')\nelif x > 2:\n    print('mid')\nelse:\n    print('small')\nx",
    "12 * (3 + 4) - 5",
    "1 / 0",
    "def solution():\n    return undefined_name + 1",
    "assert 1 == 2, 'they differ'",
    "def solution():\n    return [1, 2][5]",
    "def solution():\n    return int('x')",
    "def solution():\n    return None",
    "def solution():\n    return {1: 'a', 2.5: 'b'}",
    "def solution():\n    return float('inf')",
    "if __name__ == '__main__':\n    print('main')",
]


def request(code: str) -> Execute:
    return Execute(code, entry="solution" if "def solution" in code else "")


@pytest.mark.parametrize("code", ORDINARY)
def test_ordinary_programs_do_not_depend_on_the_tier(
    code: str, monty: MontySandbox, bubblewrap: BubblewrapSandbox
) -> None:
    quick, full = monty.execute(request(code)), bubblewrap.execute(request(code))
    assert (quick.ended, quick.has_value, quick.stdout) == (full.ended, full.has_value, full.stdout)
    assert repr(quick.value) == repr(full.value)  # 1 is not 1.0
    assert (quick.tier, full.tier) == ("monty", "bubblewrap")


def test_most_of_them_are_snippets() -> None:
    assert sum(map(inside_subset, ORDINARY)) >= len(ORDINARY) * 3 // 4


# Each of these runs on monty with another result than CPython's.
DIFFERENT = [
    "round(2.675, 2)",
    "pairs = zip([1], [2])\nlist(pairs)\nlist(pairs)",
    "numbers = (n for n in [1, 2])\nlist(numbers)\nlist(numbers)",
    "(n for n in [1, 2])",
    "print(map(str, [1]))",
    "def f(x: Missing): return 1\nf(2)",
    "x: Missing = 3\nx",
    "def f(x: 1 / 0): return 1\nf(2)",
    "def f(x: y): return 1\ny = 3\nf(2)",
    "try:\n    x = pow(3, -1, 7)\nexcept ValueError:\n    x = 0\nx",
    "'\\ud800'",
    "def noisy(x):\n    print(x)\n    return x\nany(noisy(x) for x in [1, 2])",
    "str((-258.5) ** 5)",
    "print((-258.5) ** 5)",
    "f'{(920.485 ** 9) ** 0.5:,}'",
    "def f():\n    f.calls = 1\nf()\nf.calls",
    "sorted([2, 1], reverse=None)",
    "numbers = [2, 1]\nnumbers.sort(reverse=None)\nnumbers",
    "'aaa'.replace('a', 'o', count=1)",
    "f'{None:>5}'",
    "pair = (1, 2)\nf'{pair:>5}'",
    "'abc'.find('', 5)",
    "'a'.count('', 5)",
    "'abc'.endswith('', 10 ** 20)",
    "[float('nan')] == [float('nan')]",
    "{1: 'a', True: 'b', 1.0: 'c'}",
]


@pytest.mark.parametrize("code", DIFFERENT)
def test_where_monty_differs_cpython_is_asked(
    code: str, monty: MontySandbox, bubblewrap: BubblewrapSandbox, automatic: AutomaticSandbox
) -> None:
    got, full = asyncio.run(automatic.run(Execute(code))), bubblewrap.execute(Execute(code))
    assert got.tier == "bubblewrap"
    assert (got.ended, got.value, got.error) == (full.ended, full.value, full.error)
    quick = monty.execute(Execute(code))
    if "map" not in code:  # CPython prints an address there
        assert (quick.value, quick.stdout, quick.ended) != (full.value, full.stdout, full.ended)


def test_a_snippet_goes_to_monty_and_a_program_to_cpython(automatic: AutomaticSandbox) -> None:
    tiers = {
        "2 + 2": "monty",
        "import math\nmath.gcd(4, 6)": "monty",
        "import heapq\nheapq.heappop([1])": "bubblewrap",
        "def f():\n    yield 1\nlist(f())": "bubblewrap",
        "class A:\n    pass\n1": "bubblewrap",
        "1 / 0": "bubblewrap",
        "def double(n: int) -> int:\n    return 2 * n\ndouble(2)": "monty",
    }
    assert {code: asyncio.run(automatic.run(Execute(code))).tier for code in tiers} == tiers


@pytest.mark.parametrize(
    "code",
    [
        "return 'true'",
        "def check(f):\n    assert f(1) == 2\nreturn 'true'",
        "if 1:\n    return 'true'",
        "[i := 1 for i in [1, 2]]",
        "await f()",
        "nonlocal x",
        "f(",
    ],
)
def test_what_cpython_would_not_begin_is_begun_nowhere(
    code: str, monty: MontySandbox, bubblewrap: BubblewrapSandbox
) -> None:
    """A `return` outside of functions ends a program in monty, before its tests, with any value it likes."""
    assert not inside_subset(code)
    for sandbox in (monty, bubblewrap):
        for entry in ("", "solution"):
            got = sandbox.execute(Execute(f"{code}\ndef solution():\n    return 1", entry=entry))
            assert (got.ended, got.has_value) == (Ended.ERROR, False)
            assert got.error.startswith(("SyntaxError: ", "ValueError: "))


def test_slow_for_monty_is_not_a_timeout(automatic: AutomaticSandbox) -> None:
    code = "n = 0\nwhile n < 3_000_000:\n    n += 1\nn"
    got = asyncio.run(automatic.run(Execute(code, seconds=20)))
    assert (got.ended, got.value) == (Ended.OK, 3_000_000)


def test_input_goes_to_cpython(automatic: AutomaticSandbox) -> None:
    got = asyncio.run(automatic.run(Execute("int(input()) + 1", stdin="41\n")))
    assert (got.value, got.tier) == (42, "bubblewrap")


NUMBERS = st.one_of(
    st.integers(-(10**25), 10**25),
    st.integers(-20, 20),
    st.floats(-1e6, 1e6, allow_nan=False).map(lambda x: round(x, 3)),
    st.floats(allow_nan=False, allow_infinity=False),
).map(lambda n: f"({n!r})")
EXPRESSIONS = st.recursive(
    NUMBERS,
    lambda inner: st.one_of(
        st.builds("({} {} {})".format, inner, st.sampled_from(["+", "-", "*", "/", "//", "%", "<", "=="]), inner),
        st.builds("({} ** {})".format, inner, st.sampled_from(["2", "3", "-1", "0.5", "5"])),
        st.builds("{}({})".format, st.sampled_from(["int", "float", "abs", "round", "str"]), inner),
        st.builds("f'{{{}:{}}}'".format, NUMBERS, st.sampled_from([".2f", "g", ",", ".1%", ".3e", ",.2f"])),
    ),
    max_leaves=8,
)


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(code=EXPRESSIONS)
def test_arithmetic_does_not_depend_on_the_tier(
    code: str, automatic: AutomaticSandbox, bubblewrap: BubblewrapSandbox
) -> None:
    got, full = asyncio.run(automatic.run(Execute(code))), bubblewrap.execute(Execute(code))
    assert (got.ended, repr(got.value), got.error) == (full.ended, repr(full.value), full.error)
