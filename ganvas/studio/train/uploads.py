"""Pictures that a page sends: a zip as a raw body, streamed to disk, taken in by a process of its own, then deleted."""

from __future__ import annotations

import asyncio
import re
import secrets
import shutil
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

from ganvas.errors import DataError, GanvasError, ResourceError, UsageError
from ganvas.files import disk_errors, printable, write_durably
from ganvas.studio.chores import chore
from ganvas.studio.store import Store, UnknownIdError, facts

LARGEST = 2 << 30  # bytes of an upload
SPARE = 1 << 30  # bytes that stay free on the disk
ID = re.compile(r"[0-9a-f]{16}")
SECONDS = 900.0  # for taking one in
MANY = 50  # uploads kept


class Uploads:
    """The data sets that were sent, by id; names of the client are only shown."""

    def __init__(self, store: Store) -> None:
        self.store = store
        self.reading: dict[str, asyncio.Task[None]] = {}
        self.turn = asyncio.Semaphore(1)

    def folder(self, name: str) -> Path:
        """The folder of an upload. Raises: UnknownIdError: there is none."""
        path = self.store.private / "uploads" / name
        if not ID.fullmatch(name) or not path.is_dir():
            raise UnknownIdError(f"there is no upload {printable(name, 40)!r} here; send it again")
        return path

    async def receive(self, parts: AsyncIterator[bytes], shown: str) -> str:
        """Write a body to disk and begin to take it in; returns its id.

        Raises:
            UsageError: nothing came, or there are too many.
            DataError: its directory alone shows that it cannot be used.
            ResourceError: the disk refuses or is nearly full.
        """
        root = self.store.folder("uploads")
        if self._room(root) <= 0:
            raise UsageError(f"{MANY} uploads are kept already; remove some that no run was trained on")
        name = secrets.token_hex(8)
        folder, shown = self.store.folder("uploads", name), printable(shown, 100)
        incoming = folder / "incoming.zip"
        size = 0
        try:
            with disk_errors("cannot keep the upload"), incoming.open("xb") as file:
                async for part in parts:
                    if size // (64 << 20) != (size + len(part)) // (64 << 20) and shutil.disk_usage(root).free < SPARE:
                        raise ResourceError("the disk is nearly full; make room first")
                    size += len(part)
                    await asyncio.to_thread(file.write, part)
            if not size:
                raise UsageError("nothing came; drop a folder or a zip file of pictures")
            await asyncio.to_thread(_look, incoming)
            write_durably(folder / "name.txt", shown.encode("utf-8", "replace"))
        except DataError as refused:
            shutil.rmtree(folder, ignore_errors=True)
            raise DataError(_named(refused, incoming, shown)) from None
        except BaseException:
            shutil.rmtree(folder, ignore_errors=True)
            raise
        self.reading[name] = asyncio.create_task(self._take_in(name, folder, shown))
        return name

    def _room(self, root: Path) -> int:
        """How many more are kept; where there is no room, those that were refused make some."""
        kept = list(root.iterdir())
        if len(kept) >= MANY:
            refused = [each for each in kept if each.name not in self.reading and (each / "refused.txt").exists()]
            for each in refused:
                shutil.rmtree(each, ignore_errors=True)
            kept = list(root.iterdir())
        return MANY - len(kept)

    async def _take_in(self, name: str, folder: Path, shown: str) -> None:
        incoming = folder / "incoming.zip"
        try:
            async with self.turn:
                await chore(str(incoming), str(folder), shown, module="ganvas.studio.train.intake", seconds=SECONDS)
        except GanvasError as refused:
            write_durably(folder / "refused.txt", _named(refused, incoming, shown).encode("utf-8", "replace"))
        finally:
            incoming.unlink(missing_ok=True)
            self.reading.pop(name, None)

    def state(self, name: str) -> dict[str, Any]:
        """How an upload stands: reading, refused and why, or ready with its report."""
        folder = self.folder(name)
        found: dict[str, Any] = {"id": name, "name": _text(folder / "name.txt"), "state": "reading", "words": ""}
        if name in self.reading:
            return found
        if refused := _text(folder / "refused.txt"):
            return {**found, "state": "refused", "words": refused}
        if report := facts(folder / "report.json"):
            return {**found, "state": "ready", "words": "", "report": report}
        return {**found, "state": "refused", "words": "the studio was ended while it was read; send it again"}

    def ready(self) -> list[dict[str, Any]]:
        """The uploads that can be trained on, with their reports."""
        root = self.store.private / "uploads"
        names = sorted(path.name for path in root.iterdir()) if root.is_dir() else []
        found = [self.state(name) for name in names if ID.fullmatch(name)]
        return [state for state in found if state["state"] == "ready"]

    def data(self, name: str) -> Path:
        """The data set of an upload. Raises: UsageError: it is not ready; UnknownIdError: there is none."""
        if self.state(name)["state"] != "ready":
            raise UsageError("these pictures are not ready to be trained on")
        return self.folder(name) / "data.zip"

    def remove(self, name: str) -> None:
        """Delete an upload, which is the studio's own copy.

        Raises:
            UsageError: it is being read, or runs were trained on it.
            UnknownIdError: there is none.
            ResourceError: the disk refused.
        """
        folder = self.folder(name)
        if name in self.reading:
            raise UsageError("these pictures are still being read; wait until they are")
        if users := [run for run in self.store.ids() if self._needs(run, str(folder / "data.zip"))]:
            shown = ", ".join(users[:3]) + (f" and {len(users) - 3} more" if len(users) > 3 else "")
            raise UsageError(f"{shown} trained on these pictures and cannot be resumed or measured without them")
        with disk_errors("cannot remove the upload"):
            shutil.rmtree(folder)

    def _needs(self, run: str, data: str) -> bool:
        """Whether a run was trained on the data, or was begun with it and has no recipe yet."""
        source = facts(self.store.runs / run / "recipe.json").get("data", {}).get("source")
        return data in (source, *facts(self.store.note(run, "job.json")).get("words", []))

    async def close(self) -> None:
        """End what is being read."""
        for task in list(self.reading.values()):
            task.cancel()
        await asyncio.gather(*self.reading.values(), return_exceptions=True)


def _look(incoming: Path) -> None:
    """Look at a zip's directory, where that is done in a moment; else the process does. Raises: DataError: it is refused."""
    from ganvas.data.archive import little
    from ganvas.data.repack import admit

    if little(incoming):
        admit(incoming)


def _named(refused: GanvasError, incoming: Path, shown: str) -> str:
    """Why something was refused, under the name that it was sent with."""
    return str(refused).replace(str(incoming), shown).replace(incoming.name, shown)


def _text(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8")
    except OSError:
        return ""
