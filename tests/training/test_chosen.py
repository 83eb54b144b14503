"""`ganvas train --data FOLDER` and `ganvas.train(data=...)` without a recipe."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from ganvas.cli.app import app
from ganvas.errors import GanvasWarning, UsageError
from ganvas.games.recipe_choice import GROUPED
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
    assert name == "fastgan-images-conditional"
    assert (changed.seed, changed.minutes, changed.data) == (3, 15, holiday)
    assert settings == {"train.batch": "8", "config.resolution": "32"}  # not that of the choice
    assert "16 color pictures of 2 classes at 32 pixels for 15 minutes" in told  # what is trained
    assert resolve_recipe(name, settings, **changed.recipe_fields).train.batch == 8


def test_a_number_of_images_is_a_length_too(holiday: str) -> None:
    assert choose(TrainOptions(data=holiday, images=64), {})[1].minutes is None
    with pytest.raises(UsageError, match="images"):  # not: two lengths
        choose(TrainOptions(data=holiday, images=0), {})
    _, options, _, told = choose(TrainOptions(data=holiday), {"train.images": "64"})
    assert (options.minutes, "for 64 images" in told) == (None, True)
    assert choose(TrainOptions(), {"data.source": holiday, "train.images": "64"})[0] == "fastgan-images-conditional"


def test_the_line_has_what_the_user_has_set(holiday: str) -> None:
    options = TrainOptions(data=holiday, minutes=60)
    assert "at 64 pixels" in choose(options, {})[3]
    assert "at 128 pixels for 60 minutes" in choose(options, {"config.resolution": 128})[3]
    assert "augmented" in choose(options, {})[3]
    for changed, settings in ((TrainOptions(data=holiday, balance="off"), {}), (options, {"train.balance": "off"})):
        assert "augmented" not in choose(changed, settings)[3]
    grey = choose(options, {"config.channels": "1"})
    assert "16 grey pictures" in grey[3]
    with pytest.raises(UsageError, match=r"config\.resolution"):
        choose(options, {"config.resolution": "banana"})


@pytest.mark.parametrize("minutes", [0, 0.009, -1, float("inf"), float("nan"), 1e9])
def test_an_endless_training_is_refused_before_the_data_is_read(minutes: float) -> None:
    with pytest.raises(UsageError, match=r"minutes: expected a number from 0\.01 to 5,256,000"):
        choose(TrainOptions(data="nowhere", minutes=minutes), {})


def test_neither_recipe_nor_data_is_one_line() -> None:
    with pytest.raises(UsageError, match="expected a recipe"):
        choose(TrainOptions(), {})
    with pytest.raises(UsageError, match="--data FOLDER"):
        app(["train"], exit_on_error=False, print_error=False)


def test_python_trains_without_a_recipe_and_the_command_line_continues(
    holiday: str, tmp_path: Path, capsys: pytest.CaptureFixture[str], caplog: pytest.LogCaptureFixture
) -> None:
    out = tmp_path / "run"
    with pytest.warns(GanvasWarning, match="there are 16 samples; training needs hundreds"):
        model = train(data=holiday, images=48, batch=16, out=out, ranks=1, precision="float32", **SMALL)
    assert [told.partition(" at ")[0] for told in caplog.messages] == [
        "fastgan-images-conditional: 16 color pictures of 2 classes"
    ]
    assert list(model.classes) == ["beach", "town"]
    assert read_run(out).recipe.name == "fastgan-images-conditional"
    words = [f"--set={name}={value}" for name, value in SMALL.items()]
    command = ["train", "--data", holiday, "--images", "48", "--batch", "16", "--out", str(out), "--precision", "float32"]
    assert app([*command, *words], result_action="return_value") == 0  # it is the same run, and finished
    told = capsys.readouterr().err
    assert "fastgan-images-conditional: 16 color pictures of 2 classes" in told


def test_digits_without_classes_go_all_the_way(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Train, sample, measure, examine, continue, branch, and begin another run with the model: by the commands of a user."""
    monkeypatch.chdir(tmp_path)
    digits = np.random.default_rng(0).integers(0, 255, (GROUPED, 32, 32), dtype=np.uint8)
    np.save("digits.npy", digits)
    np.save("others.npy", 255 - digits)
    small = [f"--set=config.{name}=4" for name in ("width", "critic_width", "max_width", "head")] + ["--set=train.snapshots=1"]
    how = ["--precision", "float32", "--ranks", "1", "--batch", "16"]

    def call(*words: str) -> None:
        assert app(
            [*words, "--quiet"] if words[0] not in ("doctor", "branch") else list(words), result_action="return_value"
        ) in (
            0,
            None,
        )

    call("train", "--data", "digits.npy", "--images", "64", "--out", "run", *how, *small)
    recipe = read_run(Path("run")).recipe
    assert (recipe.name, recipe.config.groups, recipe.config.resolution) == ("cgan-mnist-groups", GROUPED // 50, 32)
    call("sample", "run", "-n", "4", "--out", "sheet.png")
    call("eval", "run", "--samples", "100")
    call("doctor", "run")
    call("branch", "run", "--out", "longer", "--set", "train.images=128")
    call("resume", "longer")
    assert read_run(Path("longer")).result["items"] == 128
    call("train", "--data", "others.npy", "--from", "run", "--images", "32", "--out", "other", "--ranks", "1")
    assert read_run(Path("other")).recipe.config == recipe.config
    assert Path("sheet.png").stat().st_size > 0
