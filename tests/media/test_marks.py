"""Marks on a picture: where they are, and nothing elsewhere."""

from __future__ import annotations

import numpy as np
from PIL import Image

from ganvas.media.marks import HANDLE, TARGET, mark_ways


def test_a_handle_and_its_target_are_where_they_should_be() -> None:
    grey = Image.new("L", (256, 256), 128)
    marked = mark_ways(grey, 8, [(4, 10)], [(20, 25.5)])
    pixels = np.asarray(marked)
    assert marked.mode == "RGB"
    assert "#{:02x}{:02x}{:02x}".format(*pixels[84, 36]) == HANDLE  # the middle of the pixel 4, 10
    rows, columns = np.nonzero((pixels == [int(TARGET[i : i + 2], 16) for i in (1, 3, 5)]).all(2))
    assert abs(columns.mean() - 164) < 1  # a ring around the middle of 20, 25.5
    assert abs(rows.mean() - 208) < 1
    assert (pixels[:60] == 128).all()
    assert grey.getpixel((36, 84)) == 128  # the given picture stays
