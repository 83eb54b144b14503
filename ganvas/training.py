"""Train from Python: the arguments of the command line, and the model at the end."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from ganvas.config import Recipe
from ganvas.fit import fit as play
from ganvas.model import Model, load
from ganvas.ranks import Ranks, crew
from ganvas.resolve import resolve
from ganvas.run import Run, open_run, start
from ganvas.train_options import options_and_settings


def train(recipe: str | Recipe, **named: Any) -> Model:
    """Train a recipe and return the model. `named` are the fields of `TrainOptions`, as on the command line, and settings.

    train("cgan-mnist", minutes=1, seed=3, ranks=1, **{"train.learning_rate": 1e-3})

    The default `ranks="auto"` starts a second process where that is faster. This process keeps its cores and threads.

    Raises:
        GanvasError: what `ganvas train` would end with.
    """
    options, settings = options_and_settings(named)
    return _trained(start(resolve(recipe, settings, **options.of_recipe), **options.of_run))


def resume(folder: str | Path, device: str | None = None) -> Model:
    """Continue the run in `folder` to its end, on `device` (None: the one it has), and return the model.

    Raises:
        GanvasError: what `ganvas resume` would end with.
    """
    run = open_run(Path(folder))
    if not run.finished:
        run.move(device, Ranks())
    return _trained(run)


def _trained(run: Run) -> Model:
    if not run.finished:
        run.hold(Ranks())
        try:
            with crew(run.folder, run.plan, Ranks()) as peers:
                for _ in play(run, peers):
                    pass
        finally:
            run.release()
    return load(run.folder)
