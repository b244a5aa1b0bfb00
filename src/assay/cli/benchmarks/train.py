"""`assay bench train`: our training loop beside a bare torch loop and the Trainer of transformers.

All three train the same networks on the same batches, in turns, on one thread; tokens per CPU second of the
process are compared, since wall time on a shared machine measures the neighbours. Ours draws its texts,
encodes them, notes a curve, asks whether to stop and keeps checkpoints while it is measured.
"""

from __future__ import annotations

import asyncio
import gc
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from statistics import median
from typing import Any

ROUNDS = 5
STEPS = {"0.8M": 12, "3M": 5}
"""Steps of each loop in each round."""
NETWORKS = {"0.8M": (128, 4, 4, 344), "3M": (224, 5, 7, 600)}
"""Width, layers, heads, width of the feed-forward part."""
BATCH, LENGTH = 32, 126
"""Texts of 126 symbols, with begin and end 128 tokens."""


async def train(say: Callable[[str], None]) -> dict[str, Any]:
    """The benchmark."""
    return await asyncio.to_thread(_measure, say)


@dataclass
class _Here:
    """A place that is never stopped."""

    folder: Path
    told: list[float] = field(default_factory=list)

    def of(self, recipe: Any) -> Path:
        raise AssertionError("nothing is built on")

    def tell(self, share: float, text: str = "") -> None:
        self.told.append(share)

    def stopping(self) -> bool:
        return False


def _measure(say: Callable[[str], None]) -> dict[str, Any]:
    from assay.techniques.training.organisms.network import require_torch

    require_torch()
    import torch

    torch.set_num_threads(1)
    sizes = {name: _size(name, say) for name in NETWORKS}
    return {
        "ratio": min(size["ratio"] for size in sizes.values()),
        "tokens_per_cpu_s": sizes["0.8M"]["ours"],
        "sizes": sizes,
        "batch": [BATCH, LENGTH + 2],
        "rounds": ROUNDS,
        "threads": 1,
        "torch": torch.__version__,
    }


def _size(name: str, say: Callable[[str], None]) -> dict[str, Any]:
    """One network: median over rounds of each loop's tokens per CPU second, and of their ratios."""
    from assay.tasks.language import Markov
    from assay.techniques.training.organisms.network import Tiny, parameters
    from assay.techniques.training.organisms.vocabulary import Vocabulary

    width, layers, heads, inner = NETWORKS[name]
    source = Markov(symbols=60, length=LENGTH)
    tokenizer = Vocabulary().tokenizer(source)
    start = Tiny(width, layers, heads, inner, context=LENGTH + 2)
    loops = {"bare": _bare, "ours": _ours, "trainer": _trainer}
    rates: dict[str, list[float]] = {loop: [] for loop in loops}
    for turn in range(ROUNDS + 1):
        # Each begins a round in turn: whoever comes first meets a colder cache.
        order = [*loops][turn % 3 :] + [*loops][: turn % 3]
        for loop in order:
            model = start.build(tokenizer, 0)
            gc.collect()
            tokens, seconds = loops[loop](model, tokenizer, source, STEPS[name])
            if turn:  # the first round warms up
                rates[loop].append(tokens / seconds)
        say(f"{name}: round {turn} of {ROUNDS}")
    found: dict[str, Any] = {loop: round(median(values), 1) for loop, values in rates.items()}
    found["ratio"] = round(median(a / b for a, b in zip(rates["ours"], rates["bare"], strict=True)), 4)
    found["trainer_ratio"] = round(median(a / b for a, b in zip(rates["trainer"], rates["bare"], strict=True)), 4)
    found["parameters"] = parameters(start.build(tokenizer, 0))[0]
    return found


def _ours(model: Any, tokenizer: Any, source: Any, steps: int) -> tuple[int, float]:
    from assay.techniques.training.organisms.loop import Schedule, fit
    from assay.techniques.training.organisms.organism import Texts

    with tempfile.TemporaryDirectory() as folder:
        begun = time.process_time()
        texts = Texts(source, tokenizer, BATCH, 0)
        work = fit(model, texts, Schedule(steps=steps, batch=BATCH), _Here(Path(folder)))
        return work.tokens_in, time.process_time() - begun


def _bare(model: Any, tokenizer: Any, source: Any, steps: int) -> tuple[int, float]:
    """What nobody can do without: forward, backward, clip, update, on batches that are there already."""
    import torch
    import torch.nn.functional as functional

    ids = _ids(tokenizer, source, steps)
    model.train()
    begun = time.process_time()
    optimizer = torch.optim.AdamW(model.parameters(), lr=1e-3, fused=True)
    for batch in ids:
        logits = model(input_ids=batch, use_cache=False).logits[:, :-1]
        loss = functional.cross_entropy(logits.reshape(-1, logits.shape[-1]), batch[:, 1:].reshape(-1))
        optimizer.zero_grad(set_to_none=True)
        loss.backward()
        torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        optimizer.step()
    return ids.numel(), time.process_time() - begun


def _trainer(model: Any, tokenizer: Any, source: Any, steps: int) -> tuple[int, float]:
    """The Trainer of transformers with its own optimizer, on a data set that is there already."""
    from transformers import PrinterCallback, Trainer, TrainingArguments

    ids = _ids(tokenizer, source, steps)
    rows = [{"input_ids": row, "labels": row} for batch in ids for row in batch]
    with tempfile.TemporaryDirectory() as folder:
        arguments = TrainingArguments(
            folder,
            max_steps=steps,
            per_device_train_batch_size=BATCH,
            learning_rate=1e-3,
            use_cpu=True,
            report_to=[],
            disable_tqdm=True,
            save_strategy="no",
            logging_strategy="no",
            optim="adamw_torch_fused",
        )
        begun = time.process_time()
        trainer = Trainer(model=model, args=arguments, train_dataset=rows)
        trainer.remove_callback(PrinterCallback)
        trainer.train()
        return ids.numel(), time.process_time() - begun


def _ids(tokenizer: Any, source: Any, steps: int) -> Any:
    """Token ids [steps, texts, tokens]."""
    import numpy
    import torch

    from assay.techniques.training.organisms.organism import encoded

    rng = numpy.random.default_rng(0)
    rows = [ids for ids, _ in encoded(source.examples(steps * BATCH, rng), tokenizer, LENGTH + 2)]
    return torch.tensor(rows).reshape(steps, BATCH, -1)
