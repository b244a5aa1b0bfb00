"""Where recipes are made, and what is made is kept."""

from assay.lab.workshop.pool import Interrupted, Workshop

__all__ = ["Interrupted", "Workshop"]
