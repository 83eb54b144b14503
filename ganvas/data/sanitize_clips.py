"""Rewrite an uploaded zip of clips as a safe one: every frame is decoded, and encoded again in a folder of its clip.

Only pixels and the names of the clips are kept: no metadata, no films, no paths. `own_clips.py` reads such a folder as a clip.
"""

from __future__ import annotations

import zipfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy.typing as npt

from ganvas.data.clip_crops import choose_crop
from ganvas.data.input_files import list_inside
from ganvas.data.own_clips import count_among, read_own_clip, tell_begun
from ganvas.data.picture_copies import copy_picture
from ganvas.data.sanitize_zip import UNPACKED, check_zip, safe_names
from ganvas.data.table import Skipped
from ganvas.errors import DataError, UsageError
from ganvas.utils.files import disk_errors
from ganvas.utils.parsing import printable

Array = npt.NDArray[Any]
SIDE = 256  # pixels: frames are downsampled until the square that will be cut out has this side
LARGEST = 1_080  # pixels of the shorter side of a frame, also if the square is a small part of it
MOST_FRAMES = 100_000  # of all clips
MOST_BYTES = UNPACKED  # of all frames, packed


def repack_clips(path: Path, out: Path) -> tuple[tuple[Skipped, ...], tuple[str, ...]] | None:
    """Write the clips of the zip at `path` to a new zip at `out`; returns the skipped files, and what is doubtful.

    None: most of its files are single pictures, and nothing was written. Else single pictures are skipped.

    Raises:
        DataError: the zip is damaged, a zip bomb or hostile in another way, or no clip in it can be read.
        ResourceError: the new zip cannot be written.
    """
    check_zip(path)
    files, others = list_inside(path)
    if not count_among(files):
        return None
    skipped, begun = list(others), list[str]()
    frames = size = 0
    folders = safe_names([each.name for each in files])
    with disk_errors(f"cannot write {out}"), zipfile.ZipFile(out, "x", zipfile.ZIP_STORED) as target:
        for each, folder in zip(files, folders, strict=True):
            try:
                clip = read_own_clip(each)
                if clip is None:
                    raise DataError("one picture, and most files here are clips")
                if frames + len(clip.frames) > MOST_FRAMES:
                    raise DataError(f"more than {MOST_FRAMES:,} frames in all; send fewer clips")
                side = _choose_side(clip.frames)
                copies = [copy_picture(frame, side) for frame in clip.frames]
                more = sum(map(len, copies))
                if size + more > MOST_BYTES:
                    raise DataError(f"more than {MOST_BYTES:,} bytes of frames in all; send fewer or smaller clips")
            except (DataError, UsageError, MemoryError) as error:  # the process has a limit of memory
                reason = "needs more memory than there is" if isinstance(error, MemoryError) else str(error)
                skipped.append(Skipped(printable(each.name), reason))
                continue
            for k, copy in enumerate(copies):
                target.writestr(f"{folder}/{k:04d}.png", copy)
            frames, size = frames + len(copies), size + more
            if clip.more:
                begun.append(printable(each.name))
    if not frames:
        reasons = "; ".join(f"{name}: {reason}" for name, reason in skipped[:3])
        raise DataError(f"{printable(path.name)}: no clip can be read ({reasons})")
    return tuple(skipped), (tell_begun(begun),) if begun else ()


def _choose_side(frames: Sequence[Array]) -> int:
    """The shorter side to which frames uint8 [H, W, 3] of a clip are downsampled."""
    shorter: int = min(frames[0].shape[:2])
    return min(LARGEST, max(1, round(SIDE * shorter / choose_crop(frames).side)))
