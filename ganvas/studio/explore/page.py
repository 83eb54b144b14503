"""The page /explore: its routes. Each asks the model process for the function of the explorer with the same name."""

from __future__ import annotations

import dataclasses
import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from ganvas.errors import UsageError
from ganvas.studio.explore.client import ModelClient, SupersededError
from ganvas.studio.explore.explorer import PLANE_REACH
from ganvas.studio.explore.favourites import MAX_FAVOURITES, MAX_LOOK_CHARACTERS, Favourites
from ganvas.studio.explore.view import View
from ganvas.studio.page import Handover, Page, Studio, find_service, list_links
from ganvas.studio.responses import make_endpoint, read_body, read_number
from ganvas.studio.run_kind import ABILITIES, describe_kind, explain_absence
from ganvas.studio.storage import Storage
from ganvas.utils.settings import require_within

LANE = re.compile(r"[a-z0-9]{1,24}")
FILM_TYPES = {"gif": "image/gif", "apng": "image/apng", "mp4": "video/mp4"}
FILMS = {"gif": ["GIF", "gif"], "apng": ["PNG film", "png"], "mp4": ["MP4", "mp4"]}  # -> label, ending of the file
FRAMES, MILLISECONDS = (2, 240), (20, 2000)  # bounds of a film
DIRECTIONS = {  # kind -> title of its sliders, what one of them is called
    "sefa": ["What the weights react to most", "direction"],
    "pca": ["How styles vary most", "direction"],
    "axis": ["Single numbers of the noise", "number"],
}
# What the page's controls offer. A look in a link may go further; its own bounds are those of the dataclass.
CONTROLS = {
    "psi": {
        "label": "Truncation psi",
        "low": -1,
        "high": 1.5,
        "step": 0.05,
        "about": "0 is the mean style, 1 is as trained. Below 1 the pictures are more usual and less varied.",
    },
    "truncate": {
        "label": "Truncation of the noise: all within ±",
        "low": 0.2,
        "high": 4,
        "step": 0.1,
        "about": "Numbers of the noise beyond this are drawn again. A small value gives usual pictures that vary less.",
    },
    "moves": {
        "label": "",
        "low": -4,
        "high": 4,
        "step": 0.1,
        "about": "How far the picture moves along this direction, in standard deviations. The two small pictures are its ends.",
    },
    "turn": {
        "label": "Viewing angle in degrees",
        "low": -180,
        "high": 180,
        "step": 5,
        "about": "Where it is seen from.",
    },
}
END = 3.0  # standard deviations from the look to the two ends of a direction
FEW_CLASSES = 12  # which are buttons, not a choice
MAX_NAMED = 6  # seeds in the name of a film


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


class ExploreService:
    """What the page needs for as long as the server lives: the model process, and the favourites."""

    def __init__(self, studio: Studio) -> None:
        self.storage, self.client = Storage(studio.runs), ModelClient(device=studio.device)
        self.favourites = Favourites(self.storage)

    async def ask(self, request: Request, do: str, **facts: Any) -> tuple[dict[str, Any], bytes]:
        """The model process's answer about the run of the request; ?lane= separates tabs. Raises: GanvasError: it refuses."""
        folder = self.storage.find_model(request.path_params["id"])
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
        "few_classes": FEW_CLASSES,
        "end": END,
    }


def list_models(request: Request) -> Any:
    """The models that the page can explore: they sample from noise."""
    found = read_models(get_service(request).storage)
    return [
        {"id": name, "recipe": str(recipe.get("name", "")), **describe_abilities(describe_kind(recipe))}
        for name, recipe in found
        if not explain_absence(recipe)
    ]


def list_absent(request: Request) -> Any:
    """The runs with a saved model that the page cannot explore, each with the reason in one line."""
    storage = get_service(request).storage
    runs = set(storage.list_runs())
    found = [(name, recipe) for name, recipe in read_models(storage) if name in runs]
    return [{"id": name, "reason": reason} for name, recipe in found if (reason := explain_absence(recipe))]


def read_models(storage: Storage) -> list[tuple[str, dict[str, Any]]]:
    """Each model that is here, with its recipe."""
    return [(name, recipe) for name, _, recipe in storage.list_models()]


async def get_abilities(request: Request) -> Any:
    """What a model is and can do, and the other pages that it can be handed over to."""
    here, name = get_service(request), request.path_params["id"]
    able = (await here.ask(request, "abilities"))[0]
    kind = {**describe_kind(here.storage.read_model_recipe(name)), "model": True, "run": here.storage.is_run(name)}
    return {**able, **describe_abilities(kind), "links": list_links(request.app.state.pages, name, kind, PAGE.name)}


def describe_abilities(kind: Mapping[str, Any]) -> dict[str, Any]:
    """Of a run's kind what its model takes, gives, and whether it inverts pictures."""
    return {name: kind[name] for name in ABILITIES}


async def get_picture(request: Request) -> Response:
    """The picture of one look; 204 if a newer request replaced it. Headers have the lines of a text model, and a note."""
    try:
        facts, data = await get_service(request).ask(request, "picture", look=read_look(request))
        headers = {"X-Ganvas-Lines": json.dumps(facts["lines"])} if facts["lines"] else {}
        return answer_png(data, **headers, **({"X-Ganvas-Note": facts["note"]} if facts["note"] else {}))
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


async def get_atlas(request: Request) -> Response:
    """The plane of a look, seen from far: ?side= pictures on each side; 204 as for a picture."""
    try:
        side = read_number(request, "side", 7, 2, 9)
        return answer_png((await get_service(request).ask(request, "atlas", look=read_look(request), side=side))[1])
    except SupersededError:
        return Response(status_code=204)


async def get_ends(request: Request) -> Response:
    """Two pictures of each direction, one below the other: its two ends. A header has their names; 204 as for a picture."""
    try:
        facts, data = await get_service(request).ask(request, "ends", look=read_look(request), amount=END)
        return answer_png(data, **{"X-Ganvas-Names": json.dumps(facts["names"])})
    except SupersededError:
        return Response(status_code=204)


async def get_nearest(request: Request) -> Response:
    """A picture and the training pictures nearest to it. A header has their distances in grey levels."""
    facts, data = await get_service(request).ask(request, "nearest", look=read_look(request))
    return answer_png(data, **{"X-Ganvas-Distances": json.dumps(facts["distances"])})


async def save_picture(request: Request) -> Response:
    """A picture as a file to keep: the bits of `ganvas sample`, with its seed and the model's hash in it."""
    look = read_look(request)
    facts, data = await get_service(request).ask(request, "save", look=look, scale=read_number(request, "scale", 1, 1, 16))
    name = f"{request.path_params['id']}-{facts['name']}.png"
    return answer_png(data, **{"Content-Disposition": f'attachment; filename="{name}"'})


async def make_walk(request: Request) -> Response:
    """A film through looks, as a file."""
    wanted = await read_body(request, WalkRequest)
    facts = {name: getattr(wanted, name) for name in ("frames", "milliseconds", "closed", "kind")}
    _, data = await get_service(request).ask(request, "walk", looks=[dict(look) for look in wanted.looks], **facts)
    seeds = "-".join(str(look.get("seed", 0)) for look in wanted.looks[:MAX_NAMED])
    name = f"{request.path_params['id']}-walk-seeds-{seeds}.{FILMS[wanted.kind][1]}"
    headers = {"Content-Disposition": f'attachment; filename="{name}"'}
    return Response(data, media_type=FILM_TYPES[wanted.kind], headers=headers)


def answer_png(data: bytes, **headers: str) -> Response:
    """A PNG as an answer."""
    return Response(data, media_type="image/png", headers=headers)


def list_favourites(request: Request) -> Any:
    """The favourites, oldest first, each with its id."""
    return {"kept": get_service(request).favourites.read(), "most": MAX_FAVOURITES}


async def add_favourite(request: Request) -> Response:
    """Keep one more look."""
    wanted = await read_body(request, FavouriteRequest)
    return JSONResponse(get_service(request).favourites.add(wanted.model, wanted.look, wanted.name), 201)


async def remove_favourite(request: Request) -> Any:
    """Remove one favourite."""
    name = request.path_params["id"]
    get_service(request).favourites.remove(name)
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
    Route(f"{API}/models/{{id}}/atlas", make_endpoint(get_atlas, query=(*QUERY, "side"))),
    Route(f"{API}/models/{{id}}/ends", make_endpoint(get_ends, query=QUERY)),
    Route(f"{API}/models/{{id}}/nearest", make_endpoint(get_nearest, query=QUERY)),
    Route(f"{API}/models/{{id}}/save", make_endpoint(save_picture, query=(*QUERY, "scale"))),
    Route(f"{API}/models/{{id}}/walk", make_endpoint(make_walk, WalkRequest, QUERY[:1]), methods=["POST"]),
)
PAGE: Page = Page(
    "explore",
    "Explore",
    "Explore a trained model: seeds, classes, directions, style mixing, walks, nearest training pictures.",
    "Use",
    routes=ROUTES,
    service=ExploreService,
    handover=Handover("Explore the model", "model={id}", lambda facts: bool(facts["explores"] and facts["model"])),
)
