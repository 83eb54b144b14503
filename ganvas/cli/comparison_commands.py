"""The commands for several models: `compare` and `lesson`."""

from __future__ import annotations

import json as json_
import os
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

from cyclopts import Parameter

from ganvas.cli.arguments import HOW, Measuring, Running, tell_doubts
from ganvas.errors import DataError, unknown_name
from ganvas.utils.whole_numbers import Whole

if TYPE_CHECKING:
    from ganvas.config import Recipe


def compare(
    targets: list[str],
    *,
    out: Path = Path("comparison"),
    data: str | None = None,
    images: Whole | None = None,
    measuring: Measuring = Measuring(),
    running: Running = Running(),
) -> int:
    """Compare models: samples of the same noise, and measures against the data.

    Parameters
    ----------
    targets
        Two or more: run folders, bundles, models that come with ganvas, or names of recipes, which are trained first (the same
        command continues them). A name that is both is the model; with --images it is the recipe.
    out
        The folder for sheet.png, comparison.json and the runs that are trained.
    data
        Data for the recipes instead of their own; it is also the reference of all measures.
    images
        Number of training images (or points, lines) of each recipe that is trained.
    """
    from ganvas.cli.terminal import show_training
    from ganvas.evaluation import comparison as evaluation_comparison
    from ganvas.games import GAMES
    from ganvas.inference.model import load
    from ganvas.runtime.distributed import connect
    from ganvas.training.start import start_run

    # Check all targets before the first is trained.
    evaluation_comparison.require_several(targets)
    evaluation_comparison.require_own(out)
    chosen = [choose_target(target, data, images) for target in targets]
    if not all(isinstance(each, Path) for each in chosen):
        games = [type(load(each, "cpu").game) if isinstance(each, Path) else GAMES[each.game] for each in chosen]
        evaluation_comparison.require_one_kind(games)

    # Train the recipes among them.
    found = []
    for target, recipe in zip(targets, chosen, strict=True):
        if isinstance(recipe, Path):
            found.append(recipe)
            continue
        run = start_run(recipe, out=out / target, device=running.device, ranks="auto")
        code = show_training(run, connect(), running.quiet, running.json)
        if not run.finished:
            return code
        found.append(run.folder)
    options = measuring.options() | {"device": running.device}
    with tell_doubts(running.quiet):
        comparison = evaluation_comparison.compare(found, out, against=data, **options)
    if running.json:
        print(json_.dumps(comparison.to_dict()))
    elif not running.quiet:
        print(comparison.text())
    return 0


def choose_target(target: str, data: str | None, images: int | None) -> Path | Recipe:
    """The model of this path or name, or the recipe that is to be trained: one that ganvas has no model of, or with `images`.

    Raises:
        DataError, UsageError: neither a run folder or a bundle nor a name; or a recipe without data.
    """
    from ganvas.games import RECIPES
    from ganvas.games.recipes import require_source, resolve_recipe
    from ganvas.inference.shipped_models import find_model

    path = find_model(target)
    if Path(target).exists() or (path.exists() and (images is None or target not in RECIPES)):
        return path
    if target in RECIPES:
        recipe = resolve_recipe(target, data=data, images=images)
        require_source(recipe)
        return recipe
    if os.sep in target or Path(target).suffix:
        raise DataError(f"{target}: no such run folder or bundle; check the path, or name a recipe of `ganvas recipes`")
    raise unknown_name("run folder, bundle or recipe", target, RECIPES, "ganvas recipes")


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
        Number of training images of each variant; the default is that of the lesson.
    seeds
        Number of runs of each variant; the results are means over them, each with its interval.
    out
        The folder for sheet.png, curves.png, lesson.json and the runs; the default is lessons/NAME. The same command
        continues them.
    ranks
        Number of processes on this machine for each run, or auto for the fastest.
    """
    from ganvas.experiments.lesson_list import LESSONS, OTHER_LESSONS, find_lesson

    if name is None:
        rows = [{"name": each.name, "minutes": each.minutes, "question": each.question} for each in LESSONS.values()]
        width = max(map(len, LESSONS))
        lines = [f"{row['name']:{width}}  {row['minutes']:>3g} min  {row['question']}" for row in rows]
        others = ["", "with a command of their own:"]
        for other, (question, command) in OTHER_LESSONS.items():
            others += [f"{other:{width}}  {question}", f"  {command}"]
        print(
            json_.dumps(rows)
            if running.json
            else "\n".join([*lines, "", "minutes on two cores; start one with: ganvas lesson NAME", *others])
        )
        return 0
    chosen, folder = find_lesson(name), out or Path("lessons") / name
    from ganvas.cli.terminal import show_training
    from ganvas.experiments import lessons
    from ganvas.runtime.distributed import connect

    options: dict[str, Any] = {"images": images, "seeds": seeds, "ranks": ranks, "device": running.device}
    for _, run in lessons.start_runs(chosen, folder, **options):
        code = 0 if run.finished else show_training(run, connect(), running.quiet, running.json)
        if not run.finished:
            return code
    found = lessons.lesson(name, folder, **options)
    if running.json:
        print(json_.dumps(found.to_dict()))
    elif not running.quiet:
        print(found.text())
    return 0
