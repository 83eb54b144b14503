"""A run that begins with the weights of a model: what it takes over, what it tells, and what it refuses."""

from __future__ import annotations

import hashlib
import json
import re
import shutil
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image
from support import PLAN, digest, ganvas, miniature

from ganvas.config import Recipe
from ganvas.engine import checkpoint
from ganvas.engine.autotune import initial_state
from ganvas.errors import DataError, GanvasWarning, UsageError
from ganvas.games import RECIPES
from ganvas.games.recipes import resolve_recipe
from ganvas.inference import model_file
from ganvas.inference.model import load
from ganvas.inference.sheet import make_sheet
from ganvas.media.image_files import save_png
from ganvas.runtime.distributed import Ranks
from ganvas.training import run_folder
from ganvas.training.api import train
from ganvas.training.branch import branch
from ganvas.training.initial_weights import find_fixed_parts, read_recipe_of_model, restore_start, take_over, write_start
from ganvas.training.run_folder import Run, open_run
from ganvas.training.start import start_run
from ganvas.training.trainer import fit
from ganvas.utils.settings import to_dict

GAMES_ONCE = tuple({recipe.game: name for name, recipe in RECIPES.items()}.values())
SMALL = {"config.width": "4", "config.max_width": "8", "config.head": "8", "train.batch": "8", "config.critic_width": "4"}
SMALL |= {"train.checkpoint_every": "16", "train.snapshots": "2", "train.precision": "float32", "data.held_out": "0"}


@pytest.fixture(autouse=True)
def quick_plan(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(run_folder, "choose_plan", lambda *_: PLAN)


def pictures(folder: Path, *names: str, mode: str = "L") -> str:
    """Twelve pictures of each class; of none, in the folder itself."""
    random = np.random.default_rng(len(names))
    for number, name in enumerate(names or (".",)):
        (folder / name).mkdir(parents=True)
        for i in range(12):
            pixels = random.integers(40 * number, 40 * number + 99, (28, 28, 3), dtype=np.uint8)
            Image.fromarray(pixels).convert(mode).save(folder / name / f"{i}.png")
    return str(folder)


def finish(run: Run) -> Run:
    for _ in fit(run):
        pass
    return run


def begin(recipe: str | Recipe, out: Path, model: Path | None = None, **named: Any) -> Run:
    return start_run(resolve_recipe(recipe, SMALL if isinstance(recipe, str) else {}, **named), out=out, from_model=model)


@pytest.fixture
def source(tmp_path: Path) -> Path:
    """A finished run on cats and dogs."""
    return finish(begin("cgan-mnist", tmp_path / "source", data=pictures(tmp_path / "pets", "cats", "dogs"), images=40)).folder


def on_other_data(source: Path, out: Path, *names: str, **named: Any) -> Run:
    folder = out.parent / "-".join(names)
    recipe = read_recipe_of_model(source, other_data=True)
    return begin(recipe, out, source, data=pictures(folder, *names) if not folder.exists() else str(folder), **named)


def test_it_begins_with_the_averaged_weights_of_the_model(source: Path, tmp_path: Path) -> None:
    run = on_other_data(source, tmp_path / "run", "cats", "dogs", images=32)
    steps = fit(run)
    next(steps)
    steps.close()
    found = checkpoint.load(run.folder / "checkpoints")
    assert found
    assert found.items == 0
    assert not any(name.startswith("optimizer") and tensors for name, tensors in found.tensors.items()), "new moments"
    whole = model_file.load(source, discriminator=True)[0].state_dict()
    for group in ("game", "average"):
        assert all(torch.equal(found.tensors[group][name], weight) for name, weight in whole.items())
    first = sorted((run.folder / "samples").glob("*.png"))[0]
    sheet = make_sheet(load(source, "cpu").game, run.data)
    assert sheet is not None
    save_png(tmp_path / "expected.png", sheet, {})
    assert first.name == "000000.000k.png"
    assert np.array_equal(np.asarray(Image.open(first)), np.asarray(Image.open(tmp_path / "expected.png")))


def test_it_says_what_it_took_over_and_notes_the_origin(source: Path, tmp_path: Path) -> None:
    run = on_other_data(source, tmp_path / "run", "cats", "dogs", images=16)
    total = sum(weight.numel() for weight in model_file.load(source, discriminator=True)[0].state_dict().values())
    assert run.notice == f"took over all {total:,} weights from {source} (cgan-mnist, 40 images): G, D"
    sha = hashlib.sha256((source / "model.safetensors").read_bytes()).hexdigest()
    origin = {"name": "source", "sha256": sha, "recipe": "cgan-mnist", "items": 40}
    assert json.loads((run.folder / "env.json").read_text())["origin"] == origin
    assert finish(run).finished
    assert model_file.read_card(run.folder)["from_model"] == origin
    assert open_run(run.folder).origin == origin
    child = branch(run.folder, tmp_path / "child", {"train.images": "64"})
    assert open_run(child.folder).origin == origin
    assert "from_model" not in model_file.read_card(source)


def test_other_classes_keep_what_they_share(source: Path, tmp_path: Path) -> None:
    run = on_other_data(source, tmp_path / "run", "birds", "cats", "dogs", images=16)
    whole = model_file.load(source, discriminator=True)[0].state_dict()
    kept = sum(weight.numel() for weight in whole.values())
    first, head = whole["G.first.weight"], whole["D.head.weight"]
    total = kept + len(first) + head.shape[1] + 1
    assert run.notice.startswith(f"took over {kept:,} of {total:,} weights from {source} ")
    assert run.notice.endswith(": G, D; new: the class birds")
    start = checkpoint.load(run.folder / "start")
    assert start
    now = start.tensors["game"]
    for ours, theirs in ((1, 0), (2, 1)):
        assert torch.equal(now["G.first.weight"][:, 32 + ours], first[:, 32 + theirs])
        assert torch.equal(now["D.head.weight"][ours], head[theirs])
    assert finish(run).finished
    assert load(run.folder, "cpu").classes == ["birds", "cats", "dogs"]


def test_classes_that_are_not_used_are_told(tmp_path: Path) -> None:
    data = pictures(tmp_path / "pets", "cats", "dogs")
    small = {name: text for name, text in SMALL.items() if name != "config.critic_width"}
    first = finish(begin(resolve_recipe("dcgan-images", small, data=data, images=32), tmp_path / "first")).folder
    run = on_other_data(first, tmp_path / "run", "cats", "dogs", images=16)
    assert run.notice.endswith("; the 2 classes of the data are not used: the model has none")


def test_a_bundle_alone_gives_its_generator(source: Path, tmp_path: Path) -> None:
    alone = Path(shutil.copy(source / "model.safetensors", tmp_path / "shared.safetensors"))
    run = begin(read_recipe_of_model(alone, other_data=True), tmp_path / "run", alone, data=str(tmp_path / "pets"), images=16)
    assert run.notice.endswith(": G; new: D (shared.discriminator.safetensors is not there)")
    start = checkpoint.load(run.folder / "start")
    assert start
    assert {name.partition(".")[0] for name in start.tensors["game"]} == {"G"}
    assert finish(run).finished


def test_the_same_command_makes_the_same_bits_and_goes_on_after_an_interruption(source: Path, tmp_path: Path) -> None:
    runs = [finish(on_other_data(source, tmp_path / name, "cats", "emus", images=64)) for name in ("one", "two")]
    assert digest(runs[0].folder) == digest(runs[1].folder)
    broken = on_other_data(source, tmp_path / "three", "cats", "emus", images=64)
    for _ in fit(broken, stop=lambda: True):
        pass
    shutil.rmtree(source)  # the model is not needed any more
    again = open_run(broken.folder)
    again.prepare(None, Ranks())
    assert finish(again).finished
    assert digest(again.folder) == digest(runs[0].folder)


def test_a_run_that_lost_its_checkpoints_begins_with_the_model_again(source: Path, tmp_path: Path) -> None:
    whole = finish(on_other_data(source, tmp_path / "whole", "cats", "emus", images=32))
    broken = on_other_data(source, tmp_path / "broken", "cats", "emus", images=32)
    for _ in fit(broken, stop=lambda: True):
        pass
    shutil.rmtree(broken.folder / "checkpoints")
    told = next(fit(open_run(broken.folder))).events
    assert any(event.endswith("from 0 images, with the weights of the model that it began with") for event in told)
    shutil.rmtree(broken.folder / "checkpoints")
    assert digest(finish(open_run(broken.folder)).folder) == digest(whole.folder)
    lost = on_other_data(source, tmp_path / "lost", "cats", "emus", images=32)
    weights = lost.folder / "start" / "000000000" / "game.safetensors"
    weights.write_bytes(weights.read_bytes()[:-1])
    with pytest.raises(DataError, match=r"start: the weights that this run began with cannot be read: .*; start it again"):
        finish(open_run(lost.folder))


def test_a_branch_of_such_a_run_has_no_other_start_than_its_checkpoint(source: Path, tmp_path: Path) -> None:
    whole = finish(on_other_data(source, tmp_path / "whole", "cats", "emus", images=32))
    child = branch(whole.folder, tmp_path / "child", {"train.images": "64"})
    shutil.rmtree(child.folder / "checkpoints")
    with pytest.raises(DataError, match=r"child is a branch and none of its checkpoints can be used"):
        finish(open_run(child.folder))


def test_a_start_that_was_cut_off_is_repeated(source: Path, tmp_path: Path) -> None:
    out = tmp_path / "run"
    whole = on_other_data(source, out, "cats", "emus", images=16)
    (out / "recipe.json").unlink()
    (out / "start" / "000000000" / "game.safetensors").write_bytes(b"")
    again = on_other_data(source, out, "cats", "emus", images=16)
    assert again.origin == whole.origin
    assert finish(again).finished


def test_the_same_command_continues_and_another_model_is_refused(source: Path, tmp_path: Path) -> None:
    run = on_other_data(source, tmp_path / "run", "cats", "emus", images=16)
    again = on_other_data(source, run.folder, "cats", "emus", images=16)
    assert (again.origin, again.notice) == (run.origin, "")
    other = Path(shutil.copytree(source, tmp_path / "other"))
    game, card = model_file.load(other, discriminator=True)
    model_file.save(other / "model.safetensors", game, {**card, "items": 41})
    with pytest.raises(UsageError, match=r"holds a run that did not begin with .*other; choose another --out"):
        start_run(run.recipe, out=run.folder, from_model=other)
    with pytest.raises(UsageError, match="did not begin with"):
        start_run(open_run(source).recipe, out=source, from_model=other)


@pytest.mark.parametrize(
    ("settings", "told"),
    [
        ({"config.resolution": "32"}, r"config\.resolution: expected 28, as of .*source, got 32; .*config\.resolution=28"),
        ({"config.width": "8"}, r"config\.width: expected 4, as of .*source, got 8; set it with --set config\.width=4"),
        ({"config.critic_width": "8"}, r"config\.critic_width: expected 4"),
        ({"config.channels": "3"}, r"config\.channels: expected 1, as of .*source, got 3"),
        ({"config.rules.r1_gamma": "2", "config.head": "16"}, r"config\.head: expected 8"),  # the rules do not matter
    ],
)
def test_other_networks_are_refused_with_their_first_difference(
    settings: dict[str, str], told: str, source: Path, tmp_path: Path
) -> None:
    recipe = resolve_recipe("cgan-mnist", {**SMALL, **settings}, data=str(tmp_path / "pets"), images=16)
    with pytest.raises(UsageError, match=told):
        start_run(recipe, out=tmp_path / "run", from_model=source)
    assert not (tmp_path / "run").exists()


def test_another_game_is_refused(source: Path, tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=r"game: expected cgan, as of .*source, got dcgan; leave the recipe out"):
        start_run(resolve_recipe("dcgan-mnist", data=str(tmp_path / "pets")), out=tmp_path / "run", from_model=source)


def test_a_model_of_another_game_that_computes_its_pairs_can_be_trained_on_any_pictures(tmp_path: Path) -> None:
    for i in range(3):
        Image.new("RGB", (64, 64), (40 * i, 9, 90)).save(tmp_path / f"{i}.png")
    recipe = resolve_recipe("fastgan-images", data=str(tmp_path), images=16)
    with pytest.raises(UsageError, match=r"expected srgan, as of sr-photos, got fastgan; leave the recipe out"):
        start_run(recipe, out=tmp_path / "run", from_model=Path("sr-photos"))


def test_pictures_without_classes_are_no_way_in_a_circle(source: Path, tmp_path: Path) -> None:
    """Each advice works: neither the other recipe nor the model of classes takes such pictures, so it is without --from."""
    plain = pictures(tmp_path / "plain")
    for call in (
        lambda: begin(read_recipe_of_model(source, other_data=True), tmp_path / "run", source, data=plain),
        lambda: train(data=plain, from_model=source, out=tmp_path / "run"),
    ):
        with pytest.raises(
            DataError, match=r"cgan needs classes .*one folder per class, or leave --from out and name no recipe: ganvas"
        ):
            call()
    with pytest.raises(
        UsageError, match=r"expected cgan, as of .*source, got dcgan; leave --from out: cgan cannot be trained on"
    ):
        start_run(resolve_recipe("dcgan-mnist", data=plain), out=tmp_path / "run", from_model=source)
    with pytest.raises(DataError, match=r"cgan needs images.* leave --from out and use a textgan-"):
        train(data="names", from_model=source, out=tmp_path / "run")
    with pytest.raises(DataError, match=r"or start a new run and name no recipe: ganvas"):
        branch(source, tmp_path / "run", {}, source=plain)
    assert not (tmp_path / "run").exists()


def test_other_rules_are_no_other_networks(source: Path, tmp_path: Path) -> None:
    recipe = resolve_recipe(
        "cgan-mnist", {**SMALL, "config.rules.r1_gamma": "2"}, data=str(tmp_path / "pets"), images=16, objective="hinge"
    )
    assert "all" in start_run(recipe, out=tmp_path / "run", from_model=source).notice


def test_text_of_another_alphabet_is_refused(tmp_path: Path) -> None:
    """Networks of the same shape would take one letter for another."""
    for name, letters in (("one", "abc"), ("two", "abd")):
        (tmp_path / f"{name}.txt").write_text("\n".join(letters[i % 3] * (1 + i % 4) for i in range(60)))
    small = {"config.width": "8", "config.embedding": "4", "train.batch": "8", "data.held_out": "0"}
    first = start_run(resolve_recipe("textgan-names", small, data=str(tmp_path / "one.txt"), images=16), out=tmp_path / "run")
    finish(first)
    recipe = resolve_recipe(read_recipe_of_model(first.folder, other_data=True), {}, data=str(tmp_path / "two.txt"))
    with pytest.raises(UsageError, match=r"config\.alphabet: expected .*abc.*, got .*abd.*; choose data of the same shape"):
        start_run(recipe, out=tmp_path / "other", from_model=first.folder)


def test_what_is_no_model_is_said_in_one_line(source: Path, tmp_path: Path) -> None:
    data = str(tmp_path / "pets")
    second = source / "model.discriminator.safetensors"
    good = second.read_bytes()
    for spoil, told in (
        (lambda: None, "absent: No such file"),
        (lambda: second.write_bytes(good[:-1]), r"model\.discriminator\.safetensors: "),
        (lambda: second.write_bytes(good[:-1] + bytes([good[-1] ^ 1])), r"SHA-256 differs"),
        (lambda: (source / "model.safetensors").write_bytes(b"x"), "model.safetensors: not a safetensors file"),
    ):
        spoil()
        model = tmp_path / "absent" if "absent" in told else source
        done = ganvas("train", "--data", data, "--from", model, "--images", 16, "--out", "run", cwd=tmp_path)
        assert done.returncode == 3
        assert done.stderr.count("\n") == 1
        assert re.search(told, done.stderr)
        assert not (tmp_path / "run").exists()


def test_the_command_line_and_python_take_the_recipe_of_the_model(
    source: Path, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    words = ("train", "--data", tmp_path / "pets", "--from", source, "--images", 16, "--ranks", 1, "--out")
    done = ganvas(*words, "run", cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    told = rf"took over all [0-9,]+ weights from {re.escape(str(source))} \(cgan-mnist, 40 images\): G, D\n"
    few = "warning: there are 24 samples; training needs hundreds\n"
    assert re.match(re.escape(few) + told, done.stderr)
    with pytest.warns(GanvasWarning, match="there are 24 samples"):
        model = train(data=tmp_path / "pets", from_model=str(source), images=16, ranks=1, out=tmp_path / "python")
    assert caplog.messages[0].startswith("took over all")
    assert model.card["from_model"]["recipe"] == "cgan-mnist"
    assert digest(tmp_path / "run") == digest(tmp_path / "python")


def test_minutes_become_images_of_the_new_run(source: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("ganvas.training.trainer.images_in_minutes", lambda *_: (24, 100.0))
    recipe = resolve_recipe(read_recipe_of_model(source, other_data=False), {}, minutes=1)
    run = finish(start_run(recipe, out=tmp_path / "run", minutes=1, from_model=source))
    assert run.result["items"] == 24
    assert run.origin is not None


@pytest.mark.parametrize("name", GAMES_ONCE)
def test_every_game_takes_over_all_of_its_weights(name: str, tmp_path: Path) -> None:
    recipe, data = miniature(name)
    state = initial_state(recipe, PLAN)
    card = {"recipe": to_dict(recipe), "classes": list(data.classes), "items": 8}
    model_file.save(tmp_path / "model.safetensors", state.average, card)
    again = replace(recipe, train=replace(recipe.train, seed=7))
    weights = take_over(tmp_path, again, data)
    assert weights.text.startswith("took over all ")
    write_start(tmp_path, weights)
    other = initial_state(again, PLAN)
    restore_start(other, tmp_path)
    for ours, theirs in ((other.game, state.game), (other.average, state.average)):
        assert all(torch.equal(a, b) for a, b in zip(ours.state_dict().values(), theirs.state_dict().values(), strict=True))


def test_points_take_over_networks_but_not_their_units(tmp_path: Path) -> None:
    for name, center in (("one", 50.0), ("two", -900.0)):
        points = np.random.default_rng(1).normal(center, 5, (200, 2))
        (tmp_path / f"{name}.csv").write_text("\n".join(f"{x:.3f},{y:.3f}" for x, y in points))
    small = {"config.width": "8", "config.depth": "1", "train.batch": "16", "data.held_out": "0"}
    first = finish(start_run(resolve_recipe("gan-ring", small, data=str(tmp_path / "one.csv"), images=64), out=tmp_path / "a"))
    recipe = resolve_recipe(read_recipe_of_model(first.folder, other_data=True), {}, data=str(tmp_path / "two.csv"))
    second = start_run(recipe, out=tmp_path / "b", from_model=first.folder)
    assert second.recipe.data.center[0] == pytest.approx(-900, abs=2)
    assert "all" in take_over(first.folder, second.recipe, second.data).text


def test_networks_that_never_learn_are_not_counted(tmp_path: Path) -> None:
    """The network that draws FastGAN's samples again comes with ganvas; a model brings nothing of it."""
    recipe, data = miniature("fastgan-images")
    recipe = replace(recipe, config=replace(recipe.config, resolution=64, channels=1))
    game = initial_state(recipe, PLAN).average
    fixed = sum(weight.numel() for name, weight in game.state_dict().items() if name.startswith("redraw."))
    assert fixed > 100_000
    model_file.save(tmp_path / "model.safetensors", game, {"recipe": to_dict(recipe), "items": 7, "classes": []})
    alone = shutil.copy(tmp_path / "model.safetensors", tmp_path / "alone.safetensors")
    total = sum(weight.numel() for weight in game.state_dict().values()) - fixed
    of_g = sum(weight.numel() for weight in game.G.state_dict().values())
    text = take_over(Path(alone), recipe, data).text
    begin_, _, end = text.partition(" from ")
    assert begin_ == f"took over {of_g:,} of {total:,} weights"
    assert ": G; new: D, decoder (alone.discriminator.safetensors is not there); the 10 classes" in end


def test_groups_that_a_run_found_are_taken_over() -> None:
    game = initial_state(miniature("cgan-mnist-groups")[0], PLAN).game
    assert find_fixed_parts(game) == ()
    assert find_fixed_parts(initial_state(miniature("stylegan2-fashion")[0], PLAN).game) == ()
