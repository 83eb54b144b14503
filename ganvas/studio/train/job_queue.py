"""The queue of trainings that wait for a device, kept on disk so that a later server continues it.

One training at a time runs on a device. Two at once would each use all cores, and both would be slower than one after the
other.
"""

from __future__ import annotations

import fcntl
import json
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from ganvas.errors import UsageError
from ganvas.studio.storage import Storage, read_json
from ganvas.utils.files import disk_errors, write_durably

MAX_WAITING = 20  # trainings


class JobQueue:
    """The ids of the trainings that wait, the first to start first."""

    def __init__(self, storage: Storage) -> None:
        self.storage = storage

    @property
    def path(self) -> Path:
        """Its file."""
        return self.storage.private / "queue.json"

    @contextmanager
    def lock(self) -> Iterator[None]:
        """Exclude other threads and other servers. Raises: ResourceError: the disk refused."""
        self.storage.make_folder()
        with disk_errors("cannot lock the queue of trainings"):
            file = os.open(self.storage.private / "queue.lock", os.O_CREAT | os.O_RDWR)
        try:
            fcntl.flock(file, fcntl.LOCK_EX)
            yield
        finally:
            os.close(file)

    def read(self) -> list[str]:
        """The ids that wait."""
        names = read_json(self.path).get("waiting", [])
        return [name for name in names if isinstance(name, str)] if isinstance(names, list) else []

    def write(self, names: list[str]) -> None:
        """Replace the ids that wait; within `lock`. Raises: ResourceError: the disk refused."""
        write_durably(self.path, json.dumps({"waiting": names}).encode())

    def add(self, name: str) -> None:
        """Add a training at the end; within `lock`. Raises: UsageError: too many wait already."""
        names = self.read()
        if name not in names:
            self.write([*names, name])

    def remove(self, name: str) -> bool:
        """Remove a training; within `lock`. Returns whether it was there."""
        names = self.read()
        if name in names:
            self.write([other for other in names if other != name])
        return name in names

    def require_room(self) -> None:
        """Raises: UsageError: as many trainings wait as may."""
        if len(self.read()) >= MAX_WAITING:
            raise UsageError(f"{MAX_WAITING} trainings wait already, which is the most; cancel one first")


def is_locked(path: Path) -> bool:
    """Whether a living process holds the lock in the file."""
    try:
        file = os.open(path, os.O_RDWR)
    except OSError:
        return False
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        return True
    finally:
        os.close(file)
    return False
