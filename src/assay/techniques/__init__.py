"""The algorithms, shelved by what they reach beyond the words of one call."""
