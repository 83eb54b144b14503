"""Measures of outputs against the truth of each row."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import torch
from torch import Tensor

from ganvas.core.capabilities import Upscales
from ganvas.core.modality import CLIPS, IMAGES, LABEL_MAPS, UNKNOWN, Modality, modality_of
from ganvas.errors import UsageError
from ganvas.inference.inputs import INPUT_MODALITIES, Outputs
from ganvas.metrics.luma_psnr import psnr_y, ssim_y
from ganvas.metrics.psnr import psnr, psnr_within
from ganvas.metrics.ssim import ssim

MOST_DECIBELS = 100.0  # PSNR of equal images in a mean: that of a single wrong byte in 10^8 is about as high


def absolute_error(output: Tensor, truth: Tensor) -> Tensor:
    """uint8 [N, ...] of one shape -> the mean absolute error (L1) of each pair [N], 0 to 1 of the range, float64."""
    parts = zip(output.split(50), truth.split(50), strict=True)
    return torch.cat([(a.double() - b.double()).abs().flatten(1).mean(1) for a, b in parts]) / 255


def pixel_accuracy(output: Tensor, truth: Tensor) -> Tensor:
    """Label maps uint8 [N, H, W] -> the share of known pixels with the true class [N], float64.

    Source: Long, Shelhamer, Darrell 2015, arXiv:1411.4038 sec. 5.
    """
    known = truth != UNKNOWN
    right = ((output == truth) & known).flatten(1).double().sum(1)
    return right / known.flatten(1).double().sum(1).clamp(min=1)


def cap_decibels(values: Tensor) -> Tensor:
    """PSNR [N] without infinity, so that a mean exists."""
    return values.clamp(max=MOST_DECIBELS)


def _of_frames(metric: Callable[[Tensor, Tensor], Tensor]) -> Callable[[Tensor, Tensor], Tensor]:
    """A metric of images, applied to clips too: the mean over the frames."""

    def values(output: Tensor, truth: Tensor) -> Tensor:
        if modality_of(output, INPUT_MODALITIES) is IMAGES:
            return metric(output, truth)
        of_frames: Tensor = metric(output.flatten(0, 1), truth.flatten(0, 1)).unflatten(0, output.shape[:2])
        return of_frames.mean(1)

    return values


@dataclass(frozen=True)
class TruthMeasure:
    """A measure of outputs against the truth, row by row."""

    kinds: tuple[Modality, ...]  # it fits
    values: Callable[[Tensor, Tensor], Tensor]  # (outputs, truth) uint8 [N, ...] -> [N]
    enlarged: bool = False  # only of super-resolution, and without a border of as many pixels as its scale
    in_holes: bool = False  # only of inpainting, and of the pixels in the holes alone

    def compare(self, outputs: Outputs, output: Tensor) -> Tensor:
        """The values [N] of `output`, of these outputs or of their baseline, against the truth, which they must have.

        Raises:
            UsageError: the images are too small, or have another number of channels; or there are no holes.
        """
        assert outputs.truth is not None  # noqa: S101 - the caller has looked
        if self.in_holes:
            if outputs.hole is None:
                raise UsageError("only the outputs of inpainting have holes")
            return cap_decibels(psnr_within(output, outputs.truth, outputs.hole))
        border = self.border(outputs)
        if not border:
            return self.values(output, outputs.truth)
        inside = slice(border, -border)
        return self.values(output[..., inside, inside], outputs.truth[..., inside, inside])

    def border(self, outputs: Outputs) -> int:
        """How many pixels at each edge do not count. Source: Ledig et al. 2017, arXiv:1609.04802 sec. 3.1."""
        game = outputs.task.game
        return game.scale if self.enlarged and isinstance(game, Upscales) else 0

    def suits(self, outputs: Outputs) -> bool:
        """Whether it is measured if nobody asks for it."""
        return (not self.enlarged or isinstance(outputs.task.game, Upscales)) and (
            not self.in_holes or outputs.hole is not None
        )


TRUTH: Mapping[str, TruthMeasure] = {
    "mae": TruthMeasure((IMAGES, CLIPS), absolute_error),
    "psnr": TruthMeasure((IMAGES, CLIPS), _of_frames(lambda a, b: cap_decibels(psnr(a, b)))),
    "ssim": TruthMeasure((IMAGES, CLIPS), _of_frames(ssim)),
    "psnr_y": TruthMeasure((IMAGES,), lambda a, b: cap_decibels(psnr_y(a, b)), enlarged=True),
    "ssim_y": TruthMeasure((IMAGES,), ssim_y, enlarged=True),
    "psnr_hole": TruthMeasure((IMAGES,), psnr, in_holes=True),
    "pixel_accuracy": TruthMeasure((LABEL_MAPS,), pixel_accuracy),
}
