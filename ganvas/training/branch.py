"""A new run that begins at a checkpoint of another one, with some settings changed, and the same networks."""

from __future__ import annotations

import json
import re
import shutil
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import replace
from pathlib import Path

import torch
from torch import Tensor, nn

from ganvas.config import Recipe
from ganvas.core.capabilities import Conditional, Samples
from ganvas.core.game import Game
from ganvas.engine import checkpoint
from ganvas.engine.autotune import choose_plan
from ganvas.errors import DataError, GanvasError, UsageError
from ganvas.games.recipes import adapt_recipe, open_data, resolve_recipe
from ganvas.games.registry import build
from ganvas.latents.seed_latents import latents
from ganvas.training.run_folder import Run, open_run
from ganvas.utils.files import disk_errors, make_folder, write_durably
from ganvas.utils.settings import flatten, to_dict

SAMPLE = re.compile(r"(\d+\.\d{3})k\.png")


def checkpoints_of(folder: Path) -> list[int]:
    """The image counts at which the run in `folder` can be branched: those of its checkpoints, in order."""
    path = folder / "checkpoints"
    if not path.is_dir():
        return []
    return sorted(int(entry.name) for entry in path.iterdir() if checkpoint.NAME.fullmatch(entry.name))


def branch(folder: Path, out: Path, settings: Mapping[str, str], at: int | None = None, device: str | None = None) -> Run:
    """The run in the new folder `out`: that in `folder` up to `at` images (None: its newest checkpoint), then `settings`.

    It goes on on `device`, None: that of the other run.

    Its log and pictures up to there come along, so that the curves of the two have a common beginning. `ganvas resume`
    plays it on. branch.json says where it came from.

    Raises:
        UsageError: nothing is changed, no checkpoint of that count, no such device, or settings that change the networks.
        ResourceError: the device is not here.
        DataError: the run or its checkpoint cannot be read.
    """
    parent = open_run(folder)
    known = checkpoints_of(folder)
    if at is None and known:
        at = known[-1]
    if at is None or at not in known:
        listed = ", ".join(f"{items:,}" for items in known) or "none yet"
        raise UsageError(f"{folder} has no checkpoint at {at or 0:,} images; expected one of: {listed}")
    if out.exists():
        raise UsageError(f"{out} exists; choose another --out")
    recipe = _changed(parent, settings, at)
    plan, where = parent.plan, device or parent.plan.device
    fits = recipe.train.batch % plan.ranks == 0
    if recipe.train.precision != parent.recipe.train.precision or not fits or where != plan.device:
        plan = choose_plan(recipe, parent.data, where, str(plan.ranks) if fits else "1")
    run = Run(out, recipe, plan)
    temporary = out.with_name(f".{out.name}.part")
    try:
        with disk_errors(f"cannot make the run folder {out}"):
            make_folder(temporary)
            _copy(folder, temporary, at)
            before, after = flatten(to_dict(parent.recipe)), flatten(to_dict(recipe))
            changed = {name: [before.get(name), value] for name, value in after.items() if before.get(name) != value}
            story = {"parent": folder.name, "items": at, "changed": changed}
            replace(run, folder=temporary).write()
            write_durably(temporary / "branch.json", json.dumps(story, indent=1).encode())
            temporary.rename(out)
    finally:
        shutil.rmtree(temporary, ignore_errors=True)
    return run


def _changed(parent: Run, settings: Mapping[str, str], at: int) -> Recipe:
    """The parent's recipe with `settings`, checked to be playable from `at` images on. Raises: UsageError: it is not."""
    recipe = resolve_recipe(parent.recipe, settings)
    if recipe.game != parent.recipe.game:
        raise UsageError(f"game: a branch goes on with the networks of {parent.recipe.game}; start a new run instead")
    if recipe.data != parent.recipe.data:
        recipe = adapt_recipe(recipe, open_data(recipe))
    if recipe == parent.recipe:
        raise UsageError("a branch needs a setting that is changed, such as train.learning_rate=1e-4; nothing differs here")
    if recipe.config != parent.recipe.config:
        require_same_networks(parent.recipe, recipe)
    if recipe.train.images <= at:
        raise UsageError(f"train.images: expected more than the {at:,} the branch begins with, got {recipe.train.images:,}")
    return recipe


def require_same_networks(before: Recipe, after: Recipe) -> None:
    """Check that weights of `before` mean the same in `after`: equal shapes, and equal outputs for equal inputs.

    Raises:
        UsageError: the networks differ; names the settings.
    """
    asked, held = flatten(to_dict(after.config)), flatten(to_dict(before.config))
    names = ", ".join(f"config.{name}" for name in asked if asked[name] != held.get(name))
    refusal = UsageError(
        f"{names} changes the networks, whose weights a branch goes on with; "
        "change how they are trained (train..., config.rules...) or start a new run"
    )
    try:
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(0)
            old, new = build(before).eval(), build(after).eval()
        new.load_state_dict(old.state_dict())
    except (GanvasError, RuntimeError):
        raise refusal from None
    if not all(torch.equal(a, b) for a, b in zip(_outputs(old), _outputs(new), strict=True)):
        raise refusal


@torch.no_grad()
def _outputs(game: Game) -> list[Tensor]:
    """What the game answers to a fixed noise, and what every layer of it is."""
    layers = [torch.tensor(list(repr(layer).encode())) for layer in game.modules() if not isinstance(layer, nn.ModuleList)]
    if not isinstance(game, Samples):
        return layers
    c = torch.zeros(2, dtype=torch.long) if isinstance(game, Conditional) else None
    return [game.sample(latents([0, 1], game.latent_dim), c), *layers]


def _copy(folder: Path, out: Path, at: int) -> None:
    """The checkpoint, and what led up to it. Raises: OSError; DataError: the checkpoint is damaged."""
    name = f"{at:09d}"
    shutil.copytree(folder / "checkpoints" / name, out / "checkpoints" / name)
    damaged: list[str] = []
    if checkpoint.load(out / "checkpoints", lambda _, reason: damaged.append(reason)) is None:
        raise DataError(f"the checkpoint at {at:,} images is damaged: {damaged[0]}; choose another")
    with suppress(FileNotFoundError):
        shutil.copyfile(folder / "log.jsonl", out / "log.jsonl")  # the resumed run cuts it at the checkpoint
    (out / "samples").mkdir()
    for path in (folder / "samples").glob("*k.png"):
        if (found := SAMPLE.fullmatch(path.name)) and round(float(found[1]) * 1000) <= at:
            shutil.copyfile(path, out / "samples" / path.name)
