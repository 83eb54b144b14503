"""ADA, adaptive discriminator augmentation: random transformations of D's inputs with probability p.

The balance adapts p (engine/balance.py). Reals and fakes get the same distribution of transformations, so G need not generate
them. Everything is differentiable twice with respect to the images, for gradient penalties. Row i of one table of uniforms
decides everything for sample i, and a call always draws the whole table, so p and `kinds` do not change other random numbers
of the step. Images are not clamped.

Differs (arXiv:2006.06676): bilinear interpolation, not a sym6 wavelet filter at twice the resolution: shrunk images alias a
little.
Differs (arXiv:2006.06676): the outermost pixels continue beyond the border. The published code reflects the picture, and G
learned to draw the reflected strips at the border of its samples, at a probability of 0.16 already.
Differs (arXiv:2006.06676): no filtering, noise or cutout, which the paper does not use after its comparison (fig. 4) either.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Mapping

import torch
from torch import Tensor

from ganvas.errors import UsageError
from ganvas.layers.augmentation import Uniform, check_kinds, gather_pixels, promote_uniforms

Pick = Callable[[str, Callable[[Tensor], Tensor], float], Tensor]  # (name, uniforms -> values, neutral value) -> values

BLIT = ("flip", "rotate90", "shift")  # exact: pixels move to pixels
GEOMETRY = ("scale", "rotate", "stretch", "translate")
COLOR = ("brightness", "contrast", "luma_flip", "hue", "saturation")
GROUPS: Mapping[str, tuple[str, ...]] = {"blit": BLIT, "geometry": GEOMETRY, "color": COLOR}
GENTLE = ("shift", "scale", "stretch", "translate", "brightness", "contrast")

# The number of uniforms of each transformation, without the one that decides whether it is applied. In the order of the paper.
_TAKES = {"flip": 1, "rotate90": 1, "shift": 2, "scale": 1, "rotate": 1, "stretch": 1, "rotate_again": 1, "translate": 2}
_TAKES |= dict.fromkeys(COLOR, 1)


def adaptive_augment(images: Tensor, p: float, uniform: Uniform, kinds: Iterable[str] = GENTLE) -> Tensor:
    """[N, C, H, W] -> the same, each transformation applied to each sample with probability p; p = 0 returns `images`.

    blit: flip (half of the time), rotate90 (0 to 3 quarters), shift (whole pixels, +-0.125 of the side). geometry: scale
    2^N(0, 0.2^2), rotate (any angle; before and after stretch, each with 1 - sqrt(1 - p), so that p is the probability of
    either), stretch (x by 2^N(0, 0.2^2), y by its inverse), translate (N(0, 0.125^2) of the side). color: brightness +
    N(0, 0.2^2), contrast x 2^N(0, 0.5^2), luma_flip (half of the time), hue (any angle around the grey axis), saturation x
    2^N(0, 1); the last two need three channels. `kinds` may contain names of groups.
    Source: arXiv:2006.06676 appendix B and its published code.

    Differs: the default leaves out transformations that change the meaning of a small grey image: mirrored or rotated digits
    (6 and 9), negatives. Transformations may leak into the fakes when p is near 1 (sec. 2.2); a small shift of a digit does
    no harm then. The set of the paper is kinds=("blit", "geometry", "color").

    Raises:
        UsageError: no such kind (the message has the nearest name), or p outside [0, 1].
    """
    on = check_kinds((name for kind in kinds for name in GROUPS.get(kind, (kind,))), (*BLIT, *GEOMETRY, *COLOR), GROUPS)
    if not 0 <= p <= 1:
        raise UsageError(f"augmentation probability: expected 0 to 1, got {p}; choose another")
    table = promote_uniforms(uniform(len(images), sum(_TAKES.values()) + len(_TAKES)), images)
    if p == 0 or not on:
        return images
    columns = dict(zip(_TAKES, table.split([k + 1 for k in _TAKES.values()], 1), strict=True))
    chance = dict.fromkeys(on, p)
    if "rotate" in on:
        chance["rotate"] = chance["rotate_again"] = 1 - math.sqrt(1 - p)

    def pick(name: str, values: Callable[[Tensor], Tensor], neutral: float) -> Tensor:
        """The values [N, k] of the transformation `name` for samples that get it, `neutral` for the others."""
        u = columns[name]
        return torch.where(u[:, -1:] < chance.get(name, 0.0), values(u[:, :-1]), neutral)

    x = images
    if on & {*BLIT, *GEOMETRY}:
        with torch.autocast(images.device.type, enabled=False):  # coordinates need more than half precision
            x = _resample(x, *_sampling_points(pick, table, *images.shape[2:]))
    return _recolor(x, pick) if on & {*COLOR} else x


def _gaussian(u: Tensor) -> Tensor:
    """Uniform u -> standard normal. A float32 uniform can be 0, whose quantile is -inf: hence the clamp."""
    z: Tensor = torch.special.ndtri(u.clamp(2**-24, 1 - 2**-24))
    return z


def _rotation(cos: Tensor, sin: Tensor) -> Tensor:
    """[N, 1] each -> rotations [N, 2, 2]."""
    return torch.cat([cos, -sin, sin, cos], 1).view(-1, 2, 2)


def _sampling_points(pick: Pick, table: Tensor, height: int, width: int) -> tuple[Tensor, Tensor]:
    """-> x, y [N, H, W]: the point from which each pixel is read; an affine map, exactly the identity if nothing is applied."""
    sides = torch.arange(2, device=table.device).to(table.dtype) * (height - width) + width  # [width, height]
    flip = pick("flip", lambda u: 1 - 2 * (2 * u).floor(), 1)
    quarter = pick("rotate90", lambda u: (4 * u).floor(), 0) * (math.pi / 2)
    shift = pick("shift", lambda u: ((2 * u - 1) * 0.125 * sides).round(), 0)
    shrink = pick("scale", lambda u: torch.exp2(-0.2 * _gaussian(u)), 1)
    first, last = (pick(name, lambda u: (2 * u - 1) * math.pi, 0) for name in ("rotate", "rotate_again"))
    squeeze = pick("stretch", lambda u: torch.exp2(-0.2 * _gaussian(u)), 1)
    slide = pick("translate", lambda u: 0.125 * sides * _gaussian(u), 0)

    # The inverse map: a pixel of the output first undoes `slide`, and last the flip. Rounded quarter turns are exact.
    turn = _rotation(quarter.cos().round(), quarter.sin().round())
    whole = torch.diag_embed(torch.cat([flip, torch.ones_like(flip)], 1)) @ turn
    stretch = torch.diag_embed(torch.cat([shrink * squeeze, shrink / squeeze], 1))
    linear = whole @ _rotation(first.cos(), first.sin()) @ stretch @ _rotation(last.cos(), last.sin())
    offset = -(linear @ slide[:, :, None] + whole @ shift[:, :, None])  # [N, 2, 1]

    y = torch.arange(height, device=table.device, dtype=table.dtype)[:, None] - (height - 1) / 2
    x = torch.arange(width, device=table.device, dtype=table.dtype) - (width - 1) / 2
    (xx, xy), (yx, yy) = (row[:, :, None, None].unbind(1) for row in linear.unbind(1))
    return xx * x + xy * y + offset[:, :1] + (width - 1) / 2, yx * x + yy * y + offset[:, 1:] + (height - 1) / 2


def _resample(images: Tensor, x: Tensor, y: Tensor) -> Tensor:
    """[N, C, H, W] sampled at x, y [N, H, W], bilinear; at integer coordinates it is that pixel, bit for bit."""
    height, width = images.shape[2:]
    x, y = x.clamp(0, width - 1), y.clamp(0, height - 1)  # the outermost pixels continue
    left, top = x.floor(), y.floor()
    right, low = (left + 1).clamp(max=width - 1), (top + 1).clamp(max=height - 1)
    index = torch.stack([top * width + left, top * width + right, low * width + left, low * width + right], 1).long()
    x, y = x - left, y - top
    weight = torch.stack([(1 - y) * (1 - x), (1 - y) * x, y * (1 - x), y * x], 1).to(images.dtype)
    return (gather_pixels(images, index) * weight[:, None]).sum(2)


def _recolor(images: Tensor, pick: Pick) -> Tensor:
    """[N, C, H, W] -> all five color transformations as one affine map of the color, in closed form around the grey axis."""
    brightness = pick("brightness", lambda u: 0.2 * _gaussian(u), 0)
    contrast = pick("contrast", lambda u: torch.exp2(0.5 * _gaussian(u)), 1)
    grey = contrast * pick("luma_flip", lambda u: 1 - 2 * (2 * u).floor(), 1)  # scale along the grey axis
    hue = pick("hue", lambda u: (2 * u - 1) * math.pi, 0)
    across = contrast * pick("saturation", lambda u: torch.exp2(_gaussian(u)), 1)  # and across it

    def on_images(values: Tensor) -> Tensor:
        return values.to(images.dtype)[:, :, None, None]

    base = on_images(grey * brightness)
    if images.shape[1] != 3:
        return on_images(grey) * images + base
    same, turned = across * hue.cos(), across * hue.sin() / math.sqrt(3)
    mixed = on_images(same) * images + on_images(grey - same) * images.mean(1, keepdim=True) + base
    return mixed + on_images(turned) * (images.roll(1, 1) - images.roll(-1, 1))  # the cross product with (1, 1, 1)
