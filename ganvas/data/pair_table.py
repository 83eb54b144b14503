"""Pairs and domains as tables of bytes in the cache: each field of a row from a picture or a label map of its own."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import BinaryIO

import numpy as np

from ganvas.config import DataConfig
from ganvas.data import cache
from ganvas.data.collection import (
    BLOCK,
    ImageCollection,
    Progress,
    TargetFormat,
    as_bytes,
    choose_format,
    map_images,
    no_readable_image,
    write_images,
)
from ganvas.data.images import UnreadableError, fit_to_side
from ganvas.data.legend import read_legend
from ganvas.data.levels import Bytes, Values
from ganvas.data.map_files import MapRule, choose_rule, fit_map, read_maps
from ganvas.data.pair_layout import FEWEST, MOST_MATCH, Pairing, match
from ganvas.data.paired import PairedDataset
from ganvas.data.picture_doubts import doubt_sizes
from ganvas.data.table import Skipped, TableDataset
from ganvas.data.two_sides import TwoSides
from ganvas.data.unpaired import UnpairedDataset
from ganvas.errors import DataError
from ganvas.utils.parsing import printable

UNLIKE = 0.02  # part of the ratio of width to height by which the pictures of a pair may differ; and
ROUNDED = 1.0  # pixels of the shorter side


@dataclass(frozen=True)
class Side:
    """One side of pairs, ready to be read: `read(i, enough)` returns uint8 [H, W, C], or classes [H, W] of a label map."""

    pictures: ImageCollection
    read: Callable[[int, int], Values]
    fit: Callable[[Values], Bytes]  # what was read -> the field of a sample
    shape: tuple[int, ...]  # of the field


def open_pairs(
    two: TwoSides,
    config: DataConfig,
    *,
    maps: bool = False,
    trained: TwoSides | None = None,
    resolution: int | None = None,
    channels: int | None = None,
    progress: Progress | None = None,
) -> PairedDataset:
    """The pairs of two sides: fields "real", of the second side, and "source" of the first one, or "map" if `maps`.

    `trained` are the sides of the training split, which decide the classes of the maps; None: `two` itself.

    Raises:
        DataError: fewer than two pairs, or no pair can be read.
    """
    pairing = match(*two.keys, two.names)
    how = TargetFormat(resolution, channels, config.fit)
    known = [list(two.identity), config.split, maps, resolution, channels, config.fit, config.white]
    name = cache.entry_name("pairs", *known)
    entry = cache.read(name)
    if entry is None:
        entry = cache.store(name, partial(_build, two, pairing, config, how, maps, trained or two, progress=progress))
    pixels, record = entry
    first = "map" if maps else "source"
    return PairedDataset(
        printable(config.source),
        cache.entry_fields(pixels, record),
        (),
        (*two.skipped, *pairing.skipped, *record.skipped),
        flip=config.flip,
        fingerprint=record.fingerprint,
        splits=two.splits,
        warnings=(*two.warnings, *pairing.warnings, *record.warnings),
        names={first: two.names[0], "real": two.names[1]},
        legend=record.legend,
        colors=record.colors,
        crop=config.crop if config.split == "train" else 0,
    )


def open_domains(
    two: TwoSides,
    config: DataConfig,
    *,
    resolution: int | None = None,
    channels: int | None = None,
    progress: Progress | None = None,
) -> UnpairedDataset:
    """The two sides as domains without pairs, in one size and with one number of channels.

    Raises:
        DataError: a side has no picture that can be read.
    """
    if resolution is None or channels is None:
        formats = [choose_format(side, TargetFormat(resolution, channels, config.fit)) for side in two.pictures]
        resolution = resolution or min(side for side, _ in formats)
        channels = channels or max(depth for _, depth in formats)
    tables = [_open_side(two, i, config, TargetFormat(resolution, channels, config.fit), progress) for i in (0, 1)]
    doubts = (*two.warnings, *_doubt_pairs(two))
    first = replace(tables[0], skipped=(*two.skipped, *tables[0].skipped), warnings=(*doubts, *tables[0].warnings))
    return UnpairedDataset(first, tables[1], {"a": two.names[0], "b": two.names[1]})


def write_rows(
    count: int,
    make: Callable[[int], tuple[Bytes, ...] | Skipped],
    file: BinaryIO,
    progress: Progress | None = None,
) -> tuple[list[int], list[Skipped]]:
    """Write the fields of each row, one after the other; `make` returns them, or what is skipped. See `cache.Record.parts`.

    Returns:
        the rows that were written, and what was skipped.
    """
    kept: list[int] = []
    skipped: list[Skipped] = []
    for i, row in map_images(make, count):
        if isinstance(row, Skipped):
            skipped.append(row)
        elif isinstance(row, str):
            skipped.append(Skipped(f"row {i}", row))
        else:
            for field in row:
                file.write(field.tobytes())
            kept.append(i)
        if progress and ((i + 1) % BLOCK == 0 or i + 1 == count):
            progress(i + 1, count)
    return kept, skipped


def picture_side(pictures: ImageCollection, how: TargetFormat, white: float | None = None) -> Side:
    """A side of pictures."""
    images = as_bytes(pictures, white)
    resolution, channels = choose_format(images, how)

    def fit(pixels: Values) -> Bytes:
        return fit_to_side(pixels, resolution, channels, how.fit)

    return Side(images, images.read, fit, (channels, resolution, resolution))


def map_side(pictures: ImageCollection, rule: MapRule, how: TargetFormat, resolution: int) -> Side:
    """A side of label maps. Its classes are those of `rule`."""
    read = read_maps(pictures, rule)
    return Side(
        pictures,
        lambda i, _enough: read(i),
        lambda classes: fit_map(classes.astype(np.uint8), resolution, how.fit),
        (resolution, resolution),
    )


def rule_of(two: TwoSides, rows: Sequence[str] | None = None) -> MapRule:
    """How the maps of the first side become classes, by its legend or by its maps; `rows`: only by these.

    Raises:
        DataError: they cannot be read, or have too many classes.
    """
    at = {name: i for i, name in enumerate(two.pictures[0].names)}
    chosen = [at[name] for name in rows] if rows is not None else list(at.values())
    return choose_rule(two.pictures[0].pick(chosen), None if two.legend is None else read_legend(two.legend))


def _build(
    two: TwoSides,
    pairing: Pairing,
    config: DataConfig,
    how: TargetFormat,
    maps: bool,
    trained: TwoSides,
    file: BinaryIO,
    *,
    progress: Progress | None,
) -> cache.Record:
    picked = []
    for k in (0, 1):
        at = {name: i for i, name in enumerate(two.pictures[k].names)}
        picked.append(two.pictures[k].pick([at[row[k]] for row in pairing.rows]))
    second = picture_side(picked[1], how, config.white)
    resolution = second.shape[-1]
    rule = None
    if maps:
        rows = match(*trained.keys, trained.names).rows
        rule = rule_of(trained, [row[0] for row in rows])
        first = map_side(picked[0], rule, how, resolution)
    else:
        first = picture_side(picked[0], replace(how, resolution=resolution), config.white)
    sides = (first, second)

    def make(i: int) -> tuple[Bytes, ...] | Skipped:
        read = []
        for side in sides:
            try:
                read.append(side.read(i, 2 * resolution))
            except UnreadableError as error:
                return Skipped(side.pictures.names[i], f"{error}; its partner is left out too")
        if _are_unlike(*read):
            sizes = " and ".join(f"{pixels.shape[1]} x {pixels.shape[0]}" for pixels in read)
            partner = first.pictures.names[i]
            return Skipped(second.pictures.names[i], f"its shape is not that of {partner}: {sizes} pixels; crop both alike")
        return second.fit(read[1]), first.fit(read[0])

    kept, skipped = write_rows(len(pairing.rows), make, file, progress)
    if len(kept) < FEWEST:
        raise no_readable_image(skipped)
    parts = (("real", second.shape), ("map" if maps else "source", first.shape))
    doubts = [*(rule.doubts if rule else ()), *doubt_sizes(picked[1], kept, resolution)]
    for side in sides:
        doubts += [text for text in side.pictures.late_warnings() if text not in doubts]
    row = sum(math.prod(shape) for _, shape in parts)
    legend = None if rule is None else rule.legend
    return cache.Record(
        (len(kept), row),
        None,
        (),
        tuple(skipped),
        splits=two.splits,
        warnings=tuple(doubts),
        parts=parts,
        legend=() if legend is None else legend.names,
        colors=() if legend is None else legend.colors,
    )


def _are_unlike(first: Values, second: Values) -> bool:
    """Whether two pictures differ in their ratio of width to height, by more than rounding."""
    (a, b), (c, d) = first.shape[:2], second.shape[:2]
    return bool(abs(math.log(a * d / (b * c))) > UNLIKE + ROUNDED / min(a, b, c, d))


def _open_side(two: TwoSides, k: int, config: DataConfig, how: TargetFormat, progress: Progress | None) -> TableDataset:
    """One side as a table."""
    identity = [list(two.identity), k, config.split, how.resolution, how.channels, how.fit, config.white]
    name = cache.entry_name("side", *identity)

    def build(file: BinaryIO) -> cache.Record:
        pictures = as_bytes(two.pictures[k], config.white)
        if not pictures.names:
            raise DataError(f"{two.names[k]}: expected pictures, found none; put some into it")
        shape, kept, skipped = write_images(pictures, how, file, progress)
        doubts = (*doubt_sizes(pictures, kept, shape[-1]), *pictures.late_warnings())
        return cache.Record(shape, None, (), tuple(skipped), splits=two.splits, warnings=doubts)

    pixels, record = cache.read(name) or cache.store(name, build)
    return TableDataset(
        two.names[k],
        cache.entry_fields(pixels, record),
        (),
        record.skipped,
        flip=config.flip,
        fingerprint=record.fingerprint,
        splits=two.splits,
        warnings=record.warnings,
    )


def _doubt_pairs(two: TwoSides) -> tuple[str, ...]:
    """A sentence if the domains seem to be pairs. Of trainA and trainB some equal numbers mean nothing, but all names do."""
    first, second = (set(keys.values()) for keys in two.keys)
    if first != second if two.lettered else two.share < MOST_MATCH:
        return ()
    both = f"{two.names[0]} and {two.names[1]}"
    return (f"the pictures of {both} have the same names; if they are pairs, pix2pix-images learns more from them",)
