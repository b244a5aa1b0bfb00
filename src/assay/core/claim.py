"""A claim: a sentence from a source, made testable. And the card that holds a source's claims."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from enum import StrEnum

from assay.core.flow import Flow
from assay.core.model import Capability
from assay.core.samples import Answer, Sample
from assay.core.task import Task

ArmFlow = Callable[[Sample, Task], Flow[Answer]]


@dataclass(frozen=True, slots=True)
class Arm:
    """A technique as it is applied to one sample of the claim's task."""

    name: str
    flow: ArmFlow
    says: str = ""
    """One line for the table: what this arm does."""


class Measure(StrEnum):
    """What a score is."""

    BINARY = "binary"
    """0 or 1: the effect is a difference of rates."""
    GRADED = "graded"
    """A number in [0, 1]: the effect is a difference of means."""


@dataclass(frozen=True, slots=True)
class Size:
    """How much is run at one position of the size dial."""

    n: int
    """Samples at most; a sequential rule may stop before."""
    pilot: int = 0
    """Pilot samples per difficulty level; 0: the first level is taken without asking."""


@dataclass(frozen=True, slots=True)
class Claim:
    """Treatment against control on the same samples, and what would count as true."""

    id: str
    sentence: str
    treatment: Arm
    control: Arm
    task: Task
    smallest_effect: float
    """Smallest effect worth having, in units of the score."""
    sizes: Mapping[str, Size]
    direction: int = 1
    """+1: the claim says the treatment scores higher; -1: lower."""
    measure: Measure = Measure.BINARY
    unit: str = "accuracy"
    """What the score is called in tables and plots."""
    needs: frozenset[Capability] = field(default_factory=lambda: frozenset({Capability.GENERATE}))
    placebo: Arm | None = None
    """Same shape, no relevant content. None: the lab splices another sample's first replies in, where
    the treatment has more than one step; else the claim has no placebo and the verdict says so."""
    equal_spend: bool | Arm = True
    """True: the control is given the treatment's tokens by resampling it and voting. An arm: that one is
    the equal spend, where a vote over the control would be the treatment itself. False: it has no sense."""
    rule: str = "anytime"
    """Stopping rule: `anytime`, `obf5` or `fixed`. Fixed where the samples are the whole population."""
    others: tuple[Arm, ...] = ()
    """Further arms shown beside the two (ablations, dose levels), no verdict of their own."""
    sandbox: bool = False
    """Whether model-written code is run."""
    driver: str = "llm"
    departures: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Paper:
    """The card of one source: what it says, our reading, our departures, its claims."""

    slug: str
    title: str
    authors: str
    year: int
    url: str
    row: str
    """Row of the system list, such as R02."""
    shelf: str
    """Where its technique lives under `techniques/`, or `tasks`."""
    says: str
    """What the source reports, with section or table."""
    reading: str
    """How we read it, and where we expect it to fail."""
    claims: tuple[Claim, ...]
    departures: tuple[str, ...] = ()
