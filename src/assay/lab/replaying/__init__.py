"""Runs that were recorded elsewhere: read, and judged by a claim with no model asked."""
