"""The verbs of the command line that move through a model's space. Thin: parse, call the library, print."""

from __future__ import annotations

import json as json_
from typing import TYPE_CHECKING, Annotated, Literal

from cyclopts import Parameter

from ganvas.cli.arguments import Label, Running, RunPath, Sampling, Writing, parse_labels, parse_numbers, parse_terms
from ganvas.cli.model_commands import report_path
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


def interpolate(
    run: RunPath,
    *,
    seeds: str = "1,5,9",
    frames: Whole = 60,
    label: Annotated[
        Label, Parameter(help="One class for the whole film, or several to interpolate between, e.g. 3,8.")
    ] = None,
    straight: Annotated[bool, Parameter(negative="")] = False,
    where: Annotated[Literal["z", "w"], Parameter(name="--in")] = "z",
    to: Writing = Writing(),
) -> None:
    """Interpolate between seeds and back, as a film loop: .gif, .apng or .mp4 (pip install 'ganvas[video]').

    Parameters
    ----------
    seeds
        The pictures to walk through, e.g. 1,5,9 or 0-7.
    straight
        Use straight lines in z instead of arcs. Lines leave the sphere near which z lies.
    where
        z, or the styles w of a stylegan model, where the walk is straight.
    """
    from ganvas.inference.model import load

    model = load(run, to.device)
    out = to.path("walk.txt" if model.writes else "walk.gif")
    model.interpolate(out, parse_numbers(seeds), frames, label=parse_labels(label), straight=straight, where=where)
    report_path(out, to.quiet, to.json)


def traverse(
    run: RunPath,
    *,
    axis: str | None = None,
    direction: str | None = None,
    seeds: str = "0-3",
    span: Annotated[float, Parameter(name="--range")] = 3.0,
    steps: Whole = 7,
    frames: Whole = 60,
    label: Label = None,
    where: Where = None,
    layers: str | None = None,
    judge: Judge = None,
    to: Writing = Writing(),
) -> None:
    """Move pictures along directions of the space: a sheet (.png) or a film (.gif, .apng, .mp4).

    Parameters
    ----------
    axis
        Coordinates of z, e.g. 3 or 0-7; short for --direction axis:3 --in z.
    direction
        sefa:0 (largest effect on the first layers), pca:0 (largest variance of w), class:7-1 (from 1 to 7), axis:3;
        several as sefa:0-4 or pca:0,class:7-1.
    seeds
        The pictures that move, e.g. 0-7: a row for each direction and seed.
    span
        How far to each side, in standard deviations of the model's own codes.
    steps
        Pictures in a row of a sheet; the middle one of an odd number is the seed itself.
    frames
        Number of frames of a film, which moves forth and back once.
    layers
        Of a stylegan model: which layers move, e.g. 0-3 for the coarse ones; the default is all.
    """
    from ganvas.editing import traversal
    from ganvas.inference.model import load

    names = [f"axis:{i}" for i in parse_numbers(axis)] if axis else []
    names += direction.split(",") if direction else []
    journey = traversal.traverse(
        load(run, to.device),
        to.path("traversal.png"),
        names or ["sefa:0"],
        parse_numbers(seeds),
        span=span,
        steps=steps,
        frames=frames,
        label=parse_labels(label),
        where="z" if axis and where is None else where,
        layers=parse_numbers(layers) if layers else None,
        judge=judge,
    )
    report_traversal(journey, to)


def plane(
    run: RunPath,
    *,
    seeds: str | None = None,
    side: Annotated[Whole, Parameter(name=["-n", "--side"])] = 12,
    direction: str | None = None,
    span: Annotated[float, Parameter(name="--range")] = 3.0,
    label: Annotated[Label, Parameter(help="The class; the default is the first.")] = None,
    where: Where = None,
    judge: Judge = None,
    to: Writing = Writing(),
) -> None:
    """Save a plane of the latent space: the square between three seeds, or around one seed along two directions.

    Parameters
    ----------
    seeds
        Three, at the top left, the top right and the bottom left (1,5,9); with --direction the one in the middle (0).
    side
        Pictures in a row and in a column.
    direction
        Two, as of `ganvas traverse`: to the right and down, e.g. sefa:0-1.
    span
        How far to each side along directions, in standard deviations of the model's own codes.
    """
    from ganvas.editing import traversal
    from ganvas.inference.model import load

    names = direction.split(",") if direction else []
    chosen = parse_numbers(seeds or ("0" if names else "1,5,9"))
    model, out = load(run, to.device), to.path("plane.png")
    journey = traversal.plane(model, out, chosen, side, names=names, span=span, label=parse_labels(label), where=where, judge=judge)
    report_traversal(journey, to)


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
        also CLASS:SEEDS, as in "7:1-3 - 1:1-3 + 0:4-6".
    """
    from ganvas.editing import arithmetic as editing_arithmetic
    from ganvas.editing.arithmetic import Term
    from ganvas.inference.model import load

    chosen = [Term(seeds, sign, label) for sign, label, seeds in parse_terms(expression)]
    out = to.path("arithmetic.png")
    report_traversal(editing_arithmetic.arithmetic(load(run, to.device), out, chosen, where=where), to)


def neighbours(
    run: RunPath,
    *,
    count: Annotated[Whole, Parameter(name=["-n", "--count"])] = 8,
    k: Annotated[Whole, Parameter(name="-k")] = 4,
    within: Annotated[str, Parameter(name="--in")] = "pixels",
    sampling: Sampling = Sampling(),
    data: str | None = None,
    to: Writing = Writing(),
) -> None:
    """Save samples beside their nearest training images, to look for copies.

    Parameters
    ----------
    count
        How many samples.
    k
        How many neighbours of each.
    within
        pixels, or an extractor whose features are compared: digits, clothes, photos, inception, a classifier's run.
    data
        Other pictures than those it was trained on.
    """
    from ganvas.evaluation import training_neighbours
    from ganvas.inference.model import load

    out = to.path("neighbours.png")
    found = training_neighbours.neighbours(load(run, to.device), out, count, k, within=within, data=data, **sampling.options())
    if to.json:
        print(json_.dumps(found.to_dict()))
    elif not to.quiet:
        print(f"{found.text()}\n{out}")


def report_traversal(journey: Traversal, running: Running) -> None:
    if running.json:
        print(json_.dumps(journey.to_dict()))
    elif not running.quiet:
        for way in journey.directions:
            print(way)
        print(journey.out)
