"""The perceptual distance: zero for equal pictures, a gradient for one of them, no random numbers."""

from __future__ import annotations

import torch

from ganvas.games.common import perceptual
from ganvas.games.common.perceptual import measure_perceptual_distance

IMAGE = torch.rand(2, 3, 32, 32, generator=torch.Generator().manual_seed(0)) * 2 - 1


def test_equal_pictures_have_none_and_a_blur_costs_more_than_a_shift_of_the_color() -> None:
    assert float(measure_perceptual_distance(IMAGE, IMAGE)) == 0
    near = float(measure_perceptual_distance(IMAGE + 0.01, IMAGE))
    far = float(measure_perceptual_distance(torch.nn.functional.avg_pool2d(IMAGE, 5, 1, 2), IMAGE))
    assert 0 < near < far


def test_only_the_first_picture_gets_a_gradient() -> None:
    image, wanted = (IMAGE.clone().requires_grad_() for _ in range(2))
    measure_perceptual_distance(image * 0.9, wanted).backward()  # type: ignore[no-untyped-call]
    assert image.grad is not None
    assert bool(image.grad.any())
    assert wanted.grad is None


def test_grey_pictures() -> None:
    assert float(measure_perceptual_distance(IMAGE[:, :1], IMAGE[:, 1:2])) > 0


def test_the_network_takes_no_random_numbers_from_the_step_that_needs_it_first() -> None:
    perceptual._network.cache_clear()
    torch.manual_seed(0)
    wanted = torch.rand(3)
    torch.manual_seed(0)
    measure_perceptual_distance(IMAGE, IMAGE)
    assert torch.equal(torch.rand(3), wanted)
