"""IDX files: found by their names, read packed or not, and not believed."""

from __future__ import annotations

import gzip
import struct
from pathlib import Path

import numpy as np
import pytest

from ganvas.config import DataConfig
from ganvas.data.open import open_source
from ganvas.data.readers import idx
from ganvas.errors import DataError

PIXELS = np.random.default_rng(0).integers(0, 256, (5, 28, 28), dtype=np.uint8)


def header(*shape: int, kind: int = 8) -> bytes:
    return bytes((0, 0, kind, len(shape))) + b"".join(struct.pack(">I", n) for n in shape)


def write_split(folder: Path, prefix: str, pixels: np.ndarray, dot: bool = False, pack: bool = True) -> Path:
    folder.mkdir(exist_ok=True)
    numbers = bytes(range(len(pixels)))
    for what, content in (
        ("images-idx3", header(*pixels.shape) + pixels.tobytes()),
        ("labels-idx1", header(len(pixels)) + numbers),
    ):
        name = f"{prefix}-{what}-ubyte".replace("-idx", ".idx" if dot else "-idx")
        (folder / (name + ".gz" * pack)).write_bytes(gzip.compress(content) if pack else content)
    return folder


@pytest.mark.parametrize("dot", [True, False])
@pytest.mark.parametrize("pack", [True, False])
def test_folder_of_two_splits(tmp_path: Path, dot: bool, pack: bool) -> None:
    folder = write_split(tmp_path / "d", "train", PIXELS, dot, pack)
    write_split(folder, "t10k", PIXELS[:2], dot, pack)
    train = open_source(DataConfig(source=str(folder)))
    assert np.array_equal(train.fields["real"][:, 0].numpy(), PIXELS)
    assert train.fields["label"].tolist() == [0, 1, 2, 3, 4]
    assert train.classes == ("0", "1", "2", "3", "4")
    assert len(open_source(DataConfig(source=str(folder), split="test"))) == 2


def test_one_file_with_its_labels_beside_it(tmp_path: Path) -> None:
    folder = write_split(tmp_path / "d", "emnist-letters-train", PIXELS)
    file = folder / "emnist-letters-train-images-idx3-ubyte.gz"
    assert open_source(DataConfig(source=str(file))).classes
    (folder / "emnist-letters-train-labels-idx1-ubyte.gz").unlink()
    assert open_source(DataConfig(source=str(file))).classes == ()


def test_missing_test_split_is_said(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="no test split"):
        open_source(DataConfig(source=str(write_split(tmp_path / "d", "train", PIXELS)), split="test"))


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (b"", "expected an IDX file"),
        (b"\0\0\x08", "expected an IDX file"),
        (header(5, 28, 28, kind=7) + bytes(99), "expected an IDX file"),
        (header(5, 28, 28, kind=13) + bytes(99), "claims 15,680 bytes of data, found fewer"),
        (header(5, 28) + bytes(140), "expected an IDX file"),
        (header(6, 28, 28) + PIXELS.tobytes(), "claims 4,704 bytes of data, found fewer"),
        (header(4, 28, 28) + PIXELS.tobytes(), "claims 3,136 bytes of data, found more"),
        (header(2**32 - 1, 2**32 - 1, 2**32 - 1) + PIXELS.tobytes(), "claims shape"),
        (header(0, 28, 28), "claims shape"),
        (gzip.compress(header(5, 28, 28) + PIXELS.tobytes())[:-20], "damaged"),
        (b"\x1f\x8bjunk", "damaged"),
    ],
)
def test_headers_are_not_believed(tmp_path: Path, content: bytes, reason: str) -> None:
    path = tmp_path / "train-images-idx3-ubyte"
    path.write_bytes(content)
    with pytest.raises(DataError, match=reason):
        open_source(DataConfig(source=str(path)))


def test_bomb_is_read_no_further_than_its_header_says(tmp_path: Path) -> None:
    path = tmp_path / "train-images-idx3-ubyte.gz"
    path.write_bytes(gzip.compress(header(1, 28, 28) + bytes(64 << 20)))
    with pytest.raises(DataError, match="found more"):
        idx.read(path, 3)


def test_labels_must_match_in_number(tmp_path: Path) -> None:
    folder = write_split(tmp_path / "d", "train", PIXELS)
    (folder / "train-labels-idx1-ubyte.gz").write_bytes(header(4) + bytes(4))
    with pytest.raises(DataError, match="expected 5 whole numbers as labels"):
        open_source(DataConfig(source=str(folder)))


@pytest.mark.parametrize("length", range(16))
def test_a_header_that_is_cut_off_is_one_line(length: int, tmp_path: Path) -> None:
    """Also in the middle of a number."""
    path = tmp_path / "train-images-idx3-ubyte"
    path.write_bytes(header(5, 28, 28)[:length])
    with pytest.raises(DataError, match="expected an IDX file in 3 dimensions"):
        idx.read(path, 3)


@pytest.mark.parametrize(
    ("kind", "dtype", "scale"), [(9, "i1", 1), (11, ">i2", 257), (12, ">i4", 257), (13, ">f4", 1 / 255), (14, ">f8", 1 / 255)]
)
def test_numbers_of_every_type_are_read(tmp_path: Path, kind: int, dtype: str, scale: float) -> None:
    pixels = PIXELS // 2 if kind in (9, 11) else PIXELS  # signed
    path = tmp_path / "train-images-idx3-float"
    path.write_bytes(header(5, 28, 28, kind=kind) + (pixels * np.float64(scale)).round(9).astype(dtype).tobytes())
    (tmp_path / "train-labels-idx1-int").write_bytes(header(5, kind=12) + np.arange(7, 12, dtype=">i4").tobytes())
    source = open_source(DataConfig(source=str(path)))
    assert np.array_equal(source.fields["real"][:, 0].numpy(), pixels)
    assert source.classes == ("7", "8", "9", "10", "11")


def test_color_and_capitals(tmp_path: Path) -> None:
    color = np.stack([PIXELS] * 3, -1)
    (tmp_path / "TRAIN-IMAGES-IDX4-UBYTE").write_bytes(header(5, 28, 28, 3) + color.tobytes())
    (tmp_path / "TRAIN-LABELS-IDX1-UBYTE").write_bytes(header(5) + bytes(range(5)))
    source = open_source(DataConfig(source=str(tmp_path)))
    assert np.array_equal(source.fields["real"].numpy(), color.transpose(0, 3, 1, 2))
    assert len(source.classes) == 5


def test_a_folder_of_several_sets_is_told_and_its_splits_belong_together(tmp_path: Path) -> None:
    for name, value in (("a-test", 1), ("b-test", 2), ("b-train", 3), ("c-train", 4)):
        content = header(2, 8, 8) + bytes([value]) * 127 + b"\xff"
        (tmp_path / f"{name}-images-idx3-ubyte").write_bytes(content)
    train, test = (open_source(DataConfig(source=str(tmp_path), split=split)) for split in ("train", "test"))
    assert (int(train.fields["real"][0, 0, 0, 0]), int(test.fields["real"][0, 0, 0, 0])) == (3, 2)
    assert "2 more IDX files of images here are not used, such as a-test" in train.warnings[0]
