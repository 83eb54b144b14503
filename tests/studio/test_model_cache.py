"""Models in the memory of a page's process: loaded once, again when the file is another, and not more than fit."""

from __future__ import annotations

import os
from pathlib import Path

from ganvas.studio.model_cache import MAX_MODELS, ModelCache


def test_a_model_is_loaded_once_and_again_when_its_file_is_another(tmp_path: Path) -> None:
    loaded: list[str] = []

    def load(folder: str) -> int:
        loaded.append(folder)
        return len(loaded)

    cache: ModelCache[int] = ModelCache(load)
    file = tmp_path / "model.safetensors"
    file.write_bytes(b"1")
    assert [cache.find(str(tmp_path)) for _ in range(3)] == [1, 1, 1]
    os.utime(file, ns=(1, 1))
    assert cache.find(str(tmp_path)) == 2
    others = [str(tmp_path / name) for name in ("a", "b", "c")[: MAX_MODELS + 1]]
    for folder in others:
        cache.find(folder)
    assert len(cache.loaded) == MAX_MODELS
    assert loaded == [str(tmp_path), str(tmp_path), *others]
