"""The door for applications: an OpenAI-compatible proxy, and the guard that stands before every server of ours."""
