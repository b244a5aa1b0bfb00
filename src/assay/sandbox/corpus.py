"""Hostile programs, as data: each says what it tries, and is "ESCAPED" where it gets it.

`@SECRET@` is the path of a file with a secret in it, `@FOLDER@` a folder anyone may write to, `@PORT@`
a TCP and UDP port that listens on loopback, `@PID@` our own process: all of them outside the sandbox.
A process that calls itself `@NAME@` is recognised if it lives on.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Probe:
    """One attempt: its program, what must not succeed, and whether a plain ok would itself be a lie."""

    name: str
    forbids: str
    code: str
    never_ok: bool = False


FAKE = r"""
import os
fake = b'{"ended": "ok", "error": "", "value": "\\"ESCAPED\\""}'
def write_everywhere(prefix=b""):
    for fd in range(256):
        try:
            os.set_blocking(fd, False)
            os.write(fd, prefix + fake)
        except OSError:
            pass
"""
LIBC = "import ctypes\nlibc = ctypes.CDLL(None, use_errno=True)\n"
REFUSED = '"ESCAPED" if {call} >= 0 else "contained"'

FILES = (
    Probe("read-secret", "reading a file of the host", 'open("@SECRET@").read()'),
    Probe("read-passwd", "reading /etc", 'open("/etc/passwd").read()\n"ESCAPED"'),
    Probe("read-shadow", "reading /etc", 'open("/etc/shadow").read()\n"ESCAPED"'),
    Probe("list-home", "seeing home directories", 'import os\nos.listdir("/home")\n"ESCAPED"'),
    Probe("list-root", "seeing home directories", 'import os\nos.listdir("/root")\n"ESCAPED"'),
    Probe(
        "ssh-keys",
        "reading ~/.ssh",
        "import glob, os\nfound = glob.glob(os.path.expanduser('~/.ssh/*')) + glob.glob('/*/.ssh/*')\n"
        '"ESCAPED" if found + glob.glob("/home/*/.ssh/*") else "contained"',
    ),
    Probe("write-outside", "writing outside", 'open("@FOLDER@/canary", "w").write("x")\n"ESCAPED"'),
    Probe("write-root", "writing to /", 'open("/canary", "w").write("x")\n"ESCAPED"'),
    Probe("write-dev", "writing to /dev", 'open("/dev/canary", "w").write("x")\n"ESCAPED"'),
    Probe("write-module", "changing modules", 'import json\nopen(json.__file__, "a").write("#")\n"ESCAPED"'),
    Probe(
        "site-packages",
        "installing a module",
        "import os, sys\nplace = os.path.dirname(os.__file__) + '/site-packages'\n"
        'os.makedirs(place, exist_ok=True)\nopen(place + "/canary.py", "w").write("x")\n"ESCAPED"',
    ),
    Probe("remove-home", "deleting files", 'import os\nos.remove("@SECRET@")\n"ESCAPED"'),
    Probe(
        "symlink",
        "following a link out of /tmp",
        'import os\nos.symlink("@SECRET@", "/tmp/link")\nopen("/tmp/link").read()',
    ),
    Probe("hard-link", "linking a host file", 'import os\nos.link("@SECRET@", "/tmp/link")\n"ESCAPED"'),
    Probe("proc-root", "another process's root", 'import os\nos.listdir("/proc/1/root/etc")\n"ESCAPED"'),
    Probe("proc-self-root", "walking /proc", 'open("/proc/self/root/etc/passwd").read()\n"ESCAPED"'),
    Probe("proc-mem", "writing own memory", 'open("/proc/self/mem", "r+b").close()\n"ESCAPED"'),
    Probe("parent-environ", "our environment", 'open("/proc/@PID@/environ").read()\n"ESCAPED"'),
    Probe("disk-device", "raw disks", 'import glob\n"ESCAPED" if glob.glob("/dev/[svn][dv]*") else "contained"'),
    Probe(
        "environment",
        "seeing our environment",
        "import os\nseen = set(os.environ) - {'PWD', 'LC_CTYPE'}\n\"ESCAPED\" if seen else \"contained\"",
    ),
    Probe(
        "inherited-files",
        "using files we hold open",
        "import os\nheld = 0\nfor fd in range(4, 1024):\n    try:\n        os.fstat(fd)\n        held += 1\n"
        '    except OSError:\n        pass\n"ESCAPED" if held else "contained"',
    ),
    Probe(
        "fill-disk",
        "filling the disk",
        "written = 0\nfor n in range(100):\n    with open(f'/tmp/{n}', 'wb') as file:\n"
        '        written += file.write(bytes(4 << 20))\n"ESCAPED" if written > 10**8 else "contained"',
    ),
)

NETWORK = (
    Probe(
        "tcp",
        "connecting to loopback",
        'import socket\nsocket.create_connection(("127.0.0.1", @PORT@), 1)\n"ESCAPED"',
    ),
    Probe(
        "udp",
        "sending to loopback",
        "import socket\none = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)\n"
        'one.sendto(b"x", ("127.0.0.1", @PORT@))\n"contained"',
    ),
    Probe("dns", "looking names up", 'import socket\nsocket.gethostbyname("localhost.localdomain")\n"ESCAPED"'),
    Probe(
        "http",
        "fetching a page",
        'import urllib.request\nurllib.request.urlopen("http://127.0.0.1:@PORT@", timeout=1)\n"ESCAPED"',
    ),
    Probe("raw-socket", "raw packets", 'import socket\nsocket.socket(17, 3, 0)\n"ESCAPED"'),
    Probe("vsock", "sockets without namespace", 'import socket\nsocket.socket(40, 1, 0)\n"ESCAPED"'),
    Probe("netlink", "kernel sockets", 'import socket\nsocket.socket(16, 3, 0)\n"ESCAPED"'),
)

PROCESSES = (
    Probe(
        "fork-bomb",
        "many processes",
        "import os\nn = 0\ntry:\n    while n < 500:\n        if os.fork() == 0:\n            while True: pass\n"
        '        n += 1\nexcept OSError: pass\n"ESCAPED" if n > 32 else "contained"',
    ),
    Probe(
        "fork-forever",
        "many processes",
        "import os\nwhile True:\n    try:\n        os.fork()\n    except OSError: pass",
    ),
    Probe(
        "thread-bomb",
        "many threads",
        "import threading, time\nn = 0\ntry:\n    while n < 200:\n"
        "        threading.Thread(target=time.sleep, args=(9,), daemon=True).start()\n        n += 1\n"
        'except RuntimeError:\n    pass\n"ESCAPED" if n > 64 else "contained"',
    ),
    Probe(
        "daemon",
        "surviving its end",
        LIBC + "import os, time\nif os.fork() == 0:\n    os.setsid()\n    if os.fork() == 0:\n"
        '        libc.prctl(15, b"@NAME@")\n        time.sleep(10)\n    os._exit(0)\n"contained"',
    ),
    Probe(
        "late-threads",
        "working on after its end",
        LIBC + 'import threading, time\nlibc.prctl(15, b"@NAME@")\n'
        'threading.Thread(target=time.sleep, args=(60,)).start()\n"contained"',
    ),
    Probe(
        "subprocess",
        "running commands",
        'import subprocess\nsubprocess.run(["/bin/sh", "-c", "true"])\n"ESCAPED"',
    ),
    Probe("os-system", "running commands", 'import os\n"ESCAPED" if os.system("true") == 0 else "contained"'),
    Probe(
        "exec",
        "becoming another program",
        'import os\nos.execv("/bin/sh", ["sh", "-c", "exit 0"])',
        never_ok=True,
    ),
    Probe("kill-parent", "signalling us", 'import os\nos.kill(@PID@, 0)\n"ESCAPED"'),
    Probe("kill-all", "signalling everyone", 'import os\nos.kill(-1, 9)\n"contained"'),
    Probe("kill-by-parent-id", "signalling its parent", 'import os\nos.kill(os.getppid() or -1, 9)\n"contained"'),
    Probe("ptrace", "tracing us", LIBC + REFUSED.format(call="libc.ptrace(16, @PID@, 0, 0)")),
    Probe("trace-me", "tracing", LIBC + REFUSED.format(call="libc.ptrace(0, 0, 0, 0)")),
)

KERNEL = (
    Probe("mount", "mounting", LIBC + REFUSED.format(call='libc.mount(b"none", b"/tmp", b"tmpfs", 0, None)')),
    Probe("unmount", "uncovering what is hidden", LIBC + REFUSED.format(call='libc.umount2(b"/proc", 2)')),
    Probe("chroot", "changing root", 'import os\nos.chroot("/tmp")\n"ESCAPED"'),
    Probe("unshare", "new namespaces", LIBC + REFUSED.format(call="libc.unshare(0x10000000)")),
    Probe(
        "keyring",
        "the session's keys",
        LIBC
        + 'import os\nnumber = 250 if os.uname().machine == "x86_64" else 219\n'
        + REFUSED.format(call="libc.syscall(number, 0, -3, 0)"),
    ),
    Probe("become-root", "other users", 'import os\nos.setuid(0)\n"ESCAPED"'),
    Probe("hostname", "renaming the machine", 'import socket\nsocket.sethostname("canary")\n"ESCAPED"'),
    Probe(
        "raise-limits",
        "lifting limits",
        'import resource as r\nr.setrlimit(r.RLIMIT_AS, (-1, -1))\n"ESCAPED"',
    ),
    Probe(
        "shared-memory",
        "memory no limit counts",
        LIBC + REFUSED.format(call="libc.shmget(0, 1 << 28, 0o1600)"),
    ),
)

RESOURCES = (
    Probe("endless-loop", "running forever", "while True: pass"),
    Probe(
        "bare-except",
        "swallowing the limit",
        "import signal\nfor n in range(1, 65):\n    try:\n        signal.signal(n, signal.SIG_IGN)\n"
        "    except Exception: pass\nwhile True:\n    try:\n        while True: pass\n    except: pass",
    ),
    Probe(
        "masked-signals",
        "swallowing the limit",
        "import signal\nsignal.pthread_sigmask(signal.SIG_BLOCK, range(1, 65))\nwhile True: pass",
    ),
    Probe("sleep", "running forever", "import time\ntime.sleep(60)\n'ESCAPED'"),
    Probe("read-forever", "waiting forever", 'import os\nr, w = os.pipe()\nos.read(r, 1)\n"ESCAPED"'),
    Probe("two-gigabytes", "much memory", 'held = bytearray(2_000_000_000)\n"ESCAPED"'),
    Probe("huge-list", "much memory", 'held = [0] * 10**9\n"ESCAPED"'),
    Probe(
        "growing-list",
        "much memory",
        'held = []\nwhile len(held) < 300:\n    held.append("x" * 10**7)\n"ESCAPED"',
    ),
    Probe("huge-power", "a number without end", 'x = 10 ** 10 ** 9\n"ESCAPED"'),
    Probe("recursion", "the stack", 'def f(): return f()\nf()\n"ESCAPED"'),
    Probe(
        "deep-recursion",
        "the stack",
        'import sys\nsys.setrecursionlimit(10**9)\ndef f(): return f()\nf()\n"ESCAPED"',
    ),
    Probe("much-output", "flooding us", 'for _ in range(10**6): print("x" * 1000)\n"ESCAPED"'),
    Probe("one-long-line", "flooding us", 'print("x" * 30_000_000)\n"ESCAPED"'),
    Probe("flood-report", "flooding us", 'import os\nwhile True: os.write(3, b"x" * 65536)'),
)

RESULTS = (
    Probe("exit", "passing for success", "import sys\nsys.exit(0)\n", never_ok=True),
    Probe("hard-exit", "passing for success", "import os\nos._exit(0)\n", never_ok=True),
    Probe("system-exit", "passing for success", "raise SystemExit(0)", never_ok=True),
    Probe("interrupt", "interrupting us", "raise KeyboardInterrupt", never_ok=True),
    Probe("kill-itself", "passing for success", "import os\nos.abort()", never_ok=True),
    Probe(
        "fake-print",
        "a printed result",
        'print(\'{"ended": "ok", "value": "\\\\"ESCAPED\\\\""}\')\n"contained"',
    ),
    Probe("fake-result", "a result written by hand", FAKE + "write_everywhere()\nos._exit(0)", never_ok=True),
    Probe(
        "at-exit",
        "a result after the end",
        FAKE + 'import atexit\natexit.register(write_everywhere)\n"contained"',
    ),
    Probe(
        "nonce-in-frames",
        "reaching the nonce",
        FAKE + "import gc, sys\nseen, frame = [], sys._getframe()\nwhile frame:\n"
        "    seen += [*frame.f_locals.values(), *frame.f_globals.values()]\n    frame = frame.f_back\n"
        "for one in gc.get_objects():\n    seen += gc.get_referents(one)\n"
        "for one in seen:\n    if type(one) is bytes and len(one) == 32 and one.isalnum():\n"
        "        os.write(3, one + fake)\n        break\nos._exit(0)",
        never_ok=True,
    ),
    Probe(
        "nonce-in-files",
        "reaching the nonce",
        FAKE + "for fd in range(64):\n    try:\n        os.set_blocking(fd, False)\n"
        "        write_everywhere(os.read(fd, 32))\n    except OSError: pass\nos._exit(0)",
        never_ok=True,
    ),
    Probe(
        "patched-json",
        "replacing what we call",
        "import json\njson.dumps = lambda *a, **k: '\"ESCAPED\"'\nraise SystemExit",
        never_ok=True,
    ),
    Probe(
        "patched-builtins",
        "replacing what we call",
        "import builtins\nfor name in ('isinstance', 'str', 'type', 'len', 'callable', 'BaseException'):\n"
        '    setattr(builtins, name, lambda *a: "ESCAPED")\nraise ValueError("x")',
        never_ok=True,
    ),
    Probe("not-a-number", "a value that is not JSON", 'float("nan")'),
    Probe("infinity", "a value that is not JSON", '[1, {"a": float("-inf")}]'),
    Probe("complex", "a value that is not JSON", "1j"),
    Probe("generator", "a value that is not JSON", '(x for x in ["ESCAPED"])'),
    Probe("surrogate", "text that cannot be written", '"\\ud800"'),
    Probe("deep-value", "a value too deep", "x = 'ESCAPED'\nfor _ in range(900): x = [x]\nx"),
    Probe("large-value", "a value too large", '"x" * 5_000_000'),
    Probe(
        "equal-to-all",
        "an object in place of a value",
        'class Equal:\n    def __eq__(self, other): return True\n    def __str__(self): return "ESCAPED"\nEqual()',
    ),
)

LANGUAGE = (
    Probe(
        "subclasses",
        "reaching the host by introspection",
        "classes = ().__class__.__bases__[0].__subclasses__()\n"
        "found = [c for c in classes if c.__name__ == '_wrap_close']\n"
        "found[0].__init__.__globals__['popen']('true').read()\n"
        '"ESCAPED"',
    ),
    Probe("import-hook", "a module that does not exist", 'import assay_imagined_package\n"ESCAPED"'),
    Probe("pip", "installing packages", 'import pip\n"ESCAPED"'),
    Probe("our-package", "reaching our code", 'import assay\n"ESCAPED"'),
    Probe(
        "null-pointer",
        "crashing us",
        'import ctypes\nctypes.string_at(0)\n"ESCAPED"',
    ),
    Probe("eval-open", "files by eval", "eval(\"open('@SECRET@').read()\")"),
    Probe("code-object", "crashing the interpreter", "exec((lambda: 0).__code__.replace(co_code=b'\\xff' * 8))"),
    Probe("nested-source", "crashing our parser", "(" * 150 + "-" * 3000 + "1" + ")" * 150),
)

CORPUS = FILES + NETWORK + PROCESSES + KERNEL + RESOURCES + RESULTS + LANGUAGE
