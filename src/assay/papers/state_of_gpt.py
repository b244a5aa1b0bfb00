"""State of GPT: four stages from text to assistant, and what they do to the policy's entropy."""

from __future__ import annotations

from assay.core import Paper
from assay.papers.recipes.state_of_gpt import (
    COPYING,
    ENDS,
    above_chance,
    base,
    choosing,
    dose_claim,
    entropy_claim,
    examined,
    judge,
    on_chain,
    on_digits,
    paid_by,
    reinforced,
    share_claim,
    tuned,
    unpaid,
    writing,
)
from assay.tasks.arithmetic.digits import CoinTosses, EvenDigits
from assay.techniques.training.trend import trained

PAPER = Paper(
    slug="state-of-gpt",
    title="State of GPT",
    authors="Karpathy",
    year=2023,
    url="https://build.microsoft.com/sessions/db3f4859-cd30-4445-a0cd-553c3304f8e2",
    row="R40",
    shelf="training",
    says="An assistant is made in four stages: pretraining on documents, supervised tuning on a smaller set of "
    "good answers, a reward model on comparisons, reinforcement against it. The base only completes documents; "
    "models after RLHF have less entropy; comparing is easier than creating.",
    reading="With reward r and price beta the best policy is the start's times exp(r / beta). Paid for the share "
    "of evens among 16 digits it would have 1.61, 1.78, 2.14, 2.26, 2.29 nats a digit at beta 0, 0.02, 0.05, "
    "0.1, 0.2: a slope of 3.2 nats per unit beta, of which a third is asked. Length is fixed; the coin pays as "
    "unevenly, for nothing: what it lowers, updates alone do. On the chain entropy is per token, and 0.02 nats "
    "are a seventh of a nat on an answer of seven tokens; longer tuning on answers is shown beside, and every "
    "audit holds reward, true marks, divergence and length, for a learned reward can be gamed. That the base "
    "goes on asking is made so: it has read lists of questions and no answers. Verifier and writer have as many "
    "labels (a 16th, a quarter, all: the mean counts), pairs or answers, and as many steps, from one base; scores "
    "are corrected so that who knows a share of the facts and guesses the rest gets that share in both. Who half "
    "knows gains from being offered two replies instead of all: so the writer's own likelihood on the same pairs, "
    "and the verifier among all values, stand beside. An answer states something of what is asked, about anyone.",
    claims=(
        dose_claim(
            "rlhf-entropy-drop",
            "Reinforcement lowers a policy's entropy, the more so the less divergence from its start costs.",
            (
                on_digits("reinforced", "paid for even digits", paid_by, reward=EvenDigits()),
                on_digits("start", "the policy before, whatever beta", unpaid),
            ),
            1.0,
            others=(
                on_digits("coin", "paid by tosses, least and most beta", paid_by, reward=CoinTosses(), betas=ENDS),
            ),
        ),
        entropy_claim(
            "rl-has-less-entropy-than-sft",
            "Reinforcement against the learned reward model leaves less entropy than supervised tuning had.",
            (
                on_chain("rl", "paid by the reward model, beta 0.05", "rl"),
                on_chain("sft", "tuned on answers", "sft"),
            ),
            -0.02,
            others=(
                on_chain("rl without a price", "paid by the reward model, beta 0", "rl", beta=0.0),
                on_chain("sft longer", "tuned on answers for as many steps more", "sft longer"),
            ),
        ),
        entropy_claim(
            "base-has-more-entropy-than-sft",
            "The base has more entropy on questions than the model tuned on answers.",
            (on_chain("base", "completes documents", "base"), on_chain("sft", "tuned on answers", "sft")),
            0.1,
        ),
        share_claim(
            "sft-makes-answerer",
            "Supervised tuning makes a model that answers questions of one that goes on with them.",
            (
                trained("sft", "tuned on answers about other entities", examined, "said", stage="sft"),
                trained("base", "completes documents", examined, "said", stage="base"),
            ),
            0.5,
            "replies that state what is asked for",
        ),
        share_claim(
            "verify-easier-than-generate",
            "From as many labels a model learns better to choose the right one of two answers than to write it.",
            (
                above_chance("verifier", "chooses between a true and a false answer", choosing),
                above_chance("writer", "writes the answer", writing),
            ),
            0.1,
            "facts known above chance",
            departures=COPYING,
            others=(
                above_chance("verifier among all", "chooses among all values", choosing, every=True),
                above_chance("writer choosing", "the same pairs, by likelihood", choosing, by="likelihood"),
            ),
        ),
    ),
    organisms={
        "gpt-base": base,
        "gpt-sft": tuned,
        "gpt-reward": judge,
        "gpt-rl": reinforced,
    },
    departures=(
        "A tenth of a million parameters, invented facts, 512 tokens: so small a writer hardly copies a name.",
        "RLOO in place of PPO, which needs a value network and is no longer in the library.",
        "Preferences are a rule's: the true fact in the asked format. Tuning is about covered entities, questions "
        "are about others; the base has read about both.",
    ),
)
