"""How well a model was measured to decide, one file per model and task."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from assay.core import BadFile
from assay.home import find_home
from assay.models import DEFAULT_MODEL


@dataclass(frozen=True, slots=True)
class Competence:
    """What was measured of a model on a task."""

    right: Mapping[str, float]
    """Share decided rightly, per kind of decision."""
    driver: str
    """Who decided: `constrained` or `llm`."""
    n: int
    """Decisions, all kinds together."""

    @property
    def measured(self) -> str:
        """How it was measured, for a sentence."""
        return f"{self.driver}, {self.n} decision{'s' if self.n != 1 else ''}"


def measured_competence(model: str, task: str) -> Competence | None:
    """What was measured of a model on a task; None where nothing was.

    Raises:
        BadFile: what is kept is no record, or one of another model or task.
    """
    file = competence_file(model or DEFAULT_MODEL, task)
    if not file.exists():
        return None
    try:
        record = json.loads(file.read_text())
        of, rows = (record["model"], record["task"]), record["kinds"]
        right = {kind: float(row["right"]) for kind, row in rows.items()}
        found = Competence(right, str(record["driver"]), sum(int(row["n"]) for row in rows.values()))
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise BadFile(file, f"this is no record of competence ({error}).", hint="Type: assay calibrate") from None
    if of != (model or DEFAULT_MODEL, task):
        raise BadFile(file, f"this is of the model {of[0]} on {of[1]}.", hint="Type: assay calibrate")
    return found


def competence_file(model: str, task: str) -> Path:
    """Where it is kept; the digest keeps apart what is not apart in letters a file's name may have."""
    safe = "".join(letter if letter.isalnum() or letter in "-." else "-" for letter in model[:60])
    return find_home().competence / f"{safe}-{hashlib.sha256(model.encode()).hexdigest()[:8]}--{task}.json"
