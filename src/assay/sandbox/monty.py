"""T0: pydantic-monty, a small Python interpreter in Rust, for expressions and short snippets.

It has no files, no network and no modules of the host by construction, and runs in worker processes
of its own. It is a subset of Python: no generators, few modules, and where it does run a program it
may differ in the last digit (`round(2.675, 2)` is 2.68 here, 2.67 in CPython). See `choose.py`.
"""

from __future__ import annotations

import ast
import os
import threading
import time
import warnings
from typing import Any

from assay.core.errors import SandboxMissing
from assay.core.problems.syntax import parsed
from assay.core.replies import Ended, Execution
from assay.core.requests import Execute
from assay.sandbox.box import OUTPUT_BYTES, BlockingSandbox, read_value

HINT = 'Install it: pip install "assay[sandbox]"'
RECURSION = 900  # below CPython's 1000, so that what runs here also runs there
LONGEST_CODE = 100_000

ENTRY = "\n_assay_value = {entry}()"
ENCODE = """
try:
    from json import dumps as _assay_dumps
    _assay_text = _assay_dumps(_assay_value)
except Exception:
    _assay_text = None
_assay_text
"""


class MontySandbox(BlockingSandbox):
    """Programs in monty: 0.2 ms each, whatever the platform, in a subset of Python."""

    name = "monty"

    def __init__(self, at_once: int | None = None) -> None:
        try:
            import pydantic_monty
        except ImportError as error:
            raise SandboxMissing("pydantic-monty is not installed.", hint=HINT) from error
        self._workers = at_once or max(2, os.cpu_count() or 2)
        super().__init__(self._workers)
        self._monty: Any = pydantic_monty
        self._pool: Any = None
        self._starting = threading.Lock()

    def shut(self) -> None:
        super().shut()
        if self._pool is not None:
            self._pool.__exit__(None, None, None)

    def _started_pool(self) -> Any:
        with self._starting:
            if self._pool is None:
                pool = self._monty.Monty(max_processes=self._workers)
                self._pool = pool.__enter__()
            return self._pool

    def _perform(self, request: Execute) -> Execution:
        if error := refused(request.code):
            return Execution(Ended.ERROR, error=error, tier=self.name)
        terminal = Terminal(request.stdin)
        limits = {
            "max_feed_duration_secs": request.seconds,
            "max_total_sleep_secs": request.seconds,
            "max_memory": request.memory_mb << 20,
            "max_recursion_depth": RECURSION,
            "max_suspensions": 100_000,
        }
        text = None
        began = time.monotonic()
        try:
            pool = self._started_pool()
            with pool.checkout(limits=limits, assert_message_annotations=False) as session:
                began = time.monotonic()
                text = session.feed_run(
                    with_value(request.code, request.entry),
                    print_callback=terminal.write,
                    external_lookup={"input": terminal.read},
                )
            ended, error = Ended.OK, ""
        except self._monty.MontyCrashedError as crash:
            ended = Ended.TIMEOUT if crash.timed_out else Ended.CRASH
            error = f"the interpreter died: {one_line(str(crash))}"
        except self._monty.MontyError as failure:
            ended, error = explain(failure, request)
        if terminal.full:
            ended, error = Ended.OUTPUT, f"the program printed more than {OUTPUT_BYTES} bytes"
        has_value, value = read_value(text if isinstance(text, str) and ended is Ended.OK else None)
        return Execution(
            ended=ended,
            value=value,
            has_value=has_value,
            stdout=terminal.shown(),
            error=error,
            seconds=time.monotonic() - began,
            tier=self.name,
        )


class Terminal:
    """What a program prints, up to the cap, and the lines it reads."""

    def __init__(self, stdin: str) -> None:
        self.full = False
        self._shown = bytearray()
        self._lines = iter(stdin.splitlines())

    def write(self, stream: str, text: str) -> None:
        """Take printed text; raising ends the program."""
        if stream == "stdout":
            self._shown += text.encode(errors="replace")
        if len(self._shown) > OUTPUT_BYTES:
            self.full = True
            raise OverflowError("too much output")

    def read(self, prompt: object = "") -> str:
        """The next line, as `input` gives it."""
        self.write("stdout", prompt if isinstance(prompt, str) else "")
        line = next(self._lines, None)
        if line is None:
            raise EOFError("EOF when reading a line")
        return line

    def shown(self) -> str:
        """The printed text, cut at the cap."""
        return bytes(self._shown[:OUTPUT_BYTES]).decode(errors="replace")


def parse(code: str) -> ast.Module | None:
    """The program's syntax tree; None where CPython would not run it or it is unreasonably long."""
    try:
        return None if refused(code) else parsed(code)
    except (ValueError, RecursionError, MemoryError):
        return None


def refused(code: str) -> str:
    """Why CPython would not even begin the program, as a sentence; empty where it would.

    Monty begins more than that: it takes a `return` outside of functions, which would end a program before its
    tests, with a value of the program's choice.
    """
    if len(code) > LONGEST_CODE:
        return f"a program of more than {LONGEST_CODE} characters"
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            compile(code, "<program>", "exec", dont_inherit=True)
    except SyntaxError as error:
        line = f" (line {error.lineno})" if error.lineno else ""
        return f"SyntaxError: {one_line(error.msg)}{line}"
    except (ValueError, RecursionError, MemoryError) as error:
        return f"{type(error).__name__}: {one_line(str(error))}"
    return ""


def with_value(code: str, entry: str) -> str:
    """The program, all lines in their place, extended so that it ends in its value's JSON text."""
    code = code.replace("\r\n", "\n").replace("\r", "\n")
    if entry:
        return code + ENTRY.format(entry=entry) + ENCODE
    tree = parse(code)
    if tree is None or not tree.body or not isinstance(tree.body[-1], ast.Expr):
        return code + "\nNone\n"
    last = tree.body[-1]
    lines = code.encode().split(b"\n")
    end = (last.end_lineno or last.lineno) - 1, last.end_col_offset or 0
    lines[end[0]] = lines[end[0]][: end[1]] + b"\n)" + lines[end[0]][end[1] :]
    start = lines[last.lineno - 1]
    lines[last.lineno - 1] = start[: last.col_offset] + b"_assay_value = (" + start[last.col_offset :]
    return b"\n".join(lines).decode() + ENCODE


def explain(failure: Any, request: Execute) -> tuple[Ended, str]:
    """How a failed run ended, with a sentence such as `NameError: name 'x' is not defined (line 2)`."""
    inner = failure.exception()
    message = one_line(str(inner))
    if isinstance(inner, TimeoutError) and "limit exceeded" in message:
        return Ended.TIMEOUT, f"the program ran longer than {request.seconds:g} seconds"
    if isinstance(inner, MemoryError):
        return Ended.MEMORY, "MemoryError: the program needed more memory than its limit"
    frames = failure.traceback() if hasattr(failure, "traceback") else []
    line = frames[-1].line if frames else 0
    called_here = line == request.code.count("\n") + 2
    undefined = isinstance(inner, NameError) or "not callable" in message
    if request.entry and called_here and undefined:
        return Ended.ERROR, f"no function named '{request.entry}'"
    sentence = f"{type(inner).__name__}: {message}" if message else type(inner).__name__
    if line and not called_here:
        sentence += f" (line {line})"
    if isinstance(inner, NotImplementedError | ModuleNotFoundError):
        sentence += "; the monty sandbox runs a subset of Python, bubblewrap runs all of it"
    return Ended.ERROR, sentence


def one_line(text: str) -> str:
    """The text on one line, cut at 300 characters."""
    return " ".join(text.split())[:300]
