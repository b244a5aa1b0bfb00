"""BM25 against its formula, against another implementation, and the queries it must survive."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from assay.techniques.retrieval import Bm25, best, feedback_search, mixed, words
from assay.techniques.retrieval.feedback import mean_words

TEXTS = ["the cat sat on a mat", "dogs and cats", "birds fly over mats and mats"]
IDS = ["a", "b", "c"]
some_words = st.lists(st.sampled_from(["red", "green", "blue", "round", "flat"]), min_size=1, max_size=12)


def test_words_are_lower_case_without_plurals_and_without_the_commonest() -> None:
    assert words("The Cats' bodies, in GLASS: buses_2 status ties") == [
        *("cat", "body", "glass", "buse", "2", "status", "ty"),
    ]


def test_a_score_worked_by_hand() -> None:
    # Lengths without the commonest words: 3, 2 and 5; "mat" stands once in a, twice in c.
    index = Bm25.of(IDS, TEXTS)
    rarity = math.log(1 + (3 - 2 + 0.5) / (2 + 0.5))
    norm = [1.2 * (0.25 + 0.75 * length / (10 / 3)) for length in (3, 2, 5)]
    assert index.scores("mat") == pytest.approx([rarity / (1 + norm[0]), 0, rarity * 2 / (2 + norm[2])])


@settings(deadline=None, derandomize=True, max_examples=30)
@given(st.lists(some_words, min_size=2, max_size=8), some_words)
def test_it_agrees_with_bm25s(documents: list[list[str]], query: list[str]) -> None:
    bm25s = pytest.importorskip("bm25s")
    theirs = bm25s.BM25(method="lucene", k1=1.2, b=0.75)
    theirs.index(documents, show_progress=False)
    known = [word for word in query if any(word in document for document in documents)]
    if not known:
        return
    ours = Bm25.of([str(i) for i in range(len(documents))], [" ".join(document) for document in documents])
    assert ours.scores(" ".join(query)) == pytest.approx(theirs.get_scores(known), abs=1e-5)


def test_only_documents_that_share_a_word_are_found_and_equals_are_all_shown() -> None:
    index = Bm25.of(["a", "b", "c", "d"], ["red house", "blue house", "red house", "tree"])
    found = index.search("red", 1)
    assert [document for document, _ in found] == ["a", "c"]
    assert found[0][1] == found[1][1]
    assert index.search("green ocean") == ()
    assert index.search("the of and") == ()


@pytest.mark.parametrize("texts", [[], [""], ["", "the"]])
def test_a_corpus_without_words_finds_nothing(texts: list[str]) -> None:
    assert Bm25.of([str(i) for i in range(len(texts))], texts).search("red") == ()


def test_the_best_are_cut_behind_a_tie_and_never_inside() -> None:
    assert best("abcd", np.array([1.0, 3.0, 2.0, 2.0]), 2) == (("b", 3.0), ("c", 2.0), ("d", 2.0))
    assert best("ab", np.zeros(2), 5) == (("a", 0.0), ("b", 0.0))
    with pytest.raises(ValueError, match="0 documents"):
        best("ab", np.zeros(2), 0)


def test_a_mix_gives_each_side_its_share() -> None:
    found = mixed("red house", {"house": 3.0, "roof": 1.0}, share=0.4)
    assert found == pytest.approx({"red": 0.3, "house": 0.3 + 0.3, "roof": 0.1})
    assert mean_words(["red red", "roof"]) == {"red": 0.5, "roof": 0.5}


def test_feedback_finds_what_shares_words_with_what_was_found() -> None:
    texts = ["car engine repair", "car engine motor", "motor repair shop", "apple tree"]
    index = Bm25.of(list("wxyz"), texts)
    assert [document for document, _ in index.search("car")] == ["w", "x"]
    widened = [document for document, _ in feedback_search("car", index)]
    assert set(widened[:2]) == {"w", "x"}
    assert widened[2:] == ["y"]


def test_a_document_that_fits_better_has_more_say_in_what_is_added() -> None:
    """Both are found by "car"; the shorter one scores higher, so its other word weighs more."""
    index = Bm25.of(list("abcd"), ["car roof", "car wheel road tyre lane", "roof", "wheel"])
    found = dict(feedback_search("car", index))
    (short, high), (long, low) = index.search("car")
    assert (short, long) == ("a", "b")
    share = high / (high + low)
    weights = mixed(
        "car",
        {"car": share / 2 + (1 - share) / 5, "roof": share / 2}
        | dict.fromkeys(("wheel", "road", "tyre", "lane"), (1 - share) / 5),
    )
    assert found == pytest.approx(dict(index.search(weights)))


def test_feedback_on_nothing_finds_nothing() -> None:
    assert feedback_search("ocean", Bm25.of(IDS, TEXTS)) == ()
