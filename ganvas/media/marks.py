"""Mark points on a picture: a dot for each handle, a ring for each target, and a line between them."""

from __future__ import annotations

from collections.abc import Sequence

from PIL import ImageDraw

from ganvas.media.image_files import Picture

HANDLE, TARGET, EDGE = "#e02020", "#2060ff", "white"
RADIUS = 5  # of a dot, in pixels of the enlarged picture

Point = tuple[float, float]  # x from the left, y from the top, in pixels; 0, 0 is the middle of the first pixel


def mark_ways(picture: Picture, scale: int, handles: Sequence[Point], targets: Sequence[Point]) -> Picture:
    """A picture whose pixels are `scale` pixels wide, in color, with a red dot at each handle and a blue ring at its target."""
    marked = picture.convert("RGB")
    draw = ImageDraw.Draw(marked)
    for handle, target in zip(handles, targets, strict=True):
        (x, y), (u, v) = ((scale * (a + 0.5), scale * (b + 0.5)) for a, b in (handle, target))
        draw.line([(x, y), (u, v)], fill=EDGE, width=2)
        draw.circle((u, v), RADIUS + 2, outline=EDGE, width=4)
        draw.circle((u, v), RADIUS + 1, outline=TARGET, width=2)
        draw.circle((x, y), RADIUS, fill=HANDLE, outline=EDGE)
    return marked
