"""Single pictures that pages send, by id: /api/pictures. Each is decoded in a process of its own and kept as a plain PNG.

A page that works on a picture sends it once and then names it by its id, also in a link to another page. What a page makes of a
picture is kept here too, so that it can be saved, and handed on.
"""

from __future__ import annotations

import asyncio
import re
import secrets
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

from starlette.requests import Request
from starlette.responses import FileResponse, JSONResponse, Response
from starlette.routing import Route

from ganvas.errors import DataError, UsageError
from ganvas.studio.commands import run_command
from ganvas.studio.page import Studio, find_service
from ganvas.studio.responses import make_endpoint
from ganvas.studio.storage import Storage, UnknownIdError
from ganvas.utils.files import disk_errors
from ganvas.utils.parsing import printable

MAX_PICTURE_BYTES = 32 << 20
MAX_PICTURES = 100  # the oldest one is deleted to make room
PICTURE_ID = re.compile(r"[0-9a-f]{16}")
READ_SECONDS = 60.0
MODULE = "ganvas.studio.picture_ingest"


class PictureStore:
    """The pictures that were sent."""

    def __init__(self, studio: Studio) -> None:
        self.storage = Storage(studio.runs)
        self.one_at_a_time = asyncio.Semaphore(1)

    def find(self, name: str) -> Path:
        """The PNG of an id, for a page that works on it. Raises: UnknownIdError: there is none, or it was deleted."""
        path = self.storage.private / "pictures" / f"{name}.png"
        if not PICTURE_ID.fullmatch(name) or not path.is_file():
            raise UnknownIdError(f"there is no picture {printable(name, 40)!r} here; send it again")
        return path

    async def receive(self, parts: AsyncIterator[bytes]) -> dict[str, Any]:
        """Keep the picture of a body; returns its id, width, height and channels.

        Raises:
            UsageError: it is empty.
            DataError: it is no picture that can be read.
            ResourceError: the disk refused, or it took too long.
        """
        folder, name = self.storage.make_folder("pictures"), secrets.token_hex(8)
        incoming, out = folder / f"{name}.incoming", folder / f".{name}.png"
        try:
            with disk_errors("cannot keep the picture"), incoming.open("xb") as file:
                async for part in parts:
                    await asyncio.to_thread(file.write, part)
            if not incoming.stat().st_size:
                raise UsageError("the picture is empty; choose a PNG, JPEG, WEBP, BMP, GIF or TIFF file")
            async with self.one_at_a_time:
                facts = await run_command(str(incoming), str(out), module=MODULE, seconds=READ_SECONDS)
                self._make_room(folder)
            with disk_errors("cannot keep the picture"):
                out.rename(folder / f"{name}.png")
        except DataError as refused:
            raise DataError(f"this picture: {str(refused).replace(str(incoming), '').strip(': ')}") from None
        finally:
            for path in (incoming, out):
                path.unlink(missing_ok=True)
        return {"id": name, **facts}

    def reserve(self) -> tuple[str, Path]:
        """A new id and its file, not there yet: for a process of a page that makes a picture, as a PNG of its own.

        Raises:
            ResourceError: the disk refused.
        """
        folder, name = self.storage.make_folder("pictures"), secrets.token_hex(8)
        with disk_errors("cannot keep the picture"):
            self._make_room(folder)
        return name, folder / f"{name}.png"

    def _make_room(self, folder: Path) -> None:
        kept = sorted(folder.glob("[0-9a-f]*.png"), key=lambda path: path.stat().st_mtime)
        for path in kept[: max(0, len(kept) + 1 - MAX_PICTURES)]:
            path.unlink(missing_ok=True)

    def remove(self, name: str) -> None:
        """Delete a picture. Raises: UnknownIdError: there is none; ResourceError: the disk refused."""
        with disk_errors("cannot remove the picture"):
            self.find(name).unlink()

    async def close(self) -> None:
        """Nothing goes on after a request."""


def get_store(request: Request) -> PictureStore:
    """The store of this studio."""
    return find_service(request, PictureStore)


async def receive_picture(request: Request) -> Response:
    """A picture as the raw body; answers its id, width, height and channels."""
    return JSONResponse(await get_store(request).receive(request.stream()), 201)


def get_picture(request: Request) -> Response:
    """A picture that was sent, as a PNG."""
    headers = {"Cache-Control": "private, max-age=3600"}  # what an id names never changes
    return FileResponse(get_store(request).find(request.path_params["id"]), media_type="image/png", headers=headers)


def remove_picture(request: Request) -> Any:
    """Delete a picture that was sent."""
    get_store(request).remove(request.path_params["id"])
    return {"removed": request.path_params["id"]}


API = "/api/pictures"
UPLOADS = {API: MAX_PICTURE_BYTES}
ROUTES = (
    Route(API, make_endpoint(receive_picture, bytes), methods=["POST"]),
    Route(f"{API}/{{id}}", make_endpoint(get_picture), methods=["GET"]),
    Route(f"{API}/{{id}}", make_endpoint(remove_picture), methods=["DELETE"]),
)
