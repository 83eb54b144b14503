"""Names of the pictures in a zip -> names that are safe to print and to unpack, in which `find_sides` finds the same pairs."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

from ganvas.data.images import SUFFIXES
from ganvas.data.pair_layout import key_of
from ganvas.data.readers.zip_archive import MAX_NAME
from ganvas.errors import DataError
from ganvas.utils.parsing import printable

UNSAFE = "\\:"  # the first comes from `printable`, which escapes control characters; both mean something in paths of Windows
SAFE = ("\u29f5", "\u2236", *map(chr, range(0x2500, 0x2700)))  # symbols that look alike, and others that are no letters


def rename_members(members: Sequence[str]) -> list[str | None]:
    """The new name of each member, all different; None: it would be too long.

    Names are compared as readers do, so without control characters. One letter stands for one letter, so that names which are
    equal, or begin or end alike, still do. The ending becomes .png, unless two pictures differ by nothing else.

    Raises:
        DataError: so many symbols occur in the names that none is free.
    """
    plain = [printable(name, MAX_NAME) for name in members]
    free = _free_symbols("".join(plain))
    names = [name.translate(dict(zip(map(ord, UNSAFE), free, strict=True))) for name in plain]
    count = Counter(map(key_of, names))
    return [new if len(new := _end_alike(name, count[key_of(name)])) <= MAX_NAME else None for name in names]


def _free_symbols(text: str) -> list[str]:
    used = set(text)
    free = [symbol for symbol in SAFE if symbol not in used][: len(UNSAFE)]
    if len(free) < len(UNSAFE):
        raise DataError("the names of the files have too many symbols; give them plain names")
    return free


def _end_alike(name: str, alike: int) -> str:
    """The name with the ending .png, if it has one, and is alone with its name without ending."""
    ending = next((ending for ending in SUFFIXES if name.lower().endswith(ending)), "")
    return f"{name[: len(name) - len(ending)]}.png" if ending and alike == 1 else name
