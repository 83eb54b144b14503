"""What a page of the studio is: its type, what all pages share, and its HTML.

Page `name` lives at /name. Its main part is html/NAME.html, its script static/NAME/page.js, its routes lie under /api/NAME/
and its socket at /api/NAME/socket; /api/pictures is for all. The frame around it (navigation, theme, help) is
html/shell.html and static/common/shell.js. The list of pages is `site.py`.
"""

from __future__ import annotations

import asyncio
import html
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Protocol, TypeVar
from urllib.parse import quote

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
    device: str = "auto"  # where the models that pages show compute
    services: dict[Callable[[Studio], Service], Service] = field(default_factory=dict)
    channels: set[Channel] = field(default_factory=set)  # open now
    tasks: set[asyncio.Task[None]] = field(default_factory=set)

    def get_service(self, kind: Callable[[Studio], S]) -> S:
        """The one service of a kind, made when it is first asked for."""
        if kind not in self.services:
            self.services[kind] = kind(self)
        return self.services[kind]  # type: ignore[return-value]


GROUPS = ("", "Learn", "Make", "Use")  # of the navigation, in this order; "" is the home page
PERMISSIONS = ("camera", "microphone", "geolocation")  # what a browser asks a person for; a page has none by default


@dataclass(frozen=True)
class Handover:
    """How other pages hand a run over to a page: what their link says, and where it leads."""

    label: str | Callable[[Mapping[str, Any]], str]  # or one for the facts of a run
    fragment: str  # of the address; {id} is the run
    # Of the facts that `run_kind.describe_kind` gives; also `model`: it has one; `run`: its training is here, unlike that of a
    # model which comes with ganvas. Train itself does not give `run`.
    suits: Callable[[Mapping[str, Any]], bool]

    def name(self, facts: Mapping[str, Any]) -> str:
        """What the link says of a run with these facts."""
        return self.label if isinstance(self.label, str) else self.label(facts)


@dataclass(frozen=True)
class Page:
    """One page. `open` makes the handler of a socket; `service` lives as long as the server."""

    name: str
    title: str
    about: str  # one line on the home page
    group: str = "Use"  # one of GROUPS
    routes: tuple[BaseRoute, ...] = ()  # their paths begin with /api/NAME/
    open: Callable[[Channel, Studio], SocketHandler] | None = None
    service: Callable[[Studio], Service] | None = None
    uploads: Mapping[str, int] = field(default_factory=dict)  # path -> the most bytes of a body sent there
    permissions: tuple[str, ...] = ()  # those of PERMISSIONS that it may ask for
    handover: Handover | None = None

    def __post_init__(self) -> None:
        """Raises: ValueError: there is no such group or permission."""
        if self.group not in GROUPS or not set(self.permissions) <= set(PERMISSIONS):
            raise ValueError(f"page {self.name}: group is one of {GROUPS}, and permissions are some of {PERMISSIONS}")

    @property
    def path(self) -> str:
        """Its path below the root, relative: "" for home."""
        return "" if self.name == "home" else self.name

    @property
    def headers(self) -> dict[str, str]:
        """The headers of its HTML: what it may ask a person for, such as the camera. Other pages may not."""
        allowed = [f"{name}=({'self' if name in self.permissions else ''})" for name in PERMISSIONS]
        return {"Permissions-Policy": ", ".join(allowed)}


def list_links(pages: tuple[Page, ...], name: str, facts: Mapping[str, Any], here: str) -> list[dict[str, str]]:
    """The other pages that a run can be handed over to: for each its page, a label and a relative address.

    `facts` are those of the run, and `here` is the name of the page that asks.
    """
    fitting = [page for page in pages if page.handover and page.name != here and page.handover.suits(facts)]
    return [
        {"page": page.name, "label": each.name(facts), "href": f"./{page.path}#{each.fragment.format(id=quote(name, safe=''))}"}
        for page in fitting
        if (each := page.handover)
    ]


def find_service(request: Request, kind: Callable[[Studio], S]) -> S:
    """The service of a kind, for a route."""
    studio: Studio = request.app.state.studio
    return studio.get_service(kind)


def render(page: Page, pages: tuple[Page, ...]) -> str:
    """The page's HTML: its own part in the shell. Links are relative, so that it works below any prefix."""
    groups = [(group, [other for other in pages if other.group == group]) for group in GROUPS]
    links = [_render_group(group, members, page) for group, members in groups if members]
    shell = (HERE / "html" / "shell.html").read_text(encoding="utf-8")
    body = (HERE / "html" / f"{page.name}.html").read_text(encoding="utf-8")
    for key, text in {"title": html.escape(page.title), "name": page.name, "links": "\n".join(links), "main": body}.items():
        shell = shell.replace(f"{{{{{key}}}}}", text)
    return shell


def _render_group(group: str, members: list[Page], page: Page) -> str:
    """The links to the pages of a group, as items of a list; a group with a name is a list within the list."""
    items = []
    for each in members:
        current = ' aria-current="page"' if each is page else ""
        items.append(f'<li><a href="./{each.path}"{current}>{html.escape(each.title)}</a></li>')
    if not group:
        return "\n".join(items)
    name = f"group-{group.lower()}"
    return f'<li class="group"><span id="{name}">{group}</span><ul aria-labelledby="{name}">{"".join(items)}</ul></li>'
