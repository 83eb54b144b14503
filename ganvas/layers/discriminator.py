"""Blocks of discriminators: the logit of a class, the residual block and the head of ProGAN, StyleGAN and StyleGAN2."""

from __future__ import annotations

import math

from torch import Tensor, nn

from ganvas.layers.equalized import EqualConv, EqualLinear, leaky_relu
from ganvas.layers.minibatch_std import minibatch_std
from ganvas.layers.resample import downsample_blur


def select_class(logits: Tensor, c: Tensor) -> Tensor:
    """logits [N, K] -> the logit of class c [N] of each sample [N], or of several classes c [N, k] -> [N, k]."""
    return logits.gather(1, c.view(len(c), -1)).view(c.shape)


class DownBlock(nn.Module):
    """x [N, I, H, W] -> [N, O, H/2, W/2], two convolutions; `residual` adds the downsampled x and divides by sqrt(2).

    Source: arXiv:1812.04948 appendix C, arXiv:1912.04958 sec. 4.1.
    Differs: the second convolution works on the downsampled map. In the papers it works on the filtered map at full
    resolution, with stride 2, so its window is half as wide; but then the filter has to compute four times as many pixels.
    """

    def __init__(self, inputs: int, outputs: int, *, residual: bool = False) -> None:
        super().__init__()
        self.first, self.second = EqualConv(inputs, inputs, 3), EqualConv(inputs, outputs, 3)
        self.skip = EqualConv(inputs, outputs, 1, gain=1.0, bias=False) if residual else None

    def forward(self, x: Tensor) -> Tensor:
        changed = leaky_relu(self.second(downsample_blur(leaky_relu(self.first(x)))))
        if self.skip is None:
            return changed
        both: Tensor = self.skip(downsample_blur(x)) + changed
        return both * math.sqrt(0.5)


class DiscriminatorHead(nn.Module):
    """x [N, C, side, side] -> scores [N, outputs]; with `deviation` after the minibatch standard deviation.

    Source: arXiv:1710.10196 table 2.
    """

    def __init__(self, width: int, side: int, outputs: int = 1, *, deviation: bool = True) -> None:
        super().__init__()
        self.deviation = deviation
        self.mix = EqualConv(width + deviation, width, 3)
        self.whole = EqualLinear(width * side**2, width)
        self.score = EqualLinear(width, outputs, gain=1.0)

    def forward(self, x: Tensor) -> Tensor:
        x = minibatch_std(x) if self.deviation else x
        scores: Tensor = self.score(leaky_relu(self.whole(leaky_relu(self.mix(x)).flatten(1))))
        return scores
