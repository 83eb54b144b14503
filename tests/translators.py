"""Small models that make pictures from pictures, with random weights: nothing is trained."""

from __future__ import annotations

from typing import Any

import torch

from ganvas.games import cyclegan, filters, pix2pix, spade, srgan
from ganvas.inference.model import Model

FEW: dict[str, Any] = {"critic_widths": (4, 4, 4)}
TINY: dict[str, Any] = {"widths": (4, 4, 4), **FEW}
LEGEND = {"classes": 3, "legend": ("sea", "land", "ice"), "colors": ((0, 0, 255), (0, 160, 0), (255, 255, 255))}
GAMES = {
    "pix2pix": lambda: pix2pix.Pix2Pix(pix2pix.Config(**TINY, domains=("flat", "shaded"))),
    "cyclegan": lambda: cyclegan.CycleGAN(cyclegan.Config(**TINY, domains=("flat", "shaded"))),
    "srgan": lambda: srgan.SRGAN(srgan.Config(width=4, **FEW)),
    "srgan-x4": lambda: srgan.SRGAN(srgan.Config(width=4, scale=4, **FEW)),
    "filters": lambda: filters.Filter(filters.Config(width=4, keeps_grey=True, domains=("photo", "sketch"))),
    "grey": lambda: filters.Filter(filters.Config(width=4, channels=1, source_channels=1)),
    "spade": lambda: spade.SPADE(spade.Config(**TINY, **LEGEND, map_width=4, noise_dim=4)),
}
LOCAL = ("pix2pix", "cyclegan", "srgan", "srgan-x4", "filters")  # those that see a part of the picture


def make_translator(name: str, *, seed: int = 0, change: float = 0.3) -> Model:
    """A model whose weights are random, also those that start as zero: it changes its input, by about `change`."""
    torch.manual_seed(seed)
    game = GAMES[name]()
    with torch.no_grad():
        for weight in game.parameters():
            if weight.ndim == 4:
                torch.nn.init.kaiming_normal_(weight, nonlinearity="linear")
                weight *= change if weight.shape[0] == 3 else 1.0
            elif not weight.any():
                weight.normal_(std=0.1)
    card = {"recipe": {"name": f"{name}-test", "data": {"source": "", "tile": 0}}, "classes": []}
    return Model(game.eval(), card, "0123456789ab")
