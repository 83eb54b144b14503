"""Sliced Wasserstein distance (SWD) of image patches on a Laplacian pyramid; it needs no network."""

from __future__ import annotations

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor

from ganvas.errors import UsageError
from ganvas.metrics.checks import require_images, require_integer, require_matrix
from ganvas.utils.seeds import mix

SIDE = 16  # smallest side of the coarsest level, in pixels
PATCH = 7  # side of a patch, in pixels
SLICES = 16  # directions that are sorted at a time
FLAT = 1e-6  # patches with less contrast, relative to the largest pixel, count as constant
BINOMIAL = torch.tensor([1.0, 4.0, 6.0, 4.0, 1.0]) / 16  # products with bytes are exact in float32


def sliced_wasserstein(real: Tensor, fake: Tensor, *, patches: int = 128, directions: int = 512, seed: int = 0) -> float:
    """The mean over levels of `sliced_wasserstein_by_side`; papers report it times 1000, as "SWD x 10^3"."""
    levels = sliced_wasserstein_by_side(real, fake, patches=patches, directions=directions, seed=seed)
    return sum(levels.values()) / len(levels)


def sliced_wasserstein_by_side(
    real: Tensor, fake: Tensor, *, patches: int = 128, directions: int = 512, seed: int = 0
) -> dict[int, float]:
    """Distance of 7x7 patches of real [N, C, H, W] and fake [M, C, H, W] for each level: shorter side -> distance.

    Each level of a Laplacian pyramid, down to 16 pixels, gives `patches` random patches of each image. They are normalized to
    mean 0 and standard deviation 1 for each channel over the whole set: bytes and floats give the same result, and the
    brightness and contrast of a whole set do not count. The distance is the mean of `wasserstein_1d` over random directions.
    It has a floor that falls with the number of images: report the distance of reals to other reals. A level needs
    (N + M) x patches x 49 C floats of memory.

    Raises:
        UsageError: no images, different C, H or W, a side below 16, or a NaN.

    Source: arXiv:1710.10196 sec. 5 (2^14 images, 128 patches each), tkarras/progressive_growing_of_gans
    metrics/sliced_wasserstein.py (512 directions).
    Differs: patches are at the same places in both sets, so the distance is symmetric, and 0 for equal sets.
    """
    real, fake = require_images(real, "real", side=SIDE), require_images(fake, "fake", side=SIDE)
    if real.shape[1:] != fake.shape[1:]:
        raise UsageError(
            f"real and fake: expected images of one shape, found {list(real.shape[1:])} and {list(fake.shape[1:])}; resize one"
        )
    require_integer(patches, "patches", 1)
    require_integer(directions, "directions", 1)
    distances = {}
    for a, b in zip(pyramid(real), pyramid(fake), strict=True):
        side = min(a.shape[2:])
        places, ways = mix("patches", seed, side), torch.Generator().manual_seed(mix("directions", seed, side))
        lines = F.normalize(torch.randn(directions, a.shape[1] * PATCH * PATCH, generator=ways)).to(a.device)
        left, right = _patches(a, patches, places), _patches(b, patches, places)
        total = sum(_columns(way @ left.T, way @ right.T).sum().item() for way in lines.split(SLICES))
        distances[side] = total / directions
    return distances


def wasserstein_1d(a: Tensor, b: Tensor) -> float:
    """The exact Wasserstein-1 distance of two sets of numbers a [N] and b [M]: the area between their distribution functions.

    For N = M it is the mean absolute difference of the sorted numbers.

    Raises:
        UsageError: another number of dimensions, an empty set, or a NaN.
    """
    if a.ndim != 1 or b.ndim != 1:
        found = f"{list(a.shape)} and {list(b.shape)}"
        raise UsageError(f"wasserstein_1d: expected numbers [N] and [M], found shapes {found}; flatten them")
    return _columns(require_matrix(a[:, None], "a", 1).T, require_matrix(b[:, None], "b", 1).T).item()


def pyramid(images: Tensor) -> list[Tensor]:
    """The Laplacian pyramid: images [N, C, H, W] -> levels, from fine to coarse, float32; the last one is the small image.

    Sides are at least 16; odd sides are rounded up. Source: Burt and Adelson 1983; cv2.pyrDown, cv2.pyrUp.
    """
    levels = [images.float()]
    while (min(levels[-1].shape[2:]) + 1) // 2 >= SIDE:
        fine = levels[-1]
        coarse = _blur(fine)[:, :, ::2, ::2]
        apart = fine.new_zeros(*coarse.shape[:2], 2 * coarse.shape[2], 2 * coarse.shape[3])
        apart[:, :, ::2, ::2] = coarse
        levels[-1] = fine - 4 * _blur(apart)[:, :, : fine.shape[2], : fine.shape[3]]
        levels.append(coarse)
    return levels


def _blur(x: Tensor) -> Tensor:
    """x [N, C, H, W] filtered with the 5x5 binomial filter, with reflect padding."""
    kernel = BINOMIAL.to(x).expand(x.shape[1], 1, 1, 5)
    x = F.conv2d(F.pad(x, (2, 2, 2, 2), mode="reflect"), kernel, groups=x.shape[1])
    return F.conv2d(x, kernel.transpose(2, 3), groups=x.shape[1])


def _patches(level: Tensor, per_image: int, seed: int) -> Tensor:
    """Normalized random patches [N * per_image, C * 49] of a level [N, C, H, W]."""
    windows = level.unfold(2, PATCH, 1).unfold(3, PATCH, 1)
    n, _, rows, columns = windows.shape[:4]
    generator = torch.Generator().manual_seed(seed)
    row, column = (torch.randint(size, (n * per_image,), generator=generator) for size in (rows, columns))
    cut = windows[torch.arange(n).repeat_interleave(per_image), :, row, column]
    spread, mean = torch.std_mean(cut, (0, 2, 3), correction=0, keepdim=True)
    flat = spread <= FLAT * level.abs().max()
    return cut.sub_(mean).div_(spread.masked_fill(flat, 1.0)).flatten(1)


def _columns(a: Tensor, b: Tensor) -> Tensor:
    """W1 of row i of a [K, N] and row i of b [K, M], for every i: [K], float64."""
    n, m = a.shape[1], b.shape[1]
    a, b = _sort_rows(a), _sort_rows(b)
    if n == m:
        return (a - b).abs_().mean(1, dtype=torch.float64)
    # Both quantile functions are step functions; between two consecutive steps both are constant.
    steps = torch.cat([torch.arange(1, n + 1) * m, torch.arange(1, m + 1) * n]).unique()
    width = steps.diff(prepend=steps.new_zeros(1)).double() / (n * m)
    area: Tensor = (a[:, (steps - 1) // m] - b[:, (steps - 1) // n]).abs_().double() @ width
    return area


def _sort_rows(x: Tensor) -> Tensor:
    """Each row sorted, on the CPU: NumPy sorts in a tenth of the time of torch.sort, which computes indices too."""
    return torch.from_numpy(np.sort(x.numpy(force=True), axis=1))
