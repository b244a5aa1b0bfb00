"""HyDE: Precise Zero-Shot Dense Retrieval without Relevance Labels."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from assay.core import Answer, Arm, ArmFlow, Capability, Claim, Flow, Measure, Paper, Sample, Size, Task
from assay.core.answers import Ranking, ranking_text
from assay.tasks import RetrievalTask
from assay.tasks.retrieval import Corpus
from assay.techniques.retrieval import PARAPHRASE, Bm25, VectorIndex, feedback_search, instruction_for
from assay.techniques.retrieval.hyde import by_query, hyde, hyde_words
from assay.techniques.retrieval.vectors import embedded


def _corpus(samples: Sequence[Sample], task: Task) -> Corpus:
    assert isinstance(task, RetrievalTask), "the claims of this card search a corpus"
    return task.corpus(samples[0].meta["level"])


def _vectors(samples: Sequence[Sample], task: Task, seed: int) -> Flow[VectorIndex]:
    documents = _corpus(samples, task).documents
    return embedded([document.id for document in documents], [document.text for document in documents])


def _lexical(samples: Sequence[Sample], task: Task, seed: int) -> Flow[Bm25]:
    yield from ()
    documents = _corpus(samples, task).documents
    return Bm25.of([document.id for document in documents], [document.text for document in documents])


def _query(sample: Sample, task: Task, index: VectorIndex) -> Flow[Answer]:
    return by_query(sample.question, index)


def _written(n: int, *, with_query: bool = True, instruction: str = "") -> ArmFlow:
    def arm(sample: Sample, task: Task, index: VectorIndex) -> Flow[Answer]:
        wanted = instruction or instruction_for(_corpus([sample], task).kind)
        return hyde(sample.question, index, wanted, n=n, with_query=with_query)

    return arm


def _free(search: Callable[[str, Bm25], Ranking]) -> ArmFlow:
    def arm(sample: Sample, task: Task, index: Bm25) -> Flow[Answer]:
        yield from ()
        return Answer(value=ranking_text(search(sample.question, index)))

    return arm


def _bm25_written(sample: Sample, task: Task, index: Bm25) -> Flow[Answer]:
    return hyde_words(sample.question, index, instruction_for(_corpus([sample], task).kind))


QUERY = Arm("query", _query, "the query's vector alone", _vectors)
AVERAGED = Arm("hyde", _written(8), "the mean of 8 hypothetical documents and the query", _vectors)
ALONE = Arm("hyde-alone", _written(1, with_query=False), "one hypothetical document, without the query", _vectors)
EIGHT = Arm("hyde-documents", _written(8, with_query=False), "8 hypothetical documents, no query", _vectors)
PARAPHRASES = Arm("paraphrases", _written(8, instruction=PARAPHRASE), "8 paraphrases and the query", _vectors)
PARAPHRASED = Arm("paraphrase", _written(1, instruction=PARAPHRASE), "one paraphrase and the query", _vectors)
WORDS = Arm("bm25", _free(lambda query, index: index.search(query)), "BM25 with the query's words", _lexical)
MORE_WORDS = Arm("bm25-hyde", _bm25_written, "BM25 with the words of 8 hypothetical documents added", _lexical)
FEEDBACK = Arm("bm25-feedback", _free(feedback_search), "BM25 widened by its first documents", _lexical)


def _claim(id: str, sentence: str, treatment: Arm, control: Arm, equal: Arm, others: tuple[Arm, ...]) -> Claim:
    return Claim(
        id=id,
        sentence=sentence,
        treatment=treatment,
        control=control,
        task=RetrievalTask(),
        smallest_effect=0.03,
        measure=Measure.GRADED,
        unit="nDCG@10",
        needs=frozenset({Capability.GENERATE, Capability.EMBED}),
        sizes={"smoke": Size(6, level="100"), "small": Size(100, level="250"), "full": Size(900, level="1000")},
        equal_spend=equal,
        others=others,
    )


PAPER = Paper(
    slug="hyde",
    title="Precise Zero-Shot Dense Retrieval without Relevance Labels",
    authors="Gao, Ma, Lin, Callan",
    year=2022,
    url="https://arxiv.org/abs/2212.10496",
    row="R27",
    shelf="retrieval",
    says="Searching with documents that InstructGPT makes up for a query raises nDCG@10 of the unsupervised "
    "Contriever from 44.5 to 61.3 on TREC DL19 (table 1).",
    reading="What is made up must come nearer to what is sought than the query does. That asks for a writer that "
    "knows the field and an encoder that is weak on queries; a writer of 135M parameters knows little.",
    claims=(
        _claim(
            "hyde",
            "Averaging hypothetical documents into the query's vector ranks better than the query alone.",
            *(AVERAGED, QUERY, PARAPHRASES, (ALONE, EIGHT, WORDS, MORE_WORDS, FEEDBACK)),
        ),
        _claim(
            "hyde-alone",
            "One hypothetical document in place of the query ranks better than the query.",
            *(ALONE, QUERY, PARAPHRASED, (EIGHT, AVERAGED)),
        ),
        _claim(
            "hyde-beats-bm25",
            "Searching with hypothetical documents and the query ranks better than BM25.",
            *(AVERAGED, WORDS, PARAPHRASES, (QUERY, MORE_WORDS, FEEDBACK)),
        ),
    ),
    departures=(
        "The documentation of Python's library instead of TREC and BEIR; name a folder with --task.",
        "The encoder is the model itself, its states averaged; name another with --encoder.",
        "48 tokens a document instead of 512, and documents cut to 64 words.",
        "Vectors are centred and brought to length 1 before they are averaged.",
    ),
)
