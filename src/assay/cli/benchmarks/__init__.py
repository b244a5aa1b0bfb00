"""The benchmarks: each measures a limit or a peer and our part side by side, and gives their ratio."""

from __future__ import annotations

import importlib
from collections.abc import Callable, Coroutine
from typing import Any

Benchmark = Callable[[Callable[[str], None]], Coroutine[Any, Any, dict[str, Any]]]
NAMES = ("driver", "sandbox", "watermark", "choice", "train", "tree", "arena", "serve")


def benchmark(name: str) -> Benchmark:
    """The benchmark of that name; each stands in a file of its name, which is read only now."""
    found: Benchmark = getattr(importlib.import_module(f"assay.cli.benchmarks.{name}"), name)
    return found
