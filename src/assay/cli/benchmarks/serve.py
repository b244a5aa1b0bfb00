"""`assay bench serve`: the embedded engine asked directly, and through the proxy, in turns."""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import re
import socket
import statistics
import subprocess
import sys
import time
from collections.abc import AsyncGenerator, Callable
from dataclasses import dataclass, field
from typing import Any

from assay.home import find_home
from assay.models import DEFAULT_MODEL, ModelChoice, connect
from assay.models.llamacpp import LlamaCpp
from assay.models.meter import ProcessClock
from assay.models.transport import Transport

Say = Callable[[str], None]
STREAMS = 8
TOKENS = 64
PAIRS = 6
SLOW = 200
SLOW_TOKENS = 24


@dataclass(frozen=True, slots=True)
class Proxy:
    """`assay serve` as a process of its own."""

    transport: Transport
    key: str
    clock: ProcessClock


@dataclass(slots=True)
class Round:
    """What eight streams side by side took."""

    tokens: int = 0
    seconds: float = 0.0
    cpu: float = 0.0
    """CPU seconds of the proxy."""
    first: list[float] = field(default_factory=list)
    """Seconds to the first token, per stream."""

    @property
    def speed(self) -> float:
        """Tokens per second."""
        return self.tokens / self.seconds


async def serve(say: Say) -> dict[str, Any]:
    """Pairs of rounds, bare and proxied in turn about, then proxied rounds beside 200 clients that hardly read.

    The ratio is the median over the pairs: the machine's speed drifts. The first pair warms both up and is
    not counted. CPU seconds are the proxy process's own.
    """
    model = await connect(ModelChoice(may_pull=True), find_home().make(), say=say)
    assert isinstance(model, LlamaCpp), "the embedded model"
    async with _proxy(model.slots) as proxy:
        bare, proxied = [], []
        for pair in range(PAIRS + 1):
            say(f"pair {pair} of {PAIRS}: {STREAMS} streams of {TOKENS} tokens, bare and proxied")
            # Turn about, so that neither always comes second.
            for kind in ("bare", "proxied") if pair % 2 else ("proxied", "bare"):
                if kind == "bare":
                    bare.append(await _round(model.transport, "/v1/chat/completions", proxy.clock))
                else:
                    proxied.append(await _round(proxy.transport, "/chat/completions", proxy.clock))
        one = [await _first_token_cpu(proxy) for _ in range(3)]
        say(f"{SLOW} clients that read a byte now and then")
        beside = await _beside_slow_clients(proxy)
    await model.close()
    bare, proxied = bare[1:], proxied[1:]
    quiet = statistics.median(p.speed for p in proxied)
    return {
        "throughput_ratio": statistics.median(p.speed / b.speed for p, b in zip(proxied, bare, strict=True)),
        "throughput_ratios": [round(p.speed / b.speed, 3) for p, b in zip(proxied, bare, strict=True)],
        "bare_tokens_per_s": statistics.median(b.speed for b in bare),
        "proxied_tokens_per_s": quiet,
        "proxy_cpu_ms_per_token": 1000 * sum(p.cpu for p in proxied) / sum(p.tokens for p in proxied),
        "proxy_cpu_share": sum(p.cpu for p in proxied) / sum(p.seconds for p in proxied),
        "first_token_cpu_ms": 1000 * statistics.median(one),
        "first_token_wall_ms_bare": 1000 * statistics.median(s for b in bare for s in b.first),
        "first_token_wall_ms_proxied": 1000 * statistics.median(s for p in proxied for s in p.first),
        "slow_clients": SLOW,
        "beside_slow_clients_ratio": statistics.median(r.speed for r in beside) / quiet,
        "beside_slow_clients_tokens_per_s": [round(r.speed, 1) for r in beside],
    }


@contextlib.asynccontextmanager
async def _proxy(slots: int) -> AsyncGenerator[Proxy]:
    """Started on a free port, and stopped at the end."""
    command = [sys.executable, "-m", "assay", "serve", "--port", "0", "--slots", str(slots)]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env={**os.environ, "ASSAY_KEY": ""})
    try:
        assert process.stdout is not None, "a pipe"
        said = ""
        while "OPENAI_API_KEY" not in said:
            line = await asyncio.to_thread(process.stdout.readline)
            if not line:
                raise RuntimeError("the proxy did not start")
            said += line
        found = re.search(r"OPENAI_BASE_URL=(\S+) OPENAI_API_KEY=(\S+)", said)
        assert found, "it prints both"
        transport = Transport(found[1], key=found[2], seconds=300.0)
        while True:
            with contextlib.suppress(Exception):
                if (await transport.get("/models")).status_code == 200:
                    break
            await asyncio.sleep(0.1)
        yield Proxy(transport, found[2], ProcessClock(process.pid))
        await transport.close()
    finally:
        process.terminate()
        process.wait(10)


def _body(seed: int, tokens: int = TOKENS) -> bytes:
    return json.dumps(
        {
            "model": DEFAULT_MODEL,
            "messages": [{"role": "user", "content": "Tell me about the sea."}],
            "max_tokens": tokens,
            "temperature": 0.7,
            "seed": seed,
            "stream": True,
            "ignore_eos": True,
        }
    ).encode()


async def _stream(transport: Transport, path: str, seed: int) -> tuple[int, float]:
    """Pieces of content and seconds to the first; a piece is a token, or a few where letters are split."""
    started, first, pieces = time.monotonic(), 0.0, 0
    async with transport.opened(path, _body(seed)) as response:
        async for data in response.aiter_raw():
            found = data.count(b'"delta":{"content":"')
            if found and not first:
                first = time.monotonic() - started
            pieces += found
    return pieces, first


async def _round(transport: Transport, path: str, clock: ProcessClock) -> Round:
    clock.since_last()
    started = time.monotonic()
    found = await asyncio.gather(*(_stream(transport, path, seed) for seed in range(STREAMS)))
    seconds = time.monotonic() - started
    # With end-of-text ignored every stream has all its tokens, however they were cut into pieces.
    return Round(STREAMS * TOKENS, seconds, clock.since_last(), [first for _, first in found])


async def _first_token_cpu(proxy: Proxy, requests: int = 40) -> float:
    """CPU seconds of the proxy for a request of one token: all that lies between a client and its first."""
    proxy.clock.since_last()
    for seed in range(requests):
        async with proxy.transport.opened("/chat/completions", _body(seed, tokens=1)) as response:
            await response.aread()
    return proxy.clock.since_last() / requests


async def _beside_slow_clients(proxy: Proxy) -> list[Round]:
    """Proxied rounds while 200 clients have asked for a stream and read one byte of it a second.

    The rounds begin when all of their replies have been written: what is measured is whether clients that
    hardly read hold what others need, and not that the engine has more to do.
    """
    async with contextlib.AsyncExitStack() as stack:
        slow = [await stack.enter_async_context(_slow_client(proxy, seed)) for seed in range(SLOW)]
        # A stream's first byte comes when its turn does; when all have theirs, the last few are being written.
        await asyncio.gather(*(asyncio.get_running_loop().sock_recv(one, 1) for one in slow))
        nibbling = [asyncio.create_task(_nibble(one)) for one in slow]
        await _round(proxy.transport, "/chat/completions", proxy.clock)
        rounds = [await _round(proxy.transport, "/chat/completions", proxy.clock) for _ in range(3)]
        assert not any(task.done() for task in nibbling), "all slow clients are still there"
        for task in nibbling:
            task.cancel()
        await asyncio.gather(*nibbling, return_exceptions=True)
    return rounds


@contextlib.asynccontextmanager
async def _slow_client(proxy: Proxy, seed: int) -> AsyncGenerator[socket.socket]:
    """A client that has sent its request; what it has not read fills the smallest buffer a system allows."""
    address = proxy.transport.address.removeprefix("http://").partition("/")[0]
    host, _, port = address.partition(":")
    loop, body = asyncio.get_running_loop(), _body(seed, tokens=SLOW_TOKENS)
    with socket.socket() as client:
        client.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 1)
        client.setblocking(False)
        await loop.sock_connect(client, (host, int(port)))
        head = f"POST /v1/chat/completions HTTP/1.1\r\nHost: {address}\r\nContent-Type: application/json\r\n"
        head += f"Authorization: Bearer {proxy.key}\r\nContent-Length: {len(body)}\r\n\r\n"
        await loop.sock_sendall(client, head.encode() + body)
        yield client


async def _nibble(client: socket.socket) -> None:
    while await asyncio.get_running_loop().sock_recv(client, 1):
        await asyncio.sleep(1.0)
