"""A flow written down as it runs: one line a step, durable before the flow goes on.

The file is a header and then what was asked and answered, step by step. Given the file again the flow takes the
same path without a model, which is a replay; where the file ends it can go on, which is a resume.
"""

from __future__ import annotations

import fcntl
import json
import os
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any, TypeVar

from assay.core.errors import BadFile, BudgetExceeded, UserError
from assay.core.flow import Flow
from assay.core.replies import AnyReply
from assay.core.requests import Request, Use
from assay.lab.codec import answer_from_json, reply_to_json, request_to_json

T = TypeVar("T")
Tell = Callable[[Sequence[Request], Sequence[AnyReply]], None]


class Journal:
    """The file of one flow. What it holds is played first; then it is written on.

    A call of a tool is written down before it is made: where only that stands, it was under way when the process
    ended, and is made again (`under_way` names it). One process at a time writes on a file.
    """

    def __init__(self, file: Path, *, playing_only: bool = False, tell: Tell = lambda *_: None) -> None:
        self.file = file
        self.header, lines, self._whole = _read(file)
        self.under_way = _under_way(lines)
        self._steps = [line for line in lines if "calling" not in line]
        try:
            self.tokens = sum(_tokens(step) for step in self._steps)
        except (AttributeError, TypeError):
            raise BadFile(file, "its token counts are none.") from None
        self.steps = len(self._steps)
        self._playing_only = playing_only
        self._tell = tell
        self._handle = -1

    @classmethod
    def begin(cls, file: Path, header: dict[str, Any], tell: Tell = lambda *_: None) -> Journal:
        """A new file; `UserError` where there is one already."""
        if file.exists():
            raise UserError(f"{file} is there already.", hint=f"Type: assay agent resume {file}")
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(json.dumps(header) + "\n")
        return cls(file, tell=tell)

    def follow(self, flow: Flow[T]) -> Flow[T]:
        """The flow, its known steps played and its further ones written down.

        Raises:
            BadFile: the flow asks for something else than the file says, or goes on where only playing is wanted.
            UserError: another process is writing on the file.
        """
        try:
            requests = next(flow)
            for at, step in enumerate(self._steps, 1):
                requests = self._played(flow, at, requests, step)
            if self._playing_only:
                raise BadFile(
                    self.file,
                    f"the trace ends after {len(self._steps)} steps, before its agent did.",
                    hint=f"Type: assay agent resume {self.file}",
                )
            self._open()
            while True:
                asked = [request_to_json(request) for request in requests]
                if any(isinstance(request, Use) for request in requests):
                    self._write({"calling": asked})
                try:
                    replies = yield requests
                except BudgetExceeded as error:
                    spent = {"which": error.which, "spent": error.spent, "limit": error.limit}
                    self._write({"asked": asked, "budget": spent})
                    requests = flow.throw(error)
                    continue
                step = {"asked": asked, "answered": [reply_to_json(reply) for reply in replies]}
                self._write(step)
                self.tokens += _tokens(step)
                self.steps += 1
                self._tell(requests, replies)
                requests = flow.send(replies)
        except StopIteration as stop:
            value: T = stop.value
            return value
        finally:
            if self._handle >= 0:
                os.close(self._handle)

    def _played(
        self, flow: Flow[T], at: int, requests: Sequence[Request], step: dict[str, Any]
    ) -> Sequence[Request]:
        """Answer one step from the file; returns what the flow asks next."""
        asked = [json.loads(json.dumps(request_to_json(request))) for request in requests]
        if asked != step.get("asked"):
            raise BadFile(self.file, f"step {at} asks for something else than this version of assay does.")
        try:
            if "budget" in step:
                error = BudgetExceeded(**step["budget"])
            else:
                pairs = zip(asked, step["answered"], strict=True)
                replies = [answer_from_json(fields["kind"], answer) for fields, answer in pairs]
        except (KeyError, TypeError, ValueError, AttributeError):
            raise BadFile(self.file, f"step {at} is no answer to what it asks.") from None
        if "budget" in step:
            return flow.throw(error)
        self._tell(requests, replies)
        return flow.send(replies)

    def _open(self) -> None:
        """Take the file for this process, and cut off half a line that a killed one left."""
        self._handle = os.open(self.file, os.O_RDWR | os.O_APPEND)
        try:
            fcntl.flock(self._handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            busy = f"Another process is writing on {self.file}."
            raise UserError(busy, hint="Wait until it has ended.") from None
        if _read(self.file)[2] != self._whole:
            raise UserError(f"{self.file} was written on meanwhile.", hint="Type the same again.")
        os.ftruncate(self._handle, self._whole)

    def _write(self, value: dict[str, Any]) -> None:
        """One line more, on the disk before anything follows from it."""
        os.write(self._handle, (json.dumps(value) + "\n").encode())
        os.fsync(self._handle)


def _read(file: Path) -> tuple[dict[str, Any], list[dict[str, Any]], int]:
    """Header, lines, and how many bytes are whole lines: half a line is left by a process that was killed."""
    try:
        data = file.read_bytes()
    except OSError as error:
        raise BadFile(file, f"it cannot be read ({error.strerror}).") from None
    whole = data.rfind(b"\n") + 1
    lines = list(_objects(file, data[:whole]))
    if (
        not lines
        or "objective" not in lines[0]
        or not all(line.keys() & {"asked", "calling"} for line in lines[1:])
    ):
        raise BadFile(file, "this is no trace of an agent.")
    return lines[0], lines[1:], whole


def _objects(file: Path, data: bytes) -> Iterator[dict[str, Any]]:
    for at, line in enumerate(data.split(b"\n")[:-1], 1):
        try:
            fields = json.loads(line)
        except (ValueError, RecursionError):
            raise BadFile(file, "this is no JSON.", line=at) from None
        if not isinstance(fields, dict):
            raise BadFile(file, "this is no JSON object.", line=at)
        yield fields


def _under_way(lines: Sequence[dict[str, Any]]) -> str:
    """The tool that was being called when the file ends; empty where none was."""
    calling = lines[-1].get("calling") if lines else None
    found = [one.get("tool", "") for one in calling if isinstance(one, dict)] if isinstance(calling, list) else []
    return str(found[0]) if found else ""


def _tokens(step: dict[str, Any]) -> int:
    total = 0
    for answer in step.get("answered") or []:
        replies = answer if isinstance(answer, list) else [answer]
        total += sum(int(reply.get("tokens_in", 0)) + int(reply.get("tokens_out", 0)) for reply in replies)
    return total
