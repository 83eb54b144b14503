"""The home page: where to begin, the latest runs, this machine."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from starlette.requests import Request
from starlette.routing import Route

from ganvas import __version__
from ganvas.games import RECIPES
from ganvas.runtime.device import describe_runtime
from ganvas.studio.page import Page, Studio
from ganvas.studio.responses import make_endpoint
from ganvas.studio.run_damage import find_damage
from ganvas.studio.run_kind import describe_kind, explain_absence
from ganvas.studio.storage import RUN_ID, Storage, list_snapshots, read_json
from ganvas.studio.train.pace import estimate_seconds, read_paces
from ganvas.studio.train.uploads import MAX_UPLOAD_BYTES
from ganvas.studio.translate.translators import describe_translator

MAX_RUNS = 8  # in the list
DIGITS = "cgan-mnist"  # the main job
STARTS = (
    {
        "title": "See how a GAN learns",
        "about": "A tour in five parts, on points in the plane. Nothing to wait for.",
        "href": "./play#tour",
        "picture": "train/data/ring.png",
    },
    {
        "title": "Train on digits",
        "about": "Noise becomes handwritten digits, each on request. The data come with the package.",
        "href": f"./train#new&recipe={DIGITS}",
        "picture": "train/data/mnist.png",
    },
    {
        "title": "Train on your own pictures",
        "about": "Drop a folder or a zip anywhere on this page. Pictures stay on this machine.",
        "href": "./train#new&own",
        "picture": "train/data/own.svg",
    },
)


def get_overview(request: Request) -> Any:
    """Version, machine, the other pages, where to begin, and the latest runs."""
    studio: Studio = request.app.state.studio
    pages: tuple[Page, ...] = request.app.state.pages
    cards = [{"name": page.name, "title": page.title, "about": page.about} for page in pages if page is not PAGE]
    facts = {"version": __version__, "machine": describe_runtime(), "pages": cards, "starts": list_starts(studio.runs)}
    return {**facts, "runs": list_recent(studio.runs), "max_upload_bytes": MAX_UPLOAD_BYTES}


def list_starts(runs: Path) -> list[dict[str, Any]]:
    """What one click begins: title, one line, where it leads, seconds on this machine (null: none are needed)."""
    seconds = estimate_seconds(RECIPES[DIGITS], read_paces(Storage(runs)))
    return [{**start, "seconds": seconds if DIGITS in start["href"] else None} for start in STARTS]


def list_recent(runs: Path, most: int = MAX_RUNS) -> list[dict[str, Any]]:
    """The latest run folders: how each stands, its newest picture, whether /train can open it.

    A damaged one is a row with the reason in `damage`.
    """
    try:
        folders = [path for path in runs.iterdir() if (path / "recipe.json").is_file()]
        latest = sorted(folders, key=lambda path: path.stat().st_mtime, reverse=True)[:most]
    except OSError:  # no folder of runs yet, or one that vanished meanwhile
        return []
    return [describe_recent(folder) for folder in latest]


def describe_recent(folder: Path) -> dict[str, Any]:
    """One row of the latest runs."""
    damage = find_damage(folder)
    recipe = {} if damage else read_json(folder / "recipe.json")
    snapshots, has_model = list_snapshots(folder), (folder / "model.safetensors").exists()
    return {
        "name": folder.name,
        "recipe": str(recipe.get("name", "")),
        "unit": describe_kind(recipe)["unit"],
        "finished": not damage and (folder / "result.json").exists(),
        "opens": bool(RUN_ID.fullmatch(folder.name)),
        "snapshot": snapshots[-1] if snapshots else None,
        "explores": has_model and not explain_absence(recipe),
        "translates": has_model and describe_translator(recipe) is not None,
        "damage": damage,
    }


PAGE: Page = Page("home", "Home", "Where to begin.", "", routes=(Route("/api/home/overview", make_endpoint(get_overview)),))
