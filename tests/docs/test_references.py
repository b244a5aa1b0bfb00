"""What the documentation names is there: fields, files, commands, options, variables, links."""

from __future__ import annotations

import dataclasses
import json
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from assay.core import Outcome, Sample, Usage
from assay.core.errors import AssayError
from assay.core.verdict import ArmResult, ControlResult, Verdict
from assay.lab.compare import compare
from assay.lab.replaying.recorded import read_result_file
from assay.lab.store import Recorded, RunRow, Store, trace_hash
from assay.lab.transfer import export_run
from assay.tasks.rows import ALIASES
from tests.architecture.test_imports import MAY_IMPORT, THIRD_PARTY

from .pages import PAGES, ROOT, blocks, page_name

FORMS = (ROOT / "docs" / "forms.md").read_text("utf-8")
SOURCE = ROOT / "src" / "assay"
IN_CODE = re.compile(r"`([^`\n]+)`")


def table(text: str, heading: str) -> list[list[str]]:
    """The cells of the first table behind a heading."""
    behind = text.split(f" {heading}\n", 1)[1]
    rows = [line for line in behind.split("\n#", 1)[0].splitlines() if line.startswith("|")]
    return [[cell.strip() for cell in re.split(r"(?<!\\)\|", row)[1:-1]] for row in rows[2:]]


def first_column(heading: str) -> list[str]:
    return [row[0].strip("`") for row in table(FORMS, heading)]


@pytest.mark.parametrize(
    ("heading", "form"), [("Verdict", Verdict), ("Arm", ArmResult), ("Control", ControlResult)]
)
def test_the_fields_of_a_verdict_are_those_of_the_code(heading: str, form: type) -> None:
    assert first_column(heading) == [field.name for field in dataclasses.fields(form)]


def test_the_fields_of_task_files(tmp_path: Path) -> None:
    named = {row[0].strip("`"): tuple(IN_CODE.findall(" ".join(row[:2]))) for row in table(FORMS, "Task files")}
    assert named == dict(ALIASES)


def test_the_fields_of_a_comparison(tmp_path: Path) -> None:
    for name, scores in (("a", [0, 1, 1]), ("b", [1, 1, 0])):
        lines = [json.dumps({"id": f"q{i}", "score": score}) for i, score in enumerate(scores)]
        (tmp_path / f"{name}.jsonl").write_text("\n".join(lines))
    control, treatment = (read_result_file(tmp_path / f"{name}.jsonl") for name in "ab")
    assert first_column("Result files") == list(compare(control, treatment).to_json())


def test_the_fields_of_an_exported_run(tmp_path: Path) -> None:
    class OneSample(Store):
        def recorded(self, run: str) -> dict[tuple[str, str, int], Recorded]:
            one = Recorded("direct", "q1", 0, Outcome.scored(1.0, "5"), Usage(), trace_hash([]))
            return {("direct", "q1", 0): one}

    store, file = OneSample(tmp_path / "s.sqlite"), tmp_path / "run.jsonl"
    export_run(RunRow("r", "now", "done", "c", {}, 1, None), store, [Sample("q1", "?")], file)
    store.close()
    head, sample = map(json.loads, file.read_text().splitlines())
    assert first_column("Exported runs") == list(sample)
    assert all(f"`{name}`" in FORMS for name in [*head, *sample["usage"]])


def test_the_exit_codes() -> None:
    def below(error: type[AssayError]) -> Iterator[int]:
        yield error.exit_code
        for child in error.__subclasses__():
            yield from below(child)

    assert {int(code) for code in first_column("Exit codes")} == {*below(AssayError), 130}


def test_the_environment_variables() -> None:
    read = re.compile(r'environ(?:\.get)?[\[(]"((?:ASSAY|OPENAI)_[A-Z_]+)"')
    used = {name for path in SOURCE.rglob("*.py") for name in read.findall(path.read_text("utf-8"))}
    assert set(first_column("Environment")) == used


def test_the_import_table() -> None:
    rows = table((ROOT / "CONTRIBUTING.md").read_text("utf-8"), "Who may import whom")
    assert [row[0].strip("`") for row in rows] == list(MAY_IMPORT)
    for package, inside, outside in rows:
        name = package.strip("`")
        above = set(list(MAY_IMPORT)[: list(MAY_IMPORT).index(name)])
        others = {*(above if inside == "everything above" else IN_CODE.findall(inside)), name}
        assert others == MAY_IMPORT[name], name
        assert set(IN_CODE.findall(outside)) == THIRD_PARTY[name], name


@pytest.mark.parametrize("page", PAGES, ids=page_name)
def test_files_and_links_are_there(page: Path) -> None:
    text = page.read_text("utf-8")
    prose = re.sub(r"^```.*?^```$", "", text, flags=re.M | re.S)
    example = {Path(block.file).name for block in blocks(page, "python") if block.file}
    for name in IN_CODE.findall(prose):
        if re.fullmatch(r"[\w./-]+\.py", name) and Path(name).name not in example:
            places = [ROOT / name, SOURCE / name, *SOURCE.rglob(name)]
            assert any(place.exists() for place in places), f"{page_name(page)}: there is no {name}"
    for target in re.findall(r"\]\((?!https?:|#)([^)#\s]+)", prose):
        assert (page.parent / target).exists(), f"{page_name(page)}: the link to {target} leads nowhere"


@pytest.mark.parametrize("page", PAGES, ids=page_name)
def test_commands_are_there_with_their_options(page: Path) -> None:
    """Every `assay ...` in console blocks, indented lines and code words, against the generated help pages."""
    pages = (ROOT / "docs" / "commands.md").read_text("utf-8").split("\n## assay")[1:]
    help_of = dict(one.split("\n", 1) for one in pages)
    text = page.read_text("utf-8")
    lines = [line for block in blocks(page, "console", "bash", "sh") for line in block.code.splitlines()]
    prose = re.sub(r"^```.*?^```$", "", text, flags=re.M | re.S)
    lines += IN_CODE.findall(prose)
    lines += [part for line in re.findall(r"^ {4}(.*)$", prose, re.M) for part in re.split(r"\s{2,}", line)]
    for line in lines:
        words = re.split(r"\s+#|\s[|>&]", line.removeprefix("$ "))[0].split()
        if words[:1] != ["assay"] or len(words) == 1 or words[1][0] in "-.":
            continue
        name = " " + words[1]
        if f"{name} {' '.join(words[2:3])}" in help_of:
            name += " " + words[2]
        assert name in help_of, f"{page_name(page)}: there is no command: {line}"
        for option in re.findall(r"(?<=\s)--?[a-z][a-z-]*", line):
            known = re.search(rf"(?<![\w-]){option}(?![\w-])", help_of[name])
            assert known, f"{page_name(page)}: {name.strip()} has no {option}: {line}"
