"""The embedded MNIST is the original, bit for bit."""

from __future__ import annotations

import hashlib
import time
from pathlib import Path

import numpy as np
import pytest
import torch

from ganvas.config import DataConfig
from ganvas.data.builtin import mnist
from ganvas.data.open import open_source
from ganvas.data.readers import idx
from ganvas.errors import DataError

SHA256 = {
    "train": (
        "741c988805d008ac6e4c904b69001ba184c24b2c540a4ef403f4c71b676cf757",
        "1feba77c54802fa5339a11837ea4b2866434b83314ec45192930f1df69120c13",
    ),
    "test": (
        "6d87418db22cc8025d05968bec9bd5c3932904b23485740db143a061a2c9d161",
        "ddeff807876a9661a1110d45c266c86239a3a1b7d37da0c3716a7a683c852ff5",
    ),
}


def test_embedded_file_is_small_and_as_documented() -> None:
    content = mnist.EMBEDDED.read_bytes()
    assert len(content) <= 10_000_000
    assert hashlib.sha256(content).hexdigest() == mnist.SHA256
    readme = (mnist.EMBEDDED.parent / "README.md").read_text()
    assert all(digest in readme for digest in (mnist.SHA256, *SHA256["train"], *SHA256["test"]))


@pytest.mark.parametrize("split", ["train", "test"])
def test_digits_are_the_originals(split: str, request: pytest.FixtureRequest) -> None:
    source = open_source(DataConfig(source="mnist", split=split))  # type: ignore[arg-type]
    pixels, labels = source.fields["real"].numpy(), source.fields["label"].numpy()
    assert source.classes == tuple("0123456789")
    assert (
        hashlib.sha256(pixels.tobytes()).hexdigest(),
        hashlib.sha256(labels.astype(np.uint8).tobytes()).hexdigest(),
    ) == SHA256[split]
    start = time.perf_counter()
    again = open_source(DataConfig(source="mnist", split=split))  # type: ignore[arg-type]
    assert time.perf_counter() - start < 1  # mapped from the cache
    assert again.fingerprint == source.fingerprint
    folder: Path = request.getfixturevalue("originals") / "mnist"
    prefix = "train" if split == "train" else "t10k"
    assert np.array_equal(pixels[:, 0], idx.read(folder / f"{prefix}-images-idx3-ubyte.gz", 3))
    assert np.array_equal(labels, idx.read(folder / f"{prefix}-labels-idx1-ubyte.gz", 1))


def test_32_is_framed_in_black() -> None:
    native = open_source(DataConfig(source="mnist", split="test")).fields["real"]
    framed = open_source(DataConfig(source="mnist", split="test"), resolution=32, channels=1).fields["real"]
    assert torch.equal(framed, torch.nn.functional.pad(native, (2, 2, 2, 2)))


def test_a_damaged_installation_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(mnist, "EMBEDDED", tmp_path / "mnist.xz")
    with pytest.raises(DataError, match="install ganvas again"):
        open_source(DataConfig(source="mnist"))
    (tmp_path / "mnist.xz").write_bytes(b"junk")
    with pytest.raises(DataError, match="SHA-256"):
        open_source(DataConfig(source="mnist"))
