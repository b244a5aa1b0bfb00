"""The training loop of organisms: a budget in tokens or CPU seconds, exact resume, a curve along the way.

Source   an ordinary AdamW loop with warm-up and cosine decay (Hoffmann et al. 2022, arXiv 2203.15556: the
         cosine must end where the budget ends).
Here     batches are a pure function of the step, so a checkpoint is weights, moments and counters, and a
         resumed run ends with the same weights bit for bit (one thread, budget in tokens or steps).
Departs  from Trainer: no data set is built, loss is the mean over learned tokens of the whole batch.
Needs    weights.
Costs    one forward and one backward pass a step.
"""

from __future__ import annotations

import math
import os
import pickle
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

from assay.core.artefacts import CHECKPOINT
from assay.core.errors import AssayError, ModelError, UserError
from assay.core.training import Place, Stopped, Work

if TYPE_CHECKING:
    from torch import Tensor

KEEP_EVERY = float(os.environ.get("ASSAY_KEEP_SECONDS") or 20.0)
"""CPU seconds between two checkpoints; `ASSAY_KEEP_SECONDS` says otherwise."""
NOTE_EVERY = 100
"""Points the loss curve has, about."""
WORSE = 3.0
"""A loss this many times the first one, for PATIENCE steps, has diverged."""
PATIENCE = 25


@dataclass(frozen=True, slots=True)
class Schedule:
    """How long and how fast. Exactly one of `tokens`, `cpu_seconds` and `steps` is the budget."""

    tokens: int = 0
    """Learned and read tokens, padding left out."""
    cpu_seconds: float = 0.0
    steps: int = 0
    batch: int = 64
    """Texts a step."""
    rate: float = 3e-3
    """Highest learning rate."""
    tuned_rate: float = 5e-5
    """The highest where a pretrained model is trained instead of an organism."""
    warmup: int = 50
    """Steps until the rate is reached."""
    horizon: float = 1.0
    """Where the cosine ends, in budgets: above 1 it is cut off on its way down."""
    floor: float = 0.1
    """Lowest rate over highest."""
    weight_decay: float = 0.1
    betas: tuple[float, float] = (0.9, 0.98)
    clip: float = 1.0

    def __post_init__(self) -> None:
        given = [value for value in (self.tokens, self.cpu_seconds, self.steps) if value]
        if len(given) != 1 or given[0] < 0:
            raise UserError(
                "A budget is one of tokens, cpu_seconds and steps, and above 0.", hint="Give exactly one of them."
            )

    def on(self, model: str, identity: str) -> Schedule:
        """The same on a pretrained model, whose weights a rate for fresh ones would destroy."""
        return replace(self, rate=self.tuned_rate)

    def share(self, step: int, tokens: int, cpu_seconds: float) -> float:
        """How much of the budget is spent, 0 to 1 and beyond."""
        spent = (step, self.steps) if self.steps else (tokens, self.tokens) if self.tokens else None
        return spent[0] / spent[1] if spent else cpu_seconds / self.cpu_seconds

    def rate_at(self, step: int, share: float) -> float:
        """Learning rate: linear warm-up, then a cosine to the floor."""
        cosine = 0.5 * (1 + math.cos(math.pi * min(1.0, share / self.horizon)))
        return self.rate * min(1.0, (step + 1) / max(1, self.warmup)) * (self.floor + (1 - self.floor) * cosine)


@dataclass(frozen=True, slots=True)
class Batch:
    """What one step learns from."""

    ids: Tensor
    """Token ids [rows, tokens], padded on the right."""
    labels: Tensor
    """The same ids where they are learned, -100 elsewhere [rows, tokens]."""
    tokens: int
    """Tokens that are no padding."""


class Diverged(ModelError):
    """The loss left all bounds; the last good weights are named."""


Loss = Callable[[Any, Batch], "Tensor"]
"""(model, batch) -> sum of losses over learned tokens, as a scalar."""
Watch = Callable[[Any], Mapping[str, float]]
Enough = Callable[[Mapping[str, float]], bool]


class Batches(Protocol):
    """A batch per step: a pure function of the step."""

    def __call__(self, step: int) -> Batch:
        """The batch of that step."""
        ...


def next_token_loss(model: Any, batch: Batch) -> Tensor:
    """Cross-entropy of every learned token given those before it, summed, in nats."""
    import torch.nn.functional as functional

    logits = model(input_ids=batch.ids, use_cache=False).logits[:, :-1]
    return functional.cross_entropy(
        logits.reshape(-1, logits.shape[-1]).float(),
        batch.labels[:, 1:].reshape(-1),
        ignore_index=-100,
        reduction="sum",
    )


def answer_logs(model: Any, batch: Batch) -> Tensor:
    """Log-probability of each row's answer and its end given the prompt, in nats [rows]."""
    import torch

    logits = model(input_ids=batch.ids, use_cache=False).logits[:, :-1].float()
    labels = batch.labels[:, 1:]
    logs = torch.log_softmax(logits, -1).gather(-1, labels.clamp(min=0)[..., None])[..., 0]
    return (logs * (labels != -100)).sum(-1)


@dataclass(slots=True)
class State:
    """Where a training stands; with weights and moments, everything a checkpoint holds."""

    step: int = 0
    tokens: int = 0
    cpu_seconds: float = 0.0
    first: float = 0.0
    """Loss at the first step."""
    bad: int = 0
    """Steps in a row with a loss far above the first."""
    curve: list[dict[str, float]] = field(default_factory=list)


def fit(
    model: Any,
    batches: Batches,
    schedule: Schedule,
    place: Place,
    *,
    loss_of: Loss = next_token_loss,
    watch: Watch | None = None,
    watched: int = 10,
    enough: Enough | None = None,
) -> Work:
    """Train until the budget is spent; the model is changed in place.

    `watch` is called about `watched` times along the way, evenly over the budget, and at the end; training ends
    before its budget where `enough` says so of what was watched. Raises
    `Stopped` when the place says so, with a checkpoint kept, and `Diverged` when the loss leaves all bounds.
    """
    import torch

    optimizer = torch.optim.AdamW(
        _grouped(model, schedule.weight_decay), lr=schedule.rate, betas=schedule.betas, fused=True
    )
    state = _resumed(model, optimizer, place.folder)
    model.train()
    started, before = time.process_time(), state.cpu_seconds
    kept, share = started, schedule.share(state.step, state.tokens, state.cpu_seconds)
    while share < 1:
        if place.stopping():
            _keep(model, optimizer, state, place.folder)
            raise Stopped
        batch = batches(state.step)
        rate = schedule.rate_at(state.step, share)
        loss = _step(model, optimizer, batch, rate, schedule.clip, loss_of)
        _require_sane(loss, state, place.folder)
        state.step, state.tokens = state.step + 1, state.tokens + batch.tokens
        now = time.process_time()
        state.cpu_seconds = before + now - started
        ended, share = share, schedule.share(state.step, state.tokens, state.cpu_seconds)
        if int(share * NOTE_EVERY) > int(ended * NOTE_EVERY) or state.step == 1:
            state.curve.append({"step": state.step, "tokens": state.tokens, "loss": round(loss, 5)})
            place.tell(min(1.0, share), f"loss {loss:.3f}")
        if watch is not None and (share >= 1 or int(share * watched) > int(ended * watched)):
            found = _look(model, watch, state)
            if enough is not None and enough(found):
                break
        if now - kept > KEEP_EVERY and not state.bad:
            _keep(model, optimizer, state, place.folder)
            kept = now
    model.eval()
    # What comes after training may be stopped too; whoever finishes the folder takes the checkpoint away.
    _keep(model, optimizer, state, place.folder)
    return Work(
        {"loss": _last_loss(state), "steps": state.step, "cpu_seconds": round(state.cpu_seconds, 3)},
        tokens_in=state.tokens,
        curve=tuple(state.curve),
    )


def _last_loss(state: State) -> float:
    """Mean of the last few losses noted: a single batch's is noisy."""
    noted = [point["loss"] for point in state.curve if "loss" in point][-5:]
    return round(sum(noted) / len(noted), 5)


def _step(model: Any, optimizer: Any, batch: Batch, rate: float, clip: float, loss_of: Loss) -> float:
    """One update; the loss per learned token before it."""
    import torch

    for group in optimizer.param_groups:
        group["lr"] = rate
    learned = (batch.labels[:, 1:] != -100).sum()
    if not learned:
        raise UserError("A batch has nothing to learn: every answer is empty.", hint="Give texts with answers.")
    loss = loss_of(model, batch) / learned
    optimizer.zero_grad(set_to_none=True)
    loss.backward()
    torch.nn.utils.clip_grad_norm_(model.parameters(), clip)
    optimizer.step()
    return float(loss.detach())


def _grouped(model: Any, weight_decay: float) -> list[dict[str, Any]]:
    """Matrices decay, gains and biases do not."""
    trained = [p for p in model.parameters() if p.requires_grad]
    return [
        {"params": [p for p in trained if p.dim() > 1], "weight_decay": weight_decay},
        {"params": [p for p in trained if p.dim() <= 1], "weight_decay": 0.0},
    ]


def _look(model: Any, watch: Watch, state: State) -> Mapping[str, float]:
    import torch

    model.eval()
    with torch.no_grad():
        found = watch(model)
    model.train()
    state.curve.append({"step": state.step, "tokens": state.tokens, **found})
    return found


def _require_sane(loss: float, state: State, folder: Path) -> None:
    state.first = state.first or loss
    state.bad = state.bad + 1 if loss > WORSE * state.first + 1 else 0
    if math.isfinite(loss) and state.bad < PATIENCE:
        return
    kept = folder / CHECKPOINT
    last = f"The last good weights are in {kept}." if kept.exists() else "There was no checkpoint yet."
    raise Diverged(f"The loss became {loss:.3g} at step {state.step}. {last}", hint="Lower the learning rate.")


def _keep(model: Any, optimizer: Any, state: State, folder: Path) -> None:
    """A checkpoint, there at once or not at all."""
    import torch

    whole = {
        "model": model.state_dict(),
        "optimizer": optimizer.state_dict(),
        "random": torch.get_rng_state(),
        "state": {name: getattr(state, name) for name in State.__slots__},
    }
    draft = folder / (CHECKPOINT + ".draft")
    try:
        torch.save(whole, draft)
        os.replace(draft, folder / CHECKPOINT)
    except (OSError, RuntimeError) as error:
        # torch's writer says RuntimeError for a disk that is full.
        draft.unlink(missing_ok=True)
        raise NoRoom(folder, error) from None


class NoRoom(UserError):
    """A checkpoint could not be written."""

    def __init__(self, folder: Path, error: Exception) -> None:
        reason = (str(error).strip().splitlines() or [type(error).__name__])[0]
        AssayError.__init__(
            self,
            f"{folder} could not be written: {reason}",
            hint="Make room; training goes on from the last checkpoint.",
        )


def _resumed(model: Any, optimizer: Any, folder: Path) -> State:
    """The state of the checkpoint in the folder, weights and moments loaded; a fresh one where there is none."""
    import torch

    file = folder / CHECKPOINT
    if not file.exists():
        return State()
    fresh = {name: tensor.clone() for name, tensor in model.state_dict().items()}
    try:
        kept = torch.load(file, weights_only=True)
        state = State(**kept["state"])
        model.load_state_dict(kept["model"])
        optimizer.load_state_dict(kept["optimizer"])
        torch.set_rng_state(kept["random"])
        return state
    except (RuntimeError, KeyError, TypeError, EOFError, ValueError, pickle.UnpicklingError):
        # Of another format or damaged: begin again, with nothing of it.
        model.load_state_dict(fresh)
        optimizer.state.clear()
        file.unlink()
        return State()
