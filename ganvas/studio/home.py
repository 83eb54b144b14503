"""The home page: where to begin, the latest runs, this machine."""

from __future__ import annotations

import json
from contextlib import suppress
from pathlib import Path
from typing import Any

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from ganvas import __version__
from ganvas.errors import GanvasError
from ganvas.runtime.device import describe_runtime
from ganvas.studio.page import Page, Studio
from ganvas.studio.storage import RUN_ID
from ganvas.utils.files import read_regular

MAX_RUNS = 8  # in the list


async def get_overview(request: Request) -> Response:
    """Version, machine, the other pages, and the latest runs."""
    studio: Studio = request.app.state.studio
    pages: tuple[Page, ...] = request.app.state.pages
    cards = [{"name": page.name, "title": page.title, "about": page.about} for page in pages if page is not PAGE]
    machine = await run_in_threadpool(describe_machine)
    return JSONResponse({"version": __version__, "machine": machine, "runs": list_recent(studio.runs), "pages": cards})


def describe_machine() -> dict[str, Any]:
    """What this machine is, without a measurement."""

    return describe_runtime()


def list_recent(runs: Path, most: int = MAX_RUNS) -> list[dict[str, Any]]:
    """The latest run folders: name, recipe, whether finished, whether /train can open it. A damaged one is left out."""
    rows = []
    folders = [path for path in runs.iterdir() if (path / "recipe.json").is_file()] if runs.is_dir() else []
    for folder in sorted(folders, key=lambda path: path.stat().st_mtime, reverse=True)[:most]:
        with suppress(OSError, GanvasError, ValueError, KeyError, TypeError):
            recipe = json.loads(read_regular(folder / "recipe.json"))
            facts = {"finished": (folder / "result.json").exists(), "opens": bool(RUN_ID.fullmatch(folder.name))}
            rows.append({"name": folder.name, "recipe": recipe["name"], **facts})
    return rows


PAGE = Page("home", "Home", "Where to begin.", routes=(Route("/api/home/overview", get_overview),))
