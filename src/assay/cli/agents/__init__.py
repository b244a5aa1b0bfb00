"""Commands about agents: loops on your own tools, who decides in them, and games against a model."""
