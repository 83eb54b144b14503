"""A nominal 95 % interval holds the truth 93 to 97 times in 100: Gaussians of known truth, measured as `ganvas eval` does.

`bench/intervals.py` prints the table of the docs from the same simulation.
"""

from __future__ import annotations

import importlib.util
import sys
from pathlib import Path
from types import ModuleType

import pytest
import torch

from ganvas.metrics.kernel_distance import polynomial_mmd
from ganvas.metrics.precision_recall import support_measures

SHARES = ("precision", "recall", "coverage")


@pytest.fixture(scope="module")
def bench() -> ModuleType:
    """The script, imported: bench/ is no package."""
    spec = importlib.util.spec_from_file_location("intervals", Path(__file__).parents[2] / "bench" / "intervals.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules["intervals"] = module
    spec.loader.exec_module(module)
    return module


def normal(seed: int, *shape: int) -> torch.Tensor:
    return torch.randn(*shape, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)


def test_the_known_kernel_distance_is_right(bench: ModuleType) -> None:
    """3,000 unbiased distances have it as their mean."""
    a, b = 0.3 + 1.4 * normal(0, 3000, 8, 4), normal(1, 3000, 6, 4)
    draws = torch.tensor([polynomial_mmd(x, y) for x, y in zip(a, b, strict=True)])
    assert abs(draws.mean().item() - bench.kernel_truth(0.3, 1.4, 1, 4)) < 4 * draws.std().item() / 3000**0.5


def test_trees_give_the_same_numbers(bench: ModuleType) -> None:
    a, b = normal(0, 200, 4), 0.5 + normal(1, 150, 4)
    assert bench.support_by_trees(a, b) == support_measures(a, b)


@pytest.mark.parametrize("law", ["equal", "near"])
@pytest.mark.parametrize(
    ("names", "n", "d", "repetitions"), [(("kd",), 500, 4, 400), (("fd",), 500, 16, 100), (SHARES, 120, 4, 200)]
)
def test_intervals_cover_the_truth(
    bench: ModuleType, names: tuple[str, ...], n: int, d: int, repetitions: int, law: str
) -> None:
    """With so few repetitions the bounds are wider by two standard errors; too narrow intervals covered 72 to 90 %."""
    for name, row in bench.simulate(names, law, d, n, repetitions, trees=False).items():
        covered = float(row[-1].partition("%")[0])
        error = 100 * (0.05 * 0.95 / repetitions) ** 0.5
        assert 93 - 2 * error < covered < 97 + 2 * error, (name, row)


@pytest.mark.slow
@pytest.mark.parametrize("law", ["equal", "near"])
@pytest.mark.parametrize("n", [500, 2_000, 10_000])
@pytest.mark.parametrize("names", [("fd", "kd"), SHARES])
def test_intervals_cover_the_truth_at_every_size(bench: ModuleType, names: tuple[str, ...], n: int, law: str) -> None:
    for name, row in bench.simulate(names, law, bench.FEATURES[names[0]], n, 400, trees=True).items():
        assert 93 - 2.2 < float(row[-1].partition("%")[0]) < 97 + 2.2, (name, row)
