"""Trivial differences between fakes and reals: border, grey levels, JPEG blocks. Images are floats [N, C, H, W] in 0..255.

Each function returns evidence and advice, or None.
"""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor

Found = tuple[str, str] | None

OUTSIDE = 0.05  # share of the fakes' pixels beyond the levels of the reals; 0.03 of a good model of colors
EDGE = 5  # levels of 255: nearer to black or white counts as that
BLOCK = 8  # pixels over which a checkerboard keeps its sign
FAINT = 4.0  # levels of 255: a fainter pattern is not seen


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
    if outside > OUTSIDE:
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
    real, fake = (max(_block_contrast(x), _block_contrast(x.transpose(2, 3))) for x in (reals, fakes))
    if real < 1.15 or fake > 1 + (real - 1) / 2:
        return None
    words = f"the reals' pixels jump {real:.2f} times as much at each 8th column or row as beside it, the blocks of JPEG; "
    words += f"the fakes' {fake:.2f}"
    return words, "--data with pictures that were not compressed, or are larger than they are trained at"


def _block_contrast(x: Tensor) -> float:
    """How much more neighbouring columns differ at an edge of blocks of 8 than the columns beside it: the least of all edges.

    Each edge has its own baseline, and the least counts: the box of 20 x 20 pixels around each digit of MNIST has an edge at
    column 24, and JPEG has one at every 8th. 1.11 to 1.24 of photographs at quality 75, 1.02 of MNIST.
    """
    steps = (x[..., 1:] - x[..., :-1]).abs().mean((0, 1, 2))
    edges = range(7, len(steps) - 2, 8)
    beside = torch.tensor([float(steps[[i - 2, i - 1, i + 1, i + 2]].mean()) for i in edges])
    floor = max(0.1 * float(steps.mean()), 1e-6)  # an empty border has no edges
    return float((steps[list(edges)] / beside.clamp(min=floor)).min())


def find_saturation(fakes: Tensor, reals: Tensor) -> Found:
    """Pixels that are black or white where those of the reals have values between."""
    share, usual = (float(((x > EDGE) & (x < 255 - EDGE)).float().mean()) for x in (fakes, reals))
    if share > 0.25 * usual:
        return None
    return f"{share:.1%} of the fakes' pixels lie between {EDGE} and {255 - EDGE} of 255, of the reals' {usual:.1%}", ""


def find_checkerboard(fakes: Tensor, reals: Tensor) -> Found:
    """A pattern that changes sign from pixel to pixel, as layers that double the side leave it (distill.pub, Odena 2016)."""
    if min(reals.shape[-2:]) < 2 * BLOCK:
        return None
    (share, size), (usual, _) = _alternation(fakes), _alternation(reals)
    if share < max(0.2, 3 * usual) or size < FAINT:
        return None
    words = f"in blocks of {BLOCK} pixels a pattern of period 2 has {share:.0%} of the contrast of neighbours, in the reals "
    return f"{words}{usual:.0%}; it is {size:.0f} of 255 strong", ""


def _alternation(x: Tensor) -> tuple[float, float]:
    """The energy of patterns of period 2 that keep their sign over a block, as a share of that of all fine detail; its root."""
    fine = x - F.avg_pool2d(F.pad(x, (1, 1, 1, 1), mode="replicate"), 3, 1)
    rows, columns = (torch.arange(side, device=x.device) % 2 * 2.0 - 1 for side in x.shape[-2:])
    signs = (rows[:, None].expand(x.shape[-2:]), columns.expand(x.shape[-2:]), rows[:, None] * columns)
    energy = sum(float(F.avg_pool2d(fine * sign, BLOCK).square().mean()) for sign in signs)
    return energy / max(float(fine.square().mean()), 1e-6), energy**0.5
