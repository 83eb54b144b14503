"""Weights that come with ganvas: a file that is not the one of the release is refused."""

from __future__ import annotations

from pathlib import Path

import pytest

from ganvas.errors import DataError
from ganvas.metrics.picture_network import FILE, SHA256
from ganvas.utils.shipped_weights import read_shipped_weights


@pytest.mark.parametrize("change", ["a byte", "a shorter file", "no file"])
def test_a_damaged_file_is_refused(tmp_path: Path, change: str) -> None:
    damaged, path = bytearray(FILE.read_bytes()), tmp_path / "pictures.safetensors"
    damaged[-1] ^= 1
    if change != "no file":
        path.write_bytes(damaged if change == "a byte" else damaged[:1000])
    with pytest.raises(DataError, match="SHA-256"):
        read_shipped_weights(path, SHA256)
