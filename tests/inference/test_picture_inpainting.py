"""Pictures of any kind with their holes filled: the bits outside of them, grey, transparency, 16 bits."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from support import miniature_model
from translation_tables import randomize

from ganvas.errors import UsageError
from ganvas.games.inpainting import Config, Inpainting
from ganvas.inference.picture_inpainting import inpaint_one


def game(channels: int = 3) -> Inpainting:
    torch.manual_seed(0)
    made = Inpainting(Config(resolution=32, channels=channels, width=8, dilations=(1, 2), critic_widths=(4, 4, 8)))
    randomize(made.G, 0.2)
    return made.eval()


def picture(height: int, width: int, channels: int, kind: type = np.uint8) -> np.ndarray:
    top = np.iinfo(kind).max
    return np.random.default_rng(0).integers(0, top + 1, (height, width, channels)).astype(kind)


@pytest.mark.parametrize("size", [(32, 32), (31, 45), (5, 7), (300, 17), (1, 9)])
@pytest.mark.parametrize("channels", [1, 2, 3, 4])
@pytest.mark.parametrize("kind", [np.uint8, np.uint16])
def test_pixels_outside_keep_their_bits_and_the_hole_is_filled(size: tuple[int, int], channels: int, kind: type) -> None:
    given = picture(*size, channels, kind)
    if channels in (2, 4):
        given[..., -1] = np.iinfo(kind).max
    before = given.copy()
    hole = np.zeros(size, bool)
    hole[size[0] // 4 : size[0] // 2 + 1, size[1] // 3 : size[1] // 3 + 5] = True
    made = inpaint_one(game(), given, hole)
    assert (made.shape, made.dtype) == (given.shape, given.dtype)
    assert np.array_equal(made[~hole], given[~hole])
    assert np.array_equal(given, before)
    assert (made[hole] != given[hole]).mean() > 0.4
    if channels in (2, 4):
        assert (made[..., -1] == np.iinfo(kind).max).all(), "a hole in an opaque picture becomes opaque"


def test_what_is_in_the_hole_does_not_matter() -> None:
    given, hole = picture(40, 50, 4), np.zeros((40, 50), bool)
    hole[10:25, 20:30] = True
    other = given.copy()
    other[hole] = 7
    assert np.array_equal(inpaint_one(game(), given, hole), inpaint_one(game(), other, hole))


def test_a_transparent_hole_is_as_transparent_as_what_is_around_it() -> None:
    given, hole = picture(32, 32, 4), np.zeros((32, 32), bool)
    hole[8:20, 8:20] = True
    given[..., 3] = 255
    given[hole, 3] = 0  # an erased object
    assert (inpaint_one(game(), given, hole)[..., 3] == 255).all()
    given[~hole, 3] = 0
    assert (inpaint_one(game(), given, hole)[..., 3] == 0).all()


def test_grey_stays_grey_and_a_grey_model_fills_colors() -> None:
    grey, hole = picture(32, 40, 1), np.zeros((32, 40), bool)
    hole[8:16, 8:30] = True
    assert inpaint_one(game(), grey, hole).shape == (32, 40, 1)
    color = picture(32, 40, 3)
    made = inpaint_one(game(1), color, hole)
    for k in range(3):
        alone = inpaint_one(game(1), np.ascontiguousarray(color[..., k : k + 1]), hole)
        assert np.array_equal(made[..., k : k + 1], alone)


@pytest.mark.parametrize("channels", [1, 3, 4])
def test_only_the_windows_that_changed_are_computed_again(channels: int) -> None:
    filler, given, holes = game(), picture(60, 1_200, channels), np.zeros((2, 60, 1_200), bool)
    if channels == 4:
        given[..., 3] = 255
    holes[:, 20:30, 40:50] = holes[:, 20:30, 600:610] = holes[1, 20:30, 1_150:1_160] = True
    sizes: list[int] = []
    filler.G.register_forward_pre_hook(lambda _, inputs: sizes.append(1))
    memory: dict[bytes, np.ndarray] = {}
    alone = [inpaint_one(filler, given, hole) for hole in holes]
    first = len(sizes)
    assert first == 5

    for hole, expected, more in zip(holes, alone, (2, 1), strict=True):
        assert np.array_equal(inpaint_one(filler, given, hole, memory=memory), expected)
        assert len(sizes) == first + more
        first = len(sizes)
    given[0, 600] += 1  # another picture, in one window
    inpaint_one(filler, given, holes[1], memory=memory)
    assert (len(sizes), len(memory)) == (first + 1, 3)
    inpaint_one(filler, given, holes[1], seed=1, memory=memory)
    assert (len(sizes), len(memory)) == (first + 4, 3)


def test_a_hole_far_away_changes_nothing() -> None:
    given, hole = picture(60, 900, 3), np.zeros((60, 900), bool)
    hole[20:30, 40:50] = True
    alone = inpaint_one(game(), given, hole)
    both = hole.copy()
    both[20:30, 850:860] = True
    done: list[tuple[int, int]] = []
    made = inpaint_one(game(), given, both, progress=lambda *each: done.append(each))
    assert done == [(1, 2), (2, 2)]
    assert np.array_equal(made[:, :300], alone[:, :300])


def test_the_model_from_python(tmp_path: object) -> None:
    model = miniature_model("inpaint-photos")
    images = np.stack([picture(33, 41, 3)] * 2)
    masks = np.zeros((2, 33, 41), bool)
    masks[0, 5:15, 5:15] = masks[1, 20:30, 20:30] = True
    made = model.inpaint(images, masks)
    assert np.array_equal(made[~masks], images[~masks])
    assert not np.array_equal(made, images)
    for other in (masks.astype(np.uint8), masks.astype(np.uint8) * 255, masks.astype(np.uint8) * 100 + 50):
        assert np.array_equal(model.inpaint(images, other), made)


def test_one_picture_with_one_mask_as_arrays() -> None:
    model = miniature_model("inpaint-photos")
    image, mask = picture(33, 41, 3), np.zeros((33, 41), bool)
    mask[5:15, 5:15] = True
    assert np.array_equal(model.inpaint(image, mask), model.inpaint(image[None], mask[None])[0])
    with pytest.raises(UsageError, match=r"masks: expected \[n, H, W\], found \[33, 41\]"):
        model.inpaint(image[None], mask)


def test_inputs_of_two_kinds_and_seeds_that_are_none_are_told() -> None:
    model = miniature_model("inpaint-photos")
    image, mask = picture(33, 41, 3), np.ones((33, 41), bool)
    for given in (("odd.png", mask), (image, "mask.png")):
        with pytest.raises(UsageError, match=r"^images and masks: .* or two arrays, found one of each"):
            model.inpaint(*given)
    mask[:5] = False
    for seed in (1.5, "a", None, True):
        with pytest.raises(UsageError, match="seed: expected a whole number"):
            model.inpaint(image, mask, seed=seed)  # type: ignore[arg-type]
