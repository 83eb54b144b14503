"""The page /train: its routes. Each calls the function of the same name in jobs, follow, uploads or contests."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import FileResponse, JSONResponse, Response
from starlette.routing import Route

from ganvas.config import within
from ganvas.errors import UsageError
from ganvas.studio.answers import body, number, told
from ganvas.studio.openapi import document
from ganvas.studio.pages import Page, Studio
from ganvas.studio.store import Store, UnknownIdError
from ganvas.studio.train import follow
from ganvas.studio.train.jobs import Jobs
from ganvas.studio.train.second import CLASSES, Second
from ganvas.studio.train.uploads import LARGEST, Uploads


@dataclass(frozen=True, kw_only=True)
class Start:
    """What is to be trained. `data` is the name of a source or the id of an upload; "" is the recipe's own."""

    recipe: str
    data: str = ""
    images: int | None = None
    minutes: float | None = None
    seed: int = 0
    settings: Mapping[str, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        within(self, "seed", 0, 2**63 - 1)
        if self.images is not None:
            within(self, "images", 1, 10**12)
        if self.minutes is not None:
            within(self, "minutes", 0.01, 10**5)
        if self.images is not None and self.minutes is not None:
            raise UsageError("minutes and images both bound the run; give one of them")


@dataclass(frozen=True, kw_only=True)
class Branch:
    """Where a run is to be left, and what is to differ from there."""

    settings: Mapping[str, str]
    at: int | None = None


@dataclass(frozen=True, kw_only=True)
class Contest:
    """Two runs, and how many samples of each are measured."""

    a: str
    b: str
    samples: int = 2000

    def __post_init__(self) -> None:
        within(self, "samples", 100, 50_000)


class Training:
    """What the page needs for as long as the server lives."""

    def __init__(self, studio: Studio) -> None:
        self.store = Store(studio.runs)
        self.jobs, self.uploads, self.second = Jobs(self.store), Uploads(self.store), Second(self.store)

    def source(self, name: str) -> str | None:
        """The path or name behind what a page calls data. Raises: UsageError, UnknownIdError: it cannot be used."""
        if not name:
            return None
        kind, _, upload = name.partition(":")
        if kind == "upload":
            return str(self.uploads.data(upload))
        if not name.isalnum() or not name.isascii():
            raise UsageError("data: expected the name of a built-in source or upload:ID")
        if name not in self.second.sources:
            raise UsageError(f"data: expected one of {', '.join(self.second.sources)}, or upload:ID")
        return name


@asynccontextmanager
async def service(studio: Studio) -> AsyncIterator[Training]:
    """Trainings outlive the server; what is being read or measured does not."""
    training = Training(studio)
    yield training
    await training.uploads.close()
    await training.second.close()


def at(request: Request) -> Training:
    """The service of this page, made here where no server has made it."""
    studio: Studio = request.app.state.studio
    found: Training = studio.services.get("train") or Training(studio)
    studio.services["train"] = found
    return found


async def recipes(request: Request) -> Any:
    """All recipes, the built-in sources, and how many classes those of pictures have."""
    here = at(request)
    return {"recipes": await here.second.recipes(), "sources": list(here.second.sources), "classes": CLASSES}


async def upload(request: Request) -> Response:
    """A zip of pictures, as the raw body; ?name= is shown."""
    name = await at(request).uploads.receive(request.stream(), request.query_params.get("name", "pictures.zip"))
    return JSONResponse({"id": name}, 202)


def uploads(request: Request) -> Any:
    """The uploads that are ready."""
    return at(request).uploads.ready()


def uploaded(request: Request) -> Any:
    """How one stands, with its report."""
    return at(request).uploads.state(request.path_params["id"])


def remove(request: Request) -> Response:
    """Delete it, unless runs need it."""
    at(request).uploads.remove(request.path_params["id"])
    return JSONResponse({"removed": request.path_params["id"]})


def preview(request: Request) -> Response:
    """What its pictures look like to a network."""
    path = at(request).uploads.folder(request.path_params["id"]) / "preview.png"
    if not path.exists():
        raise UnknownIdError("there is no preview of these pictures yet")
    return FileResponse(path, media_type="image/png")


def runs(request: Request) -> Any:
    """All runs, newest first."""
    here = at(request)
    return [follow.brief(here.store, here.jobs, name) for name in here.store.ids()[:200]]


async def start(request: Request) -> Response:
    """Start a recipe."""
    here, asked = at(request), await body(request, Start)
    name = await run_in_threadpool(
        here.jobs.start,
        asked.recipe,
        settings=asked.settings,
        data=here.source(asked.data),
        images=asked.images,
        minutes=asked.minutes,
        seed=asked.seed,
    )
    return JSONResponse({"id": name}, 201)


def run(request: Request) -> Any:
    """All about one run."""
    here = at(request)
    return follow.details(here.store, here.jobs, request.path_params["id"])


def forget(request: Request) -> Any:
    """Delete a run that is not being trained."""
    here, name = at(request), request.path_params["id"]
    here.jobs.remove(name)
    here.second.forget(name)
    return {"removed": name}


def log(request: Request) -> Any:
    """What its log says after ?place=."""
    folder = at(request).store.run(request.path_params["id"])
    return follow.log(folder, follow.Place.parse(request.query_params.get("place", "")))


def sample(request: Request) -> Response:
    """The picture that was kept at so many images; it never changes while the run goes on."""
    folder, text = at(request).store.run(request.path_params["id"]), request.path_params["items"]
    items = int(text) if text.isascii() and text.isdigit() and len(text) < 16 else -1
    return FileResponse(
        follow.snapshot(folder, items), media_type="image/png", headers={"Cache-Control": "private, max-age=60"}
    )


async def steer(request: Request) -> Any:
    """Pause, resume or stop it."""
    here, name = at(request), request.path_params["id"]
    verbs = {"pause": here.jobs.pause, "resume": here.jobs.resume, "stop": here.jobs.stop}
    verb = request.path_params["verb"]
    if verb not in verbs:
        raise UnknownIdError("a run can be paused, resumed, stopped, and branched")
    verbs[verb](name)
    return follow.brief(here.store, here.jobs, name)


async def branch(request: Request) -> Response:
    """Begin a new run at one of its checkpoints with a setting changed, and train it."""
    here, name = at(request), request.path_params["id"]
    asked = await body(request, Branch)
    folder = here.store.run(name)
    here.jobs.require_room()
    made = await here.second.branch(folder, asked.at, asked.settings)
    here.jobs.adopt(made)
    return JSONResponse({"id": made}, 201)


async def doctor(request: Request) -> Any:
    """What the doctor says of it."""
    return await at(request).second.doctor(request.path_params["id"])


async def compare(request: Request) -> Any:
    """Measure two runs beside each other; the answer says how that stands, and what their settings differ in."""
    here = at(request)
    if request.method == "POST":
        asked = await body(request, Contest)
        here.second.measure(asked.a, asked.b, asked.samples)
        return here.second.contest(asked.a, asked.b, asked.samples)
    query = request.query_params
    return here.second.contest(query.get("a", ""), query.get("b", ""), number(request, "samples", 2000, 100, 50_000))


def sheet(request: Request) -> Response:
    """What two compared runs draw from the same noise."""
    query = request.query_params
    samples = number(request, "samples", 2000, 100, 50_000)
    out = at(request).second.kept(query.get("a", ""), query.get("b", ""), samples)
    if out is None or not (path := out / "sheet.png").exists():
        raise UnknownIdError("these two have not been compared yet")
    return FileResponse(path, media_type="image/png")


def described(request: Request) -> Any:
    """The OpenAPI document of every page's routes."""
    return document(request.app.routes)


API = "/api/train"
ROUTES = (
    Route(f"{API}/openapi.json", told(described)),
    Route(f"{API}/recipes", told(recipes)),
    Route(f"{API}/uploads", told(uploads), methods=["GET"]),
    Route(f"{API}/uploads", told(upload, bytes, ("name",)), methods=["POST"]),
    Route(f"{API}/uploads/{{id}}", told(uploaded), methods=["GET"]),
    Route(f"{API}/uploads/{{id}}", told(remove), methods=["DELETE"]),
    Route(f"{API}/uploads/{{id}}/preview", told(preview)),
    Route(f"{API}/runs", told(runs), methods=["GET"]),
    Route(f"{API}/runs", told(start, Start), methods=["POST"]),
    Route(f"{API}/runs/{{id}}", told(run), methods=["GET"]),
    Route(f"{API}/runs/{{id}}", told(forget), methods=["DELETE"]),
    Route(f"{API}/runs/{{id}}/log", told(log, query=("place",))),
    Route(f"{API}/runs/{{id}}/samples/{{items}}", told(sample)),
    Route(f"{API}/runs/{{id}}/doctor", told(doctor)),
    Route(f"{API}/runs/{{id}}/branch", told(branch, Branch), methods=["POST"]),
    Route(f"{API}/runs/{{id}}/{{verb}}", told(steer), methods=["POST"]),
    Route(f"{API}/compare", told(compare, Contest, ("a", "b", "samples")), methods=["GET", "POST"]),
    Route(f"{API}/compare/sheet", told(sheet, query=("a", "b", "samples"))),
)
PAGE = Page(
    "train",
    "Train",
    "Start a recipe on built-in data or your own pictures, and watch the same noise become pictures.",
    routes=ROUTES,
    service=service,
    uploads={f"{API}/uploads": LARGEST},
)
