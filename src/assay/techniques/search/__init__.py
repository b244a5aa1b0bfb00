"""Techniques that draw many samples, or walk a tree of them."""

from assay.techniques.search.self_consistency import one_chain, rethink, self_consistency
from assay.techniques.search.tree_of_thoughts import game_chain, game_direct, tree_of_thoughts

__all__ = ["game_chain", "game_direct", "one_chain", "rethink", "self_consistency", "tree_of_thoughts"]
