"""The commands of a model's latent space: `interpolate`, `traverse`, `plane`, `arithmetic` and `map`."""

from __future__ import annotations

import json as json_
from typing import TYPE_CHECKING, Annotated, Literal

from cyclopts import Parameter

from ganvas.cli.arguments import (
    Label,
    Reporting,
    RunPath,
    Writing,
    parse_labels,
    parse_places,
    parse_terms,
    report_path,
)
from ganvas.utils.parsing import parse_numbers, printable
from ganvas.utils.real_numbers import Real
from ganvas.utils.whole_numbers import Whole

if TYPE_CHECKING:
    from ganvas.editing.traversal import Traversal

Where = Annotated[
    Literal["z", "w"] | None,
    Parameter(name="--in", help="The latent space: noise z or styles w; the default is w if the model has it."),
]
Judge = Annotated[
    str | None, Parameter(help="For class:... in a model without classes: digits, clothes, or a classifier's run.")
]
Seeds = Parameter(name=["--seeds", "--latents"])  # the second name as of commands that take codes only, such as sample
Span = Annotated[Real, Parameter(name="--range", help="How far to each side, in standard deviations of the model's own codes.")]


def interpolate(
    run: RunPath,
    *,
    seeds: Annotated[str, Seeds] = "1,5,9",
    frames: Whole = 60,
    label: Annotated[
        Label, Parameter(help="One class for the whole film, or several to interpolate between, e.g. 3,8.")
    ] = None,
    straight: Annotated[bool, Parameter(negative="")] = False,
    where: Annotated[Literal["z", "w"] | None, Parameter(name="--in")] = None,
    to: Writing = Writing(),
) -> None:
    """Interpolate between seeds and back, as a film loop: .gif, .apng or .mp4 (pip install 'ganvas[video]').

    Parameters
    ----------
    seeds
        The samples to interpolate between, e.g. 1,5,9 or 0-7; or codes.npz of `ganvas invert`. One will do for several classes.
    frames
        Number of frames of the film.
    straight
        Use straight lines in z instead of arcs. Lines leave the sphere near which z lies.
    where
        z, or the styles w of a stylegan model, with straight lines. The default is z, and w for codes that are styles.
    """
    from ganvas.core.modality import TEXT
    from ganvas.inference.model import load

    model = load(run, to.device)
    out = to.path("walk.txt" if model.modality is TEXT else "walk.gif")
    model.interpolate(out, parse_places(seeds, model), frames, label=parse_labels(label), straight=straight, where=where)
    report_path(out, to)


def traverse(
    run: RunPath,
    *,
    axis: str | None = None,
    direction: str | None = None,
    seeds: Annotated[str, Seeds] = "0-3",
    span: Span = 3.0,
    steps: Whole = 7,
    frames: Whole = 60,
    label: Label = None,
    where: Where = None,
    layers: str | None = None,
    judge: Judge = None,
    name: str | None = None,
    to: Writing = Writing(),
) -> None:
    """Move samples along directions of the latent space: a sheet (.png) or a film (.gif, .apng, .mp4).

    Parameters
    ----------
    axis
        Coordinates of z, e.g. 3 or 0-7; short for --direction axis:3 --in z.
    direction
        sefa:0 (largest effect on the first layers), pca:0 (largest variance of w), class:7-1 (from 1 to 7), axis:3;
        several as sefa:0-4 or pca:0,class:7-1; or a name that was given with --name.
    seeds
        The samples that move, e.g. 0-7: a row for each direction and seed; or codes.npz of `ganvas invert`.
    steps
        Images in a row of a sheet; the middle one of an odd number is the seed itself.
    frames
        Number of frames of a film, which moves forth and back once.
    layers
        Of a stylegan model: which layers move, e.g. 0-3 for the coarse ones; the default is all.
    name
        Give the direction this name, e.g. slant: it is kept beside the model, for --direction slant.
    """
    from ganvas.editing import direction_names, traversal
    from ganvas.inference.model import load

    names = [f"axis:{i}" for i in parse_numbers(axis, "--axis")] if axis else []
    names += direction.split(",") if direction else []
    model = load(run, to.device)
    names = direction_names.find_named(run, model.identity, names or ["sefa:0"])
    if name is not None:
        direction_names.require_name(name)
        direction_names.require_one(names)
    found = traversal.traverse(
        model,
        to.path("traversal.png"),
        names,
        parse_places(seeds, model),
        span=span,
        steps=steps,
        frames=frames,
        label=parse_labels(label),
        where="z" if axis and where is None else where,
        layers=parse_numbers(layers, "--layers") if layers else None,
        judge=judge,
    )
    if name is not None:
        kept = direction_names.keep_name(run, model.identity, name, names[0])
        if not (to.quiet or to.json):
            print(f"{name} is {names[0]} (kept in {printable(kept)})")
    report_traversal(found, to)


def plane(
    run: RunPath,
    *,
    seeds: Annotated[str | None, Seeds] = None,
    side: Annotated[Whole, Parameter(name=["-n", "--side"])] = 12,
    direction: str | None = None,
    span: Span = 3.0,
    label: Annotated[Label, Parameter(help="The class; the default is the first.")] = None,
    where: Where = None,
    judge: Judge = None,
    to: Writing = Writing(),
) -> None:
    """Save a plane of the latent space: the square between three seeds, or around one seed along two directions.

    Parameters
    ----------
    seeds
        Three, at the top left, the top right and the bottom left (1,5,9); with --direction the one in the middle (0); or
        codes.npz of `ganvas invert`.
    side
        Images in a row and in a column.
    direction
        Two, as of `ganvas traverse`: to the right and down, e.g. sefa:0-1.
    """
    from ganvas.editing import direction_names, traversal
    from ganvas.inference.model import load

    model = load(run, to.device)
    names = direction_names.find_named(run, model.identity, direction.split(",") if direction else [])
    chosen = parse_places(seeds or ("0" if names else "1,5,9"), model)
    found = traversal.plane(
        model,
        to.path("plane.png"),
        chosen,
        side,
        names=names,
        span=span,
        label=parse_labels(label),
        where=where,
        judge=judge,
    )
    report_traversal(found, to)


def arithmetic(
    run: RunPath,
    expression: str,
    *,
    where: Where = None,
    to: Writing = Writing(),
) -> None:
    """Add and subtract means of latents: a sheet with a row for each term, and the result below.

    Parameters
    ----------
    expression
        Terms with a sign between spaces: "1,2,3 - 4,5,6 + 7,8,9". Each is the mean of its seeds; of a model with classes
        also CLASS:SEEDS, as in "7:1-3 - 1:1-3 + 0:4-6". In place of seeds codes.npz of `ganvas invert`, or codes.npz#NAME.
    """
    from ganvas.editing import latent_arithmetic
    from ganvas.inference.model import load

    model = load(run, to.device)
    terms = [latent_arithmetic.Term(seeds, sign, label) for sign, label, seeds in parse_terms(expression, model)]
    report_traversal(latent_arithmetic.arithmetic(model, to.path("arithmetic.png"), terms, where=where), to)


def latent_map(
    run: RunPath,
    *,
    data: str | None = None,
    side: Whole | None = None,
    to: Writing = Writing(),
) -> None:
    """Save a map of a two-dimensional latent space, and the codes of the test images in it.

    Parameters
    ----------
    data
        Images to use instead of the model's own data.
    side
        Images in a row of the map.
    """
    from ganvas.editing import latent_map as maps

    out = to.path("map.png")
    report_path(maps.latent_map(run, out, data=data, side=side, device=to.device), to)


def report_traversal(found: Traversal, reporting: Reporting) -> None:
    """Print the directions and the path of what was saved."""
    if reporting.json:
        print(json_.dumps(found.to_dict()))
    elif not reporting.quiet:
        for direction in found.directions:
            print(direction)
        print(found.out)
