"""Tables of votes in every form they are published in, and what is said of a row that is no vote."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from pyarrow import parquet

from assay.core import BadFile, CannotRun, UnknownName
from assay.tasks.votes import OUTCOMES, Votes, count_style, read_votes
from assay.tasks.votes.outcomes import NoVote, vote_of

ARENA = [
    {"question_id": "q1", "model_a": "x", "model_b": "y", "winner": "model_a", "judge": "u1"},
    {"question_id": "q2", "model_a": "y", "model_b": "x", "winner": "model_b", "judge": "u2"},
    {"question_id": "q3", "model_a": "x", "model_b": "z", "winner": "tie (bothbad)", "judge": "u1"},
]


def jsonl(folder: Path, rows: list[dict[str, Any]]) -> Path:
    file = folder / "votes.jsonl"
    file.write_text("".join(json.dumps(row) + "\n" for row in rows))
    return file


def seen(votes: Votes) -> list[tuple[str, str, float]]:
    battles = votes.battles
    return [
        (battles.models[a], battles.models[b], score)
        for a, b, score in zip(battles.a, battles.b, battles.score.tolist(), strict=True)
    ]


def test_the_arenas_columns(tmp_path: Path) -> None:
    votes = read_votes(jsonl(tmp_path, ARENA))
    assert seen(votes) == [("x", "y", 1.0), ("y", "x", 0.0), ("x", "z", 0.5)]
    assert votes.shown == (1, 1)
    assert votes.duplicates == 0


def test_csv_jsonl_and_parquet_say_the_same(tmp_path: Path) -> None:
    file = tmp_path / "votes.csv"
    names = list(ARENA[0])
    file.write_text("\n".join([",".join(names), *(",".join(row[name] for name in names) for row in ARENA)]))
    quick = tmp_path / "votes.parquet"
    parquet.write_table(pyarrow.Table.from_pylist([*ARENA, ARENA[0]]), quick)
    expected = seen(read_votes(jsonl(tmp_path, ARENA)))
    assert seen(read_votes(file)) == seen(read_votes(file, unknown="tie")) == expected
    assert seen(read_votes(quick)) == [*expected, expected[0]]
    assert read_votes(quick).duplicates == 1
    assert read_votes(quick).shown == (2, 1)
    # By rows and not by columns, as where style is wanted.
    assert seen(read_votes(quick, unknown="tie")) == seen(read_votes(quick))
    assert read_votes(quick, unknown="tie").duplicates == 1


def test_kaggles_three_columns() -> None:
    row = {"model_a": "x", "model_b": "y", "winner_model_a": "0", "winner_model_b": 1, "winner_tie": 0}
    vote = vote_of(row)
    assert vote is not None
    assert (vote.a, vote.b, vote.score) == ("x", "y", 0.0)
    twice = vote_of({**row, "winner_tie": 1})
    assert twice is not None
    assert twice.score is None


def test_fastchats_judge_counts_where_both_orders_agree(tmp_path: Path) -> None:
    pair = {"question_id": 81, "model_1": "x", "model_2": "y", "judge": "gpt-4", "turn": 1}
    rows = [
        {**pair, "g1_winner": "model_1", "g2_winner": "model_1"},
        {**pair, "turn": 2, "g1_winner": "tie", "g2_winner": "tie"},
        {**pair, "question_id": 82, "g1_winner": "model_1", "g2_winner": "model_2"},
        {**pair, "question_id": 83, "g1_winner": "error", "g2_winner": "model_2"},
    ]
    votes = read_votes(jsonl(tmp_path, rows))
    assert seen(votes) == [("x", "y", 1.0), ("x", "y", 0.5)]
    assert (votes.no_verdict, votes.duplicates) == (2, 0)
    # First was chosen: x of q81, both of q82, y of q83 in the second order; second: x of q81 in the second order.
    assert votes.shown == (4, 1)
    assert len(read_votes(jsonl(tmp_path, rows), unknown="tie").battles) == 4


def test_fastchats_log_has_votes_among_other_rows(tmp_path: Path) -> None:
    rows = [
        {"type": "chat", "model": "x"},
        {"type": "leftvote", "models": ["x", "y"], "states": [{}, {}]},
        {"type": "bothbad_vote", "models": ["", ""], "states": [{"model_name": "y"}, {"model_name": "x"}]},
        {"type": "upvote", "models": ["x", "y"]},
    ]
    assert seen(read_votes(jsonl(tmp_path, rows[1:]))) == [("x", "y", 1.0), ("y", "x", 0.5)]


def test_an_unknown_outcome_is_an_error_with_its_line_and_no_silent_tie(tmp_path: Path) -> None:
    file = jsonl(tmp_path, [ARENA[0], {**ARENA[1], "winner": "model_c"}, ARENA[2]])
    with pytest.raises(BadFile) as caught:
        read_votes(file)
    assert caught.value.line == 2
    assert "'model_c'" in caught.value.message
    assert "--unknown" in caught.value.hint
    assert read_votes(file, unknown="tie").made_ties == 1
    dropped = read_votes(file, unknown="drop")
    assert (len(dropped.battles), dropped.dropped) == (2, 1)


@pytest.mark.parametrize(
    ("row", "said"),
    [
        ({"model_b": "y", "winner": "tie"}, "'model_a': it is missing"),
        ({"model_a": float("nan"), "model_b": "y", "winner": "tie"}, "'model_a': it is missing"),
        ({"model_a": "x", "model_b": "y"}, "'winner': it is missing"),
        ({"model_a": "x", "model_b": " x ", "winner": "tie"}, "x meets itself"),
        ({"model_a": "x", "model_b": "y", "winner": None}, "'' is no outcome"),
    ],
)
def test_what_is_no_vote_is_said_with_its_line(tmp_path: Path, row: dict[str, Any], said: str) -> None:
    with pytest.raises(BadFile, match="line 2") as caught:
        read_votes(jsonl(tmp_path, [ARENA[0], row]))
    assert said in str(caught.value)


@pytest.mark.parametrize(
    ("name", "text", "said"),
    [
        ("v.csv", "model_a,model_b,winner\nx,y\n", "2 columns"),
        ("v.csv", "", "no vote"),
        ("v.csv", "model_a,model_b,winner,model_a\nx,y,tie,z\n", "line 1, field 'model_a': two columns"),
        ("v.csv", 'model_a,model_b,winner\nx,"y" z,tie\n', "line 2: this is not CSV"),
        ("v.csv", 'model_a,model_b,winner\nx,y,"tie\n', "line 2: this is not CSV"),
        ("v.csv", "model_a,model_b,winner\nx\x00,y,tie\n", "line 2, field 'model_a': the name holds a NUL"),
        ("v.jsonl", '{"model_a": "\\ud800", "model_b": "y", "winner": "tie"}\n', "'model_a': the name holds"),
        (
            "v.jsonl",
            '{"model_a": "x", "model_b": "y", "winner": "\\ud800"}\n',
            "line 1, field 'winner': '?' is no",
        ),
        ("v.jsonl", '{"\\ud800": 1}\n', "this one has ?"),
        ("v.jsonl", '{"type": "leftvote", "models": 3}\n', "line 1, field 'models': it must be a list of two"),
        ("v.jsonl", '{"type": "leftvote", "models": [1, 2]}\n', "line 1, field 'models': the name must be a text"),
        ("v.jsonl", '{"type": "leftvote", "models": ["x", "y"], "states": 1}\n', "field 'states': it must be"),
        ("v.jsonl", '{"type": "leftvote", "models": ["x", ""], "states": [1, 2]}\n', "field 'models': it is miss"),
        ("v.jsonl", '{"type": ["leftvote"]}\n', "no vote in it"),
        ("v.jsonl", "[1]\n", "an object"),
        ("v.jsonl", "{\n", "not JSON"),
        ("v.txt", "x", ".parquet"),
        ("v.parquet", "no parquet", "not Parquet"),
    ],
)
def test_what_is_no_table_is_said_in_a_sentence(tmp_path: Path, name: str, text: str, said: str) -> None:
    file = tmp_path / name
    file.write_text(text)
    with pytest.raises(BadFile) as caught:
        read_votes(file)
    assert said in str(caught.value)


def test_a_parquet_file_with_a_bad_row_names_the_row(tmp_path: Path) -> None:
    file = tmp_path / "v.parquet"
    parquet.write_table(pyarrow.Table.from_pylist([ARENA[0], {**ARENA[1], "winner": "left"}]), file)
    with pytest.raises(BadFile, match="line 2"):
        read_votes(file)


def test_without_pyarrow_the_command_to_type_is_said(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "pyarrow.parquet", None)
    with pytest.raises(CannotRun, match=r"assay\[parquet\]"):
        read_votes(tmp_path / "v.parquet")


def test_a_parquet_file_with_a_column_twice_or_names_that_are_no_texts(tmp_path: Path) -> None:
    file = tmp_path / "v.parquet"
    columns = [pyarrow.array(["x"]), pyarrow.array(["y"]), pyarrow.array(["tie"]), pyarrow.array(["z"])]
    names = ["model_a", "model_b", "winner", "model_a"]
    parquet.write_table(pyarrow.Table.from_arrays(columns, names), file)
    with pytest.raises(BadFile, match="two columns"):
        read_votes(file)
    columns[0] = pyarrow.array([b"x"])
    parquet.write_table(pyarrow.Table.from_arrays(columns[:3], names[:3]), file)
    with pytest.raises(BadFile, match="line 1, field 'model_a'"):
        read_votes(file)


CELLS = st.text(st.sampled_from("ab,\"'\n\r \ufeff=;é"), max_size=5)
VOTE = st.tuples(CELLS, CELLS, st.sampled_from([*OUTCOMES, " Tie ", "perhaps"]), CELLS)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(
    rows=st.lists(VOTE, min_size=1, max_size=6),
    mark=st.sampled_from(["", "\ufeff"]),
    end=st.sampled_from(["\n", "\r\n"]),
    always=st.booleans(),
)
def test_a_table_says_the_same_in_every_form_and_by_every_way(
    tmp_path: Path, rows: list[tuple[str, ...]], mark: str, end: str, always: bool
) -> None:
    header = ("model_a", "model_b", "winner", "question_id")
    text = "".join(",".join(quoted(cell, always) for cell in row) + end for row in (header, *rows))
    table, lines, columns = (tmp_path / f"votes{suffix}" for suffix in (".csv", ".jsonl", ".parquet"))
    table.write_bytes((mark + text).encode())
    records = [dict(zip(header, row, strict=True)) for row in rows]
    lines.write_text("".join(json.dumps(record) + "\n" for record in records))
    parquet.write_table(pyarrow.Table.from_pylist(records), columns)
    # `drop` looks at every row; where nothing is unknown it says what the quick way says.
    told = {
        outcome(file, unknown)
        for file in (table, lines, columns)
        for unknown in ("error", "drop")[: 1 + whole(rows)]
    }
    assert len(told) == 1


def quoted(cell: str, always: bool) -> str:
    return f'"{cell.replace(chr(34), 2 * chr(34))}"' if always or set(cell) & set(',"\r\n') else cell


def whole(rows: list[tuple[str, ...]]) -> bool:
    return all(row[2] != "perhaps" for row in rows)


def outcome(file: Path, unknown: Any) -> str:
    """What a file says, or what is wrong with it; without its name and its line."""
    try:
        votes = read_votes(file, unknown=unknown)
    except BadFile as error:
        return error.message.rpartition("field '")[2].rpartition(": ")[2]
    return repr((seen(votes), votes.duplicates, votes.shown))


PIECES = st.sampled_from(
    ["x", "tie", ",", '"', "\n", "\r", "\ufeff", '"x"z,y,tie\n', 'x"z,y,tie\n', ' "x",y,tie\n']
)
ROWS = st.lists(
    st.sampled_from(["x,y,tie{}\n", "y,z,model_a{}\r\n", '"x\n",y,tie{}\n', '"x""z",y,tie{}\n']),
    min_size=1,
    max_size=3,
)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(rows=ROWS, pieces=st.lists(PIECES, max_size=3), more=st.sampled_from(["", ",judge", ",winner", ',"']))
def test_any_text_is_one_table_or_one_sentence_by_every_way(
    tmp_path: Path, rows: list[str], pieces: list[str], more: str
) -> None:
    file = tmp_path / "v.csv"
    told = "".join(rows).format(*[",u" if more else ""] * len(rows))
    file.write_text("model_a,model_b,winner" + more + "\n" + told + "".join(pieces), newline="")
    quick, by_rows = outcome(file, "error"), outcome(file, "tie")
    assert quick == by_rows or "is no outcome" in quick


JUNK = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats()
    | st.text(max_size=3)
    | st.just("leftvote")
    | st.just("x"),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(st.sampled_from(["model_name", "a", "role", "content", "text"]), inner, max_size=2)
    ),
    max_leaves=6,
)
FIELDS = (
    "model_a",
    "model_b",
    "winner",
    "model_1",
    "model_2",
    "g1_winner",
    "g2_winner",
    "type",
    "models",
    "states",
    "conv_metadata",
    "conversation_a",
    "response_b",
    "sum_assistant_a_tokens",
    "sum_assistant_b_tokens",
    "id",
)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None, max_examples=300)
@given(row=st.dictionaries(st.sampled_from(FIELDS), JUNK), good=st.booleans())
def test_whatever_stands_in_a_row_it_is_votes_or_one_sentence(
    tmp_path: Path, row: dict[str, Any], good: bool
) -> None:
    file = jsonl(tmp_path, [{**row, **(ARENA[0] if good else {})}])
    for style in ([], ["length", "lists"]):
        try:
            read_votes(file, unknown="tie", style=style)
        except BadFile as error:
            str(error).encode()  # a terminal can show it


def test_style_comes_from_the_tables_counts_or_from_the_texts(tmp_path: Path) -> None:
    counts = {
        "sum_assistant_a_tokens": 12,
        "sum_assistant_b_tokens": 30,
        "list_count_a": {"ordered": 1, "unordered": 2},
        "list_count_b": 0,
    }
    turns = [{"role": "user", "content": "a b c d"}, {"role": "assistant", "content": "- one\n- two"}]
    rows = [
        {**ARENA[0], "conv_metadata": counts},
        {**ARENA[1], "conv_metadata": json.dumps(counts)},
        {**ARENA[2], "conversation_a": turns, "conversation_b": [{"role": "assistant", "content": "no"}]},
    ]
    votes = read_votes(jsonl(tmp_path, rows), style=["length", "lists"])
    assert votes.style["lists"][0].tolist() == [3, 3, 2]
    assert votes.style["lists"][1].tolist() == [0, 0, 0]
    assert votes.style["length"][0].tolist() == [12, 12, 4]
    with pytest.raises(BadFile, match="headers cannot be told"):
        read_votes(jsonl(tmp_path, rows), style=["headers"])
    with pytest.raises(UnknownName, match="lenght"):
        read_votes(jsonl(tmp_path, rows), style=["lenght"])


def test_markdown_is_counted_outside_of_code() -> None:
    text = "# Head\n\n1. one\n2. two\n* three\n\n**bold** and __bold__\n\n```\n# no head\n- no list\n```\n#no head"
    found = {name: count_style(text, name) for name in ("headers", "lists", "bold")}
    assert found == {"headers": 1, "lists": 3, "bold": 2}
    assert count_style("Two words.", "length") == 3


@given(
    st.dictionaries(st.sampled_from(["model_a", "model_b", "winner", "g1_winner", "type", "models"]), st.text())
)
def test_any_row_is_a_vote_with_a_known_score_or_names_what_it_lacks(row: dict[str, Any]) -> None:
    try:
        vote = vote_of(row)
    except NoVote:
        return
    assert vote is None or vote.score in (None, 0.0, 0.5, 1.0)
    if vote is not None and vote.score is not None and "winner" in row and "g1_winner" not in row:
        assert np.isclose(OUTCOMES[row["winner"].strip().casefold()], vote.score)
