"""The doctor on translations: inverted colors, an input hidden from the eye, noise that does nothing, pairs that do not fit."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cached_property
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
from ganvas.training.doctor_translation import check_hidden_input, check_inversion, check_noise, check_pairs

N = 40


def smooth(seed: int) -> Tensor:
    """Images uint8 [N, 3, 16, 16]."""
    noise = torch.rand(N, 3, 20, 20, generator=torch.Generator().manual_seed(seed))
    blurred = F.avg_pool2d(noise, 5, 1)
    return ((blurred - blurred.min()) / (blurred.max() - blurred.min()) * 255).to(torch.uint8)


def pairs(truth: Tensor) -> PairedDataset:
    return PairedDataset("pairs", {"real": truth, "source": smooth(0)})


def domains() -> UnpairedDataset:
    return UnpairedDataset(*(TableDataset(name, {"real": smooth(k)}) for k, name in enumerate("ab")))


class Pair(nn.Module, Translates):
    """Gives what `make` makes of the source and z."""

    takes, directions = ("source",), ("source>real",)

    def __init__(self, make: Any, dim: int = 0) -> None:
        super().__init__()
        self.weight, self.make, self.dim = nn.Parameter(torch.zeros(1)), make, dim

    @property
    def noise_dim(self) -> int:
        return self.dim

    def translate(self, inputs: Batch, direction: str, z: Tensor | None = None) -> Tensor:
        result: Tensor = self.make(inputs[direction[: direction.index(">")]], z)
        return result


class Cycle(Pair):
    """`make` in one direction, `unmake` in the other."""

    takes, directions = ("a", "b"), ("a>b", "b>a")

    def __init__(self, make: Any, unmake: Any) -> None:
        super().__init__(make)
        self.unmake = unmake

    def translate(self, inputs: Batch, direction: str, z: Tensor | None = None) -> Tensor:
        result: Tensor = self.make(inputs["a"], z) if direction == "a>b" else self.unmake(inputs["b"], z)
        return result


@dataclass
class Case:
    """The part of `doctor_case.Case` that the checks use."""

    game: Pair
    source: Dataset
    settings: dict[str, float] = field(default_factory=dict)
    short: bool = False
    indices: Tensor = field(default_factory=lambda: torch.arange(N))

    def read_setting(self, path: str) -> Any:
        return self.settings.get(path)

    @cached_property
    def outputs(self) -> tuple[Outputs, ...]:
        return tuple(run_task(task, self.source, self.indices) for task in list_tasks(self.game))


def same(x: Tensor, z: Tensor | None = None) -> Tensor:
    return x


def negative(x: Tensor, z: Tensor | None = None) -> Tensor:
    return -x


def check(what: Any, case: Case) -> Any:
    return what(case)


def test_inverted_colors_of_domains_without_pairs() -> None:
    found = check(check_inversion, Case(Cycle(negative, negative), domains(), {"config.identity": 0.0}))
    assert found.name == "colors are inverted"
    assert "a > b" in found.evidence
    assert "correlation -1.00" in found.evidence
    assert found.advice == "--set config.identity=2"
    assert check(check_inversion, Case(Cycle(same, same), domains(), {"config.identity": 5.0})) is None
    stronger = check(check_inversion, Case(Cycle(negative, negative), domains(), {"config.identity": 8.0}))
    assert stronger.advice == "--set config.identity=16"
    # Without a setting that holds colors, negatives may be what is asked for.
    assert check(check_inversion, Case(Cycle(negative, negative), domains())) is None


def test_inverted_colors_of_pairs_are_compared_with_the_truth() -> None:
    found = check(check_inversion, Case(Pair(negative), pairs(smooth(0))))
    assert "of the true images 1.00" in found.evidence
    assert found.advice == "--images with a larger number"
    assert check(check_inversion, Case(Pair(negative), pairs(255 - smooth(0)))) is None  # as it should be


def hide(x: Tensor, z: Tensor | None = None) -> Tensor:
    """A grey picture with the input in the last levels."""
    return x * 0.01


def reveal(x: Tensor, z: Tensor | None = None) -> Tensor:
    return x * 100


def test_a_way_back_that_reads_what_no_eye_sees() -> None:
    settings = {"config.cycle": 10.0}
    found = check(check_hidden_input, Case(Cycle(hide, reveal), domains(), settings))
    assert found.name == "the cycle hides its input"
    assert "noise of 2 levels" in found.evidence
    assert found.advice == "--set config.cycle=5"
    assert check(check_hidden_input, Case(Cycle(negative, negative), domains(), settings)) is None
    assert check(check_hidden_input, Case(Cycle(hide, reveal), domains(), {"config.cycle": 0.0})) is None
    assert check(check_hidden_input, Case(Pair(same), pairs(smooth(1)), settings)) is None


def moved(x: Tensor, z: Tensor | None) -> Tensor:
    assert z is not None
    return x + 0.1 * z[:, :1, None, None]


@pytest.mark.parametrize(
    ("settings", "advice"), [({"config.variety": 1.0}, "--set config.variety=2"), ({}, "--images with a larger number")]
)
def test_noise_that_changes_nothing(settings: dict[str, float], advice: str) -> None:
    found = check(check_noise, Case(Pair(same, 4), pairs(smooth(1)), settings))
    assert found.name == "generator ignores its noise"
    assert "differ by 0 of 255" in found.evidence
    assert found.advice == advice
    assert check(check_noise, Case(Pair(moved, 4), pairs(smooth(1)), settings)) is None
    assert check(check_noise, Case(Pair(same), pairs(smooth(1)), settings)) is None  # it takes none


def test_pairs_that_do_not_belong_together() -> None:
    shuffled = smooth(0).roll(1, 0)
    found = check(check_pairs, Case(Pair(negative), pairs(shuffled)))
    assert found.name == "pairs do not fit"
    assert found.advice == "--data with pairs that belong together"
    assert check(check_pairs, Case(Pair(negative), pairs(shuffled), short=True)) is None
    assert check(check_pairs, Case(Pair(negative), pairs(255 - smooth(0)))) is None
    assert check(check_pairs, Case(Cycle(negative, negative), domains())) is None  # nobody knows the truth
