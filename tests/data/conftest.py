"""Every test has a cache folder of its own, and pictures to write."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

WritePicture = Callable[..., Path]


@pytest.fixture(autouse=True)
def cache_root(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The folder that stands in for ~/.cache."""
    root = tmp_path / "xdg-cache"
    monkeypatch.setenv("XDG_CACHE_HOME", str(root))
    monkeypatch.delenv("GANVAS_DATA", raising=False)
    return root


@pytest.fixture
def write_picture() -> WritePicture:
    """Write a picture of noise: write_picture(path, seed, size=(16, 16), mode="L")."""

    def write(path: Path, seed: int = 0, size: tuple[int, int] = (16, 16), mode: str = "L") -> Path:
        path.parent.mkdir(parents=True, exist_ok=True)
        shape = (size[1], size[0]) if mode == "L" else (size[1], size[0], len(mode))
        pixels = np.random.default_rng(seed).integers(0, 256, shape, dtype=np.uint8)
        Image.fromarray(pixels).save(path)
        return path

    return write


@pytest.fixture(scope="session")
def originals() -> Path:
    """The folder of original IDX files; the test is skipped where there is none."""
    folder = Path(__file__).parents[3] / "shared" / "datasets"
    if not folder.is_dir():
        pytest.skip("no shared/datasets beside the checkout")
    return folder
