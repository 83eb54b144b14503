"""Adaptive average pooling of solids that can be exported: ONNX has no such operation for sides that are not multiples."""

from __future__ import annotations

import torch
from torch import Tensor, nn


class AveragePool3d(nn.AdaptiveAvgPool3d):
    """x [N, C, D, H, W] -> [N, C, size, size, size]; as nn.AdaptiveAvgPool3d, in an exported graph by products of matrices."""

    def forward(self, x: Tensor) -> Tensor:
        return average_by_matrices(x, int(self.output_size)) if torch.compiler.is_exporting() else super().forward(x)  # type: ignore[arg-type]


def average_by_matrices(x: Tensor, size: int) -> Tensor:
    """The same for the last three axes: of n places, cell i is the mean of those from i n / size to (i + 1) n / size."""
    for axis in (-3, -2, -1):
        x = (x.movedim(axis, -1) @ _averages(x.shape[axis], size).to(x)).movedim(-1, axis)
    return x


def _averages(length: int, size: int) -> Tensor:
    """The matrix [length, size] whose column i averages its places."""
    matrix = torch.zeros(length, size)
    for i in range(size):
        start, end = i * length // size, -(-(i + 1) * length // size)
        matrix[start:end, i] = 1 / (end - start)
    return matrix
