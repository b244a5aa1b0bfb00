"""Techniques that act in a world, step by step."""

from assay.techniques.agents.command_loop import CommandLoop, command_loop
from assay.techniques.agents.guard import LoopGuard
from assay.techniques.agents.memory import MEMORIES
from assay.techniques.agents.policy import ClosedPolicy, OpenPolicy, Policy
from assay.techniques.agents.task_loop import TaskLoop, task_loop
from assay.techniques.agents.tool_world import ToolWorld

__all__ = [
    "MEMORIES",
    "ClosedPolicy",
    "CommandLoop",
    "LoopGuard",
    "OpenPolicy",
    "Policy",
    "TaskLoop",
    "ToolWorld",
    "command_loop",
    "task_loop",
]
