"""The verb `ganvas studio`: where it listens, and what it says."""

from __future__ import annotations

import asyncio
import json
import socket
import urllib.error
import urllib.request
from pathlib import Path
from typing import Any

import pytest

from ganvas.errors import ResourceError, UsageError
from ganvas.studio.auth import HEADERS, Access
from ganvas.studio.page import Page, Studio, list_links, render
from ganvas.studio.server import build_app, listen, serve
from ganvas.studio.site import PAGES


def test_another_address_needs_to_be_understood() -> None:
    with pytest.raises(UsageError, match="anyone who sees the link can use it") as refused:
        serve(lambda access: None, host="0.0.0.0", browser=False)
    assert "--i-understand" in str(refused.value)


def test_a_taken_port_and_a_foreign_address_are_a_line() -> None:
    with listen("127.0.0.1", 0) as bound, pytest.raises(ResourceError, match="choose another --port"):
        listen("127.0.0.1", bound.getsockname()[1])
    with pytest.raises(ResourceError, match="cannot serve at"):
        listen("203.0.113.7", 0)


def test_every_page_is_in_the_navigation_and_links_are_relative() -> None:
    for page in PAGES:
        text = render(page, PAGES)
        assert text.count('aria-current="page"') == 1
        assert all(f">{other.title}</a>" in text for other in PAGES)
        assert "{{" not in text
        assert 'href="/' not in text
        assert 'src="/' not in text


def test_the_navigation_has_groups_and_a_page_belongs_to_one() -> None:
    text = render(PAGES[0], PAGES)
    for group, titles in {"Learn": ["Play"], "Make": ["Train"], "Use": ["Explore", "Translate"]}.items():
        members = text.partition(f'<ul aria-labelledby="group-{group.lower()}">')[2].partition("</ul>")[0]
        assert [title for title in ("Home", "Play", "Train", "Explore", "Translate") if f">{title}</a>" in members] == titles
    with pytest.raises(ValueError, match="group is one of"):
        Page("x", "X", "", "Elsewhere")


def test_only_a_page_that_asks_for_the_camera_may_use_it() -> None:
    answers = {page.name: page.headers["Permissions-Policy"] for page in PAGES}
    for name in ("translate", "edit", "animate"):
        assert answers.pop(name) == "camera=(self), microphone=(), geolocation=()"
    assert set(answers.values()) == {HEADERS["Permissions-Policy"]}
    with pytest.raises(ValueError, match="permissions are some of"):
        Page("x", "X", "", permissions=("usb",))


def test_the_header_of_a_page_reaches_the_browser(tmp_path: Path) -> None:
    access = Access("127.0.0.1", 8765)
    pages = (PAGES[0], Page("play", "Photo", "", permissions=("camera",)))
    app = build_app(Studio(tmp_path), access, pages)
    headers = {"host": "127.0.0.1:8765", "cookie": f"{access.cookie}={access.secret}"}

    def ask(path: str) -> tuple[int, str]:
        sent: list[Any] = []
        parts = [{"type": "http.request", "body": b"", "more_body": False}]

        async def receive() -> Any:
            return parts.pop() if parts else {"type": "http.disconnect"}

        async def send(message: Any) -> None:
            sent.append(message)

        raw = [(name.encode(), value.encode()) for name, value in headers.items()]
        scope = {"type": "http", "method": "GET", "path": path, "raw_path": path.encode(), "query_string": b"", "headers": raw}
        asyncio.run(app({**scope, "scheme": "http", "root_path": "", "http_version": "1.1"}, receive, send))
        return sent[0]["status"], dict(sent[0]["headers"])[b"permissions-policy"].decode()

    assert ask("/play") == (200, "camera=(self), microphone=(), geolocation=()")
    assert ask("/") == ask("/favicon.ico") == (200, "camera=(), microphone=(), geolocation=()")


def test_a_run_is_handed_over_to_the_pages_that_suit_it() -> None:
    facts = {"explores": True, "model": True, "takes": ["noise"], "gives": ["images"]}
    assert list_links(PAGES, "a b", facts, "train") == [
        {"page": "explore", "label": "Explore the model", "href": "./explore#model=a%20b"},
        {"page": "edit", "label": "Edit its pictures", "href": "./edit#model=a%20b"},
    ]
    assert list_links(PAGES, "a", {**facts, "model": False}, "train") == []
    trained, shipped = {**facts, "run": True}, {**facts, "run": False}  # no training of a shipped model is here
    assert [link["href"] for link in list_links(PAGES, "a", trained, "explore")] == ["./train#run=a", "./edit#model=a"]
    assert [link["href"] for link in list_links(PAGES, "a", shipped, "explore")] == ["./edit#model=a"]
    drawn = {"explores": False, "model": True, "takes": ["map"], "gives": ["images"]}
    assert [link["href"] for link in list_links(PAGES, "a", drawn, "train")] == ["./translate#model=a"]


def test_over_a_real_socket(studio: Any) -> None:
    """The link once, the cookie then; a raw body too large; one row of JSON for each link."""
    link = studio.link()
    base = link.partition("/?")[0]
    with urllib.request.urlopen(link) as answer:
        cookie = answer.headers["Set-Cookie"].partition(";")[0]
    assert json.dumps(studio.link()) != json.dumps(link)

    def status(path: str, headers: dict[str, str], data: bytes | None = None) -> int:
        try:
            with urllib.request.urlopen(urllib.request.Request(base + path, data, headers)) as answer:
                return int(answer.status)
        except urllib.error.HTTPError as refused:
            refused.close()
            return refused.code

    assert status("/", {"Cookie": cookie}) == 200
    assert status("/", {}) == 403
    assert status(link.removeprefix(base), {}) == 403
    ours = {"Cookie": cookie, "Origin": base}
    assert status("/api/play/points", ours, b"1,2\n3,4\n") == 200
    assert status("/api/play/points", {"Cookie": cookie, "Origin": "null"}, b"1,2\n") == 403
    host, port = base.removeprefix("http://").split(":")
    with socket.create_connection((host, int(port)), timeout=30) as raw:
        raw.sendall(b"GET / HTTP/1.1\r\nHost: x\r\nX: " + b"y" * 40_000 + b"\r\n\r\n")
        assert raw.recv(100).startswith(b"HTTP/1.1 4")
    with socket.create_connection((host, int(port)), timeout=30) as raw:
        head = f"POST /api/play/points HTTP/1.1\r\nHost: {host}:{port}\r\nOrigin: {base}\r\nCookie: {cookie}\r\n"
        raw.sendall(f"{head}Content-Length: 3000000\r\n\r\n".encode())
        assert raw.recv(100).startswith(b"HTTP/1.1 413")


def test_no_run_folder_is_no_error(tmp_path: Path) -> None:
    from ganvas.studio.home import list_recent

    assert list_recent(tmp_path / "nowhere") == []
    (tmp_path / "broken").mkdir()
    (tmp_path / "broken" / "recipe.json").write_text("{")
    assert [(row["name"], "not readable JSON" in row["damage"]) for row in list_recent(tmp_path)] == [("broken", True)]
