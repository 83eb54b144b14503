"""The voxel game: its data, what is refused, what becomes of its samples, and how they are measured."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image
from support import PLAN, miniature
from torch import nn

from ganvas.config import DataConfig
from ganvas.core.game import Step
from ganvas.data.builtin.voxel_shapes import COUNTS
from ganvas.data.open import open_source
from ganvas.data.report import inspect
from ganvas.engine.autotune import initial_state
from ganvas.errors import DataError, UsageError
from ganvas.evaluation.evaluate import evaluate
from ganvas.games import RECIPES
from ganvas.games.gan3d import Config, Generator, VoxelGAN
from ganvas.games.recipes import adapt_recipe
from ganvas.inference import model_file
from ganvas.inference.model import load
from ganvas.inference.sheet import make_sheet
from ganvas.layers.pixel_shuffle3d import PixelShuffle3d, PixelUnshuffle3d, shift_volume
from ganvas.utils.settings import to_dict

TINY = Config(latent_dim=4, width=4, critic_width=4, max_width=8, head=8)


@pytest.fixture
def few(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """A handful of built-in solids, in a cache of their own."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    monkeypatch.setitem(COUNTS, "train", 240)
    monkeypatch.setitem(COUNTS, "test", 120)


def bundled(tmp_path: Path, name: str, **config: object) -> Path:
    """A bundle of an untrained game of solids; an artist fills one voxel of every eight."""
    recipe = RECIPES[name]
    recipe = replace(recipe, config=replace(recipe.config, **config))
    card = {"recipe": to_dict(recipe), "items": 0, "classes": ["chair", "table", "lamp", "plane"]}
    game = initial_state(recipe, PLAN).average
    if isinstance(game, VoxelGAN):
        last = game.G.rest[-3]
        torch.nn.init.zeros_(last.weight)
        last.bias.copy_(torch.tensor([1.0] + [-1.0] * 7))
    model_file.save(tmp_path / f"{name}.safetensors", game, card)
    return tmp_path / f"{name}.safetensors"


@pytest.fixture
def untrained(tmp_path: Path) -> Path:
    return bundled(tmp_path, "voxel-shapes", latent_dim=4, width=4, critic_width=4, max_width=8, head=8)


def test_gather_and_scatter_are_each_others_inverse() -> None:
    x = torch.randn(2, 3, 4, 6, 8)
    assert PixelUnshuffle3d()(x).shape == (2, 24, 2, 3, 4)
    assert torch.equal(PixelShuffle3d()(PixelUnshuffle3d()(x)), x)
    block = PixelUnshuffle3d()(x)[0, :8, 1, 2, 3]
    assert torch.equal(block, x[0, 0, 2:4, 4:6, 6:8].flatten())


def test_shifting_moves_each_sample_by_its_own_way() -> None:
    x = torch.arange(2 * 27.0).view(2, 1, 3, 3, 3)
    moved = shift_volume(x, 1, torch.tensor([[1, 1, 1], [2, 1, 0]]))
    assert torch.equal(moved[0], x[0])
    assert torch.equal(moved[1, 0, :2, :, 1:], x[1, 0, 1:, :, :2])
    assert bool((moved[1, 0, 2] == -1).all())
    assert bool((moved[1, 0, :, :, 0] == -1).all())


def test_solids_in_solids_out() -> None:
    game = VoxelGAN(TINY)
    solids = game.sample(torch.randn(3, 4), torch.tensor([0, 1, 3]))
    assert solids.shape == (3, 1, 32, 32, 32)
    assert bool((solids.abs() <= 1).all())
    assert game.judge(solids, torch.tensor([0, 1, 3])).shape == (3,)


def test_g_refines_each_resolution_after_the_first() -> None:
    plain, refined = (Generator(replace(TINY, refine=n)) for n in (0, 2))
    convolutions = [[part for part in net.rest if type(part) is nn.Conv3d] for net in (plain, refined)]
    assert [part.out_channels for part in convolutions[0]] == [8]
    assert [part.out_channels for part in convolutions[1]] == [8, 8, 4, 4, 8]
    assert refined(torch.randn(2, 4), torch.tensor([0, 3])).shape == (2, 1, 32, 32, 32)
    with pytest.raises(UsageError, match=r"config\.refine"):
        replace(TINY, refine=-1)


def test_the_penalty_reaches_the_volume_critic() -> None:
    recipe, data = miniature("voxel-shapes")
    game = initial_state(recipe, PLAN).game
    duel = game.turns()[0].loss.__self__  # type: ignore[attr-defined]
    duel.penalties(data.samples(torch.arange(8)), Step())["R1"].backward()
    reached = [p.grad is not None and bool(p.grad.abs().sum() > 0) for p in game.player_parameters("D")]
    assert sum(reached) >= 3


def test_games_name_the_data_they_cannot_take(few: None) -> None:
    solids = open_source(DataConfig(source="shapes", split="test"))
    with pytest.raises(DataError, match=r"cgan needs images and shapes holds solids \[N, 1, 32, 32, 32\]; use a voxel-"):
        adapt_recipe(RECIPES["cgan-mnist"], solids)
    points = open_source(DataConfig(source="ring", split="test"))
    with pytest.raises(DataError, match=r"voxel needs solids and ring holds points \[N, 2\]; use a gan-"):
        adapt_recipe(RECIPES["voxel-shapes"], points)
    pictures = replace(solids, fields={"real": solids.fields["real"][:, :, 0], "label": solids.fields["label"]}, name="p")
    with pytest.raises(DataError, match="voxel needs solids and p holds images"):
        adapt_recipe(RECIPES["voxel-shapes"], pictures)
    assert adapt_recipe(RECIPES["classifier-mnist"], solids).config.dims == 3  # takes either
    assert adapt_recipe(RECIPES["classifier-shapes"], pictures).config.dims == 2


def test_a_report_on_solids(few: None, tmp_path: Path) -> None:
    report = inspect("shapes", split="test")
    first, second, *_ = report.text().splitlines()
    assert first == "shapes: built-in solids of 32 x 32 x 32 voxels, 120 solids"
    assert second == "classes: 4, of 30 to 30 solids"
    report.preview(tmp_path / "p.png")
    with Image.open(tmp_path / "p.png") as image:
        assert image.size[0] > 500


def test_samples_as_sheet_archive_film_and_mesh(
    untrained: Path, tmp_path: Path, few: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    model = load(untrained)
    model.save(tmp_path / "s.png", 4)
    model.save(tmp_path / "s.npz", 3, label="lamp")
    with np.load(tmp_path / "s.npz") as archive:
        assert archive["voxels"].shape == (3, 32, 32, 32)
        assert set(np.unique(archive["voxels"])) <= {0, 1}
        assert archive["labels"].tolist() == [2, 2, 2]
    made: list[tuple[str, int]] = []
    monkeypatch.setattr("ganvas.inference.model.save_solids", lambda path, solids, *_: made.append((path.name, len(solids))))
    for name, count in (("s.gif", None), ("s.stl", None), ("s.obj", 3)):
        model.save(tmp_path / name, count)
    assert made == [("s.gif", 4), ("s.stl", 1), ("s.obj", 3)]
    model.interpolate(tmp_path / "walk.gif", [1, 2], 3, label=["chair", "lamp"])
    with pytest.raises(UsageError, match=r"\.png, .*\.npz, \.gif, \.obj, \.stl, or none for a folder"):
        model.save(tmp_path / "s.ply")
    image = make_sheet(model.game, open_source(DataConfig(source="shapes", split="test")))
    assert image is not None
    assert image.height == 4 * 66 + 2
    assert 10 * 66 + 2 < image.width < 10 * 66 + 100  # the names of the classes stand at the left


def test_solids_are_measured_by_a_classifier_of_solids(untrained: Path, tmp_path: Path, few: None) -> None:
    report = evaluate(untrained, samples=100)
    assert report.measures["connected100"].value == 0
    assert report.measures["connected100"].floor == 1
    assert not any(name.startswith(("swd", "msssim", "fd")) for name in report.measures)
    assert any("classifier-shapes" in note for note in report.notes)
    assert report.memorisation is not None
    judge = bundled(tmp_path, "classifier-shapes", widths=(4, 4, 4), features=4)
    report = evaluate(untrained, samples=100, metrics=["requested"], network=str(judge))
    assert set(report.measures) == {"requested100-classifier-shapes"}
    with pytest.raises(UsageError, match="compares pictures, and these are voxels"):
        evaluate(untrained, samples=100, metrics=["swd"])
