"""The pages of the studio: a page is a module with a `PAGE`, and one line here.

Page `name` lives at /name: its main part is html/NAME.html, its script static/NAME.js, its routes lie under /api/NAME/ and
its socket at /api/NAME/socket. The frame round it, navigation, theme and help, is html/shell.html and static/shell.js.
"""

from __future__ import annotations

import asyncio
import html
from collections.abc import Callable, Mapping
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from starlette.routing import BaseRoute

from ganvas.studio.channel import Channel, Session

HERE = Path(__file__).parent


@dataclass
class Studio:
    """What all pages share."""

    runs: Path  # where run folders lie; pages name them by id, never by path
    services: dict[str, Any] = field(default_factory=dict)  # page -> what its `service` made
    channels: set[Channel] = field(default_factory=set)  # open now
    tasks: set[asyncio.Task[None]] = field(default_factory=set)


@dataclass(frozen=True)
class Page:
    """One page. `open` makes the session of a socket; `service` lives as long as the server."""

    name: str
    title: str
    about: str  # one line on the home page
    routes: tuple[BaseRoute, ...] = ()  # whose paths begin with /api/NAME/
    open: Callable[[Channel, Studio], Session] | None = None
    service: Callable[[Studio], AbstractAsyncContextManager[Any]] | None = None
    uploads: Mapping[str, int] = field(default_factory=dict)  # path -> the most bytes of a body sent there


def pages() -> tuple[Page, ...]:
    """Every page, in the order of the navigation; the first is the home page at /."""
    from ganvas.studio import home
    from ganvas.studio.explore import page as explore
    from ganvas.studio.play import page as play
    from ganvas.studio.train import page as train

    return (home.PAGE, play.PAGE, train.PAGE, explore.PAGE)


def address(page: Page) -> str:
    """The path of a page below the root, relative: "" for home."""
    return "" if page.name == "home" else page.name


def rendered(page: Page, among: tuple[Page, ...]) -> str:
    """The page's HTML: its own part in the shell, links relative so that it works below any prefix."""
    links = []
    for other in among:
        current = ' aria-current="page"' if other is page else ""
        links.append(f'<li><a href="./{address(other)}"{current}>{html.escape(other.title)}</a></li>')
    shell = (HERE / "html" / "shell.html").read_text(encoding="utf-8")
    body = (HERE / "html" / f"{page.name}.html").read_text(encoding="utf-8")
    for key, text in {"title": html.escape(page.title), "name": page.name, "links": "\n".join(links), "main": body}.items():
        shell = shell.replace(f"{{{{{key}}}}}", text)
    return shell
