"""`ganvas.train` and `ganvas.resume`: the options of the command line, and the trained model as the result."""

from __future__ import annotations

import logging
import warnings
from pathlib import Path
from typing import Any

from ganvas.config import Recipe
from ganvas.errors import GanvasWarning
from ganvas.games.recipes import resolve_recipe
from ganvas.inference.model import Model, load
from ganvas.runtime.distributed import Ranks
from ganvas.runtime.processes import local_ranks
from ganvas.training.chosen import choose
from ganvas.training.notebook_progress import NotebookProgress, catch_interrupt, find_display
from ganvas.training.options import split_options
from ganvas.training.run_folder import Run, open_run
from ganvas.training.start import start_run
from ganvas.training.trackers import follow_log, require_tracker
from ganvas.training.trainer import fit


def train(recipe: str | Recipe | None = None, **named: Any) -> Model:
    """Train a recipe and return the model. `named` are fields of `TrainOptions`, as on the command line, or settings.

    train("cgan-mnist", minutes=1, seed=3, ranks=1, **{"train.learning_rate": 1e-3})
    train(data="holiday/", minutes=15)  # the recipe that suits the data

    The default `ranks="auto"` starts more processes if that is faster. Afterwards this process has its cores and threads back.

    What `ganvas train` would say is logged, and what is doubtful is a `GanvasWarning`. In a notebook the progress and the
    newest sheet are shown, and an interrupt stops the training after the present step and saves it.

    Raises:
        GanvasError: the error that `ganvas train` would print.
    """
    options, settings = split_options(named)
    require_tracker(options.log)
    if recipe is None:
        recipe, options, settings, told = choose(options, settings)
        _tell(told)
    run = start_run(resolve_recipe(recipe, settings, **options.recipe_fields), **options.run_fields)
    return _finish(run, options.log)


def resume(
    folder: str | Path,
    device: str | None = None,
    *,
    data: str | Path | None = None,
    accept_data: bool = False,
    log: str | None = None,
) -> Model:
    """Continue the run in `folder` to its end, on `device` (None: the one of its plan), and return the model.

    `data` is where its data is now, if it was moved; `accept_data` continues although the data has changed. `log` as
    of `train`.

    Raises:
        GanvasError: the error that `ganvas resume` would print.
    """
    require_tracker(log)
    run = open_run(Path(folder), None if data is None else str(data))
    run.prepare(device, Ranks(), accept_data)
    return _finish(run, log)


def _finish(run: Run, log: str | None = None) -> Model:
    """Train the run to its end, unless it is there, and load its model."""
    _tell(run.notice)
    if not run.finished:
        for doubt in run.doubts:
            warnings.warn(doubt, GanvasWarning, stacklevel=3)
        shown = NotebookProgress(run, display) if (display := find_display()) else None
        run.lock(Ranks())
        try:
            with (
                follow_log(run.folder, log, _tell) as pass_on,
                catch_interrupt(shown is not None) as stopped,
                local_ranks(run.folder, run.plan, Ranks()) as peers,
            ):
                for progress in fit(run, peers, stop=stopped):
                    pass_on()
                    if shown:
                        shown.update(progress)
        finally:
            run.unlock()
        if shown:
            shown.finish()
    return load(run.folder)


def _tell(text: str) -> None:
    """Log a message for the user; Python shows it on standard error, unless the program has set up its logging."""
    if text:
        logging.getLogger(__name__).warning("%s", text)
