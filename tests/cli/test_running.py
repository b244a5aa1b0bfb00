"""The main job, on the real embedded model: a claim from the command line to verdict, report and trace."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from .test_errors import ASSAY, assay

pytestmark = pytest.mark.engine
FIELDS = {
    *("claim", "verdict", "reason", "effect", "interval", "n", "size", "seed", "model", "evidence", "test"),
    *("power", "arms", "cost_ratio", "controls", "driver", "departures", "run", "assay_version", "commit"),
    "created",
}


def test_a_claim_runs_to_its_verdict_and_costs_nothing_the_second_time(home: Path, tmp_path: Path) -> None:
    out, again, html = tmp_path / "out.json", tmp_path / "again.json", tmp_path / "r.html"
    words = ("run", "pal", "--n", "4", "--level", "1", "--controls", "format,arm-swap,aa")
    done = assay(*words, "--json", str(out), "--html", str(html), home=home)
    assert done.returncode == 0, done.stderr
    (verdict,) = json.loads(out.read_text())
    assert set(verdict) >= FIELDS
    assert set(verdict["arms"]["treatment"]) >= {"mean", "n", "endings", "tokens_in", "tokens_out", "calls"}
    assert sum(verdict["arms"]["treatment"]["endings"].values()) == 4
    assert verdict["arms"]["control"]["tokens_out"] > 0
    assert "<script" not in html.read_text()

    start = time.monotonic()
    assert assay(*words, "--json", str(again), home=home).returncode == 0
    assert time.monotonic() - start < 120
    (second,) = json.loads(again.read_text())
    for field in ("run", "created", "command"):
        verdict.pop(field), second.pop(field)
    assert second == verdict

    runs = json.loads(assay("runs", "--json", home=home).stdout)
    assert [run["status"] for run in runs] == ["done", "done"]
    listed = json.loads(assay("trace", runs[0]["run"], "--json", home=home).stdout)
    shown = assay("trace", runs[0]["run"], listed[0]["item"], home=home).stdout
    assert listed[0]["question"].split()[0] in shown
    assert "asked, prefill" in shown

    file = tmp_path / "run.jsonl"
    assert assay("export", runs[0]["run"], str(file), home=home).returncode == 0
    replayed = assay("replay", str(file), "--claim", "pal", "--json", str(again), home=home)
    assert replayed.returncode == 0, replayed.stderr
    assert json.loads(again.read_text())[0]["effect"] == verdict["effect"]


def once_begun(home: Path) -> str:
    """The latest run, as soon as it has kept three samples."""
    deadline = time.monotonic() + 120
    while time.monotonic() < deadline:
        runs = json.loads(assay("runs", "--json", home=home).stdout)
        if runs and runs[0]["samples"] >= 3:
            break
        time.sleep(0.5)
    name: str = runs[0]["run"]
    return name


def test_ctrl_c_loses_nothing(home: Path) -> None:
    env = {**os.environ, "ASSAY_HOME": str(home)}
    words = ["run", "zero-shot-cot", "--n", "40", "--level", "2", "--controls", "none"]
    process = subprocess.Popen([*ASSAY, *words], env=env, stderr=subprocess.PIPE, text=True)
    run = once_begun(home)
    process.send_signal(signal.SIGINT)
    _, said = process.communicate(timeout=30)
    assert process.returncode == 130
    assert f"assay resume {run}" in said
    kept = json.loads(assay("runs", "--json", home=home).stdout)[0]
    assert kept["status"] == "stopped"
    assert kept["samples"] >= 3


def test_a_run_does_not_go_on_over_a_task_file_that_has_changed(home: Path, tmp_path: Path) -> None:
    task, out = tmp_path / "q.jsonl", tmp_path / "run.jsonl"

    def write(more: int) -> None:
        rows = [{"id": f"q{i}", "question": f"What is {i} plus {more}?", "answer": i + more} for i in range(40)]
        task.write_text("".join(json.dumps(row) + "\n" for row in rows))

    write(1)
    env = {**os.environ, "ASSAY_HOME": str(home)}
    words = ["run", "zero-shot-cot", "--task", str(task), "--n", "40", "--rule", "fixed", "--controls", "none"]
    process = subprocess.Popen([*ASSAY, *words, "--quiet"], env=env)
    run = once_begun(home)
    process.kill()
    process.wait()
    whole = json.loads(assay("trace", run, "--json", home=home).stdout)
    assert all("plus 1?" in one["question"] for one in whole)

    write(500)
    refused = assay("resume", run, "--quiet", home=home)
    assert refused.returncode == 2
    assert refused.stderr.startswith(f"assay: The task file has changed since the run {run} began.")
    assert refused.stderr.count("\n") == 1
    # What was asked then is not known any more, and nothing else is shown in its place.
    found = json.loads(assay("trace", run, "--json", home=home).stdout)
    assert {(one["question"], one["target"]) for one in found} == {("", "")}
    assert assay("export", run, str(out), home=home).returncode == 0
    assert "plus 500" not in out.read_text()

    write(1)
    assert json.loads(assay("trace", run, "--json", home=home).stdout) == whole


def test_a_technique_answers_a_question(home: Path) -> None:
    done = assay("ask", "self-consistency", "What is 2 + 2?", "--n", "3", "--set", "max_tokens=24", home=home)
    assert done.returncode == 0, done.stderr
    assert "3" not in done.stderr
    assert "1 call, " in done.stdout
    # The last line says how long it took, and not the sum over replies that were drawn side by side.
    begun = time.monotonic()
    again = assay("ask", "self-consistency", "What is 2 + 2?", "--n", "3", "--set", "max_tokens=24", home=home)
    found = re.search(r"^1 call, .* ([0-9.]+) s$", again.stdout, re.MULTILINE)
    assert found, again.stdout
    # Replies from the cache keep the seconds that they once took.
    assert float(found[1]) <= time.monotonic() - begun


def test_the_users_own_questions_are_a_task(home: Path, tmp_path: Path) -> None:
    task, out = tmp_path / "mine.csv", tmp_path / "o.json"
    task.write_text("question,answer\n" + "".join(f"What is {i} plus one?,{i + 1}\n" for i in range(5)))
    wanted = ["--task", str(task), "--size", "smoke", "--n", "2", "--json", str(out)]
    done = assay("run", "zero-shot-cot", *wanted, home=home)
    assert done.returncode == 0, done.stderr
    assert json.loads(out.read_text())[0]["task"] == "mine"


def test_the_library_answers_as_the_readme_says(home: Path) -> None:
    code = (
        "import assay\nfrom assay.techniques.search import self_consistency\n"
        "answer = assay.run(self_consistency('What is 3 + 4?', n=2, max_tokens=16), assay.model('smollm2-135m'))\n"
        "print(type(answer).__name__)\n"
        "import asyncio\n"
        "model = assay.model()\n"
        "flow = self_consistency('What is 3 + 4?', n=2, max_tokens=16)\n"
        "print(type(asyncio.run(assay.arun(flow, model))).__name__)"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, env={**os.environ, "ASSAY_HOME": str(home)}
    )
    assert done.stdout.split() == ["Answer", "Answer"], done.stderr
