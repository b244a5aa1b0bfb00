"""Every page, as a reader meets it: nothing wrong in the console, nothing fetched from elsewhere, accessible,
no wider than the window; and what a model wrote is text."""

from __future__ import annotations

import asyncio
import contextlib
import re
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from assay.core import Outcome, Usage
from assay.lab.store import Recorded, Store, trace_hash
from tests.studio.conftest import Studio, Window, faults, opened
from tests.studio.test_arena import recorded_run, sit

pytestmark = pytest.mark.engine

HOSTILE = (
    "<script>document.title = 'taken'</script><img src='https://example.org/spy.png' onerror='document.title=1'>"
    "![see](https://example.org/spy2.png) <a href='javascript:alert(1)'>go</a> \x1b[31m \u202e"
)
PAGES = ("/papers/pal", "/runs/planted-aaaaa", "/runs?ended=stopped&claim=pal")


@pytest.fixture(scope="module")
def planted(studio: Studio) -> None:
    """A run whose model wrote what a model should not write, and 1 MB of it."""
    text = HOSTILE + "y" * 1_000_000
    steps = [
        [
            {
                "request": {"kind": "ask", "prompt": HOSTILE},
                "reply": [{"text": text, "finish": "stop", "tokens_out": 9}],
            }
        ]
    ]

    async def plant() -> None:
        with contextlib.closing(Store(studio.home / "assay.sqlite")) as store:
            config = {"model": {"name": HOSTILE, "base_urls": []}, "size": HOSTILE, "seed": 0}
            await store.begin("planted-aaaaa", "2026-01-01T00:00:00+00:00", "pal", config)
            for arm in ("program", "chain-of-thought"):
                outcome = Outcome.scored(float(arm == "program"), text)
                recorded = Recorded(arm, "item-1", 0, outcome, Usage(1, 2, 3), trace_hash(steps))
                await store.record("planted-aaaaa", recorded, steps)
            store.tell("planted-aaaaa", {"kind": "begin"})
            store.tell("planted-aaaaa", {"kind": "note", "text": HOSTILE})
            store.tell("planted-aaaaa", {"kind": "end", "text": HOSTILE})
            await store.finish("planted-aaaaa", "stopped", None)

    # Playwright keeps a loop of its own in this thread.
    with ThreadPoolExecutor() as other:
        other.submit(asyncio.run, plant()).result()


LOOKS = [(width, scheme) for width in (1280, 390) for scheme in ("light", "dark")]


@pytest.mark.usefixtures("planted")
@pytest.mark.parametrize(("width", "scheme"), LOOKS)
def test_every_page_is_sound(browser: Any, studio: Studio, scheme: str, width: int) -> None:
    window = opened(browser, studio, color_scheme=scheme)
    page = window.page
    page.set_viewport_size({"width": width, "height": 900})
    for path in pages_of(window):
        window.open(path)
        page.wait_for_load_state("networkidle") if not path.startswith("/runs/") else page.wait_for_timeout(400)
        require_sound(window, width)
    assert window.wrong == []
    assert [url for url in window.asked if not url.startswith(studio.address)] == []
    page.context.close()


@pytest.mark.parametrize(("width", "scheme"), LOOKS)
def test_a_sitting_is_sound_before_the_vote_and_after_it(
    browser: Any, studio: Studio, scheme: str, width: int
) -> None:
    window = opened(browser, studio, color_scheme=scheme)
    window.page.set_viewport_size({"width": width, "height": 900})
    page = sit(window, recorded_run(studio, f"pal-sat-{width}-{scheme}", 2))
    require_sound(window, width)
    page.keyboard.press("1")
    page.locator("#board td").first.wait_for()
    require_sound(window, width)
    assert window.wrong == []
    page.context.close()


def require_sound(window: Window, width: int) -> None:
    """No wider than the window, and nothing in it that keeps somebody out."""
    assert window.page.evaluate("document.documentElement.scrollWidth") <= width, window.page.url
    assert faults(window.page) == [], window.page.url


def pages_of(window: Window) -> list[str]:
    """The pages named here, and every one that the bar at the head leads to."""
    links = window.page.locator(".bar nav a").evaluate_all("links => links.map(link => link.getAttribute('href'))")
    return list(dict.fromkeys([*PAGES, *links]))


@pytest.mark.usefixtures("planted")
def test_what_a_model_wrote_is_text(window: Window) -> None:
    page = window.open("/runs/planted-aaaaa")
    page.locator("details.trace summary").first.click()
    page.locator("details.trace .block.got").first.wait_for()
    assert "<script>document.title" in page.locator("details.trace .block").first.inner_text()
    assert page.locator("#notes li").inner_text().startswith("<script>")
    assert page.locator("#why").inner_text().startswith("<script>")
    assert page.title() == "assay: planted-aaaaa, stopped"
    assert [url for url in window.asked if "example.org" in url] == []
    assert page.locator("main script, main img, main a[href^=javascript]").count() == 0


def test_claims_are_found_by_word_and_by_verdict(window: Window) -> None:
    page = window.open("/")
    every = page.locator(".claims li:visible").count()
    page.locator("#find").fill("chain of thought")
    found = page.locator(".claims li:visible").count()
    assert 0 < found < every
    page.locator("button.count.holds").click()
    words = page.locator(".claims li:visible .word").all_inner_texts()
    assert set(words) <= {"holds"}
    # What was chosen stands in the address.
    page.reload()
    assert page.locator(".claims li:visible .word").all_inner_texts() == words
    page.locator("#find").fill("no such claim anywhere")
    page.locator("#all").click()
    assert page.locator(".claims li:visible").count() == every


def test_models_are_compared_on_something_from_the_first(window: Window) -> None:
    page = window.open("/compare")
    assert page.locator(".compared tbody tr").count() > 0
    assert page.locator(".choose input:checked").count() > 0


def test_everything_is_reached_by_keyboard(window: Window) -> None:
    page = window.open("/papers/pal")
    reached = set()
    for _ in range(60):
        page.keyboard.press("Tab")
        kind, name = page.evaluate("() => [document.activeElement.tagName, document.activeElement.name]")
        reached.add(name or page.evaluate("() => document.activeElement.className"))
        if kind == "SUMMARY" and not page.locator("#pal details.start").evaluate("details => details.open"):
            page.keyboard.press("Enter")
    assert {"model", "size", "level", "seed", "n", "budget", "controls", "main", "copy"} <= reached


@pytest.mark.parametrize("path", ["/papers/nothing", "/runs/nothing-here", "/nowhere", "/claims/nothing"])
def test_what_is_not_there_is_a_page_with_a_sentence(browser: Any, studio: Studio, path: str) -> None:
    window = opened(browser, studio)
    answer = window.page.goto(studio.address + path)
    assert answer.status == 404
    assert window.page.locator("h1").inner_text() == "That did not work"
    # The browser itself notes a 404 in its console, and that is all.
    assert all("404" in wrong for wrong in window.wrong)
    window.page.context.close()


def test_who_is_not_let_in(studio: Studio) -> None:
    import http.client

    def ask(method: str = "GET", path: str = "/", body: bytes | None = None, **headers: str) -> int:
        connection = http.client.HTTPConnection("127.0.0.1", studio.port, timeout=20)
        given = {"authorization": f"Bearer {studio.key}"} | {n.replace("_", "-"): v for n, v in headers.items()}
        connection.putrequest(method, path, skip_host="host" in given)
        for name, value in given.items():
            if value:
                connection.putheader(name, value)
        connection.endheaders(body)
        return connection.getresponse().status

    assert ask() == 200
    assert ask(authorization="") == 401
    assert ask(authorization="Bearer " + "x" * 32) == 401
    assert ask(host="evil.example") == 421
    assert ask(host=f"evil.example:{studio.port}") == 421
    assert ask(origin="https://evil.example") == 403
    assert ask("POST", "/runs", origin="null") == 403
    assert ask("POST", "/runs", content_length="100000000") == 413


def test_the_key_leaves_the_address_at_once(window: Window) -> None:
    page = window.page
    page.goto(f"{window.studio.address}/runs?key={window.studio.key}&x=1")
    assert re.sub(r"^http://[^/]+", "", page.url) == "/runs?x=1"
    (cookie,) = page.context.cookies()
    assert cookie["httpOnly"]
    assert cookie["sameSite"] == "Strict"
