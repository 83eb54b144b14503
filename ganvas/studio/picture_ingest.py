"""Read one picture that a page sent, in a process of its own: `python -m ganvas.studio.picture_ingest FILE OUT`.

It writes OUT, a PNG of nothing but pixels, and prints a row of JSON. It imports no torch, so that it answers soon.
"""

from __future__ import annotations

import json
import resource
import sys
from pathlib import Path

from PIL import Image

from ganvas.data.images import decode
from ganvas.runtime.exits import run_and_exit
from ganvas.utils.files import disk_errors

MAX_SIDE = 2048  # pixels: a larger picture is reduced to it
MAX_MEMORY = 2 << 30  # bytes that a decoder may ask for


def ingest(path: Path, out: Path) -> dict[str, int]:
    """Decode the picture at `path` and write it to `out`, turned as its EXIF says, on white where it is transparent.

    Returns:
        Width and height of `out`, and its channels, 1 or 3.

    Raises:
        DataError: it is no picture that can be read.
        ResourceError: `out` cannot be written.
    """
    with disk_errors(f"cannot read {path.name}"), path.open("rb") as file:
        pixels = decode(file, MAX_SIDE)
    channels = pixels.shape[2]
    image = Image.fromarray(pixels[..., 0] if channels == 1 else pixels)
    image.thumbnail((MAX_SIDE, MAX_SIDE), Image.Resampling.LANCZOS)
    with disk_errors("cannot keep the picture"):
        image.save(out, "PNG", compress_level=1)
    return {"width": image.width, "height": image.height, "channels": channels}


def main() -> None:
    """Limit memory, read the picture, print its size."""
    resource.setrlimit(resource.RLIMIT_DATA, (MAX_MEMORY, MAX_MEMORY))
    run_and_exit(lambda: print(json.dumps(ingest(Path(sys.argv[1]), Path(sys.argv[2])))))


if __name__ == "__main__":
    main()
