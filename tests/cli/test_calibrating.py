"""Competence that was measured: each model's record is its own."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from assay.core import BadFile
from assay.workbench.competence import competence_file, measured_competence


@pytest.fixture(autouse=True)
def _home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ASSAY_HOME", str(tmp_path))


def kept(model: str, task: str, right: float, place: Path) -> None:
    place.parent.mkdir(parents=True, exist_ok=True)
    place.write_text(json.dumps({"model": model, "task": task, "kinds": {"tool": {"right": right}}}))


def test_models_whose_names_look_alike_have_records_of_their_own() -> None:
    for model, right in (("openai/gpt-x", 0.25), ("openai-gpt-x", 0.75), ("x" * 300, 0.5)):
        kept(model, "errands", right, competence_file(model, "errands"))
    assert measured_competence("openai/gpt-x", "errands") == {"tool": 0.25}
    assert measured_competence("openai-gpt-x", "errands") == {"tool": 0.75}
    assert measured_competence("x" * 300, "errands") == {"tool": 0.5}
    assert measured_competence("openai/gpt-x", "riddle") is None


@pytest.mark.parametrize(("model", "task"), [("other", "errands"), ("mine", "riddle")])
def test_a_record_of_another_model_or_task_is_refused(model: str, task: str) -> None:
    kept(model, task, 0.5, competence_file("mine", "errands"))
    with pytest.raises(BadFile, match=f"this is of the model {model} on {task}"):
        measured_competence("mine", "errands")
