"""A real browser for exported pages, and models whose outputs vary enough to tell them apart."""

from __future__ import annotations

import gzip
import os
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import torch
from support import miniature_model

from ganvas.inference.model import Model

FLAGS = ("--headless", "--no-sandbox", "--disable-gpu", "--no-first-run", "--disable-background-networking")
PATIENCE = 120_000  # milliseconds: a browser on a busy machine
AXE = Path(__file__).parents[1] / "studio" / "axe.min.js.gz"
RULES = "{runOnly: ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'wcag22aa', 'best-practice']}"


@pytest.fixture(scope="module")
def chromium() -> Iterator[Any]:
    """Debian's browser, driven by Playwright; skips, with the reason, where either is missing."""
    playwright = pytest.importorskip("playwright.sync_api", reason="playwright is not installed")
    path = os.environ.get("GANVAS_CHROMIUM") or shutil.which("chromium") or shutil.which("chromium-browser")
    if not path:
        pytest.skip("no chromium on this machine (apt-get install chromium, or GANVAS_CHROMIUM=PATH)")
    with playwright.sync_playwright() as driver:
        browser = driver.chromium.launch(executable_path=path, args=list(FLAGS))
        yield browser
        browser.close()


@pytest.fixture
def tab(chromium: Any) -> Iterator[Any]:
    """A tab in which nothing may be thrown, and which may ask for nothing but files; `tab.asked` are the addresses."""
    made = chromium.new_page(viewport={"width": 1100, "height": 900})
    made.set_default_timeout(PATIENCE)
    errors: list[str] = []
    made.asked = []
    made.on("pageerror", lambda error: errors.append(str(error)))
    made.on("request", lambda request: made.asked.append(request.url))
    yield made
    made.close()
    assert errors == []


@pytest.fixture(scope="session")
def list_violations() -> Callable[[Any], list[Any]]:
    """What axe-core finds in a tab, in both themes and with forced colors."""
    script = gzip.decompress(AXE.read_bytes()).decode()

    def look(tab: Any) -> list[Any]:
        tab.evaluate(script)
        found = []
        for media in ({"color_scheme": "light"}, {"color_scheme": "dark"}, {"color_scheme": "dark", "forced_colors": "active"}):
            tab.emulate_media(**media, reduced_motion="reduce")
            violations = tab.evaluate(f"axe.run(document, {RULES})")["violations"]
            found += [(media, each["id"], [node["html"][:120] for node in each["nodes"]]) for each in violations]
        return found

    return look


@pytest.fixture(scope="session")
def lively_model() -> Callable[[str], Model]:
    """A miniature whose weights were made larger: its pictures are no flat grey, in which a wrong seed would not be seen."""

    def make(name: str) -> Model:
        model, random = miniature_model(name), torch.Generator().manual_seed(5)
        with torch.no_grad():
            for weight in model.game.parameters():
                if weight.ndim > 1 and weight.numel() > 1:  # one number has no spread
                    weight.mul_(4).add_(0.3 * torch.randn(weight.shape, generator=random) * weight.std().nan_to_num(0.1))
        return model

    return make
