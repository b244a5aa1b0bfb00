"""The automatic sandbox: monty for what it runs exactly as CPython does, bubblewrap for all else.

A result must not depend on the tier. So monty is asked only for programs inside a subset that was
compared with CPython, and believed only when it succeeds: an error, a timeout or a missing feature
there means that CPython is asked. Left out of the subset, for differences measured or to be expected:
generators and lazy iterators (monty makes lists of them), `round` to digits, the order of sets,
annotations other than plain types (not evaluated), `try` (it would hide what monty lacks), `sum`, which
CPython 3.12 made more precise, and arguments that monty takes where CPython does not, by name above all.
"""

from __future__ import annotations

import ast
import re
from dataclasses import replace

from assay.core.errors import SandboxMissing
from assay.core.replies import Ended, Execution
from assay.core.requests import Execute
from assay.sandbox.box import Sandbox
from assay.sandbox.bubblewrap import BubblewrapSandbox
from assay.sandbox.monty import MontySandbox, parse

SNIPPET_SECONDS = 0.25
"""Monty is several times slower than CPython: what takes longer is CPython's."""
LONGEST_SNIPPET = 10_000


class AutomaticSandbox:
    """Sends a program to monty where it stays inside the common subset, else to bubblewrap."""

    name = "automatic"

    def __init__(self, snippets: Sandbox, programs: Sandbox) -> None:
        self.snippets = snippets
        self.programs = programs

    async def run(self, request: Execute) -> Execution:
        """Run one program; `Execution.tier` says where."""
        if not request.stdin and inside_subset(request.code):
            quick = replace(request, seconds=min(request.seconds, SNIPPET_SECONDS))
            execution = await self.snippets.run(quick)
            if execution.ended is Ended.OK and not shows_last_digits(execution):
                return execution
        return await self.programs.run(request)

    async def close(self) -> None:
        """Close both."""
        await self.snippets.close()
        await self.programs.close()


async def open_sandbox() -> Sandbox:
    """The best sandbox this machine has, tried with a real program; `SandboxMissing` where there is none."""
    reasons: list[str] = []
    snippets: Sandbox | None = None
    programs: Sandbox | None = None
    try:
        snippets = MontySandbox()
    except SandboxMissing as missing:
        reasons.append(missing.message)
    try:
        programs = await open_bubblewrap()
    except SandboxMissing as missing:
        reasons.append(missing.message)
    if snippets and programs:
        return AutomaticSandbox(snippets, programs)
    only = snippets or programs
    if only is None:
        raise SandboxMissing(
            f"Model-written code cannot be run safely on this machine: {' '.join(reasons)}",
            hint='Install one: pip install "assay[sandbox]" or apt-get install bubblewrap',
        )
    return only


async def open_bubblewrap() -> BubblewrapSandbox:
    """A bubblewrap sandbox that has run a program: bwrap may be there and yet make no namespaces."""
    sandbox = BubblewrapSandbox()
    try:
        await sandbox.probe()
    except SandboxMissing:
        await sandbox.close()
        raise
    return sandbox


TYPES = frozenset({"int", "float", "str", "bool", "list", "dict", "tuple"})
CONSUMERS = frozenset({"list", "tuple", "sorted", "max", "min", "dict"})
LAZY = frozenset({"enumerate", "zip", "reversed"})
FUNCTIONS = (
    TYPES
    | CONSUMERS
    | LAZY
    | {"abs", "all", "any", "chr", "divmod", "isinstance", "len", "ord", "pow", "print", "range", "round"}
)
# Only what is exact: sines and logarithms may differ in the last bit from one C library to the next.
MATH = frozenset(
    {"sqrt", "floor", "ceil", "trunc", "fabs", "gcd", "lcm", "factorial", "comb", "perm", "isqrt", "pi", "e"}
)
METHODS = (
    frozenset({"append", "extend", "insert", "pop", "remove", "sort", "reverse", "index", "count", "copy"})
    | {"get", "items", "keys", "values", "update", "setdefault", "join", "split", "strip", "lower", "upper"}
    | {"replace", "find", "startswith", "endswith", "isdigit", "isalpha"}
)
KEYWORDS: dict[str, frozenset[str]] = {
    "sorted": frozenset({"key", "reverse"}),
    "sort": frozenset({"key", "reverse"}),
    "max": frozenset({"key", "default"}),
    "min": frozenset({"key", "default"}),
    "enumerate": frozenset({"start"}),
    "print": frozenset({"sep", "end"}),
}
"""What may be given by name, by function or method."""
SEARCHES = frozenset({"find", "count", "index", "startswith", "endswith"})
"""Methods that differ where they are told from and to where."""
NODES: tuple[type[ast.AST], ...] = (
    *(ast.Module, ast.Expr, ast.Assign, ast.AugAssign, ast.For, ast.While, ast.If, ast.Break, ast.Continue),
    *(ast.Pass, ast.FunctionDef, ast.arguments, ast.arg, ast.Return, ast.Assert, ast.Import, ast.alias),
    *(ast.ImportFrom, ast.BoolOp, ast.BinOp, ast.UnaryOp, ast.boolop, ast.operator, ast.unaryop, ast.cmpop),
    *(ast.Compare, ast.IfExp, ast.Call, ast.keyword, ast.Constant, ast.JoinedStr, ast.FormattedValue),
    *(ast.Attribute, ast.Subscript, ast.Slice, ast.Name, ast.expr_context, ast.List, ast.Tuple, ast.Dict),
    *(ast.ListComp, ast.DictComp, ast.GeneratorExp, ast.comprehension, ast.Starred, ast.Lambda),
    *(ast.Global, ast.Nonlocal, ast.NamedExpr),
)


def inside_subset(code: str) -> bool:
    """Whether the program uses only what monty and CPython were found to do alike."""
    if len(code) > LONGEST_SNIPPET or re.search(r"\\[^\\nt'\"\n]", code):
        return False
    tree = parse(code)
    if tree is None:
        return False
    nodes = list(ast.walk(tree))
    defined = {node.id for node in nodes if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store)}
    defined |= {node.arg for node in nodes if isinstance(node, ast.arg)}
    defined |= {node.name for node in nodes if isinstance(node, ast.FunctionDef)}
    defined |= {node.asname or node.name for node in nodes if isinstance(node, ast.alias)}
    if defined & FUNCTIONS:
        return False
    consumed = {id(node.iter) for node in nodes if isinstance(node, ast.For | ast.comprehension)}
    calls = [node for node in nodes if isinstance(node, ast.Call)]
    consumed |= {id(call.args[0]) for call in calls if is_call(call, CONSUMERS) and len(call.args) == 1}
    called = {id(call.func) for call in calls}
    return all(alike(node, defined, consumed, called) for node in nodes)


def shows_last_digits(execution: Execution) -> bool:
    """Whether a float was written out to its last digit, where monty rounds ties another way.

    (-258.5) ** 5 is printed as ...073.6563 there and as ...073.6562 by CPython: the same number. A
    value is compared as a number, so only texts are looked at; complex numbers have signed zeros too.
    """
    text = f"{execution.stdout} {execution.value}" if holds_text(execution.value) else execution.stdout
    return any(len(digits) > 15 for digits in re.findall(r"\d*\.\d+", text.replace(",", ""))) or "j)" in text


def holds_text(value: object) -> bool:
    """Whether there is a text anywhere in this JSON value."""
    if isinstance(value, dict):
        return True
    return any(map(holds_text, value)) if isinstance(value, list) else isinstance(value, str)


def is_type(annotation: ast.expr) -> bool:
    """Whether it is the plain name of a type, which cannot fail when CPython evaluates it."""
    return isinstance(annotation, ast.Name) and annotation.id in TYPES


def is_call(node: ast.AST, names: frozenset[str]) -> bool:
    """Whether the node calls one of these names."""
    return isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id in names


def takes(name: str, keywords: list[ast.keyword]) -> bool:
    """Whether both interpreters take these arguments by name; `reverse` is a plain True or False."""
    allowed = KEYWORDS.get(name, frozenset())
    plain = (
        isinstance(keyword.value, ast.Constant) and isinstance(keyword.value.value, bool) for keyword in keywords
    )
    return all(
        keyword.arg in allowed and (keyword.arg != "reverse" or is_plain)
        for keyword, is_plain in zip(keywords, plain, strict=True)
    )


def alike(node: ast.AST, defined: set[str], consumed: set[int], called: set[int]) -> bool:
    """Whether this one node means the same to both interpreters."""
    if not isinstance(node, NODES) or isinstance(node, ast.Is | ast.IsNot | ast.MatMult):
        return False
    match node:
        case ast.Name(id=name):
            known = name in TYPES or (name in FUNCTIONS and id(node) in called)
            return name in defined or known
        case ast.GeneratorExp():
            return id(node) in consumed
        case ast.Call(func=ast.Name(id="round"), args=arguments, keywords=keywords):
            return len(arguments) == 1 and not keywords
        case ast.Call(func=ast.Attribute(attr=name), args=arguments, keywords=keywords):
            return takes(name, keywords) and (name not in SEARCHES or len(arguments) == 1)
        case ast.Call(func=ast.Name(id=name), keywords=keywords) if name not in defined:
            return takes(name, keywords) and (name not in LAZY or id(node) in consumed)
        case ast.FormattedValue(value=value, format_spec=spec):
            return spec is None or (isinstance(value, ast.Constant) and value.value is not None)
        case ast.Attribute(value=ast.Name(id="math"), attr=name):
            return name in MATH
        case ast.Attribute(attr=name):
            return name in METHODS and id(node) in called
        case ast.Import(names=names):
            return all(alias.name == "math" and not alias.asname for alias in names)
        case ast.ImportFrom(module="math", names=names):
            return all(alias.name in MATH for alias in names)
        case ast.ImportFrom():
            return False
        case ast.Constant(value=str() as text):
            return "nan" not in text.casefold()  # monty takes lists that hold a NaN for equal
        case ast.Constant(value=value):
            return value is None or isinstance(value, int | float)
        case ast.Dict(keys=keys):
            # Of 1 and True, the same key, CPython keeps the first.
            return len({type(key.value) for key in keys if isinstance(key, ast.Constant)}) <= 1
        case ast.FunctionDef(decorator_list=decorators, returns=returns):
            return not decorators and (returns is None or is_type(returns))
        case ast.arg(annotation=annotation):
            return annotation is None or is_type(annotation)
        case ast.comprehension(is_async=is_async):
            return not is_async
    return True
