"""The commands that show what there is to train: `data` and `recipes`."""

from __future__ import annotations

import json as json_
from pathlib import Path
from typing import Literal

from ganvas.cli.arguments import Json, Reporting, free_path, report_doubts


def data(
    path: str,
    *,
    fit: Literal["crop", "pad", "stretch"] = "crop",
    white: float | None = None,
    pair: str = "",
    swap: bool = False,
    out: Path | None = None,
    reporting: Reporting = Reporting(),
) -> None:
    """Show how a data set is read, before training on it, and save a preview sheet.

    Parameters
    ----------
    path
        A folder, zip, IDX, .npy, .npz, CSV or .txt (an item a line), or the name of a built-in source; A::B for two sides.
    fit
        How images become square.
    white
        The number in a picture that is white, such as 4095; training has it as `--set data.white=4095`.
    pair
        "side-by-side" if each picture is two: input and output; or the name of a filter that makes pairs of photographs:
        sketch, oil, vintage, denoise, deblur, colourise, edges, bicubic-2, bicubic-4. Training has it as `--set data.pair=...`.
    swap
        Whether the second side of pairs is the input; training has it as `--set data.swap=true`.
    out
        The preview; the default is preview.png, or preview-2.png, ... if that exists. None is written into the data.
    """
    from ganvas.data.clip_report import inspect_clips
    from ganvas.data.pair_report import inspect_pairs
    from ganvas.data.report import inspect
    from ganvas.data.source_names import is_inside, require_outside

    if out is not None:
        require_outside(out, path)
    report = (
        inspect_pairs(path, fit, pair=pair, swap=swap, white=white) or inspect_clips(path) or inspect(path, fit, white=white)
    )
    shown = out is not None or not is_inside(Path(), path)
    if shown:
        out = free_path(out, "preview.png")
        report.preview(out)
    if reporting.json:
        print(json_.dumps({**report.to_dict(), "preview": str(out) if shown else None}))
    elif not reporting.quiet:
        print(report.text())
        print(f"preview: {out}" if shown else "preview: none, as it would become a picture of the data; say where with --out")
    report_doubts(report.warnings if reporting.json else (), report.skipped, quiet=reporting.quiet)  # the text has the warnings


def recipes(*, json: Json = False) -> None:
    """List the recipes: their paper, data, parameters and minutes."""
    from ganvas.games.registry import list_recipes

    rows = list_recipes()
    if json:
        print(json_.dumps(rows))
        return
    from rich.console import Console
    from rich.table import Table

    table = Table(box=None, pad_edge=False)
    for title in ("recipe", "paper", "data", "parameters", "minutes"):
        table.add_column(title, no_wrap=True, min_width=max(len(row["name"]) for row in rows) if title == "recipe" else None)
    table.add_column("what")
    for row in rows:
        paper = row["paper"].rpartition(" ")[2].removeprefix("arXiv:")
        table.add_row(row["name"], paper, row["data"], f"{row['parameters']:,}", f"{row['minutes']:g}", row["about"])
    console = Console()
    console.print(table)
    footer = "\npapers by arXiv number; minutes on the 2-core reference machine; start one with: ganvas train NAME"
    console.print(footer, soft_wrap=True)
