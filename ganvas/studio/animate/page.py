"""The page /animate: a picture moves as a clip does. Its process does it; here are its routes."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from PIL import Image
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from ganvas.data.builtin.emoji_clips import DRIVERS, load_driver
from ganvas.media.image_files import encode_png
from ganvas.studio.page import Handover, Page
from ganvas.studio.responses import make_endpoint
from ganvas.studio.run_task_socket import RunTaskSocket
from ganvas.studio.suited_runs import list_suited_runs, list_unreadable


def list_models(request: Request) -> Any:
    """The runs whose models animate, and the other pages that each can be handed over to."""
    return list_suited_runs(request, PAGE)


def get_schema(_: Request) -> Any:
    """The clips that come with ganvas."""
    return {"drivers": list(DRIVERS)}


def get_driver(request: Request) -> Response:
    """The frames of a clip that comes with ganvas, one below the other, as a PNG."""
    frames = load_driver(request.path_params["name"])
    picture = Image.fromarray(frames.reshape(-1, *frames.shape[2:]))
    return Response(encode_png(picture, {}), media_type="image/png")


def suits(facts: Mapping[str, Any]) -> bool:
    """Whether the page can use the model of a run with these facts: it makes a clip of a picture and a clip."""
    return bool(facts["model"]) and set(facts["takes"]) == {"source", "driving"}


API = "/api/animate"
PAGE: Page = Page(
    "animate",
    "Animate",
    "Let a picture move as a clip does: one that comes with ganvas, your own, or the camera.",
    "Use",
    routes=(
        Route(f"{API}/schema", make_endpoint(get_schema)),
        Route(f"{API}/drivers/{{name}}", make_endpoint(get_driver)),
        Route(f"{API}/models", make_endpoint(list_models)),
        Route(f"{API}/absent", make_endpoint(list_unreadable)),
    ),
    open=lambda channel, studio: RunTaskSocket(channel, studio, "ganvas.studio.animate.animate_process"),
    permissions=("camera",),
    handover=Handover("Animate with it", "model={id}", suits),
)
