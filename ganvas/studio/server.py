"""Serve the studio: the application of all pages behind one guard, and the server that runs it until Ctrl-C."""

from __future__ import annotations

import asyncio
import contextlib
import socket
import sys
import webbrowser
from collections.abc import AsyncIterator, Callable, Coroutine
from contextlib import AsyncExitStack
from pathlib import Path
from typing import Any

import uvicorn
from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import HTMLResponse, Response
from starlette.routing import BaseRoute, Mount, Route, WebSocketRoute
from starlette.staticfiles import StaticFiles
from starlette.websockets import WebSocket

from ganvas.errors import ResourceError, UsageError
from ganvas.studio.channel import LARGEST, Channel
from ganvas.studio.guard import Door, Guard
from ganvas.studio.pages import HERE, Page, Studio, address, pages, rendered

LOOPBACK = ("127.0.0.1", "localhost", "::1")
WARNING = """the studio will answer at {host}, not only on this machine. That means:
  - whoever sees the link can use it: train, fill the disk, read what the studio shows;
  - it travels unencrypted: who listens on the network can take the link and the cookie;
  - use it on a network you trust, or keep the loopback address and tunnel: ssh -L {port}:127.0.0.1:{port} HOST"""


def application(studio: Studio, door: Door, among: tuple[Page, ...] | None = None) -> Starlette:
    """The pages, their sockets and routes, and the static files, behind the guard."""
    among = pages() if among is None else among

    @contextlib.asynccontextmanager
    async def lifespan(_: Starlette) -> AsyncIterator[None]:
        async with AsyncExitStack() as stack:
            for page in among:
                if page.service:
                    studio.services[page.name] = await stack.enter_async_context(page.service(studio))
            yield

    routes: list[BaseRoute] = []
    for page in among:
        routes.append(Route(f"/{address(page)}", shown(page, among), name=page.name))
        routes += page.routes
        if page.open:
            routes.append(WebSocketRoute(f"/api/{page.name}/socket", connected(page, studio)))
    routes.append(Mount("/static", StaticFiles(directory=HERE / "static"), name="static"))
    uploads = {path: most for page in among for path, most in page.uploads.items()}
    app = Starlette(routes=routes, lifespan=lifespan, middleware=[Middleware(Guard, door=door, uploads=uploads)])
    app.state.studio = studio
    app.router.redirect_slashes = False
    return app


def shown(page: Page, among: tuple[Page, ...]) -> Callable[[Request], Coroutine[Any, Any, Response]]:
    """The endpoint of a page's HTML."""

    async def endpoint(_: Request) -> Response:
        return HTMLResponse(rendered(page, among))

    return endpoint


def connected(page: Page, studio: Studio) -> Callable[[WebSocket], Coroutine[Any, Any, None]]:
    """The endpoint of a page's socket."""

    async def endpoint(websocket: WebSocket) -> None:
        await websocket.accept()
        channel = Channel(websocket)
        studio.channels.add(channel)
        try:
            if page.open:
                await channel.serve(page.open(channel, studio))
        finally:
            studio.channels.discard(channel)

    return endpoint


class Server(uvicorn.Server):
    """A server that lets its pages go when it is told to stop, and waits for nobody."""

    def __init__(self, config: uvicorn.Config, studio: Studio) -> None:
        super().__init__(config)
        self.studio = studio

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        for channel in self.studio.channels:
            channel.open = False
            channel.wake.set()
        await asyncio.sleep(0)
        await super().shutdown(sockets)


def studio(
    say: Callable[[Door], None],
    *,
    port: int = 8765,
    host: str = "127.0.0.1",
    runs: Path = Path("runs"),
    browser: bool = True,
    i_understand: bool = False,
) -> None:
    """Serve the studio until it is interrupted; `say` is called with each link that opens it. Port 0: any free one.

    Raises:
        UsageError: another address than this machine's own, without `i_understand`.
        ResourceError: the port is taken, or the address is not this machine's.
    """
    if host not in LOOPBACK and not i_understand:
        raise UsageError(f"{WARNING.format(host=host, port=port)}; add --i-understand if you want that")
    bound = listening(host, port)
    if host not in LOOPBACK:
        print(f"ganvas: {WARNING.format(host=host, port=port)}", file=sys.stderr)
    door = Door(host, bound.getsockname()[1])
    door.renewed = lambda: say(door)
    shared = Studio(runs)
    config = uvicorn.Config(
        application(shared, door),
        ws="websockets-sansio",
        http="h11",
        lifespan="on",
        log_level="warning",
        access_log=False,
        server_header=False,
        proxy_headers=False,
        ws_max_size=LARGEST,
        ws_per_message_deflate=False,
        limit_concurrency=256,
        timeout_keep_alive=30,
        timeout_graceful_shutdown=3,
        h11_max_incomplete_event_size=16 << 10,
    )
    say(door)
    if browser:
        webbrowser.open(door.url)
    with contextlib.suppress(KeyboardInterrupt):
        Server(config, shared).run(sockets=[bound])


def listening(host: str, port: int) -> socket.socket:
    """A socket that listens at `host` and `port`."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    bound = socket.socket(family, socket.SOCK_STREAM)
    bound.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        bound.bind((host, port))
        bound.listen(128)
    except OSError as error:
        bound.close()
        told = f"cannot serve at {host}:{port}: {error.strerror or error}"
        raise ResourceError(f"{told}; choose another --port, or 0 for any free one") from None
    return bound
