"""The perceptual distance: how far apart two pictures are in the maps of a network that has learned to see.

Source: Johnson et al. 2016, arXiv:1603.08155 eq. 2.

Differs: the network is the one that comes with ganvas (`metrics/picture_network.py`), not VGG; absolute differences.
"""

from __future__ import annotations

import functools
from collections.abc import Sequence

import torch
import torch.nn.functional as F
from torch import Tensor

from ganvas.layers.channels import convert_channels
from ganvas.metrics.picture_network import PictureNetwork, load_picture_network

MAPS = (1, 2)  # those at a quarter and an eighth of the side: what a place shows, and not only where edges are


def measure_perceptual_distance(image: Tensor, wanted: Tensor) -> Tensor:
    """image, wanted [N, C, H, W] in [-1, 1] -> the mean distance of their maps, a scalar; only `image` gets a gradient."""
    far = [F.l1_loss(of_image.float(), of_wanted.float()) for of_image, of_wanted in _pair_maps(image, wanted)]
    return torch.stack(far).mean()


def _pair_maps(image: Tensor, wanted: Tensor) -> Sequence[tuple[Tensor, Tensor]]:
    network = _network(image.device)
    # The pass with a gradient comes first: autocast caches weights cast to bfloat16, and those of no_grad have no graph.
    of_image = network.maps(convert_channels(image, 3))
    with torch.no_grad():
        of_wanted = network.maps(convert_channels(wanted, 3))
    return [(of_image[place], of_wanted[place]) for place in MAPS]


@functools.cache
def _network(device: torch.device) -> PictureNetwork:
    """The network on this device. It is no part of any game: it does not learn, and no bundle holds it.

    It is built with weights by chance first, which must not take numbers from the step that happens to need it.
    """
    with torch.random.fork_rng(devices=[]), torch.device("cpu"):
        return load_picture_network().to(device)
