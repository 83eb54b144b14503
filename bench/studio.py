"""The cost of the studio for a training, the delay of an image, and the first paint of each page: `python bench/studio.py`.

Training alone and training with the studio take turns, with the same recipe, seed and plan. The studio starts its training, and
a client sends all requests of the page /train, as often as the page does. Reported are images per second of result.json, and
the processor time of the server, which other work on the machine does not change. Then images of an untrained generator of 64
pixels are requested one by one, each of another seed, as /explore does. Last, each page is opened in Debian's chromium with
an empty cache, for the time of its first contentful paint.
"""

from __future__ import annotations

import argparse
import http.cookiejar
import json
import os
import shutil
import signal
import statistics
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from urllib.parse import quote

from ganvas.games.recipes import resolve_recipe
from ganvas.games.registry import build
from ganvas.inference import model_file
from ganvas.studio.site import PAGES
from ganvas.utils.settings import to_dict

Get = Any
FLAGS = ["--headless", "--no-sandbox", "--disable-gpu"]


@contextmanager
def run_studio(folder: Path) -> Iterator[tuple[str, int]]:
    """A studio of folder/runs: its link and the number of its process."""
    command = [sys.executable, "-m", "ganvas", "studio", "--port", "0", "--no-browser", "--json"]
    process = subprocess.Popen(command, cwd=folder, stdout=subprocess.PIPE, text=True)
    try:
        yield json.loads(process.stdout.readline())["url"] if process.stdout else "", process.pid
    finally:
        process.send_signal(signal.SIGINT)
        process.wait(30)


@contextmanager
def open_studio(folder: Path) -> Iterator[tuple[Get, int]]:
    """A studio: a function from a path (and a body) to bytes, and the number of its process."""
    with run_studio(folder) as (link, process):
        base = link.partition("/?")[0]
        opener = urllib.request.build_opener(urllib.request.HTTPCookieProcessor(http.cookiejar.CookieJar()))
        opener.open(link).read()

        def ask(path: str, body: Any = None) -> bytes:
            data = None if body is None else json.dumps(body).encode()
            with opener.open(urllib.request.Request(f"{base}/api/{path}", data, {"Origin": base})) as answer:  # noqa: S310
                return bytes(answer.read())

        yield ask, process


def read_cpu_seconds(process: int) -> float:
    """Processor seconds of a process so far (Linux: fields 14 and 15 of its stat)."""
    fields = Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def train_alone(recipe: str, images: int, folder: Path) -> float:
    """Images per second of a training without the studio."""
    words = ["train", recipe, "--images", str(images), "--ranks", "1", "--quiet", "--out", str(folder)]
    subprocess.run([sys.executable, "-m", "ganvas", *words], check=True)
    return read_pace(folder)


def train_watched(folder: Path, plan: Path) -> tuple[float, float]:
    """Images per second of a training that a page watches, and the share of one core that the server used."""
    run = folder / "runs" / "00000-watched"
    run.mkdir(parents=True)
    for name in ("recipe.json", "env.json"):
        (run / name).write_bytes((plan / name).read_bytes())
    with open_studio(folder) as (ask, process):
        start, before = time.perf_counter(), read_cpu_seconds(process)
        ask("train/runs/00000-watched/resume", {})
        place, tick = "", 0
        while not (run / "result.json").exists():
            details = json.loads(ask("train/runs/00000-watched"))
            found = json.loads(ask(f"train/runs/00000-watched/log?place={place}"))
            place = found["place"]
            if details["snapshots"]:
                ask(f"train/runs/00000-watched/samples/{details['snapshots'][-1]}")
            if tick % 4 == 0:
                ask("train/runs")
            tick += 1
            time.sleep(1)
        share = (read_cpu_seconds(process) - before) / (time.perf_counter() - start)
    return read_pace(run), share


def read_pace(run: Path) -> float:
    """Images per second of the result of a run."""
    return float(json.loads((run / "result.json").read_text())["images_per_second"])


def measure_latency(count: int) -> list[float]:
    """Milliseconds from a request to its image, of an untrained generator of 64 pixels in color."""
    recipe = resolve_recipe("dcgan-images", {"config.resolution": "64", "config.channels": "3"})
    with tempfile.TemporaryDirectory() as name:
        run = Path(name) / "runs" / "generator"
        run.mkdir(parents=True)
        (run / "recipe.json").write_text(json.dumps(to_dict(recipe)))
        model_file.save(run / "model.safetensors", build(recipe).eval(), {"recipe": to_dict(recipe), "items": 0, "classes": []})
        with open_studio(Path(name)) as (ask, _):
            ask("explore/models/generator")
            found = []
            for seed in range(count):
                start = time.perf_counter()
                ask(f"explore/models/generator/picture?look={quote(json.dumps({'seed': seed}))}")
                found.append(1000 * (time.perf_counter() - start))
            return found[5:]


def measure_paints(times: int) -> dict[str, float]:
    """Milliseconds from the request for a page to its first contentful paint: the median of each page, with an empty cache."""
    from playwright.sync_api import sync_playwright

    found: dict[str, list[float]] = {page.name: [] for page in PAGES}
    with tempfile.TemporaryDirectory() as name, run_studio(Path(name)) as (link, _), sync_playwright() as driver:
        browser = driver.chromium.launch(executable_path=shutil.which("chromium"), args=FLAGS)
        tab = browser.new_page()
        tab.goto(link)
        base = link.partition("?")[0]
        tab.wait_for_url(base)
        network = tab.context.new_cdp_session(tab)
        for page in PAGES * times:
            tab.goto("about:blank")
            network.send("Network.clearBrowserCache")
            tab.goto(base + page.path)
            tab.wait_for_function("performance.getEntriesByName('first-contentful-paint').length")
            found[page.name].append(tab.evaluate("performance.getEntriesByName('first-contentful-paint')[0].startTime"))
        browser.close()
    return {name: statistics.median(values) for name, values in found.items()}


def main() -> None:
    """Print a row of JSON a round, then the sums."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--recipe", default="cgan-mnist")
    parser.add_argument("--images", type=int, default=30_000)
    parser.add_argument("--rounds", type=int, default=3, help="pairs of trainings; 0: none")
    arguments = parser.parse_args()
    slower, shares = [], []
    with tempfile.TemporaryDirectory() as name:
        plan = Path(name) / "plan"
        train_alone(arguments.recipe, arguments.images, plan)
        for turn in range(arguments.rounds):
            folder = Path(name) / str(turn)
            if turn % 2:
                free = train_alone(arguments.recipe, arguments.images, folder / "alone")
                seen, share = train_watched(folder, plan)
            else:
                seen, share = train_watched(folder, plan)
                free = train_alone(arguments.recipe, arguments.images, folder / "alone")
            slower.append(1 - seen / free)
            shares.append(share)
            row = {"round": turn, "alone": free, "watched": seen, "slower": round(slower[-1], 4), "server": round(share, 4)}
            print(json.dumps(row), flush=True)
    times = measure_latency(65)
    if shares:
        low, middle, high = statistics.quantiles(slower, n=4) if len(slower) > 1 else slower * 3
        print(f"# watched, {arguments.recipe} trains {middle:.1%} slower (quartiles {low:.1%} and {high:.1%}, n={len(slower)})")
        print(f"# the server takes {statistics.fmean(shares):.1%} of one core meanwhile")
    print(f"# a picture of 64 pixels: median {statistics.median(times):.0f} ms, slowest {max(times):.0f} ms of {len(times)}")
    print("# first paint: " + ", ".join(f"{name} {value:.0f} ms" for name, value in measure_paints(5).items()))


if __name__ == "__main__":
    main()
