"""Measures of large sets work on a part at a time: no operation makes a tensor as large as a copy of a set."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
import torch
from torch import Tensor
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils._pytree import tree_leaves

from ganvas.metrics.frechet import frechet_distance
from ganvas.metrics.kernel_distance import feature_scale, kernel_distance
from ganvas.metrics.precision_recall import density_coverage, precision_recall
from ganvas.metrics.sharpness import sharpness
from ganvas.metrics.sliced_wasserstein import sliced_wasserstein
from ganvas.metrics.ssim import diversity

MB = 1e6


class Largest(TorchDispatchMode):
    """The bytes of the largest memory that an operation returns; a view has the memory of its base."""

    def __init__(self, *inputs: Tensor) -> None:
        super().__init__()
        self.known = {each.untyped_storage().data_ptr() for each in inputs}
        self.bytes = 0

    def __torch_dispatch__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        result = func(*args, **kwargs or {})
        for each in tree_leaves(result):
            if isinstance(each, Tensor) and each.untyped_storage().data_ptr() not in self.known:
                self.bytes = max(self.bytes, each.untyped_storage().nbytes())
        return result


def largest(measure: Callable[..., object], *inputs: Tensor) -> float:
    """In megabytes."""
    with Largest(*inputs) as memory:
        measure(*inputs)
    return memory.bytes / MB


def images(seed: int, n: int) -> Tensor:
    return torch.randint(0, 256, (n, 3, 64, 64), dtype=torch.uint8, generator=torch.Generator().manual_seed(seed))


def scaled_kernel(a: Tensor, b: Tensor) -> object:
    return kernel_distance(a, b, block=250, scale=feature_scale(a))


@pytest.mark.parametrize("measure", [precision_recall, density_coverage, scaled_kernel])
def test_features_are_converted_a_part_at_a_time(measure: Callable[..., object], monkeypatch: pytest.MonkeyPatch) -> None:
    """A set as float64 would take 10 MB; 500 rows take 5."""
    monkeypatch.setattr("ganvas.metrics.nearest_neighbours.TILE", 250)
    monkeypatch.setattr("ganvas.metrics.kernel_distance.ROWS", 250)
    a, b = (torch.randn(1_000, 1280, generator=torch.Generator().manual_seed(seed)) for seed in (0, 1))
    assert largest(measure, a, b) < 6


def test_the_pyramid_of_a_whole_set_is_never_built() -> None:
    """One set of floats would take 29 MB; the patches of a level take 6."""
    assert largest(lambda a, b: sliced_wasserstein(b, a, patches=16, directions=16), images(0, 600), images(1, 600)) < 12


@pytest.mark.parametrize("measure", [sharpness, lambda x: diversity(x, pairs=300)])
def test_images_are_converted_a_few_at_a_time(measure: Callable[..., object]) -> None:
    """300 images as float64 would take 29 MB; a part takes 4 or 8."""
    assert largest(measure, images(0, 300)) < 9


def test_float32_and_float64_features_give_the_same_distances() -> None:
    """The conversion is exact, so it does not matter when it happens."""
    a, b = (torch.randn(300, 8, generator=torch.Generator().manual_seed(seed)) + seed for seed in (0, 1))
    for measure in (frechet_distance, kernel_distance, precision_recall, density_coverage):
        assert measure(a, b) == measure(a.double(), b.double())
