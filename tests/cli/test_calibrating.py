"""Competence that was measured: each model's record is its own."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path

import pytest

from assay.cli.agents.calibrating import interval_of
from assay.core import BadFile
from assay.papers import claim_named
from assay.workbench.competence import competence_file, measured_competence
from assay.workbench.wish import driven
from tests.models.endpoint import Endpoint, reply

from .test_errors import assay


@pytest.fixture(autouse=True)
def _home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ASSAY_HOME", str(tmp_path))


def kept(model: str, task: str, right: float, place: Path, n: int = 40, driver: str = "constrained") -> None:
    place.parent.mkdir(parents=True, exist_ok=True)
    kinds = {"tool": {"right": right, "n": n}}
    place.write_text(json.dumps({"model": model, "task": task, "driver": driver, "kinds": kinds}))


def right(model: str, task: str) -> dict[str, float] | None:
    found = measured_competence(model, task)
    return None if found is None else dict(found.right)


def test_models_whose_names_look_alike_have_records_of_their_own() -> None:
    for model, share in (("openai/gpt-x", 0.25), ("openai-gpt-x", 0.75), ("x" * 300, 0.5)):
        kept(model, "errands", share, competence_file(model, "errands"))
    assert right("openai/gpt-x", "errands") == {"tool": 0.25}
    assert right("openai-gpt-x", "errands") == {"tool": 0.75}
    assert right("x" * 300, "errands") == {"tool": 0.5}
    assert right("openai/gpt-x", "riddle") is None


def test_a_driver_says_from_how_many_decisions_it_was_measured() -> None:
    kept("mine", "errands", 0.5, competence_file("mine", "errands"), n=7, driver="llm")
    claim = driven(claim_named("task-loop")[1], "calibrated", "mine")
    assert claim.driver == "calibrated:tool=0.50 measured on mine (llm, 7 decisions)"


def calibrate(home: Path, endpoint: Endpoint, *more: str) -> subprocess.CompletedProcess[str]:
    words = ("calibrate", "errands", "--model", "openai/fake", "--base-url", endpoint.address, *more)
    return assay(*words, home=home)


def test_a_larger_measurement_or_one_of_another_driver_is_not_replaced_unasked(tmp_path: Path) -> None:
    file = competence_file("openai/fake", "errands")
    with Endpoint(lambda body: reply(["none"])) as endpoint:
        for n, driver in ((40, "llm"), (3, "constrained")):
            kept("openai/fake", "errands", 0.5, file, n, driver)
            before, asked = file.read_text(), len(endpoint.requests)
            done = calibrate(tmp_path, endpoint, "--n", "9", "--driver", "llm")
            assert done.returncode == 2, done.stdout
            assert f"{driver}, {n} decisions" in done.stderr
            assert "--replace" in done.stderr
            assert (file.read_text(), len(endpoint.requests)) == (before, asked)
        assert calibrate(tmp_path, endpoint, "--n", "9", "--driver", "llm", "--replace").returncode == 0
        assert measured_competence("openai/fake", "errands").n == 9  # type: ignore[union-attr]
        assert calibrate(tmp_path, endpoint, "--n", "12", "--driver", "llm").returncode == 0
        file.write_text("{")
        assert calibrate(tmp_path, endpoint, "--n", "9", "--driver", "llm").returncode == 0


@pytest.mark.parametrize("shares", [(1.0,), (0.0, 1.0), (1.0, 1.0, 1.0), (0.5, 1.0, 1.0), (0.9, 0.2)])
def test_an_interval_of_a_share_lies_within_0_and_1_and_has_a_width(shares: tuple[float, ...]) -> None:
    found = interval_of(shares)
    assert 0 <= found.low <= sum(shares) / len(shares) <= found.high <= 1
    assert found.high - found.low > 0.1


@pytest.mark.parametrize(("model", "task"), [("other", "errands"), ("mine", "riddle")])
def test_a_record_of_another_model_or_task_is_refused(model: str, task: str) -> None:
    kept(model, task, 0.5, competence_file("mine", "errands"))
    with pytest.raises(BadFile, match=f"this is of the model {model} on {task}"):
        measured_competence("mine", "errands")
