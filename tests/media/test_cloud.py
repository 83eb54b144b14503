"""A cloud of points: each where it belongs, in the colour of its class."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from ganvas.errors import DataError
from ganvas.media.cloud import draw_cloud
from ganvas.media.palette import CLASS_COLORS, class_color


def rgb(text: str) -> tuple[int, ...]:
    return tuple(bytes.fromhex(text[1:]))


def test_points_lie_where_they_belong() -> None:
    points = torch.tensor([[0.25, 0.75], [0.75, 0.25]])
    picture = np.asarray(draw_cloud(points, torch.tensor([0, 1]), ("cat", "dog"), 100))
    assert tuple(picture[25, 25]) == rgb(CLASS_COLORS[0])  # y grows upwards
    assert tuple(picture[75, 75]) == rgb(CLASS_COLORS[1])
    assert tuple(picture[50, 50]) == (255, 255, 255)
    assert picture.shape[0] == 100 < picture.shape[1]  # the names stand beside it
    assert draw_cloud(points, None, ("cat", "dog"), 100).size == (100, 100)


def test_every_class_has_its_class_color() -> None:
    for count in (1, 10, 11, 40):
        assert len({class_color(i, count) for i in range(count)}) == count


def test_wrong_points() -> None:
    for points in (torch.zeros(3, 3), torch.tensor([[0.5, float("nan")]])):
        with pytest.raises(DataError, match="cloud"):
            draw_cloud(points, None, ())
