"""Clips: frames of one moving object each. A row of a batch is two frames of one clip, the source and the driving frame."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import torch
from torch import Tensor

from ganvas.core.modality import Batch
from ganvas.data import order
from ganvas.data.table import TableDataset
from ganvas.errors import DataError

FEWEST = 2  # frames of a clip


@dataclass(frozen=True, eq=False)
class ClipTable(TableDataset):
    """All frames of all clips. Row k is frame k as the driving frame, with another frame of its clip as the source.

    `fields` has the frames uint8 [N, C, H, W] as "source" and as "driving", the same memory twice; `groups` the clip of each
    frame, which follow each other: clips are held out whole. A batch draws the source anew each time; `rows` takes the frame
    half a clip away, so that measurements repeat.

    Raises:
        DataError: a clip has one frame only.
    """

    joints: Tensor | None = field(default=None, kw_only=True)  # float32 [N, J, 2], where they are known: puppets

    def __post_init__(self) -> None:
        short = torch.bincount(self._clip) < FEWEST
        if bool(short.any()):
            raise DataError(f"{self.name}: expected two frames or more in each clip, found one; leave that clip out")

    @property
    def _clip(self) -> Tensor:
        assert self.groups is not None  # noqa: S101 - `make_clips` sets it
        return self.groups

    @property
    def clips(self) -> int:
        """The number of clips."""
        return len((self._clip if self.index is None else self._clip[self.index]).unique())

    def batch(self, seed: int, start: int, count: int) -> Batch:
        """The stored fields at positions start .. start+count-1: two frames of one clip each, mirrored together or not."""
        frames = self._number(order.rows(seed, start, count, len(self)))
        first, length = self._span(frames)
        # One to length - 1 frames on, and round to the start: never the frame itself.
        on = order.crops(seed, start, count, (1 << 30, 0))[0] % (length - 1) + 1
        batch = self._pair(frames, first + (frames - first + on) % length)
        if self.flip:
            mirrored = order.flips(seed, start, count)
            batch = {name: self.modalities[name].mirror(x, mirrored) for name, x in batch.items()}
        return batch

    def rows(self, index: Tensor) -> Batch:
        """The stored fields of the driving frames int64 [N]; the source is the frame half a clip away. Nothing is mirrored."""
        frames = self._number(index)
        first, length = self._span(frames)
        return self._pair(frames, first + (frames - first + length // 2) % length)

    def find_joints(self, index: Tensor) -> Tensor:
        """The joints in the driving frames int64 [N]: [N, J, 2], x and y from -1 to 1.

        Raises:
            DataError: they are not known.
        """
        if self.joints is None:
            raise DataError(f"{self.name}: nobody knows the joints; puppets have them")
        return self.joints[self._number(index)]

    def _number(self, index: Tensor) -> Tensor:
        return index if self.index is None else self.index[index]

    def _span(self, frames: Tensor) -> tuple[Tensor, Tensor]:
        """The first frame of the clip of each, and the number of its frames."""
        lengths = torch.bincount(self._clip)
        ends = lengths.cumsum(0)
        clip = self._clip[frames]
        return (ends - lengths)[clip], lengths[clip]

    def _pair(self, driving: Tensor, source: Tensor) -> Batch:
        frames = self.table
        return {"source": frames.index_select(0, source), "driving": frames.index_select(0, driving)}


def make_clips(
    name: str, frames: Tensor, lengths: Sequence[int], *, joints: Tensor | None = None, **settings: object
) -> ClipTable:
    """frames uint8 [N, C, H, W] of clips with so many frames each, one after the other -> the table.

    `settings` are those of `TableDataset`.

    Raises:
        DataError: a clip has one frame only.
    """
    groups = torch.repeat_interleave(torch.arange(len(lengths)), torch.tensor(list(lengths)))
    fields = {"source": frames, "driving": frames}
    return ClipTable(name, fields, groups=groups, joints=joints, **settings)  # type: ignore[arg-type]
