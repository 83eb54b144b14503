"""What a page of the studio is: its type, what all pages share, and its HTML.

Page `name` lives at /name. Its main part is html/NAME.html, its script static/NAME/page.js, its routes lie under /api/NAME/
and its socket at /api/NAME/socket. The frame around it (navigation, theme, help) is html/shell.html and
static/common/shell.js. The list of pages is `site.py`.
"""

from __future__ import annotations

import asyncio
import html
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol, TypeVar

from starlette.requests import Request
from starlette.routing import BaseRoute

from ganvas.studio.socket import Channel, SocketHandler

HERE = Path(__file__).parent


class Service(Protocol):
    """What a page needs for as long as the server runs. It is made with the studio as its only argument."""

    async def close(self) -> None:
        """The server ends."""


S = TypeVar("S", bound=Service)


@dataclass
class Studio:
    """What all pages share."""

    runs: Path  # the folder of the run folders; pages name runs by id, never by path
    services: dict[Callable[[Studio], Service], Service] = field(default_factory=dict)
    channels: set[Channel] = field(default_factory=set)  # open now
    tasks: set[asyncio.Task[None]] = field(default_factory=set)

    def get_service(self, kind: Callable[[Studio], S]) -> S:
        """The one service of a kind, made when it is first asked for."""
        if kind not in self.services:
            self.services[kind] = kind(self)
        return self.services[kind]  # type: ignore[return-value]


@dataclass(frozen=True)
class Page:
    """One page. `open` makes the handler of a socket; `service` lives as long as the server."""

    name: str
    title: str
    about: str  # one line on the home page
    routes: tuple[BaseRoute, ...] = ()  # their paths begin with /api/NAME/
    open: Callable[[Channel, Studio], SocketHandler] | None = None
    service: Callable[[Studio], Service] | None = None
    uploads: Mapping[str, int] = field(default_factory=dict)  # path -> the most bytes of a body sent there

    @property
    def path(self) -> str:
        """Its path below the root, relative: "" for home."""
        return "" if self.name == "home" else self.name


def find_service(request: Request, kind: Callable[[Studio], S]) -> S:
    """The service of a kind, for a route."""
    studio: Studio = request.app.state.studio
    return studio.get_service(kind)


def render(page: Page, pages: tuple[Page, ...]) -> str:
    """The page's HTML: its own part in the shell. Links are relative, so that it works below any prefix."""
    links = []
    for other in pages:
        current = ' aria-current="page"' if other is page else ""
        links.append(f'<li><a href="./{other.path}"{current}>{html.escape(other.title)}</a></li>')
    shell = (HERE / "html" / "shell.html").read_text(encoding="utf-8")
    body = (HERE / "html" / f"{page.name}.html").read_text(encoding="utf-8")
    for key, text in {"title": html.escape(page.title), "name": page.name, "links": "\n".join(links), "main": body}.items():
        shell = shell.replace(f"{{{{{key}}}}}", text)
    return shell
