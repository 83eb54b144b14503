"""The models that a page can use, with links to the other pages that each can be handed over to."""

from __future__ import annotations

from typing import Any

from starlette.requests import Request

from ganvas.studio.page import Page, list_links
from ganvas.studio.run_kind import describe_kind
from ganvas.studio.storage import Storage


def list_suited_runs(request: Request, page: Page) -> list[dict[str, Any]]:
    """For each model that suits the handover of `page`, the newest first: its id, the name of its recipe, and its links."""
    storage, found = Storage(request.app.state.studio.runs), []
    for name, _, recipe in storage.list_models():
        facts = {**describe_kind(recipe), "model": True}
        if page.handover and page.handover.suits(facts):
            links = list_links(request.app.state.pages, name, facts, page.name)
            found.append({"id": name, "recipe": str(recipe.get("name", "")), "links": links})
    return found
