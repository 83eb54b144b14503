"""`ganvas.studio()`: in the background of this process, in a frame of a notebook's page, and behind a proxy with a path."""

from __future__ import annotations

import re
import urllib.error
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from reverse_proxy import ReverseProxy

import ganvas
from ganvas.errors import UsageError
from ganvas.studio.notebook_studio import NotebookStudio, make_doorway

PREFIX = "/user/ada/proxy/{port}/"
pytestmark = pytest.mark.timeout(900)


def fetch(url: str, **headers: str) -> Any:
    request = urllib.request.Request(url, headers=headers)
    with urllib.request.urlopen(request, timeout=30) as answer:
        return answer.read().decode(), answer.headers


def refused(url: str, **headers: str) -> bool:
    try:
        fetch(url, **headers)
    except urllib.error.HTTPError as answer:
        return answer.code == 403
    return False


@pytest.fixture
def studio(tmp_path: Path) -> Iterator[NotebookStudio]:
    with ganvas.studio("play#data=ring", runs=tmp_path) as opened:
        yield opened


def test_it_answers_shows_itself_and_ends(studio: NotebookStudio, tmp_path: Path) -> None:
    assert ganvas.studio(runs=tmp_path) is studio  # a cell that runs again starts no second one
    assert ganvas.studio("play#data=ring", runs=tmp_path) is studio
    shown = studio._repr_html_()
    assert f'"/play?token={studio.access.token}&at=data%3Dring#data=ring"' in shown
    link = studio.url
    text, headers = fetch(link)
    assert 'url=./play#data=ring"' in text
    policy = headers["content-security-policy"]
    assert "frame-ancestors http://localhost:* http://127.0.0.1:*;" in policy
    assert "x-frame-options" not in headers
    cookie = headers["set-cookie"].partition(";")[0]
    assert "Play" in fetch(f"http://127.0.0.1:{studio.port}/play", Cookie=cookie)[0]
    assert refused(f"http://127.0.0.1:{studio.port}/play")
    with pytest.raises(urllib.error.HTTPError) as again:  # a notebook that is opened in another browser
        fetch(link)
    assert "run the cell of the notebook again" in again.value.read().decode()
    assert refused(f"http://127.0.0.1:{studio.port}/?token={studio.access.token}", Host="hub.example")  # no proxy was named
    studio.close()
    assert "closed" in repr(studio)
    assert "iframe" not in studio._repr_html_()
    with pytest.raises(urllib.error.URLError):
        fetch(f"http://127.0.0.1:{studio.port}/play")


def test_a_link_names_its_host_to_the_proxy(tmp_path: Path) -> None:
    with ganvas.studio(runs=tmp_path, proxy=PREFIX) as opened:
        own, token = f"http://127.0.0.1:{opened.port}", opened.access.token
        assert opened.url == f"/user/ada/proxy/{opened.port}/?token={token}"
        assert f'src="{opened.url}"' in opened._repr_html_()
        assert refused(f"{own}/?token=guess", Host="evil.example")
        assert refused(f"{own}/?token={token}", Host="evil.example", Origin="http://other.example")
        _, headers = fetch(f"{own}/?token={token}", Host="hub.example")
        assert f"Path=/user/ada/proxy/{opened.port}/" in headers["set-cookie"]
        assert "frame-ancestors 'self';" in headers["content-security-policy"]
        cookie = headers["set-cookie"].partition(";")[0]
        for origin in ({}, {"Origin": "https://hub.example"}):
            assert "Play" in fetch(f"{own}/play", Host="hub.example", Cookie=f'_xsrf="2|\\; {cookie}', **origin)[0]
        assert refused(f"{own}/play", Host="hub.example", Cookie=cookie, Origin="https://evil.example")
        assert refused(f"{own}/play", Host="evil.example", Cookie=cookie)
        assert refused(f"{own}/?token={token}", Host="evil.example")  # it was used


def test_a_hub_says_where_its_proxy_is(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("JUPYTERHUB_SERVICE_PREFIX", "/user/ada/")
    with ganvas.studio(runs=tmp_path) as opened:
        assert opened.url.startswith(f"/user/ada/proxy/{opened.port}/?token=")


def test_a_proxy_by_its_url_and_a_frame_by_its_site() -> None:
    found = make_doorway("https://hub.example/user/ada/proxy/{port}/", "http://localhost:8888")
    assert (found.origins, found.path, found.learns) == (("https://hub.example",), PREFIX, False)
    assert found.framers == ("http://localhost:8888",)
    assert make_doorway("/proxy/{port}/", None).learns


@pytest.mark.parametrize(
    "proxy", ["proxy/1", "/proxy/1", "//evil.example/", "/a b/", "ftp://x/", "https://", "/a;b/", "https://a b/"]
)
def test_what_is_no_proxy_is_refused(proxy: str, tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=r"^proxy: expected"):
        ganvas.studio(proxy=proxy, runs=tmp_path)


@pytest.mark.parametrize("frame", ["*", "localhost:8888", "https://a.example/x", "http://a b", "http://a;b"])
def test_what_is_no_site_may_not_be_a_frame(frame: str, tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=r"^frame: expected"):
        ganvas.studio(frame=frame, runs=tmp_path)


def test_pages_that_are_not_there_are_refused(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="page: expected one of play, train"):
        ganvas.studio("plya", runs=tmp_path)


@pytest.mark.slow
@pytest.mark.parametrize(("name", "prefix"), [("localhost", ""), ("127.0.0.1", ""), ("localhost", PREFIX)])
def test_a_notebook_plays_and_explores_in_its_frame(chromium: Any, tmp_path: Path, name: str, prefix: str) -> None:
    """The pages work in a frame, directly and below the path of a proxy: scripts, styles, routes, the socket, a sending."""
    proxy = ReverseProxy()
    try:
        small = "data=gaussians&width=8&critic_width=8&depth=1&critic_depth=1&batch=16"
        with ganvas.studio(f"play#{small}", runs=tmp_path, proxy=prefix) as opened:
            proxy.behind = opened.port
            proxy.prefix = opened.proxy or "/nowhere/"
            proxy.pages["/lab"] = f"<!doctype html><title>A notebook</title>{opened._repr_html_()}"
            context = chromium.new_context(viewport={"width": 1400, "height": 900}, bypass_csp=False)
            context.set_default_timeout(300_000)
            page, errors = context.new_page(), list[str]()
            page.on("pageerror", lambda error: errors.append(str(error)))
            page.on("response", lambda answer: errors.append(answer.url) if answer.status >= 400 else None)
            page.on("console", lambda said: errors.append(said.text) if said.type == "error" else None)
            base = f"http://{name}:{proxy.port}"
            page.goto(f"{base}/lab")
            frame = page.frame_locator("iframe")
            frame.locator("#step[data-step='0']").wait_for()
            frame.locator("#both").click()
            frame.locator("#step[data-step='1']").wait_for()
            frame.locator("a[href='./explore']").click()
            frame.locator("#model option[value$='cgan-mnist']").first.wait_for(state="attached")
            frame.locator("a[href='./translate']").first.click()
            inner = page.frames[1]
            inner.wait_for_load_state("networkidle")
            sent = inner.evaluate(
                "fetch('./api/pictures', {method: 'POST', body: Uint8Array.from([1, 2, 3])}).then((answer) => answer.status)"
            )
            assert sent in (400, 422)  # no picture: but it came, with the Origin of the page
            assert all("api/pictures" in error or "Failed to load" in error for error in errors), errors
            page.reload()
            frame.locator("#step[data-step='0']").wait_for()  # the token is used; the cookie is there
            link = page.locator("a[target=_blank]").get_attribute("href")
            tab = context.new_page()
            tab.goto(link if "://" in link else base + link)
            tab.wait_for_selector("#step[data-step='0']")
            context.close()
    finally:
        proxy.close()


@pytest.mark.slow
def test_a_training_is_watched_behind_a_proxy(chromium: Any, tmp_path: Path) -> None:
    proxy = ReverseProxy()
    try:
        with ganvas.studio("train#new&recipe=gan-ring&images=2000", runs=tmp_path, proxy=PREFIX) as opened:
            proxy.behind, proxy.prefix = opened.port, opened.proxy
            context = chromium.new_context(viewport={"width": 1400, "height": 900})
            context.set_default_timeout(300_000)
            page = context.new_page()
            page.goto(f"http://localhost:{proxy.port}{opened.url}")
            page.wait_for_url(re.compile(r"/user/ada/proxy/\d+/train#"))
            page.wait_for_selector("input[name=recipe]:checked")
            page.click("#go")
            page.wait_for_selector("#state[data-state=finished]")
            page.wait_for_selector("#picture:not([hidden])")
            assert list(tmp_path.glob("*/result.json"))
            context.close()
    finally:
        proxy.close()


@pytest.mark.slow
def test_another_site_may_not_frame_it(chromium: Any, tmp_path: Path) -> None:
    proxy = ReverseProxy()
    try:
        with ganvas.studio(runs=tmp_path, frame="http://localhost:1") as opened:
            proxy.prefix = "/nowhere/"
            proxy.pages["/lab"] = f"<!doctype html><title>Another site</title>{opened._repr_html_()}"
            context = chromium.new_context()
            page, said = context.new_page(), list[str]()
            page.on("console", lambda message: said.append(message.text))
            page.goto(f"http://localhost:{proxy.port}/lab")
            page.wait_for_load_state("networkidle")
            assert any("frame-ancestors" in text for text in said)
            assert page.frames[1].locator("nav").count() == 0
            context.close()
    finally:
        proxy.close()
