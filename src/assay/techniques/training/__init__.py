"""Techniques that change weights: recipes of organisms, and what is measured on them."""
