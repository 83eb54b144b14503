"""Continue networks with other classes: fine-tuning on data whose classes are not those of the first training.

Every weight that has nothing to do with classes is kept. Of a weight with one slice for each class (an embedding, a one-hot
input, a logit for each class) the slice of a class with the same name is kept, and a new class starts with new weights.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import torch
from torch import Tensor

from ganvas.config import Recipe
from ganvas.engine import checkpoint
from ganvas.errors import DataError, UsageError
from ganvas.games.registry import build
from ganvas.inference import model_file
from ganvas.training.run_folder import Run
from ganvas.utils.files import remove_tree


def changed_classes(before: Recipe, after: Recipe) -> bool:
    """Whether the configs differ in the number of classes and in nothing else."""
    if before.config == after.config or not hasattr(before.config, "classes"):
        return False
    same: bool = replace(before.config, classes=after.config.classes) == after.config
    return same


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
    with torch.device("meta"):
        wider = build(replace(after, config=replace(after.config, classes=after.config.classes + 1))).state_dict()
    fresh, tensors = game.state_dict(), dict(found.tensors)
    axes = {name: _class_axis(each, wider.get(name)) for name, each in fresh.items()}
    for group in ("game", "average"):
        if tensors[group].keys() != fresh.keys() or fresh.keys() != wider.keys():
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


def _class_axis(weight: Tensor, wider: Tensor | None) -> int | None:
    """The axis that has a slice for each class: `wider` is the same weight with one class more. None: no such axis."""
    if wider is None:
        return None
    return next((axis for axis in range(weight.ndim) if weight.shape[axis] != wider.shape[axis]), None)
