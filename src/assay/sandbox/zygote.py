"""The process that forks once per program. This source is executed inside bubblewrap.

    assay ── bwrap ── zygote ─┬─ supervisor ── program   (own user, pid, mount and ipc namespaces)
                              └─ supervisor ── program

The program is process 1 of its own pid namespace: when the supervisor kills it, or it ends, the
kernel kills all it started. It cannot name the supervisor, the zygote or another program, and has
its own empty /tmp and no /proc. The supervisor holds the leash, a socket to assay: it reads the
request from it, reports the end on it, and kills the program when assay lets go.
"""

from __future__ import annotations

import ctypes
import gc
import io
import json
import os
import resource
import select
import signal
import socket
import struct
import sys
import time
from typing import Any

from assay.sandbox.program import run_program
from assay.sandbox.seccomp import install_filter

NEW_USER, NEW_PID, NEW_MOUNTS, NEW_IPC = 0x10000000, 0x20000000, 0x00020000, 0x08000000
READ_ONLY, NO_SUID, NO_DEVICES = 1, 2, 4
TMP_BYTES = 16 << 20
PROCESSES = 32
OPEN_FILES = 64
REPORT = 3  # the file descriptor on which a program's nonce comes in and its report goes out
NONCE_BYTES = 32


def serve(control: socket.socket) -> None:
    """Fork one supervisor per message, which carries its leash, output and report descriptors."""
    signal.signal(signal.SIGINT, signal.SIG_DFL)
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)  # supervisors are reaped by the kernel
    libc = ctypes.CDLL(None, use_errno=True)
    gc.freeze()
    while True:
        message, descriptors, _, _ = socket.recv_fds(control, 1, 3)
        if not message:
            return
        if os.fork() == 0:
            try:
                control.close()
                supervise(libc, socket.socket(fileno=descriptors[0]), descriptors[1], descriptors[2])
            finally:
                os._exit(0)
        for descriptor in descriptors:
            os.close(descriptor)


def supervise(libc: ctypes.CDLL, leash: socket.socket, output: int, report: int) -> None:
    """Run one program to its end or its limit, and say on the leash how its process ended."""
    signal.signal(signal.SIGCHLD, signal.SIG_DFL)
    try:
        length = struct.unpack("!I", leash.recv(4, socket.MSG_WAITALL))[0]
        request = json.loads(leash.recv(length, socket.MSG_WAITALL))
        memory = own_bytes() + (request["memory_mb"] << 20)
        enter_namespaces(libc)
    except Exception as error:
        leash.sendall(json.dumps({"refused": f"{type(error).__name__}: {error}"}).encode())
        return
    began = time.monotonic()
    child = os.fork()
    if child == 0:
        leash.close()
        be_the_program(libc, request, memory, output, report)
    os.close(output)
    os.close(report)
    end_of_child = os.pidfd_open(child)
    ready, _, _ = select.select([end_of_child, leash.fileno()], [], [], request["seconds"])
    if end_of_child not in ready:
        os.kill(child, signal.SIGKILL)
    _, status, used = os.wait4(child, 0)
    end = {
        "timed_out": not ready,
        "exit": os.waitstatus_to_exitcode(status),
        "seconds": time.monotonic() - began,
        "cpu_seconds": used.ru_utime + used.ru_stime,
    }
    leash.sendall(json.dumps(end).encode())


def own_bytes() -> int:
    """The address space of this process, which RLIMIT_AS counts along with the program's."""
    with open("/proc/self/statm") as file:
        return int(file.read().split()[0]) * resource.getpagesize()


def enter_namespaces(libc: ctypes.CDLL) -> None:
    """Own user, pid, mount and ipc namespaces: the children are there, with an empty /tmp and /proc."""
    user, group = os.getuid(), os.getgid()
    call(libc.unshare(NEW_USER | NEW_PID | NEW_MOUNTS | NEW_IPC), "unshare")
    for name, text in (
        ("setgroups", "deny"),
        ("uid_map", f"{user} {user} 1"),
        ("gid_map", f"{group} {group} 1"),
    ):
        with open(f"/proc/self/{name}", "w") as file:
            file.write(text)
    size = f"size={TMP_BYTES},nr_inodes=1024,mode=700".encode()
    call(libc.mount(b"tmpfs", b"/tmp", b"tmpfs", NO_SUID | NO_DEVICES, size), "mount /tmp")
    empty = READ_ONLY | NO_SUID | NO_DEVICES
    call(libc.mount(b"tmpfs", b"/proc", b"tmpfs", empty, b"size=4096"), "mount /proc")
    os.chdir("/tmp")


def call(result: int, what: str) -> None:
    """Raise where a C library call reports failure."""
    if result != 0:
        number = ctypes.get_errno()
        raise OSError(number, f"{what}: {os.strerror(number)}")


def be_the_program(libc: ctypes.CDLL, request: dict[str, Any], memory: int, output: int, report: int) -> None:
    """Become the program: descriptors, limits, no privileges, then its code. Does not return."""
    try:
        arrange_descriptors(request["stdin"], output, report)
        deliver = make_deliver()
        drop_privileges(libc, request["seconds"], memory)
        # Pushed before the program runs and found in no frame, the nonce is out of reach of its code.
        deliver(os.read(REPORT, NONCE_BYTES), run_program(request["code"], request["entry"]))
    finally:
        os._exit(0)


def make_deliver() -> Any:
    """The function that sends the report, bound before the program can replace what it calls."""
    dumps, send, own_id, flush, leave = json.dumps, os.write, os.getpid, sys.stdout.flush, os._exit

    def deliver(nonce: bytes, report: dict[str, Any]) -> None:
        try:
            flush()
        except BaseException as error:
            if report["ended"] == "ok":
                report = {"ended": "error", "error": f"{type(error).__name__}: {error}"}
        payload = nonce + dumps(report).encode()
        while payload and own_id() == 1:  # a forked copy of the program has nothing to say
            payload = payload[send(REPORT, payload) :]
        leave(0)

    return deliver


def arrange_descriptors(stdin: str, output: int, report: int) -> None:
    """0 is the given text, 1 the output, 2 nothing, 3 the report; every other one is closed."""
    text = os.memfd_create("stdin")
    with os.fdopen(os.dup(text), "wb") as file:
        file.write(stdin.encode())
    os.lseek(text, 0, os.SEEK_SET)
    nothing = os.open("/dev/null", os.O_WRONLY)
    sources = [os.dup2(source, 100 + place) for place, source in enumerate((text, output, nothing, report))]
    for place, source in enumerate(sources):
        os.dup2(source, place)
    os.closerange(REPORT + 1, 1 << 16)
    # The C locale would let lone surrogates through; by line, so that a killed program's prints stand.
    streams = io.FileIO(0), io.FileIO(1, "w"), io.FileIO(2, "w")
    sys.stdin = io.TextIOWrapper(io.BufferedReader(streams[0]), encoding="utf-8")
    sys.stdout = io.TextIOWrapper(io.BufferedWriter(streams[1]), encoding="utf-8", line_buffering=True)
    sys.stderr = io.TextIOWrapper(io.BufferedWriter(streams[2]), encoding="utf-8", line_buffering=True)


def drop_privileges(libc: ctypes.CDLL, seconds: float, memory: int) -> None:
    """Limits, no capabilities, the system-call filter: in this order, for good."""
    limits = {
        resource.RLIMIT_CPU: int(seconds) + 2,
        resource.RLIMIT_NPROC: PROCESSES,
        resource.RLIMIT_FSIZE: TMP_BYTES,
        resource.RLIMIT_NOFILE: OPEN_FILES,
        resource.RLIMIT_CORE: 0,
        resource.RLIMIT_MSGQUEUE: 0,
        resource.RLIMIT_MEMLOCK: 0,
        resource.RLIMIT_AS: memory,
    }
    for limit, bound in limits.items():
        resource.setrlimit(limit, (bound, bound))
    header = struct.pack("Ii", 0x20080522, 0)  # _LINUX_CAPABILITY_VERSION_3, this process
    call(libc.capset(header, bytes(24)), "capset")
    install_filter(libc)


if __name__ == "__main__":
    serve(socket.socket(fileno=int(sys.argv[1])))
