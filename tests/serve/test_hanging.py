"""A server behind the proxy that lists its models and answers no request."""

from __future__ import annotations

import threading
import time
from pathlib import Path
from typing import Any

from tests.serve.running import HELLO, Upstream, running, says


def test_a_server_that_hangs_is_not_asked_first_again(tmp_path: Path) -> None:
    go = threading.Event()

    def hangs(handler: Any, body: dict[str, Any]) -> None:
        go.wait(60)

    with (
        Upstream(hangs) as one,
        Upstream(says("well")) as other,
        running(tmp_path, one.address, other.address, seconds=1.5) as proxy,
    ):
        taken = []
        for _ in range(3):
            begun = time.monotonic()
            assert proxy.post("/chat/completions", HELLO).status_code == 200
            taken.append(time.monotonic() - begun)
        go.set()
        assert taken[0] >= 1.5 > max(taken[1:])
        assert (len(one.requests), len(other.requests)) == (1, 3)
