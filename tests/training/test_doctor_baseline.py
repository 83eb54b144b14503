"""Outputs that are no better than what needs no model: the copied input, bicubic enlargement, mean colors."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cached_property
from types import SimpleNamespace
from typing import Any

import pytest
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from ganvas.core.capabilities import Translates
from ganvas.core.modality import Batch
from ganvas.data.dataset import Dataset
from ganvas.data.paired import PairedDataset
from ganvas.data.table import TableDataset
from ganvas.data.unpaired import UnpairedDataset
from ganvas.inference.inputs import Outputs, list_tasks, run_task
from ganvas.training.doctor import Diagnosis, summarize
from ganvas.training.doctor_baseline import FEWEST, find_worst, measure_gains

N = 2 * FEWEST
USUAL = 20_000


def smooth(seed: int, n: int = N) -> Tensor:
    """Grey images uint8 [n, 1, 16, 16]."""
    noise = torch.rand(n, 1, 20, 20, generator=torch.Generator().manual_seed(seed))
    blurred = F.avg_pool2d(noise, 5, 1)
    return ((blurred - blurred.min()) / (blurred.max() - blurred.min()) * 255).to(torch.uint8)


class Pair(nn.Module, Translates):
    """Gives what `make` makes of the source."""

    takes, directions = ("source",), ("source>real",)

    def __init__(self, make: Any, domains: tuple[str, ...] = ()) -> None:
        super().__init__()
        self.weight, self.make, self.config = nn.Parameter(torch.zeros(1)), make, SimpleNamespace(domains=domains)

    @property
    def noise_dim(self) -> int:
        return 0

    def translate(self, inputs: Batch, direction: str, z: Tensor | None = None) -> Tensor:
        result: Tensor = self.make(inputs[direction.partition(">")[0]])
        return result


class Cycle(Pair):
    takes, directions = ("a", "b"), ("a>b", "b>a")


@dataclass
class Case:
    """The part of `doctor_case.Case` that the check uses."""

    game: Pair
    source: Dataset
    train: Dataset
    short: bool = False
    items: int = 64
    indices: Tensor = field(default_factory=lambda: torch.arange(N))
    recipe: Any = field(default_factory=lambda: SimpleNamespace(data=SimpleNamespace(source="mine")))

    @property
    def run(self) -> Any:
        return SimpleNamespace(data=self.train)

    def read_setting(self, path: str, *, usual: bool = False) -> int | None:
        return USUAL if usual and path == "train.images" else None

    @cached_property
    def outputs(self) -> tuple[Outputs, ...]:
        return tuple(run_task(task, self.source, self.indices) for task in list_tasks(self.game))


def one_domain(seed: int) -> TableDataset:
    return TableDataset(str(seed), {"real": smooth(seed)})


def darker(seed: int, n: int = N) -> PairedDataset:
    """Pairs: a picture, and the same a third as bright."""
    return PairedDataset("pairs", {"real": smooth(seed, n) // 3, "source": smooth(seed, n)})


def judge(make: Any, **more: Any) -> Any:
    case: Any = Case(Pair(make, ("bright", "dark")), darker(1), darker(2), **more)
    return find_worst(case, measure_gains(case)), case


def test_outputs_that_gain_nothing_over_their_input() -> None:
    found, _ = judge(lambda x: (x + 0.3).clamp(max=1))  # brighter instead of darker
    assert found.name == "no better than copied input"
    assert found.evidence.startswith("bright > dark: fd200-random ")
    assert "copied input" in found.evidence
    assert "after 64 samples" in found.evidence or "after 64 images" in found.evidence
    short, _ = judge(lambda x: (x + 0.3).clamp(max=1), short=True)
    assert (short.name, short.advice) == ("trained too little", f"--images {USUAL}")


@pytest.mark.parametrize(
    "make",
    [
        lambda x: (x + 1) / 3 - 1,  # what was asked for
        lambda x: ((x + 1) / 3 - 1).roll(8, -1),  # the right kind of pictures, for other inputs
        lambda x: (x - 0.3).clamp(min=-1),  # a part of the way
    ],
)
def test_outputs_that_gain_something(make: Any) -> None:
    found, case = judge(make)
    assert found is None
    gains = measure_gains(case)
    assert len(gains) == 1
    text = summarize(Diagnosis([], (), gains[0].distance, tuple(gain.text() for gain in gains)))
    assert text.startswith("the doctor found no problem: bright > dark: fd200-random ")
    assert "(floor " in text
    assert "of 255 (copied input " in text


def test_domains_without_pairs_are_judged_as_sets() -> None:
    def domains(seed: int) -> UnpairedDataset:
        other = (smooth(seed + 9) // 3).flip(0)
        return UnpairedDataset(TableDataset("bright", {"real": smooth(seed)}), TableDataset("dark", {"real": other}))

    def case(make: Any) -> Any:
        return Case(Cycle(make), domains(1), domains(2))

    bad = case(lambda x: (x + 0.3).clamp(max=1))
    assert find_worst(bad, measure_gains(bad)).name == "no better than copied input"  # type: ignore[union-attr]
    good = case(lambda x: (x + 1) / 3 - 1)
    assert measure_gains(good)[0].better
    assert measure_gains(good)[0].errors is None


def test_few_pictures_are_no_reason_for_a_verdict() -> None:
    few = {"indices": torch.arange(40)}
    found, case = judge(lambda x: (x + 0.3).clamp(max=1), **few)
    assert found is None
    assert measure_gains(case)[0].distance is None
    assert "error" in measure_gains(case)[0].text()
    short, _ = judge(lambda x: (x + 0.3).clamp(max=1), short=True, **few)  # it had no time to learn anything
    assert short.name == "trained too little"
    learned, _ = judge(lambda x: (x + 1) / 3 - 1, short=True, **few)
    assert learned is None
    unpaired: Any = Case(
        Cycle(lambda x: x), UnpairedDataset(*map(one_domain, (1, 2))), UnpairedDataset(*map(one_domain, (3, 4)))
    )
    unpaired.indices = torch.arange(40)
    assert all(gain.unknown and gain.better for gain in measure_gains(unpaired))
    assert "a > b: the distance to real samples (fewer than 100 are held out)" in measure_gains(unpaired)[0].text()
