"""Chatbot Arena: a ranking from votes on pairs of answers."""

from __future__ import annotations

from functools import partial
from typing import Any

from assay.core import Arm, Claim, Measure, Paper, Size
from assay.tasks import SimulatedSourcesTask
from assay.techniques.prompting.vote_ranking import order_dependence, rank_accuracy, style_accuracy

SETTINGS: dict[str, Any] = {
    "task": SimulatedSourcesTask(labels=("arena",), name="simulated-votes"),
    "measure": Measure.GRADED,
    "sizes": {"smoke": Size(4), "small": Size(80), "full": Size(400)},
    "needs": frozenset(),
    "driver": "scripted",
    "equal_spend": False,
    "rule": "fixed",
}
BRADLEY_TERRY = "Bradley-Terry"


def _shuffled(name: str, k: float) -> Arm:
    return Arm(name, partial(order_dependence, k=k), "ratings from ten orders of the same 2,000 votes")


def _ranked(name: str, k: float) -> Arm:
    return Arm(name, partial(rank_accuracy, k=k), "the order it finds, against the true one")


def _controlled(name: str, control: str, says: str) -> Arm:
    return Arm(name, partial(style_accuracy, control=control), says)


PAPER = Paper(
    slug="chatbot-arena",
    title="Chatbot Arena: An Open Platform for Evaluating LLMs by Human Preference",
    authors="Chiang, Zheng, Sheng, Angelopoulos, Li, Li, Zhang, Zhu, Jordan, Gonzalez, Stoica",
    year=2024,
    url="https://arxiv.org/abs/2403.04132",
    row="R63",
    shelf="prompting",
    says="Over 240K votes rank models by Bradley-Terry coefficients, with sandwich intervals, in place of the "
    "online Elo the platform began with. Controlling for length and markdown later moved models up and down.",
    reading="That Elo depends on the order of votes follows from how it is made; how many ranks that moves "
    "depends on K and on how close models are. Style control finds the truth where votes are strength plus style, "
    "as simulated here; on real votes a longer answer may also be the better one, and no fit can tell.",
    claims=(
        Claim(
            "elo-depends-on-order",
            "Shuffling the same votes turns more pairs of models round under online Elo than under Bradley-Terry.",
            _shuffled("online Elo, K 32", 32.0),
            _shuffled(BRADLEY_TERRY, 0.0),
            smallest_effect=0.02,
            unit="share of pairs turned round",
            others=(_shuffled("online Elo, K 4", 4.0),),
            placebo=False,
            departures=(
                "The control cannot turn anything round: Bradley-Terry reads a table of counts and no order. The "
                "effect is the share that online Elo turns round, and there is no placebo.",
            ),
            **SETTINGS,
        ),
        Claim(
            "bradley-terry-ranks-better",
            "Bradley-Terry puts more pairs of models in their true order than online Elo with K 4.",
            _ranked(BRADLEY_TERRY, 0.0),
            _ranked("online Elo, K 4", 4.0),
            smallest_effect=0.01,
            unit="share of pairs in the true order",
            others=(_ranked("online Elo, K 32", 32.0),),
            placebo=False,
            departures=(
                "No placebo: both arms read the same votes, and there is nothing that could be left out.",
            ),
            **SETTINGS,
        ),
        Claim(
            "style-control-recovers-rank",
            "Where voters like length, controlling for it puts more pairs of models in their true order.",
            _controlled("length controlled", "length", "Bradley-Terry with a coefficient for length"),
            _controlled("plain", "none", "Bradley-Terry"),
            smallest_effect=0.01,
            unit="share of pairs in the true order",
            placebo=_controlled("shuffled length", "shuffled", "a coefficient for the lengths of other votes"),
            **SETTINGS,
        ),
    ),
    departures=(
        "Voters are simulated, with strengths that are known: no vote of the arena is read.",
        "No arm at equal spend: nothing is asked of a model.",
    ),
)
