"""The smooth fill: Laplace's equation in the hole, the very bits outside."""

from __future__ import annotations

import pytest
import torch

from ganvas.data.masks import masks_of_seeds
from ganvas.layers.smooth_fill import EXACT, fill_smoothly


def picture(height: int = 48, width: int = 48) -> torch.Tensor:
    return torch.rand(1, 3, height, width, generator=torch.Generator().manual_seed(0)) * 2 - 1


@pytest.mark.parametrize("size", [(48, 48), (31, 50), (2, 9), (1, 1)])
def test_pixels_outside_keep_their_bits(size: tuple[int, int]) -> None:
    image, mask = picture(*size), masks_of_seeds([3], *size)
    for rounds in (0, 3):
        filled = fill_smoothly(image, mask, rounds)
        assert torch.equal(filled.where(mask == 0, 0), image.where(mask == 0, 0))
        assert filled.isfinite().all()


def test_what_was_in_the_hole_does_not_matter() -> None:
    image, mask = picture(), masks_of_seeds([5], 48, 48)
    other = torch.where(mask > 0, float("nan"), image)
    assert torch.equal(fill_smoothly(image, mask), fill_smoothly(other, mask))


def test_a_slope_is_continued() -> None:
    """A plane solves Laplace's equation, so it comes back."""
    y, x = torch.meshgrid(torch.linspace(-1, 1, 64), torch.linspace(-1, 1, 64), indexing="ij")
    image = (0.4 * x - 0.6 * y)[None, None]
    mask = torch.zeros(1, 1, 64, 64)
    mask[:, :, 20:44, 15:50] = 1
    assert (fill_smoothly(image, mask, EXACT) - image).abs().max() < 0.01
    assert (fill_smoothly(image, mask) - image).abs().max() < 0.1


def test_it_is_the_solution_of_the_equations() -> None:
    image, mask = picture(24, 24), torch.zeros(1, 1, 24, 24)
    mask[:, :, 6:18, 4:16] = 1
    found = fill_smoothly(image, mask, EXACT)[0, 0]
    inside = mask[0, 0].nonzero().tolist()
    number = {tuple(place): k for k, place in enumerate(inside)}
    matrix, right = torch.zeros(len(inside), len(inside)), torch.zeros(len(inside))
    for k, (y, x) in enumerate(inside):
        matrix[k, k] = 4
        for place in ((y - 1, x), (y + 1, x), (y, x - 1), (y, x + 1)):
            if place in number:
                matrix[k, number[place]] = -1
            else:
                right[k] += image[0, 0][place]
    wanted = torch.linalg.solve(matrix, right)
    torch.testing.assert_close(found[mask[0, 0] > 0], wanted, atol=2e-3, rtol=0)


def test_no_new_extremes() -> None:
    image, mask = picture(), masks_of_seeds([8], 48, 48)
    filled = fill_smoothly(image, mask)
    outside = image[:, :, mask[0, 0] == 0]
    assert filled.min() >= outside.min() - 1e-5
    assert filled.max() <= outside.max() + 1e-5


def test_a_picture_that_is_all_hole_becomes_plain() -> None:
    assert not fill_smoothly(picture(), torch.ones(1, 1, 48, 48)).any()
