"""Images made from label maps: classes found again beside those of real pictures, and pictures that differ by noise."""

from __future__ import annotations

from typing import Any

import pytest
import torch
from torch import Tensor, nn

from ganvas.core.capabilities import Translates
from ganvas.core.modality import Batch
from ganvas.data.paired import PairedDataset
from ganvas.errors import UsageError
from ganvas.evaluation.baselines import make_baseline
from ganvas.evaluation.map_measures import mean_overlap, measure_maps, share_found, takes_maps
from ganvas.inference.inputs import Outputs, list_tasks, run_task

COLORS = torch.tensor([[20, 40, 90], [220, 190, 140], [40, 90, 40]])
ROWS = torch.arange(30)


class Painter(nn.Module, Translates):
    """Paints each class in its color, moved by the first number of z."""

    takes, directions, config = ("map",), ("map>real",), None

    def __init__(self, dim: int = 2, order: tuple[int, ...] = (0, 1, 2)) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.zeros(1))
        self.dim, self.order = dim, torch.tensor(order)

    @property
    def noise_dim(self) -> int:
        return self.dim

    def translate(self, inputs: Batch, direction: str, z: Tensor | None = None) -> Tensor:
        painted = (COLORS[self.order][inputs["map"].clamp(max=2)].movedim(-1, 1) / 127.5 - 1).float()
        return painted if z is None else painted + 0.1 * z[:, :1, None, None]


def maps_and_pictures(n: int = 60) -> PairedDataset:
    random = torch.Generator().manual_seed(0)
    order = torch.stack([torch.randperm(3, generator=random) for _ in range(n)])
    maps = order.repeat_interleave(4, 1)[:, None].expand(n, 12, 12).contiguous()
    pictures = COLORS[maps].movedim(-1, 1) + 25 * torch.randn(n, 3, 12, 12, generator=random)
    maps[:, 0] = 255
    return PairedDataset("maps", {"real": pictures.clamp(0, 255).to(torch.uint8), "map": maps.to(torch.uint8)})


def measured(game: Any) -> tuple[Any, Outputs]:
    data = maps_and_pictures()
    (task,) = list_tasks(game)
    outputs = run_task(task, data, ROWS)
    assert takes_maps(outputs)
    return measure_maps(outputs, data, ROWS, data, make_baseline(outputs, data)), outputs


def test_classes_in_their_colors_are_found_as_often_as_in_real_pictures() -> None:
    found, _ = measured(Painter())
    assert set(found) == {"found", "miou", "variety"}
    for name in ("found", "miou"):
        assert 0.8 < found[name].floor < 1  # the blur mixes the colors at borders
        assert found[name].value == pytest.approx(found[name].floor, abs=0.12)
        assert found[name].baseline > 0.8
        assert found[name].samples == 30
    wrong, _ = measured(Painter(order=(1, 2, 0)))
    assert wrong["found"].value < 0.3
    assert wrong["miou"].value < 0.2
    assert wrong["found"].floor == found["found"].floor


def test_variety_is_what_noise_changes() -> None:
    """Two z differ by sqrt(2) standard deviations: their mean absolute difference is 0.1 x 2 / sqrt(pi) of a range of 2."""
    found, _ = measured(Painter())
    assert found["variety"].value == pytest.approx(0.05 * 2 / 3.14159**0.5, rel=0.5)
    assert "variety" not in measured(Painter(0))[0]


def test_unknown_pixels_do_not_count() -> None:
    maps = torch.tensor([[[0, 255], [1, 255]], [[255, 255], [255, 255]]], dtype=torch.uint8)
    found = torch.tensor([[[0, 1], [0, 1]], [[0, 0], [0, 0]]], dtype=torch.uint8)
    assert share_found(found, maps).tolist() == [0.5]
    assert mean_overlap(found, maps) == pytest.approx((1 / 2 + 0) / 2)


def test_data_without_maps_is_refused() -> None:
    data = maps_and_pictures()
    (task,) = list_tasks(Painter())
    other = PairedDataset("pairs", {"real": data.fields["real"], "source": data.fields["real"]})
    with pytest.raises(UsageError, match="has no map and real"):
        measure_maps(run_task(task, data, ROWS), data, ROWS, other, None)
