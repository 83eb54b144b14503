"""Archives: written as they come, whole or not at all."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from ganvas.errors import ResourceError
from ganvas.media.npz import save_npz


def test_parts_become_one_archive(tmp_path: Path) -> None:
    parts = [{"images": np.full((2, 3), k, np.uint8), "labels": np.array([k, k])} for k in range(3)]
    save_npz(tmp_path / "a.npz", 6, parts)
    with np.load(tmp_path / "a.npz") as arrays:
        assert arrays["images"][:, 0].tolist() == arrays["labels"].tolist() == [0, 0, 1, 1, 2, 2]


@pytest.mark.parametrize("place", ["absent/a.npz", "file/a.npz"])
def test_a_place_that_cannot_be_written_is_one_line(place: str, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(ResourceError, match=r"cannot write .*a\.npz: (No such file|Not a directory)"):
        save_npz(tmp_path / place, 1, [{"images": np.zeros((1, 3))}])
    assert [path.name for path in tmp_path.iterdir()] == ["file"]
