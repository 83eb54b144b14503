"""Games with inputs on the user's own folders, from the files to the measures."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import miniatures
import numpy as np
import pytest
from PIL import Image

from ganvas.config import DataConfig
from ganvas.errors import DataError
from ganvas.evaluation.output_measures import measure_outputs
from ganvas.games import GAMES
from ganvas.games.recipes import open_data
from ganvas.inference.model import load
from ganvas.runtime.distributed import Ranks
from ganvas.training.run_data import find_unseen
from ganvas.training.run_folder import open_run
from ganvas.training.start import start_run
from ganvas.training.trainer import fit


def write(root: Path, count: int, first: int = 0) -> Path:
    """Grey pictures in A/, and their negatives in B/."""
    for i in range(first, first + count):
        pixels = np.random.default_rng(i).integers(0, 256, (4, 4), np.uint8).repeat(4, 0).repeat(4, 1)
        for side, values in (("A", pixels), ("B", 255 - pixels)):
            (root / side).mkdir(parents=True, exist_ok=True)
            Image.fromarray(values).save(root / side / f"{i}.png")
    return root


def test_a_sheet_shows_the_test_pairs_if_too_few_are_held_out(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    name = "miniature-pair"
    monkeypatch.setitem(GAMES, name, miniatures.GAMES[name])  # type: ignore[arg-type]
    for root, count, first in (
        (tmp_path / "tested/train", 20, 0),
        (tmp_path / "tested/test", 6, 100),
        (tmp_path / "alone", 20, 0),
    ):
        write(root, count, first)
    recipe = replace(miniatures.RECIPES[name], data=DataConfig(source=str(tmp_path / "tested")))
    unseen = find_unseen(recipe, None)
    assert unseen is not None
    assert len(unseen) == 6
    enough = open_data(recipe)
    assert find_unseen(recipe, enough) is enough
    alone = replace(recipe, data=DataConfig(source=str(tmp_path / "alone")))
    assert find_unseen(alone, None) is None


@pytest.mark.parametrize(("name", "measure"), [("miniature-pair", "mae"), ("miniature-cycle", "swd")])
def test_own_data_is_trained_and_measured(name: str, measure: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(GAMES, name, miniatures.GAMES[name])  # type: ignore[arg-type]
    source = tmp_path / "pairs"
    write(source / "train", 60)
    write(source / "test", 24, 100)
    recipe = miniatures.RECIPES[name]
    train = replace(recipe.train, images=16, snapshots=2)
    run = start_run(replace(recipe, data=DataConfig(source=str(source), held_out=0.4), train=train), out=tmp_path / "run")
    assert run.held_out is not None
    list(fit(run))
    model = load(run.folder)
    found, words, *_ = measure_outputs(model, str(source), chosen=[measure], samples=24)
    assert all(np.isfinite(value.value) for value in found.values())
    assert words.startswith("24 rows")
    write(source / "train", 1, 500)
    with pytest.raises(DataError, match="61 images, it had 60"):
        open_run(run.folder).check_data(Ranks())
