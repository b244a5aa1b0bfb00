"""One process per run, and what is known of a run whose process died."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest
from filelock import FileLock

from assay.core import UserError
from assay.lab.lease import began, holder, is_held, lease, state_of

HOLDING = """
import sys, time, pathlib
from assay.lab.lease import lease
with lease(pathlib.Path(sys.argv[1]), "pal-abcde"):
    print("held", flush=True)
    time.sleep(60)
"""


def held_elsewhere(folder: Path) -> subprocess.Popen[str]:
    process = subprocess.Popen([sys.executable, "-c", HOLDING, str(folder)], stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None
    assert process.stdout.readline() == "held\n"
    return process


def test_a_run_is_one_process_s_and_nobody_else_may_take_it(tmp_path: Path) -> None:
    process = held_elsewhere(tmp_path)
    try:
        assert holder(tmp_path, "pal-abcde") == process.pid
        assert state_of("pal-abcde", "running", tmp_path) == "running"
        with pytest.raises(UserError, match=f"process {process.pid}"), lease(tmp_path, "pal-abcde"):
            raise AssertionError("two processes are at one run")
        with lease(tmp_path, "pal-other"):
            assert holder(tmp_path, "pal-other") == os.getpid()
    finally:
        process.kill()
        process.wait()


def test_the_kernel_gives_back_what_a_killed_process_held(tmp_path: Path) -> None:
    process = held_elsewhere(tmp_path)
    process.send_signal(signal.SIGKILL)
    process.wait()
    assert holder(tmp_path, "pal-abcde") is None
    assert state_of("pal-abcde", "running", tmp_path) == "stopped"
    with lease(tmp_path, "pal-abcde"):
        assert holder(tmp_path, "pal-abcde") == os.getpid()
    assert holder(tmp_path, "pal-abcde") is None


def test_a_process_that_is_killed_is_gone_before_it_is_buried(tmp_path: Path) -> None:
    process = held_elsewhere(tmp_path)
    process.send_signal(signal.SIGKILL)
    os.waitid(os.P_PID, process.pid, os.WEXITED | os.WNOWAIT)
    # Its lock is taken and nobody has written who took it: the dead one is not believed.
    with FileLock(tmp_path / "pal-abcde.lock"):
        assert holder(tmp_path, "pal-abcde") is None
    assert state_of("pal-abcde", "running", tmp_path) == "stopped"
    process.wait()


@pytest.mark.parametrize("written", ["{pid}", "{pid} 1", "{pid} ", "", "x", "999999999 1", "-1 1"])
def test_a_stranger_with_the_same_number_is_not_the_holder(tmp_path: Path, written: str) -> None:
    with FileLock(tmp_path / "pal-abcde.lock"):
        (tmp_path / "pal-abcde.pid").write_text(written.format(pid=os.getppid()))
        assert holder(tmp_path, "pal-abcde") is None


def test_a_process_is_known_without_proc_too(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Path, "exists", lambda path: False)
    process = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(60)"])
    assert began(process.pid) == began(process.pid) != ""
    process.kill()
    os.waitid(os.P_PID, process.pid, os.WEXITED | os.WNOWAIT)
    assert began(process.pid) == ""
    process.wait()
    assert began(process.pid) == ""


def test_a_process_whose_number_says_nothing_here_is_known_by_its_lock(tmp_path: Path) -> None:
    process = held_elsewhere(tmp_path)
    # As from outside of the container that it runs in.
    (tmp_path / "pal-abcde.pid").write_text("999999999 1")
    assert holder(tmp_path, "pal-abcde") is None
    assert is_held(tmp_path, "pal-abcde")
    assert state_of("pal-abcde", "running", tmp_path) == "running"
    with pytest.raises(UserError, match="another process"), lease(tmp_path, "pal-abcde"):
        raise AssertionError("two processes are at one run")
    process.kill()
    process.wait()
    assert not is_held(tmp_path, "pal-abcde")
    assert state_of("pal-abcde", "running", tmp_path) == "stopped"


def test_two_who_look_do_not_take_each_other_for_a_holder(tmp_path: Path) -> None:
    (tmp_path / "pal-abcde.pid").write_text("999999999 1")
    (tmp_path / "pal-abcde.lock").touch()
    seen = set[bool]()
    end = time.monotonic() + 0.5

    def look() -> None:
        while time.monotonic() < end:
            seen.add(is_held(tmp_path, "pal-abcde"))

    lookers = [threading.Thread(target=look) for _ in range(3)]
    for looker in lookers:
        looker.start()
    for looker in lookers:
        looker.join()
    assert seen == {False}


def test_looking_does_not_keep_anybody_from_taking_it(tmp_path: Path) -> None:
    looks = (
        "import sys, time, pathlib\nfrom assay.lab.lease import is_held\nprint('looks', flush=True)\n"
        "end = time.monotonic() + 3\n"
        "while time.monotonic() < end: is_held(pathlib.Path(sys.argv[1]), 'pal-abcde')"
    )
    with lease(tmp_path, "pal-abcde"):
        pass
    # One that died: whoever looks has to try its lock.
    (tmp_path / "pal-abcde.pid").write_text("999999999 1")
    looker = subprocess.Popen([sys.executable, "-c", looks, str(tmp_path)], stdout=subprocess.PIPE, text=True)
    assert looker.stdout is not None
    looker.stdout.readline()
    end = time.monotonic() + 1.0
    taken = 0
    while time.monotonic() < end:
        with lease(tmp_path, "pal-abcde"):
            taken += 1
    looker.kill()
    looker.wait()
    assert taken > 0
