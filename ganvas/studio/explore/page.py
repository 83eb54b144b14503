"""The page /explore: its routes. Each asks the model process for the function of the explorer with the same name."""

from __future__ import annotations

import dataclasses
import hashlib
import json
import re
import secrets
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from ganvas.errors import UsageError
from ganvas.studio.explore.client import ModelClient, SupersededError
from ganvas.studio.explore.view import View
from ganvas.studio.page import Handover, Page, Studio, find_service, list_links
from ganvas.studio.responses import make_endpoint, read_body, read_number
from ganvas.studio.run_kind import ABILITIES, describe_kind, explain_absence
from ganvas.studio.storage import Storage, UnknownIdError, read_json
from ganvas.utils.files import write_durably
from ganvas.utils.parsing import printable
from ganvas.utils.settings import require_within

MAX_FAVOURITES = 200
MAX_LOOK_CHARACTERS = 4096
LANE = re.compile(r"[a-z0-9]{1,24}")
FILM_TYPES = {"gif": "image/gif", "apng": "image/apng", "mp4": "video/mp4"}
FILMS = {"gif": ["GIF", "gif"], "apng": ["PNG film", "png"], "mp4": ["MP4", "mp4"]}  # -> label, ending of the file
FRAMES, MILLISECONDS = (2, 240), (20, 2000)  # bounds of a film
DIRECTIONS = {  # kind -> title of its sliders, what one of them is called
    "sefa": ["What the weights react to most", "direction"],
    "pca": ["How styles vary most", "component"],
    "axis": ["Single numbers of the noise", "number"],
}
# What the page's controls offer. A look in a link may go further; its own bounds are those of the dataclass.
CONTROLS = {
    "psi": {"label": "Truncation psi: 0 is the mean, 1 as trained", "low": -1, "high": 1.5, "step": 0.05},
    "truncate": {"label": "Truncation of the noise: all within ±", "low": 0.2, "high": 4, "step": 0.1},
    "moves": {"label": "", "low": -4, "high": 4, "step": 0.1},
    "turn": {"label": "Viewing angle in degrees", "low": -180, "high": 180, "step": 5},
}
PLANE_REACH = 2  # quarter turns from the middle of the plane to its edge


@dataclass(frozen=True, kw_only=True)
class WalkRequest:
    """A film through looks."""

    looks: tuple[Mapping[str, Any], ...]
    frames: int = 60
    milliseconds: int = 50
    closed: bool = True
    kind: Literal["gif", "apng", "mp4"] = "gif"

    def __post_init__(self) -> None:
        require_within(self, "frames", *FRAMES)
        require_within(self, "milliseconds", *MILLISECONDS)


@dataclass(frozen=True, kw_only=True)
class FavouriteRequest:
    """A look to keep, and of which model."""

    model: str
    look: Mapping[str, Any]
    name: str = ""


def is_favourite(value: Any) -> bool:
    """Whether a value of the file of favourites is one: an older or a damaged file may hold anything."""
    return isinstance(value, dict) and isinstance(value.get("model"), str) and isinstance(value.get("look"), dict)


class ExploreService:
    """What the page needs for as long as the server lives: the model process, and the favourites."""

    def __init__(self, studio: Studio) -> None:
        self.storage, self.client = Storage(studio.runs), ModelClient()

    def read_favourites(self) -> list[dict[str, Any]]:
        """The favourites. In an older file they have no ids: each gets one that follows from its content."""
        listed = read_json(self.storage.private / "favourites.json").get("kept")
        kept = [each for each in listed if is_favourite(each)] if isinstance(listed, list) else []
        texts = [f"{i}{json.dumps(favourite)}".encode() for i, favourite in enumerate(kept)]
        ids = [hashlib.sha256(text).hexdigest()[:16] for text in texts]
        return [{"id": name, **favourite} for name, favourite in zip(ids, kept, strict=True)]

    def write_favourites(self, kept: list[dict[str, Any]]) -> None:
        """Raises: ResourceError: the disk refused."""
        self.storage.make_folder()
        write_durably(self.storage.private / "favourites.json", json.dumps({"kept": kept}).encode())

    async def ask(self, request: Request, do: str, **facts: Any) -> tuple[dict[str, Any], bytes]:
        """The model process's answer about the run of the request; ?lane= separates tabs. Raises: GanvasError: it refuses."""
        folder = self.storage.find_run(request.path_params["id"])
        lane = request.query_params.get("lane", "one")
        if not LANE.fullmatch(lane):
            raise UsageError("lane: expected up to 24 small letters and digits")
        return await self.client.ask(f"{do}-{lane}", {"do": do, "path": str(folder), **facts})

    async def close(self) -> None:
        """End the model process."""
        await self.client.close()


def get_service(request: Request) -> ExploreService:
    """The service of this page."""
    return find_service(request, ExploreService)


def read_look(request: Request) -> dict[str, Any]:
    """?look= as an object. Its content is checked by the model process. Raises: UsageError: it is not an object."""
    text = request.query_params.get("look", "{}")
    try:
        values = json.loads(text)
    except (ValueError, RecursionError):
        values = None
    if not isinstance(values, dict) or len(text) > MAX_LOOK_CHARACTERS:
        raise UsageError("look: expected a JSON object")
    return values


def get_schema(_: Request) -> Any:
    """The look that changes nothing, and what the controls offer."""

    return {
        "look": dataclasses.asdict(View()),
        "controls": CONTROLS,
        "directions": DIRECTIONS,
        "plane_reach": PLANE_REACH,
        "films": FILMS,
        "frames": FRAMES,
    }


def list_models(request: Request) -> Any:
    """The runs with a saved model that the page can explore: it samples from noise."""
    found = read_models(get_service(request).storage)
    return [
        {"id": name, "recipe": str(recipe.get("name", "")), **describe_abilities(describe_kind(recipe))}
        for name, recipe in found
        if not explain_absence(recipe)
    ]


def list_absent(request: Request) -> Any:
    """The runs with a saved model that the page cannot explore, each with the reason in one line."""
    found = read_models(get_service(request).storage)
    return [{"id": name, "reason": reason} for name, recipe in found if (reason := explain_absence(recipe))]


def read_models(storage: Storage) -> list[tuple[str, dict[str, Any]]]:
    """Each run that has saved a model, with its recipe.json."""
    runs = [(name, storage.runs / name) for name in storage.list_runs()]
    return [(name, read_json(path / "recipe.json")) for name, path in runs if (path / "model.safetensors").exists()]


async def get_abilities(request: Request) -> Any:
    """What a model is and can do, and the other pages that it can be handed over to."""
    here, name = get_service(request), request.path_params["id"]
    able = (await here.ask(request, "abilities"))[0]
    kind = {**describe_kind(read_json(here.storage.find_run(name) / "recipe.json")), "model": True}
    return {**able, **describe_abilities(kind), "links": list_links(request.app.state.pages, name, kind, PAGE.name)}


def describe_abilities(kind: Mapping[str, Any]) -> dict[str, Any]:
    """Of a run's kind what its model takes, gives, and whether it inverts pictures."""
    return {name: kind[name] for name in ABILITIES}


async def get_picture(request: Request) -> Response:
    """The picture of one look; 204 if a newer request replaced it. A header has the lines of a text model."""
    try:
        facts, data = await get_service(request).ask(request, "picture", look=read_look(request))
        return answer_png(data, **({"X-Ganvas-Lines": json.dumps(facts["lines"])} if facts["lines"] else {}))
    except SupersededError:
        return Response(status_code=204)


async def get_pad(request: Request) -> Response:
    """The pictures of the next seeds; 204 as for a picture."""
    count, columns = read_number(request, "count", 25, 1, 64), read_number(request, "columns", 5, 1, 64)
    try:
        _, data = await get_service(request).ask(request, "pad", look=read_look(request), count=count, columns=columns)
        return answer_png(data)
    except SupersededError:
        return Response(status_code=204)


async def get_nearest(request: Request) -> Response:
    """A picture and the training pictures nearest to it. A header has their distances in grey levels."""
    facts, data = await get_service(request).ask(request, "nearest", look=read_look(request))
    return answer_png(data, **{"X-Ganvas-Distances": json.dumps(facts["distances"])})


async def save_picture(request: Request) -> Response:
    """A picture as a file to keep: the bits of `ganvas sample`, with its seed and the model's hash in it."""
    look = read_look(request)
    _, data = await get_service(request).ask(request, "save", look=look, scale=read_number(request, "scale", 1, 1, 16))
    seed = look.get("seed", 0)
    name = f"seed{seed if type(seed) is int else 0}.png"
    return answer_png(data, **{"Content-Disposition": f'attachment; filename="{name}"'})


async def make_walk(request: Request) -> Response:
    """A film through looks, as a file."""
    wanted = await read_body(request, WalkRequest)
    facts = {name: getattr(wanted, name) for name in ("frames", "milliseconds", "closed", "kind")}
    _, data = await get_service(request).ask(request, "walk", looks=[dict(look) for look in wanted.looks], **facts)
    name = f'attachment; filename="walk.{wanted.kind}"'
    return Response(data, media_type=FILM_TYPES[wanted.kind], headers={"Content-Disposition": name})


def answer_png(data: bytes, **headers: str) -> Response:
    """A PNG as an answer."""
    return Response(data, media_type="image/png", headers=headers)


def list_favourites(request: Request) -> Any:
    """The favourites, oldest first, each with its id."""
    return {"kept": get_service(request).read_favourites(), "most": MAX_FAVOURITES}


async def add_favourite(request: Request) -> Response:
    """Keep one more look."""
    here, wanted = get_service(request), await read_body(request, FavouriteRequest)
    if len(json.dumps(dict(wanted.look))) > MAX_LOOK_CHARACTERS:
        raise UsageError(f"look: expected at most {MAX_LOOK_CHARACTERS} characters of JSON")
    added = {"model": wanted.model[:100], "look": dict(wanted.look), "name": printable(wanted.name, 80)}
    kept = here.read_favourites()  # nothing is awaited from here on, so that no other tab can write in between
    if len(kept) >= MAX_FAVOURITES:
        raise UsageError(f"{MAX_FAVOURITES} favourites are kept, which is the most; remove one to keep another")
    here.write_favourites([*kept, {"id": secrets.token_hex(8), **added}])
    return JSONResponse(here.read_favourites()[-1], 201)


async def remove_favourite(request: Request) -> Any:
    """Remove one favourite."""
    here, name = get_service(request), request.path_params["id"]
    kept = here.read_favourites()
    if all(favourite["id"] != name for favourite in kept):
        raise UnknownIdError(f"there is no favourite {printable(name, 40)!r} here; look at the list of favourites")
    here.write_favourites([favourite for favourite in kept if favourite["id"] != name])
    return {"removed": name}


API = "/api/explore"
QUERY = ("lane", "look")
ROUTES = (
    Route(f"{API}/schema", make_endpoint(get_schema)),
    Route(f"{API}/models", make_endpoint(list_models)),
    Route(f"{API}/absent", make_endpoint(list_absent)),
    Route(f"{API}/favourites", make_endpoint(list_favourites), methods=["GET"]),
    Route(f"{API}/favourites", make_endpoint(add_favourite, FavouriteRequest), methods=["POST"]),
    Route(f"{API}/favourites/{{id}}", make_endpoint(remove_favourite), methods=["DELETE"]),
    Route(f"{API}/models/{{id}}", make_endpoint(get_abilities, query=QUERY[:1])),
    Route(f"{API}/models/{{id}}/picture", make_endpoint(get_picture, query=QUERY)),
    Route(f"{API}/models/{{id}}/pad", make_endpoint(get_pad, query=(*QUERY, "count", "columns"))),
    Route(f"{API}/models/{{id}}/nearest", make_endpoint(get_nearest, query=QUERY)),
    Route(f"{API}/models/{{id}}/save", make_endpoint(save_picture, query=(*QUERY, "scale"))),
    Route(f"{API}/models/{{id}}/walk", make_endpoint(make_walk, WalkRequest, QUERY[:1]), methods=["POST"]),
)
PAGE = Page(
    "explore",
    "Explore",
    "Explore a trained model: seeds, classes, directions, style mixing, walks, nearest training pictures.",
    "Use",
    routes=ROUTES,
    service=ExploreService,
    handover=Handover("Explore the model", "model={id}", lambda facts: bool(facts["explores"] and facts["model"])),
)
