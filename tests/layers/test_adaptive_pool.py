"""Adaptive pooling by matrices is that of PyTorch."""

from __future__ import annotations

import pytest
import torch
from torch import nn

from ganvas.layers.adaptive_pool import average_by_matrices


@pytest.mark.parametrize("side", [3, 4, 6, 8, 11])
def test_matrices_average_as_pytorch_does(side: int) -> None:
    x = torch.randn(2, 5, side, side + 1, side + 2, generator=torch.Generator().manual_seed(side))
    torch.testing.assert_close(average_by_matrices(x, 3), nn.AdaptiveAvgPool3d(3)(x))
