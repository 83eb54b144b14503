"""Who may come in: a default-deny door before every route and every WebSocket.

A page of any web site can send requests to this machine's loopback address, so that alone protects nothing. What does:
the name in `Host` must be ours (DNS rebinding), `Origin` must be ourselves (forged requests, WebSockets, which know no CORS),
and the caller must hold the cookie that a one-time link from the terminal was exchanged for. Nothing is exempt.
"""

from __future__ import annotations

import asyncio
import hmac
import html
import ipaddress
import secrets
import socket
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from http.cookies import CookieError, SimpleCookie
from urllib.parse import parse_qs

from starlette.datastructures import Headers, MutableHeaders
from starlette.exceptions import HTTPException
from starlette.responses import HTMLResponse, PlainTextResponse, Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

BODY = 64 << 10  # bytes of a request's body, where a page asks for no more
PATIENCE = 30.0  # seconds to wait for the next part of a body
SOCKETS = 32  # WebSockets open at once
REQUESTS, BURST = 200.0, 400.0  # a second, and at once; of those inside and those outside separately

HEADERS: Mapping[str, str] = {
    "Content-Security-Policy": "default-src 'self'; img-src 'self' blob:; media-src 'self' blob:; object-src 'none'; "
    "base-uri 'none'; form-action 'none'; frame-ancestors 'none'; require-trusted-types-for 'script'",
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Embedder-Policy": "require-corp",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Permissions-Policy": "camera=(), microphone=(), geolocation=()",
}


@dataclass
class Bucket:
    """So many events a second, and so many at once."""

    rate: float
    most: float
    level: float = field(default=-1.0)
    then: float = 0.0

    def takes(self) -> bool:
        """Whether one more event fits; it is counted where it does."""
        now = time.monotonic()
        self.level = self.most if self.level < 0 else min(self.most, self.level + self.rate * (now - self.then))
        self.then = now
        if self.level < 1:
            return False
        self.level -= 1
        return True


@dataclass
class Door:
    """The names this server answers to, the link's token, which is good once, and the cookie it is exchanged for."""

    host: str
    port: int
    renewed: Callable[[], None] = lambda: None  # called when a link was used and there is a new one
    token: str = field(default_factory=lambda: secrets.token_urlsafe(24))
    secret: str = field(default_factory=lambda: secrets.token_urlsafe(32))

    @property
    def cookie(self) -> str:
        """The cookie's name: cookies know no ports, so that two studios need two."""
        return f"ganvas-{self.port}"

    @property
    def url(self) -> str:
        """The link that opens the studio, once."""
        shown = "127.0.0.1" if self.host in ("0.0.0.0", "::") else self.host  # noqa: S104
        return f"http://{f'[{shown}]' if ':' in shown else shown}:{self.port}/?token={self.token}"

    def answers_to(self, name: str) -> bool:
        """Whether `name` is a Host header of ours. An address cannot be rebound; a foreign name could point anywhere."""
        bare, _, port = name.rpartition(":")
        if port != str(self.port):
            return False
        known = {"127.0.0.1", "localhost", "[::1]", f"[{self.host}]" if ":" in self.host else self.host}
        if self.host not in ("0.0.0.0", "::"):  # noqa: S104
            return bare in known
        try:
            ipaddress.ip_address(bare.strip("[]"))
        except ValueError:
            return bare in known | {socket.gethostname()}
        return True

    def exchange(self, token: str) -> bool:
        """Whether `token` is the link's; it is worth nothing afterwards."""
        if not hmac.compare_digest(token.encode(), self.token.encode()):
            return False
        self.token = secrets.token_urlsafe(24)
        self.renewed()
        return True

    def knows(self, headers: Headers) -> bool:
        """Whether the caller holds the cookie."""
        try:
            morsel = SimpleCookie("; ".join(headers.getlist("cookie"))).get(self.cookie)
        except CookieError:
            return False
        return morsel is not None and hmac.compare_digest(morsel.value.encode(), self.secret.encode())


class Guard:
    """Pure ASGI middleware round the whole application."""

    def __init__(self, app: ASGIApp, door: Door, uploads: Mapping[str, int]) -> None:
        """`uploads`: the most bytes of a body, for paths that take more than `BODY`."""
        self.app, self.door, self.uploads = app, door, uploads
        self.sockets = 0
        self.inside, self.outside = Bucket(REQUESTS, BURST), Bucket(REQUESTS, BURST)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "lifespan":
            await self.app(scope, receive, send)
        elif scope["type"] == "websocket":
            await self.socket(scope, receive, send)
        else:
            await self.request(scope, receive, send)

    async def request(self, scope: Scope, receive: Receive, send: Send) -> None:
        """One request: refused, exchanged for a cookie, or let through with a capped body."""

        async def sealed(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                for name, value in HEADERS.items():
                    headers[name] = value
                headers.setdefault("Cache-Control", "no-store")
            await send(message)

        headers = Headers(scope=scope)
        refused = self.refusal(scope, headers)
        if refused is None and (answer := self.welcome(scope)):
            return await answer(scope, receive, sealed)
        if refused is None and not self.door.knows(headers):
            refused = 403, "the studio opens only with the link that the terminal shows"
        if not (self.outside if refused else self.inside).takes():
            refused = 429, "too many requests; slow down"
        most = self.uploads.get(scope["path"], BODY)
        length = headers.get("content-length", "0")
        if refused is None and not (length.isascii() and length.isdigit() and int(length) <= most):
            refused = 413, f"a body of at most {most} bytes is expected"
        if refused:
            return await PlainTextResponse(f"ganvas: {refused[1]}\n", refused[0])(scope, receive, sealed)
        return await self.app(scope, capped(receive, most), sealed)

    async def socket(self, scope: Scope, receive: Receive, send: Send) -> None:
        """One WebSocket: its handshake is refused as a request would be, and without an Origin too."""
        headers = Headers(scope=scope)
        refused = self.refusal(scope, headers) is not None or "origin" not in headers or not self.door.knows(headers)
        if refused or not self.inside.takes() or self.sockets >= SOCKETS:
            await receive()
            return await send({"type": "websocket.close", "code": 1008 if refused else 1013})
        self.sockets += 1
        try:
            return await self.app(scope, receive, send)
        finally:
            self.sockets -= 1

    def refusal(self, scope: Scope, headers: Headers) -> tuple[int, str] | None:
        """Why a caller is turned away whatever it holds; None: it is not."""
        hosts, origins = headers.getlist("host"), headers.getlist("origin")
        if len(hosts) != 1 or not self.door.answers_to(hosts[0]):
            return 403, "this server does not answer to that Host"
        if len(origins) > 1 or any(origin != f"http://{hosts[0]}" for origin in origins):
            return 403, "requests from other origins are refused"
        if scope["type"] == "http":
            if scope["method"] not in ("GET", "HEAD") and not origins:
                return 403, "a request that changes something needs an Origin"
            site, mode = headers.get("sec-fetch-site", "none"), headers.get("sec-fetch-mode", "navigate")
            if site not in ("same-origin", "none") and mode != "navigate":
                return 403, "requests from other sites are refused"
        return None

    def welcome(self, scope: Scope) -> Response | None:
        """The answer to a good link: the cookie, and a page that moves on. Not a redirect, on which a cookie of this
        strictness would not travel where the link was followed from another site, such as a web terminal.
        """
        tokens = parse_qs(scope["query_string"].decode("latin-1")).get("token", [])
        if scope["method"] != "GET" or len(tokens) != 1 or not self.door.exchange(tokens[0]):
            return None
        name = html.escape(scope["path"].rpartition("/")[2])
        page = (
            f'<!doctype html><html lang="en"><meta http-equiv="refresh" content="0;url=./{name}"><title>ganvas studio</title>'
        )
        answer = HTMLResponse(f'{page}<a href="./{name}">Open the studio</a></html>')
        answer.set_cookie(self.door.cookie, self.door.secret, httponly=True, samesite="strict")
        return answer


def capped(receive: Receive, most: int) -> Receive:
    """`receive`, with a body of at most `most` bytes whose parts come in time."""
    taken, whole = 0, False

    async def patient() -> Message:
        nonlocal taken, whole
        try:
            message = await (receive() if whole else asyncio.wait_for(receive(), PATIENCE))
        except TimeoutError:
            raise HTTPException(408, "the rest of the body did not come") from None
        if message["type"] == "http.request":
            taken += len(message.get("body", b""))
            whole = not message.get("more_body", False)
            if taken > most:
                raise HTTPException(413, f"a body of at most {most} bytes is expected")
        return message

    return patient
