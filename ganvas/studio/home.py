"""The home page: where to begin, what was done lately, what this machine is."""

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
from ganvas.studio.pages import Page, Studio
from ganvas.studio.store import ID

RECENT = 8  # runs listed


async def overview(request: Request) -> Response:
    """Version, machine, and the latest runs by name."""
    from ganvas.studio.pages import pages

    studio: Studio = request.app.state.studio
    cards = [{"name": page.name, "title": page.title, "about": page.about} for page in pages() if page is not PAGE]
    return JSONResponse(
        {"version": __version__, "machine": await run_in_threadpool(machine), "runs": recent(studio.runs), "pages": cards}
    )


def machine() -> dict[str, Any]:
    """What this machine is, without a measurement."""
    from ganvas.machine import describe

    return describe()


def recent(runs: Path, most: int = RECENT) -> list[dict[str, Any]]:
    """The latest run folders: name, recipe, whether finished, whether /train opens it. What cannot be read is left out."""
    found = []
    folders = [path for path in runs.iterdir() if (path / "recipe.json").is_file()] if runs.is_dir() else []
    for folder in sorted(folders, key=lambda path: path.stat().st_mtime, reverse=True)[:most]:
        with suppress(OSError, ValueError, KeyError, TypeError):
            recipe = json.loads((folder / "recipe.json").read_text(encoding="utf-8"))
            facts = {"finished": (folder / "result.json").exists(), "opens": bool(ID.fullmatch(folder.name))}
            found.append({"name": folder.name, "recipe": recipe["name"], **facts})
    return found


PAGE = Page("home", "Home", "Where to begin.", routes=(Route("/api/home/overview", overview),))
