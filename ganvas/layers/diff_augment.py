"""DiffAugment: color, translation and cutout on every input of D, so that D cannot memorize a small data set.

Reals and fakes get the same distribution of transformations, so G need not generate them. Everything is differentiable twice
with respect to the images, for gradient penalties. Row i of one table of uniforms decides everything for sample i, and a call
always draws the whole table, so `kinds` does not change other random numbers of the step. Images are not clamped.
"""

from __future__ import annotations

from collections.abc import Iterable

import torch
from torch import Tensor

from ganvas.layers.augmentation import Uniform, check_kinds, gather_pixels, promote_uniforms, to_integers

DIFF = ("color", "translation", "cutout")


def diff_augment(images: Tensor, uniform: Uniform, kinds: Iterable[str] = DIFF) -> Tensor:
    """[N, C, H, W] -> the same; every sample gets all of `kinds`. Source: arXiv:2006.10738 sec. 3 and its published code.

    color: brightness + [-0.5, 0.5), saturation x [0, 2) around the grey of the pixel, contrast x [0.5, 1.5) around the mean of
    the image; grey images have no saturation. translation: up to an eighth of each side, in both directions. cutout: a hole
    of half of each side, with its centre anywhere, so it may be partly outside. New pixels are 0: mid-grey.

    Differs: an eighth and a half of a side are rounded down, as in one version of the published code; the other, that of its
    StyleGAN2, rounds to the nearest number. This matters for small images: at 28 pixels a shift is up to 3 pixels, not 4, and
    at 27 the hole has 13, not 14. A shift of 4 of 28 pixels already cuts off parts of digits.

    Raises:
        UsageError: no such kind; the message has the nearest name.
    """
    on = check_kinds(kinds, DIFF)
    n, channels, height, width = images.shape
    table = promote_uniforms(uniform(n, 7), images)
    x = images
    if "color" in on:
        brightness, saturation, contrast = table[:, :3].to(x.dtype)[:, :, None, None, None].unbind(1)
        x = x + (brightness - 0.5)
        if channels > 1:
            grey = x.mean(1, keepdim=True)
            x = grey + 2 * saturation * (x - grey)
        mean = x.mean((1, 2, 3), keepdim=True)
        x = mean + (contrast + 0.5) * (x - mean)
    if "translation" in on:
        rows, cols = _shift_pixels(table[:, 3:4], height)[:, :, None], _shift_pixels(table[:, 4:5], width)[:, None]
        inside = (rows >= 0) & (rows < height) & (cols >= 0) & (cols < width)
        x = gather_pixels(x, (rows.clamp(0, height - 1) * width + cols.clamp(0, width - 1))[:, None])[:, :, 0] * inside[:, None]
    if "cutout" in on:
        hole = _mask_hole(table[:, 5:6], height)[:, :, None] & _mask_hole(table[:, 6:7], width)[:, None]
        x = x * ~hole[:, None]
    return x


def _shift_pixels(u: Tensor, side: int) -> Tensor:
    """u [N, 1] -> [N, side]: the index from which each pixel of a side is read after a shift by up to an eighth."""
    most = side // 8
    return torch.arange(-most, side - most, device=u.device).add(to_integers(u, 2 * most + 1))


def _mask_hole(u: Tensor, side: int) -> Tensor:
    """u [N, 1] -> [N, side]: whether a pixel is in the half of the side that is cut out."""
    cut = side // 2
    place = torch.arange(side, device=u.device) - to_integers(u, side + 1 - cut % 2) + cut // 2
    return torch.logical_and(place >= 0, place < cut)
