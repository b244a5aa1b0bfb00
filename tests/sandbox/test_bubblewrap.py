"""The box itself: its zygote, its refusal, and what the seccomp filter says."""

import asyncio
import os
import shutil
import signal
import struct
import time
from pathlib import Path

import pytest

from assay.core import Ended, Execute, SandboxMissing
from assay.sandbox import AutomaticSandbox, BubblewrapSandbox, open_bubblewrap, open_sandbox
from assay.sandbox import bubblewrap as module
from assay.sandbox.seccomp import REFUSED, filter_program


def test_the_zygote_is_restarted(bubblewrap: BubblewrapSandbox) -> None:
    bubblewrap.execute(Execute("1"))
    first = bubblewrap.zygote_id
    assert first is not None
    os.kill(first, signal.SIGKILL)
    assert bubblewrap.execute(Execute("1 + 1")).value == 2
    assert bubblewrap.zygote_id not in (None, first)


def test_a_program_under_way_survives_its_zygote(bubblewrap: BubblewrapSandbox) -> None:
    bubblewrap.execute(Execute("1"))
    under_way = bubblewrap.start(Execute("import time\ntime.sleep(0.5)\n'done'"))
    time.sleep(0.2)
    os.kill(bubblewrap.zygote_id or 0, signal.SIGKILL)
    assert under_way.result().value == "done"


def test_two_sandboxes_have_their_own_zygotes(bubblewrap: BubblewrapSandbox) -> None:
    other = BubblewrapSandbox()
    assert other.execute(Execute("1")).value == bubblewrap.execute(Execute("1")).value == 1
    assert other.zygote_id != bubblewrap.zygote_id
    zygote = other.zygote_id
    asyncio.run(other.close())
    assert not Path(f"/proc/{zygote}").exists()


def test_no_rights_inside(bubblewrap: BubblewrapSandbox) -> None:
    code = "import os, resource as r\n[os.getuid() != 0, os.getgroups(), r.getrlimit(r.RLIMIT_NPROC)[1]]"
    not_root, groups, processes = bubblewrap.execute(Execute(code)).value
    assert not_root
    assert processes == 32
    assert set(groups) <= {65534}


def test_memory_that_children_and_files_take_is_bounded(bubblewrap: BubblewrapSandbox) -> None:
    code = "import os\nos.memfd_create('x')"
    assert bubblewrap.execute(Execute(code)).error.startswith("PermissionError")


def test_a_bwrap_that_cannot_make_namespaces(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    broken = tmp_path / "bwrap"
    broken.write_text("#!/bin/sh\necho 'bwrap: No permissions to create new namespace' >&2\nexit 1\n")
    broken.chmod(0o755)
    tmp_path.chmod(0o755)
    real = shutil.which
    found = {"bwrap": "/bin/false", "setpriv": real("setpriv")}
    monkeypatch.setattr(module.shutil, "which", lambda name, path=None: found.get(name) or real(name, path=path))
    with pytest.raises(SandboxMissing, match="apt-get install bubblewrap"):
        asyncio.run(open_bubblewrap())
    monkeypatch.setattr(module, "box_command", lambda: [str(broken)])
    with pytest.raises(SandboxMissing, match="No permissions to create new namespace"):
        asyncio.run(open_bubblewrap())


def test_a_box_without_its_filter_is_refused(
    bubblewrap: BubblewrapSandbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    sources = module.box_sources()
    sources["assay.sandbox.seccomp"] = "def install_filter(libc): raise OSError('no seccomp here')"
    monkeypatch.setattr(module, "box_sources", lambda: sources)
    with pytest.raises(SandboxMissing, match="bubblewrap does not work here"):
        asyncio.run(open_bubblewrap())


def test_neither_tier_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module.shutil, "which", lambda name, path=None: None)
    monkeypatch.setitem(__import__("sys").modules, "pydantic_monty", None)
    with pytest.raises(SandboxMissing) as refused:
        asyncio.run(open_sandbox())
    assert 'pip install "assay[sandbox]" or apt-get install bubblewrap' in str(refused.value)


def test_one_tier_is_enough(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(__import__("sys").modules, "pydantic_monty", None)
    only = asyncio.run(open_sandbox()) if shutil.which("bwrap") else None
    if only is None:
        pytest.skip("there is no bwrap on this machine")
    assert only.name == "bubblewrap"
    asyncio.run(only.close())


def test_monty_alone_says_what_it_lacks(monkeypatch: pytest.MonkeyPatch) -> None:
    pytest.importorskip("pydantic_monty")
    monkeypatch.setattr(module.shutil, "which", lambda name, path=None: None)
    only = asyncio.run(open_sandbox())
    got = asyncio.run(only.run(Execute("import heapq\nheapq.heappop([1])")))
    asyncio.run(only.close())
    assert (only.name, got.ended) == ("monty", Ended.ERROR)
    assert "No module named 'heapq'" in got.error
    assert "bubblewrap runs all of it" in got.error


def test_both_tiers_make_the_automatic_one(bubblewrap: BubblewrapSandbox) -> None:
    pytest.importorskip("pydantic_monty")
    both = asyncio.run(open_sandbox())
    assert isinstance(both, AutomaticSandbox)
    asyncio.run(both.close())


@pytest.mark.parametrize(("machine", "column"), [("x86_64", 0), ("aarch64", 1)])
def test_the_filter_refuses_by_number(machine: str, column: int) -> None:
    """Run the filter as the kernel would, for each call of the table and for some that are allowed."""
    audit = {"x86_64": 0xC000003E, "aarch64": 0xC00000B7}[machine]

    def verdict(number: int, architecture: int = audit, flags: int = 0) -> int:
        code = list(struct.iter_unpack("HBBI", filter_program(machine)))
        words = {0: number, 4: architecture, 16: flags}
        register, at = 0, 0
        while True:
            operation, yes, no, value = code[at]
            at += 1
            if operation == 0x20:
                register = words[value]
            elif operation == 0x06:
                return value
            else:
                test = {0x15: register == value, 0x35: register >= value, 0x45: bool(register & value)}
                at += yes if test[operation] else no

    allowed, refused = 0x7FFF0000, 0x00050001
    clone, read = ((56, 0), (220, 63))[column]
    for numbers in REFUSED.values():
        if numbers[column] is not None:
            assert verdict(numbers[column]) == refused
    assert verdict(read) == allowed
    assert verdict(clone) == refused
    assert verdict(clone, flags=0x00010000) == allowed
    assert verdict(435) == 0x00050000 | 38
    assert verdict(read, architecture=0x40000003) == 0x80000000
    if machine == "x86_64":
        assert verdict(0x40000000 | 57) == refused


def test_an_unknown_architecture_is_refused() -> None:
    with pytest.raises(KeyError):
        filter_program("vax")
