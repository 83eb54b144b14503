"""The command `brush`."""

from __future__ import annotations

import json as json_
from pathlib import Path
from typing import Annotated

from cyclopts import Parameter

from ganvas.cli.arguments import STOPPED, Label, RunPath, Writing, parse_labels
from ganvas.errors import UsageError
from ganvas.utils.parsing import printable, spell_count
from ganvas.utils.whole_numbers import Whole

FAR = 0.5  # share of the error that is left, from which this is told


def brush(
    run: RunPath,
    *,
    strokes: Path,
    seed: Whole | None = None,
    latents: Annotated[
        str | None, Parameter(help="In place of a seed: codes.npz of `ganvas invert` with one code, or codes.npz#NAME.")
    ] = None,
    label: Annotated[Label, Parameter(help="The class of the seed; the default is the first.")] = None,
    to: Writing = Writing(),
) -> None:
    """Paint on a sample: the model makes the nearest picture that it knows. With --out NAME also its code, and a sheet.

    Parameters
    ----------
    strokes
        A square picture that is transparent where nothing is painted; elsewhere its colors are what you want to be there.
    seed
        The sample; the default is 0.
    """
    if seed is not None and latents is not None:
        raise UsageError("brush: expected --seed or --latents, got both; leave one out")
    from ganvas.editing.brush_files import brush_file
    from ganvas.inference.model import load

    model = load(run, to.device)
    place = model.load_codes(latents) if latents is not None else seed or 0
    found = brush_file(model, place, strokes, to.path("brushed.png"), label=parse_labels(label))
    if to.json:
        print(json_.dumps(found.to_dict()))
    elif not to.quiet:
        ended = f"off by {found.after:.1f} of 255 levels, {found.before:.1f} before"
        if found.stopped:
            ended += f"; {STOPPED}"
        elif found.after > FAR * found.before:
            ended += "; the model knows no such picture: paint less of it, or nearer to what is there"
        print(f"{spell_count(found.painted, 'painted pixels')}: {ended}")
        print(printable(found.out))
