"""Sample sets, real or generated: what a measure compares."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from functools import cached_property

import torch
from torch import Tensor

from ganvas.config import DataConfig
from ganvas.core.modality import IMAGES, POINTS, TEXT, VOXELS, Modality, modality_of, modality_of_shape
from ganvas.data.dataset import Dataset
from ganvas.data.open import open_source
from ganvas.data.table import TableDataset
from ganvas.data.units import Units
from ganvas.errors import DataError, UsageError
from ganvas.inference.feature_extractors import Extractor
from ganvas.inference.loaded_game import Label
from ganvas.inference.model import Model
from ganvas.media.image_files import to_bytes
from ganvas.utils.parsing import spell_count


@dataclass(eq=False)
class SampleSet:
    """One of two compared sets: images or voxels uint8 [N, C, ...], or points [N, D]; with classes [N], if known."""

    data: Tensor
    labels: Tensor | None
    extractor: Extractor | None
    classes: tuple[str, ...] = ()  # names of the labels
    units: Units | None = None  # of points: in which they are compared; None: as they are

    @property
    def modality(self) -> Modality:
        """Points, images or voxels."""
        return modality_of(self.data)

    @cached_property
    def features(self) -> Tensor:
        """The features [N, d], in the type of the extractor. Raises: UsageError: there is no extractor."""
        if self.modality is POINTS:
            return (self.data if self.units is None else self.units.standardize(self.data)).double()
        if self.extractor is None:
            if self.modality is VOXELS:
                raise UsageError("solids have no extractor of their own: give --extractor RUN of a classifier-shapes recipe")
            raise UsageError("there is no extractor for grey pictures of your own: give --extractor RUN of a classifier")
        return self.extractor.features(self.data, dtype=None)  # half the memory of float64

    @cached_property
    def logits(self) -> Tensor:
        """The logits [N, classes] of a classifier, float64. Raises: UsageError: there is none."""
        if self.extractor is None:
            raise UsageError("this measure needs a classifier of the data: give --extractor RUN of a classifier-... recipe")
        return self.extractor.logits(self.data)


UNSEEN = "of the test split of"  # part of the description of a reference that no model was trained on
CHUNK = 128  # samples generated at a time: whole chunks of `sample_chunks`
DRAWS = 5  # sets of other real samples, whose distances are averaged


@dataclass(frozen=True)
class Reference:
    """The samples of a data source that are the reference, and others for the floor."""

    train: TableDataset
    source: TableDataset  # that the reference rows belong to: the test split, or the training split
    rows: Tensor  # [n]
    other: Tensor  # rows of the training split in random order, [at least n], none of them in the reference
    words: str

    @classmethod
    def choose(
        cls, name: str, open_split: Callable[[str], TableDataset], samples: int, split: str | None, what: str
    ) -> Reference:
        """Choose the reference; equal arguments give the same. `open_split` opens a split; `what` is "samples" or "lines".

        Without a test split, a random half is the reference and the other half is for the floor.

        Raises:
            DataError: too few samples, or no test split where `split` asks for it.
        """
        train = open_split("train")
        order = torch.randperm(len(train), generator=torch.Generator().manual_seed(1))
        if split != "train":
            try:
                test = open_split("test")
            except DataError:
                if split == "test":
                    raise
            else:
                n = min(samples, len(test), len(train))
                chosen = torch.randperm(len(test), generator=torch.Generator().manual_seed(2))[:n]
                return cls(train, test, chosen, order, f"{n:,} real {what} {UNSEEN} {name}")
        n = min(samples, len(train) // 2)
        if n < 20:
            raise DataError(f"{name} holds {spell_count(len(train), what)}; expected at least 40 to measure against")
        words = f"{n:,} real {what} of {name} (no test split used)"
        return cls(train, train, order[:n], order[n:], words)


@dataclass(eq=False)
class Draws:
    """Several sets of other real samples. They are made one at a time, and only the first stays in memory."""

    source: TableDataset
    rows: tuple[Tensor, ...]
    extractor: Extractor | None = None
    classes: tuple[str, ...] = ()
    units: Units | None = None

    def __len__(self) -> int:
        return len(self.rows)

    def __iter__(self) -> Iterator[SampleSet]:
        yield self.first
        for rows in self.rows[1:]:
            yield self._side(rows)

    @cached_property
    def first(self) -> SampleSet:
        """The first set. Measures that are no distances use only this one."""
        return self._side(self.rows[0])

    def resize(self, n: int) -> Draws:
        """Sets of n samples each from the same rows: a floor is the score of as many reals as there are fakes."""
        rows = tuple(part for part in torch.cat(self.rows).split(n)[:DRAWS] if len(part) == n)
        return self if n == len(self.rows[0]) else Draws(self.source, rows, self.extractor, self.classes, self.units)

    def _side(self, rows: Tensor) -> SampleSet:
        side = make_sample_set(self.source, rows)
        side.extractor, side.classes, side.units = self.extractor, self.classes, self.units
        return side


def read_rows(source: Dataset, rows: Tensor) -> Tensor:
    """Samples of the main field as kept: bytes [N, C, ...], points [N, D] or text [N, L]; never a float copy of images."""
    return source.rows(rows)[next(name for name in source.modalities if name != "label")]


def make_sample_set(source: TableDataset, rows: Tensor) -> SampleSet:
    """Samples of a source and their labels as a sample set."""
    return SampleSet(read_rows(source, rows), labels_of(source, rows), None)


def labels_of(source: TableDataset, rows: Tensor) -> Tensor | None:
    """The classes [N] of samples; None: the source has none."""
    return source.fields["label"][rows if source.index is None else source.index[rows]] if "label" in source.fields else None


def real_sample_sets(
    data: str | DataConfig, shape: tuple[int, ...] | None, samples: int, split: str | None
) -> tuple[SampleSet, Draws, TableDataset, str]:
    """The reference, up to five sets of as many other reals, the training split, and a description of the reference.

    `data` is a source, or also how to read it. Samples of a model are compared with reals that were made square alike
    (`LoadedGame.data_config`): borders that are padded in one set only would be a distance.

    Raises:
        DataError: the source holds text, or too few samples.
    """
    gridded = shape is not None and modality_of_shape(shape).grid
    resolution, channels = (shape[-1], shape[0]) if shape is not None and gridded else (None, None)
    config = data if isinstance(data, DataConfig) else DataConfig(source=data)

    def open_split(part: str) -> TableDataset:
        how = replace(config, split=part)  # type: ignore[arg-type]
        return require_no_text(open_source(how, resolution=resolution, channels=channels))

    found = Reference.choose(config.source, open_split, samples, split, "samples")
    n = len(found.rows)
    draws = tuple(rows for rows in found.other.split(n)[:DRAWS] if len(rows) == n)
    return make_sample_set(found.source, found.rows), Draws(found.train, draws), found.train, found.words


def require_no_text(source: TableDataset) -> TableDataset:
    """The source, checked to hold images, points or voxels. Raises: DataError: it holds text."""
    if source.modality is TEXT:
        raise DataError(
            f"{source.name} holds text, which is measured of a model only: name the run of a textgan or textlm recipe"
        )
    return source


def fake_sample_set(model: Model, n: int, seed: int, labels: Tensor | None) -> SampleSet:
    """n samples of a model as kept: images as bytes, voxels full or empty.

    `labels` are the classes [n] to generate: those of the reals of the floor. If the shares of the classes differed between
    two sets, that alone would make a distance.
    """
    data, found, done = torch.empty(0), [], 0
    label: Label = None if not model.classes else "all" if labels is None else labels[:n].tolist()
    # Small chunks, copied into one tensor: to concatenate a list at the end would need twice the memory.
    for part, c in model.stream(n, seed, label, chunk=CHUNK):
        kept = to_kept(part)
        data = data if done else kept.new_empty(n, *kept.shape[1:])
        data[done : done + len(kept)] = kept
        done += len(kept)
        found += [] if c is None else [c]
    return SampleSet(data, torch.cat(found) if found else None, None)


def to_kept(samples: Tensor) -> Tensor:
    """Samples of a model as data is kept: images as bytes, voxels full or empty; points and text unchanged."""
    if modality_of(samples) is VOXELS:
        samples = (samples > 0).float() * 2 - 1
    return to_bytes(samples) if modality_of(samples).grid else samples


def picture_set(path: str, n: int, like: SampleSet) -> tuple[SampleSet, tuple[str, ...]]:
    """n random samples of a data source as a sample set, always the same ones, and a note if they were resized.

    The first n of a folder would be those of its first classes.

    Images of another size or other colors than those of `like` are read again in its size and colors, as data are: the
    central square, with an antialiased Lanczos filter.
    """
    source = require_no_text(open_source(DataConfig(source=path)))
    note: tuple[str, ...] = ()
    shape = tuple(like.data.shape[1:])
    if source.modality is like.modality is IMAGES and source.shape != shape:
        sizes = f"{IMAGES.describe(source.shape)}, to {IMAGES.describe(shape)}"
        note = (f"read as the reference: from {sizes} (central square, Lanczos filter)",)
        source = open_source(DataConfig(source=path), resolution=shape[-1], channels=shape[0])
    return make_sample_set(source, torch.randperm(len(source), generator=torch.Generator().manual_seed(9))[:n]), note


def require_same_shape(fake: SampleSet, real: SampleSet) -> SampleSet:
    """`fake`, if its samples have the shape of the reference's. Raises: DataError: they have not."""
    if fake.data.shape[1:] != real.data.shape[1:]:
        raise DataError(
            f"samples are {list(fake.data.shape[1:])} and the reference {list(real.data.shape[1:])}; "
            "measure against data of the same size and colors"
        )
    return fake
