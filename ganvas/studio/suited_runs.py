"""The runs whose models a page can use, with links to the other pages that each can be handed over to."""

from __future__ import annotations

from typing import Any

from starlette.requests import Request

from ganvas.inference.model_file import NAME
from ganvas.studio.page import Page, list_links
from ganvas.studio.run_kind import describe_kind
from ganvas.studio.storage import Storage, read_json


def list_suited_runs(request: Request, page: Page) -> list[dict[str, Any]]:
    """For each run that suits the handover of `page`, the newest first: its id, the name of its recipe, and its links."""
    storage, found = Storage(request.app.state.studio.runs), []
    for name in storage.list_runs():
        folder = storage.runs / name
        recipe = read_json(folder / "recipe.json")
        facts = {**describe_kind(recipe), "model": (folder / NAME).exists()}
        if page.handover and page.handover.suits(facts):
            links = list_links(request.app.state.pages, name, facts, page.name)
            found.append({"id": name, "recipe": str(recipe.get("name", "")), "links": links})
    return found
