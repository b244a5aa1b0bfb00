"""The explorer's page in a real browser: what a user of the keyboard sees, hears and gets."""

from __future__ import annotations

import re
import time
from collections.abc import Callable
from typing import Any

import pytest

from assay.core import Reply, TokenLogprob
from assay.core.branching import Branches, Settings
from assay.lab.branching import Trees
from assay.report.wording import visible

from .conftest import ROOT, Studio, Window, faults, opened
from .test_trees import grown, planted, read

pytestmark = pytest.mark.engine


def rivers(name: str) -> Branches:
    """A question (2) with replies 3 to 6: two of a kind, one of a megabyte, one that a person has edited."""
    tree = Branches(name, "rivers")
    tree.add(tree.add(None, "system", "Be brief.").id, "user", "Name a river.")
    for node, text in zip(
        tree.begin("s", "2", "m", Settings(n=4)), ("The Nile.", "the nile", "y" * 1_000_000, "Volta"), strict=True
    ):
        tokens = (TokenLogprob(1, text[:4], -0.1), TokenLogprob(2, text[4:], -8.0)) if len(text) < 20 else ()
        tree.finish("s", node.id, Reply(text, tokens_in=20, tokens_out=2, logprobs=tokens))
    tree.edit("6", "the Volta")
    return tree


def put(studio: Studio, fill: Callable[[str], Branches]) -> str:
    """A tree as a file of the studio's; gives its id."""
    return Trees(studio.home / "trees").new(fill).id


def at(window: Window, tree: str, node: str = "3") -> Any:
    """The page of a tree with a node chosen."""
    page = window.open(f"/trees/{tree}#n{node}")
    card(page, node).click()
    return page


def card(page: Any, node: str, **settings: Any) -> Any:
    return page.locator(f"[role=treeitem][data-node='{node}']", **settings)


@pytest.mark.parametrize(("scheme", "width"), [("light", 1280), ("dark", 390)])
def test_no_state_of_the_page_has_a_serious_fault(browser: Any, studio: Studio, scheme: str, width: int) -> None:
    window = opened(browser, studio, color_scheme=scheme)
    page = window.page
    page.set_viewport_size({"width": width, "height": 900})

    def sound(state: str) -> None:
        assert faults(page) == [], state
        assert page.evaluate("document.documentElement.scrollWidth") <= width, state

    window.open(f"/trees/{put(studio, Branches)}")
    page.locator("#bill", has_text="0 nodes").wait_for()
    sound("empty")
    at(window, put(studio, rivers))
    page.keyboard.press("h")
    page.locator("#strip [data-token]").first.wait_for()
    page.locator("#settings summary").click()
    sound("grown, tinted, settings open")
    card(page, "2").click()
    for key, part in (("?", "#keys[open]"), ("m", "#moving[open]"), ("Control+Backspace", "#deleting[open]")):
        page.keyboard.press(key)
        page.locator(part).wait_for()
        sound(part)
        page.keyboard.press("Escape")
        page.locator(part).wait_for(state="detached")
    card(page, "5").click()
    page.locator("#reading + .more").wait_for()
    page.keyboard.press("Enter")
    page.locator("#words").wait_for()
    sound("a long text being edited")
    assert window.wrong == []
    page.context.close()


def test_the_buttons_stand_in_one_line(window: Window) -> None:
    page = at(window, put(window.studio, rivers))
    heights = page.locator("#tools button").evaluate_all(
        "found => found.map(button => button.getBoundingClientRect().top)"
    )
    assert len(set(heights)) == 1


def test_escape_stops_what_is_being_written_and_what_it_took_stays_on_the_bill(window: Window) -> None:
    tree = planted(window, "Tell a long story about a river.")
    page = window.page
    page.keyboard.press("Control+/")
    page.locator("#settings [name=max_tokens]").fill("400")
    card(page, "1").click()
    page.keyboard.press("Control+Enter")
    page.locator(".node.model .words", has_text=re.compile(r"\w{2}")).first.wait_for()
    page.keyboard.press("Escape")
    page.locator(".node.cancelled").nth(2).wait_for()
    nodes = grown(window, tree, 4)[1:]
    assert {node["status"] for node in nodes} == {"cancelled"}
    written = sum(node["tokens_out"] for node in nodes)
    assert 0 < written < 1200
    assert read(window, tree)["spent"]["tokens_out"] == written
    # Taking it back gives the nodes back, and no tokens.
    page.keyboard.press("Control+z")
    page.locator(".node.cancelled").first.wait_for(state="detached")
    page.locator("#bill", has_text=f"1 node, {written:,} tokens written").wait_for()
    # Nor does taking it back while it is being written.
    page.keyboard.press("Control+Enter")
    page.locator(".node.model .words", has_text=re.compile(r"\w{2}")).first.wait_for()
    page.keyboard.press("Control+z")
    page.locator(".node.model").first.wait_for(state="detached")
    end, spent, bill = time.monotonic() + 60, written, ""
    while (spent == written or f"{spent:,} tokens written" not in bill) and time.monotonic() < end:
        spent, bill = read(window, tree)["spent"]["tokens_out"], page.locator("#bill").inner_text()
        time.sleep(0.1)
    assert spent > written
    assert bill == f"1 node, {spent:,} tokens written"


def test_words_over_words_of_another_tab_are_kept_in_the_box(browser: Any, studio: Studio) -> None:
    tree = put(studio, rivers)
    here, there = (opened(browser, studio) for _ in range(2))
    for window in (here, there):
        page = at(window, tree)
        page.keyboard.press("Enter")
        page.locator("#words").wait_for()
    there.page.locator("#words").fill("Congo, says the other tab")
    there.page.keyboard.press("Control+s")
    card(here.page, "3", has_text="Congo").wait_for()
    here.page.locator("#words").fill("Limpopo, says this one")
    here.page.keyboard.press("Control+s")
    here.page.locator("#wrong", has_text="changed meanwhile").wait_for()
    assert "still in the box" in here.page.locator("#wrong").inner_text()
    assert here.page.locator("#text").inner_text() == "Congo, says the other tab"
    assert here.page.locator("#words").input_value() == "Limpopo, says this one"
    here.page.locator("#edit button[type=submit]").click()
    card(there.page, "3", has_text="Limpopo").wait_for()
    # The browser itself notes the answer that said no.
    (noted,) = here.wrong
    assert "409" in noted
    assert there.wrong == []
    for window in (here, there):
        window.page.context.close()


def test_256_changes_are_undone_by_their_key_and_no_more(window: Window) -> None:
    def renamed(name: str) -> Branches:
        tree = Branches(name)
        tree.add(None, "user", "Name a river.")
        for number in range(300):
            tree.rename("1", f"label {number}")
        return tree

    page = at(window, put(window.studio, renamed), "1")
    label = card(page, "1").locator(".label")
    for _ in range(256):
        page.keyboard.press("Control+z")
    label.get_by_text("label 43", exact=True).wait_for()
    assert page.locator("button[data-do=undo]").is_disabled()
    page.keyboard.press("Control+Shift+z")
    label.get_by_text("label 44", exact=True).wait_for()


def test_tokens_are_tinted_and_told_one_by_one(window: Window) -> None:
    page = at(window, put(window.studio, rivers))
    page.keyboard.press("h")
    heat = page.locator("button[data-do=heat]")
    assert heat.get_attribute("aria-pressed") == "true"
    tokens = page.locator("#strip [data-token]")
    assert tokens.all_inner_texts() == ["The ", "Nile."]
    assert [token.get_attribute("class") for token in tokens.all()] == ["t0", "t4"]
    assert "least expected: “Nile.” (−8.00 nats, less than 0.1 %)" in page.locator("#heat-in-words").inner_text()
    page.locator("#strip").focus()
    page.keyboard.press("ArrowRight")
    assert page.locator("#token").inner_text() == "Token 2 of 2, “Nile.”: −8.00 nats, less than 0.1 %."
    card(page, "6").click()
    assert not page.locator("#strip").is_visible()
    page.keyboard.press("h")
    card(page, "3").click()
    assert (heat.get_attribute("aria-pressed"), page.locator("#strip").is_visible()) == ("false", False)
    assert page.locator("#text").inner_text() == "The Nile."


def test_a_node_is_renamed_moved_and_its_conversation_copied(browser: Any, studio: Studio) -> None:
    window = opened(browser, studio, permissions=["clipboard-read", "clipboard-write"])
    page = at(window, put(studio, rivers), "4")
    page.keyboard.press("Control+e")
    page.locator("#label").fill("the small one")
    page.keyboard.press("Enter")
    card(page, "4", has_text="the small one").wait_for()
    page.keyboard.press("m")
    # Not below itself.
    offered = page.locator("#parents option").evaluate_all("found => found.map(option => option.value)")
    assert offered == ["", "1", "2", "3", "5", "6"]
    page.locator("#parents").select_option("3")
    page.locator("#moving button[value=move]").click()
    page.locator("[data-node='4'][aria-level='4']").wait_for()
    page.keyboard.press("Control+Shift+c")
    page.locator("#said", has_text="copied").wait_for()
    copied = page.evaluate("navigator.clipboard.readText()")
    assert copied == "System: Be brief.\n\nUser: Name a river.\n\nAssistant: The Nile.the nile"
    assert window.wrong == []
    page.context.close()


def test_a_large_tree_begins_where_it_can_be_read(window: Window) -> None:
    def wide(name: str) -> Branches:
        tree = Branches(name)
        tree.add(None, "user", "Count.")
        for node in tree.begin("s", "1", "m", Settings(n=120)):
            tree.finish("s", node.id, Reply(f"number {node.id}"))
        return tree

    page = window.open(f"/trees/{put(window.studio, wide)}#n120")
    chosen = card(page, "120")
    chosen.wait_for()
    box, frame = chosen.bounding_box(), page.locator("#canvas").bounding_box()
    assert box["width"] >= 100
    assert frame["x"] <= box["x"] <= frame["x"] + frame["width"] - box["width"]
    page.keyboard.press("ArrowUp")
    page.locator(
        "#agreement", has_text="120 different among 120; disagreement 0.99. The commonest 100:"
    ).wait_for()
    assert page.locator("#clusters li").count() == 100


def test_of_a_megabyte_the_beginning_is_laid_out_and_the_rest_when_asked_for(window: Window) -> None:
    page = at(window, put(window.studio, rivers), "5")
    more = page.locator("#reading + .more")
    assert more.inner_text() == "Show the remaining 950,000 characters"
    length = "found => found.textContent.length"
    assert page.locator("#text").evaluate(length) == 50_000
    assert card(page, "5").evaluate(length) < 300
    more.click()
    end = time.monotonic() + 60
    while page.locator("#text").evaluate(length) < 1_000_000 and time.monotonic() < end:
        time.sleep(0.05)
    assert page.locator("#text").evaluate(length) == 1_000_000
    assert not more.is_visible()
    # What had the keyboard is gone: it is where the words are.
    assert page.evaluate("document.activeElement.id") == "reading"


def test_a_long_text_is_cut_between_characters(window: Window) -> None:
    # Marks that act are written out and so grow; characters beyond the first 65,536 are two units here.
    text = "\U0001f30d" * 30_000 + "\u202e" * 30_000 + "line\r\n" * 20_000

    def long(name: str) -> Branches:
        tree = Branches(name)
        tree.add(None, "user", text)
        return tree

    page = at(window, put(window.studio, long), "1")
    found = page.locator("#text")
    assert found.evaluate("found => found.textContent.length") <= 50_000
    page.locator("#reading + .more").click()
    page.locator("#reading + .more").wait_for(state="hidden")
    end, whole = time.monotonic() + 60, visible(text)
    while found.evaluate("found => found.textContent") != whole and time.monotonic() < end:
        time.sleep(0.1)
    assert found.evaluate("found => found.textContent") == whole


def test_the_page_writes_out_the_same_characters_as_the_report(window: Window) -> None:
    page = at(window, put(window.studio, rivers))
    unseen = page.evaluate(
        """async () => {
            const { visible } = await import("/static/tree-words.js");
            const found = [];
            for (let code = 0; code <= 0x10ffff; code++) {
                const character = String.fromCodePoint(code);
                if (visible(character) !== character) found.push([code, visible(character)]);
            }
            return found;
        }"""
    )
    ours = [(code, visible(chr(code))) for code in range(0x110000)]
    assert [tuple(one) for one in unseen] == [(code, shown) for code, shown in ours if shown != chr(code)]


def test_the_keys_are_those_of_the_docs(window: Window) -> None:
    page = at(window, put(window.studio, rivers))
    page.keyboard.press("?")
    keys, says = (page.locator(f"#key-list {part}").all_inner_texts() for part in ("dt", "dd"))
    rows = "\n".join(f"| {key} | {said} |" for key, said in zip(keys, says, strict=True))
    assert rows in (ROOT / "docs" / "trees.md").read_text(encoding="utf-8")


def test_a_tree_that_cannot_be_read_is_named_and_can_be_deleted(window: Window) -> None:
    name = put(window.studio, Branches)
    file = window.studio.home / "trees" / f"{name}.json"
    file.write_text("{")
    page = window.open("/trees")
    row = page.locator("tr", has_text=name)
    assert "this is no tree" in row.inner_text()
    row.locator("summary").click()
    row.locator("button").click()
    row.wait_for(state="detached")
    assert not file.exists()
