"""Branch a run: a new run that starts from a checkpoint of another one, with the same networks and some other settings."""

from __future__ import annotations

import json
import re
import shutil
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

from ganvas.config import Recipe
from ganvas.data.dataset import Dataset
from ganvas.data.open import absolute_source
from ganvas.engine import checkpoint
from ganvas.engine.autotune import choose_plan
from ganvas.engine.manifest import MANIFEST, verify
from ganvas.errors import DataError, UsageError
from ganvas.games.recipes import adapt_recipe, open_data, refuse_contradictions, resolve_recipe
from ganvas.training.log import MAX_LOG, describe_failure
from ganvas.training.own_checkpoint import BRANCH
from ganvas.training.preparation import prepare_checkpoint
from ganvas.training.run_data import describe_data
from ganvas.training.run_folder import Run, read_run
from ganvas.training.transfer import (
    align_classes,
    differing_settings,
    have_same_networks,
    matters,
    read_classes,
    transfer_classes,
)
from ganvas.utils.files import (
    disk_errors,
    make_folder,
    publish,
    read_regular,
    remove_tree,
    sweep,
    sync_tree,
    temporary_path,
    write_durably,
)
from ganvas.utils.parsing import printable
from ganvas.utils.settings import flatten, to_dict

COLORS = {1: "grey", 3: "in color"}  # by the number of channels
SNAPSHOT = re.compile(r"(\d+\.\d{3})k\.png")


def list_checkpoints(folder: Path) -> list[int]:
    """The numbers of images at which the run in `folder` has checkpoints, in order: it can be branched at each."""
    path = folder / "checkpoints"
    if not path.is_dir():
        return []
    return sorted(int(entry.name) for entry in path.iterdir() if checkpoint.NAME.fullmatch(entry.name))


def branch(
    folder: Path,
    out: Path,
    settings: Mapping[str, str],
    at: int | None = None,
    device: str | None = None,
    source: str | None = None,
) -> Run:
    """A new run in the folder `out`: the run in `folder` up to `at` images (None: its newest checkpoint), then `settings`.

    It trains on `device` (None: that of the other run) and on the data `source` (None: that of the other run, which is opened
    only then), also with other classes (`transfer.py`). `ganvas resume` continues it. The log and the snapshots up to `at` are
    copied, so that the curves of both runs have a common start. branch.json names the other run and the changes.

    Raises:
        UsageError: no setting is changed, there is no checkpoint at `at`, or the settings change the networks.
        ResourceError: this machine does not have the device.
        DataError: the run or its checkpoint cannot be read.
    """
    refuse_contradictions(settings, data=source)
    parent = read_run(folder)
    settings = dict(settings) if source is None else {**settings, "data.source": absolute_source(source)}
    known = list_checkpoints(folder)
    if at is None and known:
        at = known[-1]
    if at is None or at not in known:
        listed = ", ".join(f"{items:,}" for items in known) or "none yet"
        raise UsageError(f"{folder} has no checkpoint at {at or 0:,} images; expected one of: {listed}")
    if out.exists():
        raise UsageError(f"{out} exists; choose another --out")
    recipe, data = _change_recipe(parent, settings, at)
    old = read_classes(parent)

    # Keep the plan, unless it does not fit any more.
    plan, where = parent.plan, device or parent.plan.device
    fits = recipe.train.batch % plan.ranks == 0
    if recipe.train.precision != parent.recipe.train.precision or not fits or where != plan.device:
        plan = choose_plan(recipe, data, where, str(plan.ranks) if fits else "1")
    run = Run(out, recipe, plan, data_before=describe_data(recipe, data, len(data)), origin=parent.origin)

    # Build the folder under a temporary name: a failure leaves nothing behind, and after a crash `sweep` deletes it.
    temporary = temporary_path(out.parent)
    try:
        with disk_errors(f"cannot make the run folder {out}"):
            make_folder(out.parent)
            sweep(out.parent)
            make_folder(temporary)
            run.notice = _copy_history(folder, temporary, at)
            if hasattr(recipe.config, "classes") and old != data.classes and recipe.data != parent.recipe.data:
                transfer_classes(temporary / "checkpoints", recipe, old, data.classes)
                remove_tree(temporary / "samples")  # they show other classes
            if recipe.data != parent.recipe.data:
                run.attach_data(data)
                prepare_checkpoint(temporary / "checkpoints", recipe, run.data)
            before, after = flatten(to_dict(parent.recipe)), flatten(to_dict(recipe))
            changed = {name: [before.get(name), value] for name, value in after.items() if before.get(name) != value}
            origin = {"parent": folder.name, "items": at, "changed": changed}
            replace(run, folder=temporary).write()
            write_durably(temporary / BRANCH, json.dumps(origin, indent=1).encode())
            sync_tree(temporary)
            publish(temporary, out)
    finally:
        shutil.rmtree(temporary, ignore_errors=True)
    return run


def _change_recipe(parent: Run, settings: Mapping[str, str], at: int) -> tuple[Recipe, Dataset]:
    """The recipe of the other run with `settings`, and its data.

    Raises:
        UsageError: it cannot continue the networks from `at` images on.
    """
    recipe = resolve_recipe(parent.recipe, settings)
    if recipe.game != parent.recipe.game:
        raise UsageError(f"game: a branch continues the networks of {parent.recipe.game}; start a new run instead")
    data = open_data(recipe, "start a new run")
    if recipe.data != parent.recipe.data:
        recipe = adapt_recipe(recipe, data, "start a new run")
    if recipe == parent.recipe:
        raise UsageError("a branch needs a setting that is changed, such as train.learning_rate=1e-4; got none")
    aligned = align_classes(parent.recipe, recipe)
    if recipe.config != aligned.config:
        require_same_networks(aligned, recipe, settings)
    if recipe.train.images <= at:
        raise UsageError(f"train.images: expected more than the {at:,} images of the checkpoint, got {recipe.train.images:,}")
    return recipe, data


def require_same_networks(before: Recipe, after: Recipe, settings: Mapping[str, str]) -> None:
    """Check that the networks of `after` can continue with the weights of `before`.

    Raises:
        UsageError: the networks differ; the message names what of `settings` changes them, or what of the data.
    """
    if have_same_networks(before, after):
        return
    differing = differing_settings(before, after)
    names = [name for name in differing if matters(before, after, name)] or differing
    asked = [path for name in names if (path := f"config.{name}") in settings]
    if asked:
        raise UsageError(
            f"{', '.join(asked)} {'changes' if len(asked) == 1 else 'change'} the networks, and a branch continues with "
            "their weights; change how they are trained (train..., config.rules...) or start a new run"
        )
    if "channels" in names and {before.config.channels, after.config.channels} == COLORS.keys():
        old, new = before.config.channels, after.config.channels
        raise UsageError(
            f"the data is {COLORS[new]}, and the run is {COLORS[old]}; add --set data.channels={old}, or start a new run"
        )
    listed = ", ".join(f"config.{name}" for name in names)
    raise UsageError(
        f"the data changes {listed} and with it the networks, and a branch continues with their weights; "
        "choose data of the same shape, or start a new run"
    )


def _copy_history(folder: Path, out: Path, at: int) -> str:
    """Copy the checkpoint, the log and the snapshots up to it. Returns a message for the user, or "".

    Raises:
        DataError: the checkpoint is damaged, or the other run has deleted it. OSError.
    """
    name = f"{at:09d}"
    source, copy = folder / "checkpoints" / name, out / "checkpoints" / name
    damaged: list[str] = []
    make_folder(copy)
    try:
        names = verify(source, at)
    except (DataError, OSError) as damage:
        damaged, names = [printable(damage)], []
    # Only what the manifest lists, and only after it was read: a link may lead to a device that never ends.
    for file in (*names, MANIFEST) if names else ():
        shutil.copyfile(source / file, copy / file)
    if damaged or checkpoint.load(out / "checkpoints", lambda _, reason: damaged.append(reason)) is None:
        raise DataError(f"the checkpoint at {at:,} images is damaged: {damaged[0]}; choose another")
    (out / "samples").mkdir()
    for path in (folder / "samples").glob("*k.png"):
        if (found := SNAPSHOT.fullmatch(path.name)) and round(float(found[1]) * 1000) <= at and path.is_file():
            shutil.copyfile(path, out / "samples" / path.name)
    try:
        # The resumed run deletes the rows after the checkpoint.
        (out / "log.jsonl").write_bytes(read_regular(folder / "log.jsonl", MAX_LOG))
    except FileNotFoundError:
        return ""
    except (DataError, OSError) as damage:
        return f"the log is left out: {describe_failure(damage, folder / 'log.jsonl')}"
    return ""
