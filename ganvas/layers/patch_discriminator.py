"""PatchDiscriminator: a logit for each patch of a picture of any size, at one or more scales. Weights keep the variance.

Source: PatchGAN, Isola et al. 2017, arXiv:1611.07004 sec. 3.2.2; several scales: Wang et al. 2018, arXiv:1711.11585 sec. 3.2.

Differs: groups of channels are normalized in each picture, instead of channels in a batch, and a gradient penalty (R1) is
added. It sees squares of 2x2 pixels as one pixel of four times the channels, because convolutions of few channels are slow on
a CPU; patches of 40 instead of 70 pixels. With `slopes` it also sees the small differences of neighboring pixels, magnified.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

import torch
import torch.nn.functional as F
from torch import Tensor, nn

SLOPE = 0.2  # of the leaky ReLU
GROUPS = 8  # of channels that are normalized together, in each picture
FIELD = 40  # the side of a patch in pixels, at the first scale
MAGNIFIED, SHARE = 32.0, 0.5  # of slopes: two levels of 255 are nearly halfway to the largest value, which is `SHARE`


class PatchNetwork(nn.Module):
    """image [N, C, H, W] -> logits [N, 1, H/8, W/8]. With `slopes` it sees those of `magnify_slopes` too."""

    def __init__(self, channels: int, widths: tuple[int, int, int], *, slopes: bool = False) -> None:
        super().__init__()
        self.slopes = slopes
        half, quarter, eighth = widths
        downs = [nn.Conv2d(half, quarter, 4, 2, 1), nn.Conv2d(quarter, eighth, 4, 2, 1)]
        self.layers = nn.ModuleList([nn.Conv2d(4 * channels * (3 if slopes else 1), half, 3, 1, 1), *downs])
        # Without it D learns more slowly than G, which then draws what D does not see yet, such as dots.
        self.norms = nn.ModuleList([nn.Identity(), *(_normalize(width) for width in (quarter, eighth))])
        # Without a bias: reals and fakes are equally many, so the same number on all logits is of no use to D.
        self.score = nn.Conv2d(eighth, 1, 3, 1, 1, bias=False)
        self.apply(_initialize)

    def features(self, image: Tensor) -> list[Tensor]:
        """The maps behind the hidden layers, at a half, a quarter and an eighth of the side."""
        seen = torch.cat([image, magnify_slopes(image)], 1) if self.slopes else image
        found, x = [], F.pixel_unshuffle(seen, 2)
        for layer, norm in zip(self.layers, self.norms, strict=True):
            x = F.leaky_relu(norm(layer(x)), SLOPE)
            found.append(x)
        return found

    def forward(self, image: Tensor) -> Tensor:
        logits: Tensor = self.score(self.features(image)[-1])
        return logits


class PatchDiscriminator(nn.Module):
    """image [N, C, H, W] -> logits [N, 1, h, w] of its patches, for each scale: the picture, its half, its quarter, ...

    H and W are multiples of 8 at the smallest scale.
    """

    def __init__(
        self, channels: int, widths: tuple[int, int, int] = (64, 96, 128), scales: int = 1, *, slopes: bool = False
    ) -> None:
        super().__init__()
        self.scales = nn.ModuleList(PatchNetwork(channels, widths, slopes=slopes) for _ in range(scales))

    def shrink(self, image: Tensor) -> list[Tensor]:
        """The picture for each scale: means of 1, 2x2, 4x4, ... pixels."""
        return [image if not level else F.avg_pool2d(image, 2**level) for level in range(len(self.scales))]

    def forward(self, image: Tensor) -> Sequence[Tensor]:
        return [network(each) for network, each in zip(self.scales, self.shrink(image), strict=True)]

    def features(self, image: Tensor) -> list[Tensor]:
        """The maps behind the hidden layers of all scales, for feature matching (arXiv:1711.11585 eq. 4)."""
        pairs = zip(self.scales, self.shrink(image), strict=True)
        return [found for network, each in pairs for found in network.features(each)]  # type: ignore[operator]


def magnify_slopes(image: Tensor) -> Tensor:
    """image [N, C, H, W] -> [N, 2C, H, W]: the differences to the pixels on the right and below, small ones magnified.

    A plain area and one that gets lighter by a level of 255 from pixel to pixel look alike to a network whose inputs are
    rounded to bfloat16. So the differences are taken before, and large ones limited: the edges of shapes have them anyway.
    """
    with torch.autocast(image.device.type, enabled=False):
        x = image.float()
        right = F.pad(x[..., 1:] - x[..., :-1], (0, 1))
        down = F.pad(x[..., 1:, :] - x[..., :-1, :], (0, 0, 0, 1))
        return SHARE * torch.tanh(MAGNIFIED * torch.cat([right, down], 1))


def _normalize(width: int) -> nn.GroupNorm:
    return nn.GroupNorm(math.gcd(GROUPS, width), width)


def _initialize(module: nn.Module) -> None:
    """Weights that keep the variance through the leaky ReLU; no bias."""
    if isinstance(module, nn.Conv2d):
        nn.init.kaiming_normal_(module.weight, SLOPE)
        if module.bias is not None:
            nn.init.zeros_(module.bias)
