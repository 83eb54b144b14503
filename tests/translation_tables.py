"""Small data for games that take inputs, and a few steps of training, without a recipe of the list."""

from __future__ import annotations

import itertools

import torch
import torch.nn.functional as F
from torch import Tensor

from ganvas.config import TrainConfig
from ganvas.core.game import Game
from ganvas.data.dataset import Dataset
from ganvas.data.paired import PairedDataset
from ganvas.data.table import TableDataset
from ganvas.data.unpaired import UnpairedDataset
from ganvas.engine.loop import train
from ganvas.engine.state import State, new_state
from ganvas.runtime.plan import Plan

TRAIN = TrainConfig(images=8 * 1000, batch=8, learning_rate=5e-3, average_halflife=100)


def smooth_images(count: int = 24, channels: int = 3, side: int = 16, seed: int = 1) -> Tensor:
    """uint8 [count, channels, side, side]: smooth random images."""
    noise = torch.rand(count, channels, side + 4, side + 4, generator=torch.Generator().manual_seed(seed))
    smooth = F.avg_pool2d(noise, 5, 1)
    return ((smooth - smooth.amin()) / (smooth.amax() - smooth.amin()) * 255).round().to(torch.uint8)


def pairs(**fields: Tensor) -> PairedDataset:
    """A table with these fields, "real" first."""
    return PairedDataset("pairs", {"real": fields["real"], **fields}, fingerprint="0" * 16)


def domains(a: Tensor, b: Tensor) -> UnpairedDataset:
    """Two domains."""
    return UnpairedDataset(
        *(TableDataset(name, {"real": images}, fingerprint="0" * 16) for name, images in (("a", a), ("b", b)))
    )


def play(game: Game, data: Dataset, steps: int, train_config: TrainConfig = TRAIN) -> tuple[State, list[dict[str, float]]]:
    """The state after some steps, and the terms of each."""
    torch.manual_seed(0)
    state = new_state(game, train_config, Plan(threads=1))
    terms = [
        {name: float(value) for name, value in found.items()}
        for _, found in itertools.islice(train(state, data, train_config), steps)
    ]
    return state, terms


def measure_reach(compute: torch.nn.Module, side: int, scale: int = 1, channels: int = 3) -> int:
    """The distance in input pixels from an output pixel to the farthest input pixel on which it depends."""
    farthest = 0
    for place in range(side // 2 * scale, side // 2 * scale + 8):
        image = torch.zeros(1, channels, side, side, requires_grad=True)
        (slope,) = torch.autograd.grad(compute(image)[0, :, place, place].sum(), image)
        rows = slope.abs().sum((0, 1)).nonzero()
        farthest = max(farthest, int((rows - place // scale).abs().max()))
    return farthest


def randomize(network: torch.nn.Module, size: float = 0.08) -> None:
    """Weights of which none is zero."""
    torch.manual_seed(0)
    for weight in network.parameters():
        torch.nn.init.normal_(weight, 0, size)
