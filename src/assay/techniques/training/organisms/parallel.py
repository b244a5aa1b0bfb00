"""Train one organism in several processes: the same loss curve and the same folder as one process makes.

    torchrun --nproc-per-node 2 -m assay.techniques.training.organisms.parallel --expect 2 --shard ddp \
        --recipe my_module:my_organism --folder out

Source   data parallelism: Li et al. 2020 (arXiv 2006.15704); fully sharded: Zhao et al. 2023 (2304.11277), as
         `fully_shard` of torch does it, https://docs.pytorch.org/docs/stable/distributed.fsdp.fully_shard.html
Here     every process draws the whole batch, which is a pure function of the step, and works on every n-th row
         of it; sums of losses are divided by the learned tokens of the whole batch, so that processes with
         longer answers do not count less. The first process writes the folder, and `work.json` beside it.
Departs  (1) the loop is the one of a single process: it sees the loss of the whole batch, whose gradient is
         that of this process's rows. (2) A stopped training begins again: no checkpoint outlives it. (3) A
         budget in CPU seconds is refused: processes would disagree on when it is spent.
Needs    weights; torchrun, with nccl on GPUs and gloo without.
Costs    what one process costs, spread, and an exchange of all gradients a step.
"""

from __future__ import annotations

import argparse
import importlib
import json
import os
import sys
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from assay.core.errors import AssayError, UnknownName, UserError
from assay.core.training import Recipe, Work
from assay.techniques.training.organisms.loop import Batch, fit, next_token_loss
from assay.techniques.training.organisms.network import parameters, require_torch, save
from assay.techniques.training.organisms.organism import Organism, Texts, begin, context_of, held_out_loss

if TYPE_CHECKING:
    from torch import Tensor

Shard = Literal["ddp", "fsdp2"]
FILE = "work.json"


@dataclass(frozen=True)
class Rank:
    """The place of one process: only the first one tells how far it is."""

    folder: Path
    inputs: Mapping[str, Path]
    """Finished folders by the hashes of their recipes."""
    first: bool

    def of(self, recipe: Recipe) -> Path:
        """The folder handed in for it."""
        if recipe.hash not in self.inputs:
            raise UserError(f"{recipe.name} is not made yet.", hint=f"Give --input {recipe.hash}=FOLDER")
        return self.inputs[recipe.hash]

    def tell(self, share: float, text: str = "") -> None:
        """One line of JSON on the standard output."""
        if self.first:
            print(json.dumps({"share": round(share, 4), "text": text}), flush=True)

    def stopping(self) -> bool:
        """Never: a signal to torchrun ends all processes."""
        return False


def require_world(expected: int) -> int:
    """How many processes there are; `UserError` where it is another number than expected."""
    found = int(os.environ.get("WORLD_SIZE", "1"))
    if found != expected:
        raise UserError(
            f"{expected} processes were expected and {found} run.",
            hint=f"Type: torchrun --nproc-per-node {expected} -m {__spec__.name if __spec__ else __name__} ...",
        )
    return found


def recipe_named(name: str) -> Organism:
    """The organism `module:name` stands for: a value, or a function that returns it."""
    module, _, attribute = name.partition(":")
    try:
        found = getattr(importlib.import_module(module), attribute)
    except (ImportError, AttributeError, ValueError):
        raise UnknownName("recipe", name, (), hint="Give it as module:name, on the path of Python.") from None
    found = found() if callable(found) else found
    if not isinstance(found, Organism):
        raise UserError(f"{name} is no organism.", hint="Name a recipe of the class Organism.")
    return found


def train(recipe: Organism, folder: Path, inputs: Mapping[str, Path], shard: Shard) -> Work:
    """Train in all processes of the group, and write the folder in the first; the same `Work` in all.

    The process group has to be there.
    """
    import torch.distributed as distributed

    rank, world = distributed.get_rank(), distributed.get_world_size()
    schedule = recipe.schedule
    if schedule.cpu_seconds:
        raise UserError("Several processes cannot share a budget in CPU seconds.", hint="Give tokens or steps.")
    if schedule.batch < world:
        raise UserError(f"A batch of {schedule.batch} texts leaves some of {world} processes without any.")
    with tempfile.TemporaryDirectory() as forgotten:
        place = Rank(Path(forgotten), inputs, rank == 0)
        model, tokenizer = begin(recipe.start, recipe.vocabulary, recipe.corpus, recipe.seed, place)
        context, sizes = context_of(model), parameters(model)
        texts = Texts(recipe.corpus, tokenizer, schedule.batch, recipe.seed, recipe.unique, context)
        watch = None if recipe.watched is None else held_out_loss(recipe.watched, tokenizer, context)
        work = fit(spread(model, shard), texts, schedule, place, loss_of=Share(rank, world), watch=watch)
        whole = gathered(model)
        work = replace(work, numbers={**work.numbers, "parameters": sizes[0], "inner_parameters": sizes[1]})
        if rank == 0:
            fresh, _ = begin(recipe.start, recipe.vocabulary, recipe.corpus, recipe.seed, place)
            fresh.load_state_dict(whole)
            folder.mkdir(parents=True, exist_ok=True)
            save(fresh, tokenizer, folder)
            kept = {"numbers": work.numbers, "tokens_in": work.tokens_in, "curve": work.curve, "processes": world}
            (folder / FILE).write_text(json.dumps(kept), encoding="utf-8")
    distributed.barrier()
    return work


@dataclass(frozen=True, slots=True)
class Share:
    """The loss of a whole batch, of which this process has worked out its own rows.

    The value is the sum over the rows of all processes; the gradient is that of its own rows times the number
    of processes, as DDP and FSDP2 average gradients over them.
    """

    rank: int
    world: int

    def __call__(self, model: Any, batch: Batch) -> Tensor:
        """Sum of losses over learned tokens, in nats."""
        import torch.distributed as distributed

        mine = slice(self.rank, None, self.world)
        own = next_token_loss(model, Batch(batch.ids[mine], batch.labels[mine], batch.tokens))
        whole = own.detach().clone()
        distributed.all_reduce(whole)
        scaled = own * self.world
        return scaled + (whole - scaled).detach()


def spread(model: Any, shard: Shard) -> Any:
    """The network as all processes train it together: whole in each, or a part of every matrix in each."""
    import torch

    if shard == "ddp":
        return torch.nn.parallel.DistributedDataParallel(model)
    from torch.distributed.device_mesh import init_device_mesh
    from torch.distributed.fsdp import fully_shard

    mesh = init_device_mesh(model.device.type, (torch.distributed.get_world_size(),))
    for layer in model.get_decoder().layers:
        fully_shard(layer, mesh=mesh)
    fully_shard(model, mesh=mesh)
    return model


def gathered(model: Any) -> dict[str, Any]:
    """All weights, put together on the CPU of the first process; empty in others where weights are sharded."""
    from torch.distributed.checkpoint.state_dict import StateDictOptions, get_model_state_dict

    found: dict[str, Any] = get_model_state_dict(
        model, options=StateDictOptions(full_state_dict=True, cpu_offload=True)
    )
    return found


def main(arguments: list[str] | None = None) -> int:
    """The command line of one process; returns the exit code."""
    parser = argparse.ArgumentParser(description="Train an organism in several processes.")
    parser.add_argument("--expect", type=int, required=True, help="how many processes there should be")
    parser.add_argument("--shard", choices=("ddp", "fsdp2"), default="ddp")
    parser.add_argument(
        "--recipe", required=True, help="module:name of an Organism, or of a function that returns it"
    )
    parser.add_argument("--folder", type=Path, required=True)
    parser.add_argument("--input", action="append", default=[], metavar="HASH=FOLDER", help="a recipe made before")
    given = parser.parse_args(arguments)
    try:
        world = require_world(given.expect)
        require_torch()
        recipe = recipe_named(given.recipe)
        inputs = {key: Path(path) for key, _, path in (text.partition("=") for text in given.input)}
        _run(recipe, given.folder, inputs, given.shard, world)
    except AssayError as error:
        print(error, file=sys.stderr)
        return error.exit_code
    return 0


def _run(recipe: Organism, folder: Path, inputs: Mapping[str, Path], shard: Shard, world: int) -> None:
    """Train in a process group of this size."""
    import torch
    import torch.distributed as distributed

    cuda = torch.cuda.is_available()
    if cuda:
        torch.cuda.set_device(int(os.environ.get("LOCAL_RANK", "0")))
    if "WORLD_SIZE" not in os.environ:
        # One process without torchrun: it meets nobody.
        os.environ |= {"WORLD_SIZE": "1", "RANK": "0", "MASTER_ADDR": "127.0.0.1", "MASTER_PORT": "0"}
    distributed.init_process_group("nccl" if cuda else "gloo")
    try:
        assert distributed.get_world_size() == world, "the group has as many processes as torchrun said"
        train(recipe, folder, inputs, shard)
    finally:
        distributed.destroy_process_group()


if __name__ == "__main__":
    sys.exit(main())
