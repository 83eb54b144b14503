"""The two sides of a measurement: samples of a model or a folder, and reals that were not used to make them."""

from __future__ import annotations

import torch
from torch import Tensor

from ganvas.compare import Side
from ganvas.config import DataConfig
from ganvas.data import open_source
from ganvas.data.source import Source
from ganvas.errors import DataError
from ganvas.export.pictures import to_bytes
from ganvas.model import Model

UNSEEN = "of the test split of"  # in the words of a reference that no model was trained on


def reals(
    source: str, shape: tuple[int, ...] | None, samples: int, split: str | None
) -> tuple[Side, tuple[Side, ...], Source, str]:
    """The reference, up to five draws of as many other reals, all training samples, and the reference in words.

    Where there is no test split, a random half is the reference and the other half the floor.
    """
    resolution = shape[-1] if shape and len(shape) == 3 else None
    channels = shape[0] if shape and len(shape) == 3 else None

    def side_of(data: Source, rows: Tensor) -> Side:
        table = rows if data.index is None else data.index[rows]
        labels = data.fields["label"][table] if "label" in data.fields else None
        return Side(data.fields["real"][table], labels, None)

    def draws(data: Source, order: Tensor, n: int) -> tuple[Side, ...]:
        return tuple(side_of(data, rows) for rows in order.split(n)[:5] if len(rows) == n)

    train = seen(open_source(DataConfig(source=source), resolution=resolution, channels=channels))
    order = torch.randperm(len(train), generator=torch.Generator().manual_seed(1))
    if split != "train":
        try:
            test = open_source(DataConfig(source=source, split="test"), resolution=resolution, channels=channels)
        except DataError:
            if split == "test":
                raise
        else:
            n = min(samples, len(test), len(train))
            chosen = torch.randperm(len(test), generator=torch.Generator().manual_seed(2))[:n]
            words = f"{n:,} real samples {UNSEEN} {source}"
            return side_of(test, chosen), draws(train, order, n), train, words
    n = min(samples, len(train) // 2)
    if n < 20:
        raise DataError(f"{source} holds {len(train)} samples; expected at least 40 to measure against")
    words = f"{n:,} real samples of {source} (no test split used)"
    return side_of(train, order[:n]), draws(train, order[n:], n), train, words


def seen(source: Source) -> Source:
    """The source, checked to hold pictures, points or solids. Raises: DataError: it holds text."""
    if source.is_text:
        raise DataError(
            f"{source.name} holds text, which is measured of a model only: name the run of a textgan or textlm recipe"
        )
    return source


def drawn_side(model: Model, n: int, seed: int, asked: Tensor | None) -> Side:
    """n samples of a model, rounded to bytes, solids to full and empty.

    Asked for the classes [n] of the floor's reals, so that both are as mixed: classes far apart in feature space make a
    distance of their own where one set has a little more of one of them.
    """
    parts, labels = [], []
    label = None if not model.classes else "all" if asked is None else asked[:n].tolist()
    for part, c in model.stream(n, seed, label):
        if part.ndim == 5:  # a voxel is there or not
            part = (part > 0).float() * 2 - 1
        parts.append(to_bytes(part) if part.ndim > 2 else part)
        labels += [] if c is None else [c]
    return Side(torch.cat(parts), torch.cat(labels) if labels else None, None)


def pictures(path: str, n: int) -> Side:
    """The first n samples of a data source, as the measured side."""
    source = seen(open_source(DataConfig(source=path)))
    labels = source.fields.get("label")
    return Side(source.fields["real"][:n], None if labels is None else labels[:n], None)


def alike(fake: Side, real: Side) -> Side:
    """The measured side, checked to be of the reference's kind."""
    if fake.data.shape[1:] != real.data.shape[1:]:
        raise DataError(
            f"samples are {list(fake.data.shape[1:])} and the reference {list(real.data.shape[1:])}; "
            "measure against data of the same size and colours"
        )
    return fake
