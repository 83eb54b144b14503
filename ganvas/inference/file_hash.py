"""The hash of a bundle: the SHA-256 of all its bytes, stored in its own card.

The hash cannot cover itself. So it is computed while its place holds zeros, and `check` puts the zeros back before it counts.
In this way every other byte is covered: weights, names, shapes, the card, padding.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from typing import Any

from ganvas.errors import DataError

KEY = "sha256"  # of the card
ZEROS = "0" * 64
DAMAGED = "it has changed since it was saved (its SHA-256 differs); use another copy, or the last checkpoint: ganvas resume RUN"


def reserve(card: Mapping[str, Any]) -> dict[str, Any]:
    """The card with an empty place for the hash."""
    return {KEY: ZEROS, **{name: value for name, value in card.items() if name != KEY}}


def remove(card: dict[str, Any]) -> str | None:
    """Take the hash out of a card that was read; None: an older version saved it.

    Raises:
        DataError: there is no hash under its name, but one under another name: the name is damaged.
    """
    if KEY not in card:
        if any(isinstance(value, str) and _is_hash(value) for value in card.values()):
            raise DataError(DAMAGED)
        return None
    found = card.pop(KEY)
    if not isinstance(found, str) or not _is_hash(found):
        raise DataError(DAMAGED)
    return found


def fill(data: bytes) -> bytes:
    """The bytes of a bundle with the hash in its place.

    Raises:
        ValueError: there is not one place for it.
    """
    digest = hashlib.sha256(data).hexdigest()
    return _replace(data, ZEROS, digest)


def check(data: bytes, written: str | None) -> bool:
    """Whether the bytes of a bundle are what was written, `written` being the hash of its card; False: it has none.

    Raises:
        DataError: they are not.
    """
    if written is None:
        return False
    try:
        same = hashlib.sha256(_replace(data, written, ZEROS)).hexdigest() == written
    except ValueError:
        same = False
    if not same:
        raise DataError(DAMAGED)
    return True


def _replace(data: bytes, old: str, new: str) -> bytes:
    """`data` with the only `old` of its header replaced. Raises: ValueError: there is none, or there are several."""
    end = 8 + int.from_bytes(data[:8], "little")
    head = data[:end]
    quoted = f'\\"{old}\\"'.encode()  # the card is a JSON text within JSON, so its quotation marks are escaped
    if head.count(quoted) != 1:
        raise ValueError("expected one place for the hash")
    return head.replace(quoted, f'\\"{new}\\"'.encode()) + data[end:]


def _is_hash(text: str) -> bool:
    return len(text) == 64 and all(c in "0123456789abcdef" for c in text)
