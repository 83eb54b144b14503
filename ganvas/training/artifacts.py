"""Trivial differences between fakes and reals: border, grey levels, JPEG blocks. Images are floats [N, C, H, W] in 0..255.

Each function returns evidence and advice, or None.
"""

from __future__ import annotations

import torch
from torch import Tensor

Found = tuple[str, str] | None


def find_border(fakes: Tensor, reals: Tensor) -> Found:
    """Outer pixels that are equal in all reals and differ in the fakes."""
    edge = torch.ones(reals.shape[2:], dtype=torch.bool)
    edge[1:-1, 1:-1] = False
    real, fake = reals[:, :, edge], fakes[:, :, edge]
    if float(real.std(0).max()) > 0.5 or float((fake - real.mean(0)).abs().mean()) < 1.0:
        return None
    off = float((fake - real.mean(0)).abs().mean())
    return f"the outer pixels of all reals are the same; those of the fakes are off by {off:.1f} of 255", "--fit crop"


def find_grey_levels(fakes: Tensor, reals: Tensor) -> Found:
    """Reals that use only a part of the range of grey levels, or few levels."""
    low, high = float(reals.min()), float(reals.max())
    outside = float(((fakes < low - 2) | (fakes > high + 2)).float().mean())
    levels = len(reals.unique())
    if outside > 0.02:
        words = f"reals stay in {low:.0f} to {high:.0f}, and {outside:.0%} of the fakes' pixels do not"
        return words, "--data with pictures that use the whole range 0 to 255"
    if levels <= 16 and len(fakes.unique()) > 4 * levels:
        words = f"the reals have {levels} grey levels and the fakes {len(fakes.unique())}"
        return words, "--data with pictures that are not quantised, or --set train.balance=auto (noise hides the levels)"
    return None


def find_jpeg_blocks(fakes: Tensor, reals: Tensor) -> Found:
    """The 8-pixel blocks of JPEG compression, in the reals only."""
    side = reals.shape[-1]
    if side < 24:
        return None
    steps = {name: (x[..., 1:] - x[..., :-1]).abs().mean((0, 1, 2)) for name, x in (("reals", reals), ("fakes", fakes))}
    at = torch.arange(side - 1) % 8 == 7
    real, fake = (float(step[at].mean() / step[~at].mean().clamp(min=1e-6)) for step in steps.values())
    if real < 1.15 or fake > 1 + (real - 1) / 2:
        return None
    words = f"the reals' pixels jump {real:.2f} times as much at each 8th column, the blocks of JPEG; the fakes' {fake:.2f}"
    return words, "--data with pictures that were not compressed, or are larger than they are trained at"
