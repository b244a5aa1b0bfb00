"""Branching conversations kept as files, and grown by a model."""

from assay.lab.branching.growing import Grown, go_on, grow
from assay.lab.branching.trees import Trees

__all__ = ["Grown", "Trees", "go_on", "grow"]
