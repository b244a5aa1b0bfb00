"""Large Language Models Can Self-Improve: the sampling and voting half."""

from __future__ import annotations

from assay.core import Answer, Arm, Claim, Flow, Paper, Sample, Size, Task
from assay.core.answers import extract_last
from assay.tasks import ArithmeticTask
from assay.techniques.search import one_chain, rethink, self_consistency

SAMPLES = 8


def _voted(sample: Sample, task: Task) -> Flow[Answer]:
    return self_consistency(sample.question, extract_last(task.kind, sample.choices), n=SAMPLES)


def _greedy(sample: Sample, task: Task) -> Flow[Answer]:
    return one_chain(sample.question, extract_last(task.kind, sample.choices))


def _rethought(sample: Sample, task: Task) -> Flow[Answer]:
    return rethink(sample.question, extract_last(task.kind, sample.choices), rounds=SAMPLES)


PAPER = Paper(
    slug="self-improve",
    title="Large Language Models Can Self-Improve",
    authors="Huang, Gu, Hou, Wu, Wang, Yu, Han",
    year=2022,
    url="https://arxiv.org/abs/2210.11610",
    row="R09",
    shelf="search",
    says="PaLM-540B labels its own training data by majority vote over sampled chains of thought and gets "
    "better by training on them: GSM8K 74.4 % to 82.1 %. The vote itself is "
    "self-consistency (Wang et al. 2022, arXiv 2203.11171).",
    reading="Here stands the vote. It can only help where the right answer is the commonest one: a model that "
    "is wrong in the same way every time votes for its error. The training half needs an organism.",
    claims=(
        Claim(
            id="self-consistency",
            sentence="A vote over eight sampled chains of thought beats one greedy chain.",
            treatment=Arm("vote-of-8", _voted, "eight chains at temperature 0.7, the commonest answer"),
            control=Arm("greedy-chain", _greedy, "one chain at temperature 0"),
            task=ArithmeticTask(levels=("1", "2", "3")),
            smallest_effect=0.05,
            sizes={"smoke": Size(n=2), "small": Size(n=40, pilot=12), "full": Size(n=1000, pilot=40)},
            equal_spend=Arm("rethink", _rethought, "one chain that checks itself seven times over"),
        ),
    ),
    departures=(
        "Zero-shot chains begun with a trigger sentence; the papers give worked examples.",
        "Eight samples instead of 32 to 40.",
        "Equal spend is one line of thought that is continued seven times: more samples of the control, "
        "voted on, would be the treatment itself.",
    ),
)
