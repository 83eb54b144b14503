"""Open a data source by its built-in name or its path."""

from __future__ import annotations

import difflib
import os
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import replace
from pathlib import Path
from typing import BinaryIO

import torch

from ganvas.config import DataConfig
from ganvas.core.modality import VOXELS
from ganvas.data import cache
from ganvas.data.builtin import earth, emoji_sets, fashion_mnist, mnist, stacked_mnist
from ganvas.data.builtin.oracle import oracle_source
from ganvas.data.builtin.point_sets import POINTS, point_source
from ganvas.data.builtin.voxel_shapes import shape_source
from ganvas.data.collection import (
    ArrayCollection,
    DataSource,
    ImageCollection,
    Progress,
    TargetFormat,
    as_bytes,
    label_readable,
    write_images,
)
from ganvas.data.computed_domains import require_both, split_domains, split_name
from ganvas.data.folder_layout import missing_test_split
from ganvas.data.levels import Bytes
from ganvas.data.open_clips import find_frames
from ganvas.data.picture_doubts import PictureWatch, doubt_shapes
from ganvas.data.readers import csv_points, folder, idx, numpy_arrays, text_lines, zip_archive
from ganvas.data.readers.voxel_arrays import reduce_voxels
from ganvas.data.source_names import (
    BUILT_IN,
    CLIP_SETS,
    TEXTS,
    absolute_source,
    doubt_name,
    find_path,
    is_text,
    naming,
    shorten_path,
    text_file,
)
from ganvas.data.table import TableDataset, fingerprint
from ganvas.data.trained_classes import keep_trained_classes
from ganvas.errors import DataError, UsageError
from ganvas.utils.files import require_regular
from ganvas.utils.parsing import printable

__all__ = ("BUILT_IN", "TEXTS", "absolute_source", "find", "is_text", "load", "open_source", "shorten_path", "text_file")


_HEARD: ContextVar[Callable[[Sequence[str]], None] | None] = ContextVar("heard", default=None)


def open_source(
    config: DataConfig,
    *,
    resolution: int | None = None,
    channels: int | None = None,
    progress: Progress | None = None,
    pictures: bool = True,
) -> TableDataset:
    """The samples of `config.source`: a built-in name, which wins, or a path; docs/data.md describes the formats.

    If `resolution` or `channels` is None, the data decides it. `progress(done, total)` is called now and then while images
    are decoded, which happens once: later calls map the cached bytes. If `pictures` is false, `resolution` and `channels`
    apply to images only, and a source of points or text can be opened too.

    Raises:
        UsageError: no such name, or a setting does not fit.
        DataError: no such path, or nothing in it can be used.
    """
    with naming(config.source):
        data = _open(config, resolution, channels, progress, pictures)
    doubts = (*doubt_name(config.source), *data.warnings)
    tell_doubts(doubts)
    return replace(data, warnings=doubts)


def tell_doubts(doubts: Sequence[str]) -> None:
    """Tell the warnings of a source to whoever listens: see `hear_doubts`."""
    if (hear := _HEARD.get()) is not None:
        hear(doubts)


@contextmanager
def hear_doubts(hear: Callable[[Sequence[str]], None]) -> Iterator[None]:
    """Call `hear` with the warnings of every source that is opened inside."""
    token = _HEARD.set(hear)
    try:
        yield
    finally:
        _HEARD.reset(token)


def _open(
    config: DataConfig, resolution: int | None, channels: int | None, progress: Progress | None, pictures: bool
) -> TableDataset:
    how = TargetFormat(resolution, channels, config.fit)
    shaped = pictures and bool(resolution or channels)
    if config.source in POINTS:
        return _check_settings(point_source(config.source, config.split), config, shaped)
    if is_text(config.source):
        return _check_settings(_open_text(config.source, config.split), config, shaped)
    if config.source == "shapes":
        return replace(shape_source(config.split, resolution, channels), flip=config.flip)
    found = find(config.source, config.split, progress)
    entry_name = cache.entry_name(found.identity, config.split, resolution, channels, config.fit, config.white)
    entry = cache.read(entry_name)
    if entry is None:
        contents = load_split(found, config.source, config.split)
        if isinstance(contents, ArrayCollection):
            table = _as_table(config.source, contents, config.split == "test")
            if table.modality is not VOXELS:
                return _check_settings(table, config, shaped)
            voxels, doubts = reduce_voxels(table.fields["real"], resolution)
            fields = {**table.fields, "real": voxels}
            print_ = fingerprint(fields, table.classes)
            warnings = (*table.warnings, *doubts)
            return replace(table, fields=fields, flip=config.flip, fingerprint=print_, warnings=warnings)
        keep_empty = config.split == "test" or split_name(config.source)[0] != ""
        images = as_bytes(contents, config.white)
        entry = cache.store(entry_name, lambda file: _build(images, how, file, progress, keep_empty))
    pixels, record = entry
    if change := split_name(config.source)[0]:
        require_both(change, [] if record.labels is None else record.labels.tolist())  # of the readable images
    fields = cache.entry_fields(pixels, record)
    return TableDataset(
        printable(config.source),
        fields,
        record.classes,
        record.skipped,
        config.flip,
        record.fingerprint,
        splits=record.splits,
        warnings=record.warnings,
    )


def find(source: str, split: str, progress: Progress | None = None) -> DataSource:
    """Recognize the name of a built-in image source, or a path.

    Raises:
        UsageError: the name is empty.
        DataError: no such name or path, or its format is not known.
    """
    if not source:
        raise UsageError("data: expected a folder, a file or the name of a source, got nothing")
    change, inner = split_name(source)
    if change and (inner in (*POINTS, "shapes") or is_text(inner)):
        raise DataError(f"{change}: expected pictures, and {inner} has none; choose a source of pictures")
    if change.startswith("filter:"):
        raise DataError(f"{printable(change)}: makes pairs of pictures; choose a recipe that translates one into the other")
    if change:
        return split_domains(find(inner, split, progress), change)
    if source == "mnist":
        return mnist.find(split)
    if source == "fashion":
        return fashion_mnist.find(split, progress)
    if source == "stacked":
        return stacked_mnist.find(split)
    if source in emoji_sets.SIDES:
        return emoji_sets.find(source, split)
    if source in CLIP_SETS:
        return find_frames(source, split)
    if source == "earth":
        return earth.find(split)
    path = find_path(source)
    if not os.path.lexists(path):
        near = difflib.get_close_matches(source[:80], BUILT_IN, n=1)
        hint = f"did you mean {near[0]!r}?" if near else "check the path"
        raise DataError(f"{printable(source)}: no such file or folder; {hint}")
    try:
        if not path.is_dir():
            require_regular(path)
        if path.is_dir():
            return idx.find_folder(path, split) or folder.find(path, split)
        return _find_in_file(path, split)
    except OSError as error:
        raise _unreadable(source, error) from None


def _open_text(source: str, split: str) -> TableDataset:
    if source == "oracle":
        return oracle_source(split)
    if source in TEXTS:
        return text_lines.text_source(source, split)
    if split == "test":
        raise missing_test_split("one file")
    return text_lines.file_source(text_file(source))


def load(found: DataSource) -> ImageCollection | ArrayCollection:
    """The images of a source, or its samples that are in memory. Raises: DataError: they cannot be read."""
    try:
        return found.load()
    except OSError as error:
        raise _unreadable(found.layout, error) from None


def load_split(found: DataSource, source: str, split: str) -> ImageCollection | ArrayCollection:
    """The contents of a split; a test split has the classes of the training split that can be trained on."""
    contents = load(found)
    if split != "test" or not contents.classes or source in BUILT_IN or split_name(source)[0]:
        return contents
    return keep_trained_classes(contents, load(find(source, "train")))


def _find_in_file(path: Path, split: str) -> DataSource:
    ending = path.suffix.lower()
    if ending == ".zip":
        return zip_archive.find(path, split)
    if ending in (".npy", ".npz"):
        return numpy_arrays.find(path, split)
    if split == "test":
        raise missing_test_split("one file")
    if ending in (".csv", ".tsv"):
        return csv_points.find(path)
    if idx.IMAGES.search(path.name):
        return idx.find_file(path)
    raise DataError(
        f"{printable(path)}: expected a folder, .zip, .npz, .npy, .csv, .txt or *-images-idx3-ubyte(.gz), found {ending!r}"
    )


def _build(
    pictures: ImageCollection, how: TargetFormat, file: BinaryIO, progress: Progress | None, keep_empty: bool
) -> cache.Record:
    watch = PictureWatch()

    def see_last(i: int, pixels: Bytes) -> Bytes:
        result = pictures.last(i, pixels)
        watch.see(result)
        return result

    shape, kept, skipped = write_images(replace(pictures, last=see_last), how, file, progress)
    numbers, classes, doubts = label_readable(pictures, kept, keep_empty)
    labels = None if numbers is None else torch.tensor(numbers)
    doubts = (*doubts, *doubt_shapes(pictures, kept, shape[-1]))
    warnings = (*pictures.warnings, *doubts, *pictures.late_warnings(), *watch.doubts())
    left_out = (*pictures.skipped, *skipped)
    return cache.Record(shape, labels, classes, left_out, splits=pictures.splits, warnings=warnings)


def _as_table(source: str, contents: ArrayCollection, keep_empty: bool) -> TableDataset:
    """Samples that are in memory as a data set. Classes without a sample are left out, unless `keep_empty`."""
    fields = {"real": contents.samples}
    labels, classes, doubts = label_readable(contents, range(len(contents.samples)), keep_empty)
    if labels is not None:
        fields["label"] = torch.tensor(labels, dtype=torch.int64)
    return TableDataset(
        printable(source),
        fields,
        classes,
        fingerprint=fingerprint(fields, classes),
        splits=contents.splits,
        warnings=(*contents.warnings, *doubts),
    )


def _check_settings(source: TableDataset, config: DataConfig, shaped: bool) -> TableDataset:
    """Points or text, after a check that no setting of images applies to them.

    Raises:
        DataError: images of some shape are expected.
        UsageError: samples are to be mirrored.
    """
    kind, have = ("text", "has") if source.is_text else ("points", "have")
    if shaped:
        held = kind if source.is_text else f"points of {source.dims} numbers"
        advice = ", or a textgan-... recipe" if source.is_text else ""
        raise DataError(f"{source.name!r} holds {held}; the game expects pictures: choose an image source{advice}")
    if config.flip:
        raise UsageError(f"flip: {source.name!r} holds {kind}, which {have} no mirror image; leave it off")
    return source


def _unreadable(what: str, error: OSError) -> DataError:
    return DataError(f"{printable(what)}: {error.strerror or error}; make it readable")
