"""Tools that know what the model may not: a corpus, a dictionary, and another question to a model."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from assay.core.agents import characters
from assay.core.flow import Flow, ask
from assay.core.requests import Ask
from assay.techniques.execution.tools.inline import ERROR, InlineTool, answering
from assay.techniques.retrieval import Bm25

QUERY = characters("A-Za-z0-9 '-", 1, 40)


def search(texts: Sequence[str]) -> InlineTool:
    """[Search(where does zola live) -> zola lives in mubat.]: the text that BM25 puts first."""
    index = Bm25.of([str(place) for place in range(len(texts))], texts)

    def first(asked: str) -> str:
        found = index.search(asked, 1)
        return texts[int(found[0][0])] if found else "nothing found"

    return answering("Search", first, QUERY)


def translator(dictionary: Mapping[str, str]) -> InlineTool:
    """[Translate(bafo rimu) -> red house]: word by word; a word that is not there stands as it is."""

    def translated(asked: str) -> str:
        return " ".join(dictionary.get(word, word) for word in asked.casefold().split()) or ERROR

    return answering("Translate", translated, QUERY)


def questioner(*, max_tokens: int = 24) -> InlineTool:
    """[Question(Who wrote it?) -> ...]: the same model, asked apart and answering in a few words."""

    def use(asked: str) -> Flow[str]:
        if not asked:
            return ERROR
        (reply,) = yield from ask(Ask(f"Answer in a few words.\n\n{asked}", max_tokens=max_tokens))
        return reply.text.strip() or ERROR

    return InlineTool("Question", use)
