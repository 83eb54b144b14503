"""Access control: every route and every WebSocket refuses whoever is not known.

A page of any web site can send requests to this machine's loopback address, so the address alone protects nothing. Three
checks do: the name in `Host` must be ours (against DNS rebinding); `Origin` must be ours (against forged requests, and for
WebSockets, to which CORS does not apply); the caller must hold the cookie, which a one-time link from the terminal is
exchanged for. No route is exempt. Nobody may show the pages in a frame, but a notebook that asked for it (`Doorway`).
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
from typing import Any
from urllib.parse import parse_qs, quote

from starlette.datastructures import Headers, MutableHeaders
from starlette.exceptions import HTTPException
from starlette.responses import HTMLResponse, PlainTextResponse, Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

MAX_BODY_BYTES = 64 << 10  # of a request, unless its page allows more
PART_SECONDS = 30.0  # seconds to wait for the next part of a body
MAX_SOCKETS = 32  # WebSockets open at once
REQUESTS, BURST = 200.0, 400.0  # in a second, and at once; callers with and without the cookie are counted separately

FRAGMENT = "=&:,~/.-+%"  # what may stand in the fragment of a link, besides letters and digits

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
SET_BY_PAGES = ("Permissions-Policy",)  # the default is to allow nothing; a page may ask for more (Page.permissions)


@dataclass
class TokenBucket:
    """A rate limit: `rate` events a second, at most `capacity` at once."""

    rate: float
    capacity: float
    tokens: float = field(default=-1.0)  # below 0: not used yet, so it is full
    last_time: float = 0.0

    def allow(self) -> bool:
        """Whether one more event is allowed. If so, it is counted."""
        now = time.monotonic()
        refill = self.rate * (now - self.last_time)
        self.tokens = self.capacity if self.tokens < 0 else min(self.capacity, self.tokens + refill)
        self.last_time = now
        if self.tokens < 1:
            return False
        self.tokens -= 1
        return True


@dataclass(frozen=True)
class Doorway:
    """What a notebook needs beyond the usual: a proxy in front of the studio, and a frame around its pages.

    `origins` are those of the proxy, such as https://hub.example.org, and `path` is where it shows the studio there; it cuts
    this part off. `learns`: the proxy's name is not known yet; it is the `Host` of whoever brings the token of the link, which
    is a secret, so nobody else can add a name. `framers`: who may show the pages in a frame, as of `frame-ancestors`.
    """

    origins: tuple[str, ...] = ()
    path: str = "/"
    learns: bool = False
    framers: tuple[str, ...] = ()


@dataclass
class Access:
    """The names this server answers to, the link's token, which works once, and the cookie that it is exchanged for."""

    host: str
    port: int
    doorway: Doorway = Doorway()
    on_renew: Callable[[], None] = lambda: None  # called after a link was used: there is a new one now
    token: str = field(default_factory=lambda: secrets.token_urlsafe(24))
    secret: str = field(default_factory=lambda: secrets.token_urlsafe(32))
    origins: set[str] = field(default_factory=set)  # of a proxy in front of this server

    def __post_init__(self) -> None:
        self.origins |= set(self.doorway.origins)

    @property
    def cookie(self) -> str:
        """The cookie's name. Cookies do not depend on the port, so two studios need two names."""
        return f"ganvas-{self.port}"

    @property
    def url(self) -> str:
        """The link that opens the studio, once."""
        host = "127.0.0.1" if self.host in ("0.0.0.0", "::") else self.host  # noqa: S104
        return f"http://{f'[{host}]' if ':' in host else host}:{self.port}/?token={self.token}"

    @property
    def headers(self) -> Mapping[str, str]:
        """The headers of every answer. Frames are forbidden, but for those that the doorway names."""
        if not self.doorway.framers:
            return HEADERS
        policy = HEADERS["Content-Security-Policy"].replace("ancestors 'none'", f"ancestors {' '.join(self.doorway.framers)}")
        kept = {name: value for name, value in HEADERS.items() if name != "X-Frame-Options"}  # it knows one site at most
        return {**kept, "Content-Security-Policy": policy}

    def is_proxy(self, name: str) -> bool:
        """Whether `name` is a Host header of the proxy in front of this server."""
        return any(origin.partition("://")[2] == name for origin in self.origins)

    def accepts_origin(self, origin: str, host: str) -> bool:
        """Whether a page of `origin` may send requests to `host`. A proxy may leave the browser's Host or put in ours."""
        return origin in self.origins or (origin == f"http://{host}" and not self.is_proxy(host))

    def accepts_host(self, name: str) -> bool:
        """Whether `name` is a Host header of ours. An address cannot be rebound; another name could point anywhere."""
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

    def is_token(self, token: str) -> bool:
        """Whether `token` is the link's."""
        return hmac.compare_digest(token.encode(), self.token.encode())

    def exchange(self, token: str, host: str = "") -> bool:
        """Whether `token` is the link's. It does not work again. `host` is where it was brought, the proxy's if need be."""
        if not self.is_token(token):
            return False
        if self.doorway.learns and not self.accepts_host(host):
            self.origins |= {f"https://{host}", f"http://{host}"}
        self.token = secrets.token_urlsafe(24)
        self.on_renew()
        return True

    def has_cookie(self, headers: Headers) -> bool:
        """Whether the caller holds the cookie. Cookies of others, such as a hub's, may have any form."""
        pairs = (part.strip().partition("=") for part in ";".join(headers.getlist("cookie")).split(";"))
        held = [value for name, _, value in pairs if name == self.cookie]
        return any(hmac.compare_digest(value.encode(), self.secret.encode()) for value in held)


class AuthMiddleware:
    """Pure ASGI middleware around the whole application."""

    def __init__(self, app: ASGIApp, access: Access, uploads: Mapping[str, int]) -> None:
        """`uploads`: the most bytes of a body, for paths that take more than `MAX_BODY_BYTES`."""
        self.app, self.access, self.uploads = app, access, uploads
        self.sockets = 0
        self.known, self.unknown = TokenBucket(REQUESTS, BURST), TokenBucket(REQUESTS, BURST)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "lifespan":
            await self.app(scope, receive, send)
        elif scope["type"] == "websocket":
            await self.socket(scope, receive, send)
        else:
            await self.request(scope, receive, send)

    async def request(self, scope: Scope, receive: Receive, send: Send) -> None:
        """One request: refused, exchanged for a cookie, or passed on with a bound on its body."""

        async def send_with_headers(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                for name, value in self.access.headers.items():
                    if name not in SET_BY_PAGES:
                        headers[name] = value
                    headers.setdefault(name, value)
                headers.setdefault("Cache-Control", "no-store")
            await send(message)

        headers = Headers(scope=scope)
        refused = self.find_refusal(scope, headers)
        if refused is None and (answer := self.exchange_link(scope)):
            return await answer(scope, receive, send_with_headers)
        if refused is None and not self.access.has_cookie(headers):
            in_notebook = "a link that is used once; run the cell of the notebook again, for a new one"
            shown = in_notebook if self.access.doorway.framers else "the link that the terminal shows"
            refused = 403, f"the studio opens only with {shown}"
        if not (self.unknown if refused else self.known).allow():
            refused = 429, "too many requests; slow down"
        most = self.uploads.get(scope["path"], MAX_BODY_BYTES)
        length = headers.get("content-length", "0")
        if refused is None and not (length.isascii() and length.isdigit() and int(length) <= most):
            refused = 413, f"a body of at most {most} bytes is expected"
        if refused:
            return await PlainTextResponse(f"ganvas: {refused[1]}\n", refused[0])(scope, receive, send_with_headers)
        return await self.app(scope, cap_body(receive, most), send_with_headers)

    async def socket(self, scope: Scope, receive: Receive, send: Send) -> None:
        """One WebSocket. Its handshake is refused as a request would be, and also without an Origin."""
        headers = Headers(scope=scope)
        refused = (
            self.find_refusal(scope, headers) is not None or "origin" not in headers or not self.access.has_cookie(headers)
        )
        if refused or not self.known.allow() or self.sockets >= MAX_SOCKETS:
            await receive()
            return await send({"type": "websocket.close", "code": 1008 if refused else 1013})
        self.sockets += 1
        try:
            return await self.app(scope, receive, send)
        finally:
            self.sockets -= 1

    def find_refusal(self, scope: Scope, headers: Headers) -> tuple[int, str] | None:
        """Why a caller is refused even with a cookie; None: it is not."""
        hosts, origins = headers.getlist("host"), headers.getlist("origin")
        known = len(hosts) == 1 and (self.access.accepts_host(hosts[0]) or self.access.is_proxy(hosts[0]))
        if not known and not (len(hosts) == 1 and self.access.doorway.learns and self.find_token(scope)):
            return 403, "this server does not answer to that Host"
        if len(origins) > 1 or not all(self.access.accepts_origin(origin, hosts[0]) for origin in origins):
            return 403, "requests from other origins are refused"
        if scope["type"] == "http":
            if scope["method"] not in ("GET", "HEAD") and not origins:
                return 403, "a request that changes something needs an Origin"
            site, mode = headers.get("sec-fetch-site", "none"), headers.get("sec-fetch-mode", "navigate")
            if site not in ("same-origin", "none") and mode != "navigate":
                return 403, "requests from other sites are refused"
        return None

    def find_token(self, scope: Scope) -> str | None:
        """The token of a request that brings the link's; None: it brings none, or another one."""
        tokens = parse_qs(scope["query_string"].decode("latin-1")).get("token", [])
        rightful = scope["type"] == "http" and scope["method"] == "GET" and len(tokens) == 1 and self.access.is_token(tokens[0])
        return tokens[0] if rightful else None

    def exchange_link(self, scope: Scope) -> Response | None:
        """The answer to a good link: the cookie, and a page that moves on. Not a redirect, on which a cookie of this
        strictness would not travel where the link was followed from another site, such as a web terminal.

        `at` in the link is the fragment of the address that it moves on to.
        """
        token, host = self.find_token(scope), Headers(scope=scope)["host"]
        if token is None or not self.access.exchange(token, host):
            return None
        at = parse_qs(scope["query_string"].decode("latin-1")).get("at", [""])[0]
        name = scope["path"].rpartition("/")[2] + (f"#{quote(at, safe=FRAGMENT)}" if at else "")
        name = html.escape(name)
        page = (
            f'<!doctype html><html lang="en"><meta http-equiv="refresh" content="0;url=./{name}"><title>ganvas studio</title>'
        )
        answer = HTMLResponse(f'{page}<a href="./{name}">Open the studio</a></html>')
        secure = f"https://{host}" in self.access.origins and f"http://{host}" not in self.access.origins
        path = self.access.doorway.path if self.access.is_proxy(host) else "/"  # others live on the proxy's site too
        options: dict[str, Any] = {"httponly": True, "samesite": "strict", "secure": secure, "path": path}
        answer.set_cookie(self.access.cookie, self.access.secret, **options)
        return answer


def cap_body(receive: Receive, most: int) -> Receive:
    """`receive`, for a body of at most `most` bytes whose parts arrive in time."""
    taken, whole = 0, False

    async def receive_in_time() -> Message:
        nonlocal taken, whole
        try:
            message = await (receive() if whole else asyncio.wait_for(receive(), PART_SECONDS))
        except TimeoutError:
            raise HTTPException(408, "the rest of the body did not come") from None
        if message["type"] == "http.request":
            taken += len(message.get("body", b""))
            whole = not message.get("more_body", False)
            if taken > most:
                raise HTTPException(413, f"a body of at most {most} bytes is expected")
        return message

    return receive_in_time
