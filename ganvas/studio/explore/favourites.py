"""The favourites: looks that a person keeps, over all models, in a file of the studio."""

from __future__ import annotations

import hashlib
import json
import secrets
from collections.abc import Mapping
from typing import Any

from ganvas.errors import UsageError
from ganvas.studio.storage import Storage, UnknownIdError, read_json
from ganvas.utils.files import write_durably
from ganvas.utils.parsing import printable

MAX_FAVOURITES = 200
MAX_LOOK_CHARACTERS = 4096


class Favourites:
    """The file of favourites. Nothing is awaited between reading and writing, so that no other tab can write in between."""

    def __init__(self, storage: Storage) -> None:
        self.storage = storage

    def read(self) -> list[dict[str, Any]]:
        """The favourites, oldest first. In an older file they have no ids: each gets one that follows from its content."""
        listed = read_json(self.storage.private / "favourites.json").get("kept")
        kept = [each for each in listed if _is_favourite(each)] if isinstance(listed, list) else []
        texts = [f"{i}{json.dumps(favourite)}".encode() for i, favourite in enumerate(kept)]
        ids = [hashlib.sha256(text).hexdigest()[:16] for text in texts]
        return [{"id": name, **favourite} for name, favourite in zip(ids, kept, strict=True)]

    def add(self, model: str, look: Mapping[str, Any], name: str) -> dict[str, Any]:
        """Keep one more look; returns it with its id.

        Raises:
            UsageError: the look is too long, or as many are kept as may.
            ResourceError: the disk refused.
        """
        if len(json.dumps(dict(look))) > MAX_LOOK_CHARACTERS:
            raise UsageError(f"look: expected at most {MAX_LOOK_CHARACTERS} characters of JSON")
        kept = self.read()
        if len(kept) >= MAX_FAVOURITES:
            raise UsageError(f"{MAX_FAVOURITES} favourites are kept, which is the most; remove one to keep another")
        added = {"id": secrets.token_hex(8), "model": model[:100], "look": dict(look), "name": printable(name, 80)}
        self._write([*kept, added])
        return self.read()[-1]

    def remove(self, name: str) -> None:
        """Remove one favourite. Raises: UnknownIdError: there is none; ResourceError: the disk refused."""
        kept = self.read()
        if all(favourite["id"] != name for favourite in kept):
            raise UnknownIdError(f"there is no favourite {printable(name, 40)!r} here; look at the list of favourites")
        self._write([favourite for favourite in kept if favourite["id"] != name])

    def _write(self, kept: list[dict[str, Any]]) -> None:
        self.storage.make_folder()
        write_durably(self.storage.private / "favourites.json", json.dumps({"kept": kept}).encode())


def _is_favourite(value: Any) -> bool:
    """Whether a value of the file is a favourite: an older or a damaged file may hold anything."""
    return isinstance(value, dict) and isinstance(value.get("model"), str) and isinstance(value.get("look"), dict)
