"""Where an organism begins: a tiny Llama with random weights, or a pretrained model."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from assay.core.errors import CannotRun, ModelError

if TYPE_CHECKING:
    from pathlib import Path

    from transformers import PreTrainedModel, PreTrainedTokenizerFast


@dataclass(frozen=True, slots=True)
class Pretrained:
    """Weights from a folder or from the Hugging Face hub."""

    model: str = field(metadata={"tells": False})
    """Where they lie."""
    identity: str = ""
    """What tells them from others; part of the recipe's hash, which the place is not."""


@dataclass(frozen=True, slots=True)
class Tiny:
    """A Llama from scratch: RMSNorm, SwiGLU, rotary positions, tied embeddings."""

    width: int = 96
    layers: int = 2
    heads: int = 4
    inner: int = 0
    """Width of the feed-forward part; 0: 8/3 of the width, rounded up to a multiple of 8."""
    context: int = 64
    """Tokens it can read."""
    spread: float = 0.05
    """Standard deviation of the first weights."""

    def on(self, model: str, identity: str) -> Pretrained:
        """A pretrained model in its place."""
        return Pretrained(model, identity)

    def build(self, tokenizer: PreTrainedTokenizerFast, seed: int) -> PreTrainedModel:
        """The network with random weights, in float32."""
        import torch
        from transformers import LlamaConfig, LlamaForCausalLM

        config = LlamaConfig(
            vocab_size=len(tokenizer),
            hidden_size=self.width,
            intermediate_size=self.inner or -(-self.width * 8 // 3 // 8) * 8,
            num_hidden_layers=self.layers,
            num_attention_heads=self.heads,
            num_key_value_heads=self.heads,
            max_position_embeddings=self.context,
            initializer_range=self.spread,
            tie_word_embeddings=True,
            bos_token_id=tokenizer.bos_token_id,
            eos_token_id=tokenizer.eos_token_id,
            pad_token_id=tokenizer.pad_token_id,
            use_cache=True,
        )
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(seed)
            network: PreTrainedModel = LlamaForCausalLM(config)
        return network


def load(folder: Path | str) -> tuple[Any, Any]:
    """Model and tokenizer of a folder or hub name, on this machine's device, in float32: in bfloat16 the small
    updates of a fine-tuning would be rounded away."""
    import torch
    from transformers import AutoModelForCausalLM, AutoTokenizer

    try:
        tokenizer = AutoTokenizer.from_pretrained(folder)
        model = AutoModelForCausalLM.from_pretrained(folder, dtype=torch.float32).to(device())
    except (OSError, ValueError, KeyError) as error:
        said = (str(error).strip().splitlines() or [type(error).__name__])[0]
        raise ModelError(
            f"{folder} cannot be opened: {said}", hint="Name a folder that save_pretrained wrote."
        ) from None
    if tokenizer.pad_token_id is None:
        tokenizer.pad_token = tokenizer.eos_token
    tokenizer.padding_side = "left"
    return model, tokenizer


def save(model: Any, tokenizer: Any, folder: Path) -> None:
    """An ordinary Hugging Face folder; greedy and temperature-1 sampling are left to whoever opens it."""
    if model.generation_config is not None:
        model.generation_config.do_sample = False
    model.save_pretrained(folder)
    tokenizer.save_pretrained(folder)


def device() -> str:
    """Where training runs."""
    import torch

    return "cuda" if torch.cuda.is_available() else "cpu"


def parameters(model: Any) -> tuple[int, int]:
    """Parameters in all, and without the embedding: what scaling laws count."""
    whole = sum(p.numel() for p in model.parameters())
    return whole, whole - model.get_input_embeddings().weight.numel()


def require_torch() -> None:
    """`CannotRun` with what to type, where torch or transformers is not installed."""
    try:
        import torch  # noqa: F401
        import transformers
    except ImportError as error:
        raise CannotRun(f"Training needs torch ({error}).", hint="Type: pip install 'assay[train]'") from None
    transformers.logging.set_verbosity_error()
    transformers.logging.disable_progress_bar()
