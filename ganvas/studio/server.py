"""Serve the studio: the application of all pages behind one access check, and the server that runs it until Ctrl-C."""

from __future__ import annotations

import asyncio
import contextlib
import socket
import sys
import webbrowser
from collections.abc import AsyncIterator, Callable, Coroutine
from pathlib import Path
from typing import Any

import uvicorn
from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import FileResponse, HTMLResponse, Response
from starlette.routing import BaseRoute, Mount, Route, WebSocketRoute
from starlette.staticfiles import StaticFiles
from starlette.websockets import WebSocket

from ganvas.errors import ResourceError, UsageError
from ganvas.runtime.device import find_device
from ganvas.studio import picture_store
from ganvas.studio.auth import Access, AuthMiddleware
from ganvas.studio.connections import PatientProtocol
from ganvas.studio.page import HERE, Page, Studio, render
from ganvas.studio.site import PAGES
from ganvas.studio.socket import MAX_FRAME_BYTES, Channel

LOOPBACK = ("127.0.0.1", "localhost", "::1")
WARNING = """the studio will answer at {host}, not only on this machine. That means:
  - anyone who sees the link can use it: train, fill the disk, read what the studio shows;
  - the connection is not encrypted: anyone who reads the network's traffic can copy the link and the cookie;
  - use it on a network you trust, or keep the loopback address and tunnel: ssh -L {port}:127.0.0.1:{port} HOST"""


def build_app(studio: Studio, access: Access, pages: tuple[Page, ...] = PAGES) -> Starlette:
    """The pages, their sockets and routes, and the static files, behind the access check."""

    @contextlib.asynccontextmanager
    async def lifespan(_: Starlette) -> AsyncIterator[None]:
        for page in pages:
            if page.service:
                studio.get_service(page.service)
        yield
        for service in studio.services.values():
            await service.close()

    routes: list[BaseRoute] = []
    for page in pages:
        routes.append(Route(f"/{page.path}", make_page_endpoint(page, pages), name=page.name))
        routes += page.routes
        if page.open:
            routes.append(WebSocketRoute(f"/api/{page.name}/socket", make_socket_endpoint(page, studio)))
    routes += [*picture_store.ROUTES, Route("/favicon.ico", answer_icon)]
    routes.append(Mount("/static", StaticFiles(directory=HERE / "static"), name="static"))
    uploads = picture_store.UPLOADS | {path: most for page in pages for path, most in page.uploads.items()}
    app = Starlette(routes=routes, lifespan=lifespan, middleware=[Middleware(AuthMiddleware, access=access, uploads=uploads)])
    app.state.studio, app.state.pages = studio, pages
    app.router.redirect_slashes = False
    return app


async def answer_icon(_: Request) -> Response:
    """The icon, where a browser looks for it by itself."""
    return FileResponse(HERE / "static" / "common" / "icon.svg", media_type="image/svg+xml")


def make_page_endpoint(page: Page, pages: tuple[Page, ...]) -> Callable[[Request], Coroutine[Any, Any, Response]]:
    """The endpoint of a page's HTML."""

    async def answer(_: Request) -> Response:
        return HTMLResponse(render(page, pages), headers=page.headers)

    return answer


def make_socket_endpoint(page: Page, studio: Studio) -> Callable[[WebSocket], Coroutine[Any, Any, None]]:
    """The endpoint of a page's socket."""

    async def answer(websocket: WebSocket) -> None:
        await websocket.accept()
        channel = Channel(websocket)
        studio.channels.add(channel)
        try:
            if page.open:
                with contextlib.suppress(asyncio.CancelledError):  # the server ends: that is no error to print
                    await channel.serve(page.open(channel, studio))
        finally:
            studio.channels.discard(channel)

    return answer


class Server(uvicorn.Server):
    """A server that disconnects its pages when it stops, so that none can delay its end."""

    def __init__(self, config: uvicorn.Config, studio: Studio) -> None:
        super().__init__(config)
        self.studio = studio

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        for channel in self.studio.channels:
            channel.open = False
            channel.wake.set()
        await asyncio.sleep(0)
        await super().shutdown(sockets)


def serve(
    announce: Callable[[Access], None],
    *,
    port: int = 8765,
    host: str = "127.0.0.1",
    runs: Path = Path("runs"),
    browser: bool = True,
    i_understand: bool = False,
    device: str = "auto",
) -> None:
    """Serve the studio until it is interrupted; `announce` is called with each link that opens it. Port 0: any free one.

    Models that the pages show compute on `device`.

    Raises:
        UsageError: another address than this machine's own, without `i_understand`; no kind of device has this name.
        ResourceError: the port is taken, or the address is not this machine's.
    """
    find_device(device)
    if host not in LOOPBACK and not i_understand:
        raise UsageError(f"{WARNING.format(host=host, port=port)}; add --i-understand if you want that")
    listener = listen(host, port)
    if host not in LOOPBACK:
        print(f"ganvas: {WARNING.format(host=host, port=port)}", file=sys.stderr)
    access = Access(host, listener.getsockname()[1])
    access.on_renew = lambda: announce(access)
    announce(access)
    if browser:
        webbrowser.open(access.url)
    with contextlib.suppress(KeyboardInterrupt):
        make_server(Studio(runs, device), access).run(sockets=[listener])


def make_server(studio: Studio, access: Access) -> Server:
    """The server of the studio, which listens where it is told to: `run(sockets=...)`."""
    config = uvicorn.Config(
        build_app(studio, access),
        ws="websockets-sansio",
        http=PatientProtocol,
        lifespan="on",
        log_level="warning",
        access_log=False,
        server_header=False,
        proxy_headers=False,
        ws_max_size=MAX_FRAME_BYTES,
        ws_per_message_deflate=False,
        limit_concurrency=256,
        timeout_keep_alive=30,
        timeout_graceful_shutdown=3,
        h11_max_incomplete_event_size=16 << 10,
    )
    return Server(config, studio)


def listen(host: str, port: int) -> socket.socket:
    """A socket that listens at `host` and `port`."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    bound = socket.socket(family, socket.SOCK_STREAM)
    bound.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        bound.bind((host, port))
        bound.listen(128)
    except OSError as error:
        bound.close()
        message = f"cannot serve at {host}:{port}: {error.strerror or error}"
        raise ResourceError(f"{message}; choose another --port, or 0 for any free one") from None
    return bound
