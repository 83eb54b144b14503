"""Sharpness against closed forms."""

from __future__ import annotations

import pytest
import torch
import torch.nn.functional as F

from ganvas.errors import UsageError
from ganvas.metrics.sharpness import sharpness


def test_flat_and_sloping_pictures_score_nothing() -> None:
    ramp = torch.arange(8.0).expand(1, 1, 8, 8) / 8
    assert sharpness(torch.cat([torch.full((1, 1, 8, 8), 0.3), ramp, ramp.mT])).tolist() == pytest.approx([0, 0, 0], abs=1e-12)


def test_a_checkerboard_scores_sixteen() -> None:
    """The Laplacian is 4 where the pixel is 0 and -4 where it is 1: variance 16, if there are as many of both."""
    board = (torch.arange(8)[:, None] + torch.arange(8)) % 2
    assert sharpness(board[None, None].float()).item() == pytest.approx(16)
    assert sharpness((255 * board)[None, None].to(torch.uint8)).item() == pytest.approx(16)
    assert sharpness(board[None, None].float().expand(-1, 3, -1, -1)).item() == pytest.approx(16)


def test_blur_takes_it_away_and_each_picture_has_its_own() -> None:
    noise = torch.rand(1500, 1, 12, 12, generator=torch.Generator().manual_seed(0))
    blurred = F.avg_pool2d(noise, 3, 1, 1)
    assert (sharpness(blurred) < 0.2 * sharpness(noise)).all()
    torch.testing.assert_close(sharpness(noise)[7:8], sharpness(noise[7:8]))
    assert len(sharpness(noise)) == 1500


def test_too_small() -> None:
    with pytest.raises(UsageError, match="at least 3 x 3"):
        sharpness(torch.zeros(1, 1, 2, 9))
