"""Sheets of what a model makes of held-out inputs: input, output and truth in a row."""

from __future__ import annotations

from pathlib import Path

import torch
from PIL.Image import Image

from ganvas.core.capabilities import TakesInputs
from ganvas.data.input_files import require_other
from ganvas.data.order import spread_evenly
from ganvas.errors import UsageError
from ganvas.evaluation.output_measures import FEWEST, InputRows, held_out_rows
from ganvas.inference.inputs import list_tasks, run_task
from ganvas.inference.model import Model
from ganvas.inference.sheet import draw_outputs
from ganvas.media.grid import arrange_pictures
from ganvas.media.image_files import save_png


def draw_output_sheet(model: Model, found: InputRows, count: int) -> Image:
    """`count` of the rows, spread evenly, one below the other; a translation with two directions has a part for each.

    Raises:
        UsageError: the model takes no inputs.
        DataError: the data lacks a field, or an output holds NaN.
    """
    if not isinstance(model.game, TakesInputs):
        raise UsageError(f"{model.name} takes no inputs; sample it from noise")
    rows = found.rows[torch.tensor(spread_evenly(len(found.rows), count))]
    parts = [draw_outputs(run_task(task, found.data, rows)) for task in list_tasks(model.game)]
    return parts[0] if len(parts) == 1 else arrange_pictures(parts, 1)


def save_output_sheet(model: Model, out: Path, source: str | None, count: int) -> Path:
    """The sheet of `count` held-out inputs of a data source (None: that of the training) as a .png.

    Raises:
        UsageError: another kind of file, no row asked for, or the model takes no inputs.
        DataError: the data is not here, or has too few rows.
    """
    if out.suffix.lower() != ".png":
        raise UsageError(f"cannot write inputs and outputs to {out.name!r}: expected a name ending in .png")
    if count < 1:
        raise UsageError(f"the number of inputs must be at least 1, got {count}")
    if source is not None:
        require_other(out, {"the data": source})
    found = held_out_rows(model, model.data_source(source, "--data"), max(count, FEWEST))
    save_png(out, draw_output_sheet(model, found, count), model.provenance("-"))
    return out
