"""What is to be said of votes beside the ratings they give."""

from __future__ import annotations

from assay.stats.ranking import Leaderboard, position_bias
from assay.tasks.votes import Votes


def facts_of(board: Leaderboard, votes: Votes) -> list[str]:
    """What is to be known of the votes themselves, in sentences."""
    battles = votes.battles
    tied = int((battles.score == 0.5).sum())
    cast = "1 vote" if len(battles) == 1 else f"{len(battles):,} votes"
    facts = [f"{cast} on {len(board.models):,} models, {tied:,} of them ties."]
    if votes.duplicates:
        facts.append(f"{votes.duplicates:,} repeat a question, judge and pair; they are counted.")
    if votes.dropped:
        facts.append(f"{votes.dropped:,} with an unknown outcome were left out.")
    if votes.made_ties:
        facts.append(f"{votes.made_ties:,} with an unknown outcome count as ties.")
    if votes.no_verdict:
        facts.append(f"{votes.no_verdict:,} had no verdict that held in both orders.")
    facts.append(position_sentence(*votes.shown))
    if board.strengths.tie_weight:
        facts.append(f"Between equals a tie has {board.strengths.tie_weight:.3g} times the chance of either win.")
    return facts


def position_sentence(first: int, second: int) -> str:
    """How often what was shown first was chosen, with what that is beyond half."""
    bias = position_bias(first, second)
    if bias is None:
        return "No vote was decided, so nothing is known of a bias of position."
    share = 100 * first / (first + second)
    ends = f"[{100 * bias.low:+.1f}, {100 * bias.high:+.1f}]"
    return f"The side shown first won {share:.1f} % of decided votes: {share - 50:+.1f} points {ends} beyond half."
