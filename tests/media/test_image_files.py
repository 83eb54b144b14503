"""What is saved is what was seen: pixel for pixel, with its provenance, and never half."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image, ImageSequence
from torch import Tensor

from ganvas.errors import DataError, GanvasError, ResourceError, UsageError
from ganvas.media.grid import arrange_pictures, caption, legible_scale, make_grid
from ganvas.media.image_files import Picture, save_gif, save_png, to_bytes
from ganvas.media.scatter import scatter

GREEN, PURPLE, WHITE = (27, 158, 119), (117, 112, 179), (255, 255, 255)


def noise(*shape: int, seed: int = 0) -> Tensor:
    """Uniform bytes."""
    return torch.randint(0, 256, shape, generator=torch.Generator().manual_seed(seed), dtype=torch.uint8)


def pixels(picture: Picture, mode: str = "RGB") -> list[list[list[int]]]:
    values: list[list[list[int]]] = np.asarray(picture.convert(mode)).tolist()
    return values


def read(path: Path) -> list[list[list[list[int]]]]:
    with Image.open(path) as file:
        return [pixels(frame) for frame in ImageSequence.Iterator(file)]


def has(picture: Picture, colour: tuple[int, int, int]) -> bool:
    return bool((np.asarray(picture) == colour).all(-1).any())


def test_every_byte_survives_the_way_to_floats_and_back() -> None:
    levels = torch.arange(256, dtype=torch.uint8).view(1, 1, 16, 16)
    assert torch.equal(to_bytes(levels.float() / 127.5 - 1), levels)


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64, torch.float16, torch.bfloat16])
def test_to_bytes_rounds_and_cuts(dtype: torch.dtype) -> None:
    values = torch.tensor([-9, -1, -0.99, 0.002, 0.999, 1, 9, float("inf"), float("-inf")], dtype=dtype).view(1, 1, 3, 3)
    assert to_bytes(values.requires_grad_()).flatten().tolist() == [0, 0, 1, 128, 255, 255, 255, 255, 0]


def test_a_sheet_places_each_image_where_it_belongs() -> None:
    images = torch.tensor([10, 20, 30], dtype=torch.uint8).view(3, 1, 1, 1).expand(3, 1, 2, 3)
    picture = make_grid(images, columns=2, scale=2, padding=1)
    assert (picture.mode, picture.size) == ("L", (1 + 7 + 7, 1 + 5 + 5))
    drawn = np.asarray(picture)
    assert (drawn[1:5, 1:7] == 10).all()
    assert (drawn[1:5, 8:14] == 20).all()
    assert (drawn[6:10, 1:7] == 30).all()
    drawn = drawn.copy()
    for y, x in ((1, 1), (1, 8), (6, 1)):
        drawn[y : y + 4, x : x + 6] = 255
    assert (drawn == 255).all(), "padding and the empty last cell are white"


@given(st.integers(1, 7), st.integers(1, 9), st.integers(1, 3), st.integers(0, 3), st.sampled_from([1, 3]))
def test_a_sheet_can_be_cut_up_again(n: int, columns: int, scale: int, padding: int, channels: int) -> None:
    images = noise(n, channels, 4, 5)
    drawn = np.asarray(make_grid(images, columns, scale, padding)).reshape(
        -1, make_grid(images, columns, scale, padding).width, channels
    )
    for i, image in enumerate(images):
        y = padding + i // min(columns, n) * (4 * scale + padding)
        x = padding + i % min(columns, n) * (5 * scale + padding)
        cell = drawn[y : y + 4 * scale : scale, x : x + 5 * scale : scale]
        assert cell.tolist() == image.permute(1, 2, 0).tolist()


def test_floats_and_bytes_make_the_same_sheet() -> None:
    images = noise(4, 3, 5, 5)
    assert make_grid(images.float() / 127.5 - 1, 2) == make_grid(images, 2)


def test_legible_scale() -> None:
    assert [legible_scale(size) for size in (8, 16, 28, 32, 64, 128, 256)] == [8, 4, 2, 2, 1, 1, 1]


@pytest.mark.parametrize("mode", ["L", "RGB"])
def test_a_caption_keeps_the_picture_and_its_width(mode: str) -> None:
    image = Image.new(mode, (90, 30), "black")
    short, long = caption(image, ["5 images"]), caption(image, ["12,800 images and a text that is far too long"])
    assert short.mode == mode
    assert short.size == long.size
    assert short.width == 90
    assert short.crop((0, 0, 90, 30)) == image
    assert np.asarray(short)[30:].min() < 100, "dark text"
    assert np.asarray(short)[-2:].min() == 255, "on white, with room below"
    assert caption(image, ["one", "two"]).height > short.height


def test_png_carries_its_provenance(tmp_path: Path) -> None:
    text = {
        "synthetic": "true",
        "recipe": json.dumps({"name": "gan"}),
        "seed": "7",
        "model": "a1" * 32,
        "title": "Fréchet 距離",
    }
    image = make_grid(noise(2, 3, 4, 4), 2)
    save_png(tmp_path / "a.png", image, text)
    with Image.open(tmp_path / "a.png") as file:
        assert isinstance(file, Image.Image)
        assert file.info == text
        assert pixels(file) == pixels(image)


@pytest.mark.parametrize("name", ["a.gif", "a.png", "a.apng"])
@pytest.mark.parametrize("channels", [1, 3])
def test_an_animation_is_exact_and_repeats(tmp_path: Path, name: str, channels: int) -> None:
    """Every grey is kept; so is every colour where there are no more than 256, here 6 x 36."""
    frames = [caption(make_grid(noise(1, channels, 6, 6, seed=i), 1, 4, 0), [f"{i}"]) for i in range(6)]
    if channels == 3:
        frames = [Image.fromarray(np.asarray(make_grid(noise(1, 3, 6, 6, seed=i), 1, 4, 0))) for i in range(6)]
    save_gif(tmp_path / name, frames, 70, {"synthetic": "true"})
    assert read(tmp_path / name) == [pixels(frame) for frame in frames]
    with Image.open(tmp_path / name) as file:
        assert file.info["loop"] == 0
        assert file.info["duration"] == 70
        note = json.loads(file.info["comment"]) if name == "a.gif" else {"synthetic": file.info["synthetic"]}
        assert note == {"synthetic": "true"}


def test_a_gif_of_many_colours_does_not_flicker(tmp_path: Path) -> None:
    """A region that stands still keeps its colours while the rest changes, and all colours stay near the truth."""
    still = noise(1, 3, 16, 16, seed=99)
    frames = [
        Image.fromarray(np.asarray(make_grid(torch.cat([still, noise(1, 3, 16, 16, seed=i)]), 2, 1, 0))) for i in range(5)
    ]
    save_gif(tmp_path / "a.gif", frames, 50)
    drawn = np.array(read(tmp_path / "a.gif"))
    assert (drawn[:, :, :16] == drawn[:1, :, :16]).all()
    assert np.abs(drawn - np.array([pixels(frame) for frame in frames])).mean() < 25
    assert len(np.unique(drawn.reshape(-1, 3), axis=0)) <= 256


def test_a_white_ground_stays_white_in_a_gif_of_many_colours(tmp_path: Path) -> None:
    """Though the colours around it are nearly white, as at the soft edge of a thing."""
    values = np.random.default_rng(0).integers(0, 256, (2, 40, 40, 3), np.uint8)
    values[:, 20:] = np.random.default_rng(1).integers(248, 256, (2, 20, 40, 3))
    values[:, :, 20:] = 255
    save_gif(tmp_path / "a.gif", [Image.fromarray(frame) for frame in values], 50)
    drawn = np.array(read(tmp_path / "a.gif"))
    assert (drawn.reshape(2, 40, 40, 3)[:, :, 20:] == 255).all()


def test_a_gif_s_clock(tmp_path: Path) -> None:
    frames = [make_grid(noise(1, 1, 4, 4, seed=i), 1) for i in range(2)]
    for asked, given_ in ((1, 20), (33, 30), (66, 70)):
        save_gif(tmp_path / "a.gif", frames, asked)
        with Image.open(tmp_path / "a.gif") as file:
            assert file.info["duration"] == given_
    save_gif(tmp_path / "a.png", frames, 33)
    with Image.open(tmp_path / "a.png") as file:
        assert file.info["duration"] == 33


def test_a_failed_write_leaves_the_old_file_and_nothing_else(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    image = make_grid(noise(1, 1, 4, 4), 1)
    save_png(tmp_path / "a.png", image, {})
    before = (tmp_path / "a.png").read_bytes()

    def refuse(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("os.replace", refuse)
    with pytest.raises(ResourceError, match="free some space"):
        save_gif(tmp_path / "a.png", [image, image.rotate(90)], 50)
    assert (tmp_path / "a.png").read_bytes() == before
    assert [path.name for path in tmp_path.iterdir()] == ["a.png"]


def test_points_lie_where_they_should() -> None:
    """Bounds 0 to 10 on 100 pixels, y upwards; the model's sample far outside is not drawn."""
    picture = scatter(torch.tensor([[2.0, 8.0]]), torch.tensor([[8.0, 2.0], [1e30, 5.0]]), size=100, bounds=(0, 10))
    assert picture.size == (100, 100)
    inside = {spot: picture.getpixel(spot) for spot in ((20, 20), (80, 80), (50, 50), (20, 80), (99, 50))}
    assert [colour for spot, colour in inside.items() if spot in ((50, 50), (20, 80), (99, 50))] == [WHITE] * 3
    for spot, ink in (((20, 20), GREEN), ((80, 80), PURPLE)):
        expected = [round(255 + (each - 255) * 150 / 255) for each in ink]  # translucent on white
        assert inside[spot] == pytest.approx(expected, abs=2)


def test_histograms_are_a_green_area_and_a_purple_line() -> None:
    real, fake = torch.linspace(0, 4, 1000), torch.linspace(6, 10, 1000)
    picture = scatter(real, fake[:, None], size=200, bounds=(0, 10))
    assert picture.getpixel((40, 190)) == GREEN
    assert picture.getpixel((160, 190)) == WHITE
    assert has(picture.crop((100, 0, 200, 200)), PURPLE)
    assert not has(picture.crop((100, 0, 200, 200)), GREEN)
    assert scatter(real, fake, size=200, bounds=(0, 10)) == picture


def test_the_frame_of_a_scatter_plot_depends_on_the_reals_only() -> None:
    """Green pixels stay where they are, whatever the model does: beyond the bounds, nowhere, or not yet there."""
    for real in (noise(50, 2).float(), noise(50).float()):
        alone = scatter(real, real[:0])
        assert has(alone, GREEN) or real.ndim == 2
        assert scatter(real, real + 1e6).crop((0, 0, 256, 240)) == alone.crop((0, 0, 256, 240))
    scatter(torch.ones(3, 2), torch.ones(3, 2))
    scatter(torch.ones(3), torch.ones(3))


@pytest.mark.parametrize("dims", [1, 2, 3])
def test_fakes_are_drawn_without_reals_and_in_two_dimensions(dims: int) -> None:
    fake = torch.linspace(-5, 5, 30)[:, None].expand(30, dims)
    alone = scatter(fake[:0], fake)
    assert has(alone, PURPLE) or alone.getcolors(9999) != [(256 * 256, WHITE)]
    assert not has(alone, GREEN)
    assert scatter(fake, fake) == scatter(fake[:, :2], fake[:, :2])


def test_pictures_are_arranged_in_rows_without_overlap() -> None:
    tall, wide, red = Image.new("L", (10, 30), 0), Image.new("L", (20, 5), 0), Image.new("RGB", (10, 10), "red")
    whole = np.asarray(arrange_pictures([tall, wide, tall], 2, gap=4))
    assert whole.shape == (30 + 4 + 30, 10 + 4 + 20)
    assert (whole == 0).sum() == 2 * 300 + 100
    assert (whole[34:, :10] == 0).all()
    assert (whole[:5, 14:] == 0).all()
    assert arrange_pictures([tall, red], 2).mode == "RGB"


SMALL = Image.new("L", (2, 2))


@pytest.mark.parametrize(
    ("call", "kind", "message"),
    [
        (lambda: to_bytes(torch.tensor([0.0, float("nan")])), DataError, "the images hold NaN: the model has diverged"),
        (lambda: make_grid(torch.full((1, 1, 2, 2), float("nan")), 1), DataError, "the images hold NaN"),
        (
            lambda: make_grid(noise(2, 2, 4, 4), 2),
            DataError,
            "sheet: expected images [N, 1 or 3, H, W], got shape [2, 2, 4, 4]",
        ),
        (lambda: make_grid(noise(3, 4, 4), 2), DataError, "sheet: expected images [N, 1 or 3, H, W], got shape [3, 4, 4]"),
        (lambda: make_grid(noise(0, 3, 4, 4), 2), DataError, "sheet: expected images"),
        (
            lambda: make_grid(noise(1, 1, 2, 2), 0),
            UsageError,
            "sheet: expected columns and scale >= 1, padding >= 0, got 0, 1, 2",
        ),
        (lambda: make_grid(noise(1, 1, 2, 2), 1, scale=0), UsageError, "sheet: expected columns and scale >= 1"),
        (lambda: make_grid(noise(1, 1, 2, 2), 1, padding=-1), UsageError, "sheet: expected columns and scale >= 1"),
        (lambda: save_gif("a.jpg", [SMALL], 50), UsageError, "a.jpg: expected a name that ends in .gif, .png or .apng"),
        (lambda: save_gif("a.gif", [SMALL], 0), UsageError, "milliseconds: expected more than 0, got 0"),
        (lambda: save_gif("a.gif", [], 50), DataError, "an animation needs frames of one size, got []"),
        (lambda: save_gif("a.gif", [SMALL, SMALL.resize((3, 3))], 50), DataError, "an animation needs frames of one size"),
        (lambda: save_png("/no/such/folder/a.png", SMALL, {}), ResourceError, "cannot write /no/such/folder/a.png"),
        (lambda: scatter(torch.zeros(4, 2), torch.zeros(4)), DataError, "scatter: expected samples [N, D] of one D"),
        (lambda: scatter(torch.zeros(0, 2), torch.zeros(0, 2)), DataError, "scatter: expected samples [N, D] of one D"),
        (lambda: scatter(torch.zeros(4), torch.full((4,), float("inf"))), DataError, "the samples are not finite"),
        (lambda: scatter(torch.zeros(4), torch.zeros(4), bounds=(1, 1)), UsageError, "scatter: expected bounds (low, high)"),
    ],
)
def test_a_wrong_request_is_one_clear_line(call: Callable[[], object], kind: type[GanvasError], message: str) -> None:
    with pytest.raises(kind) as error:
        call()
    assert str(error.value).startswith(message)
    assert "\n" not in str(error.value)
