"""The page /animate: a picture moves as a clip does. Its process does it; here are its routes."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from starlette.requests import Request
from starlette.routing import Route

from ganvas.data.builtin.emoji_clips import DRIVERS
from ganvas.inference.model_file import NAME
from ganvas.studio.page import Handover, Page, list_links
from ganvas.studio.responses import make_endpoint
from ganvas.studio.run_kind import describe_kind
from ganvas.studio.run_task_socket import RunTaskSocket
from ganvas.studio.storage import Storage, read_json


def list_models(request: Request) -> Any:
    """The runs whose models animate, and the other pages that each can be handed over to."""
    storage, pages = Storage(request.app.state.studio.runs), request.app.state.pages
    found = []
    for name in storage.list_runs():
        folder = storage.runs / name
        recipe = read_json(folder / "recipe.json")
        facts = {**describe_kind(recipe), "model": (folder / NAME).exists()}
        if suits(facts):
            links = list_links(pages, name, facts, PAGE.name)
            found.append({"id": name, "recipe": str(recipe.get("name", "")), "links": links})
    return found


def get_schema(_: Request) -> Any:
    """The clips that come with ganvas."""
    return {"drivers": list(DRIVERS)}


def suits(facts: Mapping[str, Any]) -> bool:
    """Whether the page can use the model of a run with these facts: it makes a clip of a picture and a clip."""
    return bool(facts["model"]) and set(facts["takes"]) == {"source", "driving"}


API = "/api/animate"
PAGE = Page(
    "animate",
    "Animate",
    "Let a picture move as a clip does: one that comes with ganvas, your own, or the camera.",
    "Use",
    routes=(Route(f"{API}/schema", make_endpoint(get_schema)), Route(f"{API}/models", make_endpoint(list_models))),
    open=lambda channel, studio: RunTaskSocket(channel, studio, "ganvas.studio.animate.animate_process"),
    permissions=("camera",),
    handover=Handover("Animate with it", "model={id}", suits),
)
