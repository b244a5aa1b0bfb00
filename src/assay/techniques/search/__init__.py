"""Techniques that draw many samples, or walk a tree of them."""

from assay.techniques.search.self_consistency import one_chain, rethink, self_consistency

__all__ = ["one_chain", "rethink", "self_consistency"]
