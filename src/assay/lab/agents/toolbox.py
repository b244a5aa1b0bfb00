"""The user's own tools, in a process that can be killed: functions of one Python file.

The file is the user's, and trusted as their shell is; what a model makes of it is not. So a call has typed
arguments, a time limit and an environment without secrets, and a tool that hangs is killed and started anew.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import signal
import sys
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Protocol

from assay.core.agents import Parameter, Tool
from assay.core.errors import BadFile
from assay.core.replies import Used
from assay.core.requests import Use
from assay.lab.agents import process

PASSED_ON = ("PATH", "HOME", "LANG", "LC_ALL", "TZ", "TMPDIR", "VIRTUAL_ENV")
START_SECONDS = 30.0
LONGEST_LINE = 1_000_000


class Toolbox(Protocol):
    """Uses tools."""

    async def use(self, request: Use) -> Used:
        """What came of it; a fault of the tool is an answer too."""
        ...

    async def close(self) -> None:
        """Stop whatever runs."""
        ...


class FileToolbox:
    """The public functions of a Python file. Open it with `open_toolbox`."""

    def __init__(self, file: Path, environ: Mapping[str, str]) -> None:
        self.file = file
        self.tools: tuple[Tool, ...] = ()
        self._environ = environ
        self._process: asyncio.subprocess.Process | None = None
        self._reader: asyncio.StreamReader | None = None
        self._requests = -1
        self._one_at_a_time = asyncio.Lock()

    async def start(self) -> None:
        """Load the file in a fresh process.

        Raises:
            BadFile: it cannot be loaded, or a function in it cannot be told to a model.
        """
        for_child, self._requests = os.pipe()
        answers, from_child = os.pipe()
        command = [sys.executable, process.__file__, str(self.file), str(for_child), str(from_child)]
        self._process = await asyncio.create_subprocess_exec(
            *command,
            pass_fds=(for_child, from_child),
            stdin=asyncio.subprocess.DEVNULL,
            env=dict(self._environ),
            start_new_session=True,
        )
        os.close(for_child)
        os.close(from_child)
        self._reader = asyncio.StreamReader(limit=LONGEST_LINE)
        await asyncio.get_running_loop().connect_read_pipe(
            lambda: asyncio.StreamReaderProtocol(self._reader),  # type: ignore[arg-type]
            os.fdopen(answers, "rb"),
        )
        try:
            said = await self._line(START_SECONDS)
        except TimeoutError:
            said = {"fault": f"it did not load in {START_SECONDS:g} seconds"}
        except EOFError:
            said = {"fault": "it ended while it was being loaded"}
        if "fault" in said:
            await self.close()
            raise BadFile(self.file, f"no tools can be taken from it ({said['fault']}).")
        self.tools = tuple(_tool(name, fields) for name, fields in said["tools"].items())
        if not self.tools:
            await self.close()
            raise BadFile(self.file, "it defines no function.", hint="Write one with typed parameters.")

    async def use(self, request: Use) -> Used:
        """Call the function; after its time it is killed, and the next call finds a fresh process.

        A file that does not load again is what that call gave, and the one after it tries anew.
        """
        async with self._one_at_a_time:
            begun = time.monotonic()
            wanted = {"tool": request.tool, "arguments": json.loads(request.arguments)}
            try:
                if self._process is None:
                    await self.start()
                os.write(self._requests, (json.dumps(wanted) + "\n").encode())
                said = await self._line(request.seconds)
            except TimeoutError:
                await self.close()
                said = {"text": f"{request.tool} was stopped after {request.seconds:g} seconds.", "failed": True}
            except (EOFError, BrokenPipeError):
                await self.close()
                said = {"text": f"{request.tool} died without a word.", "failed": True}
            except BadFile as error:
                said = {"text": f"{request.tool} could not be loaded again. {error.message}", "failed": True}
            return Used(said["text"], said["failed"], round(time.monotonic() - begun, 3))

    async def close(self) -> None:
        """Kill the process and everything it started."""
        running, self._process = self._process, None
        if running is None:
            return
        with contextlib.suppress(OSError):
            os.close(self._requests)
        with contextlib.suppress(ProcessLookupError):
            os.killpg(running.pid, signal.SIGKILL)
        await running.wait()

    async def _line(self, seconds: float) -> dict[str, Any]:
        assert self._reader is not None, "it was started"
        line = await asyncio.wait_for(self._reader.readline(), seconds)
        if not line:
            raise EOFError
        said: dict[str, Any] = json.loads(line)
        return said


async def open_toolbox(file: Path, passed_on: tuple[str, ...] = ()) -> FileToolbox:
    """The tools of a Python file; of this process's environment only what a program needs, and what is named.

    Raises:
        BadFile: there is no such file, or it holds no tools.
    """
    if not file.is_file():
        raise BadFile(file, "there is no such file.", hint="Name a Python file with functions in it.")
    environ = {name: os.environ[name] for name in (*PASSED_ON, *passed_on) if name in os.environ}
    box = FileToolbox(file.resolve(), environ)
    await box.start()
    return box


def _tool(name: str, fields: dict[str, Any]) -> Tool:
    parameters = (Parameter(p["name"], p["kind"], tuple(p["choices"])) for p in fields["parameters"])
    return Tool(name, fields["says"], tuple(parameters))
