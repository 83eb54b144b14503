"""Photographs as squares of one size, with what a teacher makes of each: pairs for learned filters and for super-resolution.

A photograph that is much larger than a square is shrunk first: its finest pixels are mostly blur, and traces of JPEG. Then a
teacher sees all of it, and then it is cut, so that a square has no edge that the teacher saw. The same with its half and its
quarter, which have more details in a square. All squares of one photograph are one group: they are held out together, or not at
all.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from typing import BinaryIO

import numpy as np
import torch
from numpy.typing import NDArray
from PIL import Image
from torch import Tensor

from ganvas.config import DataConfig
from ganvas.data import cache
from ganvas.data.collection import (
    WORKERS,
    ImageCollection,
    Progress,
    TargetFormat,
    as_bytes,
    choose_format,
    map_images,
    no_readable_image,
)
from ganvas.data.computed_domains import split_name
from ganvas.data.computed_pairs import bicubic_scale, find_teacher, shrink_picture
from ganvas.data.dataset import Dataset
from ganvas.data.images import UnreadableError
from ganvas.data.levels import Bytes, Values
from ganvas.data.open import find, load
from ganvas.data.paired import PairedDataset
from ganvas.data.table import Skipped, TableDataset
from ganvas.data.unpaired import UnpairedDataset
from ganvas.errors import DataError
from ganvas.utils.parsing import printable
from ganvas.utils.seeds import mix

MOST = 4_000  # squares of all photographs together
LONGEST = 1_200  # pixels: a larger photograph is shrunk to this
LEVELS = 3  # a photograph is cut at this size, at its half and its quarter: small pictures have more edges in a square
SIDE = 64  # pixels of a square, if nothing else is wanted


def name_pair(config: DataConfig) -> str:
    """The teacher that a source or `data.pair` names: "sketch", "bicubic-2"; "": none.

    `filter:sketch:photos/` and `edges:photos/` win over the setting.
    """
    return split_pair(config)[0]


def split_pair(config: DataConfig) -> tuple[str, str]:
    """The teacher of `name_pair`, and the source of the photographs."""
    change, inner = split_name(config.source)
    named = change == "edges" or change.startswith("filter:")
    return (change.removeprefix("filter:"), inner) if named else (config.pair, config.source)


@dataclass(frozen=True)
class Squares:
    """How photographs become squares."""

    pair: str  # the teacher, or "bicubic-2"; "": there is no source
    side: int  # pixels
    channels: int
    scale: int  # of the source: 1, or that of super-resolution
    each: int  # squares of one photograph, at most

    def make(self, pixels: Values) -> tuple[Bytes, Bytes]:
        """A photograph uint8 [H, W, 1 or 3] -> the squares of the truth [n, C, side, side] and of the source.

        Raises:
            UnreadableError: it is smaller than a square.
        """
        picture = Image.fromarray(pixels[..., 0] if pixels.shape[2] == 1 else pixels)
        picture = picture.convert("L" if self.channels == 1 else "RGB")
        longer, shorter = max(picture.size), min(picture.size)
        if longer > LONGEST and shorter > 2 * self.side:
            factor = max(LONGEST / longer, self.side / shorter)
            size = (round(picture.width * factor), round(picture.height * factor))
            picture = picture.resize(size, Image.Resampling.LANCZOS)
        if min(picture.size) < self.side:
            raise UnreadableError(f"{pixels.shape[1]} x {pixels.shape[0]} pixels, smaller than a square of {self.side}")
        parts, left = [], self.each
        for level in reversed(range(LEVELS)):  # the smallest first: what they do not need is left for the others
            size = (picture.width >> level, picture.height >> level)
            if min(size) >= self.side:
                again = picture.resize(size, Image.Resampling.LANCZOS) if level else picture
                parts.append(self.cut(np.atleast_3d(np.asarray(again)), max(1, left // (level + 1))))
                left = max(1, left - len(parts[-1][0]))
        truth, source = (np.concatenate(squares[::-1]) for squares in zip(*parts, strict=True))
        return truth, source

    def cut(self, whole: Bytes, most: int) -> tuple[Bytes, Bytes]:
        """A photograph uint8 [H, W, C] -> at most `most` squares of the truth and of the source, as `make` returns them."""
        if self.scale > 1:
            height, width = (length // self.scale * self.scale for length in whole.shape[:2])
            truth = whole[:height, :width]
            source = shrink_picture(truth, self.scale)
        elif self.pair:
            source, truth = find_teacher(self.pair).make_pair(whole)
        else:
            source, truth = whole[..., :0], whole
        places = self.list_places(truth.shape[0], truth.shape[1], most)
        small = self.side // self.scale
        return (
            np.stack([truth[y : y + self.side, x : x + self.side] for y, x in places]).transpose(0, 3, 1, 2),
            np.stack([source[y : y + small, x : x + small] for y, x in (places // self.scale).tolist()]).transpose(0, 3, 1, 2),
        )

    def list_places(self, height: int, width: int, most: int) -> NDArray[np.int64]:
        """The corners (row, column) of at most `most` squares that do not overlap, evenly over the photograph."""
        rows, columns = (self._spread(length) for length in (height, width))
        places = np.stack(np.meshgrid(rows, columns, indexing="ij"), -1).reshape(-1, 2)
        if len(places) <= most:
            return places
        return places[np.linspace(0, len(places) - 1, most).round().astype(np.int64)]

    def _spread(self, length: int) -> NDArray[np.int64]:
        count = length // self.side
        starts = np.linspace(0, length - self.side, count) if count > 1 else np.array([(length - self.side) / 2])
        return starts.astype(np.int64) // self.scale * self.scale


def open_photos(
    config: DataConfig,
    needs: Sequence[str],
    *,
    resolution: int | None = None,
    channels: int | None = None,
    progress: Progress | None = None,
) -> Dataset:
    """Photographs and what is computed from them, as ("source", "real"), ("low", "real") or, without pairs, ("a", "b").

    Squares of `config.tile` pixels (0: the resolution), of which `config.crop` pixels are taken at random while training. For
    ("a", "b") one half of the photographs gives "a", as they are before the filter, the other half "b", as they are after it.

    Raises:
        UsageError: no such filter, or sizes that do not fit.
        DataError: no photographs, or none is as large as a square.
    """
    (pair, inner), kind, train = split_pair(config), frozenset(needs) - {"label"}, config.split == "train"
    side = (config.tile or resolution or SIDE) if train else (config.crop or resolution or SIDE)
    scale = bicubic_scale(pair, side) if kind == {"low", "real"} else 1
    if scale == 1:
        find_teacher(pair)
    pixels, record = _find_squares(config, pair, inner, side, scale, channels, progress)
    fields = _split_rows(pixels, side, scale)
    names: dict[str, str] = {}
    if kind == {"low", "real"}:
        fields = {"real": fields["real"], "low": fields["source"]}
    else:
        domains = find_teacher(pair).names
        if config.swap:
            fields, domains = {"real": fields["source"], "source": fields["real"]}, (domains[1], domains[0])
        if kind == {"a", "b"}:
            return _two_domains(fields, record, domains, config.flip and train)
        if kind != {"source", "real"}:
            raise DataError(
                f"{printable(config.source)}: a filter makes no {' and '.join(sorted(kind))}; choose another recipe"
            )
        names = dict(zip(("source", "real"), domains, strict=True))
    return PairedDataset(
        printable(config.source),
        fields,
        skipped=record.skipped,
        warnings=record.warnings,
        flip=config.flip and train,
        fingerprint=record.fingerprint,
        splits=record.splits,
        groups=record.labels,
        names=names,
        crop=config.crop // scale if train and config.crop != side else 0,
    )


def open_squares(config: DataConfig, *, channels: int | None = None, progress: Progress | None = None) -> TableDataset:
    """Photographs as squares of `config.tile` pixels, the field "real", without a teacher. Raises: as `open_photos`."""
    side = config.tile
    pixels, record = _find_squares(config, "", config.source, side, 1, channels, progress)
    return TableDataset(
        printable(config.source),
        {"real": pixels.unflatten(1, (pixels.shape[1] // side**2, side, side))},
        skipped=record.skipped,
        warnings=record.warnings,
        flip=config.flip and config.split == "train",
        fingerprint=record.fingerprint,
        splits=record.splits,
        groups=record.labels,
    )


def _find_squares(
    config: DataConfig, pair: str, source: str, side: int, scale: int, channels: int | None, progress: Progress | None
) -> tuple[Tensor, cache.Record]:
    """The squares of all photographs, rows of bytes, of truth and source; from the cache if they are there."""
    found = find(source, config.split, progress)
    entry_name = cache.entry_name("squares", found.identity, config.split, config.white, pair, side, channels, scale)
    entry = cache.read(entry_name)
    if entry is not None:
        return entry
    contents = load(found)
    if not isinstance(contents, ImageCollection):
        raise DataError(f"{printable(source)}: expected photographs, found points or solids; choose a folder of photographs")
    photos = as_bytes(contents, config.white)
    form = channels or choose_format(photos, TargetFormat(side, None))[1]
    how = Squares(pair, side, form, scale, max(1, -(-MOST // max(1, len(photos.names)))))
    return cache.store(entry_name, lambda file: _build(photos, how, file, progress))


def _two_domains(fields: dict[str, Tensor], record: cache.Record, names: tuple[str, str], flip: bool) -> UnpairedDataset:
    """Sources of one half of the photographs, and truths of the other half."""
    assert record.labels is not None  # noqa: S101
    first, second = _halve(record.labels)

    def domain(name: str, field: str, index: Tensor) -> TableDataset:
        return TableDataset(
            name,
            {"real": fields[field]},
            skipped=record.skipped if index is first else (),  # once is enough
            warnings=record.warnings if index is first else (),
            flip=flip,
            fingerprint=f"{record.fingerprint}/{field}",
            index=index,
            splits=record.splits,
            groups=record.labels,
        )

    a, b = domain(names[0], "source", first), domain(names[1], "real", second)
    return UnpairedDataset(a, b, dict(zip("ab", names, strict=True)))


def _halve(groups: Tensor) -> tuple[Tensor, Tensor]:
    """The rows of one half of the groups, chosen at random, and those of the other half."""
    values = groups.unique()
    shuffled = values[torch.randperm(len(values), generator=torch.Generator().manual_seed(mix("domains")))]
    first = torch.isin(groups, shuffled[: (len(values) + 1) // 2])
    if bool(first.all()):
        raise DataError("expected two photographs or more for two domains, found one; give more")
    return first.nonzero().flatten(), (~first).nonzero().flatten()


def _split_rows(pixels: Tensor, side: int, scale: int) -> dict[str, Tensor]:
    """Rows of bytes [N, bytes] -> "real" [N, C, side, side] and "source" [N, C, side / scale, side / scale]."""
    small = side // scale
    channels = pixels.shape[1] // (side * side + small * small)
    cut = channels * side * side
    shapes = (channels, side, side), (channels, small, small)
    return {"real": pixels[:, :cut].unflatten(1, shapes[0]), "source": pixels[:, cut:].unflatten(1, shapes[1])}


def _build(photos: ImageCollection, how: Squares, file: BinaryIO, progress: Progress | None) -> cache.Record:
    """Write the squares of all photographs, a row of truth and source each; a few photographs at a time, as they are large."""

    def make(start: int, k: int) -> tuple[Bytes, Bytes]:
        return how.make(photos.read(start + k, LONGEST))

    total = len(photos.names)
    groups: list[int] = []
    skipped: list[Skipped] = []
    for start in range(0, total, WORKERS):
        some = min(WORKERS, total - start)
        for k, squares in map_images(partial(make, start), some):
            i = start + k
            if isinstance(squares, str):
                skipped.append(Skipped(photos.names[i], squares))
                continue
            rows = np.concatenate([part.reshape(len(part), -1) for part in squares], 1)
            file.write(rows.tobytes())
            groups += [i] * len(rows)
        if progress:
            progress(start + some, total)
    if not groups:
        raise no_readable_image([*photos.skipped, *skipped])
    size = how.channels * (how.side**2 + ((how.side // how.scale) ** 2 if how.pair else 0))
    labels = torch.tensor(groups)
    warnings = (*photos.warnings, *photos.late_warnings())
    left_out = (*photos.skipped, *skipped)
    return cache.Record((len(groups), size), labels, (), left_out, splits=photos.splits, warnings=warnings)
