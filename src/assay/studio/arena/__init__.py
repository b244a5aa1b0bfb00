"""The arena: two replies beside each other, unnamed until the vote; and the leaderboard that votes give."""

from assay.studio.arena.pages import router

__all__ = ["router"]
