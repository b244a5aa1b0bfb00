"""Verifiers of solutions, and what choosing by them comes to."""
