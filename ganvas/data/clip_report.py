"""The report of `ganvas data` about a folder or a zip of clips: how many, where they are cut, and which recipe suits."""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import torch

from ganvas.config import DataConfig
from ganvas.data.clips import ClipTable
from ganvas.data.images import silence_pillow
from ganvas.data.input_files import is_zip
from ganvas.data.levels import Bytes
from ganvas.data.order import spread_evenly
from ganvas.data.own_clips import count_clips, open_own_clips
from ganvas.data.report_values import list_values
from ganvas.data.source_names import find_path, naming
from ganvas.data.table import Skipped
from ganvas.media.image_files import png_name
from ganvas.media.preview import COLUMNS, SHEET, save_sheet
from ganvas.utils.parsing import printable, spell_count

RECIPE = "motion-clips"


@dataclass(frozen=True)
class ClipReport:
    """What `ganvas data` prints of clips."""

    source: str
    layout: str
    clips: int
    frames: int
    lengths: tuple[int, int]  # frames of the shortest and of the longest clip
    recipe: str  # that suits
    skipped: tuple[Skipped, ...]
    warnings: tuple[str, ...]  # the squares that were cut out, jump cuts, and what is doubtful
    samples: Sequence[Bytes] = field(default=(), repr=False, compare=False)

    def to_dict(self) -> dict[str, Any]:
        """The report as plain JSON values."""
        return list_values(self)

    def text(self) -> str:
        """The report for people."""
        least, most = self.lengths
        each = f"{least:,}" if least == most else f"{least:,} to {most:,}"
        lines = [f"{self.source}: {self.layout}, {spell_count(self.clips, 'clips')} of {each} frames, {self.frames:,} in all"]
        lines += [f"warning: {text}" for text in self.warnings]
        lines.append(f"suggested: {self.recipe}")
        if self.skipped:
            lines.append(f"skipped: {len(self.skipped):,}")
        return "\n".join(lines)

    def preview(self, path: str | Path) -> None:
        """Write a PNG: up to eight clips as networks get them, a row of frames of each.

        Raises:
            UsageError: another kind of file.
        """
        save_sheet(self.samples, png_name(path, "a preview"))


def inspect_clips(source: str) -> ClipReport | None:
    """As `describe_clips`, of a folder or a zip most of whose files are animations and films. None: it is no such.

    Raises:
        DataError: no clip in it can be read.
    """
    with naming(source), silence_pillow():
        if not count_clips(DataConfig(source=source)):
            return None
    return describe_clips(source)


def describe_clips(source: str) -> ClipReport:
    """The report on a folder or a zip of clips, also on one of folders of frames. Reads every clip.

    Raises:
        DataError: no clip in it can be read.
    """
    with naming(source), silence_pillow():
        data = open_own_clips(DataConfig(source=source))
    lengths = torch.bincount(data.groups).tolist() if data.groups is not None else []
    shape = (min(lengths), max(lengths))
    layout = f"{'zip' if is_zip(find_path(source)) else 'folder'} of clips"
    return ClipReport(
        printable(source), layout, data.clips, len(data), shape, RECIPE, data.skipped, data.warnings, _draw(data, lengths)
    )


def _draw(data: ClipTable, lengths: Sequence[int]) -> list[Bytes]:
    """Frames of some clips, as many of each as a row of the preview has."""
    frames, firsts = data.fields["driving"], [0, *itertools.accumulate(lengths)]
    shown = spread_evenly(len(lengths), SHEET // COLUMNS)
    return [frames[firsts[clip] + k * (lengths[clip] - 1) // (COLUMNS - 1)].numpy() for clip in shown for k in range(COLUMNS)]
