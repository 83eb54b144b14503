"""Compare models: one sheet of samples from the same noise, and one table of measures."""

from __future__ import annotations

import base64
import html
import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from PIL.Image import Image

from ganvas.config import DataConfig
from ganvas.core.capabilities import TakesInputs, Writes
from ganvas.core.game import Game
from ganvas.core.modality import IMAGES, POINTS, TEXT, VOXELS, Modality
from ganvas.data.open import open_source
from ganvas.errors import DataError, UsageError
from ganvas.evaluation.evaluate import evaluate
from ganvas.evaluation.measures import SOLIDS, Measurement
from ganvas.evaluation.output_measures import held_out_rows
from ganvas.evaluation.output_sheet import draw_output_sheet
from ganvas.evaluation.sample_sets import real_sample_sets
from ganvas.inference.batches import as_pictures
from ganvas.inference.feature_extractors import choose_extractor
from ganvas.inference.model import Model, load
from ganvas.inference.shipped_models import find_model, list_shipped
from ganvas.media.grid import arrange_pictures, caption, legible_scale, make_grid
from ganvas.media.image_files import save_png
from ganvas.media.picture_folder import require_own_files
from ganvas.media.scatter import scatter
from ganvas.utils.files import disk_errors, make_folder, read_json, write_durably
from ganvas.utils.parsing import is_number, printable

SHEET, MARK = "sheet.png", "comparison.json"
METRICS = ("fd", "recall", "sharpness")
TEXT_METRICS = ("distinct", "novel", "trigrams", "nats")
UNAIDED = ("swd", "sharpness")  # of pictures without an extractor, however few
BLIND = "distances in features need an extractor, and there is none for grey pictures of your own"
SHOWN: Mapping[Modality, int] = {VOXELS: 30, IMAGES: 100, POINTS: 500}  # samples in a block of the sheet
COLUMNS = 10
INPUT_ROWS = 8  # held-out inputs in the sheet of models that take inputs


@dataclass(frozen=True)
class Row:
    """One model's numbers."""

    name: str
    items: int  # images it was trained on
    seconds: float | None  # of training; None: not known
    measures: dict[str, Measurement]


@dataclass(frozen=True)
class Comparison:
    """Several models, measured against one reference."""

    rows: tuple[Row, ...]
    reference: str
    sheet: Path
    note: str = ""  # what was not measured, and the reason

    def to_dict(self) -> dict[str, Any]:
        """For --json and comparison.json."""
        models = [asdict(row) for row in self.rows]
        return {"reference": self.reference, "sheet": str(self.sheet), "note": self.note, "models": models}

    def _repr_html_(self) -> str:
        """A notebook shows the table and the sheet."""
        picture = base64.b64encode(self.sheet.read_bytes()).decode() if self.sheet.is_file() else ""
        shown = f'<img alt="the same noise, or the same inputs" src="data:image/png;base64,{picture}">' if picture else ""
        return f"<pre>{html.escape(self.text())}</pre>{shown}"

    def text(self) -> str:
        """A table. Its last line has the floors: the scores of as many other real samples."""
        lines = [table(self.rows), f"against {self.reference}; the same noise: {self.sheet}", self.note]
        return "\n".join(filter(None, lines))


def table(rows: Sequence[Row]) -> str:
    """A table of the measures with their intervals; the last line has the floors, if there are any."""
    names = list(dict.fromkeys(name for row in rows for name in row.measures))
    body = [
        [
            row.name,
            *(_cell(row.measures.get(name)) for name in names),
            f"{row.items:,}",
            "-" if row.seconds is None else f"{row.seconds:.0f}",
        ]
        for row in rows
    ]
    floors = [next(row.measures[name].floor for row in rows if name in row.measures) for name in names]
    if any(floor is not None for floor in floors):
        body.append(["other real samples", *("-" if floor is None else f"{floor:.4g}" for floor in floors), "-", "-"])
    lines = [["", *names, "images", "seconds"], *body]
    widths = [max(map(len, column)) for column in zip(*lines, strict=True)]
    return "\n".join(
        "  ".join([f"{line[0]:{widths[0]}}", *(f"{cell:>{w}}" for cell, w in zip(line[1:], widths[1:], strict=True))])
        for line in lines
    )


def _cell(measured: Measurement | None) -> str:
    if measured is None:
        return "-"
    return f"{measured.value:.4g}" + (f" ± {measured.interval:.2g}" if measured.interval else "")


def compare(
    targets: Sequence[str | Path],
    out: str | Path = "comparison",
    *,
    against: str | None = None,
    metrics: Sequence[str] | None = None,
    samples: int = 10_000,
    seed: int = 0,
    split: str | None = None,
    device: str = "auto",
) -> Comparison:
    """Measure models (run folders or bundles) against one reference, and sample them from the same seeds, side by side.

    Models that take inputs get the same held-out inputs.

    The options are those of `evaluate`. By default the reference is the data of the first model, and the measures are those
    that fit it. Writes `sheet.png` and `comparison.json` into the folder `out`.

    Raises:
        UsageError: fewer than two models, an unknown measure, or `out` has a sheet of something else.
        DataError: no such model, or models of different kinds.
    """
    require_several(targets)
    require_own(out)
    out, models = Path(out), [load(target, device) for target in targets]
    source = models[0].data_source(against, "--data")
    require_one_kind([type(model.game) for model in models])
    chosen, note = (metrics, "") if metrics else choose_metrics(models[0], source)
    options: dict[str, Any] = {"samples": samples, "seed": seed, "split": split, "device": device}
    reports = [evaluate(target, against=source, metrics=chosen, **options) for target in targets]
    rows = tuple(
        Row(_name(Path(target), model), report.items, _seconds(Path(target)), dict(report.measures))
        for target, model, report in zip(targets, models, reports, strict=True)
    )
    if isinstance(models[0].game, TakesInputs):
        found_rows, reference = held_out_rows(models[0], source, samples, split), reports[0].reference
        blocks = [
            caption(draw_output_sheet(model, found_rows, INPUT_ROWS), [row.name])
            for model, row in zip(models, rows, strict=True)
        ]
        return _save(Comparison(rows, reference, out / SHEET, note), blocks, models, "-")
    if models[0].modality is TEXT:
        count, columns, reference = 30, 1, reports[0].reference
        of_data = models[0].picture(open_source(DataConfig(source=source)).table[:count], columns)
    else:
        real, _, _, reference = real_sample_sets(models[0].data_config(source), models[0].shape, samples, split)
        count, columns, few = SHOWN[real.modality], COLUMNS, real.data[: SHOWN[real.modality]]
        if real.modality is VOXELS:
            few = as_pictures(few.float() / 127.5 - 1)
        of_data = scatter(few, few[:0]) if real.modality is POINTS else make_grid(few, COLUMNS, legible_scale(few.shape[-1]))
    blocks = [
        caption(model.picture(_sample(model, count, seed), columns), [row.name])
        for model, row in zip(models, rows, strict=True)
    ]
    blocks.append(caption(of_data, ["real samples"]))
    return _save(Comparison(rows, reference, out / SHEET, note), blocks, models, f"{seed}-{seed + count - 1}")


def _save(found: Comparison, blocks: Sequence[Image], models: Sequence[Model], seeds: str) -> Comparison:
    """Write the sheet of all blocks, and comparison.json beside it."""
    with disk_errors(f"cannot make {printable(found.sheet.parent)}"):
        make_folder(found.sheet.parent)
    text = {"models": " ".join(model.identity for model in models), "seeds": seeds, "synthetic": "true"}
    write_durably(found.sheet.with_name(MARK), json.dumps(found.to_dict(), indent=1).encode())
    save_png(found.sheet, arrange_pictures(blocks, len(blocks)), text)
    return found


def require_own(out: str | Path) -> None:
    """Raises: UsageError: the folder has a sheet of something else, such as that of `ganvas sample`."""
    require_own_files(Path(out), MARK, [SHEET])


def require_several(targets: Sequence[str | Path]) -> None:
    """Raises: UsageError: fewer than two."""
    if len(targets) < 2:
        raise UsageError(f"expected at least two models to compare, got {len(targets)}")


def require_one_kind(games: Sequence[type[Game]]) -> None:
    """Raises: UsageError: only some of the games take inputs, or generate text."""
    if len({issubclass(game, TakesInputs) for game in games}) > 1:
        raise UsageError("some of the models take inputs and some sample from noise; compare models of one kind")
    if len({issubclass(game, Writes) for game in games}) > 1:
        raise UsageError("some of the models generate text and some images; compare models of one kind")


def choose_metrics(model: Model, source: str) -> tuple[tuple[str, ...] | None, str]:
    """The measures that fit the kind of samples (None: the default ones), and a note on those that lack an extractor."""
    if isinstance(model.game, TakesInputs):
        return None, ""
    if model.modality is TEXT:
        return TEXT_METRICS, ""
    if model.modality is not IMAGES:
        return (SOLIDS if model.modality is VOXELS else METRICS[:2]), ""
    return (METRICS, "") if choose_extractor(source, model.shape[0]) else (UNAIDED, BLIND)


def _sample(model: Model, count: int, seed: int) -> Any:
    return next(model.stream(count, seed))[0]


def _name(target: Path, model: Model) -> str:
    """The name of the recipe, or of the folder if that has another name."""
    recipe = str(model.card["recipe"]["name"])
    return recipe if target.name in (recipe, "model.safetensors") else target.stem


def _seconds(target: Path) -> float | None:
    if shipped := next((each for each in list_shipped() if each.path == find_model(target)), None):
        return 60 * shipped.minutes
    try:
        found = read_json(target / "result.json").get("seconds")
    except (DataError, OSError):  # not finished, or damaged: it is one column of the table
        return None
    return float(found) if is_number(found) else None
