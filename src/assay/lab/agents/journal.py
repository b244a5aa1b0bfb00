"""A flow written down as it runs: one line a step, durable before the flow goes on.

The file is a header and then what was asked and answered, step by step. Given the file again the flow takes the
same path without a model, which is a replay; where the file ends it can go on, which is a resume.
"""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any, TypeVar

from assay.core.errors import BadFile, BudgetExceeded, UserError
from assay.core.flow import Flow
from assay.core.replies import AnyReply
from assay.core.requests import Request
from assay.lab.codec import answer_from_json, reply_to_json, request_to_json

T = TypeVar("T")
Tell = Callable[[Sequence[Request], Sequence[AnyReply]], None]


class Journal:
    """The file of one flow. What it holds is played first; then it is written on."""

    def __init__(self, file: Path, *, playing_only: bool = False, tell: Tell = lambda *_: None) -> None:
        self.file = file
        self.header, self._steps = _read(file)
        self.tokens = sum(_tokens(step) for step in self._steps)
        """Spent in what it holds."""
        self.steps = len(self._steps)
        self._playing_only = playing_only
        self._tell = tell

    @classmethod
    def begin(cls, file: Path, header: dict[str, Any], tell: Tell = lambda *_: None) -> Journal:
        """A new file; `UserError` where there is one already."""
        if file.exists():
            raise UserError(f"{file} is there already.", hint=f"Type: assay agent resume {file}")
        file.parent.mkdir(parents=True, exist_ok=True)
        _write(file, header)
        return cls(file, tell=tell)

    def follow(self, flow: Flow[T]) -> Flow[T]:
        """The flow, its known steps played and its further ones written down.

        Raises:
            BadFile: the flow asks for something else than the file says, or goes on where only playing is wanted.
        """
        try:
            requests = next(flow)
            for at, step in enumerate(self._steps, 1):
                requests = self._played(flow, at, requests, step)
            while True:
                if self._playing_only:
                    raise BadFile(
                        self.file,
                        f"the trace ends after {len(self._steps)} steps, before its agent did.",
                        hint=f"Type: assay agent resume {self.file}",
                    )
                asked = [request_to_json(request) for request in requests]
                try:
                    replies = yield requests
                except BudgetExceeded as error:
                    spent = {"which": error.which, "spent": error.spent, "limit": error.limit}
                    _write(self.file, {"asked": asked, "budget": spent})
                    requests = flow.throw(error)
                    continue
                step = {"asked": asked, "answered": [reply_to_json(reply) for reply in replies]}
                _write(self.file, step)
                self.tokens += _tokens(step)
                self.steps += 1
                self._tell(requests, replies)
                requests = flow.send(replies)
        except StopIteration as stop:
            value: T = stop.value
            return value

    def _played(
        self, flow: Flow[T], at: int, requests: Sequence[Request], step: dict[str, Any]
    ) -> Sequence[Request]:
        asked = [json.loads(json.dumps(request_to_json(request))) for request in requests]
        if asked != step["asked"]:
            raise BadFile(self.file, f"step {at} asks for something else than this version of assay does.")
        if "budget" in step:
            return flow.throw(BudgetExceeded(**step["budget"]))
        pairs = zip(asked, step["answered"], strict=True)
        replies = [answer_from_json(fields["kind"], answer) for fields, answer in pairs]
        self._tell(requests, replies)
        return flow.send(replies)


def _write(file: Path, value: dict[str, Any]) -> None:
    """One line more, on the disk before anything follows from it."""
    line = json.dumps(value, ensure_ascii=False) + "\n"
    handle = os.open(file, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)
    try:
        os.write(handle, line.encode("utf-8", "surrogatepass"))
        os.fsync(handle)
    finally:
        os.close(handle)


def _read(file: Path) -> tuple[dict[str, Any], list[dict[str, Any]]]:
    """Header and steps; half a line at the end, of a process that was killed, is cut off."""
    try:
        data = file.read_bytes()
    except OSError as error:
        raise BadFile(file, f"it cannot be read ({error.strerror}).") from None
    whole, _, rest = data.rpartition(b"\n")
    if rest:
        with file.open("r+b") as handle:
            handle.truncate(len(data) - len(rest))
    lines = list(_objects(file, whole))
    if not lines or "objective" not in lines[0] or not all("asked" in line for line in lines[1:]):
        raise BadFile(file, "this is no trace of an agent.")
    return lines[0], lines[1:]


def _objects(file: Path, data: bytes) -> Iterator[dict[str, Any]]:
    for at, line in enumerate(data.decode("utf-8", "replace").splitlines(), 1):
        try:
            fields = json.loads(line)
        except ValueError:
            raise BadFile(file, "this is no JSON.", line=at) from None
        if not isinstance(fields, dict):
            raise BadFile(file, "this is no JSON object.", line=at)
        yield fields


def _tokens(step: dict[str, Any]) -> int:
    total = 0
    for answer in step.get("answered", []):
        replies = answer if isinstance(answer, list) else [answer]
        total += sum(reply.get("tokens_in", 0) + reply.get("tokens_out", 0) for reply in replies)
    return total
