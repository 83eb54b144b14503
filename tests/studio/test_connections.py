"""Silent connections lock nobody out: they are closed in time, and a new one closes the oldest."""

from __future__ import annotations

import asyncio
import contextlib
import socket
import threading
import urllib.request
from collections.abc import Iterator

import pytest
import uvicorn
from starlette.applications import Starlette
from starlette.responses import PlainTextResponse
from starlette.routing import Route

from ganvas.studio import connections
from ganvas.studio.connections import PatientProtocol

LIMIT = 40


@pytest.fixture
def port(monkeypatch: pytest.MonkeyPatch) -> Iterator[int]:
    """A server with a small limit on connections, in a thread of its own."""
    monkeypatch.setattr(connections, "HEADER_SECONDS", 0.4)
    monkeypatch.setattr(connections, "MAX_SILENT", 10)

    async def slow(_: object) -> PlainTextResponse:
        await asyncio.sleep(0.6)  # longer than a header may take
        return PlainTextResponse("here")

    app = Starlette(routes=[Route("/", lambda _: PlainTextResponse("here")), Route("/slow", slow)])
    listener = socket.create_server(("127.0.0.1", 0))
    config = uvicorn.Config(app, http=PatientProtocol, limit_concurrency=LIMIT, log_level="critical", lifespan="off")
    server = uvicorn.Server(config)
    thread = threading.Thread(target=lambda: asyncio.run(server.serve([listener])))
    thread.start()
    yield int(listener.getsockname()[1])
    server.should_exit = True
    thread.join(20)


def ask(port: int, path: str = "/") -> str:
    with urllib.request.urlopen(f"http://127.0.0.1:{port}{path}", timeout=20) as answer:
        return str(answer.read().decode())


def read_until(connection: socket.socket, end: bytes) -> bytes:
    """What the server sends up to `end`: header and body may come in pieces."""
    answer = b""
    while not answer.endswith(end):
        piece = connection.recv(4096)
        assert piece, answer
        answer += piece
    return answer


def test_many_silent_connections_do_not_lock_the_page_out(port: int) -> None:
    with contextlib.ExitStack() as stack:
        for _ in range(3 * LIMIT):
            stack.enter_context(socket.create_connection(("127.0.0.1", port)))
        assert ask(port) == "here"


@pytest.mark.parametrize("start", [b"", b"GET / HTTP/1.1\r\nHost: x\r\n"])
def test_a_header_that_does_not_come_ends_the_connection(port: int, start: bytes) -> None:
    with socket.create_connection(("127.0.0.1", port)) as silent:
        silent.settimeout(20)
        silent.sendall(start)
        with contextlib.suppress(ConnectionResetError):
            assert silent.recv(1) == b""


def test_a_second_request_may_not_be_silent_either(port: int) -> None:
    with socket.create_connection(("127.0.0.1", port)) as kept:
        kept.settimeout(20)
        kept.sendall(b"GET / HTTP/1.1\r\nHost: x\r\n\r\n")
        assert read_until(kept, b"here")
        kept.sendall(b"GET / HTTP/1.1\r\n")
        with contextlib.suppress(ConnectionResetError):
            assert kept.recv(1) == b""


def test_a_request_may_take_longer_than_its_header(port: int) -> None:
    assert ask(port, "/slow") == "here"
