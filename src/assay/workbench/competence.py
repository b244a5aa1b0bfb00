"""How well a model was measured to decide, one file per model and task."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path

from assay.core import BadFile
from assay.home import find_home
from assay.models import DEFAULT_MODEL


def measured_competence(model: str, task: str) -> dict[str, float] | None:
    """What was measured of a model on a task, per kind of decision; None where nothing was."""
    file = competence_file(model or DEFAULT_MODEL, task)
    if not file.exists():
        return None
    try:
        record = json.loads(file.read_text())
        of = record["model"], record["task"]
        found = {kind: float(row["right"]) for kind, row in record["kinds"].items()}
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise BadFile(file, f"this is no record of competence ({error}).", hint="Type: assay calibrate") from None
    if of != (model or DEFAULT_MODEL, task):
        raise BadFile(file, f"this is of the model {of[0]} on {of[1]}.", hint="Type: assay calibrate")
    return found


def competence_file(model: str, task: str) -> Path:
    """Where it is kept; the digest keeps apart what is not apart in letters a file's name may have."""
    safe = "".join(letter if letter.isalnum() or letter in "-." else "-" for letter in model[:60])
    return find_home().competence / f"{safe}-{hashlib.sha256(model.encode()).hexdigest()[:8]}--{task}.json"
