"""Take screenshots of every page of the studio, light and dark, of desktop and phone: docs/pictures/studio/PAGE-THEME-SIZE.png.

`python tools/screenshots.py [PAGE ...]`; needs playwright and Debian's chromium. `SCENES` says what a page shows.
"""

from __future__ import annotations

import io
import json
import os
import shutil
import signal
import subprocess
import sys
import tempfile
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from PIL import Image

from ganvas.studio.site import PAGES

ROOT = Path(__file__).parents[1]
OUT = ROOT / "docs" / "pictures" / "studio"
FLAGS = "--headless --no-sandbox --disable-gpu --disable-quic --no-first-run --disable-background-networking --disable-sync"
SIZES = {"desktop": (1440, 1000), "phone": (390, 844)}
MOST = 150_000  # bytes of a picture
PATIENCE = 900_000  # milliseconds


def wait_until_loaded(page: Any) -> None:
    """Wait until a page has loaded what it shows."""
    page.wait_for_load_state("networkidle")
    page.wait_for_timeout(1500)


def play_link(page: Any) -> None:
    """Wait until all moves of the link are made."""
    page.wait_for_function("document.getElementById('step').dataset.step >= 2500 && document.getElementById('veil').hidden")


def take_tour(page: Any) -> None:
    """The guided tour after the first moves of the generator."""
    page.click("[data-lesson=tour]")
    page.wait_for_function("document.getElementById('canvas').getAttribute('aria-label').includes('Step 0')")
    page.click("#next")
    page.wait_for_function("document.getElementById('step').dataset.step === '200'")
    page.click("#next")
    page.wait_for_function("document.getElementById('step').dataset.step === '206' && document.getElementById('veil').hidden")
    page.wait_for_timeout(1500)


def train_digits(page: Any) -> None:
    """A training of 20,000 images, started on the page."""
    page.wait_for_selector("input[value=cgan-mnist]:checked")
    page.wait_for_function("!document.getElementById('start-words').textContent.startsWith('Timing')")
    page.fill("#images", "20000")
    page.click("#go")
    page.wait_for_selector("#state[data-state=finished]")
    page.wait_for_selector("#doctor .finding")
    page.wait_for_function("document.getElementById('picture').naturalWidth > 0")


def explore_model(page: Any) -> None:
    """The model of the picture of /train, with three keyframes of sevens and the nearest training images."""
    page.wait_for_function("!document.getElementById('explore').hidden && document.getElementById('pad').width > 60")
    page.click("[data-class='7']")
    for _ in range(3):
        page.click("#frame-it")
        page.locator("#pad").press("ArrowRight")
        page.wait_for_timeout(1500)
    page.click("#nearest")
    page.wait_for_function("!document.getElementById('nearest').disabled")


# Scene -> the link it begins at, and what to wait for.
SCENES: Mapping[str, tuple[str, Callable[[Any], None]]] = {
    "play": ("play#data=ring&seed=1&do=b1500~beside:both~b1000", play_link),
    "tour": ("play", take_tour),
    "train": ("train#new", train_digits),
    "explore": ("explore", explore_model),
}


def main(wanted: list[str]) -> None:
    """Take screenshots of the pages `wanted`, or of all pages and scenes."""
    from playwright.sync_api import sync_playwright

    plain = {page.name: (page.path, wait_until_loaded) for page in PAGES}
    scenes = {name: scene for name, scene in {**plain, **SCENES}.items() if not wanted or name in wanted}
    OUT.mkdir(parents=True, exist_ok=True)
    chromium = os.environ.get("GANVAS_CHROMIUM") or shutil.which("chromium")
    with tempfile.TemporaryDirectory() as folder, sync_playwright() as driver:
        environment = {**os.environ, "PYTHONPATH": str(ROOT), "OMP_NUM_THREADS": "1"}
        command = [sys.executable, "-m", "ganvas", "studio", "--port", "0", "--no-browser", "--json"]
        server = subprocess.Popen(command, cwd=folder, env=environment, stdout=subprocess.PIPE, text=True)
        try:
            link = json.loads(server.stdout.readline())["url"] if server.stdout else ""
            browser = driver.chromium.launch(executable_path=chromium, args=FLAGS.split())
            tab = browser.new_context(
                bypass_csp=True, reduced_motion="reduce", viewport={"width": 1440, "height": 1000}
            ).new_page()
            tab.set_default_timeout(PATIENCE)
            tab.goto(link)
            base = link.partition("?")[0]
            tab.wait_for_url(base)
            for name, (path, ready) in scenes.items():
                tab.goto("about:blank")
                tab.goto(base + path)
                ready(tab)
                photograph(tab, name)
            browser.close()
        finally:
            server.send_signal(signal.SIGINT)
            server.wait(60)


def photograph(tab: Any, name: str) -> None:
    """Save the present page in both themes and sizes."""
    for size, (width, height) in SIZES.items():
        tab.set_viewport_size({"width": width, "height": height})
        for theme in ("light", "dark"):
            tab.emulate_media(color_scheme=theme)
            tab.wait_for_timeout(600)
            path = OUT / f"{name}-{theme}-{size}.png"
            tab.evaluate("scrollTo(0, 0)")  # else the bar, which sticks, would be in the middle
            path.write_bytes(compress(tab.screenshot(full_page=size == "desktop")))
            print(f"{path.relative_to(ROOT)}  {path.stat().st_size:,} bytes")


def compress(data: bytes) -> bytes:
    """The same picture in fewer colors, until it is small enough."""
    picture = Image.open(io.BytesIO(data)).convert("RGB")
    for colors in (256, 128, 64, 32):
        out = io.BytesIO()
        picture.quantize(colors, dither=Image.Dither.NONE).save(out, "PNG", optimize=True)
        if out.tell() <= MOST:
            break
    return out.getvalue()


if __name__ == "__main__":
    main(sys.argv[1:])
