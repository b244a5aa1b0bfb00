"""What training comes to, along a dose: the flow of every arm that trains.

Source   none of its own: a seed is the unit of a claim about training, and everything is trained anew from it.
Here     yields every recipe of a curve and everything these build on, so that each cost is counted once.
Departs  -
Needs    training.
Costs    what its recipes cost.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import partial
from types import MappingProxyType
from typing import Any

from assay.core.answers import curve_text
from assay.core.claim import Arm, Claim, EvidenceKind, Measure, Size
from assay.core.flow import Flow
from assay.core.model import Capability
from assay.core.samples import Answer, Sample
from assay.core.task import Task
from assay.core.training import Made, Make, Recipe, with_inputs

Points = Sequence[tuple[float, Recipe]]
"""(dose, recipe of the measurement there)."""
Ladder = Callable[..., Points]
"""(seed, size) and settings of its own -> the recipes along the dose."""
OWN_NETWORKS = frozenset({Capability.TRAIN, Capability.SCRATCH})
SEEDS: Mapping[str, Size] = MappingProxyType(
    {"smoke": Size(2, level="smoke"), "small": Size(5, level="small"), "full": Size(10, level="full")}
)
"""How many seeds everything is trained from."""


def trained(name: str, says: str, ladder: Ladder, number: str, **settings: Any) -> Arm:
    """An arm that trains what its ladder names, and compares one number of it."""
    flow = partial(measured_along, ladder=partial(ladder, **settings), number=number)
    return Arm(name, flow, says)


def training_claim(
    name: str, sentence: str, arms: tuple[Arm, Arm], task: Task, smallest_effect: float, **other: Any
) -> Claim:
    """A claim about training: (treatment, control), both trained anew from every seed of the task.

    Where arms differ in size or tokenizer, `needs` is `OWN_NETWORKS`: pretrained weights have but one.
    """
    settings: dict[str, Any] = {
        "sizes": SEEDS,
        "measure": Measure.GRADED,
        "needs": frozenset({Capability.TRAIN}),
        "evidence": EvidenceKind.TREND,
        "rule": "fixed",
        "placebo": False,
        "equal_spend": False,
    }
    return Claim(name, sentence, *arms, task, smallest_effect, **(settings | other))


def measured_along(sample: Sample, task: Task, *, ladder: Ladder, number: str) -> Flow[Answer]:
    """One number of the artefacts along a dose, as a curve.

    Where the number is a list, one artefact holds the whole curve: as pairs (dose, value), or as values at its
    `sizes`.
    """
    points = ladder(sample.meta["seed"], sample.meta["size"])
    recipes = with_inputs([recipe for _, recipe in points])
    replies = yield [Make(recipe) for recipe in recipes]
    made: dict[Recipe, Made] = dict(zip(recipes, replies, strict=True))
    found = []
    for dose, recipe in points:
        numbers = made[recipe].numbers
        found += _points(dose, numbers[number], numbers.get("sizes"))
    return Answer(value=curve_text(found))


def _points(dose: float, value: Any, sizes: Any) -> list[tuple[float, float]]:
    if not isinstance(value, list):
        return [(dose, float(value))]
    if not value:
        return []
    pairs = value if isinstance(value[0], list) else zip(sizes, value, strict=True)
    return [(float(x), float(y)) for x, y in pairs]
