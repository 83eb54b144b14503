"""Filling by inversion: samples come back from the pixels outside their holes, whose bits are kept."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from support import miniature_model

from ganvas.editing.hole_inversion import fill_by_inversion
from ganvas.editing.inversion import invert
from ganvas.errors import UsageError
from ganvas.inference.model import Model


@pytest.fixture(scope="module")
def model() -> Model:
    return miniature_model("cgan-mnist")


def hole_in(side: int) -> np.ndarray:
    hole = np.zeros((side, side), bool)
    hole[side // 4 : side // 2, side // 4 : side // 2] = True
    return hole


def test_a_sample_comes_back_from_what_is_outside_its_hole(model: Model) -> None:
    whole = model.sample(1, seed=10_000, label=3)[0]
    side = whole.shape[0]
    hole = hole_in(side)
    given = whole.copy()
    given[hole] = 255 - given[hole]
    found = fill_by_inversion(model, given, hole, label=3)
    assert np.array_equal(found.picture[~hole], whole[~hole])
    assert (found.picture[hole] != given[hole]).any()
    off, wrong = (np.abs(x[hole].astype(int) - whole[hole]).mean() for x in (found.picture, given))
    assert off < 0.2 * wrong
    assert found.notes == ()


def test_only_known_pixels_count(model: Model) -> None:
    target = torch.cat([part for part, _ in model.stream(1, 77)])
    known = torch.from_numpy(~hole_in(target.shape[-1]))
    other = torch.where(known, target, -target)
    one, two = (invert(model, x, weights=known.float(), restarts=2, steps=3) for x in (target, other))
    assert torch.equal(one.codes, two.codes)
    assert torch.equal(one.errors, two.errors)
    assert not torch.equal(invert(model, other, restarts=2, steps=3).codes, one.codes)
    everything = invert(model, target, weights=torch.ones(known.shape), restarts=2, steps=3)
    assert torch.equal(everything.codes, invert(model, target, restarts=2, steps=3).codes)


@pytest.mark.parametrize("channels", [1, 2, 3, 4])
@pytest.mark.parametrize("kind", [np.uint8, np.uint16])
def test_pictures_of_other_kinds_and_sizes(model: Model, channels: int, kind: type) -> None:
    given = np.random.default_rng(0).integers(0, np.iinfo(kind).max + 1, (50, 71, channels)).astype(kind)
    hole = np.zeros((50, 71), bool)
    hole[10:20, 30:45] = True
    found = fill_by_inversion(model, given, hole, restarts=1, steps=1)
    assert (found.picture.shape, found.picture.dtype) == (given.shape, given.dtype)
    assert np.array_equal(found.picture[~hole], given[~hole])
    assert not np.array_equal(found.picture, given)
    assert found.notes == (f"50 x 50 pixels were searched at {model.shape[1]} x {model.shape[1]}",)


def test_what_cannot_be_filled_is_told(model: Model) -> None:
    given, hole = np.zeros((50, 71, 1), np.uint8), np.zeros((50, 71), bool)
    hole[10:20, :5] = True
    with pytest.raises(UsageError, match="the hole reaches beyond the square in the middle"):
        fill_by_inversion(model, given, hole)
    with pytest.raises(UsageError, match="expected white"):
        fill_by_inversion(model, given, np.zeros((50, 71), bool))
    with pytest.raises(UsageError, match="makes its output from inputs"):
        fill_by_inversion(miniature_model("sr-photos"), given, hole)
