"""Sample sets: what a measure compares, real or generated."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cached_property

import torch
from torch import Tensor

from ganvas.config import DataConfig
from ganvas.core.modality import IMAGES, POINTS, VOXELS, Modality, modality_of, modality_of_shape
from ganvas.data.open import open_source
from ganvas.data.table import TableDataset
from ganvas.errors import DataError, UsageError
from ganvas.inference.feature_extractors import Extractor
from ganvas.inference.model import Label, Model
from ganvas.media.image_files import to_bytes


@dataclass(eq=False)
class SampleSet:
    """One of the two sets that are compared: images or solids uint8 [N, C, ...], or points [N, D]; classes [N] if known."""

    data: Tensor
    labels: Tensor | None
    extractor: Extractor | None
    classes: tuple[str, ...] = ()  # what the labels are called

    @property
    def modality(self) -> Modality:
        """Points, images or voxels."""
        return modality_of(self.data)

    @cached_property
    def features(self) -> Tensor:
        """[N, d] float64."""
        if self.modality is POINTS:
            return self.data.double()
        if self.extractor is None:
            if self.modality is VOXELS:
                raise UsageError("solids have no extractor of their own: give --extractor RUN of a classifier-shapes recipe")
            raise UsageError("there is no extractor for these pictures: pip install 'ganvas[photos]', or give --extractor RUN")
        return self.extractor.features(self.data)

    @cached_property
    def logits(self) -> Tensor:
        """[N, classes] float64."""
        if self.extractor is None:
            raise UsageError("this measure needs a classifier of the data: give --extractor RUN of a classifier-... recipe")
        return self.extractor.logits(self.data)


UNSEEN = "of the test split of"  # in the words of a reference that no model was trained on


CHUNK = 128  # samples drawn at a time, whole chunks of `sample_chunks`
DRAWS = 5  # sets of other real samples, whose distances are averaged


@dataclass(frozen=True)
class Reference:
    """Which samples of a data source are the reference, and which others give the floor."""

    train: TableDataset
    source: TableDataset  # that the reference rows belong to: the test split, or the training split
    rows: Tensor  # [n]
    other: Tensor  # rows of the training split in random order, [at least n], none of them in the reference
    words: str

    @classmethod
    def choose(
        cls, name: str, open_split: Callable[[str], TableDataset], samples: int, split: str | None, what: str
    ) -> Reference:
        """The same choice for equal arguments. `open_split` opens a split of the source; `what` is "samples" or "lines".

        Where there is no test split, a random half is the reference and the other half the floor.

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
            raise DataError(f"{name} holds {len(train)} {what}; expected at least 40 to measure against")
        words = f"{n:,} real {what} of {name} (no test split used)"
        return cls(train, train, order[:n], order[n:], words)


@dataclass(eq=False)
class Draws:
    """Sets of real samples beside the reference. They are made one at a time, and only the first stays in memory."""

    source: TableDataset
    rows: tuple[Tensor, ...]
    extractor: Extractor | None = None
    classes: tuple[str, ...] = ()

    def __len__(self) -> int:
        return len(self.rows)

    def __iter__(self) -> Iterator[SampleSet]:
        yield self.first
        for rows in self.rows[1:]:
            yield self._side(rows)

    @cached_property
    def first(self) -> SampleSet:
        """The set that measures other than distances are compared with."""
        return self._side(self.rows[0])

    def _side(self, rows: Tensor) -> SampleSet:
        side = side_of(self.source, rows)
        side.extractor, side.classes = self.extractor, self.classes
        return side


def read_rows(source: TableDataset, rows: Tensor) -> Tensor:
    """Samples as they are kept: bytes [N, C, ...], points [N, D] or text [N, L]; never a float copy of images."""
    return source.table[rows if source.index is None else source.index[rows]]


def side_of(source: TableDataset, rows: Tensor) -> SampleSet:
    """Some samples of a source with their labels, as one of two compared sets."""
    return SampleSet(read_rows(source, rows), labels_of(source, rows), None)


def labels_of(source: TableDataset, rows: Tensor) -> Tensor | None:
    """The classes [N] of some samples; None where the source has none."""
    return source.fields["label"][rows if source.index is None else source.index[rows]] if "label" in source.fields else None


def real_sample_sets(
    source: str, shape: tuple[int, ...] | None, samples: int, split: str | None
) -> tuple[SampleSet, Draws, TableDataset, str]:
    """The reference, up to five draws of as many other reals, all training samples, and the reference in words.

    Raises:
        DataError: the source holds text, or too few samples.
    """
    pictured = shape is not None and modality_of_shape(shape) is IMAGES
    resolution, channels = (shape[-1], shape[0]) if shape is not None and pictured else (None, None)

    def open_split(part: str) -> TableDataset:
        config = DataConfig(source=source, split=part)  # type: ignore[arg-type]
        return require_no_text(open_source(config, resolution=resolution, channels=channels))

    found = Reference.choose(source, open_split, samples, split, "samples")
    n = len(found.rows)
    draws = tuple(rows for rows in found.other.split(n)[:DRAWS] if len(rows) == n)
    return side_of(found.source, found.rows), Draws(found.train, draws), found.train, found.words


def require_no_text(source: TableDataset) -> TableDataset:
    """The source, checked to hold images, points or voxels. Raises: DataError: it holds text."""
    if source.is_text:
        raise DataError(
            f"{source.name} holds text, which is measured of a model only: name the run of a textgan or textlm recipe"
        )
    return source


def fake_sample_set(model: Model, n: int, seed: int, asked: Tensor | None) -> SampleSet:
    """n samples of a model, to_kept to bytes, voxels to full and empty.

    Asked for the classes [n] of the floor's reals, so that both are as mixed: classes far apart in feature space make a
    distance of their own where one set has a little more of one of them.
    """
    data, labels, done = torch.empty(0), [], 0
    label: Label = None if not model.classes else "all" if asked is None else asked[:n].tolist()
    # Small chunks into one piece of memory: a list that is joined at the end needs twice as much.
    for part, c in model.stream(n, seed, label, chunk=CHUNK):
        kept = to_kept(part)
        data = data if done else kept.new_empty(n, *kept.shape[1:])
        data[done : done + len(kept)] = kept
        done += len(kept)
        labels += [] if c is None else [c]
    return SampleSet(data, torch.cat(labels) if labels else None, None)


def to_kept(samples: Tensor) -> Tensor:
    """Samples of a model as data is kept: images as bytes, a voxel as full or empty; points and text as they are."""
    if modality_of(samples) is VOXELS:
        samples = (samples > 0).float() * 2 - 1
    return to_bytes(samples) if modality_of(samples).grid else samples


def picture_set(path: str, n: int) -> SampleSet:
    """The first n samples of a data source, as the measured side."""
    source = require_no_text(open_source(DataConfig(source=path)))
    return side_of(source, torch.arange(min(n, len(source))))


def same_kind(fake: SampleSet, real: SampleSet) -> SampleSet:
    """The measured side, checked to be of the reference's kind."""
    if fake.data.shape[1:] != real.data.shape[1:]:
        raise DataError(
            f"samples are {list(fake.data.shape[1:])} and the reference {list(real.data.shape[1:])}; "
            "measure against data of the same size and colours"
        )
    return fake
