"""The distance at several sizes: noise averages out in small pictures, a shift of colors does not."""

from __future__ import annotations

import pytest
import torch

from ganvas.losses.pyramid import pyramid_distance


def test_a_shift_counts_at_every_size_and_noise_at_the_full_one() -> None:
    image = torch.rand(2, 3, 16, 16, generator=torch.Generator().manual_seed(0))
    assert float(pyramid_distance(image, image)) == 0
    assert float(pyramid_distance(image, image + 0.1)) == pytest.approx(0.1, rel=1e-4)
    rows, columns = torch.meshgrid(torch.arange(16), torch.arange(16), indexing="ij")
    board = ((rows + columns) % 2 * 2 - 1) * 0.1  # its means over squares are 0
    assert float(pyramid_distance(image, image + board)) == pytest.approx(0.1 / 4, rel=1e-4)
    assert float(pyramid_distance(image, image + board, sizes=1)) == pytest.approx(0.1, rel=1e-4)
