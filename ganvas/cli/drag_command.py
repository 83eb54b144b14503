"""The command `drag`."""

from __future__ import annotations

import json as json_
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

from cyclopts import Parameter

from ganvas.cli.arguments import Label, RunPath, Writing, parse_labels, report_doubts
from ganvas.errors import UsageError
from ganvas.runtime.exits import interrupted_before
from ganvas.utils.parsing import printable, spell_count
from ganvas.utils.whole_numbers import Whole

if TYPE_CHECKING:
    from ganvas.editing.drag import Point


def drag(
    run: RunPath,
    *,
    seed: Whole | None = None,
    latents: Annotated[
        str | None, Parameter(help="In place of a seed: codes.npz of `ganvas invert`, with one code for this model.")
    ] = None,
    start: Annotated[
        list[str],
        Parameter(
            name="--from",
            allow_leading_hyphen=True,
            negative="",
            help="A handle X,Y in pixels of the picture: X from the left, Y from the top; 0,0 is the first pixel (repeatable).",
        ),
    ],
    target: Annotated[
        list[str],
        Parameter(
            name="--to",
            allow_leading_hyphen=True,
            negative="",
            help="Where the handle is to go, X,Y; one for each --from, in its order.",
        ),
    ],
    mask: Path | None = None,
    steps: Whole = 300,
    label: Annotated[Label, Parameter(help="The class of the seed; the default is the first.")] = None,
    to: Writing = Writing(),
) -> None:
    """Drag points of a sample of a stylegan model to where you want them; the model draws the rest so that it fits.

    --out NAME.png or .jpg is the picture, .gif, .apng or .mp4 the film. Without an ending it is a new folder for both, and for
    codes.npz.

    Parameters
    ----------
    seed
        The sample; the default is 0.
    mask
        A square picture: what is white may move, what is black stays (grey: by the middle). The default is all white.
    steps
        At most so many. Ctrl-C keeps what was reached.
    """
    if seed is not None and latents is not None:
        raise UsageError("drag: expected --seed or --latents, got both; leave one out")
    handles, targets = parse_points(start), parse_points(target)
    with interrupted_before("the drag"):
        from ganvas.editing.drag import REASONS
        from ganvas.editing.drag_files import drag_file
        from ganvas.inference.model import load

        model = load(run, to.device)
    place = model.load_codes(latents) if latents is not None else seed or 0
    out = to.path("dragged.png")
    found = drag_file(model, place, handles, targets, out, mask, label=parse_labels(label), steps=steps)
    report_doubts(found.notes, [])
    if to.json:
        print(json_.dumps(found.to_dict()))
    elif not to.quiet:
        ends = zip(start, target, found.drag.distances, found.drag.seen_distances, strict=True)
        for handle, goal, distance, seen in ends:
            ended = f"ended {distance:.1f} px from it by its features, {seen:.1f} by its pixels"
            print(f"{printable(handle)} to {printable(goal)}: {ended}")
        print(f"{found.drag.reason}, after {spell_count(found.drag.steps, 'steps')}: {REASONS[found.drag.reason]}")
        print(printable(found.out))


def parse_points(texts: list[str]) -> list[Point]:
    """X,Y -> a point, each. Raises: UsageError: not two numbers."""
    found = []
    for text in texts:
        try:
            x, y = map(float, text.split(","))
        except ValueError:
            raise UsageError(f"expected a point X,Y in pixels such as 20,31, got {printable(text, 100)!r}") from None
        found.append((x, y))
    return found
