"""Train from Python: the arguments of the command line, and the model at the end."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from ganvas.config import Recipe
from ganvas.games.recipes import resolve_recipe
from ganvas.inference.model import Model, load
from ganvas.runtime.distributed import Ranks
from ganvas.runtime.processes import local_ranks
from ganvas.training.options import split_options
from ganvas.training.run_folder import Run, open_run, start_run
from ganvas.training.trainer import fit as play


def train(recipe: str | Recipe, **named: Any) -> Model:
    """Train a recipe and return the model. `named` are the fields of `TrainOptions`, as on the command line, and settings.

    train("cgan-mnist", minutes=1, seed=3, ranks=1, **{"train.learning_rate": 1e-3})

    The default `ranks="auto"` starts a second process where that is faster. This process keeps its cores and threads.

    Raises:
        GanvasError: what `ganvas train` would end with.
    """
    options, settings = split_options(named)
    return _finish(start_run(resolve_recipe(recipe, settings, **options.recipe_fields), **options.run_fields))


def resume(folder: str | Path, device: str | None = None) -> Model:
    """Continue the run in `folder` to its end, on `device` (None: the one it has), and return the model.

    Raises:
        GanvasError: what `ganvas resume` would end with.
    """
    run = open_run(Path(folder))
    if not run.finished:
        run.move(device, Ranks())
    return _finish(run)


def _finish(run: Run) -> Model:
    if not run.finished:
        run.lock(Ranks())
        try:
            with local_ranks(run.folder, run.plan, Ranks()) as peers:
                for _ in play(run, peers):
                    pass
        finally:
            run.unlock()
    return load(run.folder)
