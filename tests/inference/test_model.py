"""A model in hand: what it draws of points and of pictures."""

from __future__ import annotations

import itertools
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image
from support import PLAN, miniature, miniature_model

from ganvas.data.table import TableDataset
from ganvas.errors import ResourceError, UsageError
from ganvas.games.recipes import resolve_recipe
from ganvas.inference.model import Model, load
from ganvas.runtime.distributed import Ranks
from ganvas.training.api import resume, train
from ganvas.training.run_folder import Run, open_run
from ganvas.training.trainer import fit


def trained(folder: Path, dims: int) -> Model:
    """A short run on points [N, dims]."""
    recipe, _ = miniature("gan-ring")
    train = replace(recipe.train, images=16)
    run = Run(folder / "run", replace(recipe, config=replace(recipe.config, shape=(dims,)), train=train), PLAN)
    run.write()
    run.data = TableDataset("points", {"real": torch.randn(48, dims)}, fingerprint="0" * 16)
    list(fit(run))
    assert (run.folder / "sheet.png").exists()
    return load(run.folder)


@pytest.mark.parametrize("dims", [1, 2, 3])
def test_points_are_drawn_and_archived(dims: int, tmp_path: Path) -> None:
    model = trained(tmp_path, dims)
    assert model.save(tmp_path / "points.png", 20).exists()
    with np.load(model.save(tmp_path / "points.npz", 20)) as arrays:
        assert arrays["points"].shape == (20, dims)
    assert model.save(tmp_path / "POINTS.PNG", 20).exists()
    for n in (0, -1):
        with pytest.raises(UsageError, match="at least 1"):
            model.sample(n)


def test_names_and_settings_lead_to_one_recipe() -> None:
    named = resolve_recipe(
        "dcgan-mnist", seed=3, batch=32, images=640, fit="pad", precision="float32", balance="off", data="fashion"
    )
    spelt = {"train.seed": 3, "train.batch": "32", "train.images": 640, "data.fit": "pad", "train.precision": "float32"}
    assert named == resolve_recipe("dcgan-mnist", {**spelt, "train.balance": "off", "data.source": "fashion"})
    assert resolve_recipe("dcgan-mnist", {"data.flip": True, "train.rates": {"D": 2}}).data.flip


@pytest.mark.parametrize(
    ("settings", "named", "says"),
    [
        ({"game": "nogame"}, {}, "unknown game 'nogame'"),
        ({"game": "dcgan"}, {}, "settings are not those of dcgan"),
        ({"config.shape": [3]}, {}, "config.shape: the data decides"),
        ({"config.point": 2}, {}, "config.point: the data decides it, not 2; leave it out"),
        ({}, {"seed": 1.5}, "train.seed: expected int, got 1.5"),
        ({}, {"sead": 1}, "unknown argument 'sead'; did you mean 'seed'"),
    ],
)
def test_wrong_requests(settings: dict[str, Any], named: dict[str, Any], says: str) -> None:
    with pytest.raises(UsageError, match=says):
        resolve_recipe("gan-ring", settings, **named)


def test_training_from_python_holds_the_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("ganvas.training.run_folder.choose_plan", lambda *_: PLAN)
    folder, held = tmp_path / "run", itertools.count()

    def playing(run: Run, ranks: Ranks, stop: Any) -> Any:
        with pytest.raises(ResourceError, match="another process"):
            open_run(folder).lock(ranks)
        next(held)
        yield from fit(run, ranks)

    monkeypatch.setattr("ganvas.training.api.fit", playing)
    train("gan-ring", out=folder, images=512, seed=2, **{"config.width": 8})
    assert next(held) == 1
    open_run(folder).lock(Ranks())  # and lets go of it
    assert resume(folder).card["recipe"]["train"]["seed"] == 2


def test_one_picture_alone_is_saved_in_its_own_pixels(tmp_path: Path) -> None:
    model = miniature_model("cgan-mnist")
    with Image.open(model.save(tmp_path / "x.png", 1, seed=5, label=7)) as picture:
        assert np.array_equal(np.asarray(picture), model.sample(1, seed=5, label=7)[0, ..., 0])
        assert picture.info["seeds"] == "5-5"
    with Image.open(model.save(tmp_path / "y.png", 2, label=7)) as sheet:
        assert sheet.width > 2 * 28


@pytest.mark.parametrize("value", [1.5, "a", None, True])
def test_what_is_no_number_is_refused_in_one_line(value: Any) -> None:
    model = miniature_model("cgan-mnist")
    for words in ({"n": value}, {"seed": value}, {"psi": value}, {"temperature": value}, {"label": value}):
        if words != {"label": None}:
            with pytest.raises(UsageError, match=r"expected a|unknown class|leave --"):
                model.sample(**words)
    if value is not None:
        with pytest.raises(UsageError, match="columns: expected a whole number"):
            model.sheet(4, columns=value)
    assert np.array_equal(model.sample(1, label=np.int64(3), seed=np.int64(2)), model.sample(1, label=3, seed=2))


def test_what_is_no_array_is_told() -> None:
    model, given = miniature_model("vae-fashion"), ["odd.png"]
    for call in (model.encode, model.decode, model.reconstruct):
        with pytest.raises(UsageError, match="found list of str; read files with Pillow"):
            call(given)
