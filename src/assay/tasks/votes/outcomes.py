"""One vote: who met whom and who won, in the columns that tables of votes have.

| table | models | outcome |
|---|---|---|
| Chatbot Arena, its data sets | `model_a`, `model_b` | `winner` |
| LMSYS on Kaggle | `model_a`, `model_b` | one 1 of `winner_model_a`, `winner_model_b`, `winner_tie` |
| FastChat's judge of pairs | `model_1`, `model_2` | `g1_winner`, `g2_winner`: one for each order |
| FastChat's server log | `models`, or `states` | `type`: leftvote, rightvote, tievote, bothbad_vote |
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from assay.tasks.lines import is_sound

OUTCOMES: Mapping[str, float] = {
    "model_a": 1.0,
    "model_b": 0.0,
    "tie": 0.5,
    "tie (bothbad)": 0.5,
    "tie (both bad)": 0.5,
    "bothbad": 0.5,
    "both_bad": 0.5,
    "both bad": 0.5,
}
"""What `winner` may say, and the score of a."""
LOG_VOTES: Mapping[str, float] = {"leftvote": 1.0, "rightvote": 0.0, "tievote": 0.5, "bothbad_vote": 0.5}
JUDGED: Mapping[str, float] = {"model_1": 1.0, "model_2": 0.0, "tie": 0.5}
FAILED = "error"
"""What stands for a judge's winner where its reply held none."""
KNOWN = ", ".join(OUTCOMES)


@dataclass(frozen=True, slots=True)
class Vote:
    """One row. `score` is that of a; None where `said` is no outcome that is known."""

    a: str
    b: str
    score: float | None
    said: str
    field: str = "winner"
    verdict: bool = True
    """False where a judge, asked in both orders, did not say the same or said nothing: no vote, and no error."""
    shown: tuple[int, int] = (0, 0)
    """How often what was shown first was chosen, and what was shown second."""


class NoVote(Exception):
    """A row that is no vote: which column is at fault, and how."""

    def __init__(self, field: str, problem: str = "it is missing or empty") -> None:
        super().__init__(field, problem)
        self.field, self.problem = field, problem


def vote_of(row: Mapping[str, Any]) -> Vote | None:
    """The vote of a row; None where a log's row is none.

    Raises:
        NoVote: with the column that the row lacks, or that holds what it should not.
    """
    if "model_a" not in row and "g1_winner" in row:
        return _of_judge(row)
    if "model_a" not in row and "type" in row:
        return _of_log(row)
    a, b = _name(row, "model_a"), _name(row, "model_b")
    if "winner" not in row and "winner_model_a" in row:
        given = {name: str(row.get(f"winner_{name}", "")).strip() for name in ("model_a", "model_b", "tie")}
        won = [name for name, value in given.items() if value in ("1", "1.0", "True", "true")]
        said = won[0] if len(won) == 1 else " ".join(f"{name}={value}" for name, value in given.items())
        return _decided(Vote(a, b, OUTCOMES.get(said), said, "winner_model_a"))
    if "winner" not in row:
        raise NoVote("winner")
    said = str(row["winner"] if row["winner"] is not None else "")
    return _decided(Vote(a, b, OUTCOMES.get(said.strip().casefold()), said))


def _of_judge(row: Mapping[str, Any]) -> Vote:
    a, b = _name(row, "model_1"), _name(row, "model_2")
    first, second = str(row["g1_winner"]), str(row.get("g2_winner", row["g1_winner"]))
    for field, said in (("g1_winner", first), ("g2_winner", second)):
        if said not in JUDGED and said != FAILED:
            return Vote(a, b, None, said, field)
    # In the second order model_2 is shown first.
    shown = (first == "model_1") + (second == "model_2"), (first == "model_2") + (second == "model_1")
    if first != second or first == FAILED:
        return Vote(a, b, None, f"{first}, then {second}", "g2_winner", verdict=False, shown=shown)
    return Vote(a, b, JUDGED[first], first, "g1_winner", shown=shown)


def _of_log(row: Mapping[str, Any]) -> Vote | None:
    kind = row["type"]
    if not isinstance(kind, str) or kind not in LOG_VOTES:
        return None
    named, states = _two(row, "models"), _two(row, "states")
    # Where the names were hidden from the voter, the log holds them in the states alone.
    a, b = (
        name or (state.get("model_name") if isinstance(state, Mapping) else None)
        for name, state in zip(named, states, strict=True)
    )
    return _decided(Vote(_sound(a, "models"), _sound(b, "models"), LOG_VOTES[kind], kind, "type"))


def _two(row: Mapping[str, Any], field: str) -> Sequence[Any]:
    """Both sides of a column of a log; two times nothing where it is not there."""
    value = row.get(field)
    if value is None:
        return (None, None)
    if not isinstance(value, list | tuple) or len(value) != 2:
        raise NoVote(field, "it must be a list of two")
    return value


def _decided(vote: Vote) -> Vote:
    """With the side that was chosen, where a is shown first."""
    return replace(vote, shown=(int(vote.score == 1.0), int(vote.score == 0.0)))


def _name(row: Mapping[str, Any], field: str) -> str:
    return _sound(row.get(field), field)


def _sound(value: Any, field: str) -> str:
    if isinstance(value, int):
        raise NoVote(field, "the name must be a text")
    # NaN is what a missing name is read as from some tables.
    if not isinstance(value, str) or not value.strip():
        raise NoVote(field)
    if not is_sound(value):
        raise NoVote(field, "the name holds a NUL or half a character")
    return value.strip()
