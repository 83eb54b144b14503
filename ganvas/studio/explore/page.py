"""The page /explore: its routes. Each asks the artist, a process of its own, for the function of the explorer of that name."""

from __future__ import annotations

import hashlib
import json
import re
import secrets
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any, Literal

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from ganvas.config import within
from ganvas.errors import UsageError
from ganvas.files import printable, write_durably
from ganvas.studio.answers import body, number, told
from ganvas.studio.explore.worker import SupersededError, Worker
from ganvas.studio.kinds import kind
from ganvas.studio.pages import Page, Studio
from ganvas.studio.store import Store, UnknownIdError, facts

FAVOURITES = 200
LONGEST = 4096  # characters of a look
LANE = re.compile(r"[a-z0-9]{1,24}")
TYPES = {"gif": "image/gif", "apng": "image/apng", "mp4": "video/mp4"}


@dataclass(frozen=True, kw_only=True)
class Walk:
    """A film through looks."""

    looks: tuple[Mapping[str, Any], ...]
    frames: int = 60
    milliseconds: int = 50
    closed: bool = True
    kind: Literal["gif", "apng", "mp4"] = "gif"

    def __post_init__(self) -> None:
        within(self, "frames", 2, 240)
        within(self, "milliseconds", 20, 2000)


@dataclass(frozen=True, kw_only=True)
class Favourite:
    """A look worth keeping, and whose."""

    model: str
    look: Mapping[str, Any]
    name: str = ""


class Exploring:
    """What the page needs for as long as the server lives."""

    def __init__(self, studio: Studio) -> None:
        self.store, self.worker = Store(studio.runs), Worker()

    def kept(self) -> list[dict[str, Any]]:
        """The favourites; those of an older file, which had no ids, get theirs from what they are."""
        found = facts(self.store.private / "favourites.json").get("kept", [])
        spelt = [f"{i}{json.dumps(each)}".encode() for i, each in enumerate(found)]
        return [{"id": hashlib.sha256(text).hexdigest()[:16], **each} for text, each in zip(spelt, found, strict=True)]

    def write(self, kept: list[dict[str, Any]]) -> None:
        """Raises: ResourceError: the disk refused."""
        self.store.folder()
        write_durably(self.store.private / "favourites.json", json.dumps({"kept": kept}).encode())

    async def ask(self, request: Request, do: str, **asked: Any) -> tuple[dict[str, Any], bytes]:
        """The artist's answer about the run of the request; ?lane= keeps tabs apart. Raises: GanvasError: it refuses."""
        folder = self.store.run(request.path_params["id"])
        lane = request.query_params.get("lane", "one")
        if not LANE.fullmatch(lane):
            raise UsageError("lane: expected up to 24 small letters and digits")
        return await self.worker.ask(f"{do}-{lane}", {"do": do, "path": str(folder), **asked})


@asynccontextmanager
async def service(studio: Studio) -> AsyncIterator[Exploring]:
    """The artist lives as long as the server, at most."""
    exploring = Exploring(studio)
    yield exploring
    await exploring.worker.close()


def at(request: Request) -> Exploring:
    """The service of this page, made here where no server has made it."""
    studio: Studio = request.app.state.studio
    found: Exploring = studio.services.get("explore") or Exploring(studio)
    studio.services["explore"] = found
    return found


def look(request: Request) -> dict[str, Any]:
    """?look= as an object; what it says is checked where it is drawn. Raises: UsageError: it is none."""
    text = request.query_params.get("look", "{}")
    try:
        values = json.loads(text)
    except (ValueError, RecursionError):
        values = None
    if not isinstance(values, dict) or len(text) > LONGEST:
        raise UsageError("look: expected a JSON object")
    return values


def models(request: Request) -> Any:
    """The runs that have saved a model which something comes out of."""
    store, found = at(request).store, []
    for name in store.ids():
        folder = store.runs / name
        recipe = facts(folder / "recipe.json")
        if (folder / "model.safetensors").exists() and kind(recipe)["draws"]:
            found.append({"id": name, "recipe": recipe.get("name", "")})
    return found


async def abilities(request: Request) -> Any:
    """What a model is and can do."""
    return (await at(request).ask(request, "abilities"))[0]


def _png(data: bytes, **headers: str) -> Response:
    return Response(data, media_type="image/png", headers=headers)


async def picture(request: Request) -> Response:
    """One look; 204 where a newer one was asked for meanwhile. Of a model of text its lines stand in a header."""
    try:
        found, data = await at(request).ask(request, "picture", look=look(request))
        return _png(data, **({"X-Ganvas-Lines": json.dumps(found["lines"])} if found["lines"] else {}))
    except SupersededError:
        return Response(status_code=204)


async def pad(request: Request) -> Response:
    """The looks of the next seeds; 204 as for a picture."""
    count, columns = number(request, "count", 25, 1, 64), number(request, "columns", 5, 1, 64)
    try:
        return _png((await at(request).ask(request, "pad", look=look(request), count=count, columns=columns))[1])
    except SupersededError:
        return Response(status_code=204)


async def nearest(request: Request) -> Response:
    """A look and the training pictures nearest to it, with their distances in grey levels in a header."""
    found, data = await at(request).ask(request, "nearest", look=look(request))
    return _png(data, **{"X-Ganvas-Distances": json.dumps(found["distances"])})


async def save(request: Request) -> Response:
    """A look as a file to keep: the bits of `ganvas sample`, with its seed and the model's hash in it."""
    asked = look(request)
    _, data = await at(request).ask(request, "save", look=asked, scale=number(request, "scale", 1, 1, 16))
    seed = asked.get("seed", 0)
    return _png(data, **{"Content-Disposition": f'attachment; filename="seed{seed if type(seed) is int else 0}.png"'})


async def walk(request: Request) -> Response:
    """A film through looks, as a file."""
    asked = await body(request, Walk)
    _, data = await at(request).ask(
        request,
        "walk",
        looks=[dict(each) for each in asked.looks],
        frames=asked.frames,
        milliseconds=asked.milliseconds,
        closed=asked.closed,
        kind=asked.kind,
    )
    name = f'attachment; filename="walk.{asked.kind}"'
    return Response(data, media_type=TYPES[asked.kind], headers={"Content-Disposition": name})


def favourites(request: Request) -> Any:
    """The looks that were kept, oldest first, each with its id."""
    return {"kept": at(request).kept(), "most": FAVOURITES}


async def keep(request: Request) -> Response:
    """Keep one more look."""
    here, asked = at(request), await body(request, Favourite)
    if len(json.dumps(dict(asked.look))) > LONGEST:
        raise UsageError(f"look: expected at most {LONGEST} characters of JSON")
    added = {"model": asked.model[:100], "look": dict(asked.look), "name": printable(asked.name, 80)}
    kept = here.kept()  # nothing is awaited from here on, so that no other tab comes between
    if len(kept) >= FAVOURITES:
        raise UsageError(f"{FAVOURITES} favourites are kept, which is the most; forget one to keep another")
    here.write([*kept, {"id": secrets.token_hex(8), **added}])
    return JSONResponse(here.kept()[-1], 201)


async def forget(request: Request) -> Any:
    """Forget one favourite."""
    here, name = at(request), request.path_params["id"]
    kept = here.kept()
    if all(each["id"] != name for each in kept):
        raise UnknownIdError(f"there is no favourite {printable(name, 40)!r} here; look at the list of favourites")
    here.write([each for each in kept if each["id"] != name])
    return {"removed": name}


API = "/api/explore"
LOOKED = ("lane", "look")
ROUTES = (
    Route(f"{API}/models", told(models)),
    Route(f"{API}/favourites", told(favourites), methods=["GET"]),
    Route(f"{API}/favourites", told(keep, Favourite), methods=["POST"]),
    Route(f"{API}/favourites/{{id}}", told(forget), methods=["DELETE"]),
    Route(f"{API}/models/{{id}}", told(abilities, query=LOOKED[:1])),
    Route(f"{API}/models/{{id}}/picture", told(picture, query=LOOKED)),
    Route(f"{API}/models/{{id}}/pad", told(pad, query=(*LOOKED, "count", "columns"))),
    Route(f"{API}/models/{{id}}/nearest", told(nearest, query=LOOKED)),
    Route(f"{API}/models/{{id}}/save", told(save, query=(*LOOKED, "scale"))),
    Route(f"{API}/models/{{id}}/walk", told(walk, Walk, LOOKED[:1]), methods=["POST"]),
)
PAGE = Page(
    "explore",
    "Explore",
    "Look around in a trained model: seeds, classes, directions, mixtures, walks, nearest training pictures.",
    routes=ROUTES,
    service=service,
)
