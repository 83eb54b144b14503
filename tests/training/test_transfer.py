"""A branch on other data: moved data, other classes (fine-tuning), a longer run."""

from __future__ import annotations

import shutil
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import torch
from PIL import Image
from support import PLAN, miniature

from ganvas.config import Recipe
from ganvas.engine import checkpoint
from ganvas.engine.autotune import initial_state
from ganvas.engine.state import check_fits, dump
from ganvas.errors import UsageError
from ganvas.games.recipes import adapt_recipe, open_data, parse_recipe, resolve_recipe
from ganvas.inference.model import load
from ganvas.runtime.distributed import Ranks
from ganvas.training.branch import branch
from ganvas.training.run_folder import Run, open_run
from ganvas.training.trainer import fit
from ganvas.training.transfer import have_same_networks, transfer, transfer_classes
from ganvas.utils.settings import to_dict

SMALL = {"config.width": "4", "config.max_width": "8", "config.head": "8", "train.batch": "8", "config.critic_width": "4"}


def pictures(folder: Path, *names: str) -> Path:
    for number, name in enumerate(names):
        (folder / name).mkdir(parents=True)
        for i in range(12):
            Image.new("L", (28, 28), 20 + 60 * number + i).save(folder / name / f"{i}.png")
    return folder


def trained(recipe: Recipe, out: Path) -> Run:
    data = open_data(recipe)
    run = Run(out, parse_recipe(to_dict(adapt_recipe(recipe, data))), PLAN)
    run.write()
    run.attach_data(data)
    run.check_data(Ranks())
    for _ in fit(run):
        pass
    return run


@pytest.fixture
def parent(tmp_path: Path) -> Run:
    """A finished run on two classes, whose pictures are gone."""
    folder = pictures(tmp_path / "pets", "cats", "dogs")
    run = trained(resolve_recipe("cgan-mnist", SMALL, data=str(folder), images=64), tmp_path / "run")
    shutil.rmtree(folder)
    return run


def weights(run: Run) -> Any:
    found = checkpoint.load(run.folder / "checkpoints")
    assert found
    return found.tensors


@pytest.mark.parametrize(
    "names", [("birds", "cats", "dogs"), ("ants", "bees", "cats", "dogs"), ("ants", "dogs"), ("cats", "dogs")]
)
def test_a_branch_on_other_classes_keeps_the_weights_of_those_it_knows(
    names: tuple[str, ...], parent: Run, tmp_path: Path
) -> None:
    before = weights(parent)
    settings = {"train.images": "128"}
    source = str(pictures(tmp_path / "zoo", *names))
    child = branch(parent.folder, tmp_path / "child", settings, source=source)
    after = weights(child)
    assert child.recipe.config.classes == len(names)
    old = ("cats", "dogs")
    for group in ("game", "average"):
        ours, theirs = after[group], before[group]
        assert torch.equal(ours["D.body.0.weight"], theirs["D.body.0.weight"])
        assert torch.equal(ours["G.first.weight"][:, :32], theirs["G.first.weight"][:, :32])
        for name in set(names) & set(old):
            new, was = names.index(name), old.index(name)
            assert torch.equal(ours["G.first.weight"][:, 32 + new], theirs["G.first.weight"][:, 32 + was])
            assert torch.equal(ours["D.head.bias"][new], theirs["D.head.bias"][was])
    opened = open_run(child.folder)
    opened.prepare(None, Ranks())
    for _ in fit(opened):
        pass
    model = load(child.folder, "cpu")
    assert (opened.finished, model.classes, model.card["items"]) == (True, list(names), 128)


def test_networks_that_differ_otherwise_are_refused(parent: Run, tmp_path: Path) -> None:
    source = str(pictures(tmp_path / "zoo", "cats", "ants", "bees"))
    with pytest.raises(UsageError, match="changes the networks"):
        branch(parent.folder, tmp_path / "child", {"train.images": "128", "config.width": "8"}, source=source)
    assert {path.name for path in tmp_path.iterdir()} == {"run", "zoo"}


def test_data_in_color_is_refused_by_a_grey_run_and_not_for_its_classes(parent: Run, tmp_path: Path) -> None:
    for name in ("cats", "ants", "bees"):
        (tmp_path / "zoo" / name).mkdir(parents=True)
        for i in range(12):
            Image.new("RGB", (28, 28), (20 + i, 60, 90)).save(tmp_path / "zoo" / name / f"{i}.png")
    told = r"^the data is in color, and the run is grey; add --set data\.channels=1, or start a new run$"
    settings, source = {"train.images": "128"}, str(tmp_path / "zoo")
    with pytest.raises(UsageError, match=told):
        branch(parent.folder, tmp_path / "child", settings, source=source)
    made = branch(parent.folder, tmp_path / "child", {**settings, "data.channels": "1"}, source=source)
    assert (made.recipe.config.channels, made.recipe.config.classes) == (1, 3)


def test_several_settings_that_change_the_networks_are_named_without_the_classes(parent: Run, tmp_path: Path) -> None:
    source = str(pictures(tmp_path / "zoo", "cats", "ants", "bees"))
    settings = {"train.images": "128", "config.width": "8", "config.critic_width": "8"}
    with pytest.raises(UsageError, match=r"^config\.\w+, config\.\w+ change the networks, and a branch"):
        branch(parent.folder, tmp_path / "child", settings, source=source)


@pytest.mark.parametrize("name", ["cgan-mnist", "stylegan2-fashion-conditional", "vae-mnist-conditional", "classifier-mnist"])
def test_every_game_with_classes_can_continue_with_others(name: str, tmp_path: Path) -> None:
    """The fields of `miniature` say which class slices there are; a restored state takes them."""
    recipe, _ = miniature(name)
    tensors, meta = dump(initial_state(recipe, PLAN))
    checkpoint.save(tmp_path, 8, tensors, {"state": meta})
    smaller = replace(recipe, config=replace(recipe.config, classes=3))
    transfer_classes(tmp_path, smaller, tuple("0123456789"), ("7", "new", "1"))
    found = checkpoint.load(tmp_path)
    assert found
    check_fits(initial_state(smaller, PLAN), found.tensors, found.meta["state"])


def test_a_weight_without_classes_is_kept_and_an_unknown_difference_refused() -> None:
    weight = torch.arange(6.0).view(2, 3)
    assert torch.equal(transfer(weight, torch.zeros(2, 3), None, (), ()), weight)
    with pytest.raises(UsageError, match="differ in more than"):
        transfer(weight, torch.zeros(2, 4), None, (), ())
    with pytest.raises(UsageError, match="does not remember its classes"):
        transfer(weight, torch.zeros(2, 4), 1, (), ("a", "b"))


def test_a_finished_run_that_shall_be_longer_names_the_branch(parent: Run) -> None:
    data = open_data(resolve_recipe("cgan-mnist", SMALL, data=str(pictures(parent.folder.parent / "pets", "cats", "dogs"))))
    parent.attach_data(data)
    longer = replace(parent.recipe, train=replace(parent.recipe.train, images=128))
    with pytest.raises(UsageError, match=r"is finished after 64 images; .* --set train\.images=128 --out NEW$"):
        parent.check(longer, None)


def test_networks_that_enlarge_what_they_draw_continue_at_another_resolution() -> None:
    drawn = miniature("fastgan-images")[0]
    before, after = (replace(drawn, config=replace(drawn.config, resolution=side)) for side in (64, 128))
    assert have_same_networks(before, after)
    before, after = (replace(drawn, config=replace(drawn.config, redraw=0, resolution=side)) for side in (32, 64))
    assert not have_same_networks(before, after)  # each resolution has layers of its own
