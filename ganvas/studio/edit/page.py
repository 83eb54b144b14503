"""The page /edit: a picture becomes a code, and steps change it. Its process does it; here are its routes."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from starlette.requests import Request
from starlette.routing import Route

from ganvas.core.modality import IMAGES
from ganvas.studio.page import Handover, Page
from ganvas.studio.responses import make_endpoint
from ganvas.studio.run_task_socket import RunTaskSocket
from ganvas.studio.suited_runs import list_suited_runs, list_unreadable


def list_models(request: Request) -> Any:
    """The runs whose models can be edited, and the other pages that each can be handed over to."""
    return list_suited_runs(request, PAGE)


def suits(facts: Mapping[str, Any]) -> bool:
    """Whether the page can use the model of a run with these facts: it makes images from noise."""
    return bool(facts["model"]) and "noise" in facts["takes"] and facts["gives"] == [IMAGES.unit]


API = "/api/edit"
PAGE: Page = Page(
    "edit",
    "Edit",
    "Find your picture in a model, then change it: move, morph, mix styles, paint with a brush. Each step can be undone.",
    "Use",
    routes=(Route(f"{API}/models", make_endpoint(list_models)), Route(f"{API}/absent", make_endpoint(list_unreadable))),
    open=lambda channel, studio: RunTaskSocket(channel, studio, "ganvas.studio.edit.edit_process"),
    permissions=("camera",),
    handover=Handover("Edit its pictures", "model={id}", suits),
)
