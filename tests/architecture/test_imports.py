"""The table of who may import whom, read off the syntax trees; imports inside functions count."""

from __future__ import annotations

import ast
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

SOURCE = Path(__file__).parents[2] / "src" / "assay"
OUTSIDE = {"assay.home", "assay.__main__", "assay"}

BELOW = {"core", "stats", "models", "tasks", "sandbox", "techniques", "lab", "papers", "report"}
"""What the doors stand on."""
DOORS = {"workbench", "serve", "studio", "cli"}
MAY_IMPORT = {
    "core": {"core"},
    "stats": {"stats"},
    "models": {"core", "models"},
    "tasks": {"core", "stats", "tasks"},
    "sandbox": {"core", "sandbox"},
    "techniques": {"core", "stats", "techniques"},
    "lab": {"core", "stats", "sandbox", "lab"},
    "papers": {"core", "techniques", "tasks", "papers"},
    "report": {"core", "stats", "report"},
    "workbench": {*BELOW, "workbench"},
    "serve": {*BELOW, "workbench", "serve"},
    "studio": {*BELOW, "workbench", "serve", "studio"},
    "cli": {*BELOW, "workbench", "serve", "studio", "cli"},
}
OPEN_NETWORKS = {"numpy", "torch", "transformers", "huggingface_hub", "gguf", "safetensors"}
THIRD_PARTY = {
    "core": {"numpy"},
    "stats": {"numpy"},
    "models": {"httpx2", "filelock", "xllamacpp", *OPEN_NETWORKS},
    "tasks": {"numpy"},
    "sandbox": {"pydantic_monty"},
    "techniques": {"numpy", "torch", "transformers", "tokenizers", "trl", "peft", "datasets"},
    "lab": {"numpy", "filelock"},
    "papers": set(),
    "report": {"rich", "jinja2", "markupsafe"},
    "workbench": set(),
    "serve": {"fastapi", "uvicorn", "starlette", "pydantic", "httpx2"},
    "studio": {"fastapi", "uvicorn", "starlette", "pydantic", "jinja2", "markupsafe"},
    "cli": {"uvicorn", "typer", "rich", "filelock", "numpy", "torch", "transformers", "watermark"},
}
LONGEST_FILE = 400
LONGEST_FUNCTION = 60
MOST_PARAMETERS = 8
MOST_FILES = 16


def files() -> list[Path]:
    return sorted(SOURCE.rglob("*.py"))


def package(path: Path) -> str:
    parts = path.relative_to(SOURCE).parts
    return parts[0] if len(parts) > 1 else ""


def imports(path: Path) -> Iterator[tuple[str, int]]:
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            yield from ((alias.name, node.lineno) for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            # Relative only in stats, which can be lifted out whole and renamed.
            assert node.level == 0 or package(path) == "stats", f"{path}: relative import"
            yield "assay.stats" if node.level else node.module or "", node.lineno


def test_every_package_is_in_the_table() -> None:
    assert {package(path) for path in files()} - {""} == set(MAY_IMPORT)


@pytest.mark.parametrize("path", files(), ids=lambda path: str(path.relative_to(SOURCE)))
def test_a_file_imports_only_what_its_package_may(path: Path) -> None:
    mine = package(path)
    if not mine:
        return
    for name, line in imports(path):
        top = name.partition(".")[0]
        if top == "assay":
            if mine in DOORS and name in OUTSIDE:
                continue
            target = name.split(".")[1] if "." in name else ""
            assert target in MAY_IMPORT[mine], f"{path}:{line} imports {name}"
            private = [part for part in name.split(".")[2:] if part.startswith("_")]
            assert not private or target == mine, f"{path}:{line} reaches into {name}"
        elif top not in sys.stdlib_module_names:
            assert top in THIRD_PARTY[mine], f"{path}:{line} imports {name}"


def test_cards_do_not_import_cards() -> None:
    for path in (SOURCE / "papers").glob("*.py"):
        own = [name for name, _ in imports(path) if name.startswith("assay.papers")]
        assert all(name.startswith("assay.papers.recipes") for name in own)


def test_shelves_import_only_what_another_shelf_shows() -> None:
    """A shelf may build on another, on what stands in its `__all__`; import cycles are looked for elsewhere."""
    for path in (SOURCE / "techniques").rglob("*/*.py"):
        shelf = path.relative_to(SOURCE / "techniques").parts[0]
        for name, line in imports(path):
            if name.startswith("assay.techniques.") and name.split(".")[2] != shelf:
                assert name.count(".") == 2, f"{path}:{line} reaches into {name}"


def test_torch_is_imported_only_where_networks_are_open_and_only_when_needed() -> None:
    allowed = ("models/network/", "techniques/logits/", "techniques/activations/", "techniques/training/", "cli/")
    for path in files():
        tree = ast.parse(path.read_text())
        at_top = {id(node) for node in tree.body}
        for node in ast.walk(tree):
            names = [alias.name for alias in node.names] if isinstance(node, ast.Import) else []
            names += [node.module or ""] if isinstance(node, ast.ImportFrom) else []
            if any(name.partition(".")[0] in ("torch", "transformers") for name in names):
                assert str(path.relative_to(SOURCE)).startswith(allowed), f"{path}:{node.lineno}"
                assert id(node) not in at_top, f"{path}:{node.lineno} imports it before it is needed"


def test_there_are_no_import_cycles() -> None:
    """Depth-first over modules; only imports at the top of a module can make a cycle."""
    modules = {".".join(("assay", *path.relative_to(SOURCE).with_suffix("").parts)): path for path in files()}
    modules = {name.removesuffix(".__init__"): path for name, path in modules.items()}
    graph: dict[str, set[str]] = {}
    for name, path in modules.items():
        tree = ast.parse(path.read_text())
        found: set[str] = set()
        for node in tree.body:
            if isinstance(node, ast.Import):
                found |= {alias.name for alias in node.names}
            elif isinstance(node, ast.ImportFrom):
                inside = {f"{node.module}.{alias.name}" for alias in node.names}
                found |= {full for full in inside if full in modules} or {node.module or ""}
        graph[name] = {target for target in found if target in modules and target != name}
    state: dict[str, int] = {}

    def visit(name: str, trail: tuple[str, ...]) -> None:
        if state.get(name) == 1:
            raise AssertionError(f"import cycle: {' -> '.join((*trail[trail.index(name) :], name))}")
        if state.get(name) == 2:
            return
        state[name] = 1
        for target in graph[name]:
            visit(target, (*trail, name))
        state[name] = 2

    for name in graph:
        visit(name, ())


@pytest.mark.parametrize("path", files(), ids=lambda path: str(path.relative_to(SOURCE)))
def test_files_and_functions_keep_their_size(path: Path) -> None:
    text = path.read_text()
    assert text.count("\n") <= LONGEST_FILE
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            assert (node.end_lineno or 0) - node.lineno < LONGEST_FUNCTION, f"{path}: {node.name} is long"
            arguments = node.args
            count = len(arguments.args) + len(arguments.posonlyargs) + len(arguments.kwonlyargs)
            count -= bool(arguments.args) and arguments.args[0].arg in ("self", "cls")
            # Options of a command are parameters of its function.
            if package(path) != "cli":
                assert count <= MOST_PARAMETERS, f"{path}: {node.name} has {count} parameters"


def test_folders_stay_small_and_names_say_something() -> None:
    for folder in [path for path in SOURCE.rglob("*") if path.is_dir() and path.name != "__pycache__"]:
        if folder.name != "papers":
            assert len(list(folder.glob("*.py"))) <= MOST_FILES + 4 * (folder.name == "lab"), folder
    vague = {"utils.py", "helpers.py", "common.py", "manager.py", "misc.py"}
    assert not [path for path in files() if path.name in vague or path.stem.endswith("_v2")]


def test_randomness_comes_only_from_a_generator_handed_in() -> None:
    for path in files():
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name) and node.value.id == "random":
                assert node.attr == "Random", f"{path}:{node.lineno} uses random.{node.attr}"
            if isinstance(node, ast.Attribute) and ast.unparse(node.value) in ("np.random", "numpy.random"):
                assert node.attr in ("default_rng", "Generator", "SFC64", "SeedSequence"), f"{path}:{node.lineno}"


@pytest.mark.parametrize(
    ("code", "unwanted"),
    [
        ("import assay", {"numpy", "torch", "httpx2", "rich", "pydantic"}),
        ("import assay.core", {"numpy", "torch", "httpx2", "rich"}),
        ("from assay.papers import all_papers; all_papers()", {"numpy", "torch", "httpx2", "rich", "xllamacpp"}),
        (
            "import sys; from assay.cli.app import run_command_line; run_command_line(['--help'])",
            {"numpy", "torch", "httpx2", "xllamacpp", "jinja2", "assay.lab", "assay.papers"},
        ),
    ],
)
def test_light_things_stay_light(code: str, unwanted: set[str]) -> None:
    show = f"{code}\nimport sys; print(' '.join(sys.modules), file=sys.stderr)"
    done = subprocess.run([sys.executable, "-c", show], capture_output=True, text=True, check=True)
    assert not unwanted & set(done.stderr.split())
