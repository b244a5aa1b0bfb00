"""Every error a user can meet, one small tree. Each says whose fault it is and what to type next.

AssayError                    exit code
├── UserError                 2   what was typed, or a file that was named
│   ├── UnknownName               with suggestions
│   ├── BadRequest                a request no model should be sent
│   ├── BadFile                   with file, line and field
│   ├── BadDatabase               the file of runs, which is damaged, full or out of reach
│   └── CannotRun                 the claim needs what this model or machine lacks
│       └── ClosedModel           it needs the network itself, and only words come out
├── ModelError                3   the model or its endpoint
│   ├── EndpointDown              nothing answers there; worth another try
│   └── BadReply                  it answered, but not with what was asked
├── SandboxMissing            2   code would have to run outside a box: refused
└── BudgetExceeded            0   not a fault: the flow is stopped and scored as it stands
"""

from __future__ import annotations

import difflib
from collections.abc import Iterable


class AssayError(Exception):
    """Base of all our errors: one sentence for the user, and the next thing to type."""

    exit_code = 1

    def __init__(self, message: str, *, hint: str = "") -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint

    def __str__(self) -> str:
        return f"{self.message} {self.hint}".strip()


class UserError(AssayError):
    """The user's input is at fault."""

    exit_code = 2


class UnknownName(UserError):
    """A name that stands for nothing here; the nearest known ones are suggested."""

    def __init__(self, what: str, name: str, known: Iterable[str], *, hint: str = "") -> None:
        near = difflib.get_close_matches(name, sorted(known), n=3, cutoff=0.5)
        meant = f"Did you mean {' or '.join(near)}?" if near else hint
        super().__init__(f"There is no {what} named '{name}'.", hint=meant or hint)
        self.name = name
        self.suggestions = tuple(near)


class BadRequest(UserError):
    """A request that is malformed, refused before any model sees it."""


class BadFile(UserError):
    """A file that cannot be read as what it should be: says file, line and field."""

    def __init__(
        self, path: object, problem: str, *, line: int | None = None, field: str = "", hint: str = ""
    ) -> None:
        place = f"{path}" + (f", line {line}" if line else "") + (f", field '{field}'" if field else "")
        super().__init__(f"{place}: {problem}", hint=hint)
        self.line = line
        self.field = field


class BadDatabase(UserError):
    """The file of runs cannot be read or written; what to do about it goes by SQLite's code of the error."""

    def __init__(self, path: object, error: Exception) -> None:
        code = getattr(error, "sqlite_errorcode", 0) & 0xFF
        message = f"The database {path} cannot be used: {error}."
        hint = "Try again."
        if code in (10, 13):  # SQLITE_IOERR, SQLITE_FULL
            message = f"The database {path} could not be written: {error}."
            hint = "Nothing recorded before is lost; make room, then type: assay resume RUN"
        elif code == 11:  # SQLITE_CORRUPT
            message = f"The database is damaged: {path}."
            hint = f"Rescue what can be read: sqlite3 {path} .recover; or move it away."
        elif code in (8, 14, 26):  # SQLITE_READONLY, SQLITE_CANTOPEN, SQLITE_NOTADB
            hint = "Set ASSAY_HOME to another folder, or move the file away."
        super().__init__(message, hint=hint)


class CannotRun(UserError):
    """The claim asks for something this model or machine does not have."""


class ClosedModel(CannotRun):
    """The network itself is wanted (logits, hidden states, weights) and this model only answers with words."""

    def __init__(self, name: str) -> None:
        super().__init__(
            f"{name} answers with words only; this needs its logits or hidden states.",
            hint="Name an open network: --model hf:smollm2-135m, or hf: and a folder or a hub name.",
        )


class SandboxMissing(UserError):
    """Model-written code would have to run unprotected, so it is not run at all."""


class ModelError(AssayError):
    """The model or its endpoint is at fault."""

    exit_code = 3


class EndpointDown(ModelError):
    """A transport fault that another try may cure; `retry_after` is in seconds, where the server said."""

    def __init__(self, message: str, *, hint: str = "", retry_after: float | None = None) -> None:
        super().__init__(message, hint=hint)
        self.retry_after = retry_after


class BadReply(ModelError):
    """The endpoint answered with something that is not what the protocol promises."""


class BudgetExceeded(AssayError):
    """Thrown into a flow whose budget is spent; catch it to return what stands so far."""

    exit_code = 0

    def __init__(self, which: str, spent: float, limit: float) -> None:
        super().__init__(f"The budget of {limit:g} {which} is spent ({spent:g} used).")
        self.which, self.spent, self.limit = which, spent, limit
