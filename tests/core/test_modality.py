"""Each kind of sample: found by type and rank, normalized exactly, kept again without loss, mirrored and cropped."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor

from ganvas.core.modality import (
    CLIPS,
    IMAGES,
    LABEL_MAPS,
    LABELS,
    MODALITIES,
    POINTS,
    TEXT,
    VOXELS,
    Modality,
    modality_of,
    modality_of_shape,
    normalize_batch,
)
from ganvas.errors import DataError

SHAPES = {
    "points": (6, 2),
    "images": (6, 3, 4, 5),
    "voxels": (6, 1, 4, 4, 4),
    "text": (6, 7),
    "label maps": (6, 4, 5),
    "clips": (6, 2, 3, 4, 5),
}
EVERY = pytest.mark.parametrize("kind", MODALITIES.values(), ids=MODALITIES)


def some(kind: Modality) -> Tensor:
    """Six random samples as kept."""
    random = torch.Generator().manual_seed(0)
    if kind.dtype.is_floating_point:
        return torch.randn(SHAPES[kind.name], generator=random)
    return torch.randint(0, 256, SHAPES[kind.name], generator=random).to(kind.dtype)


@EVERY
def test_normalized_samples_are_kept_again_without_loss(kind: Modality) -> None:
    kept = some(kind)
    samples = kind.normalize(kept)
    assert (samples.shape, samples.dtype) == (kept.shape, kind.network_dtype)
    again = kind.denormalize(samples)
    assert again.dtype == kind.dtype
    assert torch.equal(again, kept)


@EVERY
def test_a_kind_is_found_from_type_and_rank(kind: Modality) -> None:
    among = (CLIPS,) if kind is CLIPS else tuple(MODALITIES.values())  # clips look like voxels
    assert modality_of(some(kind), among) is kind
    assert modality_of(kind.normalize(some(kind)), among) is kind


@EVERY
def test_normalizing_stays_on_the_device(kind: Modality) -> None:
    meta = some(kind).to("meta")
    assert kind.normalize(meta).device.type == "meta"
    assert kind.mirror(meta, torch.ones(6, dtype=torch.bool, device="meta")).shape == meta.shape


def test_pixels_are_normalized_exactly() -> None:
    pixels = torch.arange(256, dtype=torch.uint8).view(1, 1, 16, 16)
    assert torch.equal(IMAGES.normalize(pixels), pixels.float() / 127.5 - 1)
    assert IMAGES.normalize(torch.tensor([0, 255], dtype=torch.uint8).view(2, 1, 1, 1)).flatten().tolist() == [-1.0, 1.0]
    assert IMAGES.normalize(some(IMAGES)).is_contiguous(memory_format=torch.channels_last)
    assert IMAGES.normalize(pixels).is_contiguous()


def test_samples_beyond_the_range_are_cut_and_nan_is_refused() -> None:
    assert IMAGES.denormalize(torch.tensor([-1.5, 1.5]).view(2, 1, 1, 1)).flatten().tolist() == [0, 255]
    with pytest.raises(DataError, match="the images hold NaN"):
        IMAGES.denormalize(torch.full((1, 1, 2, 2), torch.nan))


@EVERY
def test_mirroring_moves_values_and_makes_no_new_ones(kind: Modality) -> None:
    kept = some(kind)
    flips = torch.tensor([True, False, True, False, False, True])
    mirrored = kind.mirror(kept, flips)
    assert torch.equal(mirrored[~flips], kept[~flips])
    assert torch.equal(mirrored[flips], kept[flips].flip(-1) if kind.mirrored else kept[flips])
    assert torch.equal(kind.mirror(mirrored, flips), kept)


@pytest.mark.parametrize("kind", [IMAGES, LABEL_MAPS, CLIPS], ids=lambda kind: kind.name)
def test_a_crop_is_a_square_of_each_sample(kind: Modality) -> None:
    kept, top, left = some(kind), torch.tensor([0, 1, 2, 0, 1, 2]), torch.tensor([3, 2, 1, 0, 3, 2])
    crops = kind.crop(kept, top, left, 2)
    for i, crop in enumerate(crops):
        assert torch.equal(crop, kept[i, ..., top[i] : top[i] + 2, left[i] : left[i] + 2])
    with pytest.raises(DataError, match="crop: expected a kind with height and width, found points"):
        POINTS.crop(some(POINTS), top, left, 2)


def test_what_is_of_no_kind_is_refused_in_one_line() -> None:
    with pytest.raises(
        DataError, match=r"expected points \[N, D\], images .* or clips .*; found int64 \[3\]; convert the data"
    ):
        modality_of(torch.zeros(3, dtype=torch.int64))
    with pytest.raises(DataError, match=r"expected images \[N, C, H, W\]; found float32 \[3, 2\]"):
        modality_of(torch.zeros(3, 2), (IMAGES,))


def test_a_network_s_shape_tells_its_kind() -> None:
    assert modality_of_shape((2,)) is POINTS
    assert modality_of_shape((1, 28, 28)) is IMAGES
    assert modality_of_shape((1, 32, 32, 32)) is VOXELS


@pytest.mark.parametrize(
    ("kind", "shape", "words"),
    [
        (POINTS, (1,), "points of 1 number"),
        (POINTS, (2,), "points of 2 numbers"),
        (IMAGES, (1, 28, 32), "28 x 32 pixels, grey"),
        (IMAGES, (3, 28, 28), "28 x 28 pixels, color"),
        (VOXELS, (1, 32, 32, 32), "32 x 32 x 32 voxels, grey"),
        (TEXT, (11,), "lines of up to 11 symbols"),
        (LABEL_MAPS, (64, 64), "64 x 64 pixels"),
        (CLIPS, (16, 3, 64, 64), "16 frames, 64 x 64 pixels, color"),
    ],
)
def test_a_shape_in_words(kind: Modality, shape: tuple[int, ...], words: str) -> None:
    assert kind.describe(shape) == words


def test_a_batch_is_normalized_field_by_field() -> None:
    batch = {"source": some(IMAGES), "map": some(LABEL_MAPS), "label": torch.arange(6), "other": torch.ones(6)}
    found = normalize_batch(batch, {"source": IMAGES, "map": LABEL_MAPS, "label": LABELS})
    assert [x.dtype for x in found.values()] == [torch.float32, torch.int64, torch.int64, torch.float32]
