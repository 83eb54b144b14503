"""A model in hand: what it draws of points and of pictures."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from support import PLAN, miniature

from ganvas.data.source import Source
from ganvas.fit import fit
from ganvas.model import Model, load
from ganvas.run import Run


def trained(folder: Path, dims: int) -> Model:
    """A short run on points [N, dims]."""
    recipe, _ = miniature("gan-ring")
    train = replace(recipe.train, images=16)
    run = Run(folder / "run", replace(recipe, config=replace(recipe.config, shape=(dims,)), train=train), PLAN)
    run.write()
    run.data = Source("points", {"real": torch.randn(48, dims)}, fingerprint="0" * 16)
    list(fit(run))
    assert (run.folder / "sheet.png").exists()
    return load(run.folder)


@pytest.mark.parametrize("dims", [1, 2, 3])
def test_points_are_drawn_and_archived(dims: int, tmp_path: Path) -> None:
    model = trained(tmp_path, dims)
    assert model.save(tmp_path / "points.png", 20).exists()
    with np.load(model.save(tmp_path / "points.npz", 20)) as arrays:
        assert arrays["points"].shape == (20, dims)
