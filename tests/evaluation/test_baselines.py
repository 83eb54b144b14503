"""Trivial baselines: which one fits, and what its outputs are."""

from __future__ import annotations

import miniatures
import pytest
import torch
from miniatures import fresh_game, table
from torch import Tensor

from ganvas.core.modality import Batch
from ganvas.data.paired import PairedDataset
from ganvas.evaluation.baselines import fill_by_mean, make_baseline
from ganvas.inference.inputs import Outputs, Task, list_tasks, run_task
from ganvas.metrics.resize import enlarge


@pytest.fixture(autouse=True)
def _games(monkeypatch: pytest.MonkeyPatch) -> None:
    miniatures.install(monkeypatch)


def outputs_of(name: str) -> Outputs:
    (task, *_) = list_tasks(fresh_game(name))
    return run_task(task, table(name), torch.arange(6))


def made_outputs(inputs: dict[str, Tensor], output: Tensor) -> Outputs:
    def nothing(batch: Batch, z: Tensor | None = None) -> Batch:
        return batch

    field = next(iter(inputs))
    task = Task(f"{field}>real", fresh_game("miniature-pair"), "real", (field,), nothing, (field,), nothing)
    return Outputs(task, inputs, output, None, None)


@pytest.mark.parametrize("name", ["miniature-pair", "miniature-cycle", "miniature-puppet"])
def test_an_input_of_the_size_of_the_output_is_copied(name: str) -> None:
    outputs = outputs_of(name)
    found = make_baseline(outputs, table(name))
    assert found is not None
    assert found.name == "copied input"
    assert found.output.shape == outputs.output.shape
    shown = next(iter(outputs.inputs.values()))
    assert torch.equal(found.output, shown if found.output.ndim == 4 else shown[:, None].expand_as(found.output))


def test_larger_images_are_compared_with_the_bicubic_ones() -> None:
    outputs = outputs_of("miniature-larger")
    found = make_baseline(outputs, table("miniature-larger"))
    assert found is not None
    assert found.name == "bicubic"
    assert torch.equal(found.output, enlarge(outputs.inputs["low"], 2))


def test_a_grey_input_is_copied_into_every_channel() -> None:
    grey = torch.randint(0, 256, (4, 1, 8, 8), generator=torch.Generator().manual_seed(0), dtype=torch.uint8)
    found = make_baseline(made_outputs({"source": grey}, torch.zeros(4, 3, 8, 8, dtype=torch.uint8)), table("miniature-pair"))
    assert found is not None
    assert torch.equal(found.output, grey.expand(-1, 3, -1, -1))


def test_maps_are_painted_in_the_mean_color_of_each_class() -> None:
    maps = torch.tensor([0, 1, 2]).repeat(20, 8, 1).to(torch.uint8)[:, :, :3]
    colors = torch.tensor([[10, 20, 30], [200, 100, 0], [90, 90, 90]], dtype=torch.uint8)
    train = PairedDataset("maps", {"real": colors[maps.long()].movedim(-1, 1).contiguous(), "map": maps})
    asked = maps[:2].clone()
    asked[0, 0, 0] = 255  # not known: the mean of all
    found = make_baseline(made_outputs({"map": asked}, torch.zeros(2, 3, 8, 3, dtype=torch.uint8)), train)
    assert found is not None
    assert found.name == "mean colors"
    assert found.output[1, :, 0].T.tolist() == colors.tolist()
    assert found.output[0, :, 0, 0].tolist() == [100, 70, 40]


def test_others_are_compared_with_the_mean_of_the_target() -> None:
    data = table("miniature-pair")
    small = torch.zeros(3, 1, 4, 4, dtype=torch.uint8)
    found = make_baseline(made_outputs({"source": small}, data.rows(torch.arange(3))["real"]), data)
    assert found is not None
    assert found.name == "mean target"
    mean = data.rows(torch.arange(len(data)))["real"].double().mean(0)
    assert (found.output.double() - mean).abs().max() <= 0.5
    assert make_baseline(made_outputs({"source": small}, torch.zeros(3, 1, 9, 9, dtype=torch.uint8)), data) is None


def test_holes_are_filled_by_diffusion_or_with_the_mean_color() -> None:
    outputs = outputs_of("miniature-filler")
    found, mean = make_baseline(outputs, table("miniature-filler")), fill_by_mean(outputs)
    assert found is not None
    assert (found.name, mean.name) == ("diffusion fill", "mean color")
    assert outputs.hole is not None
    assert outputs.truth is not None
    hole = outputs.hole > 0
    for each in (found, mean):
        assert each.output.dtype == torch.uint8
        assert torch.equal(each.output[~hole], outputs.truth[~hole])
    for k in range(len(hole)):
        outside, inside = outputs.truth[k][~hole[k]].double(), mean.output[k][hole[k]].double()
        assert (inside - outside.mean()).abs().max() <= 0.5
    near, far = ((each.output.int() - outputs.truth)[hole].abs().double().mean() for each in (found, mean))
    assert near < far, "pictures are smooth"
