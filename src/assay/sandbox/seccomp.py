"""A system-call filter: what no model-written program needs and what reaches past the namespaces.

New processes, so that the memory limit of one process is the limit of the program; sockets, because
AF_VSOCK and AF_ALG know no network namespace; System V and memfd memory, which RLIMIT_AS does not
count; keyrings, tracing and mounts. Refused calls fail with EPERM. Runs inside the sandbox.
"""

from __future__ import annotations

import ctypes
import os
import struct

# Name: number on x86_64, number on the architectures with the generic table (aarch64, riscv64).
REFUSED = {
    "fork": (57, None),
    "vfork": (58, None),
    "execve": (59, 221),
    "execveat": (322, 281),
    "socket": (41, 198),
    "ptrace": (101, 117),
    "process_vm_readv": (310, 270),
    "process_vm_writev": (311, 271),
    "pidfd_getfd": (438, 438),
    "kcmp": (312, 272),
    "shmget": (29, 194),
    "semget": (64, 190),
    "msgget": (68, 186),
    "mq_open": (240, 180),
    "memfd_create": (319, 279),
    "memfd_secret": (447, 447),
    "add_key": (248, 217),
    "request_key": (249, 218),
    "keyctl": (250, 219),
    "unshare": (272, 97),
    "setns": (308, 268),
    "chroot": (161, 51),
    "pivot_root": (155, 41),
    "mount": (165, 40),
    "umount2": (166, 39),
    "open_tree": (428, 428),
    "move_mount": (429, 429),
    "fsopen": (430, 430),
    "mount_setattr": (442, 442),
    "open_by_handle_at": (304, 265),
    "bpf": (321, 280),
    "perf_event_open": (298, 241),
    "userfaultfd": (323, 282),
    "io_uring_setup": (425, 425),
}
CLONE = (56, 220)
CLONE3 = (435, 435)
CLONE_THREAD = 0x00010000
X32_CALLS = 0x40000000  # the second numbering of the same calls on x86_64
ARCHITECTURES = {"x86_64": (0, 0xC000003E), "aarch64": (1, 0xC00000B7), "riscv64": (1, 0xC00000F3)}

LOAD, JUMP_EQUAL, JUMP_AT_LEAST, JUMP_BITS, RETURN = 0x20, 0x15, 0x35, 0x45, 0x06
ALLOW, KILL, FAIL = 0x7FFF0000, 0x80000000, 0x00050000
EPERM, ENOSYS = 1, 38
NUMBER, ARCHITECTURE, FIRST_ARGUMENT = 0, 4, 16  # offsets into struct seccomp_data


def filter_program(machine: str) -> bytes:
    """The filter as BPF instructions; KeyError on an architecture whose numbers are not known."""
    column, audit_number = ARCHITECTURES[machine]
    code = [(LOAD, 0, 0, ARCHITECTURE), (JUMP_EQUAL, 1, 0, audit_number), (RETURN, 0, 0, KILL)]
    code += [(LOAD, 0, 0, NUMBER)]
    code += [(JUMP_AT_LEAST, 0, 1, X32_CALLS), (RETURN, 0, 0, FAIL | EPERM)]
    for numbers in REFUSED.values():
        number = numbers[column]
        if number is not None:
            code += [(JUMP_EQUAL, 0, 1, number), (RETURN, 0, 0, FAIL | EPERM)]
    # clone3 hides its flags behind a pointer; where it is unknown glibc makes threads with clone.
    code += [(JUMP_EQUAL, 0, 1, CLONE3[column]), (RETURN, 0, 0, FAIL | ENOSYS)]
    code += [(JUMP_EQUAL, 0, 3, CLONE[column]), (LOAD, 0, 0, FIRST_ARGUMENT)]
    code += [(JUMP_BITS, 1, 0, CLONE_THREAD), (RETURN, 0, 0, FAIL | EPERM)]
    code += [(RETURN, 0, 0, ALLOW)]
    return b"".join(struct.pack("HBBI", *instruction) for instruction in code)


def install_filter(libc: ctypes.CDLL) -> None:
    """Put the calling process under the filter for good; needs no_new_privs, which bwrap sets."""
    program = filter_program(os.uname().machine)
    instructions = ctypes.create_string_buffer(program, len(program))
    header = struct.pack("HP", len(program) // 8, ctypes.addressof(instructions))
    set_seccomp, filter_mode = 22, 2
    if libc.prctl(set_seccomp, filter_mode, header, 0, 0) != 0:
        raise OSError(ctypes.get_errno(), "the system-call filter was refused")
