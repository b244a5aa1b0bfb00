"""A network of `transformers` that gives vectors of texts: the mean of its last hidden states."""

from __future__ import annotations

import asyncio
import os
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

from assay.core.errors import ModelError
from assay.core.model import Fingerprint
from assay.core.replies import Embeddings, Numbers
from assay.core.requests import Embed
from assay.models.network.conversion import require_torch

ROWS = 32
"""Texts that are read together."""
LONGEST = 256
"""Tokens of a text that are read; the sentence encoders in use were trained on as many or fewer."""


class NetworkEncoder:
    """Any encoder or decoder whose states are averaged over a text; one thread does the work."""

    def __init__(self, name: str, folder: str, fingerprint: Fingerprint) -> None:
        require_torch()
        import torch
        from transformers import AutoModel, AutoTokenizer

        self.name = name
        self.fingerprint = fingerprint
        self._device = "cuda" if torch.cuda.is_available() else "cpu"
        if threads := int(os.environ.get("ASSAY_THREADS", "0") or 0):
            torch.set_num_threads(threads)
        try:
            self._network = AutoModel.from_pretrained(folder, dtype=torch.float32).eval().to(self._device)
            self._tokenizer = AutoTokenizer.from_pretrained(folder)
        except Exception as error:
            # A broken file, an unknown architecture, no memory: each library has its own kinds of error.
            said = (str(error).strip().splitlines() or [type(error).__name__])[0]
            raise ModelError(f"{Path(folder).name} is no network that can be read: {said}") from None
        self._tokenizer.pad_token = self._tokenizer.pad_token or self._tokenizer.eos_token
        self._tokenizer.padding_side = "right"
        self.longest = min(LONGEST, int(self._network.config.max_position_embeddings))
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="assay-encoder")

    async def embed(self, request: Embed) -> Embeddings:
        """One vector per text, of its first tokens where it is long."""
        return await asyncio.get_running_loop().run_in_executor(self._thread, self._embed, request.texts)

    async def lengths(self, request: Embed) -> list[int]:
        """How many tokens each text has."""
        return await asyncio.get_running_loop().run_in_executor(self._thread, self._lengths, request.texts)

    def _lengths(self, texts: tuple[str, ...]) -> list[int]:
        return [len(tokens) for tokens in self._tokenizer(list(texts), verbose=False)["input_ids"]]

    def _embed(self, texts: tuple[str, ...]) -> Embeddings:
        import torch

        wall, cpu, tokens = time.monotonic(), time.process_time(), 0
        rows: list[Any] = [None] * len(texts)
        # Texts of a length go together: padding costs as much as words do.
        order = sorted(range(len(texts)), key=lambda index: len(texts[index]))
        for start in range(0, len(order), ROWS):
            some = order[start : start + ROWS]
            sent = self._tokenizer(
                [texts[index] for index in some],
                padding=True,
                truncation=True,
                max_length=self.longest,
                return_tensors="pt",
            ).to(self._device)
            with torch.inference_mode():
                states = self._network(**sent).last_hidden_state
                real = sent["attention_mask"].unsqueeze(-1).to(states.dtype)
                means = (states * real).sum(1) / real.sum(1).clamp(min=1)
            tokens += int(real.sum())
            for index, mean in zip(some, means.cpu().numpy(), strict=True):
                rows[index] = mean
        spent, burnt = time.monotonic() - wall, time.process_time() - cpu
        return Embeddings(Numbers.of(rows), tokens, seconds=spent, cpu_seconds=burnt)

    async def close(self) -> None:
        """Stop the thread."""
        self._thread.shutdown(wait=True, cancel_futures=True)
