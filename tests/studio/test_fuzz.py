"""Whatever a rightful caller sends: never a server error, never a file from outside."""

from __future__ import annotations

import asyncio
import threading
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from starlette.applications import Starlette
from starlette.routing import Route

from ganvas.studio.auth import Access, TokenBucket
from ganvas.studio.page import Studio
from ganvas.studio.server import build_app

ACCESS = Access("127.0.0.1", 8765)
HEADERS = {"host": "127.0.0.1:8765", "origin": "http://127.0.0.1:8765", "cookie": f"{ACCESS.cookie}={ACCESS.secret}"}
CANARY = "the canary that nobody may hear"
ESCAPES = (
    "../canary.txt",
    "..%2fcanary.txt",
    "%2e%2e/canary.txt",
    "%252e%252e/canary.txt",
    "..\\canary.txt",
    "..%5ccanary.txt",
    "..;/canary.txt",
    "../canary.txt\0.css",
    "//etc/passwd",
    "/etc/passwd",
    "....//canary.txt",
    "C:\\canary.txt",
    "\\\\host\\share",
    "CON",
)


@pytest.fixture(scope="module")
def app(tmp_path_factory: pytest.TempPathFactory) -> Starlette:
    folder = tmp_path_factory.mktemp("fuzz")
    (folder / "canary.txt").write_text(CANARY)
    (folder / "runs").mkdir()
    return build_app(Studio(folder / "runs"), ACCESS)


def ask(app: Starlette, method: str, path: str, body: bytes = b"", query: bytes = b"") -> tuple[int, bytes]:
    """Status and body of one answer, in a loop of its own thread."""
    from urllib.parse import unquote

    scope: dict[str, Any] = {
        "type": "http",
        "method": method,
        "path": unquote(path),
        "raw_path": path.encode("utf-8", "surrogatepass"),
        "query_string": query,
        "headers": [(name.encode(), value.encode()) for name, value in HEADERS.items()],
        "scheme": "http",
        "root_path": "",
        "client": ("127.0.0.1", 1),
        "server": ("127.0.0.1", 8765),
        "http_version": "1.1",
    }
    sent: list[dict[str, Any]] = []
    parts = [{"type": "http.request", "body": body, "more_body": False}]

    async def receive() -> dict[str, Any]:
        return parts.pop() if parts else {"type": "http.disconnect"}

    async def send(message: Any) -> None:
        sent.append(message)

    thread = threading.Thread(target=lambda: asyncio.run(app(scope, receive, send)))
    thread.start()
    thread.join()
    guard = app.middleware_stack
    while guard is not None and not hasattr(guard, "known"):
        guard = getattr(guard, "app", None)
    if guard is not None:
        guard.known = TokenBucket(1e9, 1e9)  # its own test is elsewhere
    return sent[0]["status"], b"".join(message.get("body", b"") for message in sent)


def paths(app: Starlette) -> list[str]:
    return [route.path for route in app.routes if isinstance(route, Route)]


def test_no_path_leads_outside(app: Starlette) -> None:
    templates = [path for path in paths(app) if "{" in path] + ["/static/{path}", "/{path}", "/api/{path}"]
    for template in templates:
        head, _, _ = template.partition("{")
        for escape in ESCAPES:
            status, body = ask(app, "GET", head + escape)
            assert status in (400, 404, 405), (template, escape, status)
            assert CANARY.encode() not in body
            assert b"root:" not in body


@settings(max_examples=40, suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(
    method=st.sampled_from(["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "TRACE", "X"]),
    choice=st.integers(0, 10**6),
    tail=st.text(max_size=12),
    body=st.binary(max_size=400) | st.text(max_size=100).map(str.encode) | st.just(b"1,2\n3,4\n"),
    query=st.binary(max_size=60),
)
def test_nothing_is_a_server_error(app: Starlette, method: str, choice: int, tail: str, body: bytes, query: bytes) -> None:
    known = [*paths(app), "/static", "/api/nowhere"]
    path = known[choice % len(known)].replace("{", "").replace("}", "")
    status, answer = ask(app, method, path + (tail if choice % 3 == 0 else ""), body, query)
    assert status < 500
    assert CANARY.encode() not in answer


def test_the_canary_is_there(app: Starlette) -> None:
    assert (Path(app.state.studio.runs).parent / "canary.txt").read_text() == CANARY
