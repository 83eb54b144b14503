"""Clips of the user: a folder of animations, films and folders of frames, each cut to a square, and where it jumps in two."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np
import numpy.typing as npt
import torch

from ganvas.config import DataConfig
from ganvas.data import cache
from ganvas.data.clip_crops import choose_crop, find_jumps, misses_motion, spell_frames
from ganvas.data.clip_files import ENDINGS, MOST, Clip, describe_sizes, order_of_frame, put_on_white, read_clip
from ganvas.data.clips import FEWEST, ClipTable, make_clips
from ganvas.data.collection import Progress
from ganvas.data.folder_layout import missing_test_split
from ganvas.data.images import SUFFIXES, UnreadableError, open_image, silence_pillow
from ganvas.data.input_files import open_input
from ganvas.data.readers.folder import walk
from ganvas.data.source_names import BUILT_IN, find_path
from ganvas.data.table import Skipped
from ganvas.data.whole_picture import ANIMATED, read_animation, read_picture
from ganvas.errors import DataError, UsageError
from ganvas.media.film_stream import FILM_SUFFIXES
from ganvas.utils.parsing import printable, spell_count

Array = npt.NDArray[Any]
SIDE = 64  # pixels, if nothing else is wanted
TOLD = 3  # clips that a warning names
LOOKED_AT = 100  # files of a folder that say whether it is one of clips
VERSION = 2  # of the rules below: a new one makes new entries of the cache


def open_own_clips(
    config: DataConfig, resolution: int | None = None, channels: int | None = None, progress: Progress | None = None
) -> ClipTable:
    """The clips in the folder `config.source`: each animation and each film is one, and so are the pictures of a folder.

    Frames are cut to the square with the object (`clip_crops.py`), and reduced to `resolution` pixels. A clip with jump cuts
    becomes several. What was done is in the warnings.

    Raises:
        DataError: no such folder, or no clip in it that can be read.
    """
    root, side = find_path(config.source), resolution or SIDE
    if config.split == "test":
        raise missing_test_split("a folder of clips")
    if not root.is_dir():
        raise DataError(f"{printable(config.source)}: expected a folder of clips: GIF, animated PNG and WebP, films, or frames")
    files, skipped, _ = walk(root)
    identity = sorted((name, size, time) for name, (size, time) in files.items())
    entry = cache.entry_name("own clips", VERSION, str(root.resolve()), identity, side, channels)
    found = cache.read(entry) or cache.store(
        entry, lambda file: _build(config.source, list(files), skipped, side, channels, file, progress)
    )
    pixels, record = found
    assert record.labels is not None  # noqa: S101 - the clip of each frame
    lengths = torch.bincount(record.labels).tolist()
    return make_clips(
        printable(config.source),
        pixels,
        lengths,
        flip=config.flip,
        fingerprint=record.fingerprint,
        skipped=record.skipped,
        warnings=record.warnings,
    )


def count_clips(config: DataConfig) -> int:
    """The number of animations and films in the folder `config.source`; 0 if they are less than half of it, or it is no folder.

    Folders of frames do not count: they look like classes of pictures.
    """
    root = find_path(config.source)
    if config.source in BUILT_IN or not root.is_dir():
        return 0
    names = sorted(name for name in walk(root)[0] if Path(name).suffix.lower() in (*SUFFIXES, *FILM_SUFFIXES))
    looked_at = names[:: -(-len(names) // LOOKED_AT)] if names else []
    found = sum(_is_clip(root / name) for name in looked_at)
    return round(found / len(looked_at) * len(names)) if 2 * found >= max(1, len(looked_at)) else 0


def _is_clip(path: Path) -> bool:
    if path.suffix.lower() in FILM_SUFFIXES:
        return True
    if path.suffix.lower() not in ENDINGS:
        return False
    try:
        with silence_pillow(), open_input(path) as file, open_image(file) as image:
            return image.format in ANIMATED and int(getattr(image, "n_frames", 1)) > 1
    except (DataError, UnreadableError):
        return False


def _build(
    source: str,
    names: list[str],
    skipped: list[Skipped],
    side: int,
    channels: int | None,
    file: BinaryIO,
    progress: Progress | None,
) -> cache.Record:
    root, left_out = find_path(source), list(skipped)
    squares, missed, cut, begun = list[str](), list[str](), list[str](), list[str]()
    groups = list[int]()
    clips = 0
    grey = channels == 1
    done = 0
    for name, clip in _read_all(root, names, left_out):
        crop = choose_crop(clip.frames)
        frames = np.stack([crop.cut(frame, side) for frame in clip.frames])
        if not crop.whole:
            squares.append(f"{name} to {crop.text()}")
        if misses_motion(clip.frames, crop):
            missed.append(name)
        if clip.more:
            begun.append(name)
        jumps = find_jumps(frames)
        if jumps:
            cut.append(f"{name} at {spell_frames(jumps)}")
        for start, end in zip([0, *jumps], [*jumps, len(frames)], strict=True):
            if end - start < 2:
                continue
            part = frames[start:end].transpose(0, 3, 1, 2)
            if grey:
                part = (part.astype(np.float32).mean(1, keepdims=True)).round().astype(np.uint8)
            file.write(part.tobytes())
            groups += [clips] * len(part)
            clips += 1
        done += 1
        if progress:
            progress(done, len(names))
    if not groups:
        reasons = "; ".join(f"{each.name}: {each.reason}" for each in left_out[:3])
        raise DataError(
            f"{printable(source)}: expected clips: GIF, animated PNG and WebP, films, or folders of frames; found none"
            + f" ({reasons})" * bool(reasons)
        )
    warnings = []
    if squares:
        warnings.append(f"{spell_count(len(squares), 'clips')} cut to squares: {_name_some(squares)}")
    if missed:
        warnings.append(f"most of what moves lies outside the square; crop the clip around it: {_name_some(missed)}")
    if cut:
        warnings.append(f"jump cuts, where a clip became several: {_name_some(cut)}")
    if begun:
        warnings.append(f"only the first frames are read, at most {MOST:,}: {_name_some(begun)}")
    shape = (len(groups), 1 if grey else 3, side, side)
    return cache.Record(shape, torch.tensor(groups), (), tuple(left_out), warnings=tuple(warnings))


def _name_some(names: list[str]) -> str:
    return ", ".join(names[:TOLD]) + (f", and {len(names) - TOLD} more" if len(names) > TOLD else "")


def _read_all(root: Path, names: list[str], left_out: list[Skipped]) -> Iterator[tuple[str, Clip]]:
    """Each clip with its name; what is none goes into `left_out`."""
    stills: dict[str, list[str]] = {}
    for name in sorted(names):
        ending = Path(name).suffix.lower()
        if any(part.startswith(".") for part in name.split("/")):
            continue
        try:
            if ending in FILM_SUFFIXES:
                yield printable(name), read_clip(root / name)
            elif ending in SUFFIXES:
                with silence_pillow(), open_input(root / name) as file:
                    many = read_animation(file) is not None
                if many:
                    yield printable(name), read_clip(root / name)
                else:
                    stills.setdefault(name.rpartition("/")[0], []).append(name)
            else:
                left_out.append(Skipped(printable(name), "not a picture or a film, by its ending"))
        except (DataError, UnreadableError, UsageError) as error:
            left_out.append(Skipped(printable(name), str(error).removeprefix(f"{printable(root / name)}: ")))
    for folder, pictures in stills.items():
        clip = _read_stills(root, sorted(pictures, key=order_of_frame), f"{printable(folder or root.name)}/", left_out)
        if clip is not None:
            yield printable(folder or root.name), clip


def _read_stills(root: Path, names: list[str], folder: str, left_out: list[Skipped]) -> Clip | None:
    """The pictures of one folder as the frames of a clip; what is left out goes into `left_out`. None: they are no clip."""
    frames: dict[str, Array] = {}
    for name in names[:MOST]:
        try:
            with silence_pillow(), open_input(root / name) as file:
                frames[name] = put_on_white(read_picture(file).values)
        except UnreadableError as error:
            left_out.append(Skipped(printable(name), str(error)))
    if not frames:
        return None
    shape, count = Counter(frame.shape for frame in frames.values()).most_common(1)[0]
    if 2 * count < len(frames):
        left_out.append(Skipped(folder, describe_sizes(list(frames.values()))))
        return None
    if count < FEWEST:
        reason = "one picture of its size in its folder; a clip needs two frames or more"
        left_out += [Skipped(printable(name), reason) for name in frames]
        return None
    height, width = shape[:2]
    reason = f"of another size than the most frames of its folder, {width} x {height}"
    left_out += [Skipped(printable(name), reason) for name, frame in frames.items() if frame.shape != shape]
    return Clip([frame for frame in frames.values() if frame.shape == shape], 0.0, len(names) > MOST)
