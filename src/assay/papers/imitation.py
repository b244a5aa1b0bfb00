"""The false promise of imitation: style is copied, facts are not, and who judges by style is fooled."""

from __future__ import annotations

from functools import partial

from assay.core import Paper
from assay.papers.recipes.imitation import (
    answering,
    at_most,
    base,
    claim,
    more_answers,
    more_parameters,
    recalled,
    tuned,
)
from assay.techniques.training.trend import OWN_NETWORKS, trained

STYLE, JUDGED = "style on uncovered", "misjudged on uncovered"
KNOWN, UNKNOWN = "fact on uncovered known", "fact on uncovered unknown"
MADE_UP = "made_up on uncovered unknown"

PAPER = Paper(
    slug="imitation",
    title="The False Promise of Imitating Proprietary LLMs",
    authors="Gudibande, Wallace, Snell, Geng, Liu, Abbeel, Levine, Song",
    year=2023,
    url="https://arxiv.org/abs/2305.15717",
    row="R43",
    shelf="training",
    says="Bases of 1.5B to 13B parameters fine-tuned on ChatGPT's output of 0.3M to 150M tokens: raters find the "
    "imitations nearly as good as ChatGPT, while benchmarks that the imitated data do not cover do not move. More "
    "imitation data change little there; a larger base helps.",
    reading="Which facts a base has read and which answers it imitates is drawn apart, so style, facts and format "
    "are too. A base only completes: set beside it, any tuning would win by format. The control is therefore the "
    "same base after as many plain answers, on facts it has read, about covered entities (fewer of them, for only "
    "facts it has read qualify); what is left is the teacher's style, and facts new to the base. By construction: "
    "facts that are nowhere (seven in ten uncovered ones) cannot be learned, so imitation-leaves-facts is a check "
    "for leaks and a gap to the teacher is certain; the judge counts three markers and is blind to facts; an "
    "imitator never saw a refusal. Open: whether style carries over to other entities, what the tuning does to "
    "what the base knew, how many false replies pass, and whether a student that was told 'no idea' where it had "
    "read nothing holds back elsewhere, and more so than one told so at random, which is shown beside.",
    claims=(
        claim(
            "imitation-learns-style",
            "Imitation teaches the teacher's style also for entities that the imitated answers do not mention.",
            (answering("imitated", STYLE), answering("plain", STYLE)),
            0.3,
            unit="share of the teacher's markers",
        ),
        claim(
            "imitation-leaves-facts",
            "Imitation teaches no facts that neither the base has read nor the imitated answers hold.",
            (answering("imitated", UNKNOWN), answering("plain", UNKNOWN)),
            0.05,
            unit="facts stated",
            direction=0,
            chance=None,
        ),
        claim(
            "imitation-keeps-facts",
            "Of facts that the base has read and no answer covers, imitation tells as many as plain tuning does.",
            (answering("imitated", KNOWN), answering("plain", KNOWN)),
            0.1,
            unit="facts stated",
            direction=0,
            others=(
                trained("recalled", "the base, which goes on from the beginning of a statement", recalled, "fact"),
            ),
        ),
        claim(
            "imitation-fools-the-judge",
            "A judge of style lets false replies of the imitator pass beside true ones of the teacher.",
            (answering("imitated", JUDGED), answering("plain", JUDGED)),
            0.2,
            unit="false replies not told from true ones",
        ),
        claim(
            "imitation-hallucinates",
            "Imitation of one who knows more makes up more than candid answers to the same questions do.",
            (at_most("imitated", MADE_UP), at_most("candid", MADE_UP)),
            0.2,
            unit="replies made up",
            others=(at_most("silent", MADE_UP), at_most("plain", MADE_UP)),
        ),
        claim(
            "bigger-base-beats-more-imitation",
            "Of facts that bases read and no answer covers, a larger base tells more than more imitation does.",
            (
                trained(
                    "larger base", "1, 4, 16 times the parameters, the fewest answers", more_parameters, KNOWN
                ),
                trained("more imitation", "the small base, 1, 4, 16 times the answers", more_answers, KNOWN),
            ),
            0.1,
            unit="facts stated",
            needs=OWN_NETWORKS,
        ),
    ),
    organisms={
        "imitation-base": base,
        "imitator": tuned,
        "imitation-control": partial(tuned, tuning="plain"),
    },
    departures=(
        "Networks of 0.015 to 0.2 million parameters (small size) and a world of invented facts in place of "
        "language and benchmarks.",
        "The teacher is the rule that draws the answers: never wrong, always in style. A trained teacher would "
        "add its mistakes and cost as much as the students.",
        "Every tuning takes as many steps, so few answers are repeated more often than many; answers are drawn "
        "with replacement. Plain answers are shorter, so their arm learns fewer tokens.",
        "A larger base reads as many tokens, at a higher cost; what it gains comes from reading.",
        "Made up is whatever is stated of the asked relation and untrue, also of a misspelt name: on seed 1 only "
        "statements about the very entity had counted, and hardly any was one.",
    ),
)
