"""Export a model into files: an ONNX file and a page, each with its card. All of it is checked before anything is written."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ganvas.errors import DataError, UsageError
from ganvas.export.agreement import Agreement, compare
from ganvas.export.card_measures import find_measures
from ganvas.export.demo_page import make_page
from ganvas.export.graphs import Graph, make_graph, make_page_graph
from ganvas.export.model_card import MADE, describe_data, find_licence, require_licence, write_card
from ganvas.export.onnx_file import describe_graph, describe_model, require_extra, to_onnx
from ganvas.export.usage_examples import onnx_usage
from ganvas.inference.model import Model, load
from ganvas.utils.files import read_regular, require_writable, write_durably
from ganvas.utils.parsing import printable

PAGE_USAGE = "Open the file in a browser (Chrome, Edge, Firefox or Safari of 2023 or later). It needs no server and no network."


@dataclass(frozen=True)
class Exported:
    """One written file, the card beside it, and how well it agrees with PyTorch."""

    path: Path
    card: Path
    size: int
    agreement: Agreement

    def to_dict(self) -> dict[str, Any]:
        """For JSON."""
        return {"out": str(self.path), "card": str(self.card), "bytes": self.size, "agreement": self.agreement.to_dict()}


def export_files(
    run: str | Path,
    onnx: str | Path | None = None,
    page: str | Path | None = None,
    *,
    to: str | None = None,
    side: int | None = None,
    strength: float = 1.0,
    licence: str | None = None,
) -> list[Exported]:
    """Export the model in a run folder or bundle as an ONNX file, as a page, or both; a card is written beside each.

    The card of NAME is NAME.md; it is replaced with the file, but no other text of this name. `to`, `side` and `strength` as
    in `make_graph`. `licence` as in `write_card`. Networks are computed on the CPU.

    Raises:
        UsageError: nothing to write, another ending, an option that does not fit, no extra `export`, or too large a page.
        DataError: no model, or the exported one does not compute what PyTorch computes.
        ResourceError: a file cannot be written.
    """
    targets = _check_targets(onnx, page)
    require_extra()
    require_licence(licence)
    model, origin = load(run, "cpu"), Path(run)
    plain = make_graph(model, to, side=side, strength=strength)
    written: list[tuple[Path, bytes, str, Agreement]] = []
    if ".onnx" in targets:
        data, agreement = export_onnx(model, plain)
        usage = onnx_usage(describe_model(model) | describe_graph(plain), targets[".onnx"].name)
        card = write_card(model, origin, usage, [_note(agreement)], licence)
        written.append((targets[".onnx"], data, card, agreement))
    if ".html" in targets:
        graph = make_page_graph(model, to, side=side, strength=strength)
        if not written or graph.inputs != plain.inputs:
            data, agreement = export_onnx(model, graph)
        html = make_page(model, graph, data, page_facts(model, origin, licence))
        written.append((targets[".html"], html, write_card(model, origin, PAGE_USAGE, [_note(agreement)], licence), agreement))
    found = []
    for path, data, card, agreement in written:
        beside = _card_of(path)
        write_durably(path, data)
        write_durably(beside, card.encode())
        found.append(Exported(path, beside, len(data), agreement))
    return found


def export_onnx(model: Model, graph: Graph) -> tuple[bytes, Agreement]:
    """The ONNX file of a graph, compared with PyTorch. Raises: as `export_files`."""
    data = to_onnx(graph, describe_model(model))
    return data, compare(graph, data)


def page_facts(model: Model, run: Path, licence: str | None) -> Mapping[str, str]:
    """The lines of the card that a page shows."""
    data, data_licence = describe_data(model)
    facts = {"Data": f"{data}; licence: {data_licence}", "Licence of the model": find_licence(model, licence) or "not stated"}
    measures, reference = find_measures(model, run)
    if measures:
        first = measures[0]
        floor = "" if first.floor is None else f"; as many real samples score {first.floor:.4g}"
        facts["Measured"] = f"{first.name} {first.value:.4g} against {printable(reference, 100)}{floor}"
    else:
        facts["Measured"] = "not measured"
    return facts | {"Model": f"SHA-256 begins with {model.identity}"}


def _note(agreement: Agreement) -> str:
    return f"The export was compared with PyTorch: {agreement}."


def _check_targets(onnx: str | Path | None, page: str | Path | None) -> dict[str, Path]:
    """The files to write by their ending. Raises: UsageError, ResourceError."""
    named = {ending: Path(path) for ending, path in ((".onnx", onnx), (".html", page)) if path is not None}
    if not named:
        raise UsageError("export: expected what to write, found nothing; add --onnx model.onnx, --html demo.html, or both")
    for ending, path in named.items():
        if path.suffix.lower() != ending:
            raise UsageError(f"cannot export to {printable(path.name)!r}: expected a name ending in {ending}")
        if path.is_dir():
            raise UsageError(f"{printable(path)}: expected a file to write, found a folder; choose another name")
        _require_card(_card_of(path))
        require_writable(path)
    return named


def _card_of(path: Path) -> Path:
    return path.with_name(f"{path.name}.md")


def _require_card(path: Path) -> None:
    """Raises: UsageError: there is such a file, and ganvas did not write it."""
    with suppress(OSError, DataError):
        if MADE not in read_regular(path).decode(errors="replace"):
            raise UsageError(f"{printable(path)}: found a text that is no card of ganvas; choose another name for the export")
