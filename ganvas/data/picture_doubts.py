"""What is doubtful about many pictures together: copies, and pictures with nothing on them."""

from __future__ import annotations

import hashlib
from threading import Lock

from ganvas.data.levels import Bytes

BLANK = 2.0  # an image with a standard deviation below this, of 255, is almost blank
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
