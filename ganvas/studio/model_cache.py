"""Loaded models in a process of a page: each is loaded once, and again when its file has changed."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable
from pathlib import Path
from typing import Generic, TypeVar

from ganvas.inference.model_file import NAME

MAX_MODELS = 2  # in memory
T = TypeVar("T")


class ModelCache(Generic[T]):
    """What `load` makes of a run folder, for the folders that were asked for last."""

    def __init__(self, load: Callable[[str], T]) -> None:
        self.load = load
        self.loaded: OrderedDict[tuple[str, int], T] = OrderedDict()

    def find(self, folder: str) -> T:
        """The model in a run folder. Raises: GanvasError: as `load`."""
        file = Path(folder) / NAME
        key = (folder, file.stat().st_mtime_ns if file.exists() else 0)
        if key not in self.loaded:
            self.loaded[key] = self.load(folder)
            while len(self.loaded) > MAX_MODELS:
                self.loaded.popitem(last=False)
        self.loaded.move_to_end(key)
        return self.loaded[key]
