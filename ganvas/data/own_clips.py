"""Clips of the user: a folder or zip of animations, films and folders of frames, cut to squares, and where they jump in two."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from importlib.util import find_spec
from typing import Any, BinaryIO

import numpy as np
import numpy.typing as npt
import torch

from ganvas.config import DataConfig
from ganvas.data import cache
from ganvas.data.clip_crops import choose_crop, find_jumps, misses_motion, spell_frames
from ganvas.data.clip_files import ENDINGS, MOST, Clip, decode_clip, describe_sizes, order_of_frame, put_on_white
from ganvas.data.clips import FEWEST, ClipTable, make_clips
from ganvas.data.collection import Progress, identify_file
from ganvas.data.folder_layout import missing_test_split
from ganvas.data.images import UnreadableError, silence_pillow
from ganvas.data.input_files import InputFile, is_zip, list_inside
from ganvas.data.readers.folder import walk
from ganvas.data.source_names import BUILT_IN, find_path
from ganvas.data.table import Skipped
from ganvas.data.whole_picture import find_ending, read_picture
from ganvas.errors import DataError, UsageError
from ganvas.utils.parsing import printable, spell_count

Array = npt.NDArray[Any]
SIDE = 64  # pixels, if nothing else is wanted
TOLD = 3  # clips that a warning names
LOOKED_AT = 100  # files that say whether a folder or a zip is one of clips
VERSION = 2  # of the rules below: a new one makes new entries of the cache


def open_own_clips(
    config: DataConfig, resolution: int | None = None, channels: int | None = None, progress: Progress | None = None
) -> ClipTable:
    """The clips in the folder or zip `config.source`: each animation and film is one, and so are the pictures of a folder.

    Frames are cut to the square with the object (`clip_crops.py`), and reduced to `resolution` pixels. A clip with jump cuts
    becomes several. What was done is in the warnings.

    Raises:
        DataError: no such folder or zip, or no clip in it that can be read.
    """
    root, side = find_path(config.source), resolution or SIDE
    if config.split == "test":
        raise missing_test_split("a folder of clips")
    if is_zip(root):
        identity = [identify_file(root, "")]
    elif root.is_dir():
        identity = sorted((name, size, time) for name, (size, time) in walk(root)[0].items())
    else:
        kinds = "GIF, animated PNG and WebP, films, or frames"
        raise DataError(f"{printable(config.source)}: expected a folder or a zip of clips: {kinds}")
    entry = cache.entry_name("own clips", VERSION, str(root.resolve()), identity, side, channels)
    found = cache.read(entry) or cache.store(
        entry, lambda file: _build(config.source, *list_inside(root), side, channels, file, progress)
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
    """The number of animations and films in a folder or zip; 0 if they are less than half of it, or `config.source` is none.

    Files that cannot be read do not count, nor do folders of frames: they look like classes of pictures.
    """
    root = find_path(config.source)
    if config.source in BUILT_IN or not (root.is_dir() or is_zip(root)):
        return 0
    return count_among(list_inside(root)[0])


def count_among(files: Sequence[InputFile]) -> int:
    """As `count_clips`, of these files."""
    pictures = [each for each in files if not each.is_film]
    if find_spec("av") is None and pictures:  # films cannot be read here
        files = pictures
    looked_at = files[:: -(-len(files) // LOOKED_AT)] if files else ()
    kinds = [kind for each in looked_at if (kind := _is_clip(each)) is not None]
    found = sum(kinds)
    return round(found / len(looked_at) * len(files)) if 2 * found >= max(1, len(kinds)) else 0


def _is_clip(file: InputFile) -> bool | None:
    """Whether a file has several frames; a film has, by its ending. None: it cannot be read."""
    if file.is_film:
        return True
    if not file.name.lower().endswith(ENDINGS):
        return False
    try:
        with silence_pillow(), file.open() as opened:
            return find_ending(opened) is not None
    except UnreadableError:
        return None


def _build(
    source: str,
    files: list[InputFile],
    skipped: list[Skipped],
    side: int,
    channels: int | None,
    file: BinaryIO,
    progress: Progress | None,
) -> cache.Record:
    left_out = list(skipped)
    squares, missed, cut, begun = list[str](), list[str](), list[str](), list[str]()
    groups = list[int]()
    clips = 0
    grey = channels == 1
    done = 0
    for name, clip in _read_all(files, find_path(source).name, left_out):
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
            progress(done, len(files))
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
        warnings.append(tell_begun(begun))
    shape = (len(groups), 1 if grey else 3, side, side)
    return cache.Record(shape, torch.tensor(groups), (), tuple(left_out), warnings=tuple(warnings))


def tell_begun(names: list[str]) -> str:
    """The warning about clips of which only the first frames are read."""
    return f"only the first frames are read, at most {MOST:,}: {_name_some(names)}"


def _name_some(names: list[str]) -> str:
    return ", ".join(names[:TOLD]) + (f", and {len(names) - TOLD} more" if len(names) > TOLD else "")


def _read_all(files: Sequence[InputFile], root: str, left_out: list[Skipped]) -> Iterator[tuple[str, Clip]]:
    """Each clip with its name; what is none goes into `left_out`. `root` is the name of the clip of the frames in no folder."""
    stills: dict[str, list[InputFile]] = {}
    for each in files:
        try:
            clip = read_own_clip(each)
        except (DataError, UsageError) as error:
            left_out.append(Skipped(printable(each.name), str(error)))
            continue
        if clip is not None:
            yield printable(each.name), clip
        else:
            stills.setdefault(each.name.rpartition("/")[0], []).append(each)
    for folder, pictures in stills.items():
        name = printable(folder or root)
        clip = _read_stills(sorted(pictures, key=lambda each: order_of_frame(each.name)), f"{name}/", left_out)
        if clip is not None:
            yield name, clip


def read_own_clip(file: InputFile) -> Clip | None:
    """The clip in an animation or a film; None: the file is one picture. Its name is in no error.

    Raises:
        DataError: it cannot be read, or is no clip.
        UsageError: a film, without the extra `video`.
    """
    with silence_pillow(), file.open() as opened:
        if not file.is_film and find_ending(opened) is None:
            return None
        opened.seek(0)
        try:
            return decode_clip(opened, file.name)
        except (DataError, UsageError) as error:
            raise type(error)(str(error).removeprefix(f"{printable(file.name)}: ")) from None


def _read_stills(files: Sequence[InputFile], folder: str, left_out: list[Skipped]) -> Clip | None:
    """The pictures of one folder as the frames of a clip; what is left out goes into `left_out`. None: they are no clip."""
    frames: dict[str, Array] = {}
    for each in files[:MOST]:
        try:
            with silence_pillow(), each.open() as opened:
                frames[each.name] = put_on_white(read_picture(opened).values)
        except UnreadableError as error:
            left_out.append(Skipped(printable(each.name), str(error)))
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
    return Clip([frame for frame in frames.values() if frame.shape == shape], 0.0, len(files) > MOST)
