"""The commands of a model's latent space: `interpolate`, `traverse`, `plane`, `arithmetic`, `invert` and `map`."""

from __future__ import annotations

import json as json_
from typing import TYPE_CHECKING, Annotated, Literal

from cyclopts import Parameter

from ganvas.cli.arguments import (
    Label,
    Reporting,
    Running,
    RunPath,
    Writing,
    make_teller,
    parse_labels,
    parse_places,
    parse_terms,
    report_doubts,
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
Span = Annotated[Real, Parameter(name="--range", help="How far to each side, in standard deviations of the model's own codes.")]


def interpolate(
    run: RunPath,
    *,
    seeds: str = "1,5,9",
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
    seeds: str = "0-3",
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
    seeds: str | None = None,
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


def invert(
    run: RunPath,
    *inputs: str,
    out: str | None = None,
    label: Annotated[Label, Parameter(help="The class, or several that are tried; the default is all.")] = None,
    where: Annotated[
        Literal["z", "w", "w+"] | None,
        Parameter(name="--in", help="Noise z, styles w (the default if the model has them), or w+: a w for each layer."),
    ] = None,
    restarts: Whole = 16,
    steps: Whole = 50,
    seed: Whole = 0,
    floor: bool = True,
    align: bool = True,
    tune: Whole = 0,
    running: Running = Running(),
) -> None:
    """Find the codes of pictures: the places in the latent space where the model makes what is nearest to them.

    Parameters
    ----------
    inputs
        Pictures, folders and zips of them. Each is made square and small as the training data were.
    out
        A new folder for codes.npz, which other commands take in place of seeds, the picture of each code, and a sheet. The
        default is a new name in this folder, NAME-inverted.
    restarts
        Samples that each search starts from; the worse ones are given up again and again.
    steps
        Steps of each search, at most. Ctrl-C keeps the best codes so far.
    seed
        Of the first sample that a search may start from.
    floor
        Also invert samples of the model, and held-out pictures of its data, to show how small the error can be.
    align
        First make pictures with a plain ground as the data were: light on dark or dark on light, the figure as large as there.
    tune
        Then train a copy of the model for so many steps (200 is usual) until the codes give the pictures themselves. The new
        folder is then a model too, for which the codes are.
    """
    from ganvas.editing.invert_files import invert_files
    from ganvas.errors import UsageError
    from ganvas.inference.model import load

    if not inputs:
        raise UsageError("invert: expected a picture, a folder or a zip after the run, found none; name one")
    tell = make_teller(running)

    def report(done: int, total: int) -> None:
        if done < total:
            tell(f"{done:,} of {total:,} pictures")

    model = load(run, running.device)
    found = invert_files(
        model,
        inputs,
        out,
        label=parse_labels(label),
        floor=floor,
        align=align,
        tune=tune,
        progress=report,
        where=where,
        restarts=restarts,
        steps=steps,
        seed=seed,
    )
    report_doubts(
        ["stopped before the tuning: the folder has codes and no model"] * bool(tune and not found.untuned), found.skipped
    )
    if running.json:
        print(json_.dumps(found.to_dict()))
    elif not running.quiet:
        labels = found.classes or ("",) * len(found.names)
        for i, (name, error) in enumerate(zip(found.names, found.errors, strict=True)):
            before = f", {found.untuned[i]:.1f} before tuning" if found.untuned else ""
            words = f", as {labels[i]}" * bool(labels[i]) + f" ({found.aligned[i]})" * bool(found.aligned[i])
            print(f"{printable(name)}: {error:.1f} of 255 levels{before}{words}")
        if found.own is not None:
            other = "" if found.held_out is None else f"; held-out pictures of its data: {found.held_out:.1f}"
            print(f"to compare, samples of the model itself: {found.own:.1f}{other}")
        print(printable(found.out))


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
