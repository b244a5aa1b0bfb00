"""Models and how they are reached. `connect` turns a name into one."""

from assay.models.connect import ModelChoice, connect
from assay.models.registry import DEFAULT_MODEL, KNOWN, Weights, weights_named
from assay.models.scripted import Scripted
from assay.models.weights import locate, pull

__all__ = [
    "DEFAULT_MODEL",
    "KNOWN",
    "ModelChoice",
    "Scripted",
    "Weights",
    "connect",
    "locate",
    "pull",
    "weights_named",
]
