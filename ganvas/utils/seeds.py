"""Seeds as pure functions: whatever needs chance takes a seed mixed from what it depends on."""

from __future__ import annotations

import hashlib


def mix(*parts: int | str) -> int:
    """One seed in [0, 2**63) from any number of parts; different parts give unrelated seeds."""
    digest = hashlib.blake2b("/".join(map(str, parts)).encode(), digest_size=8).digest()
    return int.from_bytes(digest, "little") >> 1
