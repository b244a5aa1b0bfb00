"""Mutants: a right program with one small thing changed, to see whether tests notice.

Source    mutation analysis, DeMillo, Lipton and Sayward 1978; used by the code pool to find vacuous tests.
Here      One mutant a place in the syntax tree: a comparison, an operator, a constant, `and` for `or`, a `not`,
          a method for its opposite, a bound. Always the same ones in the same order.
Departs   1. Mutants that do the same as the original (there is no telling in general) are not taken out.
Needs     nothing.
Costs     nothing.
"""

from __future__ import annotations

import ast
from itertools import islice

from assay.core.problems.syntax import parsed

COMPARISONS: dict[type[ast.cmpop], type[ast.cmpop]] = {
    ast.Lt: ast.LtE,
    ast.LtE: ast.Lt,
    ast.Gt: ast.GtE,
    ast.GtE: ast.Gt,
    ast.Eq: ast.NotEq,
    ast.NotEq: ast.Eq,
    ast.In: ast.NotIn,
    ast.NotIn: ast.In,
}
OPERATORS: dict[type[ast.operator], type[ast.operator]] = {
    ast.Add: ast.Sub,
    ast.Sub: ast.Add,
    ast.Mult: ast.Add,
    ast.FloorDiv: ast.Mod,
    ast.Div: ast.Mult,
    ast.Mod: ast.FloorDiv,
    ast.Pow: ast.Mult,
}
OPPOSITES = {
    "max": "min",
    "min": "max",
    "len": "sum",
    "sum": "len",
    "any": "all",
    "all": "any",
    "sorted": "list",
    "upper": "lower",
    "lower": "upper",
    "append": "remove",
    "startswith": "endswith",
    "endswith": "startswith",
    "count": "find",
    "abs": "int",
    "str": "repr",
    "split": "strip",
}


def mutants(program: str, most: int = 8) -> tuple[str, ...]:
    """Programs that differ from this one in one place each; none of one that does not parse."""
    try:
        tree = parsed(program)
        same = ast.unparse(tree)
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return ()
    docstrings = {id(node.value) for node in ast.walk(tree) if isinstance(node, ast.Expr)}
    places = [at for at, node in enumerate(ast.walk(tree)) if id(node) not in docstrings]
    found: dict[str, None] = {}
    for at in places:
        other = parsed(program)
        if _change(next(islice(ast.walk(other), at, None))):
            found[ast.unparse(ast.fix_missing_locations(other))] = None
        if len(found) > most:
            break
    return tuple(text for text in found if text != same)[:most]


def _change(node: ast.AST) -> bool:
    """Change the node where there is a change for its kind."""
    match node:
        case ast.Compare(ops=[kind]) if type(kind) in COMPARISONS:
            node.ops = [COMPARISONS[type(kind)]()]
        case ast.BinOp(op=operator) | ast.AugAssign(op=operator) if type(operator) in OPERATORS:
            node.op = OPERATORS[type(operator)]()
        case ast.BoolOp(op=junction):
            node.op = ast.Or() if isinstance(junction, ast.And) else ast.And()
        case ast.Constant(value=bool(truth)):
            node.value = not truth
        case ast.Constant(value=int(number)):
            node.value = number + 1
        case ast.Constant(value=str(text)) if text:
            node.value = text + text[0]
        case ast.Name(id=name) if name in OPPOSITES:
            node.id = OPPOSITES[name]
        case ast.Attribute(attr=name) if name in OPPOSITES:
            node.attr = OPPOSITES[name]
        case ast.comprehension(ifs=[_, *_]):
            node.ifs = []
        case ast.If(test=test) | ast.IfExp(test=test) | ast.While(test=test):
            node.test = ast.UnaryOp(ast.Not(), test)
        case ast.UnaryOp(op=ast.USub()):
            node.op = ast.UAdd()
        case _:
            return False
    return True
