"""Votes with something missing: words, verdicts, another encoding, a number as a name."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from assay.core import BadFile
from assay.tasks.votes import read_votes

VOTE = {"model_a": "x", "model_b": "y", "winner": "model_a"}


def test_an_answer_of_no_words_has_the_length_0(tmp_path: Path) -> None:
    file = tmp_path / "votes.jsonl"
    rows = [VOTE | {"response_a": "three words here", "response_b": ""}]
    file.write_text("".join(json.dumps(row) + "\n" for row in rows))
    (first, second) = read_votes(file, style=["length"]).style["length"]
    assert (first.tolist(), second.tolist()) == ([3.0], [0.0])
    file.write_text(json.dumps(VOTE | {"response_a": "three words here"}))
    with pytest.raises(BadFile, match="cannot be told"):
        read_votes(file, style=["length"])


def test_a_judge_whose_orders_all_disagree_is_told_so(tmp_path: Path) -> None:
    file = tmp_path / "judged.jsonl"
    row = {"model_1": "x", "model_2": "y", "g1_winner": "model_1", "g2_winner": "model_2"}
    file.write_text((json.dumps(row) + "\n") * 3)
    with pytest.raises(BadFile, match="3 rows, none with one verdict in both orders") as caught:
        read_votes(file)
    assert "--unknown tie" in caught.value.hint
    assert read_votes(file, unknown="tie").battles.score.tolist() == [0.5] * 3


def test_a_file_of_two_bytes_a_letter_is_converted_from_what_it_is(tmp_path: Path) -> None:
    file = tmp_path / "votes.csv"
    for encoding in ("utf-16-le", "utf-16-be"):
        file.write_bytes("\ufeffmodel_a,model_b,winner\nx,y,tie\n".encode(encoding))
        with pytest.raises(BadFile, match="not UTF-8") as caught:
            read_votes(file)
        assert "iconv -f UTF-16 -t UTF-8" in caught.value.hint
    file.write_bytes("model_a,model_b,winner\nx,é,tie\n".encode("latin-1"))
    with pytest.raises(BadFile) as caught:
        read_votes(file)
    assert "iconv -f LATIN1" in caught.value.hint


def test_a_number_is_no_name(tmp_path: Path) -> None:
    file = tmp_path / "votes.jsonl"
    file.write_text(json.dumps(VOTE | {"model_a": 1}))
    with pytest.raises(BadFile, match="the name must be a text"):
        read_votes(file)
