"""Goat's chains: a product or a quotient worked out by place value, and the check of every step.

Source: Liu and Low 2023, https://arxiv.org/abs/2305.14201, and their generator
https://github.com/liutiedong/goat (`dataset.ipynb`).

    37*3066=   3066*(30+7)=3066*30+3066*7=91980+21462=113442
    5697/47=   5697-47*100=5697-4700=997;997-47*20=997-940=57;57-47*1=57-47=10;121R10

Writing and checking share only the rule when there is no chain and a quotient's last line: the check parses
what it reads and derives each number anew from the prompt. Departures: no spaces, ";" for the line break, and
"Therefore, 5697 / 47 =" is left out.
"""

from __future__ import annotations

import re
from itertools import accumulate

from assay.core.errors import BadRequest

STAGES = ("split", "expand", "products", "term-by-term")
"""What can be left out of a product's chain; of a quotient's, "products"."""

# No leading zeros, and short enough for `int`.
_N = r"(?:0|[1-9][0-9]{0,99})"
_PROMPT = re.compile(rf"({_N})([*/])({_N})=")
_SPLIT = re.compile(rf"({_N})\*\(({_N}(?:\+{_N})*)\)")
_EXPANSION = re.compile(rf"{_N}\*{_N}(?:\+{_N}\*{_N})*")
_SUM = re.compile(rf"{_N}(?:\+{_N})*")
_SUBTRACTION = re.compile(rf"({_N})-({_N})\*({_N})=({_N})-({_N})=({_N})")
_SHORT_SUBTRACTION = re.compile(rf"({_N})-({_N})\*({_N})=({_N})")


# --- writing


def chain_of_product(a: int, b: int, without: tuple[str, ...] = ()) -> str:
    """The chain for a * b: the larger first, the smaller split by place value, zero digits skipped.

    Where either is a digit and zeros the answer stands alone, as in the paper's generator.
    """
    a, b = max(a, b), min(a, b)
    if _one_digit_and_zeros(a) or _one_digit_and_zeros(b):
        return str(a * b)
    digits = str(b)
    terms = [int(digit) * 10 ** (len(digits) - at - 1) for at, digit in enumerate(digits) if digit != "0"]
    products = [a * term for term in terms]
    stages = []
    if "split" not in without:
        stages.append(f"{a}*({'+'.join(map(str, terms))})")
    if "expand" not in without:
        stages.append("+".join(f"{a}*{term}" for term in terms))
    if "products" not in without:
        stages.append("+".join(map(str, products)))
    if "term-by-term" not in without:
        left = products
        while len(left) > 2:
            left = [left[0] + left[1], *left[2:]]
            stages.append("+".join(map(str, left)))
    stages.append(str(a * b))
    return "=".join(stages)


def chain_of_quotient(a: int, b: int, without: tuple[str, ...] = ()) -> str:
    """The chain for a / b, b not 0: b times a digit and zeros is subtracted again and again.

    Where the quotient is 0, or a equals b, the answer stands alone, as in the paper's generator.
    """
    answer = quotient_text(a, b)
    if a <= b:
        return answer
    lines = []
    digits = str(a // b)
    left = a
    for at, digit in enumerate(digits):
        if digit != "0":
            part = int(digit) * 10 ** (len(digits) - at - 1)
            product = b * part
            middle = "" if "products" in without else f"{left}-{product}="
            lines.append(f"{left}-{b}*{part}={middle}{left - product}")
            left -= product
    return ";".join([*lines, answer])


def quotient_text(a: int, b: int) -> str:
    """ "121R10", "121" without a remainder, "undefined" for b = 0."""
    if b == 0:
        return "undefined"
    quotient, remainder = divmod(a, b)
    return f"{quotient}R{remainder}" if remainder else str(quotient)


# --- checking


def check_chain(prompt: str, reply: str, without: tuple[str, ...] = ()) -> tuple[list[bool], int]:
    """Per written step whether it is the one that follows from the prompt; and how many there should be.

    A step that goes on rightly from a wrong one is wrong: every number is compared with the true one.
    `BadRequest` for a prompt that is no "12*34=" or "56/7=".
    """
    found = _PROMPT.fullmatch(prompt)
    if found is None:
        raise BadRequest(f"{prompt!r} is no product and no quotient.")
    a, b = int(found[1]), int(found[3])
    if found[2] == "*":
        return _check_product(max(a, b), min(a, b), reply.split("="), without)
    return _check_quotient(a, b, reply.split(";"), without)


def _check_product(a: int, b: int, steps: list[str], without: tuple[str, ...]) -> tuple[list[bool], int]:
    places = _places(b)
    partial = [a * place for place in places]
    sums = list(accumulate(partial))
    wanted: list[tuple[str, list[int]]] = [("sum", [a * b])]
    if not (_one_digit_and_zeros(a) or _one_digit_and_zeros(b)):
        stages = [("split", "split", places), ("expand", "expand", places), ("products", "sum", partial)]
        wanted = [(kind, numbers) for name, kind, numbers in stages if name not in without]
        if "term-by-term" not in without:
            wanted += [("sum", [sums[done], *partial[done + 1 :]]) for done in range(1, len(partial) - 1)]
        wanted.append(("sum", [a * b]))
    valid = [_is_stage(kind, numbers, a, step) for (kind, numbers), step in zip(wanted, steps, strict=False)]
    return valid + [False] * (len(steps) - len(valid)), len(wanted)


def _is_stage(kind: str, numbers: list[int], a: int, step: str) -> bool:
    if kind == "split":
        found = _SPLIT.fullmatch(step)
        return found is not None and int(found[1]) == a and [int(n) for n in found[2].split("+")] == numbers
    if kind == "expand":
        if _EXPANSION.fullmatch(step) is None:
            return False
        pairs = [part.split("*") for part in step.split("+")]
        return all(int(x) == a for x, _ in pairs) and [int(y) for _, y in pairs] == numbers
    return _SUM.fullmatch(step) is not None and [int(n) for n in step.split("+")] == numbers


def _check_quotient(a: int, b: int, steps: list[str], without: tuple[str, ...]) -> tuple[list[bool], int]:
    if b == 0:
        return [at == 0 and step == "undefined" for at, step in enumerate(steps)], 1
    parts = _places(a // b) if a > b else []
    valid = []
    left = a
    for step, part in zip(steps, parts, strict=False):
        after = left - b * part
        short = "products" in without
        found = (_SHORT_SUBTRACTION if short else _SUBTRACTION).fullmatch(step)
        true = [left, b, part, after] if short else [left, b, part, left, b * part, after]
        valid.append(found is not None and [int(n) for n in found.groups()] == true)
        left = after
    if len(steps) > len(parts):
        valid.append(steps[len(parts)] == quotient_text(a, b))
    return valid + [False] * (len(steps) - len(valid)), len(parts) + 1


def _places(number: int) -> list[int]:
    """2034 -> [2000, 30, 4]."""
    found = []
    power = 1
    while power <= number:
        if part := number // power % 10 * power:
            found.append(part)
        power *= 10
    return found[::-1]


def _one_digit_and_zeros(number: int) -> bool:
    return len(_places(number)) < 2
