"""Commands about training: organisms, by name and in several processes."""
