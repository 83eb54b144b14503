"""The page /train: its routes. Each calls a function of jobs, monitor, uploads or analyses."""

from __future__ import annotations

from typing import Any

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import FileResponse, JSONResponse, Response
from starlette.routing import Route

from ganvas.studio.openapi import build_document
from ganvas.studio.page import Handover, Page, find_service, list_links
from ganvas.studio.responses import make_endpoint, read_body, read_number
from ganvas.studio.storage import UnknownIdError
from ganvas.studio.train import choices, monitor
from ganvas.studio.train.job_status import STATES
from ganvas.studio.train.train_requests import MOST_IMAGES, SAMPLE_BOUNDS, BranchRequest, ComparisonRequest, StartRequest
from ganvas.studio.train.train_service import TrainService
from ganvas.studio.train.uploads import MAX_UPLOAD_BYTES
from ganvas.training.options import LEAST_MINUTES, MOST_MINUTES
from ganvas.utils.settings import assign

MAX_LISTED = 200  # runs


def get_service(request: Request) -> TrainService:
    """The service of this page."""
    return find_service(request, TrainService)


def get_schema(_: Request) -> Any:
    """What the page shows that Python decides: names of states, devices, built-in data, bounds."""
    return {
        "states": STATES,
        "sources": choices.list_sources(),
        "first_source": choices.FIRST_SOURCE,
        "devices": choices.list_devices(),
        "sample_counts": choices.SAMPLE_COUNTS,
        "default_samples": choices.DEFAULT_SAMPLES,
        "max_upload_bytes": MAX_UPLOAD_BYTES,
        "minutes": {"min": LEAST_MINUTES, "max": MOST_MINUTES},
        "images": {"min": 1, "max": MOST_IMAGES},
    }


async def list_recipes(request: Request) -> Any:
    """All recipes, with the data that suit each."""
    return await get_service(request).analyses.list_recipes()


def get_recipe(request: Request) -> Any:
    """The settings of a recipe that can be changed: for each its name, value and meaning."""
    return {"settings": get_service(request).analyses.describe_settings(request.path_params["name"])}


def list_models(request: Request) -> Any:
    """The models whose weights a training can begin with: the id and the recipe of each, the newest first."""
    found = get_service(request).storage.list_models()
    return [{"id": name, "recipe": str(recipe.get("name", ""))} for name, _, recipe in found]


async def offer_recipes(request: Request) -> Any:
    """The recipes for ?data=, a source or upload:ID, by name: the best, those made for such data, others that take them."""
    here, data = get_service(request), request.query_params.get("data", "")
    here.find_source(data)
    return choices.rank_recipes(await here.analyses.list_recipes(), data, here.read_report(data))


def explain_offer(request: Request) -> Any:
    """Why a recipe is suggested for ?data=upload:ID, with ?minutes= or ?images= on ?device=; "" for other data."""
    here, query = get_service(request), request.query_params
    asked = StartRequest(recipe="")
    for name in ("minutes", "images", "device"):
        asked = assign(asked, name, query[name]) if query.get(name) else asked
    report, kind = here.read_report(query.get("data", "")), choices.find_device_kind(asked.device)
    return {"text": choices.describe_choice(report, asked.minutes, asked.images, kind)}


async def time_recipe(request: Request) -> Any:
    """How many seconds a whole run of a recipe takes on this machine. It is timed unless that was done, or a training runs."""
    here, name = get_service(request), request.path_params["name"]
    busy = await run_in_threadpool(here.jobs.list_alive)
    return {"seconds": await here.analyses.time_recipe(name, may_time=not busy)}


async def receive_upload(request: Request) -> Response:
    """A zip of pictures, as the raw body; ?name= is for display."""
    uploads = get_service(request).uploads
    name = await uploads.receive(request.stream(), request.query_params.get("name", "pictures.zip"))
    return JSONResponse({"id": name}, 202)


def list_uploads(request: Request) -> Any:
    """The uploads that are ready."""
    return get_service(request).uploads.list_ready()


def get_upload(request: Request) -> Any:
    """How an upload stands, with its report."""
    return get_service(request).uploads.describe(request.path_params["id"])


def remove_upload(request: Request) -> Any:
    """Delete an upload, unless runs need it."""
    get_service(request).uploads.remove(request.path_params["id"])
    return {"removed": request.path_params["id"]}


def get_preview(request: Request) -> Response:
    """The pictures of an upload as a network gets them."""
    path = get_service(request).uploads.find_folder(request.path_params["id"]) / "preview.png"
    if not path.exists():
        raise UnknownIdError("there is no preview of these pictures yet")
    return FileResponse(path, media_type="image/png")


def list_runs(request: Request) -> Any:
    """All runs, newest first."""
    here = get_service(request)
    return [monitor.summarize_run(here.storage, here.jobs, name) for name in here.storage.list_runs()[:MAX_LISTED]]


async def start_run(request: Request) -> Response:
    """Start a recipe."""
    asked = await read_body(request, StartRequest)
    return JSONResponse({"id": await run_in_threadpool(get_service(request).start, asked)}, 201)


def get_run(request: Request) -> Any:
    """All facts of one run."""
    here, name = get_service(request), request.path_params["id"]
    run = monitor.describe_run(here.storage, here.jobs, name)
    return {**run, "links": list_links(request.app.state.pages, name, run, PAGE.name)}


def remove_run(request: Request) -> Any:
    """Delete a run that is not being trained."""
    here, name = get_service(request), request.path_params["id"]
    here.jobs.remove(name)
    here.analyses.forget(name)
    return {"removed": name}


def get_log(request: Request) -> Any:
    """What a run's log says after ?place=."""
    folder = get_service(request).storage.find_run(request.path_params["id"])
    return monitor.read_log(folder, monitor.LogPlace.parse(request.query_params.get("place", "")))


def get_snapshot(request: Request) -> Response:
    """The picture at so many images. It does not change while the run goes on."""
    folder, text = get_service(request).storage.find_run(request.path_params["id"]), request.path_params["items"]
    items = int(text) if text.isascii() and text.isdigit() and len(text) < 16 else -1
    headers = {"Cache-Control": "private, max-age=60"}
    return FileResponse(monitor.find_snapshot(folder, items), media_type="image/png", headers=headers)


async def steer_run(request: Request) -> Any:
    """Pause, resume or stop a run."""
    here, name = get_service(request), request.path_params["id"]
    verbs = {"pause": here.jobs.pause, "resume": here.jobs.resume, "stop": here.jobs.stop}
    verb = request.path_params["verb"]
    if verb not in verbs:
        raise UnknownIdError("a run can be paused, resumed, stopped, and branched")
    await run_in_threadpool(verbs[verb], name)
    return await run_in_threadpool(monitor.summarize_run, here.storage, here.jobs, name)


async def branch_run(request: Request) -> Response:
    """Begin a new run at a checkpoint of another, with a setting changed, and train it."""
    here, name = get_service(request), request.path_params["id"]
    asked = await read_body(request, BranchRequest)
    folder = here.storage.find_run(name)
    here.jobs.queue.require_room()
    branch = await here.analyses.branch(folder, asked.at, asked.settings)
    await run_in_threadpool(here.jobs.adopt, branch)
    return JSONResponse({"id": branch}, 201)


async def diagnose_run(request: Request) -> Any:
    """The findings of the doctor about a run, and its summary: the measured distance, and what was not examined."""
    return await get_service(request).analyses.diagnose(request.path_params["id"])


async def compare_runs(request: Request) -> Any:
    """Measure two runs; the answer says how that stands, and which settings differ."""
    analyses = get_service(request).analyses
    if request.method == "POST":
        asked = await read_body(request, ComparisonRequest)
        analyses.start_comparison(asked.a, asked.b, asked.samples)
        return analyses.describe_comparison(asked.a, asked.b, asked.samples)
    return analyses.describe_comparison(*read_pair(request))


def get_sheet(request: Request) -> Response:
    """What two compared runs generate from the same noise."""
    out = get_service(request).analyses.find_newest(*read_pair(request))
    if out is None or not (path := out / "sheet.png").exists():
        raise UnknownIdError("these two have not been compared yet")
    return FileResponse(path, media_type="image/png")


def read_pair(request: Request) -> tuple[str, str, int]:
    """?a=, ?b= and ?samples= of a comparison. Raises: UsageError: samples is out of range."""
    query = request.query_params
    return query.get("a", ""), query.get("b", ""), read_number(request, "samples", choices.DEFAULT_SAMPLES, *SAMPLE_BOUNDS)


def get_openapi(request: Request) -> Any:
    """The OpenAPI document of every page's routes."""
    return build_document(request.app.routes)


API = "/api/train"
PAIR = ("a", "b", "samples")
ROUTES = (
    Route(f"{API}/openapi.json", make_endpoint(get_openapi)),
    Route(f"{API}/schema", make_endpoint(get_schema)),
    Route(f"{API}/recipes", make_endpoint(list_recipes)),
    Route(f"{API}/recipes/offer", make_endpoint(offer_recipes, query=("data",))),
    Route(f"{API}/recipes/reason", make_endpoint(explain_offer, query=("data", "minutes", "images", "device"))),
    Route(f"{API}/recipes/{{name}}", make_endpoint(get_recipe)),
    Route(f"{API}/recipes/{{name}}/time", make_endpoint(time_recipe), methods=["POST"]),
    Route(f"{API}/models", make_endpoint(list_models)),
    Route(f"{API}/uploads", make_endpoint(list_uploads), methods=["GET"]),
    Route(f"{API}/uploads", make_endpoint(receive_upload, bytes, ("name",)), methods=["POST"]),
    Route(f"{API}/uploads/{{id}}", make_endpoint(get_upload), methods=["GET"]),
    Route(f"{API}/uploads/{{id}}", make_endpoint(remove_upload), methods=["DELETE"]),
    Route(f"{API}/uploads/{{id}}/preview", make_endpoint(get_preview)),
    Route(f"{API}/runs", make_endpoint(list_runs), methods=["GET"]),
    Route(f"{API}/runs", make_endpoint(start_run, StartRequest), methods=["POST"]),
    Route(f"{API}/runs/{{id}}", make_endpoint(get_run), methods=["GET"]),
    Route(f"{API}/runs/{{id}}", make_endpoint(remove_run), methods=["DELETE"]),
    Route(f"{API}/runs/{{id}}/log", make_endpoint(get_log, query=("place",))),
    Route(f"{API}/runs/{{id}}/samples/{{items}}", make_endpoint(get_snapshot)),
    Route(f"{API}/runs/{{id}}/doctor", make_endpoint(diagnose_run)),
    Route(f"{API}/runs/{{id}}/branch", make_endpoint(branch_run, BranchRequest), methods=["POST"]),
    Route(f"{API}/runs/{{id}}/{{verb}}", make_endpoint(steer_run), methods=["POST"]),
    Route(f"{API}/compare", make_endpoint(compare_runs, ComparisonRequest, PAIR), methods=["GET", "POST"]),
    Route(f"{API}/compare/sheet", make_endpoint(get_sheet, query=PAIR)),
)
PAGE: Page = Page(
    "train",
    "Train",
    "Start a recipe on built-in data or your own pictures, and watch the same noise become pictures.",
    "Make",
    routes=ROUTES,
    service=TrainService,
    uploads={f"{API}/uploads": MAX_UPLOAD_BYTES},
    handover=Handover("Its training", "run={id}", lambda facts: bool(facts["run"])),
)
