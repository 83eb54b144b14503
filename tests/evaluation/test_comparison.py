"""Models beside each other: one reference, the same noise, one table."""

from __future__ import annotations

import io
import json
import zipfile
from dataclasses import replace
from pathlib import Path

import pytest
import torch
from PIL import Image
from support import PLAN, miniature

from ganvas.cli import comparison_commands
from ganvas.cli.arguments import Measuring, Running
from ganvas.engine.autotune import initial_state
from ganvas.errors import UsageError
from ganvas.evaluation import comparison
from ganvas.games import RECIPES
from ganvas.inference import model_file
from ganvas.utils.settings import to_dict


def untrained(name: str, folder: Path) -> Path:
    """A bundle of a miniature."""
    recipe, data = miniature(name)
    if name == "voxel-shapes":  # of the size of the data
        recipe = replace(recipe, config=replace(recipe.config, resolution=RECIPES[name].config.resolution))
    torch.manual_seed(0)
    folder.mkdir()
    card = {"recipe": to_dict(recipe), "items": 7, "classes": list(data.classes)}
    model_file.save(folder / "model.safetensors", initial_state(recipe, PLAN).average, card)
    return folder


def test_pictures_are_compared_with_one_reference(tmp_path: Path) -> None:
    targets = [untrained(name, tmp_path / name) for name in ("vae-mnist", "gan-mnist", "cgan-mnist")]
    found = comparison.compare(targets, tmp_path / "out", samples=200, metrics=["fd", "sharpness"])
    assert [row.name for row in found.rows] == ["vae-mnist", "gan-mnist", "cgan-mnist"]
    assert all(set(row.measures) == {"fd200-digits", "sharpness200"} and row.seconds is None for row in found.rows)
    assert len({row.measures["fd200-digits"].floor for row in found.rows}) == 1
    assert "200 real samples of the test split of mnist" in found.text()
    assert len(found.text().splitlines()) == 6
    with Image.open(found.sheet) as sheet:
        block = 10 * 58 + 2
        assert sheet.size[0] == 4 * block + 3 * 12  # three models and the reals
        assert sheet.info["seeds"] == "0-99"
    assert json.loads((tmp_path / "out" / "comparison.json").read_text()) == found.to_dict()


def test_the_sheet_of_something_else_is_not_replaced(tmp_path: Path) -> None:
    (tmp_path / "sheet.png").write_bytes(b"samples")
    with pytest.raises(UsageError, match=r"sheet\.png: found a file that would be replaced; choose another --out"):
        comparison.compare(["cgan-mnist", "vae-fashion"], tmp_path)
    (tmp_path / "comparison.json").write_text("{}")
    comparison.require_own(tmp_path)


def test_points_are_compared_too(tmp_path: Path) -> None:
    targets = [untrained(name, tmp_path / name) for name in ("gan-ring", "gan-moons")]
    found = comparison.compare(targets, tmp_path / "out", against="ring", samples=200, metrics=["fd"])
    assert list(found.rows[1].measures) == ["fd200-points"]
    with pytest.raises(UsageError, match="at least two"):
        comparison.compare(targets[:1], tmp_path / "out")


@pytest.mark.parametrize(
    ("names", "against", "expected"),
    [
        (("gan-ring",), "ring", {"fd200-points", "recall200-points"}),
        (("voxel-shapes",), "shapes", {"connected200"}),
        (("vae-mnist", "gan-mnist"), "mnist", {"fd200-digits", "recall200-digits", "sharpness200"}),
    ],
)
def test_measures_suit_what_is_drawn(tmp_path: Path, names: tuple[str, ...], against: str, expected: set[str]) -> None:
    targets = [untrained(name, tmp_path / name) for name in names]
    found = comparison.compare([*targets, targets[0]][:2], tmp_path / "out", against=against, samples=200)
    assert (set(found.rows[0].measures), found.note, found.sheet.exists()) == (expected, "", True)


def test_pictures_without_an_extractor_are_compared_by_their_pixels(tmp_path: Path) -> None:
    targets = [untrained(name, tmp_path / name) for name in ("vae-mnist", "gan-mnist")]
    shades = torch.randint(0, 256, (44, 28, 28), dtype=torch.uint8, generator=torch.Generator().manual_seed(0))
    with zipfile.ZipFile(tmp_path / "own.zip", "w") as archive:
        for i, shade in enumerate(shades):
            Image.fromarray(shade.numpy()).save(file := io.BytesIO(), "PNG")
            archive.writestr(f"{i}.png", file.getvalue())
    found = comparison.compare(targets, tmp_path / "out", against=str(tmp_path / "own.zip"), samples=100)
    assert set(found.rows[0].measures) == {"swd22", "sharpness22"}
    assert found.sheet.exists()
    assert found.text().splitlines()[-1] == found.to_dict()["note"] == comparison.BLIND


def test_one_command_trains_and_compares(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("ganvas.training.run_folder.choose_plan", lambda *_: PLAN)
    names = ["vae-mnist", "gan-mnist-decoder"]
    for _ in range(2):  # the second time nothing is left to train
        measuring, quiet = Measuring(samples=100, metrics="sharpness"), Running(quiet=True)
        code = comparison_commands.compare(names, out=tmp_path / "c", images=256, measuring=measuring, running=quiet)
        assert code == 0
        assert capsys.readouterr().out == ""
    told = json.loads((tmp_path / "c" / "comparison.json").read_text())
    assert [row["name"] for row in told["models"]] == names
    assert all(row["items"] == 256 and row["seconds"] > 0 for row in told["models"])
    with pytest.raises(UsageError, match="did you mean 'vae-mnist'"):
        comparison_commands.compare(["vae-mnits", "vae-mnist"], out=tmp_path / "d")
    assert RECIPES["gan-mnist-decoder"].config.latent_dim == RECIPES["vae-mnist"].config.latent_dim


@pytest.mark.parametrize("text", ["", "[]", "{}", '{"seconds": "x"}', '{"seconds": NaN}', "[" * 100_000])
def test_a_damaged_result_is_a_run_of_unknown_seconds(text: str, tmp_path: Path) -> None:
    (tmp_path / "result.json").write_text(text)
    assert comparison._seconds(tmp_path) is None
    (tmp_path / "result.json").write_text('{"seconds": 3}')
    assert comparison._seconds(tmp_path) == 3.0
