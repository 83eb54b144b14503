"""Write the clips that come with ganvas, ganvas/data/builtin/embedded/clips.zip: animated emoji, and six of them as drivers.

Usage: python tools/embed_clips.py CLIPS, the archive of the animated Fluent emoji, whose PNG files are strips of 24 frames of
64 x 64 pixels, top to bottom, on white. The same Pillow writes the same bytes on every run. Prints the checksum for
ganvas/data/builtin/embedded/README.md and ganvas/data/builtin/emoji_clips.py.

Left out are the variants of a person (a woman, a man, of a job, with somebody), which move alike, and clips in which nearly
nothing moves or nearly everything comes and goes. A clip keeps each third frame, a driver all of them.
"""

from __future__ import annotations

import hashlib
import io
import sys
import zipfile
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image

TARGET = Path(__file__).parents[1] / "ganvas" / "data" / "builtin" / "embedded" / "clips.zip"
LIMIT = 6_000_000  # bytes
SIDE, FRAMES, STEP = 64, 24, 3
LEAST, MOST = 0.0195, 0.11  # mean change of a pixel between frames half a clip apart, of the range
# All are in the test split: see ganvas/data/builtin/emoji_clips.py.
DRIVERS = {"sway": "1f466", "reel": "1f974", "nod": "1f434", "roar": "1f981", "wave": "1f44b", "bounce": "1f90e"}
DAY = (1980, 1, 1, 0, 0, 0)  # of all members: an archive without the time at which it was made


def main() -> None:
    """Write the archive, and print its checksum."""
    count = 0
    with zipfile.ZipFile(sys.argv[1]) as originals, zipfile.ZipFile(TARGET, "w", zipfile.ZIP_STORED) as packed:
        for name in sorted(each for each in originals.namelist() if each.endswith(".png")):
            frames, code = read_strip(originals.read(name)), Path(name).stem
            if "-200d-" not in name and LEAST < measure_change(frames) < MOST:
                write_strip(packed, f"clips/{code}.webp", frames[::STEP])
                count += 1
            for driver in (each for each, its in DRIVERS.items() if its == code):
                write_strip(packed, f"drivers/{driver}.webp", frames)
    size = TARGET.stat().st_size
    print(f"{hashlib.sha256(TARGET.read_bytes()).hexdigest()}  {size:,} bytes, {count} clips")
    if size > LIMIT:
        raise SystemExit(f"too large: expected at most {LIMIT:,} bytes")


def read_strip(png: bytes) -> NDArray[np.uint8]:
    """A strip of frames, top to bottom -> uint8 [24, 64, 64, 3]."""
    with Image.open(io.BytesIO(png)) as opened:
        return np.asarray(opened.convert("RGB")).reshape(FRAMES, SIDE, SIDE, 3)


def measure_change(frames: NDArray[np.uint8]) -> float:
    """The mean absolute difference of frames half a clip apart, 0 to 1."""
    values = frames.astype(np.float64) / 255
    return float(np.abs(values - np.roll(values, FRAMES // 2, 0)).mean())


def write_strip(packed: zipfile.ZipFile, name: str, frames: NDArray[np.uint8]) -> None:
    """Add frames as one lossless WebP file, top to bottom."""
    file = io.BytesIO()
    Image.fromarray(frames.reshape(-1, SIDE, 3)).save(file, "WEBP", lossless=True, quality=80, method=4)
    member = zipfile.ZipInfo(name, DAY)
    member.create_system, member.external_attr = 3, 0o644 << 16  # the same on every system
    packed.writestr(member, file.getvalue())


if __name__ == "__main__":
    main()
