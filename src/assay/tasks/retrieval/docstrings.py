"""The default corpus: the documentation of Python's own library, as it stands on this machine.

Query     the summary line of a docstring.
Document  the rest of it, with the name of the function or class taken out.

The sources are read and never imported. Another version of Python is another corpus: ids name the version.
"""

from __future__ import annotations

import ast
import re
import sys
import sysconfig
from collections.abc import Iterator
from functools import lru_cache
from pathlib import Path

from assay.core.errors import UserError
from assay.core.problems.syntax import parsed
from assay.tasks.retrieval.corpus import Corpus, Document, Query

FEWEST, MOST = 4, 20
"""Words of a summary that can stand for a query."""
SHORTEST = 12
"""Words of a document."""
_LEFT_OUT = frozenset(
    [
        "config-3",
        "ensurepip",
        "idlelib",
        "lib2to3",
        "pydoc_data",
        "site-packages",
        "test",
        "tests",
        "turtledemo",
        "__pycache__",
    ]
)
_CODE = re.compile(r"[(=>:`\"]")


def docstrings() -> Corpus:
    """Public functions, classes and methods of the library's Python modules, in the order of their names.

    Raises:
        UserError: this Python has no sources of its library.
    """
    return _docstrings(sysconfig.get_paths()["stdlib"])


@lru_cache(maxsize=2)
def _docstrings(library: str) -> Corpus:
    version = f"py{sys.version_info.major}.{sys.version_info.minor}.{sys.version_info.micro}"
    documents: dict[str, Document] = {}
    asked: dict[str, dict[str, float]] = {}
    for name, docstring in _documented(Path(library)):
        summary, rest = _parts(name.rpartition(".")[2], docstring)
        if rest in documents or len(rest.split()) < SHORTEST or not _is_query(summary):
            continue
        document = documents[rest] = Document(f"{version}:{name}", rest)
        # One summary may stand over several functions: each of them is then what was looked for.
        asked.setdefault(summary, {})[document.id] = 1.0
    if not documents:
        raise UserError(
            "This Python has no sources of its library to search in.", hint="Name a folder of texts: --task FOLDER"
        )
    queries = tuple(Query(summary, relevant) for summary, relevant in asked.items())
    return Corpus("docstrings", tuple(documents.values()), queries, kind="documentation")


def _parts(name: str, docstring: str) -> tuple[str, str]:
    """The summary without its full stop, and the rest without the name."""
    summary, _, rest = docstring.partition("\n\n")
    bare = re.sub(rf"(?<!\w){re.escape(name)}(?!\w)", " ", rest, flags=re.IGNORECASE)
    return " ".join(summary.split()).rstrip("."), " ".join(bare.split())


def _is_query(summary: str) -> bool:
    """Whether a summary is a sentence and not a signature or an example."""
    return FEWEST <= len(summary.split()) <= MOST and not _CODE.search(summary)


def _documented(library: Path) -> Iterator[tuple[str, str]]:
    """Dotted name and docstring of everything public, file after file in the order of their paths."""
    for path in sorted(library.rglob("*.py")):
        parts = path.relative_to(library).with_suffix("").parts
        if set(parts) & _LEFT_OUT or parts[0] not in sys.stdlib_module_names:
            continue
        parts = parts[:-1] if parts[-1] == "__init__" else parts
        if any(part.startswith("_") for part in parts):
            continue
        try:
            tree = parsed(path.read_bytes())
        except (OSError, SyntaxError, ValueError):
            continue
        yield from _inside(tree, ".".join(parts), 2)


def _inside(node: ast.Module | ast.ClassDef, name: str, depth: int) -> Iterator[tuple[str, str]]:
    for part in node.body:
        if not isinstance(part, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef) or part.name.startswith(
            "_"
        ):
            continue
        inner = f"{name}.{part.name}"
        if docstring := ast.get_docstring(part):
            yield inner, docstring
        if isinstance(part, ast.ClassDef) and depth > 1:
            yield from _inside(part, inner, depth - 1)
