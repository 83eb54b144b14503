"""Fully connected networks."""

from __future__ import annotations

from torch import nn


def mlp(inputs: int, hidden: int, depth: int, outputs: int, slope: float = 0.2) -> nn.Sequential:
    """[N, inputs] -> [N, outputs] through `depth` hidden layers of width `hidden` with leaky ReLU; no output activation."""
    layers: list[nn.Module] = []
    for _ in range(depth):
        layers += [nn.Linear(inputs, hidden), nn.LeakyReLU(slope, inplace=True)]
        inputs = hidden
    return nn.Sequential(*layers, nn.Linear(inputs, outputs))
