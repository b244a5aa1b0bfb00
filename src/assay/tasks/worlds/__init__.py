"""Worlds: what an agent acts on, and how well it did."""

from assay.tasks.worlds.errands import Errand, ErrandWorld, Thing, errand
from assay.tasks.worlds.task import ErrandsTask

__all__ = ["Errand", "ErrandWorld", "ErrandsTask", "Thing", "errand"]
