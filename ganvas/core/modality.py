"""The modality of a sample: points, images, voxels, text, label maps or clips.

Only this module knows how each kind is stored, normalized, mirrored and cropped. A sample is stored in a compact form
(pixels as bytes), moves to the device in that form, and is normalized there to the form that networks take and return.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from ganvas.errors import DataError

UNKNOWN = 255  # in a label map: the class of this pixel is not known
Batch = dict[str, Tensor]  # field -> [N, ...]; names and ranges as in fields.py


@dataclass(frozen=True)
class Modality:
    """One kind of sample. Compare with `is`: `data.modality is IMAGES`."""

    name: str  # the key in MODALITIES
    unit: str  # the word for samples in progress messages: "images", "lines", ...
    dims: tuple[str, ...]  # the dimensions of a batch, e.g. ("N", "C", "H", "W")
    dtype: torch.dtype  # as stored
    network_dtype: torch.dtype  # as networks take and return it
    range: str  # of the normalized values, in words
    space: int = 0  # number of spatial dimensions, at the end of the shape
    scaled: bool = False  # whether bytes 0 .. 255 become [-1, 1]
    mirrored: bool = False  # whether a horizontal flip of a sample is a valid sample

    @property
    def ndim(self) -> int:
        """The number of dimensions of a batch."""
        return len(self.dims)

    @property
    def grid(self) -> bool:
        """Whether a sample is a grid of pixels or voxels."""
        return self.space > 0

    def matches(self, x: Tensor) -> bool:
        """Whether x [N, ...] may be a batch of this kind, as stored or as normalized."""
        floats = x.is_floating_point() and self.network_dtype.is_floating_point
        return x.ndim == self.ndim and (floats or x.dtype in (self.dtype, self.network_dtype))

    def normalize(self, kept: Tensor) -> Tensor:
        """Stored samples [N, ...] -> what a network takes, of the same shape, on the same device.

        Bytes of pixels and voxels become float32 in [-1, 1]; label maps become int64; other kinds do not change.
        """
        if not self.scaled:
            return kept.to(self.network_dtype)
        # With one channel both formats are the same memory; the contiguous one has unambiguous strides.
        flat = self.ndim == 4 and kept.shape[1] > 1
        layout = torch.channels_last if flat else torch.contiguous_format
        return kept.to(torch.float32, memory_format=layout).div_(127.5).sub_(1.0)

    def denormalize(self, samples: Tensor) -> Tensor:
        """Samples [N, ...] of a network -> as they are stored, on the same device: rounded, and clamped to the range.

        Raises:
            DataError: a pixel or voxel is NaN.
        """
        if not self.scaled:
            return samples.detach().to(self.dtype)
        levels = (samples.detach().float() + 1) * 127.5
        if levels.isnan().any():
            raise DataError(f"the {self.unit} hold NaN: the model has diverged; go back to an earlier checkpoint")
        return levels.clamp(0, 255).round().to(torch.uint8)

    def mirror(self, kept: Tensor, flips: Tensor) -> Tensor:
        """Stored samples [N, ..., W], those where `flips` bool [N] is true flipped horizontally; nothing is interpolated."""
        if not self.mirrored:
            return kept
        return torch.where(flips.view(-1, *[1] * (kept.ndim - 1)), kept.flip(-1), kept)

    def crop(self, kept: Tensor, top: Tensor, left: Tensor, side: int) -> Tensor:
        """Stored samples [N, ..., H, W] -> [N, ..., side, side]: the square of sample i starts at row top[i], column left[i].

        Raises:
            DataError: samples of this kind are not two-dimensional.
        """
        if self.space != 2:
            raise DataError(f"crop: expected a kind with height and width, found {self.name}; leave the crop out")
        steps = torch.arange(side, device=kept.device)
        middle = [1] * (kept.ndim - 3)
        rows = (top[:, None] + steps).view(len(kept), *middle, side, 1).expand(*kept.shape[:-2], side, kept.shape[-1])
        columns = (left[:, None] + steps).view(len(kept), *middle, 1, side).expand(*kept.shape[:-2], side, side)
        return kept.gather(-2, rows).gather(-1, columns)

    def describe(self, shape: Sequence[int]) -> str:
        """The shape of one sample in words: "32 x 32 pixels, grey"."""
        size = " x ".join(map(str, shape[len(shape) - self.space :])) if self.space else str(shape[0])
        if self is POINTS:
            return f"points of {size} number{'s' * (shape[0] != 1)}"
        if self is TEXT:
            return f"lines of up to {size} symbols"
        if self is LABELS:
            return "class numbers"
        parts = [f"{size} {'voxels' if self is VOXELS else 'pixels'}"]
        if self.scaled:
            channels = shape[-self.space - 1]
            parts.append({1: "grey", 3: "color"}.get(channels, f"{channels} channels"))
        if self is CLIPS:
            parts.insert(0, f"{shape[0]} frames")
        return ", ".join(parts)


POINTS = Modality("points", "points", ("N", "D"), torch.float32, torch.float32, "data units")
IMAGES = Modality(
    "images", "images", ("N", "C", "H", "W"), torch.uint8, torch.float32, "[-1, 1]", space=2, scaled=True, mirrored=True
)
VOXELS = Modality(
    "voxels", "solids", ("N", "C", "D", "H", "W"), torch.uint8, torch.float32, "[-1, 1]", space=3, scaled=True, mirrored=True
)
TEXT = Modality("text", "lines", ("N", "L"), torch.int64, torch.int64, "0 .. vocabulary-1; 0 ends a line")
LABEL_MAPS = Modality(
    "label maps", "maps", ("N", "H", "W"), torch.uint8, torch.int64, "0 .. classes-1; 255: not known", space=2, mirrored=True
)
CLIPS = Modality(
    "clips", "clips", ("N", "T", "C", "H", "W"), torch.uint8, torch.float32, "[-1, 1]", space=2, scaled=True, mirrored=True
)
LABELS = Modality("labels", "labels", ("N",), torch.int64, torch.int64, "0 .. classes-1")  # belong to samples of other kinds

MODALITIES: Mapping[str, Modality] = {kind.name: kind for kind in (POINTS, IMAGES, VOXELS, TEXT, LABEL_MAPS, CLIPS)}


def modality_of(x: Tensor, among: Iterable[Modality] = tuple(MODALITIES.values())) -> Modality:
    """The kind of a batch x [N, ...], as stored or as normalized: the first of `among` with its type and dimensions.

    Voxels and clips have the same type and number of dimensions: clips are found only if `among` has no voxels.

    Raises:
        DataError: it is of none of these kinds.
    """
    kinds = tuple(among)
    for kind in kinds:
        if kind.matches(x):
            return kind
    found = f"{str(x.dtype).removeprefix('torch.')} {list(x.shape)}"
    raise DataError(f"expected {describe_modalities(kinds)}; found {found}; convert the data to one of these kinds")


def modality_of_shape(shape: Sequence[int]) -> Modality:
    """The kind of the samples of a network that returns float32 [N, *shape].

    Raises:
        DataError: no kind has this number of dimensions.
    """
    return modality_of(torch.empty(0, *shape), (POINTS, IMAGES, VOXELS))


def describe_modalities(kinds: Iterable[Modality]) -> str:
    """The kinds and their dimensions in words: "points [N, D] or images [N, C, H, W]"."""
    *most, last = [f"{kind.name} [{', '.join(kind.dims)}]" for kind in kinds]
    return f"{', '.join(most)} or {last}" if most else last


def normalize_batch(batch: Mapping[str, Tensor], modalities: Mapping[str, Modality]) -> Batch:
    """A stored batch -> as networks take it, on its device; a field without a modality does not change."""
    return {name: modalities[name].normalize(x) if name in modalities else x for name, x in batch.items()}
