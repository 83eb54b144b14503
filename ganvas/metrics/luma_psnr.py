"""PSNR and SSIM of the brightness (luma) alone, as papers on super-resolution report them."""

from __future__ import annotations

import torch
from torch import Tensor

from ganvas.errors import UsageError
from ganvas.metrics.checks import require_integer, require_pairs
from ganvas.metrics.psnr import psnr
from ganvas.metrics.ssim import ssim

# Y of ITU-R BT.601 from R, G and B in [0, 1], as MATLAB's rgb2ycbcr: 16 to 235 of 255.
BLACK, WEIGHTS = 16.0, (65.481, 128.553, 24.966)


def luma(images: Tensor) -> Tensor:
    """Images [N, 1 or 3, H, W], bytes or in [0, 1] -> Y [N, 1, H, W] in [0, 1], float64; black is 16 / 255.

    Raises:
        UsageError: another number of channels.

    Source: ITU-R BT.601-7, 2.5.3, as MATLAB's rgb2ycbcr computes it; not rounded to bytes.
    """
    if images.shape[1] not in (1, 3):
        raise UsageError(f"luma: expected 1 or 3 channels, found {images.shape[1]}; convert the images first")
    x = images.double() if images.is_floating_point() else images.double() / 255
    weights = torch.tensor(WEIGHTS, dtype=torch.float64, device=x.device)
    scaled = (x * weights[:, None, None]).sum(1, keepdim=True) if x.shape[1] == 3 else x * weights.sum()
    return (BLACK + scaled) / 255


def psnr_y(a: Tensor, b: Tensor, border: int = 0) -> Tensor:
    """PSNR [N] in dB of the luma of pairs a, b [N, C, H, W], bytes or in [0, 1], without `border` pixels at each edge; float64.

    Equal images give infinity.

    Raises:
        UsageError: different shapes, not 1 or 3 channels, or a border that leaves nothing.

    Source: Ledig et al. 2017, arXiv:1609.04802 sec. 3.1: y-channel of images without a strip of `scale` pixels.
    """
    return psnr(*_cut(a, b, border))


def ssim_y(a: Tensor, b: Tensor, border: int = 0) -> Tensor:
    """SSIM [N] of the same; at least 11 pixels of each side remain. Raises and source: as `psnr_y`."""
    return ssim(*_cut(a, b, border))


def _cut(a: Tensor, b: Tensor, border: int) -> tuple[Tensor, Tensor]:
    a, b = require_pairs(a, b)
    require_integer(border, "border", 0, (min(a.shape[2:]) - 1) // 2)
    inside = slice(border, -border or None)
    return luma(a[..., inside, inside]), luma(b[..., inside, inside])
