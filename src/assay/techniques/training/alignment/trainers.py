"""How a trainer of the library `trl` is run here: its traps, stopping and going on, its curve and its counts."""

from __future__ import annotations

import importlib.metadata
import logging
import math
import os
import shutil
import warnings
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from assay.core.errors import CannotRun, ModelError
from assay.core.training import Place, Stopped, Work
from assay.techniques.training.organisms.loop import NOTE_EVERY, Diverged
from assay.techniques.training.organisms.network import require_torch

if TYPE_CHECKING:
    from assay.techniques.training.alignment.tuning import Tuning

MINOR = "1.16"
"""The version of trl this is written for: it removes things in minor versions."""
FOLDER = "trainer"
"""Where a stopped training is kept, in the folder of its recipe."""
LARGE = 10**8
"""Parameters from which activations are computed twice instead of kept, on a GPU."""


def require_trl() -> Any:
    """The library; `CannotRun` with what to type where it is missing or of another minor version."""
    require_torch()
    os.environ.setdefault("TOKENIZERS_PARALLELISM", "false")
    hint = "Type: pip install 'assay[train]'"
    try:
        found = importlib.metadata.version("trl")
        import datasets
        import trl
    except ImportError as error:  # PackageNotFoundError is one
        raise CannotRun(f"This training needs trl and datasets ({error}).", hint=hint) from None
    if found.split(".")[:2] != MINOR.split("."):
        raise CannotRun(f"This training is written for trl {MINOR}; {found} is installed.", hint=hint)
    datasets.disable_progress_bars()
    logging.getLogger("trl").setLevel(logging.ERROR)
    return trl


def arguments(recipe: Tuning, place: Place, model: Any) -> dict[str, Any]:
    """What every trainer is told: the library's defaults are for large models on GPUs, and talkative."""
    import torch
    from transformers import TrainingArguments

    cuda = torch.cuda.is_available()
    # The old name draws a warning, the new one is not in every transformers 5.
    checkpointing = next(
        n for n in ("activation_checkpointing", "gradient_checkpointing") if hasattr(TrainingArguments, n)
    )
    return {
        "output_dir": str(place.folder / FOLDER),
        "max_steps": recipe.steps,
        "per_device_train_batch_size": recipe.batch,
        "gradient_accumulation_steps": 1,
        "learning_rate": recipe.rate,
        "lr_scheduler_type": "linear",
        "seed": recipe.seed,
        "data_seed": recipe.seed,
        "use_cpu": not cuda,
        "bf16": cuda and torch.cuda.is_bf16_supported(),
        checkpointing: cuda and model.num_parameters() >= LARGE,
        "dataloader_pin_memory": cuda,
        "logging_steps": 1,
        "logging_nan_inf_filter": False,
        "report_to": [],
        "disable_tqdm": True,
        "save_strategy": "no",
    }


def prepared(rows: Sequence[Mapping[str, Any]]) -> Any:
    """Rows as the library's data set, in memory."""
    from datasets import Dataset

    return Dataset.from_list(list(rows))


def adapter(rank: int, kind: str) -> Any:
    """LoRA on every linear layer but the head; None for rank 0."""
    if not rank:
        return None
    try:
        from peft import LoraConfig
    except ImportError as error:
        raise CannotRun(f"LoRA needs peft ({error}).", hint="Type: pip install 'assay[train]'") from None
    return LoraConfig(r=rank, lora_alpha=2 * rank, target_modules="all-linear", task_type=kind)


def as_given(kind: Any) -> Any:
    """A trainer class that takes token ids as they are, where the library's own cuts texts itself."""
    return type(kind.__name__, (kind,), {"_prepare_dataset": lambda self, dataset, *rest: dataset})


def built(kind: Any, tokenizer: Any, **given: Any) -> Any:
    """A trainer, made without the warnings about names that will change in transformers."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", FutureWarning)
        return kind(processing_class=tokenizer, **given)


def trained(trainer: Any, place: Place, watched: Mapping[str, str]) -> Work:
    """Run a trainer to its end; `watched` names what of its log is kept, and how it is called here.

    A stopped training goes on where it was, with the same weights as one never stopped. Numbers are means over
    the last tenth of the steps, those ending in `_first` over the first tenth. `tokens_in` are the tokens that
    gradients were computed over, prompts included, padding and the reference's reading left out.
    """
    from transformers import PrinterCallback
    from transformers.trainer_utils import get_last_checkpoint

    trainer.remove_callback(PrinterCallback)
    trainer.add_callback(_watching(place))
    folder = place.folder / FOLDER
    last = get_last_checkpoint(str(folder)) if folder.is_dir() else None
    with warnings.catch_warnings():
        # The library still asks transformers by names that will change.
        warnings.simplefilter("ignore", FutureWarning)
        try:
            trainer.train(resume_from_checkpoint=last)
        except ValueError:
            if last is None:
                raise
            # A checkpoint that was cut off while it was written: begin again without it, next time.
            shutil.rmtree(folder)
            raise ModelError(
                "A checkpoint was cut off while it was written, and is removed.", hint="Ask again to begin anew."
            ) from None
    if trainer.state.global_step < trainer.args.max_steps:
        raise Stopped
    shutil.rmtree(folder, ignore_errors=True)
    trainer.model.eval()
    return _work(trainer.state.log_history, watched, trainer.args.per_device_train_batch_size)


def _watching(place: Place) -> Any:
    from transformers import TrainerCallback

    class Watching(TrainerCallback):  # type: ignore[misc]
        """Tells how far it is, and ends a training that should stop, or whose loss is no number any more."""

        def on_step_end(self, args: Any, state: Any, control: Any, **_: Any) -> None:
            if state.global_step < state.max_steps and place.stopping():
                control.should_save = control.should_training_stop = True

        def on_log(self, args: Any, state: Any, control: Any, logs: Any = None, **_: Any) -> None:
            found = logs or {}
            if "loss" not in found:
                return
            loss, gradient = float(found["loss"]), float(found.get("grad_norm", 0.0))
            if not math.isfinite(loss) or not math.isfinite(gradient):
                raise Diverged(
                    f"The loss became {loss:.3g}, its gradient {gradient:.3g}, at step {state.global_step}.",
                    hint="Lower the learning rate.",
                )
            place.tell(state.global_step / state.max_steps, f"loss {loss:.3f}")

    return Watching()


def _work(history: Sequence[Mapping[str, Any]], watched: Mapping[str, str], batch: int) -> Work:
    """The log of a trainer as what the work took and gave."""
    curve, before, last = [], 0, 0
    for row in history:
        if "loss" not in row:
            continue
        # Most trainers count from 0 again when they go on.
        now = int(row["num_tokens"])
        before, last = before + last * (now < last), now
        known = {
            watched[name]: float(value) for name, value in row.items() if name in watched and value is not None
        }
        curve.append({"step": int(row["step"]), "tokens": before + now, **known})
    tenth = max(1, len(curve) // 10)
    numbers: dict[str, Any] = {"steps": len(curve)}
    for name in watched.values():
        for ending, part in (("", curve[-tenth:]), ("_first", curve[:tenth])):
            values = [row[name] for row in part if name in row and math.isfinite(row[name])]
            if values:
                numbers[name + ending] = sum(values) / len(values)
    written = sum(round(row.get("completions/mean_length", 0.0) * batch) for row in history if "loss" in row)
    every = max(1, len(curve) // NOTE_EVERY)
    thin = [row for index, row in enumerate(curve) if index % every == 0 or index == len(curve) - 1]
    return Work(numbers, int(curve[-1]["tokens"]), written, tuple(thin))
