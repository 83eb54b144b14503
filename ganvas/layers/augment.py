"""Discriminator augmentation: D sees changed images, reals and fakes by one law, so that it cannot memorise a few.

The generator is judged through the same changes and need not copy them. All is differentiable twice with respect to the
images: slope penalties pass through. Row i of one table of uniforms decides all that happens to sample i, and a call draws
the whole table whatever is switched on, so that p and kinds move no other draw of the step. Images are not clamped.

Differs (arXiv:2006.06676): bilinear taps, not a sym6 wavelet filter at twice the resolution: shrunk images alias a little.
Differs (arXiv:2006.06676): borders are reflected without end; the published code reflects once and is zero beyond.
Differs (arXiv:2006.06676): no filtering, noise or cutout, which the paper too leaves out after its comparison (fig. 4).
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Mapping

import torch
from torch import Tensor

from ganvas.errors import UsageError, unknown_name

Uniform = Callable[..., Tensor]  # uniform(n, *shape) -> [n, *shape] in [0, 1)
Normal = Callable[..., Tensor]  # normal(n, *shape) -> [n, *shape]
Pick = Callable[[str, Callable[[Tensor], Tensor], float], Tensor]  # (name, uniforms -> values, value that changes nothing)

DIFF = ("color", "translation", "cutout")
BLIT = ("flip", "rotate90", "shift")  # whole pixels move to whole pixels: exact
GEOMETRY = ("scale", "rotate", "stretch", "translate")
COLOR = ("brightness", "contrast", "luma_flip", "hue", "saturation")
GROUPS: Mapping[str, tuple[str, ...]] = {"blit": BLIT, "geometry": GEOMETRY, "color": COLOR}
GENTLE = ("shift", "scale", "stretch", "translate", "brightness", "contrast")

# How many uniforms each transformation takes, beside the one that decides whether it happens. In the order of the paper.
_TAKES = {"flip": 1, "rotate90": 1, "shift": 2, "scale": 1, "rotate": 1, "stretch": 1, "rotate_again": 1, "translate": 2}
_TAKES |= dict.fromkeys(COLOR, 1)


def diff_augment(images: Tensor, uniform: Uniform, kinds: Iterable[str] = DIFF) -> Tensor:
    """[N, C, H, W] -> the same, every sample changed, always. Source: arXiv:2006.10738 sec. 3 and its published code.

    color: brightness + [-0.5, 0.5), saturation x [0, 2) about the pixel's grey, contrast x [0.5, 1.5) about the image's
    mean; grey images have no saturation. translation: up to an eighth of each side, either way. cutout: a hole of half
    each side, its centre anywhere, so it may lie partly outside. What was not there is 0: mid-grey.

    Raises:
        UsageError: no such kind; names the nearest.
    """
    on = _known(kinds, DIFF)
    n, channels, height, width = images.shape
    table = _wide(uniform(n, 7), images)
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
        rows, cols = _moved(table[:, 3:4], height)[:, :, None], _moved(table[:, 4:5], width)[:, None]
        inside = (rows >= 0) & (rows < height) & (cols >= 0) & (cols < width)
        x = _gather(x, (rows.clamp(0, height - 1) * width + cols.clamp(0, width - 1))[:, None])[:, :, 0] * inside[:, None]
    if "cutout" in on:
        hole = _span(table[:, 5:6], height)[:, :, None] & _span(table[:, 6:7], width)[:, None]
        x = x * ~hole[:, None]
    return x


def adaptive_augment(images: Tensor, p: float, uniform: Uniform, kinds: Iterable[str] = GENTLE) -> Tensor:
    """[N, C, H, W] -> the same, each transformation applied to each sample with probability p; p = 0: the very tensor.

    blit: flip (half of the times), rotate90 (0 to 3 quarters), shift (whole pixels, +-0.125 of the side). geometry: scale
    2^N(0, 0.2^2), rotate (any angle; before and after stretch, each with 1 - sqrt(1 - p), so that p is the chance of either),
    stretch (x by 2^N(0, 0.2^2), y by its inverse), translate (N(0, 0.125^2) of the side). color: brightness + N(0, 0.2^2),
    contrast x 2^N(0, 0.5^2), luma_flip (half of the times), hue (any angle about the grey axis), saturation x 2^N(0, 1);
    the last two need three channels. `kinds` may name a group. Source: arXiv:2006.06676 appendix B and its published code.

    Differs: the default leaves out what makes another thing of a small grey picture: mirrored or turned digits (6 and 9),
    negatives. The paper's promise that changes do not leak into the fakes weakens as p nears 1 (sec. 2.2); then a digit a
    little off its place does no harm. The paper's own set is kinds=("blit", "geometry", "color").

    Raises:
        UsageError: no such kind (names the nearest), or p outside [0, 1].
    """
    on = _known((name for kind in kinds for name in GROUPS.get(kind, (kind,))), (*BLIT, *GEOMETRY, *COLOR), GROUPS)
    if not 0 <= p <= 1:
        raise UsageError(f"the probability of an augmentation lies in [0, 1]; got {p}")
    table = _wide(uniform(len(images), sum(_TAKES.values()) + len(_TAKES)), images)
    if p == 0 or not on:
        return images
    columns = dict(zip(_TAKES, table.split([k + 1 for k in _TAKES.values()], 1), strict=True))
    chance = dict.fromkeys(on, p)
    if "rotate" in on:
        chance["rotate"] = chance["rotate_again"] = 1 - math.sqrt(1 - p)

    def pick(name: str, values: Callable[[Tensor], Tensor], neutral: float) -> Tensor:
        """Where the transformation `name` happens, its values [N, k], else `neutral`."""
        u = columns[name]
        return torch.where(u[:, -1:] < chance.get(name, 0.0), values(u[:, :-1]), neutral)

    x = images
    if on & {*BLIT, *GEOMETRY}:
        with torch.autocast(images.device.type, enabled=False):  # a place in half precision is another place
            x = _resample(x, *_places(pick, table, *images.shape[2:]))
    return _recolor(x, pick) if on & {*COLOR} else x


def instance_noise(x: Tensor, sd: float, normal: Normal) -> Tensor:
    """[N, ...] -> x + sd * normal, images or points; sd = 0 returns x itself and draws nothing.

    Both distributions then cover the whole space, so the discriminator cannot part them perfectly. Source: arXiv:1610.04490,
    arXiv:1701.04862 sec. 3.
    """
    return x + sd * normal(len(x), *x.shape[1:]).to(x.dtype) if sd else x


def _known(kinds: Iterable[str], known: Iterable[str], groups: Iterable[str] = ()) -> set[str]:
    """The kinds as a set, each of them known."""
    on = set(kinds)
    for kind in sorted(on.difference(known)):
        raise unknown_name("augmentation", kind, {*known, *groups})
    return on


def _wide(table: Tensor, images: Tensor) -> Tensor:
    """Uniforms in the precision of the images, but never below float32."""
    return table.to(torch.promote_types(images.dtype, torch.float32))


def _whole(u: Tensor, n: int) -> Tensor:
    """Uniform u -> whole numbers 0 .. n - 1."""
    return torch.floor(u * n).clamp(max=n - 1).long()


def _gaussian(u: Tensor) -> Tensor:
    """Uniform u -> standard normal. A float32 uniform can be 0, whose quantile is -inf: hence the clamp."""
    z: Tensor = torch.special.ndtri(u.clamp(2**-24, 1 - 2**-24))
    return z


def _moved(u: Tensor, side: int) -> Tensor:
    """u [N, 1] -> [N, side]: the place that each place of a side moved by up to an eighth is read from."""
    most = side // 8
    return torch.arange(-most, side - most, device=u.device).add(_whole(u, 2 * most + 1))


def _span(u: Tensor, side: int) -> Tensor:
    """u [N, 1] -> [N, side]: whether a place lies in the half of the side that is cut out."""
    cut = side // 2
    place = torch.arange(side, device=u.device) - _whole(u, side + 1 - cut % 2) + cut // 2
    return torch.logical_and(place >= 0, place < cut)


def _gather(images: Tensor, index: Tensor) -> Tensor:
    """images [N, C, H, W], index [N, K, H, W] of flat places -> [N, C, K, H, W]. grid_sample has no second derivative."""
    n, channels = images.shape[:2]
    taps = images.flatten(2).gather(2, index.flatten(1)[:, None].expand(n, channels, -1))
    return taps.view(n, channels, *index.shape[1:])


def _turn(cos: Tensor, sin: Tensor) -> Tensor:
    """[N, 1] each -> rotations [N, 2, 2]."""
    return torch.cat([cos, -sin, sin, cos], 1).view(-1, 2, 2)


def _places(pick: Pick, table: Tensor, height: int, width: int) -> tuple[Tensor, Tensor]:
    """-> x, y [N, H, W]: where each pixel is read from. One affine map, exactly the identity where nothing happens."""
    sides = torch.arange(2, device=table.device).to(table.dtype) * (height - width) + width  # [width, height], made there
    flip = pick("flip", lambda u: 1 - 2 * (2 * u).floor(), 1)
    quarter = pick("rotate90", lambda u: (4 * u).floor(), 0) * (math.pi / 2)
    shift = pick("shift", lambda u: ((2 * u - 1) * 0.125 * sides).round(), 0)
    shrink = pick("scale", lambda u: torch.exp2(-0.2 * _gaussian(u)), 1)
    first, last = (pick(name, lambda u: (2 * u - 1) * math.pi, 0) for name in ("rotate", "rotate_again"))
    squeeze = pick("stretch", lambda u: torch.exp2(-0.2 * _gaussian(u)), 1)
    slide = pick("translate", lambda u: 0.125 * sides * _gaussian(u), 0)

    # Read backwards: the pixel that is written first leaves `slide`, and last is mirrored. Rounded quarters are exact.
    whole = torch.diag_embed(torch.cat([flip, torch.ones_like(flip)], 1)) @ _turn(quarter.cos().round(), quarter.sin().round())
    stretch = torch.diag_embed(torch.cat([shrink * squeeze, shrink / squeeze], 1))
    linear = whole @ _turn(first.cos(), first.sin()) @ stretch @ _turn(last.cos(), last.sin())
    offset = -(linear @ slide[:, :, None] + whole @ shift[:, :, None])  # [N, 2, 1]

    y = torch.arange(height, device=table.device, dtype=table.dtype)[:, None] - (height - 1) / 2
    x = torch.arange(width, device=table.device, dtype=table.dtype) - (width - 1) / 2
    (xx, xy), (yx, yy) = (row[:, :, None, None].unbind(1) for row in linear.unbind(1))
    return xx * x + xy * y + offset[:, :1] + (width - 1) / 2, yx * x + yy * y + offset[:, 1:] + (height - 1) / 2


def _reflect(place: Tensor, side: int) -> Tensor:
    """Any place -> one in [0, side - 1], as between two mirrors at the centres of the outermost pixels."""
    period = max(2 * side - 2, 1)
    place = place - period * torch.floor(place / period)
    return torch.clamp(side - 1 - torch.abs(place - (side - 1)), min=0)  # rounding may end a hair outside


def _resample(images: Tensor, x: Tensor, y: Tensor) -> Tensor:
    """[N, C, H, W] read at the places x, y [N, H, W] between pixels; at a whole place it is that pixel, bit for bit."""
    height, width = images.shape[2:]
    x, y = _reflect(x, width), _reflect(y, height)
    left, top = x.floor(), y.floor()
    right, low = (left + 1).clamp(max=width - 1), (top + 1).clamp(max=height - 1)
    index = torch.stack([top * width + left, top * width + right, low * width + left, low * width + right], 1).long()
    x, y = x - left, y - top
    weight = torch.stack([(1 - y) * (1 - x), (1 - y) * x, y * (1 - x), y * x], 1).to(images.dtype)
    return (_gather(images, index) * weight[:, None]).sum(2)


def _recolor(images: Tensor, pick: Pick) -> Tensor:
    """[N, C, H, W] -> recoloured: all five changes are one affine map of the colour, in closed form about the grey axis."""
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
