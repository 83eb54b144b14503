"""Damage to bytes: what a disk, a copy, an editor or a stranger may do to a file."""

from __future__ import annotations

from random import Random

FLIPS_AND_CUTS = ("flip", "cut")  # must always be noticed where a hash covers the file


def damage(data: bytes, random: Random) -> tuple[str, bytes]:
    """The kind of damage, and the damaged bytes, which differ from `data` unless it is empty."""
    kind = random.choice(("flip", "flip", "cut", "cut", "zeros", "more", "swap", "noise", "repeat", "word"))
    if not data:
        return "more", b"\0"
    at, size = random.randrange(len(data)), len(data)
    bad = bytearray(data)
    if kind == "flip":
        bad[at] ^= 1 << random.randrange(8)
    elif kind == "cut":
        del bad[at:]
    elif kind == "zeros":
        end = min(size, at + random.choice((1, 64, 512, 4096)))
        bad[at:end] = b"\0" * (end - at)
    elif kind == "more":
        bad += random.randbytes(random.choice((1, 100)))
    elif kind == "swap":
        end, to = min(size, at + 64), random.randrange(size)
        bad[to : to + end - at] = data[at:end]
    elif kind == "noise":
        end = min(size, at + random.choice((8, 64, 512)))
        bad[at:end] = random.randbytes(end - at)
    elif kind == "repeat":
        bad[at:at] = data[at : at + random.choice((1, 16, 512))]
    else:
        words = (b"null", b"-1", b"1e999", b"[]", b"{}", b'""', b"9" * 40, b"true", b"\xff\xfe", b"NaN", b"[" * 2000)
        bad[at : at + random.randint(0, 6)] = random.choice(words)
    if bytes(bad) == data:
        bad[at] ^= 1
        kind = "flip"
    return kind, bytes(bad)
