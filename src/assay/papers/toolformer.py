"""Toolformer: Language Models Can Teach Themselves to Use Tools."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import date

from assay.core import Answer, Arm, ArmFlow, Capability, Claim, Flow, Paper, Sample, Size, Task
from assay.core.answers import extract_last
from assay.tasks import DictionaryTask, RegisterTask, WeekdayTask, one_step
from assay.techniques.execution import few_shot_chain, few_shot_direct
from assay.techniques.execution.toolformer import triggered, with_tools
from assay.techniques.execution.tools import InlineTool, calculator, calendar, search, translator, withheld
from assay.techniques.execution.tools.examples import CALCULATIONS, DAYS, FACTS, TRANSLATIONS, Shot

ToolFor = Callable[[Sample], InlineTool]


def _text(shots: Sequence[Shot], tool: ToolFor | None = None, *, constrained: bool = True) -> ArmFlow:
    def arm(sample: Sample, task: Task) -> Flow[Answer]:
        tools = (tool(sample),) if tool else ()
        read = extract_last(task.kind, sample.choices)
        return with_tools(sample.question, tools, shots, read, constrained=constrained)

    return arm


def _triggered(k: int) -> ArmFlow:
    return lambda sample, task: triggered(sample.question, (calculator(),), CALCULATIONS, k=k)


def _chain(sample: Sample, task: Task) -> Flow[Answer]:
    return few_shot_chain(sample.question, extract_last(task.kind, sample.choices))


CHAIN = Arm("chain-of-thought", _chain, "the same worked examples, solved in words")
DIRECT = Arm(
    "direct", lambda sample, task: few_shot_direct(sample.question), "the same examples, the answer alone"
)


def _claim(
    name: str, sentence: str, tool: ToolFor, shots: Sequence[Shot], task: Task, control: Arm | None = None
) -> Claim:
    return Claim(
        id=f"toolformer-{name}",
        sentence=sentence,
        treatment=Arm("tool", _text(shots, tool), "one call, its form held to by a grammar"),
        control=control or Arm("no-tool", _text(shots), "the same worked examples without their calls"),
        task=task,
        smallest_effect=0.05,
        sizes={"smoke": Size(n=6), "small": Size(n=200), "full": Size(n=300)},
        needs=frozenset({Capability.GENERATE, Capability.GRAMMAR}),
        driver="constrained",
        placebo=Arm("withheld", _text(shots, lambda sample: withheld(tool(sample))), "the same call, no result"),
        others=(
            Arm("free", _text(shots, tool, constrained=False), "calls where the model writes them, no grammar"),
            *((DIRECT,) if control is CHAIN else ()),
        ),
    )


PAPER = Paper(
    slug="toolformer",
    title="Toolformer: Language Models Can Teach Themselves to Use Tools",
    authors="Schick, Dwivedi-Yu, Dessì, Raileanu, Lomeli, Zettlemoyer, Cancedda, Scialom",
    year=2023,
    url="https://arxiv.org/abs/2302.04761",
    row="R01",
    shelf="execution",
    says="A model that was trained to call tools where they help gains much in zero-shot tasks and often competes "
    "with far larger models (abstract).",
    reading="What is tested here is the use of a tool and not learning to use it. Whether a calculator helps is "
    "open, for the model must still say what to calculate; facts of an invented world only a tool can know.",
    claims=(
        _claim(
            "calculator",
            "A calculator called in the text beats a chain of thought on arithmetic word problems.",
            *(lambda sample: calculator(), CALCULATIONS, one_step(), CHAIN),
        ),
        _claim(
            "calendar",
            "With a calendar to call, questions about weekdays are answered better than without.",
            *(
                lambda sample: calendar(date.fromisoformat(sample.meta["today"])),
                DAYS,
                WeekdayTask(levels=("near",)),
            ),
        ),
        _claim(
            "search",
            "With a search to call, facts of an invented world are answered better than without.",
            *(lambda sample: search(sample.meta["documents"]), FACTS, RegisterTask()),
        ),
        _claim(
            "translate",
            "With a dictionary to call, words of an invented language are translated better than without.",
            *(lambda sample: translator(sample.meta["dictionary"]), TRANSLATIONS, DictionaryTask()),
        ),
        Claim(
            id="toolformer-k",
            sentence="Calling where a bracket is among the 10 likeliest tokens beats calling where it is first.",
            treatment=Arm("k-10", _triggered(10), "a call where its bracket is among the 10 likeliest tokens"),
            control=Arm("k-1", _triggered(1), "a call where its bracket is the likeliest token"),
            task=one_step(),
            smallest_effect=0.05,
            sizes={"smoke": Size(n=6), "small": Size(n=100), "full": Size(n=300)},
            needs=frozenset({Capability.GENERATE, Capability.GRAMMAR, Capability.LOGPROBS}),
            driver="constrained",
            others=(Arm("k-3", _triggered(3), "among the 3 likeliest"), CHAIN),
        ),
    ),
    departures=(
        "Nothing is trained: four worked examples show what a call looks like.",
        "A grammar makes the first sentence come to a call; the arm 'free' leaves it to the model.",
        "Generated questions with one right answer instead of ASDiv, LAMA, TEMPLAMA and MLQA.",
        "BM25 over 300 invented facts instead of Wikipedia; a dictionary instead of a translation model.",
        "The word for a bracket counts as the start of a call wherever it stands among the likeliest tokens.",
    ),
)
