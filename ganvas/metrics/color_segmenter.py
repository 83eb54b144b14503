"""Find the classes of a label map again in a picture, by color alone: a Gaussian for each class.

It says whether a picture shows what its map asks for, without a large network. It is right about as often as the colors of the
classes differ, so its share on real pictures belongs beside that of generated ones.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Tensor

from ganvas.core.modality import UNKNOWN
from ganvas.errors import UsageError
from ganvas.metrics.checks import require_images

LEAST = 50  # pixels of a class: with fewer it is never found
NOISE = 2.0**2  # levels of 255, squared: added to each variance, so that flat colors have one
AT_A_TIME = 1 << 20  # pixels: this bounds the memory


@dataclass(frozen=True)
class ColorSegmenter:
    """A Gaussian of the blurred color of each class that occurs; every class is as likely as any other."""

    classes: tuple[int, ...]  # those that can be found
    means: Tensor  # [K, C] in levels of 255, float64
    whitening: Tensor  # [K, C, C]: its product with a difference has as square the Mahalanobis distance
    logdets: Tensor  # [K], of the covariances

    @classmethod
    def fit(cls, images: Tensor, maps: Tensor) -> ColorSegmenter:
        """Learn from images uint8 [N, C, H, W] and their maps uint8 [N, H, W].

        Raises:
            UsageError: sizes that do not fit, or no class with enough pixels.
        """
        _require_fitting(images, maps)
        colors = torch.cat([_blur(part).movedim(1, -1).flatten(0, -2) for part in images.split(_rows(images))])
        labels = maps.flatten()
        classes, means, whitening, logdets = [], [], [], []
        for label in labels.unique().tolist():
            mine = colors[labels == label]
            if label == UNKNOWN or len(mine) < LEAST:
                continue
            covariance = mine.T.cov().view(colors.shape[1], -1) + NOISE * torch.eye(colors.shape[1], dtype=torch.float64)
            classes.append(int(label))
            means.append(mine.mean(0))
            whitening.append(torch.linalg.inv(torch.linalg.cholesky(covariance)))
            logdets.append(torch.logdet(covariance))
        if not classes:
            raise UsageError(f"maps: expected a class with at least {LEAST} pixels, found none; give more maps")
        return cls(tuple(classes), torch.stack(means), torch.stack(whitening), torch.stack(logdets))

    def segment(self, images: Tensor) -> Tensor:
        """Images uint8 [N, C, H, W] -> the likeliest class of each pixel, uint8 [N, H, W].

        Raises:
            UsageError: no images, or another number of channels.
        """
        images = require_images(images, "images")
        if images.shape[1] != self.means.shape[1]:
            raise UsageError(f"images: expected {self.means.shape[1]} channels, found {images.shape[1]}; convert them")
        numbers = torch.tensor(self.classes, dtype=torch.uint8)
        return torch.cat([numbers[self._nearest(_blur(part))] for part in images.split(_rows(images))])

    def _nearest(self, colors: Tensor) -> Tensor:
        """Colors [N, C, H, W] -> the index of the class with the highest likelihood [N, H, W]."""
        best, nearest = None, torch.zeros(0)
        for k in range(len(self.classes)):  # one class at a time: all together are large
            apart = torch.einsum("ij,njhw->nihw", self.whitening[k], colors - self.means[k][:, None, None])
            score = apart.square().sum(1) + self.logdets[k]
            if best is None:
                best, nearest = score, torch.zeros_like(score, dtype=torch.int64)
            else:
                nearest[score < best] = k
                best = torch.minimum(best, score)
        return nearest


def mean_colors(images: Tensor, maps: Tensor) -> dict[int, Tensor]:
    """Images uint8 [N, C, H, W] and their maps uint8 [N, H, W] -> the mean color [C] of each class, float64.

    Raises:
        UsageError: sizes that do not fit.
    """
    _require_fitting(images, maps)
    colors, labels = images.movedim(1, -1).flatten(0, -2), maps.flatten()
    return {int(k): colors[labels == k].double().mean(0) for k in labels.unique().tolist() if k != UNKNOWN}


def _require_fitting(images: Tensor, maps: Tensor) -> None:
    require_images(images, "images")
    if maps.shape != (len(images), *images.shape[2:]):
        expected = [len(images), *images.shape[2:]]
        raise UsageError(f"maps: expected one for each image, {expected}, found {list(maps.shape)}; resize them")


def _blur(images: Tensor) -> Tensor:
    """The mean of 3 x 3 pixels, in levels of 255, float64; at an edge the outermost pixels are continued."""
    return F.avg_pool2d(F.pad(images.double(), (1, 1, 1, 1), mode="replicate"), 3, 1)


def _rows(images: Tensor) -> int:
    return max(1, AT_A_TIME // (images.shape[2] * images.shape[3]))
