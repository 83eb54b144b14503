"""A studio that runs in a process of its own, and a real browser to look at it with."""

from __future__ import annotations

import gzip
import json
import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from support import faultless_tab

FLAGS = (
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
)
PATIENCE = 120_000  # milliseconds: a browser, a server and a session on one busy machine
pytest.importorskip("starlette", reason="the studio's packages are not installed: pip install 'ganvas[studio]'")


@dataclass
class Running:
    """A studio that is running, and the links it has said so far."""

    process: subprocess.Popen[str]
    runs: Path

    def link(self) -> str:
        """The link it says next; each is good once."""
        assert self.process.stdout
        return str(json.loads(self.process.stdout.readline())["url"])


def start(folder: Path, *arguments: str) -> Running:
    """A studio whose run folders lie in folder/runs."""
    root = str(Path(__file__).parents[2])
    environment = {**os.environ, "OMP_NUM_THREADS": "1", "PYTHONPATH": root, "XDG_CACHE_HOME": str(folder / "cache")}
    command = [sys.executable, "-m", "ganvas", "studio", "--port", "0", "--no-browser", "--json", *arguments]
    (folder / "runs").mkdir(exist_ok=True)
    process = subprocess.Popen(command, cwd=folder, env=environment, stdout=subprocess.PIPE, text=True)
    return Running(process, folder / "runs")


def stop(studio: Running) -> int:
    """End it as a person would, by Ctrl-C; its exit code."""
    studio.process.send_signal(signal.SIGINT)
    try:
        return studio.process.wait(60)
    except subprocess.TimeoutExpired:
        studio.process.kill()
        return studio.process.wait()
    finally:
        if studio.process.stdout:
            studio.process.stdout.close()


@pytest.fixture(scope="module")
def chromium() -> Iterator[Any]:
    """Debian's browser, driven by Playwright; skips, with the reason, where either is missing.

    For one file of tests only: while it is there, an event loop runs in this thread.
    """
    playwright = pytest.importorskip("playwright.sync_api", reason="playwright is not installed")
    path = os.environ.get("GANVAS_CHROMIUM") or shutil.which("chromium") or shutil.which("chromium-browser")
    if not path:
        pytest.skip("no chromium on this machine (apt-get install chromium, or GANVAS_CHROMIUM=PATH)")
    with playwright.sync_playwright() as driver:
        browser = driver.chromium.launch(executable_path=path, args=list(FLAGS))
        yield browser
        browser.close()


@pytest.fixture(scope="module")
def studio(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    """One studio for a file of tests."""
    running = start(tmp_path_factory.mktemp("studio"))
    yield running
    assert stop(running) == 0


@pytest.fixture(scope="module")
def context(request: pytest.FixtureRequest, chromium: Any, studio: Running) -> Iterator[Any]:
    """A browser's context that holds the cookie; `context.base` is the studio's address. A script error fails the test.

    Playwright's wait_for_function evaluates text, which the pages' policy forbids; a file with STRICT = True does without.
    """
    lax = not getattr(request.module, "STRICT", False)
    made = chromium.new_context(viewport={"width": 1280, "height": 900}, bypass_csp=lax)
    made.set_default_timeout(PATIENCE)
    link = studio.link()
    made.base = link.partition("/?")[0]
    page = made.new_page()
    page.goto(link)
    page.wait_for_url(f"{made.base}/")
    page.close()
    yield made
    made.close()


@pytest.fixture(scope="module")
def silent_tab(context: Any) -> Iterator[Any]:
    """One tab for a file of tests, in which the engine of Play does not answer and nothing may be thrown."""
    with faultless_tab(context) as made:
        made.add_init_script("window.WebSocket = class { send() {} close() {} };")
        yield made


@pytest.fixture
def page(context: Any) -> Iterator[Any]:
    """A new tab in which nothing may be thrown."""
    refused: list[str] = []
    with faultless_tab(context) as tab:
        tab.on("console", lambda said: refused.append(said.text) if "Content Security Policy" in said.text else None)
        yield tab
    assert refused == []


@pytest.fixture(scope="session")
def list_violations() -> Callable[[Any], list[Any]]:
    """What axe-core finds in a tab: light, dark, and with the forced colours of a person who needs contrast."""
    script = gzip.decompress(Path(__file__).with_name("axe.min.js.gz").read_bytes()).decode()
    rules = "{runOnly: ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'wcag22aa', 'best-practice']}"

    def look(tab: Any) -> list[Any]:
        tab.evaluate(script)
        found = []
        for media in ({"color_scheme": "light"}, {"color_scheme": "dark"}, {"color_scheme": "dark", "forced_colors": "active"}):
            tab.emulate_media(**media, reduced_motion="reduce")
            violations = tab.evaluate(f"axe.run(document, {rules})")["violations"]
            found += [(media, each["id"], [node["html"][:120] for node in each["nodes"]]) for each in violations]
        return found

    return look
