"""Alignment: a scanned digit becomes one as of the data; what has no plain ground stays as it is."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from PIL import Image, ImageDraw

from ganvas.data.images import fit_to_side
from ganvas.inference.alignment import Ground


def draw_bars(n: int = 8, side: int = 28, high: int = 20) -> torch.Tensor:
    """White bars on black, `high` pixels long, in the middle."""
    pictures = torch.full((n, 1, side, side), -1.0)
    top = (side - high) // 2
    pictures[:, :, top : top + high, 12:16] = 1
    return pictures


def ground() -> Ground:
    found = Ground.of_samples(draw_bars())
    assert found is not None
    return found


def test_what_samples_look_like() -> None:
    found = ground()
    assert (found.color.tolist(), found.reach) == ([0], 255)
    assert found.size == pytest.approx(20 / 28)
    assert found.center == pytest.approx((0.5, 0.5))


@pytest.mark.parametrize("place", [(60, 20), (300, 180)])
@pytest.mark.parametrize("paper", [255, 225])
def test_ink_on_paper_becomes_light_on_dark(place: tuple[int, int], paper: int) -> None:
    x, y = place
    sheet = Image.new("RGB", (640, 400), (paper, paper - 5, paper - 20))
    ImageDraw.Draw(sheet).rectangle((x, y, x + 39, y + 199), fill=(20, 20, 60))
    noisy = np.asarray(sheet).astype(int) + np.random.default_rng(0).integers(-6, 7, (400, 640, 1))
    aligned, done = ground().align(noisy.clip(0, 255).astype(np.uint8), 28)
    assert done == "light and dark exchanged, its figure placed as in the data"
    small = fit_to_side(aligned, 28, 1, "crop")
    wanted = ((draw_bars(1) + 1) * 127.5).numpy().astype(np.uint8)[0]
    assert np.abs(small.astype(int) - wanted)[:, :, [*range(10), *range(18, 28)]].max() < 30
    assert small[0, 8:20, 13:15].min() > 225
    assert small[0, :3].max() < 30  # above the bar


def test_a_picture_of_the_data_stays() -> None:
    own = np.zeros((28, 28, 1), np.uint8)
    own[5:25, 9:20] = 200
    aligned, done = ground().align(own, 28)
    assert done == ""
    assert aligned is own


def test_the_same_size_but_dark_on_light() -> None:
    own = np.full((28, 28, 1), 255, np.uint8)
    own[4:24, 12:16] = 0
    aligned, done = ground().align(own, 28)
    assert done == "light and dark exchanged"
    assert np.array_equal(aligned, 255 - own)


@pytest.mark.parametrize("kind", ["photo", "blank", "tiny", "long"])
def test_what_has_no_figure_stays(kind: str) -> None:
    given = {
        "photo": np.random.default_rng(0).integers(0, 256, (50, 60, 3), np.uint8),
        "blank": np.full((50, 60, 3), 250, np.uint8),
        "tiny": np.full((2, 2, 3), 250, np.uint8),
        "long": np.full((3, 9_000, 3), 250, np.uint8),
    }[kind]
    aligned, done = ground().align(given, 28)
    assert (aligned is given, done) == (True, "")


def test_samples_without_a_plain_ground() -> None:
    assert Ground.of_samples(torch.rand(8, 3, 16, 16, generator=torch.Generator().manual_seed(0)) * 2 - 1) is None
    assert Ground.of_samples(torch.ones(8, 1, 16, 16)) is None  # nothing on it


def test_colors_keep_their_ground() -> None:
    """A colored figure is placed; a white ground stays white."""
    samples = torch.ones(4, 3, 32, 32)
    samples[:, 0, 4:28, 4:28] = -1
    found = Ground.of_samples(samples)
    assert found is not None
    sheet = np.full((200, 100, 3), 255, np.uint8)
    sheet[10:34, 60:84] = (200, 30, 30)
    aligned, done = found.align(sheet, 32)
    assert done == "its figure placed as in the data"
    assert aligned.shape == (32, 32, 3)
    assert (aligned[4:28, 4:28] == (200, 30, 30)).all()
    assert (aligned[:4] == 255).all()
