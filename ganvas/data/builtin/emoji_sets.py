"""Emoji in three styles, embedded in the package: pairs of one emoji, or domains. See embedded/README.md for the licences.

`emoji-shading` is Microsoft's Fluent in flat colors and shaded; `emoji-styles` is Fluent and Google's Noto, drawn by other
hands. There are 1,396 emoji, of 64 x 64 pixels on white: 1,098 to train with, and 298 in the test split, chosen by a hash of
the name. An emoji is in one split in all styles. Some differ by little, as clocks and hearts do, and may be in both splits.
"""

from __future__ import annotations

import hashlib
import io
import zipfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import BinaryIO

import numpy as np
import torch
from PIL import Image
from torch import Tensor

from ganvas.config import DataConfig
from ganvas.data import cache
from ganvas.data.builtin.embedded_files import fit_pictures, read_embedded
from ganvas.data.collection import DataSource, ImageCollection
from ganvas.data.computed_pairs import bicubic_scale
from ganvas.data.dataset import Dataset
from ganvas.data.folder_layout import BOTH
from ganvas.data.paired import PairedDataset
from ganvas.data.readers.numpy_arrays import array_pictures
from ganvas.data.table import TableDataset, fingerprint
from ganvas.data.unpaired import UnpairedDataset
from ganvas.errors import DataError
from ganvas.metrics.resize import shrink

FILE = "emoji.zip"
SHA256 = "f0f027815210a3b74e9c85082a7c332cfe4ae2b8e3b5570de897e89d66cd64a9"
SIDE = 64
# Source -> the names of its two domains, and the style of each in the archive.
SIDES: Mapping[str, Mapping[str, str]] = {
    "emoji-shading": {"flat": "flat", "shaded": "shaded"},
    "emoji-styles": {"fluent": "shaded", "noto": "noto"},
}
STYLES = ("shaded", "flat", "noto")  # in the order of the archive
TEST = 5  # each fifth emoji is a test sample


@dataclass(frozen=True)
class Emoji:
    """All emoji, in the order of their names."""

    names: tuple[str, ...]  # "food-drink/1f34e"
    pictures: Mapping[str, Tensor]  # style -> uint8 [N, 3, 64, 64], mapped from disk

    def rows(self, split: str) -> Tensor:
        """The int64 rows of a split."""
        return torch.tensor([i for i, name in enumerate(self.names) if is_test(name) == (split == "test")])


def is_test(name: str) -> bool:
    """Whether an emoji belongs to the test split, by its category and code: "food-drink/1f34e"."""
    return int(hashlib.sha256(f"{name}.png".encode()).hexdigest(), 16) % TEST == 0


def load_emoji() -> Emoji:
    """All emoji, decoded once: later calls map the cache.

    Raises:
        DataError: the archive is missing, or is not the shipped one.
    """
    with zipfile.ZipFile(io.BytesIO(read_embedded(FILE, SHA256))) as archive:
        members = archive.namelist()
        count = len(members) // len(STYLES)
        names = tuple(member.partition("/")[2].removesuffix(".webp") for member in members[:count])

        def build(file: BinaryIO) -> cache.Record:
            for member in members:
                with Image.open(io.BytesIO(archive.read(member)), formats=("WEBP",)) as picture:
                    file.write(np.asarray(picture.convert("RGB")).transpose(2, 0, 1).tobytes())
            return cache.Record((len(members), 3, SIDE, SIDE), None, (), ())

        entry = cache.entry_name("emoji", SHA256)
        pixels, _ = cache.read(entry) or cache.store(entry, build)
    return Emoji(names, dict(zip(STYLES, pixels.split(count), strict=True)))


def find(source: str, split: str) -> DataSource:
    """The pictures of the second domain alone, with their categories as classes."""
    return DataSource(f"embedded {source}", ((FILE, 0, 0), (f"{SHA256} {source}", 0, 0)), lambda: _load(source, split))


def _load(source: str, split: str) -> ImageCollection:
    emoji, style = load_emoji(), list(SIDES[source].values())[1]
    rows = emoji.rows(split)
    categories = [emoji.names[i].partition("/")[0] for i in rows.tolist()]
    classes = sorted({name.partition("/")[0] for name in emoji.names})
    images = emoji.pictures[style][rows].movedim(1, -1).contiguous().numpy()
    labels = np.array([classes.index(category) for category in categories], np.uint8)
    return array_pictures(images, labels, classes, f"embedded {source}", BOTH, usual=True)


def open_emoji(config: DataConfig, needs: Sequence[str], resolution: int | None = None, channels: int | None = None) -> Dataset:
    """The fields `needs` of `config.source`: ("source", "real"), ("a", "b") or ("low", "real").

    "source" or "a" is the first domain, the flat or the Fluent emoji; "real" or "b" is the second. `config.swap` turns them
    round. The training split of ("a", "b") has all emoji in both domains, each in an order of its own; the test split has
    pairs, so that the truth is known.

    Raises:
        DataError: other fields, such as label maps.
        UsageError: `config.pair` is no bicubic reduction, where "low" is needed.
    """
    emoji = load_emoji()
    domains = list(SIDES[config.source].items())
    (first, one), (second, other) = domains[::-1] if config.swap else domains
    rows, kind = emoji.rows(config.split), frozenset(needs) - {"label"}

    def table(style: str) -> Tensor:
        return fit_pictures(emoji.pictures[style][rows], resolution or SIDE, channels)

    def pair(names: Mapping[str, str], scale: int = 1, **fields: Tensor) -> PairedDataset:
        train, seal = config.split == "train", fingerprint(fields)
        crop, flip = config.crop // scale if train else 0, config.flip and train
        return PairedDataset(config.source, fields, flip=flip, fingerprint=seal, splits=BOTH, names=names, crop=crop)

    if kind == {"source", "real"}:
        return pair({"source": first, "real": second}, real=table(other), source=table(one))
    if kind == {"a", "b"}:
        if config.split == "test":
            return pair({"a": first, "b": second}, a=table(one), b=table(other))
        a, b = (_domain(name, table(style), config.flip) for name, style in ((first, one), (second, other)))
        return UnpairedDataset(a, b, {"a": first, "b": second})
    if kind == {"low", "real"}:
        real, scale = table(other), bicubic_scale(config.pair, resolution or SIDE)
        return pair({}, scale, real=real, low=shrink(real, scale))
    raise DataError(f"{config.source} has pairs of pictures and no {' and '.join(sorted(kind - {'real'}))}; choose other data")


def _domain(name: str, pictures: Tensor, flip: bool) -> TableDataset:
    fields = {"real": pictures}
    return TableDataset(name, fields, flip=flip, fingerprint=fingerprint(fields), splits=BOTH)
