"""`assay search`: the passages of a folder that fit a query best, by words, by vectors, or with HyDE."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import typer

from assay.cli.printing import echo
from assay.cli.running import BASE_URL, ENCODER, MODEL, SLOTS, TIMEOUT
from assay.workbench.wish import model_choice

if TYPE_CHECKING:
    from assay.core import Answer, Flow
    from assay.core.answers import Ranking
    from assay.lab.driver import Done
    from assay.models import ModelChoice
    from assay.tasks.retrieval import Document

WAYS = ("bm25", "feedback", "query", "hyde")
SHOWN = 40
"""Words of a passage that are printed."""


def way_names(incomplete: str) -> list[str]:
    """Names of ways to search, for tab completion."""
    return [way for way in WAYS if way.startswith(incomplete)]


def search(
    folder: Path = typer.Argument(..., help="A folder of .txt and .md files, or a corpus in BEIR's form."),
    query: str = typer.Argument(..., help="What is searched for, or - to read it from standard input."),
    way: str = typer.Option(
        "bm25",
        "--with",
        help="bm25 (words), feedback (bm25, widened by what it found), query (vectors) or hyde.",
        autocompletion=way_names,
    ),
    k: int = typer.Option(10, "--k", min=1, help="Passages wanted; those that tie with the last are shown too."),
    n: int = typer.Option(8, "--n", min=1, max=128, help="Hypothetical documents, for hyde."),
    kind: str = typer.Option(
        "passage", "--kind", help="What the texts are, for hyde: passage, science, news, ..."
    ),
    encoder: str = ENCODER,
    model: str = MODEL,
    base_url: list[str] = BASE_URL,
    seed: int = typer.Option(0, "--seed", min=0, help="Hypothetical documents derive from it."),
    as_json: bool = typer.Option(False, "--json", help="Print one JSON object."),
    slots: int = SLOTS,
    timeout: float = TIMEOUT,
) -> None:
    """Search a folder of texts and print the passages that fit best.

    By words nothing is asked of a model. By vectors every passage is embedded once and kept: the next query
    is quick. Whether hyde is worth its tokens on your texts: assay run hyde --task FOLDER.
    """
    import dataclasses
    import sys

    from assay.core import UnknownName, UserError
    from assay.techniques.retrieval import instruction_for

    if way not in WAYS:
        raise UnknownName("way to search", way, WAYS, hint=f"Ways: {', '.join(WAYS)}.")
    text = sys.stdin.read().strip() if query == "-" else query.strip()
    if not text:
        raise UserError("The query is empty.", hint='For instance: assay search FOLDER "how is it installed?"')
    instruction = instruction_for(kind)
    documents = documents_in(folder)
    if way in ("bm25", "feedback"):
        found, spent = by_words(text, documents, k, feedback=way == "feedback"), ""
    else:
        choice = dataclasses.replace(model_choice(model, base_url, slots, timeout), encoder=encoder)
        flow = _by_vectors(text, documents, k, n if way == "hyde" else 0, instruction)
        found, spent = _run(flow, choice, seed)
    texts = {document.id: document.text for document in documents}
    _print(found, texts, as_json, spent)


def documents_in(folder: Path) -> list[Document]:
    """Everything in the folder that can be found."""
    from assay.core import UserError
    from assay.tasks.retrieval import passages, text_files
    from assay.tasks.retrieval.corpus import beir_documents

    if not folder.is_dir():
        raise UserError(f"There is no folder {folder}.", hint="Name one with .txt or .md files.")
    if (folder / "corpus.jsonl").is_file():
        return list(beir_documents(folder))
    return [passage for name, text in text_files(folder).items() for passage in passages(name, text)]


def by_words(query: str, documents: list[Document], k: int, *, feedback: bool) -> Ranking:
    """What BM25 finds, which asks no model."""
    from assay.techniques.retrieval import Bm25, feedback_search

    index = Bm25.of([document.id for document in documents], [document.text for document in documents])
    return feedback_search(query, index, k) if feedback else index.search(query, k)


def _by_vectors(query: str, documents: list[Document], k: int, n: int, instruction: str) -> Flow[Answer]:
    """What the query's vector finds, or with n hypothetical documents averaged in."""
    from assay.techniques.retrieval.hyde import by_query, hyde
    from assay.techniques.retrieval.vectors import embedded

    index = yield from embedded([document.id for document in documents], [document.text for document in documents])
    if n == 0:
        return (yield from by_query(query, index, k=k))
    return (yield from hyde(query, index, instruction, n=n, k=k))


def _run(flow: Flow[Answer], choice: ModelChoice, seed: int) -> tuple[Ranking, str]:
    """The ranking, and what it cost in words."""
    import asyncio

    from assay.core import Capability
    from assay.core.answers import ranking_of
    from assay.home import find_home
    from assay.lab.driver import Job
    from assay.workbench.opening import bench

    needs = frozenset({Capability.GENERATE, Capability.EMBED})

    async def work() -> tuple[Done[Answer], int]:
        async with bench(choice, find_home().make(), needs) as (_, model, driver):
            done = await driver.drive(Job(None, lambda: flow, model, seed=seed))
            return done, driver.fresh.tokens

    done, fresh = asyncio.run(work())
    answer = done.result()
    ranking = ranking_of(answer.value)
    assert ranking is not None, "with the query there is always something to search with"
    detail = f"{answer.detail}; " if answer.detail else ""
    return ranking, f"{detail}{fresh:,} new tokens, {done.usage.tokens - fresh:,} known from before"


def _print(found: Ranking, texts: dict[str, str], as_json: bool, spent: str) -> None:
    import json

    if as_json:
        hits: list[dict[str, Any]] = [
            {"document": document, "score": score, "text": texts[document]} for document, score in found
        ]
        echo(json.dumps({"hits": hits}, indent=1, ensure_ascii=False))
        return
    from rich.markup import escape

    from assay.cli.printing.console import Console

    console = Console(highlight=False)
    if not found:
        console.print("Nothing shares a word with the query. By meaning: --with query", soft_wrap=True)
    for rank, (document, score) in enumerate(found, start=1):
        words = texts[document].split()
        snippet = " ".join(words[:SHOWN]) + (" ..." if len(words) > SHOWN else "")
        console.print(f"{rank:3}  [bold]{escape(document)}[/]  [dim]{score:.3f}[/]", soft_wrap=True)
        console.print(f"     {escape(snippet)}", soft_wrap=True)
    if spent:
        console.print(f"[dim]{spent}[/]")
