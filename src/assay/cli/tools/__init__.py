"""Techniques and indexes used by hand: no claim, no verdict."""
