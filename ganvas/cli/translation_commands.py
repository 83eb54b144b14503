"""The commands of a model that makes pictures from pictures: `translate`, `inpaint` and `paint`."""

from __future__ import annotations

import json as json_
import sys
from pathlib import Path
from typing import Annotated, Any

from cyclopts import Parameter

from ganvas.cli.arguments import (
    STOPPED,
    Label,
    Running,
    RunPath,
    make_teller,
    parse_labels,
    report_doubts,
    report_path,
    spell_options,
)
from ganvas.utils.parsing import printable, spell_count
from ganvas.utils.real_numbers import Real
from ganvas.utils.whole_numbers import Whole

MOST_LISTED = 100  # files that are listed
LABEL = "Of a model with classes that samples: the class, or several that are tried; the default is all."


def translate(
    run: RunPath,
    *inputs: str,
    to: str | None = None,
    out: str | None = None,
    strength: Real = 1.0,
    back: Annotated[bool, Parameter(negative="")] = False,
    tileable: Annotated[bool, Parameter(negative="")] = False,
    tile: Whole = 1_024,
    seed: Whole = 0,
    running: Running = Running(),
) -> None:
    """Translate, filter or enlarge pictures, folders, zips, GIFs and films with a model; each keeps its size.

    Parameters
    ----------
    inputs
        Pictures, animations, films, folders and zips of them.
    to
        The name of the output, e.g. shaded; only needed if the model has several directions.
    out
        A file for one picture (.png, .jpg, .webp, .gif; films .mp4, .mov, .mkv, short ones .gif, .webp, .png), a new folder
        for several; DIR/ makes a new folder for one picture too. The default is a new name in this folder, NAME-TO.png.
    strength
        From 0 to 1: how much of the change is made; of an enlargement how much detail is made up.
    back
        Also save the way back beside each picture, animation and film, as NAME-back.
    tileable
        Of pictures whose opposite sides join, such as textures: they still join. Not for films and animations.
    tile
        Pixels of the side of the parts that a large picture is computed in; smaller ones need less memory.
    seed
        Of the noise, for models that take noise.
    """
    from ganvas.errors import UsageError
    from ganvas.inference.model import load
    from ganvas.inference.translate_files import translate_files

    if not inputs:
        raise UsageError("translate: expected a picture, a folder or a zip after the run, found none; name one")
    tell = make_teller(running)

    def report(what: str, done: int, total: int) -> None:
        tell(f"{done:,} of {total:,} {what}" if total else f"{done:,} {what}")

    model = load(run, running.device)
    options: dict[str, Any] = {"to": to, "strength": strength, "seed": seed, "tile": tile, "back": back, "tileable": tileable}
    with spell_options(strength="--strength", seed="--seed", tile="--tile", tileable="--tileable"):
        found = translate_files(model, inputs, out, **options, progress=report)
    skipped = [(each.name, each.reason) for each in found.skipped[:MOST_LISTED]]
    report_doubts(found.notes[:MOST_LISTED], skipped, quiet=running.quiet)
    if len(found.skipped) > MOST_LISTED:
        print(f"skipped {len(found.skipped) - MOST_LISTED:,} more; --json lists them all", file=sys.stderr)
    if running.json:
        print(json_.dumps(found.to_dict()))
    elif not running.quiet:
        if found.out.is_dir():
            print(f"{printable(found.out)} ({printable(found.about)}, {spell_count(len(found.written), 'files')})")
            return
        for path, about in zip(found.written, (found.about, "the way back"), strict=False):
            print(f"{printable(path)} ({printable(about)})")


def inpaint(
    run: RunPath,
    picture: str,
    *,
    mask: str,
    out: str | None = None,
    preview: str | None = None,
    label: Annotated[Label, Parameter(help=LABEL)] = None,
    seed: Whole = 0,
    running: Running = Running(),
) -> None:
    """Fill what is white in a mask: with a model of an inpaint-... recipe, or with any that samples pictures, by inversion.

    Parameters
    ----------
    picture
        A picture of any size.
    mask
        A picture of the same size: white is filled, black is kept; greys count as the nearer of the two.
    out
        A file (.png, .jpg, .webp), an existing folder, or a new one as DIR/. The default is a new name in this folder. In a
        .png all pixels outside the hole keep their bits.
    preview
        Also write this .png: the picture with the hole marked.
    seed
        Of the noise, or of the samples that a search starts from.
    """
    from ganvas.editing.inpaint_files import inpaint_file
    from ganvas.inference.model import load

    model = load(run, running.device)
    with spell_options(seed="--seed"):
        found = inpaint_file(model, picture, mask, out, preview=preview, label=parse_labels(label), seed=seed)
    report_doubts([*found.notes, *[STOPPED] * found.stopped], [], quiet=running.quiet)
    if running.json:
        print(json_.dumps(found.to_dict()))
    elif not running.quiet:
        error = "" if found.error is None else f", outside the hole off by {found.error:.1f} of 255"
        print(f"{printable(found.out)} ({found.about}{error})")


def paint(
    run: RunPath,
    drawn: Annotated[Path, Parameter(name="map", help="One label map: a .png with the colors or the numbers of the classes.")],
    *,
    seed: Whole = 0,
    count: Annotated[Whole, Parameter(name=["-n", "--count"])] = 1,
    side: Whole | None = None,
    out: str | None = None,
    running: Running = Running(),
) -> None:
    """Paint a picture for a drawn label map with a spade model; the seed chooses which of the many that fit.

    Parameters
    ----------
    seed
        Of the first picture; other seeds give other pictures of the same map.
    count
        How many pictures: one is a file, several are a folder.
    side
        Pixels of the longer side; the default is twice the side of the training, at most 1,024.
    out
        A file (.png, .jpg, .webp), an existing folder, or a new one as DIR/; for several pictures a new folder. The default is
        a new name in this folder.
    """
    from ganvas.inference.model import load
    from ganvas.inference.paint_files import paint_file

    model = load(run, running.device)
    with spell_options(seed="--seed", count="-n", side="--side"):
        written = paint_file(model, drawn, out, seed=seed, count=count, side=side)
    report_path(written[0] if count == 1 else written[0].parent, running)
