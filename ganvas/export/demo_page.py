"""One HTML file with a model, the program that runs it and the controls: it opens without a server and without a network.

The policy of the page forbids every connection, so what the browser shows was computed in it.
"""

from __future__ import annotations

import base64
import gzip
import html
import json
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from ganvas import __version__
from ganvas.core.capabilities import Samples, Styled, Writes
from ganvas.core.modality import IMAGES
from ganvas.errors import UsageError
from ganvas.export.browser_runtime import VERSION, read_program, read_script
from ganvas.export.examples import find_examples
from ganvas.export.graphs import Graph
from ganvas.export.onnx_file import describe_graph
from ganvas.export.sliders import find_sliders
from ganvas.inference.drawn_maps import find_legend
from ganvas.inference.loaded_game import LoadedGame
from ganvas.utils.parsing import printable

FOLDER = Path(__file__).parent / "demo"
STYLES = ("demo.css", "pads.css")
SCRIPTS = ("seeds.js", "session.js", "pads.js", "controls.js", "outputs.js", "demo.js")
MOST = 16_000_000  # bytes of a page: what can be sent by mail and opened on a phone
PLACE = re.compile(r"/\*([a-z]+)\*/")  # of a part in the template


def make_page(model: LoadedGame, graph: Graph, data: bytes, facts: Mapping[str, Any]) -> bytes:
    """The page of a model. `data` is the ONNX file of `graph`; `facts` are lines about the model, name -> text.

    Raises:
        UsageError: the page would be larger than 16 MB, or an input is neither noise, class, picture nor map.
        DataError: a part of the package is damaged.
    """
    if strange := next((each for each in graph.inputs if each.kind == "picture" and len(each.shape) != IMAGES.ndim - 1), None):
        shape = " x ".join(map(str, strange.shape))
        raise UsageError(f"a page has no control for the input {strange.name} of shape {shape}; write the model with --onnx")
    description = describe_page(model, graph) | {"facts": dict(facts)}
    parts = {
        "title": html.escape(printable(model.name, 80)),
        "style": "".join(map(_read, STYLES)),
        "description": _as_json(description),
        "model": _pack(gzip.compress(data, 9, mtime=0)),
        "program": _pack(read_program()),
        "runtime": read_script(),
        "script": "\n".join(_read(name) for name in SCRIPTS),
        "versions": f"ganvas {__version__}, onnxruntime-web {VERSION}",
    }
    page = PLACE.sub(lambda found: parts[found[1]], _read("demo.html")).encode()
    if len(page) > MOST:
        raise UsageError(
            f"the page would have {len(page):,} bytes, at most {MOST:,} are sensible: the model has {len(data):,}; "
            "export a smaller one, or write it with --onnx"
        )
    return page


def describe_page(model: LoadedGame, graph: Graph) -> dict[str, Any]:
    """What the script of the page must know: inputs, output, classes, legend, sliders, symbols, examples."""
    game: Any = model.game
    found = describe_graph(graph) | {"name": printable(model.name, 80)}
    found["classes"] = [printable(name, 60) for name in model.card["classes"]]
    if any(each.kind == "map" for each in graph.inputs):
        legend = find_legend(model)
        found["legend"] = [
            {"name": printable(name, 60), "color": "#{:02x}{:02x}{:02x}".format(*color)}
            for name, color in zip(legend.names, legend.colors, strict=False)
        ]
    if isinstance(game, Samples) and any(each.kind == "shift" for each in graph.inputs):
        found["sliders"] = [{"name": each.name, "step": each.step.tolist()} for each in find_sliders(game)]
        found["styled"] = isinstance(game, Styled)
    found["examples"] = find_examples(model, graph.inputs)
    if isinstance(game, Writes):
        found["symbols"] = list(game.config.alphabet)
    return found


def _read(name: str) -> str:
    return (FOLDER / name).read_text(encoding="utf-8")


def _pack(data: bytes) -> str:
    return base64.b64encode(data).decode()


def _as_json(value: Any) -> str:
    """JSON that cannot end the script element that holds it."""
    return json.dumps(value).replace("<", "\\u003c").replace(">", "\\u003e").replace("&", "\\u0026")
