"""Collections of images of any size, and their conversion into one table of bytes.

What a reader is not sure of goes into `warnings`: one sentence each, safe to print, with what was found and what to do. They
travel from `ImageCollection` or `ArrayCollection` through the cache to `TableDataset.warnings`; `ganvas data` and the first
lines of `ganvas train` show them. A file that is left out is no warning: it is listed in `skipped`, with its reason.
"""

from __future__ import annotations

import os
import statistics
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from pathlib import Path
from typing import IO, BinaryIO, TypeVar

import numpy as np
from torch import Tensor

from ganvas.data.images import MAX_PACKED, Fit, Header, UnreadableError, fit_to_side, flatten_on_white, silence_pillow
from ganvas.data.labels import doubt_balance, drop_empty_classes
from ganvas.data.levels import Brightest, Bytes, Levels, Span, Values, choose_levels, doubt_levels
from ganvas.data.table import Skipped
from ganvas.errors import DataError, UsageError
from ganvas.utils.parsing import printable

T = TypeVar("T")
Progress = Callable[[int, int], None]  # done, of how many

SIDES = (32, 64, 128)  # the resolutions to choose from if none is given
LEAST = 8  # pixels: smaller squares are enlarged to 32, because no game generates so few
MAX_RESOLUTION = 4096
BLOCK = 256  # images that are processed at the same time: this bounds the memory
MANY = 256_000_000  # pixels; a larger collection must not have more than MAX_PACKED pixels in a byte of its files
TASK = 32  # images in one task of a thread: for small images a task costs more than the decoding
WORKERS = min(8, os.cpu_count() or 1)


@dataclass(frozen=True)
class TargetFormat:
    """The target size and channels of the images; None: chosen from the images."""

    resolution: int | None = None
    channels: int | None = None
    fit: Fit = "crop"

    def __post_init__(self) -> None:
        if self.resolution is not None and not 1 <= self.resolution <= MAX_RESOLUTION:
            raise UsageError(f"resolution {self.resolution}: expected 1 to {MAX_RESOLUTION} pixels")
        if self.channels not in (None, 1, 3):
            raise UsageError(f"channels {self.channels}: expected 1 (grey) or 3 (color)")


@dataclass(frozen=True)
class ImageCollection:
    """A collection of images of any size, each decoded on demand.

    `read(i, enough)` returns numbers [H, W, C], C = 1, 3 or 4 (alpha); they may be reduced, but both sides are at least
    `enough`. They are bytes, unless the header is `deep`; `as_bytes` makes them bytes. `peek(i)` returns the header. Both
    raise `UnreadableError`, and may be called from several threads. `last(i, pixels)` is applied to an image after it has its
    final size.
    """

    names: Sequence[str]  # safe to print
    peek: Callable[[int], Header]
    read: Callable[[int, int], Values]
    labels: Sequence[int] | None = None
    classes: tuple[str, ...] = ()
    skipped: tuple[Skipped, ...] = ()
    layout: str = ""  # how the labels were found, in words
    last: Callable[[int, Bytes], Bytes] = lambda _i, pixels: pixels
    splits: tuple[str, ...] = ("train",)  # the splits that the source has
    warnings: tuple[str, ...] = ()  # what is doubtful, a sentence each, known before an image is decoded
    late_warnings: Callable[[], tuple[str, ...]] = tuple  # the same, known after every image was read; called then, once
    open: Callable[[int], IO[bytes]] | None = None  # the file of an image as it is; None: it has none of its own

    def pick(self, chosen: Sequence[int]) -> ImageCollection:
        """Only the images with these indices, in this order, without labels."""
        opened = self.open
        return replace(
            self,
            names=[self.names[i] for i in chosen],
            peek=lambda k: self.peek(chosen[k]),
            read=lambda k, enough: self.read(chosen[k], enough),
            last=lambda k, pixels: self.last(chosen[k], pixels),
            open=None if opened is None else lambda k: opened(chosen[k]),
            labels=None,
            classes=(),
        )


@dataclass(frozen=True)
class ArrayCollection:
    """Samples of one shape that are in memory already: points float32 or float64 [N, D], or voxels uint8 [N, 1, D, H, W]."""

    samples: Tensor
    labels: Sequence[int] | None = None
    classes: tuple[str, ...] = ()
    layout: str = ""  # how the labels were found, in words; "": there is nothing to say
    splits: tuple[str, ...] = ("train",)  # the splits that the source has
    warnings: tuple[str, ...] = ()  # what is doubtful, a sentence each


@dataclass(frozen=True)
class DataSource:
    """A data source that was recognized, before anything in it is decoded.

    `identity` changes when one of its files changes. `load` returns images, or samples that are in memory.
    """

    layout: str
    identity: tuple[tuple[str, int, int], ...]  # each file's name, size and time of change in ns
    load: Callable[[], ImageCollection | ArrayCollection]


def identify_file(path: Path, name: str | None = None) -> tuple[str, int, int]:
    """The entry of one file in an identity. Raises: OSError."""
    status = path.stat()
    return (name if name is not None else str(path.resolve()), status.st_size, status.st_mtime_ns)


def choose_format(pictures: ImageCollection, how: TargetFormat) -> tuple[int, int]:
    """The resolution and the channels to convert the images to.

    If `how` gives no resolution: the side, if all images are squares of one side from 8 to 128; else the largest of 32, 64 and
    128 that is at most the median of the shorter sides, and at least 32. One channel if every image is grey, else three.
    """
    if how.resolution and how.channels:
        return how.resolution, how.channels
    headers = [header for _, header in map_images(pictures.peek, len(pictures.names)) if isinstance(header, Header)]
    if not headers:
        return how.resolution or SIDES[0], how.channels or 3
    sizes = {(header.width, header.height) for header in headers}
    width, height = next(iter(sizes))
    median = statistics.median(min(header.width, header.height) for header in headers)
    one_square = len(sizes) == 1 and LEAST <= width == height <= SIDES[-1]
    resolution = width if one_square else max([SIDES[0], *(side for side in SIDES if side <= median)])
    return how.resolution or resolution, how.channels or (1 if all(header.grey for header in headers) else 3)


def map_images(call: Callable[[int], T], count: int) -> Iterator[tuple[int, T | str]]:
    """(i, call(i)) in order, computed by several threads; for an unreadable image the reason instead of the result."""

    def call_or_reason(i: int) -> T | str:
        try:
            return call(i)
        except UnreadableError as error:
            return str(error)

    def task(some: range) -> list[tuple[int, T | str]]:
        return [(i, call_or_reason(i)) for i in some]

    with silence_pillow(), ThreadPoolExecutor(WORKERS) as pool:
        for start in range(0, count, BLOCK):
            tasks = [range(i, min(count, i + TASK)) for i in range(start, min(count, start + BLOCK), TASK)]
            for results in pool.map(task, tasks):
                yield from results


def as_bytes(pictures: ImageCollection, white: float | None = None) -> ImageCollection:
    """The collection with images of bytes, uint8 [H, W, 1 or 3], by one rule for all of them: see levels.py.

    Every header is read, and every deep image twice. `white` is the setting `data.white`.

    Raises:
        DataError: the pictures have far more pixels than their files have bytes.
    """
    headers = [header for _, header in map_images(pictures.peek, len(pictures.names))]
    known = [header for header in headers if isinstance(header, Header)]
    _require_no_bomb(known)
    deep = [i for i, header in enumerate(headers) if isinstance(header, Header) and header.deep]
    spans = map_images(lambda k: Span.of(pictures.read(deep[k], 0)), len(deep))
    span = Span.join(found for _, found in spans if isinstance(found, Span))
    plain = Levels(0.0, white) if white is not None and white <= 255 else Levels()
    levels = plain if span is None else choose_levels(span, white)
    brightest = Brightest()
    decoded: set[int] = set()  # a file may have a good header and damaged pixels

    def peek(i: int) -> Header:
        header = headers[i]
        if isinstance(header, str):
            raise UnreadableError(header)
        return header

    def read(i: int, enough: int) -> Bytes:
        values = pictures.read(i, enough)
        decoded.add(i)
        of_file = values.dtype == np.uint8 and (levels.white > 255 or not peek(i).deep)
        pixels = (plain if of_file else levels).to_bytes(values)
        brightest.see(pixels)
        return flatten_on_white(pixels[..., :3], pixels[..., 3:]) if pixels.shape[2] == 4 else pixels

    def doubt() -> tuple[str, ...]:
        several = _doubt_several([header for i in decoded if isinstance(header := headers[i], Header)])
        if span is not None:
            return (*pictures.late_warnings(), *several, *doubt_levels(span, levels, white))
        dark = doubt_levels(Span(0, brightest.value, whole=True), plain, white) if brightest.value >= 0 else ()
        return (*pictures.late_warnings(), *several, *dark)

    return replace(pictures, peek=peek, read=read, late_warnings=doubt)


def _doubt_several(headers: Sequence[Header]) -> tuple[str, ...]:
    """A sentence if files have more pictures than are read. `headers` are those of the readable files."""
    count = sum(header.several for header in headers)
    if not count:
        return ()
    what = f"{count:,} of {len(headers):,} files have several pictures, as animations or pages"
    return (f"{what}: the first of each is read; save the others as files of their own to use them",)


def _require_no_bomb(headers: Sequence[Header]) -> None:
    pixels = sum(header.width * header.height for header in headers if header.packed)
    packed = sum(header.packed for header in headers)
    if pixels > max(MANY, MAX_PACKED * packed):
        found = f"{pixels:,} pixels in {packed:,} bytes"
        raise DataError(f"refused: {found}, like a decompression bomb; expected at most {MAX_PACKED} in a byte; leave some out")


def write_images(
    pictures: ImageCollection, how: TargetFormat, file: BinaryIO, progress: Progress | None = None
) -> tuple[tuple[int, int, int, int], list[int], list[Skipped]]:
    """Write every readable image to `file` as bytes, all with one shape.

    Returns:
        the shape [N, C, H, W], the indices of these images, and the skipped files.

    Raises:
        DataError: no image can be read.
    """
    resolution, channels = choose_format(pictures, how)
    total = len(pictures.names)
    kept: list[int] = []
    skipped: list[Skipped] = []

    def one(i: int) -> Bytes:
        return pictures.last(i, fit_to_side(pictures.read(i, 2 * resolution), resolution, channels, how.fit))

    for i, result in map_images(one, total):
        if isinstance(result, str):
            skipped.append(Skipped(pictures.names[i], result))
        else:
            file.write(result.tobytes())
            kept.append(i)
        if progress and ((i + 1) % BLOCK == 0 or i + 1 == total):
            progress(i + 1, total)
    if not kept:
        raise no_readable_image([*pictures.skipped, *skipped])
    return (len(kept), channels, resolution, resolution), kept, skipped


def label_readable(
    samples: ImageCollection | ArrayCollection, kept: Sequence[int], keep_empty: bool
) -> tuple[list[int] | None, tuple[str, ...], tuple[str, ...]]:
    """The labels of the samples `kept`, which can be read, their classes, and what is doubtful about these.

    A class without any readable sample is left out, unless `keep_empty`: a test split has the classes of the training split.
    """
    if samples.labels is None:
        return None, (), ()
    labels = [int(samples.labels[i]) for i in kept]
    if keep_empty:
        return labels, samples.classes, ()
    labels, classes, doubts = drop_empty_classes(labels, samples.classes, Counter(map(int, samples.labels)))
    return labels, classes, (*doubts, *doubt_balance(labels, classes))


def no_readable_image(skipped: Sequence[Skipped]) -> DataError:
    """The error for a collection without a readable image."""
    reasons = "; ".join(f"{printable(name)}: {reason}" for name, reason in skipped[:3])
    more = f"; and {len(skipped) - 3} more" if len(skipped) > 3 else ""
    found = f"found {reasons or 'none'}{more}; choose other pictures, or save these anew as PNG"
    return DataError(f"no readable picture: expected PNG, JPEG, WebP, BMP, GIF or TIFF; {found}")
