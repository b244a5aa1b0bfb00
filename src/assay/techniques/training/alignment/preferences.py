"""Tuning by answers, by preferences and by rewards: the one module that knows the library `trl`.

Source   supervised tuning and reward model: Ouyang et al. 2022 (arXiv 2203.02155); direct preference: Rafailov
         et al. 2023 (2305.18290); KTO: Ethayarajh et al. 2024 (2402.01306); RLOO: Ahmadian et al. 2024
         (2402.14740); GRPO: Shao et al. 2024 (2402.03300). Trainers: https://huggingface.co/docs/trl
Here     one recipe per method; data are drawn from a generator, models come from and go to folders.
Departs  (1) texts are cut into tokens here, prompt and answer apart, as everywhere in this shelf: `trl` cuts
         them together and drops what does not match. (2) A reward model reads what it was trained on, begin
         and end tokens included: `trl` feeds it neither. (3) GRPO takes the paper's mean per reply, not the
         library's `dapo`. (4) No trainer samples with top-p, top-k or another temperature than 1.
Needs    weights; trl 1.16, datasets, and peft where `rank` is above 0.
Costs    per step a forward and a backward pass over the batch (DPO: two answers each), one more forward pass of
         the reference (DPO, KTO, policy gradients with beta), and for policy gradients `batch` replies.
"""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar, Literal, Protocol

from assay.core.errors import UserError
from assay.core.training import Corpus, Example, Place, Recipe, Work
from assay.techniques.training.alignment.trainers import (
    adapter,
    arguments,
    as_given,
    built,
    prepared,
    require_trl,
    trained,
)
from assay.techniques.training.alignment.tuning import Tuning
from assay.techniques.training.organisms.network import device, save
from assay.techniques.training.organisms.organism import as_batch, context_of, encoded

if TYPE_CHECKING:
    from pathlib import Path

    import numpy

Pair = tuple[str, str, str]
"""A prompt, the answer preferred, and the other one."""
HELD_OUT = 500
"""Pairs a reward model is examined on."""
ROWS = 256


class Pairs(Protocol):
    """Preferences, drawn from a generator: a frozen dataclass; equal ones draw equal pairs."""

    def pairs(self, count: int, rng: numpy.random.Generator) -> list[Pair]:
        """That many; a pure function of the generator's state."""
        ...


class Reward(Protocol):
    """What a reply is worth, by a program: a frozen dataclass, part of the recipe's identity."""

    def score(self, prompt: str, reply: str) -> float:
        """A finite number; the same for the same texts."""
        ...


@dataclass(frozen=True, kw_only=True)
class SupervisedTuning(Tuning):
    """Learn answers to prompts; prompts are read but not learned."""

    VERSION: ClassVar[int] = 1
    data: Corpus

    def make(self, place: Place) -> Work:
        """Tune, and write the folder."""
        trl = require_trl()
        model, tokenizer = self._started(place)
        drawn = encoded(self.data.examples(self.count, self._rng(4)), tokenizer, context_of(model))
        rows = [{"input_ids": ids, "labels": [-100] * read + ids[read:]} for ids, read in drawn]
        trainer = built(
            trl.SFTTrainer,
            tokenizer,
            model=model,
            args=trl.SFTConfig(
                **arguments(self, place, model), max_length=None, dataset_kwargs={"skip_prepare_dataset": True}
            ),
            train_dataset=prepared(rows),
            peft_config=adapter(self.rank, "CAUSAL_LM"),
        )
        work = trained(trainer, place, {"loss": "loss", "mean_token_accuracy": "token_accuracy"})
        return _kept(trainer, tokenizer, place, work)


@dataclass(frozen=True, kw_only=True)
class RewardModel(Tuning):
    """Learn a number per text such that the preferred one has the higher (Bradley-Terry).

    Kept as a sequence classifier with one output, read at the last token that is no padding.
    """

    VERSION: ClassVar[int] = 1
    tuned_rate: float = 1e-4
    data: Pairs

    def make(self, place: Place) -> Work:
        """Train, examine on `HELD_OUT` fresh pairs, and write the folder."""
        import torch

        trl = require_trl()
        torch.manual_seed(self.seed)
        model, tokenizer = _classifier(self._folder(place))
        drawn = self.data.pairs(self.count, self._rng(4))
        chosen = encoded([Example(p, good) for p, good, _ in drawn], tokenizer, context_of(model))
        rejected = encoded([Example(p, bad) for p, _, bad in drawn], tokenizer, context_of(model))
        rows = [{"chosen_ids": c, "rejected_ids": r} for (c, _), (r, _) in zip(chosen, rejected, strict=True)]
        trainer = built(
            trl.RewardTrainer,
            tokenizer,
            model=model,
            args=trl.RewardConfig(**arguments(self, place, model), max_length=None),
            train_dataset=prepared(rows),
            peft_config=adapter(self.rank, "SEQ_CLS"),
        )
        work = trained(trainer, place, {"loss": "loss", "accuracy": "trained_accuracy", "margin": "margin"})
        work = _kept(trainer, tokenizer, place, work)
        judge, fresh = Judge(place.folder), self.data.pairs(HELD_OUT, self._rng(5))
        good = judge([p for p, _, _ in fresh], [text for _, text, _ in fresh])
        bad = judge([p for p, _, _ in fresh], [text for _, _, text in fresh])
        right = sum((g > b) + 0.5 * (g == b) for g, b in zip(good, bad, strict=True)) / len(fresh)
        return dataclasses.replace(work, numbers={**work.numbers, "accuracy": right})


class Judge:
    """A reward model at work: text and end are read as in its training."""

    def __init__(self, folder: Path) -> None:
        self._model, self._tokenizer = _classifier(folder)
        self._model.eval()

    def __call__(self, prompts: Sequence[str], replies: Sequence[str]) -> list[float]:
        """One number per reply."""
        import torch

        examples = [Example(*texts) for texts in zip(prompts, replies, strict=True)]
        rows = encoded(examples, self._tokenizer, context_of(self._model))
        found: list[float] = []
        for at in range(0, len(rows), ROWS):
            batch = as_batch(rows[at : at + ROWS], self._tokenizer, device())
            mask = (batch.labels != -100) | (batch.ids != self._tokenizer.pad_token_id)
            with torch.no_grad():
                out = self._model(input_ids=batch.ids, attention_mask=mask.long(), use_cache=False)
            found += out.logits[:, 0].float().tolist()
        return found


@dataclass(frozen=True, kw_only=True)
class DirectPreference(Tuning):
    """DPO: raise the likelihood of the preferred answer over the other's, against the frozen start."""

    VERSION: ClassVar[int] = 1
    tuned_rate: float = 1e-6
    data: Pairs
    beta: float = 0.1

    def make(self, place: Place) -> Work:
        """Tune, and write the folder."""
        trl = require_trl()

        model, tokenizer = self._started(place)
        drawn = self.data.pairs(self.count, self._rng(4))
        rows = [
            {"prompt_ids": c[:read], "chosen_ids": c[read:], "rejected_ids": r[read:]}
            for (c, read), (r, _) in zip(
                encoded([Example(p, good) for p, good, _ in drawn], tokenizer, context_of(model)),
                encoded([Example(p, bad) for p, _, bad in drawn], tokenizer, context_of(model)),
                strict=True,
            )
        ]
        trainer = built(
            as_given(trl.DPOTrainer),
            tokenizer,
            model=model,
            args=trl.DPOConfig(**arguments(self, place, model), max_length=None, beta=self.beta),
            train_dataset=prepared(rows),
            peft_config=adapter(self.rank, "CAUSAL_LM"),
        )
        watched = {"loss": "loss", "rewards/margins": "margin", "rewards/accuracies": "accuracy"}
        return _kept(trainer, tokenizer, place, trained(trainer, place, watched))


@dataclass(frozen=True, kw_only=True)
class KtoPreference(Tuning):
    """KTO: answers are good or bad by themselves; each pair gives one of both, in an order drawn once.

    The reference point is estimated, as in the paper, from answers put to the prompts next to them in the batch.
    """

    VERSION: ClassVar[int] = 1
    tuned_rate: float = 1e-6
    data: Pairs
    beta: float = 0.1

    def make(self, place: Place) -> Work:
        """Tune, and write the folder."""
        trl = require_trl()

        if self.batch < 2:
            raise UserError(
                "KTO puts answers to the prompts of others in the batch.", hint="Give a batch of 2 or more."
            )
        model, tokenizer = self._started(place)
        rng = self._rng(4)
        drawn = self.data.pairs(self.count, rng)
        rows = self._rows(drawn, tokenizer, context_of(model), rng)
        trainer = built(
            as_given(trl.KTOTrainer),
            tokenizer,
            model=model,
            # Without shuffling: a row's neighbour is fixed when the rows are written.
            args=trl.KTOConfig(
                **arguments(self, place, model),
                max_length=None,
                beta=self.beta,
                train_sampling_strategy="sequential",
            ),
            train_dataset=prepared(rows),
            peft_config=adapter(self.rank, "CAUSAL_LM"),
        )
        watched = {"loss": "loss", "rewards/margins": "margin"}
        return _kept(trainer, tokenizer, place, trained(trainer, place, watched))

    def _rows(
        self, drawn: Sequence[Pair], tokenizer: Any, context: int, rng: numpy.random.Generator
    ) -> list[dict[str, Any]]:
        """Good and bad answers mixed; each with the answer of the row before it in its batch."""
        examples = [Example(p, answer) for p, good, bad in drawn for answer in (good, bad)]
        order = rng.permutation(len(examples)).tolist()
        texts = encoded([examples[at] for at in order], tokenizer, context)
        rows = [
            {"prompt_ids": ids[:read], "completion_ids": ids[read:], "label": at % 2 == 0}
            for (ids, read), at in zip(texts, order, strict=True)
        ]
        for first in range(0, len(rows), self.batch):
            part = rows[first : first + self.batch]
            for row, other in zip(part, [part[-1], *part[:-1]], strict=True):
                row["KL_completion_ids"] = other["completion_ids"]
        return rows


@dataclass(frozen=True, kw_only=True)
class PolicyGradient(Tuning):
    """Raise the reward of the model's own replies, less `beta` times the divergence from the start.

    Each step `batch / group` prompts get `group` replies each; a reply's advantage is its reward less that of
    its siblings. Numbers: `reward`, `entropy` and `length` of the replies and `unended`, the share cut off at
    `longest`, as means over the last tenth of the steps, with `_first` over the first tenth; `kl` per token, as
    `trl` estimates it from the replies (RLOO: log-ratio, may be negative; GRPO: Schulman's, never so).
    """

    VERSION: ClassVar[int] = 1
    tuned_rate: float = 1e-6
    data: Corpus
    """Its prompts are taken, its answers left."""
    reward: Reward | RewardModel
    method: Literal["rloo", "grpo"] = "rloo"
    beta: float = 0.05
    group: int = 4
    longest: int = 32
    """Tokens of a reply, at most."""

    def make(self, place: Place) -> Work:
        """Tune, and write the folder."""
        trl = require_trl()
        if self.batch % self.group or self.group < 2 or self.count * self.group < self.batch:
            raise UserError(
                f"A batch of {self.batch} is not made of groups of {self.group} from {self.count} prompts.",
                hint="Give a batch that is a multiple of the group, a group of 2 or more, and enough prompts.",
            )
        model, tokenizer = self._started(place)
        rows = [{"prompt": example.prompt} for example in self.data.examples(self.count, self._rng(4))]
        trainer_of, config_of = {
            "rloo": (trl.RLOOTrainer, trl.RLOOConfig),
            "grpo": (trl.GRPOTrainer, trl.GRPOConfig),
        }[self.method]
        drawing = {"temperature": 1.0, "top_p": 1.0, "top_k": 0, "max_completion_length": self.longest}
        own: dict[str, Any] = {"loss_type": "grpo"} if self.method == "grpo" else {}
        trainer = built(
            trainer_of,
            tokenizer,
            model=model,
            args=config_of(
                **arguments(self, place, model), **drawing, **own, beta=self.beta, num_generations=self.group
            ),
            train_dataset=prepared(rows),
            reward_funcs=self._scoring(place),
            peft_config=adapter(self.rank, "CAUSAL_LM"),
        )
        watched = {name: name for name in ("loss", "reward", "kl", "entropy")}
        watched |= {"completions/mean_length": "length", "completions/clipped_ratio": "unended"}
        work = trained(trainer, place, watched)
        return _kept(trainer, tokenizer, place, work)

    def _scoring(self, place: Place) -> Any:
        """The reward as `trl` calls it."""
        if isinstance(self.reward, Recipe):
            judge = Judge(place.of(self.reward))
            return lambda prompts, completions, **_: judge(prompts, completions)
        return _Scoring(self.reward)


@dataclass(frozen=True, slots=True)
class _Scoring:
    """A reward as `trl` calls it."""

    reward: Reward

    @property
    def __name__(self) -> str:
        return "reward"

    def __call__(self, prompts: Sequence[str], completions: Sequence[str], **_: Any) -> list[float]:
        found = [float(self.reward.score(p, reply)) for p, reply in zip(prompts, completions, strict=True)]
        for score, reply in zip(found, completions, strict=True):
            # The library would make large finite numbers of them, and the weights would be lost.
            if not math.isfinite(score):
                raise UserError(f"The reward of {reply[:40]!r} is {score}.", hint="Give finite rewards.")
        return found


def _classifier(folder: Path | str) -> tuple[Any, Any]:
    """A sequence classifier with one output, in float32; its head is random where the folder holds none."""
    import torch
    from transformers import AutoModelForSequenceClassification, AutoTokenizer

    tokenizer = AutoTokenizer.from_pretrained(folder)
    if tokenizer.pad_token_id is None:
        tokenizer.pad_token = tokenizer.eos_token
    model = AutoModelForSequenceClassification.from_pretrained(folder, num_labels=1, dtype=torch.float32)
    model.config.pad_token_id = tokenizer.pad_token_id
    return model.to(device()), tokenizer


def _kept(trainer: Any, tokenizer: Any, place: Place, work: Work) -> Work:
    """Write the folder: LoRA matrices are merged first, so that it is an ordinary one."""
    model: Any = trainer.accelerator.unwrap_model(trainer.model)
    model = model.merge_and_unload() if hasattr(model, "merge_and_unload") else model
    tokenizer.padding_side = "left"
    if model.can_generate():
        save(model, tokenizer, place.folder)
    else:
        model.save_pretrained(place.folder)
        tokenizer.save_pretrained(place.folder)
    return work
