"""A Hugging Face folder of a Llama with a byte-level tokenizer as a GGUF file: an organism for llama.cpp.

The inverse of `conversion`, for the kind of network that is trained here. llama.cpp pairs the halves of a
rotary head differently, so rows of the query and key matrices change places on the way.
"""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

from assay.core.errors import ModelError
from assay.models.network.conversion import require_torch

VERSION = 1
"""Raised where the same network would be written another way."""
ARCHITECTURE = "llama"
LAYER = {
    "input_layernorm": "attn_norm",
    "self_attn.q_proj": "attn_q",
    "self_attn.k_proj": "attn_k",
    "self_attn.v_proj": "attn_v",
    "self_attn.o_proj": "attn_output",
    "post_attention_layernorm": "ffn_norm",
    "mlp.gate_proj": "ffn_gate",
    "mlp.up_proj": "ffn_up",
    "mlp.down_proj": "ffn_down",
}
WHOLE = {"model.embed_tokens": "token_embd", "model.norm": "output_norm", "lm_head": "output"}
NORMAL, CONTROL = 1, 3
"""Kinds of tokens in a GGUF file."""
NEVER = "\u0100 \u0100"
"""A merge of two null bytes: llama.cpp refuses a vocabulary without merges."""


def export(folder: Path, file: Path) -> None:
    """Write the network as a float32 GGUF file, there at once or not at all; `ModelError` where it is no Llama."""
    require_torch()
    import gguf

    config = json.loads((folder / "config.json").read_text())
    if config.get("model_type") != "llama":
        raise ModelError(
            f"Only Llamas are exported, and {folder.name} is {config.get('model_type')}.",
            hint=f"Open it in torch: --model hf:{folder}",
        )
    draft = file.with_suffix(f".{os.getpid()}")
    writer = gguf.GGUFWriter(str(draft), ARCHITECTURE)
    try:
        _describe(writer, config, folder.name)
        _tokens(writer, folder)
        for name, tensor in _tensors(folder, config):
            writer.add_tensor(name, tensor)
        writer.write_header_to_file()
        writer.write_kv_data_to_file()
        writer.write_tensors_to_file()
        writer.close()
        os.replace(draft, file)
    finally:
        draft.unlink(missing_ok=True)


def _describe(writer: Any, config: dict[str, Any], name: str) -> None:
    import gguf

    heads = config["num_attention_heads"]
    rope = config.get("rope_parameters") or {}
    writer.add_name(name)
    writer.add_file_type(gguf.LlamaFileType.ALL_F32)
    writer.add_context_length(config["max_position_embeddings"])
    writer.add_embedding_length(config["hidden_size"])
    writer.add_block_count(config["num_hidden_layers"])
    writer.add_feed_forward_length(config["intermediate_size"])
    writer.add_head_count(heads)
    writer.add_head_count_kv(config.get("num_key_value_heads") or heads)
    writer.add_rope_dimension_count(config.get("head_dim") or config["hidden_size"] // heads)
    writer.add_rope_freq_base(rope.get("rope_theta") or config.get("rope_theta") or 10_000.0)
    writer.add_layer_norm_rms_eps(config["rms_norm_eps"])
    writer.add_vocab_size(config["vocab_size"])


def _tokens(writer: Any, folder: Path) -> None:
    """The byte-level vocabulary with its merges, special tokens and chat template."""
    from transformers import AutoTokenizer

    tokenizer = AutoTokenizer.from_pretrained(folder)
    whole = json.loads((folder / "tokenizer.json").read_text())
    if whole["model"]["type"] != "BPE":
        raise ModelError(
            f"{folder.name} has no byte-level tokenizer.", hint=f"Open it in torch: --model hf:{folder}"
        )
    special = {token["content"] for token in whole["added_tokens"] if token["special"]}
    by_id = sorted(tokenizer.get_vocab().items(), key=lambda item: item[1])
    writer.add_tokenizer_model("gpt2")
    writer.add_tokenizer_pre("llama-bpe" if "{1,3}" in json.dumps(whole["pre_tokenizer"]) else "gpt-2")
    writer.add_token_list([token for token, _ in by_id])
    writer.add_token_types([CONTROL if token in special else NORMAL for token, _ in by_id])
    writer.add_token_merges([" ".join(merge) for merge in whole["model"]["merges"]] or [NEVER])
    writer.add_bos_token_id(tokenizer.bos_token_id)
    writer.add_eos_token_id(tokenizer.eos_token_id)
    writer.add_pad_token_id(tokenizer.pad_token_id)
    writer.add_add_bos_token(True)
    if tokenizer.chat_template:
        writer.add_chat_template(tokenizer.chat_template)


def _tensors(folder: Path, config: dict[str, Any]) -> list[tuple[str, Any]]:
    from safetensors.numpy import load_file

    heads = config["num_attention_heads"]
    key_heads = config.get("num_key_value_heads") or heads
    found = []
    for name, tensor in sorted(load_file(folder / "model.safetensors").items()):
        stem, _, kind = name.rpartition(".")
        assert kind == "weight", f"a Llama without biases has only weights, not {name}"
        if stem in WHOLE:
            found.append((f"{WHOLE[stem]}.weight", tensor))
            continue
        layer, _, part = stem.removeprefix("model.layers.").partition(".")
        if part in ("self_attn.q_proj", "self_attn.k_proj"):
            tensor = _interleaved(tensor, heads if part.endswith("q_proj") else key_heads)
        found.append((f"blk.{layer}.{LAYER[part]}.weight", tensor))
    return [(name, tensor.astype("float32")) for name, tensor in found]


def _interleaved(matrix: Any, heads: int) -> Any:
    """Rows of each head from two halves to pairs: what turns together stands together."""
    rows, columns = matrix.shape
    halves = matrix.reshape(heads, 2, rows // heads // 2, columns)
    return halves.swapaxes(1, 2).reshape(rows, columns)
