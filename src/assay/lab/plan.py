"""What is to be run, and what is told while it runs."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

from assay.core import Budget, Capability, Claim, Paper, Task, UnknownName, UserError
from assay.stats import RuleName

SIZES = ("smoke", "small", "full")
CONTROLS = ("placebo", "equal-spend", "format", "forced-choice", "aa", "arm-swap", "others")
FREE_CONTROLS = ("format", "arm-swap")
"""Computed from what the arms gave anyway."""


@dataclass(frozen=True, slots=True)
class Plan:
    """What is to be run of a claim; which model answers is decided apart. Checked when it is made, so
    that a slip of the pen is found before any model is started."""

    paper: Paper
    claim: Claim
    size: str = "small"
    seed: int = 0
    n: int | None = None
    """Samples at most, where the size's own number is not wanted."""
    level: str | None = None
    """Difficulty; None: found on pilot items where the task has several."""
    task: Task | None = None
    """The user's own task instead of the claim's."""
    rule: RuleName | None = None
    controls: tuple[str, ...] = CONTROLS
    budget_tokens: float | None = None
    repeats: int = 1

    def __post_init__(self) -> None:
        if self.size not in SIZES:
            raise UnknownName("size", self.size, SIZES, hint=f"Sizes: {', '.join(SIZES)}.")
        for control in self.controls:
            if control not in CONTROLS:
                raise UnknownName("control", control, CONTROLS, hint=f"Controls: {', '.join(CONTROLS)}.")
        if self.n is not None and self.n < 1:
            raise UserError(f"{self.n} samples show nothing.", hint="Give --n at least 1.")
        if self.budget_tokens is not None:
            Budget(tokens=self.budget_tokens)
        if Capability.TRAIN in self.claim.needs and (self.budget_tokens is not None or self.repeats > 1):
            raise UserError(
                f"{self.claim.id} trains what its size says, once a seed.",
                hint="Leave out --budget-tokens and --repeats; choose --size or --n.",
            )
        own = self.claim.task
        if self.task is not None and self.claim.measures and type(self.task) is not type(own):
            raise UserError(f"{self.claim.id} runs on {own.name} only.", hint="Leave out --task.")
        levels = self.used_task.levels
        if self.level is not None and self.level not in levels:
            name = self.used_task.name
            raise UserError(f"The task {name} has no level '{self.level}'.", hint=f"Levels: {', '.join(levels)}.")
        if self.repeats < 1:
            raise UserError(f"{self.repeats} repeats show nothing.", hint="Give --repeats at least 1.")

    @property
    def used_task(self) -> Task:
        """The task that is run."""
        return self.task or self.claim.task

    @property
    def cap(self) -> int:
        """Samples at most."""
        return self.n or self.claim.sizes[self.size].n


@dataclass(frozen=True, slots=True)
class Event:
    """Something that happened in a run."""

    kind: Literal["begin", "phase", "sample", "look", "note", "making", "end"]
    text: str = ""
    done: int = 0
    total: int = 0
    data: Mapping[str, Any] | None = None

    def to_json(self) -> dict[str, Any]:
        """As JSON, without what is empty."""
        return {name: value for name in self.__slots__ if (value := getattr(self, name))}
