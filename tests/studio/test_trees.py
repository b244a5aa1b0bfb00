"""The explorer in a real browser on the real model: grown by keyboard, undone, open in two tabs, killed."""

from __future__ import annotations

import json
import re
import time
from typing import Any

import pytest

from tests.studio.conftest import Studio, Window, opened

pytestmark = pytest.mark.engine


def planted(window: Window, prompt: str = "Name a river in Africa.") -> str:
    """A new tree with one user's turn, made on the page; gives its id."""
    page = window.open("/trees")
    page.locator("form[action='/trees'] [name=prompt]").fill(prompt)
    page.locator("form[action='/trees'] button").click()
    page.wait_for_url(re.compile(r"/trees/\w+"))
    page.locator("[role=treeitem]").first.wait_for()
    return str(page.url.rpartition("/")[2])


def grown(window: Window, tree: str, count: int) -> list[dict[str, Any]]:
    """The nodes, once there are so many and all have come to their end."""
    window.page.locator("[role=treeitem]").nth(count - 1).wait_for()
    end = time.monotonic() + 180
    while time.monotonic() < end:
        nodes: list[dict[str, Any]] = read(window, tree)["nodes"]
        if len(nodes) == count and all(node["status"] != "streaming" for node in nodes):
            return nodes
        time.sleep(0.1)
    raise AssertionError([node["status"] for node in nodes])


def ask(window: Window, tree: str, **operation: Any) -> tuple[int, dict[str, Any]]:
    """Do something by the JSON interface."""
    headers = {"authorization": f"Bearer {window.studio.key}", "content-type": "application/json"}
    answer = window.page.request.post(
        f"{window.studio.address}/api/trees/{tree}", data=json.dumps(operation), headers=headers
    )
    return answer.status, answer.json()


def read(window: Window, tree: str) -> dict[str, Any]:
    headers = {"authorization": f"Bearer {window.studio.key}"}
    found: dict[str, Any] = window.page.request.get(
        f"{window.studio.address}/api/trees/{tree}", headers=headers
    ).json()
    return found


def short(window: Window) -> None:
    """Replies of a few tokens."""
    page = window.page
    page.locator("button[data-do=settings]").click()
    page.locator("#settings [name=max_tokens]").fill("8")
    page.locator("[role=treeitem]").first.click()


def test_a_tree_grows_by_keyboard(window: Window) -> None:
    tree = planted(window)
    short(window)
    page = window.page
    page.keyboard.press("Control+Enter")
    assert len(grown(window, tree, 4)) == 4
    page.keyboard.press("ArrowDown")
    page.keyboard.press("ArrowRight")
    page.keyboard.press("Control+Enter")
    nodes = grown(window, tree, 7)
    parents = [node["parent"] for node in nodes]
    assert parents.count("1") == 3
    assert len({parent for parent in parents if parent not in (None, "1")}) == 1
    assert {node["origin"] for node in nodes} == {"human", "model"}
    # Three replies of one prompt: it was evaluated once, or less where the engine knew its beginning.
    assert all(0 < float(prompt["times"]) <= 1 for prompt in read(window, tree)["prompts"])
    page.keyboard.press("Control+z")
    page.locator("[role=treeitem]").nth(4).wait_for(state="detached")
    page.keyboard.press("Control+Shift+z")
    page.locator("[role=treeitem]").nth(6).wait_for()
    page.reload()
    page.locator("[role=treeitem]").nth(6).wait_for()


def test_two_tabs_see_one_tree_and_an_old_version_is_refused(browser: Any, studio: Studio, window: Window) -> None:
    tree = planted(window)
    second = opened(browser, studio)
    second.open(f"/trees/{tree}")
    second.page.locator("[role=treeitem]").first.wait_for()
    version = read(window, tree)["version"]
    status, told = ask(window, tree, op="edit", node="1", text="Name a lake.", version=version)
    assert status == 200
    second.page.locator("[role=treeitem]", has_text="Name a lake.").wait_for()
    status, refused = ask(window, tree, op="edit", node="1", text="Name a hill.", version=version)
    assert status == 409
    assert "changed meanwhile" in refused["error"]
    assert read(window, tree)["nodes"][0]["text"] == "Name a lake."
    assert told["version"] == version + 1
    second.page.context.close()
    assert second.wrong == []


def test_what_makes_no_sense_is_refused(window: Window) -> None:
    tree = planted(window)
    version = read(window, tree)["version"]
    _, added = ask(window, tree, op="add", parent="1", role="user", text="below", version=version)
    version = added["version"]
    for wrong in (
        {"op": "rewire", "node": "1", "parent": added["node"], "version": version},
        {"op": "edit", "node": "99", "text": "x", "version": version},
        {"op": "edit", "node": "1", "text": 7, "version": version},
        {"op": "edit", "node": "1", "text": "half \ud83d", "version": version},
        {"op": "rename", "node": "1", "name": "half \ud83d", "version": version},
        {"op": "add", "parent": "1", "text": "half \ud83d", "version": version},
        {"op": "fly", "version": version},
        {"op": "generate", "node": "1", "version": version, "settings": {"n": 0}},
        {"op": "generate", "node": "1", "version": version, "model": "no-such-model"},
        {"op": "cancel", "node": "1"},
    ):
        status, told = ask(window, tree, **wrong)
        assert 400 <= status < 500, wrong
        assert told["error"], wrong
    assert read(window, tree)["version"] == version


def test_what_a_model_wrote_is_text_however_much(window: Window) -> None:
    tree = planted(window)
    hostile = (
        "<script>document.title='x'</script>![see](https://example.org/spy.png)<img src=https://example.org/a>"
    )
    version = read(window, tree)["version"]
    status, _ = ask(window, tree, op="edit", node="1", text=hostile + "y" * 1_000_000, version=version)
    assert status == 200
    page = window.page
    page.locator("[role=treeitem]", has_text="<script>").first.click()
    page.locator("#text", has_text="<script>document.title").wait_for()
    assert page.title() != "x"
    assert page.locator("main script, main img").count() == 0
    assert [url for url in window.asked if "example.org" in url] == []


def test_trees_of_flux_are_brought_in_and_ours_go_out(window: Window, tmp_path: Any) -> None:
    flux = {
        "nodes": [
            {"id": "a", "data": {"label": "", "fluxNodeType": "System", "text": "Be brief."}},
            {"id": "b", "data": {"label": "", "fluxNodeType": "User", "text": "Name a river."}},
            {"id": "c", "data": {"label": "", "fluxNodeType": "GPT", "text": "The Nile."}},
            {"id": "d", "data": {"label": "", "fluxNodeType": "GPT (tweaked)", "text": "The Volta."}},
        ],
        "edges": [
            {"id": "1", "source": "a", "target": "b"},
            {"id": "2", "source": "b", "target": "c"},
            {"id": "3", "source": "gone", "target": "d"},
        ],
    }
    file = tmp_path / "flux.json"
    file.write_text(json.dumps(flux))
    page = window.open("/trees")
    page.locator("[name=file]").set_input_files(file)
    page.locator("form[action='/trees/import'] button").click()
    # The parent of one node is gone, and that is said.
    link = page.locator("[role=status] a")
    tree = str(link.get_attribute("href")).rpartition("/")[2]
    nodes = read(window, tree)["nodes"]
    assert sorted(node["text"] for node in nodes) == ["Be brief.", "Name a river.", "The Nile.", "The Volta."]
    request, headers = page.request, {"authorization": f"Bearer {window.studio.key}"}
    markdown = request.get(f"{window.studio.address}/trees/{tree}/export.md", headers=headers).text()
    assert "The Nile." in markdown
    whole = request.get(f"{window.studio.address}/trees/{tree}/export.json", headers=headers)
    again = tmp_path / "again.json"
    again.write_bytes(whole.body())
    window.open("/trees").locator("[name=file]").set_input_files(again)
    page.locator("form[action='/trees/import'] button").click()
    page.wait_for_url(re.compile(r"/trees/\w+$"))
    page.locator("[role=treeitem]").nth(3).wait_for()


def test_a_killed_studio_leaves_the_words_that_had_come(browser: Any, studio: Studio) -> None:
    window = opened(browser, studio)
    tree = planted(window, "Tell a long story about a river.")
    version = read(window, tree)["version"]
    status, _ = ask(window, tree, op="generate", node="1", version=version, settings={"n": 2, "max_tokens": 400})
    assert status == 200
    time.sleep(2.5)
    port = studio.port
    studio.kill()
    studio.start(port)
    nodes = read(window, tree)["nodes"]
    assert [node["status"] for node in nodes[1:]] == ["cancelled", "cancelled"]
    assert all(node["text"] for node in nodes[1:])
    window.page.context.close()
