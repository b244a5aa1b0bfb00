"""A home with many runs, and records that somebody broke: every page is there, and says what it leaves out."""

from __future__ import annotations

import asyncio
import contextlib
import json
import re
import urllib.error
import urllib.parse
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import pytest

from assay.core import Outcome, Usage
from assay.lab.store import Recorded, Store, trace_hash
from tests.studio.conftest import ROOT, Studio

pytestmark = pytest.mark.engine
RUNS = 230
STEPS = [[{"request": {"kind": "ask", "prompt": "hi"}, "reply": [{"text": "yes", "finish": "stop"}]}]]


async def plant(file: Path) -> None:
    """Runs of `pal`: the even ones have a verdict that holds; every fourth of the others is noted as running."""
    good = json.loads(next((ROOT / "results").glob("pal--*.json")).read_text())
    with contextlib.closing(Store(file)) as store:
        for at in range(RUNS):
            run, created = f"pal-{at:05d}", f"2026-01-01T00:{at // 60:02d}:{at % 60:02d}+00:00"
            config = {"model": {"name": "m", "base_urls": []}, "size": "small", "seed": 0}
            await store.begin(run, created, "pal", config)
            recorded = Recorded("program", "a", 0, Outcome.scored(1.0), Usage(), trace_hash(STEPS))
            await store.record(run, recorded, STEPS)
            if at % 2 == 0:
                await store.finish(run, "done", {**good, "verdict": "holds", "run": run, "created": created})
            elif at % 8 != 1:
                await store.finish(run, "stopped", None)
        # The newest of the largest size is the one that stands for its claim, and nobody can read it.
        await store.begin("pal-broken", "2026-02-01T00:00:00+00:00", "pal", {"model": {"name": "m"}})
        await store.finish("pal-broken", "done", {"verdict": "holds", "size": "full", "created": "2026-02-01"})


@pytest.fixture(scope="module")
def crowded(tmp_path_factory: pytest.TempPathFactory, model_cache: Path) -> Iterator[Studio]:
    home, results = tmp_path_factory.mktemp("crowded"), tmp_path_factory.mktemp("results")
    (home / "cache").symlink_to(model_cache, target_is_directory=True)
    asyncio.run(plant(home / "assay.sqlite"))
    kept = sorted((ROOT / "results").glob("zero-shot-cot--*.json"))[0]
    (results / "good.json").write_text(kept.read_text())
    (results / "deep.json").write_text("[" * 100_000)
    (results / "typed.json").write_text(json.dumps({**json.loads(kept.read_text()), "n": "many <b>"}))
    found = Studio(home, results)
    found.start()
    yield found
    found.kill()


def look(studio: Studio, path: str, **fields: str) -> str:
    """A page as a browser would get it."""
    body = urllib.parse.urlencode(fields).encode() if fields else None
    headers = {"authorization": f"Bearer {studio.key}", "accept": "text/html", "origin": studio.address}
    request = urllib.request.Request(studio.address + path, body, headers, method="POST" if fields else "GET")
    try:
        with urllib.request.urlopen(request) as answer:
            return str(answer.read().decode())
    except urllib.error.HTTPError as error:
        return f"{error.code} {error.read().decode()}"


def rows(page: str) -> list[str]:
    return re.findall(r'<th scope="row"><a href="/runs/([^"]+)"', page)


def test_every_run_is_found_by_paging_and_none_twice(crowded: Studio) -> None:
    seen, path, pages = [], "/runs", 0
    while path:
        page = look(crowded, path)
        seen += rows(page)
        older = re.search(r'<a href="([^"]+)" rel="next">', page)
        path, pages = (older[1].replace("&amp;", "&") if older else ""), pages + 1
    assert pages == 3
    assert seen == ["pal-broken", *(f"pal-{at:05d}" for at in reversed(range(RUNS)))]


def test_runs_are_chosen_by_claim_and_ending_on_every_page(crowded: Studio) -> None:
    page = look(crowded, "/runs?claim=pal&ended=holds")
    assert rows(page)[:2] == ["pal-broken", "pal-00228"]
    older = re.search(r'<a href="([^"]+)" rel="next">', page)
    assert older
    assert "ended=holds" in older[1]
    assert len(rows(look(crowded, older[1].replace("&amp;", "&")))) == 16
    # Nobody is at those that are noted as running.
    stopped = look(crowded, "/runs?ended=stopped&page=2")
    assert len(rows(stopped)) == 15
    assert "running</span>" not in stopped
    assert rows(look(crowded, "/runs?ended=running")) == []
    assert "No run is like that" in look(crowded, "/runs?claim=no-such-claim")
    assert look(crowded, "/runs?ended=perhaps").startswith("404 ")


def test_what_cannot_be_read_is_left_out_and_said(crowded: Studio) -> None:
    page = look(crowded, "/")
    assert "deep.json: this JSON is nested too deep" in page
    assert "typed.json: this is no verdict: the field &#39;n&#39; must be a whole number." in page
    assert "The verdict of the run pal-broken is left out. This is no verdict" in page
    # The next best stands for the claim in its place.
    assert re.search(r'data-word="holds" data-text="pal: ', page)
    for path in ("/papers/pal", "/papers/zero-shot-cot", "/models", "/compare", "/runs/pal-00228"):
        assert "<h1" in look(crowded, path), path
    for path in ("", "/samples", "/trace?arm=treatment&item=a"):
        assert look(crowded, f"/runs/pal-broken{path}").startswith("400 "), path
    assert look(crowded, "/arena/recorded", run="pal-broken").startswith("400 ")


def test_a_source_shows_the_newest_verdicts_and_leads_to_the_others(crowded: Studio) -> None:
    page = look(crowded, "/papers/pal")
    assert page.count('<a href="/runs/pal-00') == 24
    assert "91 older ones are not shown" in page


def test_a_run_is_forgotten_by_its_page(crowded: Studio) -> None:
    assert "Forget this run" in look(crowded, "/runs/pal-00001")
    assert "Forget this run" in look(crowded, "/runs/pal-00002")
    look(crowded, "/runs/pal-00001/forget", sure="yes")
    assert look(crowded, "/runs/pal-00001").startswith("404 ")
    assert rows(look(crowded, "/runs?page=3"))[-2:] == ["pal-00002", "pal-00000"]
