"""Strips: the same latents at every resolution, at every psi, with each other's styles."""

from __future__ import annotations

import math
from pathlib import Path

import PIL.Image
import pytest
import torch
from support import miniature_model as model

from ganvas.editing.strips import PSIS, by_mixing, by_resolution, by_truncation, strip
from ganvas.errors import UsageError
from ganvas.inference.codes import Codes
from ganvas.media.grid import LINE


def test_resolutions_stand_side_by_side() -> None:
    grown = model("progan-mnist")
    grown.game.G.level.fill_(3.0)  # type: ignore[union-attr, operator]
    images, columns = by_resolution(grown, [1, 2], None)
    assert (len(images), columns) == (8, 4)
    torch.testing.assert_close(images[3], torch.cat([part for part, _ in grown.stream(1, seed=1)])[0])
    with pytest.raises(UsageError, match="has one resolution only"):
        by_resolution(model("stylegan-fashion"), [1], None)


def test_truncation_ends_in_one_picture_for_all() -> None:
    images, columns = by_truncation(model("stylegan-fashion"), [1, 2, 3], None)
    assert columns == len(PSIS)
    middle = images[PSIS.index(0.0) :: columns]
    torch.testing.assert_close(middle, middle[:1].expand(3, -1, -1, -1))
    with pytest.raises(UsageError, match=r"this model has no styles w; choose a model of a stylegan game$"):
        by_truncation(model("progan-mnist"), [1], None)


def test_mixing_shows_its_sources_along_the_edges() -> None:
    one = model("stylegan2-fashion-conditional")
    images, columns = by_mixing(one, [1, 2, 3, 4], torch.tensor([5, 5, 5, 5]))
    assert (len(images), columns) == (9, 3)
    alone = torch.cat([part for part, _ in one.stream(4, seed=1, label=5)])
    torch.testing.assert_close(images[[3, 6, 1, 2]], alone)
    all_coarse, _ = by_mixing(one, [1, 2, 3, 4], torch.tensor([5, 5, 5, 5]), cut=one.game.styles)  # type: ignore[arg-type]
    torch.testing.assert_close(all_coarse[4:6], alone[:1].expand(2, -1, -1, -1))
    with pytest.raises(UsageError, match="two seeds or more"):
        by_mixing(one, [1], None)


def test_codes_take_the_place_of_seeds() -> None:
    one, seeds = model("stylegan2-fashion-conditional"), [1, 2, 3, 4]
    c = torch.tensor([5, 5, 5, 5])
    z = Codes("z", one.space("z").of_seeds(seeds, c), c)
    w = Codes("w", one.space("w").of_seeds(seeds, c), c)
    wide = Codes("w+", w.codes[:, None].repeat(1, one.game.styles, 1), c)  # type: ignore[operator, call-overload]
    for codes in (z, w, wide):
        for way in (by_truncation, by_mixing):
            torch.testing.assert_close(way(one, codes, c)[0], way(one, seeds, c)[0])  # type: ignore[operator]
    torch.testing.assert_close(by_resolution(one, z, c)[0], by_resolution(one, seeds, c)[0])
    with pytest.raises(UsageError, match="last resolution"):
        by_resolution(one, w, c)


def test_a_strip_is_a_picture_that_says_where_it_is_from(tmp_path: Path) -> None:
    out = strip(model("stylegan2-fashion"), tmp_path / "strip.png", "truncation", [4, 5])
    with PIL.Image.open(out) as picture:
        assert picture.info["seeds"] == "4,5"
        assert picture.size == (6 * 66 + 2, 2 * 66 + 2 + LINE + 4)
    with pytest.raises(UsageError, match="did you mean 'mixing'"):
        strip(model("stylegan2-fashion"), out, "mixin", [4])
    with pytest.raises(UsageError, match=r"ending in .png"):
        strip(model("stylegan2-fashion"), tmp_path / "strip.gif", "mixing", [4, 5])


def test_psi_is_for_styles_only(tmp_path: Path) -> None:
    styled = model("stylegan-fashion")
    assert (styled.sample(2, psi=0.0)[0] == styled.sample(2, psi=0.0)[1]).all()
    with pytest.raises(UsageError, match="leave --psi out"):
        model("progan-mnist").save(tmp_path / "a.png", 2, psi=0.5)
    for psi in (math.nan, math.inf, 1e30):
        with pytest.raises(UsageError, match="psi: expected from -100 to 100, got"):
            styled.save(tmp_path / "a.png", 2, psi=psi)
