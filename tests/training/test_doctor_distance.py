"""The distance of the doctor: at its floor for other reals, near 1 for a trivial model, and larger for worse samples."""

from __future__ import annotations

from collections.abc import Callable

import pytest
import torch
from made_runs import digits, points
from torch import Tensor

from ganvas.config import DataConfig
from ganvas.data.open import open_source
from ganvas.evaluation.sample_sets import read_rows
from ganvas.media.image_files import to_bytes
from ganvas.training.doctor_distance import Distance, find_astray, measure

SOURCES = ("mnist", "moons", "names", "somewhere/pictures.zip", "somewhere/grey.zip")


def reals(source: str, start: int, n: int = 300) -> Tensor:
    """Some samples of a source as kept; of color pictures tinted digits, of grey ones without a network digits."""
    if source.endswith("grey.zip"):
        return to_bytes(digits(n, start))
    if source.endswith(".zip"):
        tint = torch.tensor([1.0, 0.5, 0.2])[:, None, None]
        return to_bytes(tint * (digits(n, start) + 1) - 1)
    data = open_source(DataConfig(source=source))  # names are in alphabetical order
    return read_rows(data, torch.randperm(len(data), generator=torch.Generator().manual_seed(0))[start : start + n])


def far_from(source: str, fakes: Tensor) -> Distance:
    """The distance of fakes to 300 reals of a source."""
    alphabet = open_source(DataConfig(source=source)).alphabet if source == "names" else ""
    return measure(fakes, reals(source, 0), [reals(source, 300), reals(source, 600)], source, alphabet)


@pytest.mark.parametrize("source", SOURCES)
def test_other_reals_are_at_the_floor(source: str) -> None:
    found = far_from(source, reals(source, 900))
    assert found.share < 0.03
    assert found.value > 0
    assert found.trivial > 3 * found.floor


@pytest.mark.parametrize("source", ["mnist", "moons", "somewhere/pictures.zip"])
def test_one_sample_is_at_least_as_far_as_the_mean(source: str) -> None:
    assert far_from(source, reals(source, 900, 1).expand(300, *reals(source, 900, 1).shape[1:])).share > 0.9


def test_letters_in_random_order_are_trivial() -> None:
    lines = reals("names", 900).clone()
    inside = lines != 0
    lines[inside] = lines[inside][torch.randperm(int(inside.sum()), generator=torch.Generator().manual_seed(1))]
    assert far_from("names", lines).share == pytest.approx(1, abs=0.2)


def test_lines_of_numbers_are_compared_with_one_line() -> None:
    random = torch.Generator().manual_seed(0)
    reals, other, fakes = (torch.randint(1, 50, (300, 20), generator=random) ** 2 % 97 for _ in range(3))
    found = measure(fakes, reals, [other], "oracle")
    assert found.name == "unigrams300"
    assert found.share < 0.05
    assert found.trivial > 10 * found.floor


@pytest.mark.parametrize(
    ("source", "worse"),
    [
        ("mnist", lambda x, size: (x.float() * (1 - size)).to(torch.uint8)),
        pytest.param(
            "somewhere/pictures.zip", lambda x, size: (x.float() * (1 - size)).to(torch.uint8), marks=pytest.mark.slow
        ),
        ("moons", lambda x, size: x + size),
    ],
)
def test_worse_samples_are_farther(source: str, worse: Callable[[Tensor, float], Tensor]) -> None:
    shares = [far_from(source, worse(reals(source, 900), size)).share for size in (0.0, 0.3, 0.6)]
    assert shares == sorted(shares)
    assert shares[2] > 0.1


def test_its_name_has_the_number_of_samples_and_the_features() -> None:
    assert [far_from(source, reals(source, 900)).name for source in SOURCES] == [
        "fd300-digits",
        "swd300-points",
        "bigrams300",
        "fd300-pictures",
        "fd300-random",
    ]
    assert "floor" in far_from("moons", reals("moons", 900)).text()


def test_points_between_the_arms_are_astray() -> None:
    known, others = reals("spiral", 0, 3000), reals("spiral", 3000, 500)
    assert find_astray(points("spiral"), others, known) < 0.03
    assert find_astray(1.12 * points("spiral"), others, known) > 0.5
