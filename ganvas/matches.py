"""The verbs that play several games and put them side by side. Thin: parse, call the library, print."""

from __future__ import annotations

import json as json_
from pathlib import Path
from typing import Annotated, Literal

from cyclopts import Parameter

from ganvas.verbs import HOW, Quiet
from ganvas.words import Whole


def compare(
    targets: list[str],
    *,
    out: Path = Path("comparison"),
    data: str | None = None,
    images: Whole | None = None,
    metrics: str | None = None,
    samples: Whole = 10_000,
    seed: Whole = 0,
    split: Literal["train", "test"] | None = None,
    quiet: Quiet = False,
    json: Quiet = False,
) -> int:
    """Put models beside each other: what they draw from the same noise, and how near that is to the data.

    Parameters
    ----------
    targets
        Two or more: run folders, bundles, or names of recipes, which are trained first (the same command continues them).
    out
        The folder for sheet.png, comparison.json and the runs that are trained.
    data
        For the recipes, instead of their own; and what all are measured against.
    images
        How many images are shown to each recipe.
    metrics
        Some of those of `ganvas eval`; the default suits the data (pictures: fd,recall,sharpness, or swd without extractor).
    samples
        Of each side.
    seed
        Of the first sample.
    split
        Of the reference; the default is test where there is one.
    """
    from ganvas import contest
    from ganvas.ranks import connect
    from ganvas.resolve import resolve
    from ganvas.run import start
    from ganvas.watch import play

    found = []
    for target in targets:
        if Path(target).exists():
            found.append(Path(target))
            continue
        run = start(resolve(target, data=data, images=images), out=out / target, ranks="auto")
        code = play(run, connect(), quiet, json)
        if not run.finished:
            return code
        found.append(run.folder)
    chosen = metrics.split(",") if metrics else None
    comparison = contest.compare(found, out, against=data, metrics=chosen, samples=samples, seed=seed, split=split)
    if json:
        print(json_.dumps(comparison.to_dict()))
    elif not quiet:
        print(comparison.text())
    return 0


def lesson(
    name: str | None = None,
    *,
    images: Whole | None = None,
    seeds: Whole = 1,
    out: Path | None = None,
    ranks: Annotated[str, Parameter(group=HOW)] = "auto",
    quiet: Quiet = False,
    json: Quiet = False,
) -> int:
    """Play one game in several ways and put them beside each other; alone, list the lessons.

    Parameters
    ----------
    name
        Which lesson.
    images
        Shown to each variant, instead of the lesson's own number.
    seeds
        Runs of each variant; the numbers are means, with the interval over seeds.
    out
        The folder for sheet.png, curves.png, lesson.json and the runs, by default lessons/NAME; the same command goes on.
    ranks
        Processes on this machine for each run: a number, or auto for what is fastest.
    """
    from ganvas.curriculum import LESSONS, lesson_named

    if name is None:
        rows = [{"name": each.name, "minutes": each.minutes, "question": each.question} for each in LESSONS.values()]
        width = max(map(len, LESSONS))
        lines = [f"{row['name']:{width}}  {row['minutes']:>3g} min  {row['question']}" for row in rows]
        print(
            json_.dumps(rows) if json else "\n".join([*lines, "", "minutes on two cores; start one with: ganvas lesson NAME"])
        )
        return 0
    chosen, folder = lesson_named(name), out or Path("lessons") / name
    from ganvas import lessons
    from ganvas.ranks import connect
    from ganvas.watch import play

    for _, run in lessons.runs(chosen, folder, images=images, seeds=seeds, ranks=ranks):
        code = 0 if run.finished else play(run, connect(), quiet, json)
        if not run.finished:
            return code
    found = lessons.lesson(name, folder, images=images, seeds=seeds, ranks=ranks)
    if json:
        print(json_.dumps(found.to_dict()))
    elif not quiet:
        print(found.text())
    return 0
