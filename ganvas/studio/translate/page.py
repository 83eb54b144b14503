"""The page /translate: a drawn map becomes a picture, a photograph another one. Its process does it; here are its routes."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from starlette.requests import Request
from starlette.routing import Route

from ganvas.games import RECIPES
from ganvas.studio.page import Handover, Page, list_links
from ganvas.studio.responses import make_endpoint
from ganvas.studio.run_kind import describe_kind
from ganvas.studio.run_task_socket import MOST_SENT, RunTaskSocket
from ganvas.studio.storage import Storage
from ganvas.studio.translate.translators import list_examples, list_translators

CAMERA = 256  # pixels of the longer side of a picture of the webcam
STARTS = {  # recipe to begin with -> what it makes possible, and the example that shows it
    "pix2pix-emoji": ("Draw, and it gets light and shade", "flat-1.png"),
    "spade-earth": ("Draw a coast, get a satellite picture", "map-1.png"),
    "cyclegan-emoji": ("There and back, learned without pairs", "shaded-1.png"),
    "cyclegan-earth": ("Night falls over a satellite picture", "night-2.png"),
    "filter-sketch": ("Photographs become pencil sketches", "photo-2.jpg"),
    "sr-photos": ("Small photographs become larger ones", "photo-1.jpg"),
}


def get_schema(_: Request) -> Any:
    """The kinds of examples with their files, the sizes, and what to train if there is no model yet."""
    starts = [
        {
            "recipe": name,
            "title": title,
            "about": RECIPES[name].about,
            "minutes": RECIPES[name].minutes,
            "own": not RECIPES[name].data.source,
            "picture": f"translate/examples/{picture}",
        }
        for name, (title, picture) in STARTS.items()
    ]
    return {"examples": list_examples(), "most_sent": MOST_SENT, "camera": CAMERA, "starts": starts}


def list_models(request: Request) -> Any:
    """The models that translate pictures, and the other pages that each can be handed over to."""
    storage, pages = Storage(request.app.state.studio.runs), request.app.state.pages
    found = list_translators(storage)
    return [{**each, "links": list_links(pages, each["id"], describe_run(storage, each["id"]), PAGE.name)} for each in found]


def describe_run(storage: Storage, name: str) -> dict[str, Any]:
    """The facts of a model, as the links need them."""
    return {**describe_kind(storage.read_model_recipe(name)), "model": True}


def suits(facts: Mapping[str, Any]) -> bool:
    """Whether the page can use the model of a run with these facts: it makes pictures of a picture or of a map."""
    inputs = set(facts["takes"])
    return bool(facts["model"]) and "images" in facts["gives"] and (inputs <= {"source", "map", "a", "b"} or inputs == {"low"})


API = "/api/translate"
ROUTES = (Route(f"{API}/schema", make_endpoint(get_schema)), Route(f"{API}/models", make_endpoint(list_models)))
PAGE = Page(
    "translate",
    "Translate",
    "Draw a map and get a picture; turn photographs into others, larger ones, sketches; also with the camera.",
    "Use",
    routes=ROUTES,
    open=lambda channel, studio: RunTaskSocket(channel, studio, "ganvas.studio.translate.translate_process"),
    permissions=("camera",),
    handover=Handover("Translate with it", "model={id}", suits),
)
