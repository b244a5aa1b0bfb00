"""HyDE: the model writes documents that might answer the query, and their vectors search beside the query's.

Source    Gao, Ma, Lin, Callan 2022, "Precise Zero-Shot Dense Retrieval without Relevance Labels", sections 3
          and 4 (arXiv 2212.10496), and the authors' code for what is averaged.
Here      n documents are sampled from an instruction that names the kind of corpus; what is searched with is
          the mean of n + 1 vectors, those of the documents and, once, the query's.
Departs   1. Every vector is centred on the corpus's mean and brought to length 1 before the mean is taken.
          2. Instructions of our own, one per kind of corpus; 48 tokens a document instead of 512.
          3. A document that is empty, refused or the query again is left out. Where none is left, the query
             searches alone; without the query there is no answer.
          4. As many draws that are the same text count as many times, and are embedded once.
Needs     words, vectors.   Costs   1 call of n samples and 1 embedding call a query.
"""

from __future__ import annotations

from collections.abc import Sequence

from assay.core.answers import Ranking, ranking_text
from assay.core.errors import UnknownName
from assay.core.flow import Flow, ask
from assay.core.replies import Finish, Reply
from assay.core.requests import Ask, Embed
from assay.core.samples import Answer
from assay.techniques.retrieval.bm25 import Bm25
from assay.techniques.retrieval.feedback import mean_words, mixed
from assay.techniques.retrieval.vectors import VectorIndex, vectors_of

INSTRUCTIONS = {
    "passage": "Write a short passage that answers this question.",
    "documentation": "Describe in plain sentences what a Python function with this summary does.",
    "science": "Write the abstract of a paper that bears on this statement.",
    "argument": "Write an argument against this one.",
    "medicine": "Write a paragraph of a medical paper that answers this question.",
    "finance": "Write what an adviser on money matters would reply to this.",
    "entity": "Write the opening of an encyclopedia article about what is meant here.",
    "news": "Write the beginning of a news story on this topic.",
    "own-language": "Write a short passage that answers this question, in the language of the question.",
}
"""What is asked for, by the kind of corpus."""
PARAPHRASE = "Write this again in other words, as one sentence."
"""The same tokens spent without inventing an answer."""


def instruction_for(kind: str) -> str:
    """The instruction for a kind of corpus; `UnknownName` for any other."""
    if kind not in INSTRUCTIONS:
        raise UnknownName("kind of corpus", kind, INSTRUCTIONS, hint=f"Kinds: {', '.join(INSTRUCTIONS)}.")
    return INSTRUCTIONS[kind]


def by_query(question: str, index: VectorIndex, *, k: int = 10) -> Flow[Answer]:
    """What the query's own vector finds."""
    found = yield from _searched([question], index, k)
    return _answer(found)


def hyde(
    question: str,
    index: VectorIndex,
    instruction: str = INSTRUCTIONS["passage"],
    *,
    n: int = 8,
    with_query: bool = True,
    max_tokens: int = 48,
    k: int = 10,
) -> Flow[Answer]:
    """What the mean of the documents' vectors and the query's finds; the documents' alone without the query."""
    replies = yield from ask(_request(question, instruction, n, max_tokens))
    documents = documents_in(replies, question)
    texts = [question, *documents] if with_query else documents
    if not texts:
        return _no_document(replies)
    found = yield from _searched(texts, index, k)
    return _answer(found, f"{len(documents)} of {n} documents could be used")


def hyde_words(
    question: str,
    index: Bm25,
    instruction: str = INSTRUCTIONS["passage"],
    *,
    n: int = 8,
    max_tokens: int = 48,
    k: int = 10,
) -> Flow[Answer]:
    """What BM25 finds by the words of the query and, for the other half of the weight, of the documents."""
    replies = yield from ask(_request(question, instruction, n, max_tokens))
    documents = documents_in(replies, question)
    query = mixed(question, mean_words(documents)) if documents else question
    return _answer(index.search(query, k), f"{len(documents)} of {n} documents could be used")


def documents_in(replies: Sequence[Reply], question: str) -> list[str]:
    """What can be used of the replies, in order; a query that stands before a document is taken off it."""
    found = []
    asked = " ".join(question.split())
    for reply in replies:
        text = " ".join(reply.text.split())
        if text[: len(asked)].casefold() == asked.casefold():
            text = text[len(asked) :].lstrip(" .:?!\"'")
        if text and reply.finish is not Finish.REFUSED:
            found.append(text)
    return found


def _request(question: str, instruction: str, n: int, max_tokens: int) -> Ask:
    prompt = f"{instruction}\n\n{question}"
    return Ask(prompt, n=n, temperature=0.7, max_tokens=max_tokens, stop=("\n\n\n",))


def _searched(texts: Sequence[str], index: VectorIndex, k: int) -> Flow[Ranking]:
    """What the mean of the texts' placed vectors finds."""
    different = tuple(dict.fromkeys(texts))
    (reply,) = yield [Embed(different)]
    vectors = dict(zip(different, index.placed(vectors_of(reply)), strict=True))
    return index.search(sum(vectors[text] for text in texts) / len(texts), k)


def _answer(found: Ranking, detail: str = "") -> Answer:
    return Answer(value=ranking_text(found), detail=detail)


def _no_document(replies: Sequence[Reply]) -> Answer:
    refused = all(reply.finish is Finish.REFUSED for reply in replies)
    finish = Finish.REFUSED if refused else replies[0].finish
    return Answer(finish=finish, detail="no reply held a document")
