"""The verbs that play several games and put them side by side. Thin: parse, call the library, print."""

from __future__ import annotations

import json as json_
import os
from pathlib import Path
from typing import Annotated, Any, Literal

from cyclopts import Parameter

from ganvas.cli.arguments import HOW, METRICS_HELP, Running
from ganvas.errors import DataError, unknown_name
from ganvas.utils.whole_numbers import Whole


def compare(
    targets: list[str],
    *,
    out: Path = Path("comparison"),
    data: str | None = None,
    images: Whole | None = None,
    metrics: Annotated[
        str | None, Parameter(help=f"{METRICS_HELP} The default suits the data: fd,recall,sharpness for most pictures.")
    ] = None,
    samples: Whole = 10_000,
    seed: Whole = 0,
    split: Literal["train", "test"] | None = None,
    running: Running = Running(),
) -> int:
    """Compare models: samples from the same noise, and measures of the distance to the data.

    Parameters
    ----------
    targets
        Two or more: run folders, bundles, or names of recipes, which are trained first (the same command continues them).
    out
        The folder for sheet.png, comparison.json and the runs that are trained.
    data
        Data for the recipes instead of their own; also the reference of all measures.
    images
        How many samples are shown to each recipe: images, points or lines.
    samples
        Of each side.
    seed
        Of the first sample.
    split
        Of the reference; the default is test where there is one.
    """
    from ganvas.cli.terminal import show_training
    from ganvas.evaluation import comparison as evaluation_comparison
    from ganvas.games.recipes import resolve_recipe
    from ganvas.runtime.distributed import connect
    from ganvas.training.run_folder import start

    for target in targets:  # before any of them is trained
        require_target(target)
    found = []
    for target in targets:
        if Path(target).exists():
            found.append(Path(target))
            continue
        recipe = resolve_recipe(target, data=data, images=images)
        run = start(recipe, out=out / target, device=running.device, ranks="auto")
        code = show_training(run, connect(), running.quiet, running.json)
        if not run.finished:
            return code
        found.append(run.folder)
    chosen = metrics.split(",") if metrics else None
    options: dict[str, Any] = {"samples": samples, "seed": seed, "split": split, "device": running.device}
    comparison = evaluation_comparison.compare(found, out, against=data, metrics=chosen, **options)
    if running.json:
        print(json_.dumps(comparison.to_dict()))
    elif not running.quiet:
        print(comparison.text())
    return 0


def require_target(target: str) -> None:
    """Raises: DataError, UsageError: it is neither a run or bundle that is there, nor the name of a recipe."""
    from ganvas.games import RECIPES

    if Path(target).exists() or target in RECIPES:
        return
    if os.sep in target or Path(target).suffix:
        raise DataError(f"{target}: no such run folder or bundle; check the path, or name a recipe of `ganvas recipes`")
    raise unknown_name("run folder, bundle or recipe", target, RECIPES)


def lesson(
    name: str | None = None,
    *,
    images: Whole | None = None,
    seeds: Whole = 1,
    out: Path | None = None,
    ranks: Annotated[str, Parameter(group=HOW)] = "auto",
    running: Running = Running(),
) -> int:
    """Train several variants of one game and compare them; without a name, list the lessons.

    Parameters
    ----------
    name
        Which lesson.
    images
        Training images of each variant, instead of the number of the lesson.
    seeds
        Runs of each variant; the numbers are means, with the interval over seeds.
    out
        The folder for sheet.png, curves.png, lesson.json and the runs, by default lessons/NAME; the same command goes on.
    ranks
        Processes on this machine for each run: a number, or auto for what is fastest.
    """
    from ganvas.experiments.lesson_list import LESSONS, find_lesson

    if name is None:
        rows = [{"name": each.name, "minutes": each.minutes, "question": each.question} for each in LESSONS.values()]
        width = max(map(len, LESSONS))
        lines = [f"{row['name']:{width}}  {row['minutes']:>3g} min  {row['question']}" for row in rows]
        print(
            json_.dumps(rows)
            if running.json
            else "\n".join([*lines, "", "minutes on two cores; start one with: ganvas lesson NAME"])
        )
        return 0
    chosen, folder = find_lesson(name), out or Path("lessons") / name
    from ganvas.cli.terminal import show_training
    from ganvas.experiments import lessons
    from ganvas.runtime.distributed import connect

    options: dict[str, Any] = {"images": images, "seeds": seeds, "ranks": ranks, "device": running.device}
    for _, run in lessons.runs(chosen, folder, **options):
        code = 0 if run.finished else show_training(run, connect(), running.quiet, running.json)
        if not run.finished:
            return code
    found = lessons.lesson(name, folder, **options)
    if running.json:
        print(json_.dumps(found.to_dict()))
    elif not running.quiet:
        print(found.text())
    return 0
