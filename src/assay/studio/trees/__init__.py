"""The explorer: trees of completions, grown and changed by every tab that has them open."""
