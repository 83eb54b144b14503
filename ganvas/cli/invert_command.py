"""The command `invert`."""

from __future__ import annotations

import json as json_
from pathlib import Path
from typing import Annotated, Literal

from cyclopts import Parameter

from ganvas.cli.arguments import STOPPED, Label, Running, RunPath, make_teller, parse_labels, report_doubts
from ganvas.errors import UsageError
from ganvas.runtime.exits import interrupted_before
from ganvas.utils.parsing import printable
from ganvas.utils.whole_numbers import Whole


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
    steps: Whole = 40,
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
        A new folder for codes.npz, which other commands take in place of seeds, the picture of each code, and a sheet. Pictures
        of subfolders are in it too: sub/y.png is sub-y. The default is a new name in this folder, NAME-inverted.
    restarts
        Samples that each search starts from; the worse ones are given up again and again.
    steps
        Steps of each search, at most. Ctrl-C keeps the best codes so far, from the first step on.
    seed
        Of the first sample that a search may start from.
    floor
        Also invert samples of the model, and held-out pictures of its data, to show how small the error can be.
    align
        First make pictures with a plain ground as the data were: light on dark or dark on light, the figure as large as there.
    tune
        Then train a copy of the model for so many steps (200 is usual) until the codes give the pictures themselves. The new
        folder is then a model too, for which the codes are; in the folder of `ganvas studio --runs` its pages list it.
    """
    if not inputs:
        raise UsageError("invert: expected a picture, a folder or a zip after the run, found none; name one")
    with interrupted_before("the search"):
        from ganvas.editing.invert_files import invert_files
        from ganvas.inference.model import load

        model = load(run, running.device)
    found = invert_files(
        model,
        inputs,
        out,
        label=parse_labels(label),
        floor=floor,
        align=align,
        tune=tune,
        tell=make_teller(running),
        where=where,
        restarts=restarts,
        steps=steps,
        seed=seed,
    )
    doubts = [STOPPED] * found.stopped
    if tune and not found.untuned:
        doubts.append("stopped before the tuning: the folder has codes and no model")
    report_doubts(doubts, found.skipped, quiet=running.quiet)
    if running.json:
        print(json_.dumps(found.to_dict()))
    elif not running.quiet:
        labels = found.classes or ("",) * len(found.names)
        files = found.files or tuple(Path(name).stem for name in found.names)
        for i, (name, error) in enumerate(zip(found.names, found.errors, strict=True)):
            before = f", {found.untuned[i]:.1f} before tuning" if found.untuned else ""
            words = f", as {labels[i]}" * bool(labels[i]) + f" ({found.aligned[i]})" * bool(found.aligned[i])
            made = f" ({printable(files[i])}.png)" * (files[i] != Path(name).stem)
            print(f"{printable(name)}{made}: {error:.1f} of 255 levels{before}{words}")
        if found.own is not None:
            other = "" if found.held_out is None else f"; held-out pictures of its data: {found.held_out:.1f}"
            print(f"to compare, samples of the model itself: {found.own:.1f}{other}")
        if found.far:
            hint = "" if found.untuned else "; --tune 200 trains a copy that can"
            names = printable(", ".join(found.far[:3])) + ", ..." * (len(found.far) > 3)
            print(f"{names}: far above that: the model can only make what is like the pictures it was trained on{hint}")
        print(printable(found.out))
