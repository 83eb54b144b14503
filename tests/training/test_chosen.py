"""`ganvas train --data FOLDER` and `ganvas.train(data=...)` without a recipe."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from ganvas.cli.app import app
from ganvas.errors import UsageError
from ganvas.games.recipes import resolve_recipe
from ganvas.training.api import train
from ganvas.training.chosen import choose
from ganvas.training.options import TrainOptions
from ganvas.training.run_folder import read_run

SMALL = {"config.width": 4, "config.max_width": 4, "config.latent_dim": 4, "train.snapshots": 1}


@pytest.fixture
def holiday(tmp_path: Path) -> str:
    random = np.random.default_rng(0)
    for name in ("beach", "town"):
        (tmp_path / "holiday" / name).mkdir(parents=True)
        for i in range(8):
            picture = random.integers(0, 255, (70, 90, 3), dtype=np.uint8)
            Image.fromarray(picture).save(tmp_path / "holiday" / name / f"{i}.png")
    return str(tmp_path / "holiday")


def test_options_and_settings_of_the_user_are_kept(holiday: str) -> None:
    options = TrainOptions(data=holiday, seed=3)
    name, changed, settings, told = choose(options, {"train.batch": "8", "config.resolution": "32"})
    assert name == "stylegan2-images-conditional"
    assert (changed.seed, changed.minutes, changed.data) == (3, 15, holiday)
    assert settings == {"train.batch": "8", "config.resolution": "32"}  # not that of the choice
    assert "16 color pictures of 2 classes at 64 pixels for 15 minutes" in told
    assert resolve_recipe(name, settings, **changed.recipe_fields).train.batch == 8


def test_a_number_of_images_is_a_length_too(holiday: str) -> None:
    assert choose(TrainOptions(data=holiday, images=64), {})[1].minutes is None
    _, options, _, told = choose(TrainOptions(data=holiday), {"train.images": "64"})
    assert (options.minutes, "for 64 images" in told) == (None, True)
    assert choose(TrainOptions(), {"data.source": holiday, "train.images": "64"})[0] == "stylegan2-images-conditional"


def test_neither_recipe_nor_data_is_one_line() -> None:
    with pytest.raises(UsageError, match="expected a recipe"):
        choose(TrainOptions(), {})
    with pytest.raises(UsageError, match="--data FOLDER"):
        app(["train"], exit_on_error=False, print_error=False)


def test_python_trains_without_a_recipe_and_the_command_line_continues(
    holiday: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "run"
    model = train(data=holiday, images=48, batch=16, out=out, ranks=1, precision="float32", **SMALL)
    assert list(model.classes) == ["beach", "town"]
    assert read_run(out).recipe.name == "stylegan2-images-conditional"
    words = [f"--set={name}={value}" for name, value in SMALL.items()]
    command = ["train", "--data", holiday, "--images", "48", "--batch", "16", "--out", str(out), "--precision", "float32"]
    assert app([*command, *words], result_action="return_value") == 0  # it is the same run, and finished
    told = capsys.readouterr().err
    assert "stylegan2-images-conditional: 16 color pictures of 2 classes" in told
