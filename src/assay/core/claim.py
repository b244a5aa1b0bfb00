"""A claim: a sentence from a source, made testable. And the card that holds a source's claims."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

from assay.core.agents.deciding import Decider
from assay.core.flow import Flow
from assay.core.model import WHITE_BOX, Capability
from assay.core.samples import Answer, Sample
from assay.core.task import Task
from assay.core.training import Recipe

ArmFlow = Callable[..., Flow[Answer]]
"""(sample, task) -> its flow; (sample, task, prepared) where the arm prepares."""
Preparation = Callable[[Sequence[Sample], Task, int], Flow[Any]]
"""(all samples of the run, task, seed) -> a flow that returns what every sample's flow is given. Where that has a
`note`, the verdict says it: what was chosen, and how it did where it was chosen."""


@dataclass(frozen=True, slots=True)
class Arm:
    """A technique as it is applied to one sample of the claim's task."""

    name: str
    flow: ArmFlow
    says: str = ""
    """One line for the table: what this arm does."""
    prepare: Preparation | None = None
    """Done once before the first sample: fit a probe, calibrate a null, search a prompt. What is chosen
    here for a sample must not have been chosen on it; the cost is the arm's."""


class EvidenceKind(StrEnum):
    """What a verdict rests on."""

    PAIRED = "paired"
    """Scores of two arms on the same samples: their difference."""
    DETECTOR = "detector"
    """Two arms that tell positive samples from negative ones: the difference of their AUROC, or TPR."""
    RATE = "rate"
    """The treatment's mean against numbers: the control stands beside it."""
    TREND = "trend"
    """Curves along a dose, one per seed: how steep they are, or how high, in one arm and the other."""


class Measure(StrEnum):
    """What a score is."""

    BINARY = "binary"
    """0 or 1: the effect is a difference of rates."""
    GRADED = "graded"
    """A number in [0, 1]: the effect is a difference of means."""
    SCORE = "score"
    """Any number, of which only the order counts: how positive a detector takes the sample to be."""


@dataclass(frozen=True, slots=True)
class Size:
    """How much is run at one position of the size dial."""

    n: int
    """Samples at most; a sequential rule may stop before."""
    pilot: int = 0
    """Pilot samples per difficulty level; 0: the first level is taken without asking."""
    level: str = ""
    """The task's level at this size, where the size of what is trained is meant; empty: as the pilot says."""


@dataclass(frozen=True, slots=True)
class Claim:
    """Treatment against control on the same samples, and what would count as true."""

    id: str
    sentence: str
    treatment: Arm
    control: Arm
    task: Task
    smallest_effect: float
    """Smallest effect worth having, in units of the effect; where no difference is claimed, the margin."""
    sizes: Mapping[str, Size]
    direction: int = 1
    """+1: the claim says the treatment scores higher; -1: lower; 0: that they do not differ."""
    measure: Measure = Measure.BINARY
    unit: str = "accuracy"
    """What the score is called in tables and plots."""
    needs: frozenset[Capability] = field(default_factory=lambda: frozenset({Capability.GENERATE}))
    placebo: Arm | bool = True
    """Same shape, no relevant content. True: the lab splices another sample's first replies in, where the
    treatment has more than one step and begins with words; else there is none. False: it has no sense."""
    equal_spend: bool | Arm = True
    """True: the control is given the treatment's tokens by resampling it and voting. An arm: that one is
    the equal spend, where a vote over the control would be the treatment itself. False: it has no sense."""
    rule: str = "anytime"
    """Stopping rule: `anytime`, `obf5` or `fixed`. Fixed where the samples are the whole population."""
    others: tuple[Arm, ...] = ()
    """Further arms shown beside the two (ablations, dose levels), no verdict of their own."""
    at_chance: tuple[str, ...] = ()
    """Those of `others` that must score as a guess does (shuffled labels, untrained weights): where one
    does not, the samples give the answer away and nothing is decided. They are run on every sample."""
    sandbox: bool = False
    """Whether model-written code is run."""
    evidence: EvidenceKind = EvidenceKind.PAIRED
    positive: str = ""
    """DETECTOR: the target of samples that ought to score high."""
    fpr: float | None = None
    """DETECTOR: compare TPR at this false-positive rate; None: AUROC."""
    expected: tuple[float, float] | None = None
    """RATE: between which numbers the claim puts the treatment's mean."""
    driver: str = "llm"
    """Who decides inside its agents; see `core.agents.deciding`."""
    drive: Callable[[Decider], Claim] | None = None
    """The same claim with another driver; None where nothing is decided inside it."""
    organism: str = ""
    """The organism of its card that it is run on where no model is named; empty: the embedded model."""
    departures: tuple[str, ...] = ()

    @property
    def measures(self) -> bool:
        """Whether its arms measure what only the claim's own task holds."""
        prepares = self.treatment.prepare is not None or self.control.prepare is not None
        below_words = not self.needs or bool(self.needs & (WHITE_BOX | {Capability.TOKENS, Capability.TRAIN}))
        return self.evidence is not EvidenceKind.PAIRED or prepares or below_words


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
    organisms: Mapping[str, Callable[[int, str], Recipe]] = field(default_factory=dict)
    """What its claims train, by name: (seed, size) -> recipe."""
