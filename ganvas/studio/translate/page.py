"""The page /translate: maps become pictures, photographs others, holes are filled. Its process does it; here are its routes."""

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
from ganvas.studio.suited_runs import list_unreadable
from ganvas.studio.translate.translators import list_examples, list_translators

HOLE = {"image", "mask"}  # what goes into a model that fills holes
CAMERA = 256  # pixels of the longer side of a picture of the webcam
STARTS = {  # recipe to begin with -> what it makes possible, and the example that shows it
    "pix2pix-emoji": ("Draw, and it gets light and shade", "flat-1.png"),
    "spade-earth": ("Draw a coast, get a satellite picture", "map-1.png"),
    "cyclegan-emoji": ("There and back, learned without pairs", "shaded-1.png"),
    "cyclegan-earth": ("Night falls over a satellite picture", "night-2.png"),
    "filter-sketch": ("Photographs become pencil sketches", "photo-2.jpg"),
    "sr-photos": ("Small photographs become larger ones", "photo-1.jpg"),
    "inpaint-photos": ("Paint over a part of a photograph, and it is filled", "photo-2.jpg"),
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
    """The models that translate pictures or fill holes in them, and the other pages that each can be handed over to."""
    storage, pages = Storage(request.app.state.studio.runs), request.app.state.pages
    found = list_translators(storage)
    return [{**each, "links": list_links(pages, each["id"], describe_run(storage, each["id"]), PAGE.name)} for each in found]


def describe_run(storage: Storage, name: str) -> dict[str, Any]:
    """The facts of a model, as the links need them."""
    return {**describe_kind(storage.read_model_recipe(name)), "model": True, "run": storage.is_run(name)}


def suits(facts: Mapping[str, Any]) -> bool:
    """Whether the page can use the model of a run with these facts: it makes pictures of a picture, of a map, or of a hole."""
    inputs = set(facts["takes"])
    uses = inputs <= {"source", "map", "a", "b"} or inputs in ({"low"}, HOLE)
    return bool(facts["model"]) and "images" in facts["gives"] and uses


def choose_label(facts: Mapping[str, Any]) -> str:
    """What the links of other pages say of the model of a run with these facts."""
    return "Fill holes with it" if set(facts["takes"]) == HOLE else "Translate with it"


API = "/api/translate"
ROUTES = (
    Route(f"{API}/schema", make_endpoint(get_schema)),
    Route(f"{API}/models", make_endpoint(list_models)),
    Route(f"{API}/absent", make_endpoint(list_unreadable)),
)
PAGE: Page = Page(
    "translate",
    "Translate",
    "Draw a map and get a picture; turn photographs into others, larger ones, sketches; fill holes; also with the camera.",
    "Use",
    routes=ROUTES,
    open=lambda channel, studio: RunTaskSocket(channel, studio, "ganvas.studio.translate.translate_process"),
    permissions=("camera",),
    handover=Handover(choose_label, "model={id}", suits),
)
