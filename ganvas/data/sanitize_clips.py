"""Rewrite an uploaded zip of clips as a safe one: every frame is decoded, and encoded again in a folder of its clip.

Only pixels and the names of the clips are kept: no metadata, no films, no paths. `own_clips.py` reads such a folder as a clip.
"""

from __future__ import annotations

import zipfile
from pathlib import Path

from ganvas.data.clip_files import Clip
from ganvas.data.input_files import list_inside
from ganvas.data.own_clips import count_among, read_own_clip, tell_begun
from ganvas.data.picture_copies import copy_picture
from ganvas.data.sanitize_zip import check_zip, safe_names
from ganvas.data.table import Skipped
from ganvas.errors import DataError, UsageError
from ganvas.utils.files import disk_errors
from ganvas.utils.parsing import printable

SIDE = 256  # pixels: frames with a longer shorter side are downsampled to it; the square of an object may be a part of them
MOST_FRAMES = 100_000  # of all clips
MOST_PIXELS = 4_000_000_000  # of all frames


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
    frames = pixels = 0
    folders = safe_names([each.name for each in files])
    with disk_errors(f"cannot write {out}"), zipfile.ZipFile(out, "x", zipfile.ZIP_STORED) as target:
        for each, folder in zip(files, folders, strict=True):
            try:
                clip = read_own_clip(each)
                if clip is None:
                    raise DataError("one picture, and most files here are clips")
                if frames + len(clip.frames) > MOST_FRAMES or pixels + _count_pixels(clip) > MOST_PIXELS:
                    raise DataError(f"more than {MOST_FRAMES:,} frames, or {MOST_PIXELS:,} pixels, in all; send fewer clips")
                copies = [copy_picture(frame, SIDE) for frame in clip.frames]
            except (DataError, UsageError) as error:
                skipped.append(Skipped(printable(each.name), str(error)))
                continue
            for k, copy in enumerate(copies):
                target.writestr(f"{folder}/{k:04d}.png", copy)
            frames, pixels = frames + len(copies), pixels + _count_pixels(clip)
            if clip.more:
                begun.append(printable(each.name))
    if not frames:
        reasons = "; ".join(f"{name}: {reason}" for name, reason in skipped[:3])
        raise DataError(f"{printable(path.name)}: no clip can be read ({reasons})")
    return tuple(skipped), (tell_begun(begun),) if begun else ()


def _count_pixels(clip: Clip) -> int:
    """The pixels of the frames that are kept of a clip, at most."""
    height, width = clip.frames[0].shape[:2]
    share = min(1.0, SIDE / min(height, width))
    return int(len(clip.frames) * height * width * share**2) + 1
