"""Measures of keypoints, with keypoints whose error is known."""

from __future__ import annotations

from typing import Any

import pytest
import torch
from support import miniature_model

from ganvas.data.clips import ClipTable, make_clips
from ganvas.errors import UsageError
from ganvas.evaluation.motion_measures import measure_equivariance, measure_joints, measure_motions


def dots(clips: int, seed: int) -> ClipTable:
    """Frames of one white dot on black, and as joints its place, and twice its place."""
    random = torch.Generator().manual_seed(seed)
    at = torch.randint(4, 28, (clips * 4, 2), generator=random)
    frames = torch.zeros(clips * 4, 3, 32, 32, dtype=torch.uint8)
    frames[torch.arange(len(at)), :, at[:, 1], at[:, 0]] = 255
    place = (2 * at + 1) / 32 - 1
    return make_clips("dots", frames, [4] * clips, joints=torch.stack([place, 0.5 - place.flip(1)], 1))


class Bright:
    """The mean place of the brightness as the only keypoint, moved away by `error` on the axis x in every other frame."""

    def __init__(self, error: float = 0.0) -> None:
        self.error = error

    def parameters(self) -> Any:
        return iter([torch.zeros(1)])

    def buffers(self) -> Any:
        return iter([])

    def find_pose(self, image: torch.Tensor) -> torch.Tensor:
        from ganvas.layers.warp import find_mean_places

        light = (image[:, :1] + 1).clamp(min=0) + 1e-9
        place = find_mean_places(light / light.sum((2, 3), keepdim=True))
        place[::2, :, 0] += self.error
        return place


def test_joints_that_are_linear_in_the_keypoints_are_found() -> None:
    train, data, rows = dots(30, 1), dots(10, 2), torch.arange(40)
    found = measure_joints(Bright(), data, rows, train)  # type: ignore[arg-type]
    assert found.value == pytest.approx(0, abs=1e-5)
    assert found.baseline is not None
    assert found.baseline > 0.2
    wrong = measure_joints(Bright(0.2), data, rows, train)  # type: ignore[arg-type]
    assert wrong.value == pytest.approx(0.05, rel=0.4), "0.2 of 2 in half of the frames, of which the map takes the mean away"


def test_keypoints_that_follow_a_bend_are_equivariant() -> None:
    data, rows = dots(10, 2), torch.arange(40)
    good, bad = (measure_equivariance(Bright(error), data, rows) for error in (0.0, 0.0))  # type: ignore[arg-type]
    assert good.value == bad.value, "always the same bends"
    assert good.baseline is not None
    assert good.value < 0.5 * good.baseline


def test_a_model_without_keypoints_is_refused() -> None:
    data = dots(4, 1)
    with pytest.raises(UsageError, match="only models that animate"):
        measure_motions(miniature_model("pix2pix-emoji"), data, torch.arange(8), data)
    both = measure_motions(miniature_model("motion-puppets"), data, torch.arange(8), data)
    assert set(both) == {"equivariance", "keypoint_error"}
