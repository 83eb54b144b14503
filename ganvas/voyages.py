"""The verbs of the command line that move through a model's space. Thin: parse, call the library, print."""

from __future__ import annotations

import json as json_
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

from cyclopts import Parameter

from ganvas.verbs import Quiet, saved
from ganvas.words import Whole, labels, numbers, terms

if TYPE_CHECKING:
    from ganvas.journeys import Journey

Label = Annotated[str | None, Parameter(name=["--label", "--labels"])]
Where = Annotated[Literal["z", "w"] | None, Parameter(name="--in")]


def interpolate(
    run: Path,
    *,
    seeds: str = "1,5,9",
    frames: Whole = 60,
    label: Label = None,
    straight: Annotated[bool, Parameter(negative="")] = False,
    where: Annotated[Literal["z", "w"], Parameter(name="--in")] = "z",
    out: Path = Path("walk.gif"),
    quiet: Quiet = False,
    json: Quiet = False,
) -> None:
    """Walk from picture to picture and back, as a seamless film: .gif, .apng or .mp4 (pip install 'ganvas[video]').

    Parameters
    ----------
    run
        A run folder or a bundle.
    seeds
        The pictures to walk through, e.g. 1,5,9 or 0-7.
    label
        A class to stay in, or several to morph between, e.g. 3,8.
    straight
        Through z along lines, which leave the sphere where noise lies, instead of arcs.
    where
        z, or the styles w of a stylegan model, where the walk is straight.
    """
    from ganvas.model import load

    load(run).interpolate(out, numbers(seeds), frames, label=labels(label), straight=straight, where=where)
    saved(out, quiet, json)


def traverse(
    run: Path,
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
    judge: str | None = None,
    out: Path = Path("traversal.png"),
    quiet: Quiet = False,
    json: Quiet = False,
) -> None:
    """Move pictures along directions of the space: a sheet (.png) or a film (.gif, .apng, .mp4).

    Parameters
    ----------
    run
        A run folder or a bundle.
    axis
        Coordinates of z, e.g. 3 or 0-7; short for --direction axis:3 --in z.
    direction
        sefa:0 (what the weights answer to most), pca:0 (how w varies most), class:7-1 (towards 7, away from 1), axis:3;
        several as sefa:0-4 or pca:0,class:7-1.
    seeds
        The pictures that move, e.g. 0-7: a row for each direction and seed.
    span
        How far to each side, in standard deviations of the model's own codes.
    steps
        Pictures in a row of a sheet; the middle one of an odd number is the seed itself.
    frames
        Of a film, which swings to and fro once.
    label
        A class by number or name, several as 3,7, or all: each in turn.
    where
        The noise z or the styles w; the default is w where there is one.
    layers
        Of a stylegan model: which layers move, e.g. 0-3 for the coarse ones; the default is all.
    judge
        For class:... in a model without classes: digits, clothes, or a classifier's run.
    """
    from ganvas import journeys
    from ganvas.model import load

    names = [f"axis:{i}" for i in numbers(axis)] if axis else []
    names += direction.split(",") if direction else []
    journey = journeys.traverse(
        load(run),
        out,
        names or ["sefa:0"],
        numbers(seeds),
        span=span,
        steps=steps,
        frames=frames,
        label=labels(label),
        where="z" if axis and where is None else where,
        layers=numbers(layers) if layers else None,
        judge=judge,
    )
    _told(journey, quiet, json)


def plane(
    run: Path,
    *,
    seeds: str | None = None,
    side: Annotated[Whole, Parameter(name=["-n", "--side"])] = 12,
    direction: str | None = None,
    span: Annotated[float, Parameter(name="--range")] = 3.0,
    label: Label = None,
    where: Where = None,
    judge: str | None = None,
    out: Path = Path("plane.png"),
    quiet: Quiet = False,
    json: Quiet = False,
) -> None:
    """Draw a plane of the space: the square between three pictures, or round one along two directions.

    Parameters
    ----------
    run
        A run folder or a bundle.
    seeds
        Three, at the top left, the top right and the bottom left (1,5,9); with --direction the one in the middle (0).
    side
        Pictures in a row and in a column.
    direction
        Two, as of `ganvas traverse`: to the right and down, e.g. sefa:0-1.
    span
        How far to each side along directions, in standard deviations of the model's own codes.
    label
        The class; the default is the first.
    where
        The noise z or the styles w; the default is w where there is one.
    judge
        For class:... in a model without classes: digits, clothes, or a classifier's run.
    """
    from ganvas import journeys
    from ganvas.model import load

    names = direction.split(",") if direction else []
    chosen = numbers(seeds or ("0" if names else "1,5,9"))
    journey = journeys.plane(
        load(run), out, chosen, side, names=names, span=span, label=labels(label), where=where, judge=judge
    )
    _told(journey, quiet, json)


def arithmetic(
    run: Path,
    expression: str,
    *,
    where: Where = None,
    out: Path = Path("arithmetic.png"),
    quiet: Quiet = False,
    json: Quiet = False,
) -> None:
    """Add and take away what pictures have in common: a sheet with a row for each term, and the result below.

    Parameters
    ----------
    run
        A run folder or a bundle.
    expression
        Terms with a sign between spaces: "1,2,3 - 4,5,6 + 7,8,9". Each is the mean of its seeds; of a model with classes
        also CLASS:SEEDS, as in "7:1-3 - 1:1-3 + 0:4-6".
    where
        The noise z or the styles w; the default is w where there is one.
    """
    from ganvas import journeys
    from ganvas.model import load

    chosen = [journeys.Term(seeds, sign, label) for sign, label, seeds in terms(expression)]
    _told(journeys.arithmetic(load(run), out, chosen, where=where), quiet, json)


def neighbours(
    run: Path,
    *,
    count: Annotated[Whole, Parameter(name=["-n", "--count"])] = 8,
    k: Annotated[Whole, Parameter(name="-k")] = 4,
    within: Annotated[str, Parameter(name="--in")] = "pixels",
    seed: Whole = 0,
    label: Label = None,
    psi: float = 1.0,
    truncate: float | None = None,
    data: str | None = None,
    out: Path = Path("neighbours.png"),
    quiet: Quiet = False,
    json: Quiet = False,
) -> None:
    """Draw samples, each beside its nearest training pictures: is it a copy?

    Parameters
    ----------
    run
        A run folder or a bundle.
    count
        How many samples; sample i has seed SEED + i.
    k
        How many neighbours of each.
    within
        pixels, or an extractor whose features are compared: digits, clothes, photos, inception, a classifier's run.
    label
        A class by number or name, several as 3,7, or all: each in turn.
    psi
        Truncation of the styles of a stylegan model.
    truncate
        Truncation of the noise of any other.
    data
        Other pictures than those it was trained on.
    """
    from ganvas import kin
    from ganvas.model import load

    chosen = labels(label)
    found = kin.neighbours(
        load(run), out, count, k, within=within, seed=seed, label=chosen, psi=psi, truncate=truncate, data=data
    )
    if json:
        print(json_.dumps(found.to_dict()))
    elif not quiet:
        print(f"{found.text()}\n{out}")


def _told(journey: Journey, quiet: bool, as_json: bool) -> None:
    if as_json:
        print(json_.dumps(journey.to_dict()))
    elif not quiet:
        for way in journey.directions:
            print(way)
        print(journey.out)
