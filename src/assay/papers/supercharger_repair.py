"""Supercharger, the cleaning of code: text that does not parse is repaired until it does. Does it still work?"""

from __future__ import annotations

from functools import partial
from typing import Any

from assay.core import Answer, Arm, Claim, EvidenceKind, Flow, Paper, Sample, Size, Task
from assay.tasks.code import FaultsTask
from assay.techniques.execution.repairing.minimal_repair import minimal_repair
from assay.techniques.execution.repairing.repair import Repaired, repair
from assay.techniques.execution.repairing.repaired import Counts, Repair, repaired


def nothing(text: str) -> Repaired:
    """The text as it is."""
    return Repaired(text, False, reason="It was left as it is.")


REPAIRERS: dict[str, tuple[Repair, str]] = {
    "with-deletion": (repair, "the source's repair; what cannot be repaired is deleted line by line"),
    "without-deletion": (partial(repair, delete=False), "the source's repair, nothing deleted"),
    "minimal-edit": (minimal_repair, "the fewest single-token edits, the likeliest of them"),
    "none": (nothing, "the faulty text as it is"),
}


def mending(name: str, counts: Counts = "behaves") -> Arm:
    """A repairer as an arm."""
    how, says = REPAIRERS[name]

    def flow(sample: Sample, task: Task) -> Flow[Answer]:
        function = sample.meta["function"]
        return repaired(sample.question, how, function.source, function.cases, counts)

    return Arm(name, flow, says)


MODEL_FREE: dict[str, Any] = {
    "sizes": {"smoke": Size(20), "small": Size(300), "full": Size(3000)},
    "needs": frozenset(),
    "rule": "fixed",
    "placebo": False,
    "equal_spend": False,
    "sandbox": True,
    "others": (mending("none"),),
    "at_chance": ("none",),
}
BEHAVE: dict[str, Any] = {"unit": "functions that do what they did", **MODEL_FREE}

PAPER = Paper(
    slug="supercharger-repair",
    title="Supercharger: Supercharge Open-Source AI Models (the cleaning of code)",
    authors="catid",
    year=2023,
    url="https://github.com/catid/supercharger",
    row="R16",
    shelf="execution",
    says="A repository of April 2023: generated code that does not parse is repaired where the parser stops, and "
    "where nothing helps the faulty line is deleted, up to a hundred times. It gives no figure.",
    reading="Deletion makes nearly anything parse, so parsing shows little. What counts is whether a function "
    "does again what it did before a fault was put into it; what was cut off, nothing brings back.",
    claims=(
        Claim(
            "ast-repair-parses",
            "Repair that may delete the faulty line makes nearly every faulty function parse again.",
            mending("with-deletion", "parses"),
            mending("without-deletion", "parses"),
            FaultsTask(),
            0.05,
            evidence=EvidenceKind.RATE,
            expected=(0.95, 1.0),
            unit="functions that parse",
            **MODEL_FREE,
        ),
        Claim(
            "ast-repair-keeps-behaviour",
            "Nearly every faulty function does again what it did once this repair has made it parse.",
            mending("with-deletion"),
            mending("without-deletion"),
            FaultsTask(),
            0.05,
            evidence=EvidenceKind.RATE,
            expected=(0.9, 1.0),
            **BEHAVE,
        ),
        Claim(
            "minimal-repair-keeps-more",
            "The fewest single-token edits keep what functions do more often than the source's repair.",
            mending("minimal-edit"),
            mending("with-deletion"),
            FaultsTask(),
            0.05,
            **BEHAVE,
        ),
    ),
    departures=(
        "Seven kinds of faults, one or two at a time, in generated functions and in some of the standard library.",
        "Errors are read by their place and class; the source reads the words of the message.",
        "The last claim is ours: another repairer, built on functions of other seeds than it is judged on.",
        "No model is asked, so there is no placebo and nothing to spend; the untouched text must score nothing.",
    ),
)
