"""Nobody comes in without the right name, origin and cookie: on any route, now or later."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

import pytest
from starlette.applications import Starlette
from starlette.routing import BaseRoute, Mount, Route, WebSocketRoute

from ganvas.studio.auth import HEADERS, MAX_BODY_BYTES, MAX_SOCKETS, Access, AuthMiddleware, TokenBucket
from ganvas.studio.page import Studio
from ganvas.studio.server import build_app
from ganvas.studio.site import PAGES

ACCESS = Access("127.0.0.1", 8765)
GOOD = {"host": "127.0.0.1:8765", "origin": "http://127.0.0.1:8765", "cookie": f"{ACCESS.cookie}={ACCESS.secret}"}
HOSTILE = {
    "another host": {**GOOD, "host": "evil.example:8765", "origin": "http://evil.example:8765"},
    "another port": {**GOOD, "host": "127.0.0.1:80"},
    "no port": {**GOOD, "host": "127.0.0.1"},
    "a host that begins like ours": {**GOOD, "host": "127.0.0.1.evil.example:8765"},
    "no host": {name: value for name, value in GOOD.items() if name != "host"},
    "another origin": {**GOOD, "origin": "http://evil.example"},
    "an origin without a name": {**GOOD, "origin": "null"},
    "the same name, another port": {**GOOD, "origin": "http://127.0.0.1:9999"},
    "the other scheme": {**GOOD, "origin": "https://127.0.0.1:8765"},
    "no cookie": {name: value for name, value in GOOD.items() if name != "cookie"},
    "a wrong cookie": {**GOOD, "cookie": f"{ACCESS.cookie}={'x' * 43}"},
    "a cookie of another studio": {**GOOD, "cookie": f"ganvas-1={ACCESS.secret}"},
    "a broken cookie": {**GOOD, "cookie": 'ganvas-8765="\\'},
    "the link's token as a cookie": {**GOOD, "cookie": f"{ACCESS.cookie}={ACCESS.token}"},
}


@pytest.fixture(scope="module")
def app(tmp_path_factory: pytest.TempPathFactory) -> Starlette:
    return build_app(Studio(tmp_path_factory.mktemp("runs")), ACCESS)


def all_routes(app: Starlette) -> list[tuple[str, str]]:
    """(kind, path) of everything that can be reached, parameters filled in."""
    found = []

    def walk(routes: list[BaseRoute], prefix: str) -> None:
        for route in routes:
            if isinstance(route, Mount):
                found.append(("GET", f"{prefix}{route.path}/common/style.css"))
                walk(list(route.routes or []), prefix + route.path)
            elif isinstance(route, WebSocketRoute):
                found.append(("WEBSOCKET", prefix + route.path))
            elif isinstance(route, Route):
                path = "/".join("0" if part.startswith("{") else part for part in (prefix + route.path).split("/"))
                found.extend((method, path) for method in route.methods or ())
            else:
                raise AssertionError(f"a kind of route that this test does not know: {route!r}")

    walk(list(app.routes), "")
    return found


def ask(app: Any, kind: str, path: str, headers: dict[str, str], query: str = "", body: bytes = b"") -> list[dict[str, Any]]:
    """What the application sends, for one request or handshake."""
    scope = {
        "type": "websocket" if kind == "WEBSOCKET" else "http",
        "method": kind,
        "path": path,
        "raw_path": path.encode(),
        "query_string": query.encode(),
        "headers": [(name.encode(), value.encode("latin-1")) for name, value in headers.items()],
        "scheme": "http",
        "root_path": "",
        "subprotocols": [],
        "client": ("127.0.0.1", 1),
        "server": ("127.0.0.1", 8765),
        "http_version": "1.1",
    }
    sent: list[dict[str, Any]] = []
    if kind == "WEBSOCKET":
        messages = [{"type": "websocket.connect"}, {"type": "websocket.disconnect", "code": 1000}]
    else:
        messages = [{"type": "http.request", "body": body, "more_body": False}, {"type": "http.disconnect"}]

    async def receive() -> dict[str, Any]:
        return messages.pop(0) if len(messages) > 1 else messages[0]

    async def send(message: dict[str, Any]) -> None:
        sent.append(message)

    asyncio.run(asyncio.wait_for(app(scope, receive, send), 20))
    return sent


def test_every_route_refuses_every_hostile_caller(app: Starlette) -> None:
    routes = all_routes(app)
    assert {"/", "/play", "/static/common/style.css"} <= {path for _, path in routes}
    app.user_middleware[0].kwargs["access"].on_renew = lambda: None
    for why, headers in HOSTILE.items():
        guarded = fresh(app)
        for kind, path in [*routes, ("GET", "/nowhere"), ("POST", "/api/nowhere"), ("WEBSOCKET", "/nowhere")]:
            sent = ask(guarded, kind, path, headers)
            if kind == "WEBSOCKET":
                assert sent == [{"type": "websocket.close", "code": 1008}], (why, path)
            else:
                assert sent[0]["status"] == 403, (why, kind, path)
                assert all((name.lower().encode(), value.encode()) in sent[0]["headers"] for name, value in HEADERS.items())


def fresh(app: Starlette) -> Any:
    """The application with the guard's counters at their start."""
    app.middleware_stack = app.build_middleware_stack()
    return app


def test_a_rightful_caller_is_let_in_and_the_headers_are_there(app: Starlette) -> None:
    for page in PAGES:
        sent = ask(
            app, "GET", "/" if page.name == "home" else f"/{page.name}", {k: v for k, v in GOOD.items() if k != "origin"}
        )
        assert sent[0]["status"] == 200
        headers = {name.decode(): value.decode() for name, value in sent[0]["headers"]}
        assert headers["content-security-policy"].startswith("default-src 'self'")
        assert "frame-ancestors 'none'" in headers["content-security-policy"]
        assert "unsafe" not in headers["content-security-policy"]
        assert headers["x-content-type-options"] == "nosniff"
        assert not any(name.startswith("access-control-") for name in headers)
        text = b"".join(message.get("body", b"") for message in sent[1:])
        assert b"<script>" not in text
        assert b" style=" not in text
        assert b"http://" not in text
        assert b"https://" not in text


def test_a_page_of_another_site_cannot_even_read_a_picture(app: Starlette) -> None:
    plain = {k: v for k, v in GOOD.items() if k != "origin"}
    assert (
        ask(app, "GET", "/static/common/style.css", {**plain, "sec-fetch-site": "cross-site", "sec-fetch-mode": "no-cors"})[0][
            "status"
        ]
        == 403
    )
    assert (
        ask(app, "GET", "/static/common/style.css", {**plain, "sec-fetch-site": "same-origin", "sec-fetch-mode": "no-cors"})[0][
            "status"
        ]
        == 200
    )


def test_what_changes_something_and_every_socket_needs_an_origin(app: Starlette) -> None:
    plain = {k: v for k, v in GOOD.items() if k != "origin"}
    assert ask(app, "POST", "/api/nowhere", plain)[0]["status"] == 403
    assert ask(app, "POST", "/api/nowhere", GOOD)[0]["status"] == 404
    assert ask(app, "WEBSOCKET", "/api/play/socket", plain) == [{"type": "websocket.close", "code": 1008}]


def test_a_link_opens_once() -> None:
    links: list[str] = []
    access = Access("127.0.0.1", 8765)
    access.on_renew = lambda: links.append(access.url)
    app = build_app(Studio(Path("runs")), access)
    query = f"token={access.token}"
    first = ask(app, "GET", "/play", {"host": GOOD["host"]}, query)
    cookie = dict(first[0]["headers"])[b"set-cookie"].decode()
    assert first[0]["status"] == 200
    assert "HttpOnly" in cookie
    assert "SameSite=strict" in cookie
    assert cookie.startswith(f"{access.cookie}={access.secret}")
    assert b'url=./play"' in first[1]["body"]
    assert ask(app, "GET", "/play", {"host": GOOD["host"]}, query)[0]["status"] == 403
    assert len(links) == 1
    assert query not in links[0]
    assert ask(app, "GET", "/", {"host": "evil.example:8765"}, f"token={access.token}")[0]["status"] == 403


@pytest.mark.parametrize(
    ("host", "name", "ours"),
    [
        ("127.0.0.1", "localhost:8765", True),
        ("127.0.0.1", "[::1]:8765", True),
        ("127.0.0.1", "192.168.1.5:8765", False),
        ("192.168.1.5", "192.168.1.5:8765", True),
        ("192.168.1.5", "rebound.example:8765", False),
        ("0.0.0.0", "192.168.1.5:8765", True),
        ("0.0.0.0", "rebound.example:8765", False),
    ],
)
def test_the_names_it_answers_to(host: str, name: str, ours: bool) -> None:
    assert Access(host, 8765).accepts_host(name) is ours


def test_a_body_has_an_end() -> None:
    reached: list[bytes] = []

    async def inner(scope: Any, receive: Any, send: Any) -> None:
        reached.append((await receive())["body"])
        await send({"type": "http.response.start", "status": 200, "headers": []})

    guard = AuthMiddleware(inner, ACCESS, {"/api/large": 2 * MAX_BODY_BYTES})
    big = b"x" * (MAX_BODY_BYTES + 1)
    assert ask(guard, "POST", "/api/small", {**GOOD, "content-length": str(len(big))}, body=big)[0]["status"] == 413
    assert ask(guard, "POST", "/api/small", {**GOOD, "content-length": "-1"})[0]["status"] == 413
    assert ask(guard, "POST", "/api/small", {**GOOD, "content-length": "many"})[0]["status"] == 413
    assert reached == []
    assert ask(guard, "POST", "/api/large", {**GOOD, "content-length": str(len(big))}, body=big)[0]["status"] == 200
    with pytest.raises(Exception, match="413"):  # it lied: the framework answers this with 413
        ask(guard, "POST", "/api/small", {**GOOD, "content-length": "1"}, body=big)


def test_requests_and_sockets_are_bounded() -> None:
    async def inner(scope: Any, receive: Any, send: Any) -> None:
        await send({"type": "http.response.start", "status": 200, "headers": []})

    guard = AuthMiddleware(inner, ACCESS, {})
    guard.known = TokenBucket(0.0, 3)
    codes = [ask(guard, "GET", "/", GOOD)[0]["status"] for _ in range(5)]
    assert codes == [200, 200, 200, 429, 429]
    assert ask(guard, "GET", "/", HOSTILE["no cookie"])[0]["status"] == 403  # those outside use up nothing of ours
    guard.known, guard.sockets = TokenBucket(0.0, 3), MAX_SOCKETS
    assert ask(guard, "WEBSOCKET", "/api/play/socket", GOOD) == [{"type": "websocket.close", "code": 1013}]
