"""Repair of Python that does not parse: step by step as Supercharger does it, and by the fewest edits."""
