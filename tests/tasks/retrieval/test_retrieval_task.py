"""Searching as a task: the default corpus, its levels, and how a ranking is scored."""

from __future__ import annotations

import math
from dataclasses import replace
from pathlib import Path

import pytest

from assay.core import Answer, Ending, Finish, Sample, UnknownName, UserError
from assay.core.answers import ranking_of, ranking_text
from assay.tasks import RetrievalTask, load_retrieval
from assay.tasks.retrieval import docstrings
from assay.tasks.retrieval.docstrings import _docstrings

TASK = RetrievalTask()
SAMPLE = Sample("s", "q", meta={"level": "100", "relevant": {"a": 2.0, "b": 1.0}})


def test_the_summary_asks_and_the_rest_answers_without_the_name() -> None:
    found = {document.id.partition(":")[2]: document.text for document in docstrings().documents}
    asked = {document.partition(":")[2]: query for query in docstrings().queries for document in query.relevant}
    assert asked["contextlib.nullcontext"].text == "Context manager that does no additional processing"
    assert "does no additional processing" not in found["contextlib.nullcontext"]
    for name, text in found.items():
        assert f" {name.rpartition('.')[2].lower()} " not in f" {text.lower()} "
    assert len(found) > 800


def test_a_corpus_without_sources_says_what_to_type(tmp_path: Path) -> None:
    with pytest.raises(UserError, match=r"no sources of its library.*--task FOLDER"):
        _docstrings(str(tmp_path))


def test_a_level_is_part_of_the_next_and_keeps_only_queries_it_can_answer() -> None:
    small, large = TASK.corpus("100"), TASK.corpus("250")
    assert len(small.documents) == 100
    assert set(small.documents) < set(large.documents)
    there = {document.id for document in small.documents}
    assert all(query.relevant.keys() <= there for query in small.queries)
    assert all(len(document.text.split()) <= TASK.longest for document in large.documents)
    with pytest.raises(UnknownName):
        TASK.corpus("7")


def test_samples_know_what_is_relevant_and_in_which_corpus() -> None:
    for sample in TASK.samples(5, 3, "250"):
        assert sample.meta["level"] == "250"
        assert sample.target == ", ".join(sample.meta["relevant"])


def test_a_ranking_is_scored_by_its_grades() -> None:
    ranking = (("x", 9.0), ("b", 8.0), ("a", 7.0))
    outcome = TASK.score(SAMPLE, Answer(value=ranking_text(ranking)))
    ideal = 2 + 1 / math.log2(3)
    assert outcome.score == pytest.approx((1 / math.log2(3) + 2 / 2) / ideal)
    assert outcome.answer == "x"
    assert outcome.detail == "recall@10 1.000, reciprocal rank 0.500"


def test_finding_nothing_scores_0_and_giving_no_ranking_scores_nothing() -> None:
    assert TASK.score(SAMPLE, Answer(value="[]")).score == 0
    assert TASK.score(SAMPLE, Answer("words")).ending is Ending.UNPARSED
    assert TASK.score(SAMPLE, Answer(finish=Finish.REFUSED)).ending is Ending.REFUSED
    assert TASK.score(SAMPLE, Answer(value='[["a", 1.0]]', finish=Finish.REFUSED)).score is None


def test_a_ranking_survives_its_text() -> None:
    ranking = (("ä/1.md:3", 1.5), ("b", -0.25))
    assert ranking_of(ranking_text(ranking)) == ranking
    for text in (None, "", "{", "[[1]]", '[["a", "x"]]', '[["a", NaN]]', "3"):
        assert ranking_of(text) is None
    with pytest.raises(ValueError, match="finite"):
        ranking_text((("a", math.inf),))


def test_a_folder_is_a_task_with_one_level(tmp_path: Path) -> None:
    for name in "abc":
        (tmp_path / f"{name}.md").write_text(f"# About {name}\n\nAll there is to say of {name}.\n")
    task = load_retrieval(tmp_path)
    assert task.levels == ("all",)
    assert {sample.question for sample in task.samples(9, 0)} == {"About a", "About b", "About c"}
    assert replace(task, longest=3).corpus().documents[0].text == "All there is"
