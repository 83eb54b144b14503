"""Sliced Wasserstein distance (SWD) of image patches on a Laplacian pyramid; it needs no network."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor

from ganvas.errors import UsageError
from ganvas.metrics.checks import require_finite, require_images, require_integer, require_matrix
from ganvas.utils.seeds import mix

SIDE = 16  # smallest side of the coarsest level, in pixels
PATCH = 7  # side of a patch, in pixels
IMAGES = 100  # whose pyramids are built at a time
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
    It has a floor that falls with the number of images: report the distance of reals to other reals. The patches of
    all levels need (N + M) x levels x patches x 49 C floats of memory.

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
    of_real, of_fake = _patches(real, patches, seed), _patches(fake, patches, seed)
    for side in of_real:
        left, right = of_real[side], of_fake[side]
        ways = torch.Generator().manual_seed(mix("directions", seed, side))
        lines = F.normalize(torch.randn(directions, left.shape[1], generator=ways)).to(left.device)
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


def _patches(images: Tensor, per_image: int, seed: int) -> dict[int, Tensor]:
    """Normalized random patches [N * per_image, C * 49] of images [N, C, H, W] for each level: shorter side -> patches.

    The pyramid is built for a few images at a time: that of a whole set would take several times its size in floats.
    """
    cuts: dict[int, list[Tensor]] = {}
    places: dict[int, Iterator[tuple[Tensor, Tensor]]] = {}
    largest: dict[int, Tensor] = {}
    for part in images.split(IMAGES):
        for level in pyramid(part):
            side = min(level.shape[2:])
            if side not in places:
                places[side] = _places(level.shape[2:], len(images), per_image, mix("patches", seed, side))
            windows = level.unfold(2, PATCH, 1).unfold(3, PATCH, 1)
            row, column = next(places[side])
            cuts.setdefault(side, []).append(windows[torch.arange(len(part)).repeat_interleave(per_image), :, row, column])
            largest[side] = torch.maximum(largest.get(side, level.new_zeros(())), level.abs().max())
    require_finite(torch.stack(list(largest.values())), "largest pixels as float32")
    found = {}
    for side in list(cuts):
        cut = torch.cat(cuts.pop(side))
        spread, mean = torch.std_mean(cut, (0, 2, 3), correction=0, keepdim=True)
        flat = spread <= FLAT * largest[side]
        found[side] = cut.sub_(mean).div_(spread.masked_fill(flat, 1.0)).flatten(1)
    return found


def _places(shape: Sequence[int], images: int, per_image: int, seed: int) -> Iterator[tuple[Tensor, Tensor]]:
    """The rows and columns of the random patches of a level [..., H, W]: those of `IMAGES` images after another."""
    generator = torch.Generator().manual_seed(seed)
    row, column = (torch.randint(size - PATCH + 1, (images * per_image,), generator=generator) for size in shape)
    return zip(row.split(IMAGES * per_image), column.split(IMAGES * per_image), strict=True)


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
