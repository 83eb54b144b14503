"""Seeds: every use of random numbers gets a seed that is a hash of what it depends on."""

from __future__ import annotations

import hashlib


def mix(*parts: int | str) -> int:
    """One seed in [0, 2**63) from any number of parts; other parts give an unrelated seed."""
    digest = hashlib.blake2b("/".join(map(str, parts)).encode(), digest_size=8).digest()
    return int.from_bytes(digest, "little") >> 1
