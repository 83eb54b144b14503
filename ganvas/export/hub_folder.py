"""A folder as model hubs expect it: the bundle, its settings, a card with a head, samples, an ONNX file and a page.

    README.md           the card; its head has the fields that hubs read
    config.json         the recipe: game, settings, data, training
    model.safetensors   the bundle, as `ganvas.load` takes it: weights and description, no code
    model.onnx          the same for other programs; of a model with several directions one for each, model-DIRECTION.onnx
    demo.html          a page that runs it
    samples.png         what it makes, if it makes it from noise

Nothing is sent anywhere: the folder is uploaded by whoever owns the account.
"""

from __future__ import annotations

import copy
import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from ganvas import __version__
from ganvas.core.capabilities import Samples, Writes
from ganvas.data.open import shorten_path
from ganvas.errors import UsageError
from ganvas.export.agreement import Agreement
from ganvas.export.demo_page import make_page
from ganvas.export.export_files import export_onnx, page_facts
from ganvas.export.graphs import Graph, make_graph, make_page_graph
from ganvas.export.model_card import require_licence, write_card
from ganvas.export.onnx_file import describe_graph, describe_model, require_extra
from ganvas.export.usage_examples import onnx_usage, python_usage
from ganvas.inference import model_file
from ganvas.inference.model import Model, load
from ganvas.inference.picture_translation import list_ways
from ganvas.inference.shipped_models import find_model
from ganvas.media.picture_folder import make_new_folder, require_new_folder
from ganvas.utils.files import disk_errors, require_writable, write_new
from ganvas.utils.parsing import printable

SHOWN = 64  # samples


@dataclass(frozen=True)
class Published:
    """The folder, and what is in it."""

    folder: Path
    files: tuple[str, ...]
    notes: tuple[str, ...] = ()


def publish(run: str | Path, to: str | Path, *, licence: str | None = None) -> Published:
    """Lay out the model in a run folder or bundle in the new folder `to`. All of it is there, or nothing.

    Raises:
        UsageError: there is such a folder with something in it, no extra `export`, or a licence that is no identifier.
        DataError: no model, or an export that does not compute what PyTorch computes.
        ResourceError: the folder cannot be written.
    """
    target, origin = Path(to), find_model(run)
    require_new_folder(target)
    require_writable(target)
    require_extra()
    require_licence(licence)
    model = load(origin, "cpu")
    graphs = _graphs(model)
    files: dict[str, bytes] = {}
    notes: list[str] = []
    agreements: dict[str, Agreement] = {}
    for name, graph in graphs.items():
        files[name], agreements[name] = export_onnx(model, graph)
    ways = list_ways(model.game)
    page_graph = make_page_graph(model, ways[0].direction if len(ways) > 1 else None)
    first = next(iter(graphs))
    page = files[first] if page_graph.inputs == graphs[first].inputs else export_onnx(model, page_graph)[0]
    try:
        files["demo.html"] = make_page(model, page_graph, page, page_facts(model, origin, licence))
    except UsageError as large:
        notes.append(f"no page: {large}")
    bundle = origin / model_file.NAME if origin.is_dir() else origin
    files["model.safetensors"] = bundle.read_bytes()
    files["config.json"] = _settings(model)
    files["README.md"] = _card(model, origin, graphs, agreements, page_graph.about, licence).encode()
    with make_new_folder(target) as folder:
        with disk_errors(f"cannot write {printable(target)}"):
            for name, data in files.items():
                write_new(folder / name, data)
        if isinstance(model.game, Samples) and not isinstance(model.game, Writes):
            model.save(folder / "samples.png", SHOWN)
    made = sorted(path.name for path in target.iterdir())
    return Published(target, tuple(made), tuple(notes))


def _graphs(model: Model) -> dict[str, Graph]:
    """The ONNX files by name: one, or one for each direction."""
    ways = list_ways(model.game)
    if len(ways) < 2:
        return {"model.onnx": make_graph(model)}
    tags = [re.sub(r"[^\w.-]+", "_", way.target).strip("._")[:60] or "out" for way in ways]
    if len(set(tags)) < len(tags):
        tags = [f"{tag}-{i}" for i, tag in enumerate(tags)]
    return {f"model-{tag}.onnx": make_graph(model, way.direction) for tag, way in zip(tags, ways, strict=True)}


def _settings(model: Model) -> bytes:
    """The recipe as JSON; of the path of the data only the last part, as in the bundle."""
    card = copy.deepcopy({key: model.card[key] for key in ("recipe", "items", "classes")})
    card["recipe"]["data"]["source"] = shorten_path(str(card["recipe"]["data"]["source"]))
    return json.dumps({"_class": "ganvas.Model", "ganvas_version": __version__, **card}, indent=1).encode()


def _card(
    model: Model, run: Path, graphs: Mapping[str, Graph], agreements: Mapping[str, Agreement], about: str, licence: str | None
) -> str:
    parts = [f"From Python, with ganvas installed:\n\n{python_usage(model)}"]
    for name, graph in graphs.items():
        usage = onnx_usage(describe_model(model) | describe_graph(graph), name)
        parts.append(f"`{name}` ({graph.about}), without ganvas and without PyTorch. {usage}")
    parts.append(f"`demo.html` runs the model ({about}) in any browser, without a server or a network.")
    notes = [f"`{name}` was compared with PyTorch: {found}." for name, found in agreements.items()]
    return write_card(model, run, "\n\n".join(parts), notes, licence, hub=True)
