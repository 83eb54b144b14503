"""Continue networks with other classes: fine-tuning on data whose classes are not those of the first training.

Every weight that has nothing to do with classes is kept. Of a weight with one slice for each class (an embedding, a one-hot
input, a logit for each class) the slice of a class with the same name is kept, and a new class starts with new weights.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path

import torch
from torch import Tensor

from ganvas.config import Recipe
from ganvas.core.capabilities import Conditional, Samples
from ganvas.core.game import Game
from ganvas.engine import checkpoint
from ganvas.errors import DataError, GanvasError, UsageError
from ganvas.games.registry import build
from ganvas.inference import model_file
from ganvas.latents.seed_latents import latents
from ganvas.training.run_folder import Run
from ganvas.utils.files import remove_tree
from ganvas.utils.settings import flatten, to_dict


def align_classes(before: Recipe, after: Recipe) -> Recipe:
    """The recipe `before` with the number of classes of `after`, if its networks have classes."""
    if not hasattr(before.config, "classes"):
        return before
    return replace(before, config=replace(before.config, classes=after.config.classes))


def differing_settings(before: Recipe, after: Recipe) -> list[str]:
    """The names of the settings of the game, below `config.`, that differ."""
    new, old = flatten(to_dict(after.config)), flatten(to_dict(before.config))
    return [name for name, value in new.items() if value != old.get(name)]


def have_same_networks(before: Recipe, after: Recipe) -> bool:
    """Whether the networks of `after` can continue with the weights of `before`.

    They must have weights of the same names and shapes, print the same layers, and give the same samples for the same noise.
    Samples of another resolution are not compared: such networks draw at one side, and enlarge afterwards.
    """
    try:
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(0)
            old, new = build(before).eval(), build(after).eval()
        new.load_state_dict(old.state_dict())
    except (GanvasError, RuntimeError):
        return False
    # The printed layers show what has no weights (strides, activations); the samples show what is not printed either.
    sides = [getattr(recipe.config, "resolution", 0) for recipe in (before, after)]
    return str(old) == str(new) and (sides[0] != sides[1] or torch.equal(_sample_two(old), _sample_two(new)))


def matters(before: Recipe, after: Recipe, name: str) -> bool:
    """Whether this setting of `after` alone makes other networks of `before`."""
    top = name.partition(".")[0]
    try:
        changed = replace(before, config=replace(before.config, **{top: getattr(after.config, top)}))
        return not have_same_networks(before, changed)
    except (GanvasError, RuntimeError, ValueError):
        return True


@torch.no_grad()
def _sample_two(game: Game) -> Tensor:
    """Samples [2, ...] of two fixed latents; empty if the game does not sample from noise."""
    if not isinstance(game, Samples):
        return torch.empty(0)
    c = torch.zeros(2, dtype=torch.long) if isinstance(game, Conditional) else None
    return game.sample(latents([0, 1], game.latent_dim), c)


def read_classes(run: Run) -> tuple[str, ...]:
    """The names of the classes that a run was trained on, without its data; () if it does not remember them."""
    known = (run.data_before or {}).get("classes")
    if known is None and run.model.exists():
        try:
            known = model_file.read_card(run.model).get("classes")
        except DataError:
            known = None
    return tuple(map(str, known)) if isinstance(known, list) else ()


def transfer_classes(folder: Path, after: Recipe, old: Sequence[str], new: Sequence[str]) -> None:
    """Replace the checkpoint in `folder` by one for the networks of `after`; `old` and `new` are the names of the classes.

    The moments of a weight with slices for classes start at zero.

    Raises:
        UsageError: the networks differ in more than one slice for each class.
    """
    found = checkpoint.load(folder)
    if found is None:
        raise UsageError(f"{folder} has no checkpoint that can be read; choose another with --at")
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(after.train.seed)
        game = build(after)
    fresh, tensors = game.state_dict(), dict(found.tensors)
    axes = find_class_axes(after, fresh)
    for group in ("game", "average"):
        if tensors[group].keys() != fresh.keys():
            raise UsageError(f"{after.game} has a network for each class, so it cannot continue with others; start a new run")
        tensors[group] = {name: transfer(tensors[group][name], each, axes[name], old, new) for name, each in fresh.items()}
    names = {id(weight): name for name, weight in game.named_parameters()}
    for player in game.players:
        of_classes = {str(i) for i, each in enumerate(game.player_parameters(player)) if axes[names[id(each)]] is not None}
        moments = tensors[f"optimizer.{player}"]
        tensors[f"optimizer.{player}"] = {n: t for n, t in moments.items() if n.partition(".")[0] not in of_classes}
    remove_tree(found.path)
    checkpoint.save(folder, found.items, tensors, found.meta)


def transfer(before: Tensor, fresh: Tensor, axis: int | None, old: Sequence[str], new: Sequence[str]) -> Tensor:
    """The weight `before` in the shape of `fresh`: what belongs to no class, and the slices of classes with the same name.

    The slices are the last ones of their `axis` (None: there are none), as in a one-hot vector concatenated to an input.

    Raises:
        UsageError: the shapes differ otherwise.
    """
    if axis is None:
        if before.shape != fresh.shape:
            raise UsageError("its networks differ in more than a part for each class; start a new run")
        return before
    shared = fresh.shape[axis] - len(new)
    if before.shape[axis] != shared + len(old):
        raise UsageError("the run does not remember its classes, so its weights cannot be assigned to others; start a new run")
    pairs = [(i, i) for i in range(shared)]
    pairs += [(shared + old.index(name), shared + i) for i, name in enumerate(new) if name in old]
    source, target = (torch.tensor([pair[side] for pair in pairs], dtype=torch.long) for side in (0, 1))
    return fresh.clone().index_copy_(axis, target, before.index_select(axis, source))


def count_kept(weight: Tensor, axis: int | None, old: Sequence[str], new: Sequence[str]) -> int:
    """How many numbers of a weight from `transfer` are not new."""
    if axis is None:
        return weight.numel()
    strangers = sum(name not in old for name in new)
    return weight.numel() // weight.shape[axis] * (weight.shape[axis] - strangers)


def find_class_axes(recipe: Recipe, weights: Mapping[str, Tensor]) -> dict[str, int | None]:
    """For each weight of the networks of `recipe` the axis that has a slice for each class; None: it has none.

    Raises:
        UsageError: there is a network for each class.
    """
    if not hasattr(recipe.config, "classes"):
        return dict.fromkeys(weights)
    with torch.device("meta"):
        wider = build(replace(recipe, config=replace(recipe.config, classes=recipe.config.classes + 1))).state_dict()
    if weights.keys() != wider.keys():
        raise UsageError(f"{recipe.game} has a network for each class, so it cannot continue with others; start a new run")
    return {name: _class_axis(each, wider[name]) for name, each in weights.items()}


def _class_axis(weight: Tensor, wider: Tensor) -> int | None:
    """The axis that has a slice for each class: `wider` is the same weight with one class more. None: no such axis."""
    return next((axis for axis in range(weight.ndim) if weight.shape[axis] != wider.shape[axis]), None)
