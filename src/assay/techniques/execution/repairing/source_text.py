"""Text that ought to be Python and need not be: where its parser stops, its tokens, its brackets.

Source    none of its own: what both repairers of this shelf look at.
Here      `fault_of` is the place where Python's compiler stops; `scan` cuts any text into tokens, broken strings
          included, and `brackets` pairs what opens with what closes.
Departs   1. Not `tokenize`: on broken text it raises, and where depends on the version of Python.
          2. Only the place and the class of an error are read, never its words, which are worded anew in
             every version.
Needs     nothing.
Costs     nothing.
"""

from __future__ import annotations

import ast
import keyword
import re
import warnings
from bisect import bisect_right
from collections.abc import Sequence
from dataclasses import dataclass

from assay.core.problems.syntax import parsed

PAIRS = {"(": ")", "[": "]", "{": "}"}
HEADERS = frozenset(
    {"def", "class", "if", "elif", "else", "for", "while", "try", "except", "finally", "with", "async"}
    | {"match", "case"}
)
STATEMENTS = frozenset(
    {"def", "class", "elif", "while", "try", "except", "finally", "with", "return", "import", "raise", "del"}
    | {"assert", "break", "continue", "pass", "global", "nonlocal"}
)
"""Words that begin a statement and can stand nowhere else: a bracket open before one was never closed."""
LONGEST_STATEMENT = 20
"""Lines that are looked through for where it begins."""


@dataclass(frozen=True, slots=True)
class Fault:
    """Where Python's compiler gave up."""

    line: int
    """From 1; 0 where it named no place."""
    column: int = 0
    """From 0."""
    indentation: bool = False
    """Whether it is about how far a line is indented."""


def fault_of(text: str) -> Fault | None:
    """Why the text is no Python, None where it is. Never raises."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            tree = parsed(text)
            # What only the compiler refuses is no Python either, such as a return outside of a function.
            compile(tree, "<text>", "exec", ast.PyCF_ALLOW_TOP_LEVEL_AWAIT, dont_inherit=True)
    except SyntaxError as error:
        return Fault(error.lineno or 0, max(0, (error.offset or 1) - 1), isinstance(error, IndentationError))
    except (ValueError, RecursionError, MemoryError, OverflowError):
        return Fault(0)
    return None


_TOKEN = re.compile(
    r"""
    (?P<comment>\#[^\n]*)
    | (?P<string>[rRbBuUfF]{0,2}(?:'''(?:[^\\]|\\.)*?'''|\"\"\"(?:[^\\]|\\.)*?\"\"\"
        |(?!'''|\"\"\")(?:'(?:[^'\\\n]|\\.)*'|"(?:[^"\\\n]|\\.)*")))
    | (?P<broken>[rRbBuUfF]{0,2}(?:'''.*|\"\"\".*|['"][^\n]*))
    | (?P<name>[^\W\d]\w*)
    | (?P<number>\.?\d(?:[\w.]|(?<=[eE])[+-])*)
    | (?P<newline>\n)
    | (?P<open>[(\[{]) | (?P<close>[)\]}])
    | (?P<sign>\*\*=?|//=?|>>=?|<<=?|->|:=|[-+*/%&|^@=<>!]=|\\\n|\S)
    """,
    re.VERBOSE | re.DOTALL,
)


@dataclass(frozen=True, slots=True)
class Token:
    """A piece of the text."""

    kind: str
    """A group of `_TOKEN`; `broken` is a string without its end."""
    text: str
    start: int

    @property
    def end(self) -> int:
        """Index behind it."""
        return self.start + len(self.text)


def scan(text: str) -> list[Token]:
    """All tokens of any text, blanks left out."""
    return [Token(match.lastgroup or "", match.group(), match.start()) for match in _TOKEN.finditer(text)]


@dataclass(frozen=True, slots=True)
class Brackets:
    """What does not pair."""

    unclosed: tuple[Token, ...]
    unopened: tuple[Token, ...]
    crossed: tuple[tuple[Token, Token], ...]
    """Pairs of unlike brackets."""

    @property
    def count(self) -> int:
        """How much is wrong."""
        return len(self.unclosed) + len(self.unopened) + len(self.crossed)


def brackets(tokens: Sequence[Token]) -> Brackets:
    """Pair openers with closers; a word that can only begin a statement ends all that is open before it."""
    stack: list[Token] = []
    unclosed: list[Token] = []
    unopened: list[Token] = []
    crossed: list[tuple[Token, Token]] = []
    begins = True
    for token in tokens:
        if begins and token.text in STATEMENTS:
            unclosed += stack
            stack = []
        if token.kind == "open":
            stack.append(token)
        elif token.kind == "close" and not stack:
            unopened.append(token)
        elif token.kind == "close":
            # Of `f(a[0)` the square bracket is what was forgotten: the round one has its partner further out.
            while len(stack) > 1 and PAIRS[stack[-1].text] != token.text == PAIRS[stack[-2].text]:
                unclosed.append(stack.pop())
            opener = stack.pop()
            if PAIRS[opener.text] != token.text:
                crossed.append((opener, token))
        begins = token.kind == "newline"
    return Brackets((*unclosed, *stack), tuple(unopened), tuple(crossed))


class Lines:
    """A text by its lines; line numbers begin at 1."""

    def __init__(self, text: str) -> None:
        self.text = text
        self.starts = [0, *(match.end() for match in re.finditer("\n", text))]

    @property
    def count(self) -> int:
        """How many, the empty one behind a last line break included."""
        return len(self.starts)

    def line_of(self, index: int) -> int:
        """Which line holds this index."""
        return bisect_right(self.starts, index)

    def span(self, line: int) -> tuple[int, int]:
        """From where to where a line goes, its break left out."""
        end = self.starts[line] - 1 if line < self.count else len(self.text)
        return self.starts[line - 1], end

    def __getitem__(self, line: int) -> str:
        start, end = self.span(line)
        return self.text[start:end]

    def indent(self, line: int) -> str:
        """The blanks a line begins with."""
        whole = self[line]
        return whole[: len(whole) - len(whole.lstrip())]

    def is_code(self, line: int) -> bool:
        """Whether anything but a comment stands on it."""
        bare = self[line].strip()
        return bool(bare) and not bare.startswith("#")

    def before(self, line: int) -> int:
        """The nearest line of code above; 0 where there is none."""
        return next((at for at in range(min(line, self.count + 1) - 1, 0, -1) if self.is_code(at)), 0)

    def logical(self, line: int) -> str:
        """All lines of a statement that ends on this one: those above on which a bracket is open."""
        first = line
        while first > 1 and line - first < LONGEST_STATEMENT and brackets(scan(self.part(first, line))).unopened:
            first -= 1
        return self.part(first, line)

    def part(self, first: int, last: int) -> str:
        """Lines first to last."""
        return self.text[self.span(first)[0] : self.span(last)[1]]

    def code_end(self, line: int) -> int:
        """Index behind the last token of a line that is no comment."""
        start, end = self.span(line)
        tokens = [token for token in scan(self.text[start:end]) if token.kind != "comment"]
        return start + tokens[-1].end if tokens else end


def opens_block(line: str) -> bool:
    """Whether a line begins as the header of a block does."""
    word = re.match(r"\s*([a-z]+)", line)
    return word is not None and word[1] in HEADERS


def lacks_colon(line: str) -> bool:
    """Whether it is such a header and has no colon outside of brackets."""
    tokens = [token for token in scan(line) if token.kind != "comment"]
    if not opens_block(line) or not tokens or brackets(tokens).count:
        return False
    depth, lambdas = 0, 0
    for token in tokens:
        depth += (token.kind == "open") - (token.kind == "close")
        lambdas += token.text == "lambda"
        if token.text == ":" and depth == 0:
            if not lambdas:
                return False
            lambdas -= 1
    return True


def is_name(text: str) -> bool:
    """Whether it can name something."""
    return text.isidentifier() and not keyword.iskeyword(text)
