"""A finite table of samples, and how rows of it become a batch."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from typing import NamedTuple

import torch
from torch import Tensor

from ganvas.errors import DataError


class Skipped(NamedTuple):
    """A file that was left out, and why."""

    name: str
    reason: str


@dataclass(frozen=True, eq=False)
class Source:
    """A finite table of samples, held as bytes where they are images.

    `fields["real"]` is uint8 [N, C, H, W] (perhaps a memory map) or float32 points [N, D]; `fields["label"]`, where there
    is one, is int64 [N]. `fingerprint` is equal for equal contents, wherever they lie.
    """

    name: str
    fields: Mapping[str, Tensor]
    classes: tuple[str, ...] = ()  # names of the classes; () = no labels
    skipped: tuple[Skipped, ...] = ()
    flip: bool = False
    fingerprint: str = ""

    def __len__(self) -> int:
        return len(self.fields["real"])

    @property
    def is_images(self) -> bool:
        """Whether the samples are images (else points)."""
        return self.fields["real"].dtype == torch.uint8

    @property
    def resolution(self) -> int:
        """The side of the images in pixels."""
        return self._image_shape()[-1]

    @property
    def channels(self) -> int:
        """1 for grey images, 3 for colour."""
        return self._image_shape()[1]

    @property
    def dims(self) -> int:
        """The numbers in one point.

        Raises:
            DataError: the samples are images.
        """
        if self.is_images:
            raise DataError(f"{self.name!r} holds images; expected points: use a point source such as 'ring'")
        return self.fields["real"].shape[1]

    def batch(self, rows: Tensor, flips: Tensor | None = None) -> dict[str, Tensor]:
        """int64 rows [N] -> fields: "real" float32 [N, C, H, W] in [-1, 1] or points [N, D]; "label" int64 [N].

        `flips` bool [N] says which images to mirror.
        """
        fields = {name: tensor.index_select(0, rows) for name, tensor in self.fields.items()}
        if self.is_images:
            images = fields["real"]
            if flips is not None:  # on bytes: a quarter of the memory traffic
                images = torch.where(flips[:, None, None, None], images.flip(-1), images)
            # With one channel both formats are the same memory, and the plain one keeps strides unambiguous.
            layout = torch.channels_last if images.shape[1] > 1 else torch.contiguous_format
            fields["real"] = images.to(torch.float32, memory_format=layout).div_(127.5).sub_(1.0)
        return fields

    def _image_shape(self) -> torch.Size:
        if not self.is_images:
            raise DataError(f"{self.name!r} holds points, not images: use an image source such as 'mnist'")
        return self.fields["real"].shape


def fingerprint(fields: Mapping[str, Tensor], classes: tuple[str, ...] = ()) -> str:
    """16 hexadecimal digits of the SHA-256 of names, types, shapes and contents."""
    digest = hashlib.sha256(repr(classes).encode())
    for name, tensor in sorted(fields.items()):
        digest.update(f"{name} {tensor.dtype} {list(tensor.shape)}".encode())
        digest.update(tensor.contiguous().numpy().data)
    return digest.hexdigest()[:16]
