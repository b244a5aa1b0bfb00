"""Every hostile program is contained on every tier; and the probes do notice a box that leaks."""

import asyncio
import json
import subprocess
import sys

import pytest

from assay.core import Ended, Execute, Execution
from assay.sandbox import CORPUS, AutomaticSandbox, BlockingSandbox, ProbeResult, run_probes


def escapes(results: list[ProbeResult]) -> dict[str, str]:
    return {result.probe.name: result.escape for result in results if not result.contained}


def test_the_corpus_is_large_and_its_names_differ() -> None:
    assert len(CORPUS) >= 50
    assert len({probe.name for probe in CORPUS}) == len(CORPUS)


def test_every_probe_is_contained(sandbox: BlockingSandbox) -> None:
    results = asyncio.run(run_probes(sandbox))
    assert escapes(results) == {}
    assert len(results) == len(CORPUS)
    assert sum(result.seconds for result in results) < 60


def test_every_probe_is_contained_by_the_automatic_sandbox(automatic: AutomaticSandbox) -> None:
    assert escapes(asyncio.run(run_probes(automatic))) == {}


def test_the_nonce_is_nowhere_in_reach(bubblewrap: BlockingSandbox) -> None:
    """More than the probe: nothing of 32 characters that looks like one, in frames, objects or files."""
    code = (
        "import gc, os, re, sys\nseen, frame = [], sys._getframe()\nwhile frame:\n"
        "    seen += [*frame.f_locals.values(), *frame.f_globals.values()]\n    frame = frame.f_back\n"
        "for one in gc.get_objects():\n    seen += gc.get_referents(one)\n"
        "texts = [str(one) for one in seen if type(one) in (bytes, str, bytearray)]\n"
        "[len(texts) > 100, [t for t in texts if re.fullmatch(r\"(b')?[0-9a-f]{32}'?\", t)]]"
    )
    assert bubblewrap.execute(Execute(code)).value == [True, []]


WRAPPER = """
import ast, json, sys
tree = ast.parse(sys.argv[1])
last = ast.Expression(tree.body.pop().value) if isinstance(tree.body[-1], ast.Expr) else None
space = {}
exec(compile(tree, "p", "exec"), space)
print(json.dumps(eval(compile(last, "p", "eval"), space) if last else None, default=str))
"""
# Of the corpus, what does no harm when nothing holds it back.
HARMLESS = {
    *("read-secret", "read-passwd", "write-outside", "remove-home", "proc-self-root", "environment"),
    *("tcp", "udp", "daemon", "subprocess", "os-system", "exec", "exit", "hard-exit", "system-exit", "sleep"),
    *("two-gigabytes", "not-a-number", "infinity", "eval-open", "subclasses"),
}


class Leaky:
    """A sandbox as libraries have had it: another process with a time limit."""

    name = "leaky"

    async def run(self, request: Execute) -> Execution:
        command = [sys.executable, "-c", WRAPPER, request.code]
        try:
            done = subprocess.run(command, capture_output=True, text=True, timeout=request.seconds + 3)
        except subprocess.TimeoutExpired:
            return Execution(Ended.TIMEOUT)
        value = json.loads(done.stdout.splitlines()[-1]) if done.stdout else None
        return Execution(Ended.ERROR if done.returncode else Ended.OK, value, value is not None)

    async def close(self) -> None:
        pass


@pytest.mark.parametrize("name", sorted(HARMLESS))
def test_the_probes_notice_a_leak(name: str) -> None:
    (result,) = asyncio.run(run_probes(Leaky(), tuple(p for p in CORPUS if p.name == name)))
    assert not result.contained
    assert result.escape
