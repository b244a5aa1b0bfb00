"""Connections that are kept open: one that the server has closed meanwhile is no fault of the server's."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Awaitable, Callable

import pytest

from assay.core.errors import EndpointDown
from assay.models.transport import CLOSING_SECONDS, Transport

ANSWER = b'HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 9\r\n\r\n{"is": 1}'
EVENT = b'HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nContent-Length: 17\r\n\r\ndata: {"is": 1}\n\n'


async def by_post(transport: Transport) -> object:
    return await transport.post("/x", {"hello": "there"})


async def by_events(transport: Transport) -> object:
    (event,) = [event async for event in transport.events("/events", {"hello": "there"})]
    return event


async def by_opened(transport: Transport) -> object:
    async with transport.opened("/x", b'{"hello": "there"}') as response:
        return (await response.aread()) and response.json()


def served(
    per_connection: list[int], work: Callable[[Transport], Awaitable[object]], times: int, thinks: float = 0
) -> list[object]:
    """What `times` requests gave, from a server whose k-th connection answers so many requests and takes one more
    in before it closes, after so many seconds; with the number of requests that it took in at the end."""

    async def main() -> list[object]:
        taken, opened = 0, 0

        async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            nonlocal taken, opened
            opened += 1
            for left in range(per_connection[opened - 1], -1, -1):
                with contextlib.suppress(asyncio.IncompleteReadError):
                    head = await reader.readuntil(b"\r\n\r\n")
                    await reader.readexactly(len(b'{"hello": "there"}'))
                    taken += 1
                    if not left:
                        await asyncio.sleep(thinks)
                    else:
                        writer.write(EVENT if b"/events" in head else ANSWER)
            writer.close()

        server = await asyncio.start_server(serve, "127.0.0.1", 0)
        transport = Transport(f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}")
        found: list[object] = []
        try:
            for _ in range(times):
                try:
                    found.append(await work(transport))
                except EndpointDown as error:
                    found.append(type(error))
        finally:
            await transport.close()
            server.close()
        return [*found, taken]

    return asyncio.run(main())


ways = pytest.mark.parametrize("work", [by_post, by_events, by_opened])


@ways
def test_a_kept_connection_that_was_closed_is_replaced(work: Callable[[Transport], Awaitable[object]]) -> None:
    assert served([1, 1], work, 2) == [{"is": 1}, {"is": 1}, 3]


@ways
def test_a_server_that_breaks_off_on_a_new_connection_is_not_asked_again(
    work: Callable[[Transport], Awaitable[object]],
) -> None:
    assert served([0, 0], work, 1) == [EndpointDown, 1]


@ways
def test_it_is_asked_once_more_and_no_oftener(work: Callable[[Transport], Awaitable[object]]) -> None:
    assert served([1, 0, 0], work, 2) == [{"is": 1}, EndpointDown, 3]


def test_a_server_that_has_worked_at_a_request_is_not_given_it_again() -> None:
    assert served([1, 1], by_post, 2, thinks=CLOSING_SECONDS + 0.3) == [{"is": 1}, EndpointDown, 2]
