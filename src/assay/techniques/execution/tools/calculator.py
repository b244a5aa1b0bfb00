"""Arithmetic: exact fractions, four operators and small powers, shown with two decimals at most."""

from __future__ import annotations

import ast
import re
from fractions import Fraction

from assay.core.agents import characters, number, one_of, repeated, sequence
from assay.core.problems.syntax import parsed
from assay.techniques.execution.tools.inline import ERROR, InlineTool, answering

LONGEST = 100
"""Characters of an expression."""
LARGEST_EXPONENT = 12
LARGEST = 10**18
"""Of any number on the way; what is larger is an error."""
_SIGNS = str.maketrans({"×": "*", "÷": "/", "−": "-", "–": "-", "^": "**", "$": ""})
_GROUPS = re.compile(r"(?<=[0-9]),(?=[0-9]{3}(?![0-9]))")

_OPERAND = number(6, 2)
_OPERATOR = sequence(characters(" ", 0, 1), one_of("+", "-", "*", "/"), characters(" ", 0, 1))
EXPRESSION = sequence(_OPERAND, repeated(sequence(_OPERATOR, _OPERAND), 1, 3))
"""What a grammar lets a model write."""


def calculate(expression: str) -> str:
    """The value of an expression; "error" for whatever is none, division by zero included."""
    if len(expression) > LONGEST:
        return ERROR
    try:
        plain = _GROUPS.sub("", expression.translate(_SIGNS)).strip().rstrip("= ")
        return shown(_value(parsed(plain, "eval").body))
    except (ArithmeticError, SyntaxError, ValueError, TypeError, RecursionError, MemoryError):
        return ERROR


def shown(value: Fraction) -> str:
    """With two decimals at most, and none that say nothing."""
    rounded = round(value, 2)
    if rounded.denominator == 1:
        return str(rounded.numerator)
    return f"{float(rounded):.2f}".rstrip("0")


def _value(node: ast.expr) -> Fraction:
    """The exact value of a part; `ValueError` for what is no arithmetic or grows too large."""
    if isinstance(node, ast.Constant) and isinstance(node.value, int | float):
        # By way of the text: 0.1 is a tenth and not the float beside it, and True is no number.
        found = Fraction(str(node.value))
    elif isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.UAdd | ast.USub):
        found = _value(node.operand) * (-1 if isinstance(node.op, ast.USub) else 1)
    elif isinstance(node, ast.BinOp):
        found = _operated(node.op, _value(node.left), _value(node.right))
    else:
        raise ValueError("no arithmetic")
    if abs(found.numerator) > LARGEST or found.denominator > LARGEST:
        raise ValueError("too large")
    return found


def _operated(operator: ast.operator, left: Fraction, right: Fraction) -> Fraction:
    if isinstance(operator, ast.Add):
        return left + right
    if isinstance(operator, ast.Sub):
        return left - right
    if isinstance(operator, ast.Mult):
        return left * right
    if isinstance(operator, ast.Div):
        return left / right
    if isinstance(operator, ast.Pow) and right.denominator == 1 and abs(right) <= LARGEST_EXPONENT:
        return Fraction(left ** int(right))
    raise ValueError("no operator of ours")


def calculator() -> InlineTool:
    """[Calculator(12 * 7) -> 84]"""
    return answering("Calculator", calculate, EXPRESSION)
