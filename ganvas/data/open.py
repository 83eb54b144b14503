"""Open a data source by its built-in name or its path."""

from __future__ import annotations

import difflib
import os
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from typing import BinaryIO

import torch

from ganvas.config import DataConfig
from ganvas.data import cache
from ganvas.data.builtin import fashion_mnist, mnist, stacked_mnist
from ganvas.data.builtin.oracle import oracle_source
from ganvas.data.builtin.point_sets import POINTS, point_source
from ganvas.data.builtin.voxel_shapes import shape_source
from ganvas.data.collection import (
    ArrayCollection,
    DataSource,
    ImageCollection,
    Progress,
    TargetFormat,
    label_readable,
    write_images,
)
from ganvas.data.computed_domains import require_both, split_domains, split_name
from ganvas.data.folder_layout import missing_test_split
from ganvas.data.readers import folder, idx, numpy_arrays, text_lines, zip_archive
from ganvas.data.table import TableDataset, fingerprint
from ganvas.errors import DataError, UsageError
from ganvas.utils.parsing import printable

TEXTS = (*text_lines.SHA256, "oracle")  # built-in sources of text
BUILT_IN = ("mnist", "fashion", "stacked", "shapes", *TEXTS, *POINTS)


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
    data = _open(config, resolution, channels, progress, pictures)
    doubts = doubt_name(config.source)
    return replace(data, warnings=(*doubts, *data.warnings)) if doubts else data


def doubt_name(source: str) -> tuple[str, ...]:
    """A sentence if a built-in name is also that of a file or a folder here."""
    inner = split_name(source)[1]
    if inner not in BUILT_IN or not os.path.lexists(inner):
        return ()
    return (
        f"{source} is the built-in source; write {source.removesuffix(inner)}./{inner} for the path {inner} in this folder",
    )


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
    entry_name = cache.entry_name(found.identity, config.split, resolution, channels, config.fit)
    entry = cache.read(entry_name)
    if entry is None:
        contents = load(found)
        if isinstance(contents, ArrayCollection):
            return _check_settings(_as_table(config.source, contents), config, shaped)
        keep_empty = config.split == "test" or split_name(config.source)[0] != ""
        entry = cache.store(entry_name, lambda file: _build(contents, how, file, progress, keep_empty))
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


def absolute_source(source: str) -> str:
    """A path as an absolute path, valid in every working folder; names and paths that do not exist do not change."""
    change, inner = split_name(source)
    if change:
        return f"{change}:{absolute_source(inner)}"
    path = Path(source)
    with suppress(RuntimeError):  # "~stranger" stays as it is
        path = path.expanduser()
    return source if not source or source in BUILT_IN or not os.path.lexists(path) else str(path.absolute())


def shorten_path(source: str) -> str:
    """An absolute path without its parent folders: `photos` for `/home/me/photos`. Names and relative paths do not change."""
    change, inner = split_name(source)
    if change:
        return f"{change}:{shorten_path(inner)}"
    return Path(source).name if Path(source).is_absolute() else source


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
    if change:
        return split_domains(find(inner, split, progress), change)
    if source == "mnist":
        return mnist.find(split)
    if source == "fashion":
        return fashion_mnist.find(split, progress)
    if source == "stacked":
        return stacked_mnist.find(split)
    path = Path(source)
    with suppress(RuntimeError):  # "~stranger" stays as it is
        path = path.expanduser()
    if not os.path.lexists(path):
        near = difflib.get_close_matches(source[:80], BUILT_IN, n=1)
        hint = f"did you mean {near[0]!r}?" if near else "check the path"
        raise DataError(f"{printable(source)}: no such file or folder; {hint}")
    try:
        if path.is_dir():
            return idx.find_folder(path, split) or folder.find(path, split)
        return _find_in_file(path, split)
    except OSError as error:
        raise _unreadable(source, error) from None
    except DataError as error:
        shown = printable(source)
        raise error if shown in str(error) else DataError(f"{shown}: {error}") from None


def is_text(source: str) -> bool:
    """Whether a name or a path is a source of text."""
    return source in TEXTS or (source not in BUILT_IN and Path(source).suffix.lower() in text_lines.ENDINGS)


def text_file(source: str) -> Path:
    """The path of a text file. Raises: DataError: no such file."""
    path = Path(source)
    with suppress(RuntimeError):  # "~stranger" stays as it is
        path = path.expanduser()
    if not path.is_file():
        raise DataError(f"{printable(source)}: no such file; check the path")
    return path


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


def _find_in_file(path: Path, split: str) -> DataSource:
    ending = path.suffix.lower()
    if ending == ".zip":
        return zip_archive.find(path, split)
    if ending in (".npy", ".npz"):
        return numpy_arrays.find(path, split)
    if split == "test":
        raise missing_test_split("one file")
    if ending in (".csv", ".tsv"):
        return numpy_arrays.find_csv(path)
    if idx.IMAGES.search(path.name):
        return idx.find_file(path)
    raise DataError(
        f"{printable(path)}: expected a folder, .zip, .npz, .npy, .csv, .txt or *-images-idx3-ubyte(.gz), found {ending!r}"
    )


def _build(
    pictures: ImageCollection, how: TargetFormat, file: BinaryIO, progress: Progress | None, keep_empty: bool
) -> cache.Record:
    shape, kept, skipped = write_images(pictures, how, file, progress)
    numbers, classes, doubts = label_readable(pictures, kept, keep_empty)
    labels = None if numbers is None else torch.tensor(numbers)
    warnings, left_out = (*pictures.warnings, *doubts, *pictures.late_warnings()), (*pictures.skipped, *skipped)
    return cache.Record(shape, labels, classes, left_out, splits=pictures.splits, warnings=warnings)


def _as_table(source: str, contents: ArrayCollection) -> TableDataset:
    """Samples that are in memory as a data set."""
    fields = {"real": contents.samples}
    if contents.labels is not None:
        fields["label"] = torch.tensor(contents.labels, dtype=torch.int64)
    return TableDataset(
        printable(source),
        fields,
        contents.classes,
        fingerprint=fingerprint(fields, contents.classes),
        splits=contents.splits,
        warnings=contents.warnings,
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
