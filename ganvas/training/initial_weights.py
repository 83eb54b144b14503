"""Begin a new run with the weights of a model of the same shape: transfer learning.

The run has the recipe's own schedule and new moments of the optimizers. G and its running average both begin with the averaged
weights of the model. D begins with that of the model if its file is beside the bundle, else anew. A model with classes may
have others than the data: see `transfer.py`. The weights are kept in the folder `start` of the run, as they were taken over,
because the model may change or go, and a run whose checkpoints are all lost begins again from them.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from ganvas.config import Recipe
from ganvas.data.dataset import Dataset
from ganvas.data.open import shorten_path
from ganvas.engine import checkpoint
from ganvas.engine.checkpoint import Checkpoint
from ganvas.engine.state import State
from ganvas.errors import DataError, GanvasError, UsageError
from ganvas.games.recipes import DECIDED_BY_DATA, adapt_recipe, open_data, parse_recipe
from ganvas.games.registry import build
from ganvas.inference import model_file
from ganvas.inference.model import load
from ganvas.inference.shipped_models import find_model
from ganvas.training.transfer import (
    align_classes,
    count_kept,
    differing_settings,
    find_class_axes,
    have_same_networks,
    matters,
    transfer,
)
from ganvas.utils.files import remove_tree
from ganvas.utils.parsing import printable

FOLDER = "start"  # in the run folder
SHOWN = 5  # names of classes in a message


@dataclass(frozen=True)
class InitialWeights:
    """What a run takes over from a model."""

    tensors: dict[str, Tensor]  # of the game, by name; the others begin anew
    origin: dict[str, Any]  # of which model; for env.json and the card
    text: str  # one line for the user


def read_recipe_of_model(model: Path, other_data: bool) -> Recipe:
    """The recipe of a bundle or a run, to train it on other data: without what the reading of its own data has decided.

    Raises:
        DataError: no model, or its recipe is not one of this version.
    """
    try:
        recipe = parse_recipe(model_file.read_card(model).get("recipe") or {})
    except (TypeError, UsageError) as misfit:
        raise DataError(f"{printable(model)}: its card has no recipe of this version: {printable(misfit)}") from None
    data = replace(recipe.data, center=(), scale=(), white=None if other_data else recipe.data.white)
    return replace(recipe, data=data)


def require_same_game(path: Path, recipe: Recipe, data: Dataset) -> None:
    """Check that the model at `path` is one of the game of `recipe`.

    Raises:
        UsageError: it is not; the message says whether the model can be used with the data at all.
        DataError: there is no model.
    """
    before, shown = read_recipe_of_model(path, other_data=True), printable(path)
    if before.game == recipe.game:
        return
    try:  # its own way to read the data, which may compute the pairs that the data lacks
        source = {name: getattr(recipe.data, name) for name in ("source", "fit")}
        own = replace(before, data=replace(before.data, **source))
        adapt_recipe(own, open_data(own))
        advice = "leave the recipe out, to take that of the model"
    except GanvasError:
        advice = f"leave --from out: {before.game} cannot be trained on {data.name}"
    raise UsageError(f"game: expected {before.game}, as of {shown}, got {recipe.game}; {advice}")


def take_over(path: Path, recipe: Recipe, data: Dataset) -> InitialWeights:
    """The weights of the model at `path`, a bundle or a run folder, in the shapes of the networks of `recipe` for `data`.

    Raises:
        UsageError: the networks of the recipe have another shape; the message names the first difference.
        DataError: there is no model, or it or its discriminator is damaged.
    """
    model, shown = load(path, "cpu"), printable(path)
    old, new = tuple(map(str, model.card["classes"])), tuple(data.classes)
    require_same_shape(read_recipe_of_model(path, other_data=True), recipe, shown)
    alone = model_file.lacks_discriminator_file(model.game)
    if not alone:
        model_file.load_discriminator(model.game)
    before = model.game.state_dict()
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(recipe.train.seed)
        game = build(recipe)
    fresh, fixed = game.state_dict(), find_fixed_parts(game)
    axes = find_class_axes(recipe, fresh) if old != new else dict.fromkeys(fresh)
    tensors = {name: transfer(before[name], each, axes[name], old, new) for name, each in fresh.items() if name in before}
    told = [name for name in fresh if not name.startswith(fixed)]
    taken = sum(count_kept(tensors[name], axes[name], old, new) for name in told if name in tensors)
    total = sum(fresh[name].numel() for name in told)
    networks = list(dict.fromkeys(name.partition(".")[0] for name in told if "." in name))
    kept = [name for name in networks if any(key.startswith(f"{name}.") for key in tensors)]
    news = []
    if alone:
        second = printable(model_file.discriminator_path(_bundle(path)).name)
        news.append(f"{', '.join(name for name in networks if name not in kept)} ({second} is not there)")
    if any(axis is not None for axis in axes.values()) and (strangers := [name for name in new if name not in old]):
        news.append(_list_classes(strangers))
    origin = {
        "name": shorten_path(str(path.absolute())),
        "sha256": _hash_bundle(path),
        "recipe": model.name,
        "items": int(model.card["items"]),
    }
    text = f"took over {_share(taken, total)} from {shown} ({model.name}, {origin['items']:,} {data.modality.unit}): "
    text += ", ".join(kept) + "".join(f"; new: {each}" for each in news)
    if len(new) > 1 and "label" in data.modalities and not hasattr(recipe.config, "classes"):
        text += f"; the {len(new)} classes of the data are not used: the model has none"
    return InitialWeights(tensors, origin, text)


def find_fixed_parts(game: nn.Module) -> tuple[str, ...]:
    """The beginnings of the names of weights that never learn, such as "redraw.": they are the same in every run.

    Parts without parameters, such as groups that a run finds in its data, are not among them.
    """
    parts = ((name, list(part.parameters())) for name, part in game.named_modules() if name)
    return tuple(f"{name}." for name, weights in parts if weights and not any(each.requires_grad for each in weights))


def require_same_shape(before: Recipe, after: Recipe, shown: str) -> None:
    """Check that the networks of `after` can have the weights of `before`, of the model `shown`; classes may differ.

    Raises:
        UsageError: they cannot; the message names the first setting that differs.
    """
    aligned = align_classes(before, after)
    differing = differing_settings(aligned, after)
    decided = [name for name in differing if f"config.{name}" in DECIDED_BY_DATA]
    if not differing or (not decided and have_same_networks(aligned, after)):
        return
    name = next(iter(decided), "") or next((name for name in differing if matters(aligned, after, name)), differing[0])
    old, new = (_get(recipe.config, name) for recipe in (aligned, after))
    advice = f"set it with --set config.{name}={old}"
    if decided:
        advice = "choose data of the same shape"
    raise UsageError(f"config.{name}: expected {old!r}, as of {shown}, got {new!r}; {advice}")


def require_origin(origin: dict[str, Any] | None, path: Path, folder: Path) -> None:
    """Check that the run in `folder`, which is continued, began with the model at `path`.

    Raises:
        UsageError: it did not.
        DataError: there is no model.
    """
    if origin is None or origin["sha256"] != _hash_bundle(path):
        advice = "choose another --out, or leave --from out"
        raise UsageError(f"{printable(folder)} holds a run that did not begin with {printable(path)}; {advice}")


def write_start(folder: Path, weights: InitialWeights) -> None:
    """Keep the weights in the run folder. Raises: ResourceError: the disk refused."""
    if (folder / FOLDER).exists():  # of a start that was cut off
        remove_tree(folder / FOLDER)
    checkpoint.save(folder / FOLDER, 0, {"game": weights.tensors}, {})


def restore_start(state: State, folder: Path) -> None:
    """Put the weights that a run began with into its state at 0 images.

    Raises:
        DataError: they are not in the run folder any more, or damaged.
    """
    own = state.game.state_dict()

    def check(found: Checkpoint) -> None:
        shapes = {name: each.shape for name, each in found.tensors.get("game", {}).items()}
        if not shapes or any(name not in own or own[name].shape != shape for name, shape in shapes.items()):
            raise DataError("they are of other networks")

    damage = ["they are gone"]
    found = checkpoint.load(folder / FOLDER, lambda _, reason: damage.append(reason), check)
    if found is None:
        raise DataError(
            f"{printable(folder / FOLDER)}: the weights that this run began with cannot be read: {damage[-1]}; "
            "start it again, in a new folder, with --from"
        )
    for game in (state.game, state.average):
        game.load_state_dict({**game.state_dict(), **found.tensors["game"]})


def _bundle(path: Path) -> Path:
    """The file of a model that is a bundle or a run folder."""
    path = find_model(path)
    return path / model_file.NAME if path.is_dir() else path


def _hash_bundle(path: Path) -> str:
    """The SHA-256 of the file of a model. Raises: DataError: there is none."""
    model_file.read_card(path)
    return hashlib.sha256(_bundle(path).read_bytes()).hexdigest()


def _get(config: Any, name: str) -> Any:
    """A setting by its dotted path."""
    for part in name.split("."):
        config = getattr(config, part)
    return config


def _share(taken: int, total: int) -> str:
    """Numbers of weights in words: 2.1 million of 2.3 million weights."""
    if taken == total:
        return f"all {_in_words(total)} weights"
    few = total - taken
    if _in_words(taken) == _in_words(total):
        return f"all but {few:,} of {_in_words(total)} weights"
    return f"{_in_words(taken)} of {_in_words(total)} weights"


def _in_words(count: int) -> str:
    return f"{count / 1e6:.1f} million" if count >= 1_000_000 else f"{count:,}"


def _list_classes(names: Sequence[str]) -> str:
    shown = ", ".join(printable(name, 60) for name in names[:SHOWN]) + (", ..." if len(names) > SHOWN else "")
    return f"the class {shown}" if len(names) == 1 else f"{len(names)} classes ({shown})"
