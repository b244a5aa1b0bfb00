"""Several processes give what one gives: curves and folders compared, two real processes over gloo."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from assay.core.artefacts import CHECKPOINT
from assay.core.errors import UserError
from assay.core.training import Work
from assay.techniques.training.organisms import loop
from assay.techniques.training.organisms.loop import Schedule
from assay.techniques.training.organisms.organism import Organism
from assay.techniques.training.organisms.parallel import recipe_named, require_world
from tests.techniques.training.by_hand import TINY, Copies, Here

pytest.importorskip("torch")
ROOT = Path(__file__).parents[3]
MODULE = "assay.techniques.training.organisms.parallel"


class Uneven(Copies):
    """Answers of one to six digits: processes with as many rows have not as many learned tokens."""

    def examples(self, count, rng):  # type: ignore[no-untyped-def]
        from assay.core.training import Example

        found = super().examples(count, rng)
        return [Example(e.prompt, e.answer * int(rng.integers(1, 3))) for e in found]


SMALL = Organism(
    "small", Uneven(), TINY, schedule=Schedule(steps=12, batch=7, rate=1e-2, warmup=3), watched=Copies()
)


def small() -> Organism:
    """Called in every process: there, a checkpoint is written at every step, sharded weights and all."""
    loop.KEEP_EVERY = 0.0
    return SMALL


def torchrun(processes: int, *arguments: str) -> subprocess.CompletedProcess[str]:
    environment = {**os.environ, "OMP_NUM_THREADS": "1", "PYTHONPATH": f"{ROOT}/src:{ROOT}"}
    launcher = [sys.executable, "-m", "torch.distributed.run", "--nproc-per-node", str(processes), "--standalone"]
    return subprocess.run(
        [*launcher, "-m", MODULE, *arguments],
        capture_output=True,
        text=True,
        env=environment,
        cwd=ROOT,
        timeout=240,
    )


@pytest.fixture(scope="module")
def alone(tmp_path_factory: pytest.TempPathFactory) -> tuple[Work, Path]:
    folder = tmp_path_factory.mktemp("alone")
    return SMALL.make(Here(folder)), folder


@pytest.mark.slow
@pytest.mark.parametrize("shard", ["ddp", "fsdp2"])
def test_two_processes_give_the_curve_and_the_folder_of_one(
    shard: str, alone: tuple[Work, Path], tmp_path: Path
) -> None:
    from assay.techniques.training.organisms.network import load

    work, folder = alone
    given = ["--expect", "2", "--shard", shard, "--recipe", f"{__name__}:small", "--folder", str(tmp_path / "out")]
    done = torchrun(2, *given)
    assert done.returncode == 0, done.stderr[-3000:]
    found = json.loads((tmp_path / "out" / "work.json").read_text())
    assert found["processes"] == 2
    assert found["tokens_in"] == work.tokens_in
    assert len(found["curve"]) == len(work.curve) > 12
    for mine, theirs in zip(found["curve"], work.curve, strict=True):
        assert mine == pytest.approx(dict(theirs), abs=1e-4)
    ours, theirs = (dict(load(path)[0].named_parameters()) for path in (tmp_path / "out", folder))
    assert set(ours) == set(theirs)
    for name, weight in ours.items():
        assert (weight - theirs[name]).abs().max() < 1e-3, name
    names = [{path.name for path in place.iterdir()} for place in (tmp_path / "out", folder)]
    assert names[0] - {"work.json"} == names[1] - {CHECKPOINT}
    assert [line for line in done.stdout.splitlines() if "share" in line], "the first process tells how far it is"


@pytest.mark.slow
def test_another_number_of_processes_is_refused_in_one_sentence(tmp_path: Path) -> None:
    given = ["--expect", "3", "--recipe", f"{__name__}:small", "--folder", str(tmp_path)]
    done = torchrun(2, *given)
    assert done.returncode != 0
    assert "3 processes were expected and 2 run." in done.stderr
    assert not list(tmp_path.iterdir())


def test_the_world_is_asked_for(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("WORLD_SIZE", "2")
    assert require_world(2) == 2
    with pytest.raises(UserError, match="4 processes were expected and 2 run"):
        require_world(4)
    monkeypatch.delenv("WORLD_SIZE")
    with pytest.raises(UserError, match="torchrun"):
        require_world(2)


def test_recipes_are_named_by_module_and_attribute(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(loop, "KEEP_EVERY", loop.KEEP_EVERY)
    assert recipe_named(f"{__name__}:small") == recipe_named(f"{__name__}:SMALL") == SMALL
    for wrong in ("no.such.module:x", f"{__name__}:nothing", "justaname", f"{__name__}:ROOT"):
        with pytest.raises(UserError):
            recipe_named(wrong)
