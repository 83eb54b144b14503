"""Films: GIF and animated PNG, which repeat, and MP4, which needs the extra `video`."""

from __future__ import annotations

import io
import json
from collections.abc import Mapping, Sequence
from fractions import Fraction
from pathlib import Path

import numpy as np

from ganvas.errors import DataError, UsageError
from ganvas.media.image_files import Picture, save_gif
from ganvas.utils.files import write_durably

FILMS = (".gif", ".png", ".apng", ".mp4")


def film_name(out: str | Path) -> Path:
    """The file to write a film to. Raises: UsageError: its name has none of the endings of a film."""
    path = Path(out)
    if path.suffix.lower() not in FILMS:
        raise UsageError(f"cannot write a film to {path.name!r}: expected a name ending in .gif, .png, .apng or .mp4")
    return path


def save_film(path: str | Path, frames: Sequence[Picture], milliseconds: int, text: Mapping[str, str] | None = None) -> None:
    """Write frames of one size as .gif, .png, .apng or .mp4, by the ending of the name, with `text` as metadata.

    Raises:
        UsageError: another suffix, a time that is not positive, or an MP4 without the extra `video`.
        DataError: no frame, or frames of different sizes.
        ResourceError: the file cannot be written.
    """
    path = Path(path)
    if path.suffix.lower() == ".mp4":
        _save_mp4(path, frames, milliseconds, text or {})
    else:
        save_gif(path, frames, milliseconds, text)


def _save_mp4(path: Path, frames: Sequence[Picture], milliseconds: int, text: Mapping[str, str]) -> None:
    """H.264 at CRF 18, visually almost lossless; an odd side loses its last row or column of pixels."""
    try:
        import av
    except ImportError:
        raise UsageError(f"{path.name}: MP4 needs an extra: pip install 'ganvas[video]'; or write a .gif") from None
    if milliseconds <= 0:
        raise UsageError(f"milliseconds: expected more than 0, got {milliseconds}")
    sizes = {frame.size for frame in frames}
    if len(sizes) != 1 or min(frames[0].size) < 2:
        raise DataError(f"a film needs frames of one size, at least 2 by 2, got {sorted(sizes)}")
    width, height = (side - side % 2 for side in frames[0].size)  # H.264 halves the resolution of color: even sides only
    file = io.BytesIO()
    with av.open(file, "w", format="mp4") as container:
        container.metadata["comment"] = json.dumps(dict(text))
        stream = container.add_stream("libx264", rate=Fraction(1000, milliseconds), options={"crf": "18"})
        stream.width, stream.height, stream.pix_fmt = width, height, "yuv420p"
        for frame in frames:
            pixels = np.asarray(frame.convert("RGB"))[:height, :width]
            container.mux(stream.encode(av.VideoFrame.from_ndarray(np.ascontiguousarray(pixels), format="rgb24")))
        container.mux(stream.encode())
    write_durably(path, file.getvalue())
