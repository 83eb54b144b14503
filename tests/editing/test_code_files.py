"""Codes saved as pictures: a sheet, an archive and a folder show what the model draws at them."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import PIL.Image
import pytest
import torch
from support import miniature_model as model

from ganvas.editing.code_files import save_codes
from ganvas.errors import UsageError
from ganvas.inference.codes import Codes

SEEDS = [3, 8, 11]


def codes_of(name: str, where: str, names: tuple[str, ...] = ("a/../x", "b", "B")) -> Codes:
    """The codes of some seeds, as an inversion would have found them."""
    one = model(name)
    c = torch.tensor([2, 5, 2]) if one.classes else None
    codes = one.space("z" if where == "z" else "w").of_seeds(SEEDS, c)
    codes = codes[:, None].repeat(1, one.game.styles, 1) if where == "w+" else codes  # type: ignore[operator, call-overload]
    return Codes(where, codes, c, names)


@pytest.mark.parametrize(
    ("name", "where"),
    [("cgan-mnist", "z"), ("stylegan2-fashion", "z"), ("stylegan2-fashion", "w"), ("stylegan2-fashion-conditional", "w+")],
)
def test_codes_of_seeds_give_the_samples_of_these_seeds(name: str, where: str, tmp_path: Path) -> None:
    one, codes = model(name), codes_of(name, where)
    own = (
        np.concatenate([one.sample(1, seed=s, label=int(c)) for s, c in zip(SEEDS, (2, 5, 2), strict=True)])
        if (one.classes)
        else np.concatenate([one.sample(1, seed=s) for s in SEEDS])
    )
    assert np.array_equal(one.draw(codes), own)
    save_codes(one, tmp_path / "x.npz", codes)
    with np.load(tmp_path / "x.npz") as file:
        assert np.array_equal(file["images"], own)
        assert ("labels" in file) == bool(one.classes)
    save_codes(one, tmp_path / "folder", codes)
    files = sorted(path for path in (tmp_path / "folder").iterdir() if path.suffix == ".png")
    assert [path.name for path in files] == ["B-2.png", "a-..-x.png", "b.png"]
    assert all(path.parent == tmp_path / "folder" for path in files)
    with PIL.Image.open(tmp_path / "folder" / "b.png") as picture:
        assert np.array_equal(np.asarray(picture), own[1].squeeze())
        assert picture.info["seeds"] == "b"


def test_a_sheet_says_which_codes_it_shows(tmp_path: Path) -> None:
    one = model("cgan-mnist")
    save_codes(one, tmp_path / "x.png", codes_of("cgan-mnist", "z"), columns=3)
    with PIL.Image.open(tmp_path / "x.png") as picture:
        assert picture.size == (3 * 66 + 2, 66 + 2)
        assert picture.info["seeds"] == "a/../x,b,B"
    unnamed = codes_of("cgan-mnist", "z", ())
    save_codes(one, tmp_path / "y.png", unnamed)
    with PIL.Image.open(tmp_path / "y.png") as picture:
        assert picture.info["seeds"] == "0,1,2"


def test_psi_zero_is_the_mean_for_all_codes() -> None:
    one = model("stylegan2-fashion")
    for where in ("z", "w", "w+"):
        pictures = one.draw(codes_of("stylegan2-fashion", where), psi=0.0)
        assert np.array_equal(pictures[0], pictures[1])


def test_another_class_for_codes_of_z_and_none_for_styles() -> None:
    one = model("cgan-mnist")
    assert np.array_equal(one.draw(codes_of("cgan-mnist", "z"), label=7)[0], one.sample(1, seed=SEEDS[0], label=7)[0])
    with pytest.raises(UsageError, match="contain the class"):
        model("stylegan2-fashion-conditional").draw(codes_of("stylegan2-fashion-conditional", "w"), label=1)


def test_other_files_are_refused_before_the_pictures_are_drawn(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=r"ending in \.png"):
        save_codes(model("cgan-mnist"), tmp_path / "x.gif", codes_of("cgan-mnist", "z"))
    (tmp_path / "full").mkdir()
    (tmp_path / "full" / "a").touch()
    with pytest.raises(UsageError, match="new or an empty folder"):
        save_codes(model("cgan-mnist"), tmp_path / "full", codes_of("cgan-mnist", "z"))


def test_one_code_alone_is_the_picture_of_the_model(tmp_path: Path) -> None:
    one, codes = model("cgan-mnist"), codes_of("cgan-mnist", "z").choose("b")
    with PIL.Image.open(save_codes(one, tmp_path / "x.png", codes)) as picture:
        assert np.array_equal(np.asarray(picture), one.draw(codes)[0].squeeze())
        assert picture.info["seeds"] == "b"
