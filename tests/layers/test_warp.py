"""Places, warped pictures, keypoints as maps, and smooth warps with their Jacobians."""

from __future__ import annotations

import pytest
import torch

from ganvas.layers.hourglass import Hourglass
from ganvas.layers.keypoints import KeypointDetector, Pose, compare_poses
from ganvas.layers.smooth_warp import NUMBERS, SmoothWarp
from ganvas.layers.warp import (
    apply,
    draw_gaussians,
    find_mean_places,
    invert,
    make_places,
    multiply,
    resize_places,
    warp,
)


def noise(seed: int, n: int = 3) -> torch.Tensor:
    return torch.randn(n, NUMBERS, generator=torch.Generator().manual_seed(seed))


def test_a_picture_at_its_own_places_is_itself() -> None:
    picture = torch.rand(2, 3, 6, 10)
    places = make_places(6, 10).expand(2, -1, -1, -1)
    torch.testing.assert_close(warp(picture, places), picture)
    torch.testing.assert_close(resize_places(places, 3, 5), make_places(3, 5).expand(2, -1, -1, -1))
    inside = resize_places(places, 12, 20)[:, 1:-1, 1:-1]
    torch.testing.assert_close(inside, make_places(12, 20)[1:-1, 1:-1].expand_as(inside))


def test_a_shift_by_a_pixel_and_an_edge_that_goes_on() -> None:
    picture = torch.rand(1, 1, 4, 4)
    places = make_places(4, 4)[None] + torch.tensor([2 / 4, 0.0])
    moved = warp(picture, places)
    torch.testing.assert_close(moved[..., :-1], picture[..., 1:])
    torch.testing.assert_close(moved[..., -1], picture[..., -1])


def test_a_map_has_its_keypoint_as_its_mean_place() -> None:
    points = torch.tensor([[[-0.25, 0.5], [0.0, 0.0]]])
    maps = draw_gaussians(points, 64, 32, 0.01)
    assert maps.shape == (1, 2, 64, 32)
    assert maps.max() <= 1
    torch.testing.assert_close(find_mean_places(maps / maps.sum((2, 3), keepdim=True)), points, atol=1e-3, rtol=0)
    row, column = divmod(int(maps[0, 0].argmax()), 32)
    assert (abs(row - 47.5), abs(column - 11.5)) <= (1, 1), "y counts rows, x columns"


def test_matrices_of_two_by_two() -> None:
    a, b = torch.randn(5, 4, 2, 2, generator=torch.Generator().manual_seed(1)).double().split([2, 3])
    a, b = torch.cat([a, b[:1]]), b
    torch.testing.assert_close(multiply(a, b), a @ b)
    vector = torch.ones(3, 4, 2).double()
    torch.testing.assert_close(apply(a, vector), (a @ vector[..., None])[..., 0])
    good = torch.eye(2).double() + 0.1 * a
    torch.testing.assert_close(invert(good), torch.linalg.inv(good))
    assert invert(torch.zeros(1, 2, 2)).isfinite().all(), "a matrix without an inverse"


@pytest.mark.parametrize("seed", range(3))
def test_the_jacobian_of_a_smooth_warp_is_its_derivative(seed: int) -> None:
    change, points = SmoothWarp.from_noise(noise(seed)), torch.rand(3, 4, 2) * 1.6 - 0.8
    for sample in range(3):
        alone = SmoothWarp(*(part[sample : sample + 1] for part in (change.matrix, change.shift, change.weights)))
        for k in range(4):
            slope = torch.autograd.functional.jacobian(lambda z, it=alone: it.move(z[None, None])[0, 0], points[sample, k])
            torch.testing.assert_close(change.jacobian(points)[sample, k], slope, atol=1e-4, rtol=1e-3)


def test_a_bent_picture_shows_the_picture_at_the_places_of_the_warp() -> None:
    change, picture = SmoothWarp.from_noise(noise(7)), torch.rand(3, 2, 9, 7)
    places = make_places(9, 7).flatten(0, 1).expand(3, -1, -1)
    torch.testing.assert_close(change.change(picture), warp(picture, change.move(places).unflatten(1, (9, 7))))


def test_without_noise_a_warp_changes_nothing() -> None:
    change, picture = SmoothWarp.from_noise(torch.zeros(1, NUMBERS)), torch.rand(1, 1, 8, 8)
    points = torch.rand(1, 3, 2)
    torch.testing.assert_close(change.move(points), points)
    torch.testing.assert_close(change.change(picture), picture)
    torch.testing.assert_close(change.jacobian(points), torch.eye(2).expand(1, 3, 2, 2))


def test_keypoints_lie_in_the_picture_and_start_with_matrices_of_one() -> None:
    detector, image = KeypointDetector(3, 4, (4, 8, 8)), torch.rand(2, 3, 32, 24)
    pose = detector(image)
    assert (pose.points.shape, pose.jacobians.shape) == ((2, 4, 2), (2, 4, 2, 2))
    assert pose.points.abs().max() < 1
    torch.testing.assert_close(pose.jacobians, torch.eye(2).expand(2, 4, 2, 2))
    ways, turned = compare_poses(pose, Pose(pose.points + 0.5, 2 * pose.jacobians))
    torch.testing.assert_close(ways, torch.full_like(ways, 0.5))
    torch.testing.assert_close(turned, torch.eye(2).expand(2, 4, 2, 2))


def test_an_hourglass_sees_far_away() -> None:
    body = Hourglass(1, (4, 4, 4))
    torch.nn.init.normal_(body.middle.steps[-1].weight)  # residual blocks start as zero
    torch.nn.init.normal_(body.bottom[-1].steps[-1].weight)
    x = torch.rand(1, 1, 16, 16, requires_grad=True)
    fine, coarse = body(x)
    assert (fine.shape, coarse.shape) == ((1, 4, 16, 16), (1, 4, 8, 8))
    fine[0, :, 0, 0].sum().backward()
    assert x.grad is not None
    assert x.grad[0, 0, 13, 13] != 0
