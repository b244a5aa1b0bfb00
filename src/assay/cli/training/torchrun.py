"""Training in several processes: torch's own launcher runs them, and what they make is kept like any organism."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from assay.core.training import Recipe

WANTED = "ASSAY_RECIPE"


def chosen() -> Recipe:
    """The recipe that the environment names: what every process calls to know what it trains."""
    from assay.workbench.organisms import catalogue

    wanted = json.loads(os.environ[WANTED])
    recipe: Recipe = catalogue()[wanted["name"]][1](wanted["seed"], wanted["size"])
    return recipe.on(wanted["model"], wanted["identity"]) if wanted["model"] else recipe


def train_in_parallel(wanted: dict[str, Any], processes: int, shard: str) -> Path:
    """Train one organism in that many processes; its inputs are made before, by one. The finished folder."""
    from filelock import FileLock

    from assay.core import ModelError, UnknownName, UserError
    from assay.core.artefacts import DRAFTS, draft_of, finish, is_whole, place_of
    from assay.core.training import Work
    from assay.home import find_home
    from assay.techniques.training.organisms.parallel import FILE

    if shard not in ("ddp", "fsdp2"):
        raise UnknownName("way to share", shard, ("ddp", "fsdp2"), hint="Give --shard ddp or --shard fsdp2.")
    os.environ[WANTED] = json.dumps(wanted)
    recipe, root = chosen(), find_home().make().organisms
    if type(recipe).__name__ != "Organism":
        raise UserError(f"{recipe.name} is trained by one process only.", hint="Leave out --processes.")
    (root / DRAFTS).mkdir(parents=True, exist_ok=True)
    with FileLock(str(root / DRAFTS / f"{recipe.hash}.lock")):
        place, draft = place_of(root, recipe), draft_of(root, recipe)
        if is_whole(place, thorough=True):
            return place
        shutil.rmtree(draft, ignore_errors=True)
        begun = time.monotonic()
        inputs = [f"--input={one.hash}={place_of(root, one)}" for one in recipe.inputs()]
        command = [sys.executable, "-m", "torch.distributed.run", f"--nproc-per-node={processes}", "--standalone"]
        command += [
            "-m",
            "assay.techniques.training.organisms.parallel",
            f"--expect={processes}",
            f"--shard={shard}",
        ]
        command += [f"--shard={shard}", f"--recipe={__name__}:chosen", f"--folder={draft}", *inputs]
        environment = os.environ | {"OMP_NUM_THREADS": os.environ.get("OMP_NUM_THREADS", "1")}
        if subprocess.run(command, env=environment, stdout=sys.stderr).returncode != 0:
            raise ModelError(f"{recipe.name} was not trained; what went wrong stands above.")
        told = json.loads((draft / FILE).read_text())
        (draft / FILE).unlink()
        numbers = told["numbers"] | {"processes": processes}
        work = Work(numbers, told["tokens_in"], 0, tuple(told["curve"]))
        finish(
            root, recipe, work, seconds=time.monotonic() - begun, cpu_seconds=numbers["cpu_seconds"] * processes
        )
    return place
