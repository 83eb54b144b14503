"""Hostile requests to the studio: no server error, nothing from outside its folder, nobody in without the cookie."""

from __future__ import annotations

import asyncio
import logging
import time
from random import Random
from typing import Any
from urllib.parse import unquote

from starlette.applications import Starlette
from starlette.routing import Route

from ganvas.studio.auth import Access, TokenBucket
from ganvas.studio.page import Studio
from ganvas.studio.server import build_app
from ganvas.studio.train.train_service import TrainService
from trials.common import Tally, begin, chance, finish, fork, miniatures, recipes, wait, workplace

CANARY = "the canary that nobody may hear"
METHODS = ("GET", "GET", "GET", "POST", "POST", "HEAD", "PUT", "PATCH", "DELETE", "OPTIONS", "TRACE", "X")
TAILS = (
    "../canary.txt",
    "..%2fcanary.txt",
    "%2e%2e/canary.txt",
    "..\\canary.txt",
    "//etc/passwd",
    "\0.css",
    "%00",
    "é",
    "a" * 300,
)
BODIES = (
    b"",
    b"{}",
    b"[]",
    b"null",
    b'{"a":' * 300,
    b"\xff\xfe",
    b'{"recipe":"gan-ring"}',
    b"1,2\n3,4\n",
    b'{"x":1e999}',
    b"NaN",
)
QUERIES = (b"", b"place=1", b"place=-1", b"place=1e9", b"run=..", b"n=99999999999999999999", b"x=%00", b"a&b&c", b"seed=\xff")
HEADERS = ("cookie", "origin", "host")  # one of them is left out or wrong in a third of the requests


def run(seeds: range, until: float) -> Tally:
    """One request for each seed, to one studio with one run."""
    tally, start = Tally("requests"), time.monotonic()
    logging.disable(logging.CRITICAL)
    with workplace() as place, miniatures() as module:
        (place / "canary.txt").write_text(CANARY)
        (place / "runs").mkdir()
        begin(recipes(module)["ring"], place / "runs" / "00000-ring")
        wait(fork(lambda: finish(place / "runs" / "00000-ring")))
        access = Access("127.0.0.1", 8765)
        studio = Studio(place / "runs")
        app = build_app(studio, access)
        try:
            asyncio.run(_ask_all(app, access, seeds, until, tally))
        finally:
            _end_trainings(studio)
    logging.disable(logging.NOTSET)
    tally.seconds = time.monotonic() - start
    return tally


def _end_trainings(studio: Studio) -> None:
    """End the trainings that some requests have rightly started: they outlive a studio, and would slow down other trials."""
    for process in studio.get_service(TrainService).jobs.processes.values():
        process.kill()
        process.wait()


async def _ask_all(app: Starlette, access: Access, seeds: range, until: float, tally: Tally) -> None:
    known = [*(route.path for route in app.routes if isinstance(route, Route)), "/static/common/api.js", "/api/nowhere", "/"]
    for seed in seeds:
        if time.monotonic() > until:
            break
        random = chance("requests", seed)
        method, path = random.choice(METHODS), _make_path(random.choice(known), random)
        headers = {"host": "127.0.0.1:8765", "origin": "http://127.0.0.1:8765", "cookie": f"{access.cookie}={access.secret}"}
        outside = random.random() < 0.3 and random.choice(HEADERS)
        if outside:
            headers[outside] = random.choice(("", "evil.example", f"{access.cookie}=guess", "http://evil.example"))
        body = random.choice(BODIES) if random.random() < 0.8 else random.randbytes(random.randint(1, 400))
        headers |= {"content-length": str(len(body))} if random.random() < 0.9 else {"content-length": "-5"}
        try:
            status, answer = await asyncio.wait_for(_ask(app, method, path, body, random.choice(QUERIES), headers), 60)
        except Exception as bug:
            tally.fail(seed, f"{method} {path!r}: {bug!r}")
        else:
            tally.note(f"answered {status // 100}xx")
            if status >= 500:
                tally.fail(seed, f"{method} {path!r}: status {status}")
            if CANARY.encode() in answer or b"root:" in answer:
                tally.fail(seed, f"{method} {path!r}: sent a file from outside")
            if outside == "cookie" and path.startswith("/api") and status < 400:
                tally.fail(seed, f"{method} {path!r}: let in without the cookie")
        tally.done += 1


def _make_path(template: str, random: Random) -> str:
    """The template with its parts filled in, and sometimes a tail."""
    while "{" in template:
        head, _, rest = template.partition("{")
        template = head + random.choice(("00000-ring", "0", "..", "x", "-1", random.choice(TAILS))) + rest.partition("}")[2]
    return template + (random.choice(TAILS) if random.random() < 0.3 else "")


async def _ask(app: Starlette, method: str, path: str, body: bytes, query: bytes, headers: dict[str, str]) -> tuple[int, bytes]:
    """Status and body of one answer."""
    scope: dict[str, Any] = {
        "type": "http",
        "method": method,
        "path": unquote(path),
        "raw_path": path.encode("utf-8", "surrogatepass"),
        "query_string": query,
        "headers": [(name.encode(), value.encode()) for name, value in headers.items()],
        "scheme": "http",
        "root_path": "",
        "client": ("127.0.0.1", 1),
        "server": ("127.0.0.1", 8765),
        "http_version": "1.1",
    }
    sent: list[dict[str, Any]] = []
    parts = [{"type": "http.request", "body": body, "more_body": False}]

    async def receive() -> dict[str, Any]:
        return parts.pop() if parts else {"type": "http.disconnect"}

    async def send(message: Any) -> None:
        sent.append(message)

    await app(scope, receive, send)
    guard: Any = app.middleware_stack
    while guard is not None and not hasattr(guard, "known"):
        guard = getattr(guard, "app", None)
    if guard is not None:
        guard.known = TokenBucket(1e9, 1e9)  # the limits of rates have their own tests
    return sent[0]["status"], b"".join(message.get("body", b"") for message in sent)
