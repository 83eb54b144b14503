"""Pictures that a page sends: a zip as a raw body, written to disk, read by a process of its own, then deleted."""

from __future__ import annotations

import asyncio
import re
import secrets
import shutil
from collections.abc import AsyncIterator
from contextlib import suppress
from pathlib import Path
from typing import Any

from ganvas.data.readers.zip_archive import has_small_directory
from ganvas.data.sanitize_zip import check_zip
from ganvas.errors import DataError, GanvasError, ResourceError, UsageError
from ganvas.studio.commands import run_command
from ganvas.studio.storage import Storage, UnknownIdError, read_json, read_part
from ganvas.utils.files import disk_errors, read_regular, write_durably
from ganvas.utils.parsing import printable

MAX_UPLOAD_BYTES = 2 << 30
MIN_FREE_BYTES = 1 << 30  # of the disk
UPLOAD_ID = re.compile(r"[0-9a-f]{16}")
INGEST_SECONDS = 900.0
MAX_UPLOADS = 50
MODULE = "ganvas.studio.train.ingest"


class Uploads:
    """The data sets that were sent, by id. Names that the client gives are for display only."""

    def __init__(self, storage: Storage) -> None:
        self.storage = storage
        self.reading: dict[str, asyncio.Task[None]] = {}
        self.one_at_a_time = asyncio.Semaphore(1)

    def find_folder(self, name: str) -> Path:
        """The folder of an upload. Raises: UnknownIdError: there is none."""
        path = self.storage.private / "uploads" / name
        if not UPLOAD_ID.fullmatch(name) or not path.is_dir():
            raise UnknownIdError(f"there is no upload {printable(name, 40)!r} here; send it again")
        return path

    async def receive(self, parts: AsyncIterator[bytes], label: str) -> str:
        """Write a body to disk and begin to read it; returns its id.

        Raises:
            UsageError: it is empty, or there are too many uploads.
            DataError: the zip's directory shows that it cannot be used.
            ResourceError: the disk refuses or is nearly full.
        """
        root = self.storage.make_folder("uploads")
        if self._make_room(root) <= 0:
            raise UsageError(f"{MAX_UPLOADS} uploads are kept already; remove some that no run was trained on")
        name = secrets.token_hex(8)
        folder, label = self.storage.make_folder("uploads", name), printable(label, 100)
        incoming = folder / "incoming.zip"
        size = 0
        try:
            with disk_errors("cannot keep the upload"), incoming.open("xb") as file:
                async for part in parts:
                    if size // (64 << 20) != (size + len(part)) // (64 << 20) and shutil.disk_usage(root).free < MIN_FREE_BYTES:
                        raise ResourceError("the disk is nearly full; make room first")
                    size += len(part)
                    await asyncio.to_thread(file.write, part)
            if not size:
                raise UsageError(f"{label}: the upload is empty; drop a folder or a zip file of pictures")
            await asyncio.to_thread(_check_directory, incoming)
            write_durably(folder / "name.txt", label.encode("utf-8", "replace"))
        except DataError as refused:
            shutil.rmtree(folder, ignore_errors=True)
            raise DataError(_restore_name(refused, incoming, label)) from None
        except BaseException:
            shutil.rmtree(folder, ignore_errors=True)
            raise
        self.reading[name] = asyncio.create_task(self._ingest(name, folder, label))
        return name

    def _make_room(self, root: Path) -> int:
        """How many more uploads may be kept. If there is no room, those that were refused are deleted."""
        kept = list(root.iterdir())
        if len(kept) >= MAX_UPLOADS:
            refused = [each for each in kept if each.name not in self.reading and (each / "refused.txt").exists()]
            for each in refused:
                shutil.rmtree(each, ignore_errors=True)
            kept = list(root.iterdir())
        return MAX_UPLOADS - len(kept)

    async def _ingest(self, name: str, folder: Path, label: str) -> None:
        incoming = folder / "incoming.zip"
        try:
            async with self.one_at_a_time:
                await run_command(
                    str(incoming), str(folder), label, module="ganvas.studio.train.ingest", seconds=INGEST_SECONDS
                )
        except GanvasError as refused:
            write_durably(folder / "refused.txt", _restore_name(refused, incoming, label).encode("utf-8", "replace"))
        finally:
            incoming.unlink(missing_ok=True)
            self.reading.pop(name, None)

    def describe(self, name: str) -> dict[str, Any]:
        """How an upload stands: reading; refused, and why; or ready, with its report. `sent` is when, in seconds since 1970."""
        folder = self.find_folder(name)
        label, sent = _read_text(folder / "name.txt"), _find_time(folder / "name.txt")
        facts: dict[str, Any] = {"id": name, "name": label, "sent": sent, "state": "reading", "words": ""}
        if name in self.reading:
            return facts
        if refused := _read_text(folder / "refused.txt"):
            return {**facts, "state": "refused", "words": refused}
        if report := read_json(folder / "report.json"):
            return {**facts, "state": "ready", "words": "", "report": report}
        return {**facts, "state": "refused", "words": f"{label}: the studio ended while it was read; send it again"}

    def list_ready(self) -> list[dict[str, Any]]:
        """The uploads that can be trained on, with their reports, in the order in which they were sent."""
        root = self.storage.private / "uploads"
        names = sorted(path.name for path in root.iterdir()) if root.is_dir() else []
        states = [self.describe(name) for name in names if UPLOAD_ID.fullmatch(name)]
        return sorted((state for state in states if state["state"] == "ready"), key=lambda state: float(state["sent"]))

    def find_data(self, name: str) -> Path:
        """The data set of an upload. Raises: UsageError: it is not ready; UnknownIdError: there is none."""
        if self.describe(name)["state"] != "ready":
            raise UsageError("these pictures are not ready to be trained on")
        return self.find_folder(name) / "data.zip"

    def remove(self, name: str) -> None:
        """Delete an upload, which is the studio's own copy.

        Raises:
            UsageError: it is being read, or runs were trained on it.
            UnknownIdError: there is none.
            ResourceError: the disk refused.
        """
        folder = self.find_folder(name)
        if name in self.reading:
            raise UsageError("these pictures are still being read; wait until they are")
        if users := [run for run in self.storage.list_runs() if self._needs(run, str(folder / "data.zip"))]:
            names = ", ".join(users[:3]) + (f" and {len(users) - 3} more" if len(users) > 3 else "")
            raise UsageError(f"{names} trained on these pictures and cannot be resumed or measured without them")
        with disk_errors("cannot remove the upload"):
            shutil.rmtree(folder)

    def _needs(self, run: str, data: str) -> bool:
        """Whether a run trains on the data, or was started with it and has no recipe yet."""
        source = read_part(read_json(self.storage.runs / run / "recipe.json"), "data").get("source")
        words = read_json(self.storage.find_note(run, "job.json")).get("words")
        return data == source or (isinstance(words, list) and data in words)

    async def close(self) -> None:
        """End what is being read."""
        for task in list(self.reading.values()):
            task.cancel()
        await asyncio.gather(*self.reading.values(), return_exceptions=True)


def _check_directory(incoming: Path) -> None:
    """Check a zip's directory, if it is small; else its process does that. Raises: DataError: it is refused."""

    if has_small_directory(incoming):
        check_zip(incoming)


def _restore_name(refused: GanvasError, incoming: Path, label: str) -> str:
    """Why an upload was refused, with the name that it was sent with."""
    words = str(refused).replace(str(incoming), label).replace(incoming.name, label)
    return words if label in words else f"{label}: {words}"


def _find_time(path: Path) -> float:
    """When a file was written, in seconds since 1970; 0 if it is missing."""
    with suppress(OSError):
        return path.stat().st_mtime
    return 0.0


def _read_text(path: Path) -> str:
    try:
        return read_regular(path).decode("utf-8", "replace")
    except (OSError, DataError):
        return ""
