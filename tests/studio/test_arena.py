"""The arena in a real browser: blind votes by keyboard, a board that moves, and nothing told before the vote."""

from __future__ import annotations

import asyncio
import contextlib
import json
import re
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from assay.core import Outcome, Usage
from assay.lab.store import Recorded, Store, trace_hash
from tests.studio.conftest import Studio, Window, opened

pytestmark = pytest.mark.engine
ARMS = ("program", "chain-of-thought")
HOSTILE = "<script>document.title='x'</script><img src=https://example.org/spy.png>"


def recorded_run(studio: Studio, run: str, items: int) -> str:
    """A run of `pal` whose arms have replied to so many items; the treatment always replies a little longer."""

    async def plant() -> None:
        with contextlib.closing(Store(studio.home / "assay.sqlite")) as store:
            config = {"model": {"name": "smollm2-135m", "base_urls": []}, "size": "small", "seed": 0}
            await store.begin(run, "2026-01-02T00:00:00+00:00", "pal", config)
            for item in range(items):
                for at, arm in enumerate(ARMS):
                    text = f"{HOSTILE} reply to {run} {item}" + (" at length" if arm == "program" else "")
                    reply = {"text": text, "finish": "stop", "tokens_out": 5}
                    steps = [[{"request": {"kind": "ask", "prompt": f"question {item}"}, "reply": [reply]}]]
                    outcome = Outcome.scored(float(at), "")
                    await store.record(
                        run, Recorded(arm, f"item-{item}", 0, outcome, Usage(1, 2, 3), trace_hash(steps)), steps
                    )
            await store.finish(run, "stopped", None)

    with ThreadPoolExecutor() as other:
        other.submit(asyncio.run, plant()).result()
    return run


def sit(window: Window, run: str) -> Any:
    """Begin a sitting on a recorded run."""
    page = window.open("/arena")
    page.locator("form[action='/arena/recorded'] [name=run]").select_option(run)
    page.locator("form[action='/arena/recorded'] button").click()
    page.wait_for_url(re.compile(r"/arena/sittings/.+"))
    page.locator("[data-state=reading]").wait_for()
    return page


def votes(studio: Studio) -> list[dict[str, Any]]:
    file = studio.home / "arena" / "votes.jsonl"
    return [json.loads(line) for line in file.read_text().splitlines()] if file.exists() else []


def test_twenty_votes_by_keyboard_move_the_leaderboard(window: Window) -> None:
    run = recorded_run(window.studio, "pal-votes", 22)
    page = sit(window, run)
    before = len(votes(window.studio))
    boards, heard = [], []
    page.on("response", lambda answer: heard.append(answer) if "/next" in answer.url else None)
    for number in range(20):
        page.locator("[data-state=reading]").wait_for()
        # The board beneath names those who have met; the battle itself names nobody.
        parts = ("prompt", "left", "right", "left-name", "right-name", "status")
        shown = " ".join(page.locator(f"#{part}").inner_text() for part in parts)
        assert not any(arm in shown for arm in ARMS)
        # The longer reply is taken, but for every fourth vote.
        longer = "1" if "at length" in page.locator("#left").inner_text() else "2"
        page.keyboard.press("t" if number % 4 == 3 else longer)
        page.locator("[data-state=voted]").wait_for()
        told = page.locator("#status").inner_text()
        assert all(arm in told for arm in ARMS)
        page.locator("#board td, #board th").first.wait_for()
        boards.append(page.locator("#board").inner_text())
        page.keyboard.press("Enter")
    cast = votes(window.studio)[before:]
    assert len(cast) == 20
    assert len({row["question_id"] for row in cast}) == 20
    assert {row["winner"] for row in cast} <= {"model_a", "model_b", "tie"}
    # Sides are drawn: one arm does not always stand on the left.
    assert len({row["model_a"] for row in cast}) == 2
    assert len(set(boards)) > 10
    assert boards[-1].index("program") < boards[-1].index("chain-of-thought")
    # What a browser is told before the vote names nobody.
    assert heard
    assert not any(arm in answer.text() for answer in heard for arm in ARMS)
    assert page.title() != "x"
    assert [url for url in window.asked if "example.org" in url] == []


def test_a_battle_has_one_vote_though_two_tabs_show_it(browser: Any, studio: Studio, window: Window) -> None:
    run = recorded_run(studio, "pal-tabs", 3)
    page = sit(window, run)
    second = opened(browser, studio)
    second.page.goto(page.url)
    second.page.locator("[data-state=reading]").wait_for()
    assert second.page.locator("#left").inner_text() == page.locator("#left").inner_text()
    before = len(votes(studio))
    page.keyboard.press("b")
    page.locator("[data-state=voted]").wait_for()
    second.page.keyboard.press("b")
    second.page.locator("#status", has_text="has its vote already").wait_for()
    assert len(votes(studio)) == before + 1
    second.page.context.close()
    assert all("409" in wrong for wrong in second.wrong)


def test_a_killed_studio_has_kept_every_vote_it_acknowledged(browser: Any, studio: Studio) -> None:
    window = opened(browser, studio)
    page = sit(window, recorded_run(studio, "pal-kept", 8))
    before = len(votes(studio))
    for _ in range(5):
        page.locator("[data-state=reading]").wait_for()
        page.keyboard.press("2")
        page.locator("[data-state=voted]").wait_for()
        page.keyboard.press("Enter")
    # The sixth is not waited for: it may be there or not, but not in part.
    page.locator("[data-state=reading]").wait_for()
    page.keyboard.press("1")
    port = studio.port
    studio.kill()
    kept = votes(studio)
    assert len({row["question_id"] for row in kept}) == len(kept)
    assert len(kept) - before in (5, 6)
    # A line that was being written when it died was never acknowledged.
    with (studio.home / "arena" / "votes.jsonl").open("a") as file:
        file.write('{"question_id": "to')
    studio.start(port)
    window.open("/arena")
    assert page.locator("main", has_text="program").count() == 1
    assert page.locator(".caution", has_text="cut short by a crash").count() == 1
    assert votes(studio) == kept
    page.context.close()


def test_votes_from_a_file(window: Window, tmp_path: Any) -> None:
    good = tmp_path / "good.csv"
    good.write_text("model_a,model_b,winner\nx,y,model_a\ny,z,model_a\nx,z,tie\nz,x,model_a\ny,x,model_a\n")
    page = window.open("/arena")
    page.locator("[name=file]").set_input_files(good)
    page.locator("form[action='/arena/import'] button").click()
    page.locator("table", has_text="x").first.wait_for()
    bad = tmp_path / "bad.csv"
    bad.write_text("model_a,model_b,winner\nx,y,model_a\nx,y,perhaps\n")
    headers = {"authorization": f"Bearer {window.studio.key}", "accept": "text/html"}
    part = {"name": "bad.csv", "mimeType": "text/csv", "buffer": bad.read_bytes()}
    answer = window.page.request.post(
        f"{window.studio.address}/arena/import", multipart={"file": part}, headers=headers
    )
    assert answer.status == 400
    assert "&#39;perhaps&#39; is no outcome" in answer.text()
    assert "bad.csv, line 3" in answer.text()
    # What to do stands on the page, and is no option of a command.
    assert "--unknown" not in answer.text()
    page = window.open("/arena")
    page.locator("[name=file]").set_input_files(bad)
    page.locator("[name=unknown]").select_option(label="are ties")
    page.locator("form[action='/arena/import'] button").click()
    page.locator(".notes", has_text="1 with an unknown outcome count as ties").wait_for()
