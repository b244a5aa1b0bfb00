"""A world of the user's own tools: every act is a request, so that the loop itself does nothing.

Source    none of its own.
Here      Calls go out as `Use` requests and are answered by whoever runs the flow, in a process that can be
          killed. One tool is always there: `finish`, which ends the loop with an answer.
Departs   -
Needs     tools.
Costs     what the tools cost.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field

from assay.core import Flow, use
from assay.core.agents import Parameter, Tool, ToolCall

FINISH = Tool("finish", "say that the objective is met", (Parameter("answer", longest=300),))


@dataclass(slots=True)
class ToolWorld:
    """An objective, and the tools to reach it."""

    objective: str
    own_tools: tuple[Tool, ...]
    seconds: float = 30.0
    """How long one call may take."""
    answer: str = ""
    finished: str = ""
    count: dict[str, int] = field(default_factory=dict)

    @property
    def tools(self) -> tuple[Tool, ...]:
        """The user's, and `finish`."""
        return (*self.own_tools, FINISH)

    def act(self, call: ToolCall) -> Flow[str]:
        """Have the tool used; a fault of it is what is observed."""
        self.count[call.tool] = self.count.get(call.tool, 0) + 1
        if call.tool == FINISH.name:
            self.finished, self.answer = "done", str(dict(call.arguments)["answer"])
            return "finished"
        used = yield from use(call.tool, json.dumps(dict(call.arguments), sort_keys=True), self.seconds)
        return used.text if not used.failed else f"Error: {used.text}"

    def measures(self) -> Mapping[str, float]:
        """How often each tool was used."""
        return {f"used {name}": float(times) for name, times in self.count.items()}
