"""Small functions that are right, generated, each with calls and what they give.

Every function comes from a template with its names and numbers drawn anew. What a call gives is found by
calling the function: the text is ours, no model's.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from random import Random
from string import Template
from typing import Any

from assay.core.problems.programs import Case

CASES = 4
Draw = Callable[[Random], tuple[Any, ...]]


@dataclass(frozen=True, slots=True)
class Function:
    """A right function and tests that it passes."""

    entry: str
    source: str
    cases: tuple[Case, ...]
    origin: str = ""
    """The template or the library's function it is: functions of one origin are alike."""


def _numbers(rng: Random) -> list[int]:
    return [rng.randint(-9, 30) for _ in range(rng.randint(3, 8))]


def _word(rng: Random) -> str:
    return "".join(rng.choices("abcdeilmnorstu", k=rng.randint(3, 8)))


def _words(rng: Random) -> list[str]:
    return [_word(rng) for _ in range(rng.randint(2, 5))]


def _intervals(rng: Random) -> list[list[int]]:
    starts = [rng.randint(0, 20) for _ in range(rng.randint(2, 5))]
    return [[start, start + rng.randint(1, 6)] for start in starts]


TEMPLATES: tuple[tuple[str, Draw], ...] = (
    (
        '''
def $f($xs, limit=$a):
    """Count the items above a limit."""
    $n = 0
    for $x in $xs:
        if $x > limit:
            $n += 1
    return $n
''',
        lambda rng: (_numbers(rng),),
    ),
    (
        """
def $f($xs):
    # Sums of $k neighbours each.
    $k = min($b, len($xs))
    return [sum($xs[i:i + $k]) for i in range(len($xs) - $k + 1)]
""",
        lambda rng: (_numbers(rng),),
    ),
    (
        """
def $f($words):
    $out = {}
    for $x in $words:
        $n = len($x) % $b
        $out.setdefault(str($n), []).append($x.upper())
    return $out
""",
        lambda rng: (_words(rng),),
    ),
    (
        '''
def $f(text):
    """Run lengths, such as [['a', 2], ['b', 1]] for 'aab'."""
    $out = []
    for $x in text:
        if $out and $out[-1][0] == $x:
            $out[-1][1] += 1
        else:
            $out.append([$x, 1])
    return $out
''',
        lambda rng: ("".join(rng.choices("ab", k=9)),),
    ),
    (
        """
def $f(text, shift=$b):
    $out = ""
    for $x in text:
        if $x.isalpha():
            base = ord("a") if $x.islower() else ord("A")
            $out += chr((ord($x) - base + shift) % 26 + base)
        else:
            $out += $x
    return $out
""",
        lambda rng: (f"{_word(rng).title()} {_word(rng)}!",),
    ),
    (
        """
def $f($n):
    $out = []
    for $x in range(1, $n + 1):
        if $x % ($b * $c) == 0:
            $out.append('both')
        elif $x % $b == 0:
            $out.append('first')
        elif $x % $c == 0:
            $out.append('second')
        else:
            $out.append(str($x))
    return ' '.join($out)
""",
        lambda rng: (rng.randint(5, 30),),
    ),
    (
        """
def $f($n, $m):
    while $m:
        $n, $m = $m, $n % $m
    return abs($n) * $b
""",
        lambda rng: (rng.randint(1, 90), rng.randint(1, 90)),
    ),
    (
        """
def $f(text):
    $out = {}
    for $x in text.split(';'):
        if '=' not in $x:
            continue
        key, value = $x.split('=', 1)
        try:
            $out[key.strip()] = int(value) + $b
        except ValueError:
            $out[key.strip()] = value.strip()
    return $out
""",
        lambda rng: (f"{_word(rng)}={rng.randint(0, 99)}; {_word(rng)} = {_word(rng)};x",),
    ),
    (
        """
def $f($xs):
    lines = []
    for number, $x in enumerate($xs, start=$b):
        lines.append(f"{number:>3}: {$x[:$c]}")
    return "\\n".join(lines)
""",
        lambda rng: (_words(rng),),
    ),
    (
        '''
def $f($xs, $n):
    """Where $n stands in a sorted list, or -1."""
    low, high = 0, len($xs) - 1
    while low <= high:
        mid = (low + high) // 2
        if $xs[mid] == $n:
            return mid
        if $xs[mid] < $n:
            low = mid + 1
        else:
            high = mid - 1
    return -1
''',
        lambda rng: (sorted(set(_numbers(rng))), rng.randint(-9, 30)),
    ),
    (
        """
def $f($n):
    sieve = [True] * ($n + 1)
    for $x in range(2, int($n ** 0.5) + 1):
        if sieve[$x]:
            for $m in range($x * $x, $n + 1, $x):
                sieve[$m] = False
    return [$x for $x in range(2, $n + 1) if sieve[$x]][-$b:]
""",
        lambda rng: (rng.randint(10, 80),),
    ),
    (
        """
def $f($xs):
    $out = []
    for start, end in sorted(tuple($x) for $x in $xs):
        if $out and start <= $out[-1][1]:
            $out[-1][1] = max($out[-1][1], end)
        else:
            $out.append([start, end])
    return $out
""",
        lambda rng: (_intervals(rng),),
    ),
    (
        """
def $f(text):
    pairs = {')': '(', ']': '['}
    $out = []
    for $x in text:
        if $x in '([':
            $out.append($x)
        elif $x in pairs:
            if not $out or $out.pop() != pairs[$x]:
                return False
    return not $out
""",
        lambda rng: (rng.choice(["([])", "([)]", "()[]a", "((", "x]", "[(b)]"]) + rng.choice(["", "()", "]"]),),
    ),
    (
        """
def $f($xs, total=$a):
    seen = {}
    for $n, $x in enumerate($xs):
        if total - $x in seen:
            return [seen[total - $x], $n]
        seen[$x] = $n
    return None
""",
        lambda rng: (_numbers(rng),),
    ),
    (
        '''
def $f($n):
    """Roman numerals."""
    table = [(10, 'X'), (9, 'IX'), (5, 'V'), (4, 'IV'), (1, 'I')]
    $out = ''
    for value, sign in table:
        while $n >= value:
            $out += sign
            $n -= value
    return $out
''',
        lambda rng: (rng.randint(1, 39),),
    ),
    (
        """
def $f($xs):
    $xs = list($xs)
    for $n in range(len($xs)):
        for $m in range(len($xs) - 1 - $n):
            if $xs[$m] > $xs[$m + 1]:
                $xs[$m], $xs[$m + 1] = $xs[$m + 1], $xs[$m]
    return $xs[:$b] + $xs[-$c:]
""",
        lambda rng: (_numbers(rng),),
    ),
    (
        """
def $f(rows):
    width = max(len($x) for $x in rows)
    padded = [$x + [$b] * (width - len($x)) for $x in rows]
    return [[$x[$n] for $x in padded] for $n in range(width)]
""",
        lambda rng: ([_numbers(rng)[: rng.randint(1, 3)] for _ in range(rng.randint(2, 3))],),
    ),
    (
        """
def $f(text, drop="aeiou"):
    kept = [$x for $x in text.lower() if $x not in drop]
    if len(kept) > $c:
        kept = kept[:$c] + ["..."]
    return "".join(kept).strip()
""",
        lambda rng: (" ".join(_words(rng)),),
    ),
    (
        """
def $f($xs):
    if not $xs:
        return [0, 0, 0]
    mean = sum($xs) / len($xs)
    below = [$x for $x in $xs if $x < mean]
    return [len(below), max($xs) - min($xs), round(mean * $b, 2)]
""",
        lambda rng: (_numbers(rng),),
    ),
    (
        """
def $f($n, $m=$b):
    digits = []
    while $n > 0:
        digits.append($n % ($m + 1))
        $n //= ($m + 1)
    return list(reversed(digits)) or [0]
""",
        lambda rng: (rng.randint(0, 500),),
    ),
    (
        """
class _Stack:
    def __init__(self):
        self.items = [$a]

    def push(self, $x):
        self.items.append($x)

    def pop(self):
        return self.items.pop() if self.items else 0


def $f(text):
    stack = _Stack()
    for $x in text.split():
        if $x == '+':
            stack.push(stack.pop() + stack.pop())
        elif $x == '*':
            stack.push(stack.pop() * stack.pop())
        else:
            stack.push(int($x))
    return stack.pop()
""",
        lambda rng: (f"{rng.randint(1, 9)} {rng.randint(1, 9)} {rng.choice('+*')} {rng.randint(1, 9)} +",),
    ),
)
NAMES = {
    "f": ("solve", "compute", "process", "convert", "handle", "transform", "evaluate"),
    "xs": ("items", "values", "numbers", "data", "entries"),
    "words": ("words", "names", "tokens", "parts"),
    "x": ("item", "x", "value", "entry", "element"),
    "n": ("n", "count", "index", "number", "i"),
    "m": ("m", "other", "j", "step"),
    "k": ("k", "size", "window"),
    "out": ("result", "out", "answer", "found"),
}


def made(rng: Random) -> Function:
    """A function from a template, with names and numbers of its own."""
    at = rng.choice(range(len(TEMPLATES)))
    template, draw = TEMPLATES[at]
    names = {key: rng.choice([n for n in pool if n != "value" or key != "x"]) for key, pool in NAMES.items()}
    numbers = {"a": rng.randint(3, 20), "b": rng.randint(2, 5), "c": rng.randint(6, 9)}
    source = Template(template.lstrip("\n")).substitute(names, **{k: str(v) for k, v in numbers.items()})
    namespace: dict[str, Any] = {}
    exec(source, namespace)
    calls = dict.fromkeys(_call(names["f"], draw(rng)) for _ in range(CASES))
    cases = tuple(Case(call, repr(eval(call, namespace))) for call in calls)
    return Function(names["f"], source, cases, f"template-{at}")


def _call(entry: str, arguments: tuple[Any, ...]) -> str:
    return f"{entry}({', '.join(map(repr, arguments))})"
