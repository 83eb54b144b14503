"""A finite table of samples, and how rows of it become a batch."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import NamedTuple

import torch
from torch import Tensor

from ganvas.errors import DataError
from ganvas.seeds import mix


class Skipped(NamedTuple):
    """A file that was left out, and why."""

    name: str
    reason: str


@dataclass(frozen=True, eq=False)
class Source:
    """A finite table of samples, held as bytes where they are images or solids.

    `fields["real"]` is uint8 [N, C, H, W] or [N, C, D, H, W] (perhaps a memory map), or float32 points [N, D];
    or there is `fields["text"]` instead, int64 [N, L], whose symbol k is letter k of the `alphabet`, or the number itself;
    `fields["label"]`, where there is one, is int64 [N]. `fingerprint` is equal for equal contents, wherever they lie.
    """

    name: str
    fields: Mapping[str, Tensor]
    classes: tuple[str, ...] = ()  # names of the classes; () = no labels
    skipped: tuple[Skipped, ...] = ()
    flip: bool = False
    fingerprint: str = ""
    rows: Tensor | None = None  # int64: the rows of the table that belong to this source; None: all
    alphabet: str = ""  # of text
    vocabulary: int = 0  # of text: how many symbols there are, the end of a line included

    def __len__(self) -> int:
        return len(self.table if self.rows is None else self.rows)

    @property
    def table(self) -> Tensor:
        """All samples: `real`, or `text`."""
        return self.fields["text" if self.is_text else "real"]

    @property
    def is_text(self) -> bool:
        """Whether the samples are lines of text."""
        return "text" in self.fields

    @property
    def is_images(self) -> bool:
        """Whether the samples are images (else points or solids)."""
        return self.is_grid and self.table.ndim == 4

    @property
    def is_grid(self) -> bool:
        """Whether the samples are pixels or voxels (else points)."""
        return self.table.dtype == torch.uint8

    @property
    def resolution(self) -> int:
        """The side of the images in pixels, of solids in voxels."""
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
        if self.is_grid or self.is_text:
            held = "text" if self.is_text else "images"
            raise DataError(f"{self.name!r} holds {held}; expected points: use a point source such as 'ring'")
        return self.fields["real"].shape[1]

    def batch(self, rows: Tensor, flips: Tensor | None = None) -> dict[str, Tensor]:
        """int64 rows [N] -> fields: "real" float32 [N, C, ...] in [-1, 1] or points [N, D]; "label" int64 [N].

        `flips` bool [N] says which images to mirror.
        """
        table = rows if self.rows is None else self.rows[rows]
        fields = {name: tensor.index_select(0, table) for name, tensor in self.fields.items()}
        if self.is_grid:
            images = fields["real"]
            if flips is not None:  # on bytes: a quarter of the memory traffic
                images = torch.where(flips.view(-1, *[1] * (images.ndim - 1)), images.flip(-1), images)
            # With one channel both formats are the same memory, and the plain one keeps strides unambiguous.
            layout = torch.channels_last if self.is_images and images.shape[1] > 1 else torch.contiguous_format
            fields["real"] = images.to(torch.float32, memory_format=layout).div_(127.5).sub_(1.0)
        return fields

    def parted(self, share: float, most: int = 1_000) -> tuple[Source, Source | None]:
        """The source without a random `share` of its samples (at most `most`), and these; None where they are under 20.

        The same samples at every call; both share the memory of the whole.
        """
        count = min(most, int(share * len(self)))
        if count < 20:
            return self, None
        table = torch.arange(len(self.table)) if self.rows is None else self.rows
        order = torch.randperm(len(table), generator=torch.Generator().manual_seed(mix("held out")))
        held_out, rest = order[:count].sort().values, order[count:].sort().values
        return replace(self, rows=table[rest]), replace(self, rows=table[held_out])

    def _image_shape(self) -> torch.Size:
        if not self.is_grid:
            raise DataError(
                f"{self.name!r} holds {'text' if self.is_text else 'points'}, not images: use an image source such as 'mnist'"
            )
        return self.fields["real"].shape


def fingerprint(fields: Mapping[str, Tensor], classes: tuple[str, ...] = ()) -> str:
    """16 hexadecimal digits of the SHA-256 of names, types, shapes and contents."""
    digest = hashlib.sha256(repr(classes).encode())
    for name, tensor in sorted(fields.items()):
        digest.update(f"{name} {tensor.dtype} {list(tensor.shape)}".encode())
        digest.update(tensor.contiguous().numpy().data)
    return digest.hexdigest()[:16]
