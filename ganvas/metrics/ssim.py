"""Structural similarity (SSIM and MS-SSIM) of image pairs, and the diversity of a class as the mean MS-SSIM of its samples."""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor

from ganvas.errors import UsageError
from ganvas.metrics.checks import require_images, require_integer, require_pairs
from ganvas.utils.seeds import mix

WEIGHTS = (0.0448, 0.2856, 0.3001, 0.2363, 0.1333)  # of the scales, fine to coarse; they sum to 1.0001
WINDOW, SIGMA = 11, 1.5
C1, C2 = 0.01**2, 0.03**2  # for pixels in [0, 1]
NUMBERS = 1 << 19  # in the images that are compared at a time: 4 MB as float64


def ssim(a: Tensor, b: Tensor) -> Tensor:
    """SSIM [N] of each pair of images a, b [N, C, H, W], bytes or in [0, 1]; float64, 1 for equal images.

    The mean over channels and over all positions at which the Gaussian window of 11x11, sigma 1.5, is inside the image. For
    two constant images it is (2ab + C1) / (a^2 + b^2 + C1), C1 = 0.0001.

    Raises:
        UsageError: different shapes, a side below 11, floats outside [0, 1], or a NaN.

    Source: Wang, Bovik, Sheikh, Simoncelli 2004, eq. 13, ssim_index.m.
    """
    a, b = require_pairs(a, b, WINDOW)
    parts = zip(a.split(_pairs_at_a_time(a)), b.split(_pairs_at_a_time(b)), strict=True)
    return torch.cat([_similarity(_to_unit_range(x), _to_unit_range(y))[0] for x, y in parts])


def ms_ssim(a: Tensor, b: Tensor) -> Tensor:
    """Multi-scale SSIM [N] of each pair of images a, b [N, C, H, W], bytes or in [0, 1]; float64.

    Up to five scales, each half as large as the last and at least 11 pixels: 1 scale below 22 pixels, 2 below 44 (MNIST),
    3 below 88, 4 below 176. Five scales have the published weights; fewer have the first of these, renormalized to sum
    to 1. So compare only values of one image size. A negative factor counts as 0.

    Raises:
        UsageError: different shapes, a side below 11, floats outside [0, 1], or a NaN.

    Source: Wang, Simoncelli, Bovik 2003, eq. 7 and sec. 4; tensorflow/models, msssim.py (the negative factors).
    """
    a, b = require_pairs(a, b, WINDOW)
    weights = _weights(min(a.shape[2:]))
    found = []
    for parts in zip(a.split(_pairs_at_a_time(a)), b.split(_pairs_at_a_time(b)), strict=True):
        x, y = map(_to_unit_range, parts)
        product = torch.ones(len(x), dtype=torch.float64, device=x.device)
        for scale, weight in enumerate(weights, 1):
            whole_index, contrast = _similarity(x, y)
            product *= (whole_index if scale == len(weights) else contrast).clamp(min=0) ** weight
            x, y = F.avg_pool2d(x, 2), F.avg_pool2d(y, 2)
        found.append(product)
    return torch.cat(found)


def diversity(images: Tensor, labels: Tensor | None = None, pairs: int = 10_000, seed: int = 0) -> float:
    """Mean MS-SSIM of random pairs of different images [N, C, H, W] of one class: 1 for copies, lower is more diverse.

    With labels [N] every class has equally many pairs (to within one); without labels all images are one class. The number
    is no measure of quality; compare it with that of reals at the same image size.

    Raises:
        UsageError: a class with fewer than 2 images, labels of another length, or images that `ms_ssim` refuses.

    Source: arXiv:1610.09585 sec. 4.2 (100 pairs a class).
    """
    images = require_images(images, "images", at_least=2, side=WINDOW)
    require_integer(pairs, "pairs", 1)
    labels = torch.zeros(len(images), dtype=torch.int64) if labels is None else labels.cpu()
    if labels.shape != (len(images),):
        raise UsageError(f"labels: expected one for each of {len(images)} images, found shape {list(labels.shape)}; pass [N]")
    classes, sizes = labels.unique(return_counts=True)
    if sizes.min() < 2:
        alone = classes[sizes.argmin()].item()
        raise UsageError(f"diversity: expected at least 2 images of every class, found 1 of class {alone}; draw more")
    random = torch.Generator().manual_seed(mix("diversity", seed))
    size = sizes[torch.arange(pairs) % len(sizes)]
    start = (sizes.cumsum(0) - sizes)[torch.arange(pairs) % len(sizes)]
    first, step = (torch.rand(2, pairs, generator=random, dtype=torch.float64) * torch.stack([size, size - 1])).long()
    order = labels.argsort(stable=True).to(images.device)
    one, other = order[start + first], order[start + (first + 1 + step) % size]
    at_a_time = _pairs_at_a_time(images)
    chunks = zip(one.split(at_a_time), other.split(at_a_time), strict=True)
    return sum(ms_ssim(images[i], images[j]).sum().item() for i, j in chunks) / pairs


def _pairs_at_a_time(images: Tensor) -> int:
    return max(1, NUMBERS // images[0].numel())


def _similarity(x: Tensor, y: Tensor) -> tuple[Tensor, Tensor]:
    """SSIM [N] and its factor without luminance [N], of float64 images [N, C, H, W] in [0, 1]."""
    across, down = _window_matrix(x.shape[3]).to(x), _window_matrix(x.shape[2]).to(x)
    mean_x, mean_y, xx, yy, xy = (down @ each @ across.T for each in (x, y, x * x, y * y, x * y))
    contrast = (2 * (xy - mean_x * mean_y) + C2) / (xx - mean_x.square() + yy - mean_y.square() + C2)
    luminance = (2 * mean_x * mean_y + C1) / (mean_x.square() + mean_y.square() + C1)
    return (luminance * contrast).mean((1, 2, 3)), contrast.mean((1, 2, 3))


def _window_matrix(size: int) -> Tensor:
    """The Gaussian window as a matrix [size - 10, size]: a product with it blurs one dimension, without padding."""
    window = torch.exp(-0.5 * (torch.arange(WINDOW, dtype=torch.float64) - WINDOW // 2).square() / SIGMA**2)
    band = torch.zeros(size - WINDOW + 1, size, dtype=torch.float64)
    for row, start in zip(band, range(size), strict=False):
        row[start : start + WINDOW] = window / window.sum()
    return band


def _weights(side: int) -> tuple[float, ...]:
    """The weights of as many scales as leave a side of 11 pixels."""
    first = WEIGHTS[: sum(side >> scale >= WINDOW for scale in range(len(WEIGHTS)))]
    return first if len(first) == len(WEIGHTS) else tuple(weight / sum(first) for weight in first)


def _to_unit_range(x: Tensor) -> Tensor:
    return x.double() if x.is_floating_point() else x.double() / 255
