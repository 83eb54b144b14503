"""What is doubtful about many pictures together: copies, pictures with nothing on them, their shapes and sizes."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from threading import Lock

from ganvas.data.collection import SIDES, ImageCollection
from ganvas.data.images import silence_pillow
from ganvas.data.levels import Bytes

BLANK = 2.0  # an image with a standard deviation below this, of 255, is almost blank
HALVES = 0.9  # share of pictures that are twice as wide as high, from which on each may be two side by side
SHARE = 0.01  # of all pictures, from which on copies or blank ones are told before a training


class PictureWatch:
    """Counts copies and nearly blank pictures among those that it sees. Several threads may call `see`."""

    def __init__(self) -> None:
        self.lock, self.seen = Lock(), set[bytes]()
        self.count = self.copies = self.blank = 0

    def see(self, pixels: Bytes) -> None:
        """Look at one picture of bytes, of any shape."""
        digest = hashlib.blake2b(pixels.tobytes(), digest_size=12).digest()
        blank = float(pixels.std()) < BLANK
        with self.lock:
            self.count += 1
            self.blank += blank
            self.copies += digest in self.seen
            self.seen.add(digest)

    def doubts(self) -> tuple[str, ...]:
        """A sentence about the copies and one about the blank pictures, where there are many."""
        found = ((self.copies, "exact copies of others"), (self.blank, "nearly blank"))
        return tuple(
            f"{count:,} of {self.count:,} pictures are {what}; `ganvas data` shows which"
            for count, what in found
            if count and count >= SHARE * self.count
        )


def doubt_sizes(pictures: ImageCollection, kept: Sequence[int], resolution: int) -> tuple[str, ...]:
    """Whether images with the indices `kept` are enlarged to more than twice their side, in a sentence."""
    with silence_pillow():
        sides = [(header.width, header.height) for header in map(pictures.peek, kept)]
    tiny = [side for side in sides if 2 * min(side) < resolution]
    if not tiny:
        return ()
    width, height = min(tiny, key=min)
    many = "all pictures" if len(tiny) == len(sides) else f"{len(tiny):,} of {len(sides):,} pictures"
    how = f"are enlarged to {resolution} x {resolution} pixels from less than half, the smallest from {width} x {height}"
    advice = "use larger ones" if len(tiny) == len(sides) else "leave them out"
    if resolution > SIDES[0]:  # no smaller one is ever suggested, and few networks have one
        advice += ", or choose a smaller config.resolution"
    return (f"{many} {how}; {advice}",)


def doubt_shapes(pictures: ImageCollection, kept: Sequence[int], resolution: int) -> tuple[str, ...]:
    """What is doubtful about the shapes and the sizes of images that are no pairs, with the indices `kept`."""
    return (*doubt_halves(pictures, kept), *doubt_sizes(pictures, kept, resolution))


def doubt_halves(pictures: ImageCollection, kept: Sequence[int]) -> tuple[str, ...]:
    """Whether images with the indices `kept` look like pairs, two side by side in each, in a sentence."""
    with silence_pillow():
        sides = [(header.width, header.height) for header in map(pictures.peek, kept)]
    wide = sum(width == 2 * height for width, height in sides)
    if len(sides) < 2 or wide < HALVES * len(sides):
        return ()
    many = "all pictures" if wide == len(sides) else f"{wide:,} of {len(sides):,} pictures"
    hint = "with data.pair=side-by-side each is read as an input and an output (ganvas data: --pair side-by-side)"
    return (f"{many} are twice as wide as high; {hint}",)
