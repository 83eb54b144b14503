"""Alignment: a scanned digit becomes one as of the data; what has no plain ground stays as it is."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from PIL import Image, ImageDraw

from ganvas.config import DataConfig
from ganvas.data.images import fit_to_side
from ganvas.data.open import open_source
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
    why = {"photo": "its ground is not plain", "blank": "nothing is on it"}.get(kind, "it is too small")
    assert (aligned is given, done) == (True, f"not aligned: {why}")


def test_samples_without_a_plain_ground() -> None:
    assert Ground.of_samples(torch.rand(8, 3, 16, 16, generator=torch.Generator().manual_seed(0)) * 2 - 1) is None
    assert Ground.of_samples(torch.ones(8, 1, 16, 16)) is None  # nothing on it


def learn_colored_squares() -> Ground:
    """What samples look like that are squares of 24 pixels on white."""
    samples = torch.ones(4, 3, 32, 32)
    samples[:, 0, 4:28, 4:28] = -1
    found = Ground.of_samples(samples)
    assert found is not None
    return found


def test_colors_keep_their_ground() -> None:
    """A colored figure is placed; a white ground stays white."""
    found = learn_colored_squares()
    sheet = np.full((200, 100, 3), 255, np.uint8)
    sheet[10:34, 60:84] = (200, 30, 30)
    aligned, done = found.align(sheet, 32)
    assert done == "its figure placed as in the data"
    assert aligned.shape == (32, 32, 3)
    assert (aligned[4:28, 4:28] == (200, 30, 30)).all()
    assert (aligned[:4] == 255).all()


def draw_seven(size: tuple[int, int], place: tuple[int, int], high: int, pen: int) -> Image.Image:
    """A seven in dark ink on light paper, `high` pixels long."""
    sheet = Image.new("L", size, 235)
    corners = [(0.1, 0.0), (0.7, 0.0), (0.3, 1.0)]
    line = [(place[0] + x * high, place[1] + y * high) for x, y in corners]
    ImageDraw.Draw(sheet).line(line, fill=40, width=pen, joint="curve")
    return sheet


def cover(sheet: Image.Image | np.ndarray, grounds: Ground) -> tuple[np.ndarray, str]:
    """The aligned picture [28, 28], and what was done."""
    aligned, done = grounds.align(np.array(sheet, np.uint8)[..., None], 28)
    return fit_to_side(aligned, 28, 1, "crop")[0], done


@pytest.fixture(scope="module")
def digits() -> Ground:
    source = open_source(DataConfig(source="mnist"), resolution=28, channels=1)
    found = Ground.of_samples(source.samples(torch.arange(128))["real"])
    assert found is not None
    return found


def box_of(picture: np.ndarray) -> tuple[int, int, int, int]:
    ys, xs = np.flatnonzero((picture > 76).any(1)), np.flatnonzero((picture > 76).any(0))
    return int(ys[0]), int(ys[-1]), int(xs[0]), int(xs[-1])


def is_seven(picture: np.ndarray) -> bool:
    top, bottom, left, right = box_of(picture)
    return (top, bottom) == pytest.approx((4, 23), abs=2) and 9 < right - left < 15 and picture[:2].max() < 40


def test_digits_that_are_grey_in_three_channels_are_drawings_too() -> None:
    """As photographs of one's own digits are: dark on light."""
    found = Ground.of_samples(-draw_bars().expand(-1, 3, -1, -1))
    assert found is not None
    assert (found.color.tolist(), found.reach) == ([255], -255)
    assert found.stroke > 0
    page = np.asarray(draw_seven((800, 600), (450, 150), 280, 28), np.float32) * np.linspace(0.5, 1, 800)
    aligned, done = found.align(np.repeat(page.astype(np.uint8)[..., None], 3, 2), 28)
    assert done.startswith("its light made even, its figure placed as in the data")
    small = fit_to_side(aligned, 28, 3, "crop")
    assert small.shape == (3, 28, 28)
    assert is_seven(255 - small[0])


def test_a_small_figure_on_a_large_page_is_found(digits: Ground) -> None:
    small, done = cover(draw_seven((2_000, 1_500), (1_500, 200), 130, 18), digits)
    assert done == "light and dark exchanged, its figure placed as in the data"
    assert is_seven(small)


@pytest.mark.parametrize("light", ["from one side", "a shadow"])
def test_uneven_light_is_made_even(light: str, digits: Ground) -> None:
    page = np.asarray(draw_seven((800, 600), (450, 150), 280, 28), np.float32)
    factor = np.linspace(0.5, 1, 800) if light == "from one side" else np.where(np.arange(800) < 260, 0.6, 1)
    small, done = cover(page * factor, digits)
    assert done.startswith("its light made even, light and dark exchanged, its figure placed")
    assert is_seven(small)


def test_a_thin_pen_is_made_as_wide_as_that_of_the_data(digits: Ground) -> None:
    wide, _ = cover(draw_seven((800, 600), (450, 150), 280, 36), digits)
    thin, done = cover(draw_seven((800, 600), (450, 150), 280, 5), digits)
    assert done.endswith("its strokes made thicker")
    assert is_seven(thin)
    assert thin.mean() > 0.7 * wide.mean()


def test_dust_and_the_edge_of_the_paper_are_no_part_of_a_drawing(digits: Ground) -> None:
    page = draw_seven((800, 600), (450, 150), 280, 28)
    alone, _ = cover(page, digits)
    draw = ImageDraw.Draw(page)
    draw.rectangle((60, 480, 72, 492), fill=30)
    draw.line([(30, 0), (30, 599)], fill=30, width=5)
    dusty, _ = cover(page, digits)
    assert np.abs(dusty.astype(int) - alone).max() < 20


def test_a_small_part_of_a_colored_figure_belongs_to_it() -> None:
    """An emoji with a drop beside it: nothing is cut off."""
    found = learn_colored_squares()
    sheet = np.full((200, 200, 3), 255, np.uint8)
    sheet[60:140, 60:140] = (200, 30, 30)
    sheet[20:30, 20:30] = (30, 30, 200)
    aligned, _ = found.align(sheet, 32)
    assert (aligned == (30, 30, 200)).all(2).sum() == 100


def test_the_same_size_but_elsewhere_on_paper(digits: Ground) -> None:
    page = draw_seven((280, 280), (150, 20), 90, 12).resize((28, 28), Image.Resampling.BOX)
    small, done = cover(page, digits)
    assert done == "light and dark exchanged, its figure placed as in the data"
    assert is_seven(small)


def test_a_picture_of_the_data_without_a_plain_ground_stays_without_a_word() -> None:
    own = np.zeros((28, 28, 1), np.uint8)
    own[:, 4:24] = 200  # a shirt from edge to edge
    for side in (28, 32):
        found = Ground.of_samples(torch.nn.functional.pad(draw_bars(), [(side - 28) // 2] * 4, value=-1.0))
        assert found is not None
        aligned, done = found.align(own, side)
        assert (aligned is own, done) == (True, "")


def test_samples_that_touch_the_border_have_a_ground() -> None:
    """Clothes fill their pictures from top to bottom; they are no drawings."""
    shirts = torch.full((8, 1, 28, 28), -1.0)
    shirts[:, :, :, 6:21] = 0.7
    found = Ground.of_samples(shirts)
    assert found is not None
    assert (found.size, found.stroke) == (1.0, 0.0)
    product = np.full((300, 400, 1), 250, np.uint8)
    product[50:250, 140:260] = 60
    aligned, done = found.align(product, 28)
    assert done == "light and dark exchanged, its figure placed as in the data"
    small = fit_to_side(aligned, 28, 1, "crop")[0]
    assert small[:, 8:20].min() > 180
    assert small[:, :4].max() < 20


def test_samples_with_grounds_of_many_colors_have_none_in_common() -> None:
    samples = torch.linspace(-1, 1, 8)[:, None, None, None].expand(8, 1, 16, 16).clone()
    samples[:, :, 4:12, 4:12] *= -1
    samples[3:5, :, 4:12, 4:12] = 1
    assert Ground.of_samples(samples) is None
