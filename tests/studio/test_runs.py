"""Runs in the studio, in a real browser on the real model: start, watch, reload, stop, kill, go on."""

from __future__ import annotations

import contextlib
import json
import os
import re
import signal
import subprocess
import sys
import time
from typing import Any

import pytest

from assay.lab.lease import holder
from tests.studio.conftest import Studio, Window, opened

pytestmark = pytest.mark.engine


def start(window: Window, claim: str = "pal", *, n: int, seed: int, size: str = "small", level: str = "") -> str:
    """Start a run from the page of its source; returns its id."""
    page = window.open(f"/claims/{claim}")
    form = page.locator(f"article[id='{claim}'] form")
    if not form.is_visible():
        page.locator(f"article[id='{claim}'] details.start summary").click()
    form.locator("[name=size]").select_option(size)
    form.locator("[name=n]").fill(str(n))
    form.locator("[name=seed]").fill(str(seed))
    if level:
        form.locator("[name=level]").select_option(level)
    form.locator("[name=controls]").select_option("none")
    form.locator("button").click()
    page.wait_for_url(re.compile(r"/runs/.+"))
    return str(page.url.rpartition("/")[2])


def pairs_told(window: Window, run: str) -> int:
    """How many events of pairs the server has told of a run."""
    answer = window.page.request.get(f"{window.studio.address}/runs/{run}/samples?most=1000")
    return int(answer.text().count('class="side"'))


def test_a_run_is_started_watched_reloaded_and_comes_to_its_verdict(window: Window) -> None:
    run = start(window, n=10, seed=11, level="1")
    page = window.page
    page.wait_for_selector("#chart canvas")
    page.reload()
    # What was told before the reload is told again: the chart is there at once.
    page.wait_for_selector("#chart canvas, .outcome .word")
    page.locator(".outcome .word").wait_for(timeout=180_000)
    assert page.locator(".outcome .word").inner_text() in ("holds", "fails", "undecided")
    page.locator("details.group summary").first.wait_for()
    trace = page.locator("details.trace").first
    if not trace.is_visible():
        page.locator("details.group > summary").first.click()
    trace.locator("summary").click()
    page.locator("details.trace .exchange .block.got").first.wait_for()
    verdict = page.request.get(f"{window.studio.address}/runs/{run}/verdict.json").json()
    assert verdict["arms"]["treatment"]["n"] == 10
    # The same command asks for the same elsewhere.
    assert verdict["command"] == "assay run pal --size small --seed 11 --n 10 --level 1 --controls none"


def test_a_run_is_stopped_and_goes_on_without_losing_a_sample(window: Window) -> None:
    run = start(window, n=40, seed=12, level="2")
    page = window.page
    page.locator("#arms tbody tr").first.wait_for()
    page.locator("#stop button").click()
    page.locator("#state", has_text="stopped").wait_for()
    before = recorded(window.studio, run)
    assert before
    page.locator("#resume button").click()
    page.locator("#state", has_text="running").wait_for()
    page.locator("#phase", has_text="of at most").wait_for()
    page.locator("#stop button").click()
    page.locator("#state", has_text="stopped").wait_for()
    after = recorded(window.studio, run)
    assert before.items() <= after.items()


def recorded(studio: Studio, run: str) -> dict[Any, Any]:
    """Samples of a run in the database."""
    from assay.lab.store import Store

    with contextlib.closing(Store(studio.home / "assay.sqlite")) as store:
        return {key: (found.outcome, found.trace) for key, found in store.recorded(run).items()}


def test_a_killed_studio_stops_no_run_and_a_killed_run_goes_on(browser: Any, studio: Studio) -> None:
    window = opened(browser, studio)
    run = start(window, n=40, seed=13, level="2")
    page = window.page
    page.locator("#arms tbody tr").first.wait_for()
    pid = holder(studio.home / "running", run)
    assert pid is not None
    port = studio.port
    studio.kill()
    os.kill(pid, 0)
    os.kill(pid, signal.SIGKILL)
    before = recorded(studio, run)
    assert before
    studio.start(port)
    # The key is kept, so the window is let in as before.
    window.open(f"/runs/{run}")
    page.locator("#state", has_text="stopped").wait_for()
    page.locator("#resume button").click()
    page.locator("#state", has_text="running").wait_for()
    page.locator("#phase", has_text="of at most").wait_for()
    assert holder(studio.home / "running", run) not in (None, pid)
    page.locator("#stop button").click()
    page.locator("#state", has_text="stopped").wait_for()
    assert before.items() <= recorded(studio, run).items()
    page.context.close()


def test_two_tabs_see_the_same_run(browser: Any, studio: Studio, window: Window) -> None:
    run = start(window, "tictactoe", n=30, seed=14)
    second = opened(browser, studio)
    second.open(f"/runs/{run}")
    for page in (window.page, second.page):
        page.wait_for_selector(".outcome .word")
    texts = {page.locator(".outcome").inner_text() for page in (window.page, second.page)}
    assert len(texts) == 1
    assert second.wrong == []
    second.page.context.close()


def test_a_run_of_the_terminal_is_watched_too(window: Window) -> None:
    environment = {**os.environ, "ASSAY_HOME": str(window.studio.home), "ASSAY_THREADS": "1"}
    command = ["run", "tictactoe", "--size", "small", "--n", "30", "--seed", "15", "--controls", "none", "--quiet"]
    process = subprocess.Popen(
        [sys.executable, "-m", "assay", *command], env=environment, stdout=subprocess.DEVNULL
    )
    try:
        end = time.monotonic() + 180
        while time.monotonic() < end:
            rows = window.page.request.get(f"{window.studio.address}/").text()
            found = re.search(r'Going on now.*?/runs/(tictactoe-\w+)"', rows, re.DOTALL)
            if found:
                break
            time.sleep(0.2)
        assert found
        window.open(f"/runs/{found[1]}")
        window.page.wait_for_selector("#chart canvas, .outcome .word")
        window.page.wait_for_selector(".outcome .word")
    finally:
        process.terminate()
        process.wait()


def test_events_go_on_after_the_number_a_browser_brings(window: Window) -> None:
    run = start(window, "tictactoe", n=10, seed=16)
    window.page.wait_for_selector(".outcome .word")
    headers = {"authorization": f"Bearer {window.studio.key}"}
    request = window.page.request
    whole = request.get(f"{window.studio.address}/runs/{run}/events", headers=headers).text()
    numbers = [int(number) for number in re.findall(r"^id: (\d+)$", whole, re.MULTILINE)]
    assert numbers == sorted(set(numbers))
    middle = numbers[len(numbers) // 2]
    rest = request.get(
        f"{window.studio.address}/runs/{run}/events", headers={**headers, "last-event-id": str(middle)}
    ).text()
    assert [int(n) for n in re.findall(r"^id: (\d+)$", rest, re.MULTILINE)] == [n for n in numbers if n > middle]
    told = [json.loads(line) for line in re.findall(r"^data: (.*)$", whole, re.MULTILINE)]
    assert {"kind": "end", "text": "done"}.items() <= told[len(numbers) - 1].items()


@pytest.mark.parametrize(
    ("fields", "says"),
    [
        ({"claim": "pall"}, "Did you mean pal"),
        ({"claim": "pal", "size": "huge"}, "no size named"),
        ({"claim": "pal", "n": "0"}, "0 samples show nothing"),
        ({"claim": "pal", "n": "many"}, "no number of samples"),
        ({"claim": "pal", "model": "gpt-17"}, "gpt-17"),
        ({"claim": "pal", "controls": "magic"}, "no control named"),
    ],
)
def test_what_cannot_be_run_is_said_in_a_sentence(window: Window, fields: dict[str, str], says: str) -> None:
    headers = {"authorization": f"Bearer {window.studio.key}", "accept": "text/html"}
    answer = window.page.request.post(
        f"{window.studio.address}/runs", form=fields, headers=headers, max_redirects=0
    )
    assert answer.status in (400, 404), answer.status
    assert says in re.sub(r"&#39;", "'", answer.text())
