"""HyDE, Gao et al. 2022 (arXiv 2212.10496): what is averaged, and what a writer can spoil."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from assay.core import Answer, Ask, Embed, Embeddings, Finish, Flow, Numbers, Reply, UnknownName
from assay.core.answers import ranking_of
from assay.techniques.retrieval import Bm25, VectorIndex, instruction_for
from assay.techniques.retrieval.hyde import by_query, documents_in, hyde, hyde_words
from assay.techniques.retrieval.vectors import TOGETHER, embedded
from tests.techniques.by_hand import by_hand, says

# Four documents round the origin, so that their mean is 0 and centring changes nothing.
INDEX = VectorIndex.of(["east", "north", "west", "south"], [[1, 0], [0, 1], [-1, 0], [0, -1]])


def gives(*vectors: Sequence[float]) -> list[Embeddings]:
    return [Embeddings(Numbers.of(list(vectors)))]


def ranking(answer: Answer) -> dict[str, float]:
    found = ranking_of(answer.value)
    assert found is not None
    return dict(found)


def test_the_papers_mean_of_n_and_one_vectors_with_the_query_once() -> None:
    """Query (1, 0), documents (0, 1), (0, 1) and (-1, 0): the mean of the four is (0, 1/2)."""
    flow = hyde("q", INDEX, n=3)
    answer, asked = by_hand(flow, says("one", "two", "three"), gives((1, 0), (0, 1), (0, 1), (-1, 0)))
    assert asked[0] == [Ask(asked[0][0].prompt, n=3, temperature=0.7, max_tokens=48, stop=("\n\n\n",))]
    assert asked[0][0].prompt.endswith("\n\nq")
    assert asked[1] == [Embed(("q", "one", "two", "three"))]
    assert ranking(answer) == pytest.approx({"north": 0.5, "east": 0, "west": 0, "south": -0.5}, abs=1e-6)


def test_without_the_query_only_the_documents_are_averaged() -> None:
    answer, asked = by_hand(hyde("q", INDEX, n=1, with_query=False), says("one"), gives((0, 1)))
    assert asked[1] == [Embed(("one",))]
    assert ranking(answer)["north"] == pytest.approx(1)


def test_departure_1_long_vectors_count_no_more_than_short_ones() -> None:
    """The mean of the vectors as they come would point to the long one."""
    answer, _ = by_hand(hyde("q", INDEX, n=1), says("one"), gives((0, 1), (100, 0)))
    found = ranking(answer)
    assert found["north"] == pytest.approx(found["east"], abs=1e-6)
    assert found["north"] == pytest.approx(0.5, abs=1e-6)


def test_departure_1_what_all_texts_share_is_taken_off() -> None:
    """Raw states of a language model all point one way; centred, the right document stands out."""
    shared = np.array([50.0, 50.0])
    index = VectorIndex.of(["east", "north"], shared + np.array([[1.0, 0], [0, 1]]))
    placed = index.placed([shared + np.array([0.9, 0.1])])[0]
    assert index.search(placed, 1)[0] == ("east", pytest.approx(1.0, abs=1e-3))


def test_departure_3_what_is_empty_refused_or_an_echo_is_left_out() -> None:
    replies = [
        Reply("  \n"),
        Reply("I cannot help with that.", Finish.REFUSED),
        Reply("How do I  OPEN a file?"),
        Reply("How do I open a file? Call open."),
        Reply("Half a docum", Finish.LENGTH),
    ]
    assert documents_in(replies, "How do I open a file?") == ["Call open.", "Half a docum"]


def test_departure_3_without_a_document_the_query_searches_alone() -> None:
    answer, asked = by_hand(hyde("q", INDEX, n=2), says("", " "), gives((0, 1)))
    assert asked[1] == [Embed(("q",))]
    assert ranking(answer)["north"] == pytest.approx(1)
    assert answer.detail == "0 of 2 documents could be used"


@pytest.mark.parametrize("finish", [Finish.STOP, Finish.REFUSED])
def test_departure_3_without_document_and_query_there_is_no_answer(finish: Finish) -> None:
    answer, _ = by_hand(hyde("q", INDEX, n=2, with_query=False), says("", "", finish=finish))
    assert (answer.value, answer.finish, answer.detail) == (None, finish, "no reply held a document")


def test_departure_4_the_same_text_is_embedded_once_and_counts_each_time() -> None:
    flow = hyde("q", INDEX, n=3)
    answer, asked = by_hand(flow, says("one", "one", "one"), gives((1, 0), (0, 1)))
    assert asked[1] == [Embed(("q", "one"))]
    assert ranking(answer) == pytest.approx({"north": 0.75, "east": 0.25, "west": -0.25, "south": -0.75})


@given(st.lists(st.tuples(st.floats(-9, 9), st.floats(-9, 9)), min_size=2, max_size=5))
def test_the_order_of_the_documents_changes_nothing(vectors: list[tuple[float, float]]) -> None:
    def found(given: Sequence[Any]) -> dict[str, float]:
        texts = [str(vector) for vector in given]
        flow: Flow[Answer] = hyde("q", INDEX, n=len(texts))
        different = dict(zip(texts, given, strict=True))
        answer, _ = by_hand(flow, says(*texts), gives((1, 0), *different.values()))
        return ranking(answer)

    assert found(vectors) == pytest.approx(found(vectors[::-1]), abs=1e-5)


def test_the_control_embeds_the_query_and_nothing_else() -> None:
    answer, asked = by_hand(by_query("q", INDEX), gives((0, -1)))
    assert asked == [[Embed(("q",))]]
    assert ranking(answer)["south"] == pytest.approx(1)


def test_the_corpus_is_embedded_in_parts_that_do_not_depend_on_who_asks() -> None:
    texts = [f"text {i}" for i in range(TOGETHER + 2)]
    rows = [[float(i), 1.0] for i in range(TOGETHER + 2)]
    index, asked = by_hand(
        embedded(texts, texts),
        [Embeddings(Numbers.of(rows[:TOGETHER])), Embeddings(Numbers.of(rows[TOGETHER:]))],
    )
    assert asked == [[Embed(tuple(texts[:TOGETHER])), Embed(tuple(texts[TOGETHER:]))]]
    assert np.linalg.norm(index.rows, axis=1) == pytest.approx(1)
    assert index.rows.dtype == np.float32


def test_a_text_at_the_very_centre_ties_with_everything() -> None:
    assert dict(INDEX.search(INDEX.placed([[0.0, 0.0]])[0])) == dict.fromkeys(INDEX.ids, 0.0)


def test_as_many_ids_as_vectors() -> None:
    with pytest.raises(ValueError, match="1 ids for 2 vectors"):
        VectorIndex.of(["a"], [[1.0], [2.0]])


def test_words_of_documents_are_searched_with_too() -> None:
    index = Bm25.of(["a", "b"], ["a red house", "the roof"])
    answer, _ = by_hand(hyde_words("house", index, n=2), says("roof", ""))
    assert set(ranking(answer)) == {"a", "b"}
    answer, _ = by_hand(hyde_words("house", index, n=1), says(""))
    assert set(ranking(answer)) == {"a"}


def test_an_unknown_kind_of_corpus_gets_a_suggestion() -> None:
    with pytest.raises(UnknownName, match="Did you mean documentation"):
        instruction_for("documentations")


@pytest.mark.engine
@pytest.mark.usefixtures("home")
def test_on_the_embedded_model_documents_are_written_embedded_and_found() -> None:
    import asyncio

    import assay
    from assay.core import Capability
    from assay.home import find_home
    from assay.models import ModelChoice, connect

    texts = ["Cats purr and sleep.", "Open a file and read its lines.", "The sun is a star."]

    def whole() -> Flow[tuple[Answer, Answer]]:
        index = yield from embedded(texts, texts)
        alone = yield from by_query("How do I read a text file?", index)
        both = yield from hyde("How do I read a text file?", index, n=2, max_tokens=12)
        return alone, both

    async def work() -> tuple[Answer, Answer]:
        model = await connect(ModelChoice(), find_home().make(), needs={Capability.EMBED})
        try:
            return await assay.arun(whole(), model)
        finally:
            await model.close()

    alone, both = asyncio.run(work())
    assert next(iter(ranking(alone))) == texts[1]
    assert both.detail == "2 of 2 documents could be used"
    assert set(ranking(both)) == set(texts)
    assert ranking(both) != ranking(alone)
