"""Verdicts in a folder, whoever wrote them: read as they are, or refused in one sentence; never half of one."""

from __future__ import annotations

import copy
import json
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from assay.core import BadFile, UserError
from assay.core.verdict import Verdict
from assay.report.drawings.strip import strip
from assay.report.html import figures, section
from assay.report.markdown import notebook
from assay.report.pairs import Room, is_ranked
from assay.workbench.records import read_results

KEPT = Path(__file__).parents[2] / "results"


def kinds() -> dict[str, dict[str, Any]]:
    """A verdict of each kind of evidence and measure."""
    found = {}
    for file in sorted(KEPT.glob("*.json")):
        fields = json.loads(file.read_text())
        found.setdefault(f"{fields['evidence']}-{fields['measure']}", fields)
    return found


GOOD = kinds()
WRONG: list[Any] = [None, True, -1, 0, 1.5, float("nan"), float("inf"), 10**400, "x", "\ud800", [], [1], ["a", {}]]
WRONG += [
    {},
    {"a": 1},
    {"a": {"b": [1, "x"]}},
    {"\ud800": 1},
    [[1, 2], [3]],
    [None, None],
    [0.9, 0.1],
    [0.1, 0.2, 3],
]


def paths(value: Any, here: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    if here:
        yield here
    inside = value.items() if isinstance(value, dict) else enumerate(value[:2]) if isinstance(value, list) else ()
    for name, part in inside:
        yield from paths(part, (*here, name))


PLACES = [(kind, place) for kind, fields in GOOD.items() for place in paths(fields)]


def changed(fields: dict[str, Any], place: tuple[Any, ...], value: Any) -> dict[str, Any]:
    found = copy.deepcopy(fields)
    at: Any = found
    for name in place[:-1]:
        at = at[name]
    at[place[-1]] = value
    return found


def test_every_verdict_that_is_kept_is_read_as_it_was_written() -> None:
    read = read_results(KEPT)
    assert len(read) > 100
    for verdict in read:
        assert Verdict.from_json(json.loads(json.dumps(verdict.to_json()))) == verdict


@settings(deadline=None, max_examples=250)
@given(where=st.sampled_from(PLACES), value=st.sampled_from(WRONG))
def test_what_is_wrong_anywhere_is_one_sentence_or_can_be_shown(where: tuple[str, Any], value: Any) -> None:
    kind, place = where
    try:
        verdict = Verdict.from_json(changed(GOOD[kind], place, value))
    except UserError as error:
        said = error.message
    else:
        page = repr(replace(section(1, verdict, (), Room(0)), figures=figures(verdict, ())))
        said = page + strip(verdict) + notebook([verdict]) + str(is_ranked(verdict))
    said.encode()


@pytest.mark.parametrize("kind", GOOD)
def test_every_field_of_every_part_has_its_type(kind: str) -> None:
    fields = GOOD[kind]
    for place in [(name,) for name in fields] + [("arms", "control", name) for name in fields["arms"]["control"]]:
        with pytest.raises(UserError, match="This is no verdict"):
            Verdict.from_json(changed(fields, place, object()))


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "this is not JSON"),
        ("[" * 100_000, "this JSON is nested too deep"),
        ("\udcff", "this is not JSON"),
        ("[]", "this is no verdict: it must be an object."),
        ('{"claim": "pal"}', "this is no verdict: the field 'sentence' is missing."),
        ("null", "this is no verdict: it must be an object."),
    ],
)
def test_a_file_that_is_no_verdict_is_named_with_the_reason(tmp_path: Path, text: str, said: str) -> None:
    (tmp_path / "bad.json").write_bytes(text.encode("utf-8", "surrogateescape"))
    with pytest.raises(BadFile) as caught:
        read_results(tmp_path)
    assert str(caught.value).startswith(f"{tmp_path / 'bad.json'}: {said}")


def test_a_field_of_another_version_is_said_by_name(tmp_path: Path) -> None:
    with pytest.raises(UserError, match=r"the field 'arms\.control\.mood' is none that is known"):
        Verdict.from_json(changed(GOOD["paired-binary"], ("arms", "control", "mood"), "good"))


def test_a_folder_called_json_is_said(tmp_path: Path) -> None:
    (tmp_path / "a.json").mkdir()
    with pytest.raises(BadFile, match="Is a directory"):
        read_results(tmp_path)
