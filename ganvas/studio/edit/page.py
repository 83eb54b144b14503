"""The page /edit: a picture becomes a code, and steps change it. Its process does it; here are its routes."""

from __future__ import annotations

from collections.abc import Mapping
from functools import lru_cache
from pathlib import Path
from typing import Any

from starlette.requests import Request
from starlette.routing import Route

from ganvas.core.modality import IMAGES
from ganvas.inference.model_file import NAME, identify
from ganvas.studio.page import Handover, Page
from ganvas.studio.responses import make_endpoint
from ganvas.studio.run_task_socket import RunTaskSocket
from ganvas.studio.storage import Storage
from ganvas.studio.suited_runs import list_suited_runs, list_unreadable


def list_models(request: Request) -> Any:
    """The runs whose models can be edited, and the other pages that each can be handed over to."""
    return list_suited_runs(request, PAGE)


def find_maker(request: Request) -> Any:
    """The id of the model that made a picture, "" if it is not here. ?model= is its hash, ?recipe= the name of its recipe."""
    wanted, recipe_name = request.query_params.get("model", ""), request.query_params.get("recipe", "")
    for name, path, recipe in Storage(request.app.state.studio.runs).list_models():
        if recipe.get("name") == recipe_name and identify_model(path) == wanted:
            return {"id": name}
    return {"id": ""}


def identify_model(path: Path) -> str:
    """The identity of the model in a run folder, or of a bundle; "" if it cannot be read."""
    bundle = path / NAME if path.is_dir() else path
    try:
        facts = bundle.stat()
        return _identify(bundle, (facts.st_mtime_ns, facts.st_size))
    except OSError:
        return ""


@lru_cache(1_000)
def _identify(bundle: Path, _version: tuple[int, int]) -> str:
    """The identity of one version of a file."""
    return identify(bundle)


def suits(facts: Mapping[str, Any]) -> bool:
    """Whether the page can use the model of a run with these facts: it makes images from noise."""
    return bool(facts["model"]) and "noise" in facts["takes"] and facts["gives"] == [IMAGES.unit]


API = "/api/edit"
PAGE: Page = Page(
    "edit",
    "Edit",
    "Find your picture in a model, then change it: move, morph, mix styles, paint with a brush. Each step can be undone.",
    "Use",
    routes=(
        Route(f"{API}/models", make_endpoint(list_models)),
        Route(f"{API}/absent", make_endpoint(list_unreadable)),
        Route(f"{API}/maker", make_endpoint(find_maker, query=("model", "recipe"))),
    ),
    open=lambda channel, studio: RunTaskSocket(channel, studio, "ganvas.studio.edit.edit_process"),
    permissions=("camera",),
    handover=Handover("Edit its pictures", "model={id}", suits),
)
