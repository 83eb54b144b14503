"""Start a run in a new folder, or continue the run that is in it already."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from ganvas.config import Recipe
from ganvas.data.open import absolute_source
from ganvas.errors import UsageError
from ganvas.games.recipes import adapt_recipe, open_data, parse_recipe
from ganvas.runtime.distributed import Ranks
from ganvas.training.initial_weights import require_origin, require_same_game, take_over, write_start
from ganvas.training.options import require_minutes
from ganvas.training.run_data import describe_data
from ganvas.training.run_folder import Run, agree_on_plan, open_run
from ganvas.training.run_place import find_restarted_run, is_free, make_numbered_folder, require_place
from ganvas.utils.settings import to_dict


def start_run(
    recipe: Recipe,
    *,
    out: Path | None = None,
    minutes: float | None = None,
    device: str = "auto",
    ranks: str = "1",
    from_model: Path | None = None,
    peers: Ranks = Ranks(),
) -> Run:
    """A new run of the recipe on its data, or the run that is already in the folder `out`.

    A new run begins with the weights of the bundle or run `from_model`, if there is one; its notice says what it took over.

    Raises:
        UsageError: `out` holds something else, or the recipe or `minutes` cannot be used, or `from_model` has other networks.
        DataError: the data or the model cannot be read.
    """
    require_minutes(minutes)
    if recipe.data.split != "train":
        raise UsageError(f"data.split: a run trains on the split 'train', not on {recipe.data.split!r}; leave it out")
    recipe = replace(recipe, data=replace(recipe.data, source=absolute_source(recipe.data.source)))

    # Continue a run that is there, also after a restart by torchrun.
    found = peers.broadcast(out or find_restarted_run())
    if found is not None and (found / "recipe.json").exists():
        return _continue_run(found, recipe, minutes, device, peers, from_model)

    # Start a new one. Whether its folder can be written is checked first, because choosing a plan takes seconds.
    if out and not is_free(out):
        raise UsageError(f"{out} exists and is no run folder; choose another --out")
    if out and peers.first:
        require_place(out)
    first = "" if from_model is None else "leave --from out"
    data = open_data(recipe, first)
    if from_model is not None:
        require_same_game(from_model, recipe, data)
    recipe = parse_recipe(to_dict(adapt_recipe(recipe, data, first)))  # as a resumed run will read it from JSON
    weights = None if from_model is None else take_over(from_model, recipe, data)
    plan = agree_on_plan(recipe, data, device, str(peers.size) if peers.size > 1 else ranks, peers)
    run = Run(out or Path(), recipe, plan, minutes, data_before=describe_data(recipe, data, len(data)))
    if weights is not None:
        run.origin, run.notice = weights.origin, weights.text
    if peers.first:
        run.folder = out or make_numbered_folder(recipe)
        with run.hold():
            late = (run.folder / "recipe.json").exists()  # another command was faster: its run stays as it is
            if not late:
                if weights is not None:
                    write_start(run.folder, weights)
                run.write()
    run.folder, late = peers.broadcast((run.folder, peers.first and late))
    if late:
        return _continue_run(run.folder, recipe, minutes, device, peers, from_model)
    run.attach_data(data)
    return run


def _continue_run(
    folder: Path, recipe: Recipe, minutes: float | None, device: str, peers: Ranks, from_model: Path | None
) -> Run:
    """The run in `folder`, to be continued by the command that started it. Raises: UsageError, DataError: it is another one."""
    run = open_run(folder)
    if from_model is not None:
        require_origin(run.origin, from_model, folder)
    if not run.finished:
        run.check_data(peers)  # first: other data can change the settings that are compared below
    run.check(recipe, minutes)
    run.prepare(None if device == "auto" else device, peers)
    return run
