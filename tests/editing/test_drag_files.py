"""What a drag writes, and the masks it reads."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image
from support import miniature_model

from ganvas.editing.drag import drag
from ganvas.editing.drag_files import drag_file, read_mask
from ganvas.errors import DataError, UsageError
from ganvas.media.image_files import to_bytes

WAY: Any = ([(10, 12)], [(16, 12)])


@pytest.fixture(scope="module")
def model() -> Any:
    return miniature_model("stylegan2-fashion")


def test_a_picture_is_the_last_one_at_its_own_size(model: Any, tmp_path: Path) -> None:
    written = drag_file(model, 5, *WAY, tmp_path / "x.png", steps=4)
    found = drag(model, 5, *WAY, steps=4)
    with Image.open(tmp_path / "x.png") as picture:
        assert np.array_equal(np.asarray(picture), to_bytes(found.film[-1:])[0, 0].numpy())
        assert picture.info["synthetic"] == "true"
        assert picture.info["seeds"] == "5"
        assert picture.info["dragged"] == "10,12 to 16,12"
    assert torch.equal(written.drag.codes, found.codes)
    told = json.loads(json.dumps(written.to_dict()))
    assert told["reason"] == "limit"
    assert told["handles"][0]["from"] == [10, 12]
    assert told["steps"] == 4


def test_a_film_has_the_steps_and_stays_at_the_end(model: Any, tmp_path: Path) -> None:
    drag_file(model, 5, *WAY, tmp_path / "x.gif", steps=4)
    with Image.open(tmp_path / "x.gif") as film:
        assert film.n_frames == 5 or film.info["duration"]  # type: ignore[attr-defined]
        assert film.size == (256, 256)


def test_a_folder_has_all(model: Any, tmp_path: Path) -> None:
    drag_file(model, 5, *WAY, tmp_path / "x", steps=3)
    assert sorted(each.name for each in (tmp_path / "x").iterdir()) == ["codes.npz", "drag.gif", "picture.png", "sheet.png"]
    with np.load(tmp_path / "x" / "codes.npz", allow_pickle=False) as file:
        codes = torch.from_numpy(file["codes"])
        assert str(file["space"]) == "w+"
    with Image.open(tmp_path / "x" / "picture.png") as picture:
        drawn = to_bytes(model.space("w").pictures(codes, None))[0, 0]
        assert np.array_equal(np.asarray(picture), drawn.numpy())
    with pytest.raises(UsageError, match="expected a new or an empty folder"):
        drag_file(model, 5, *WAY, tmp_path / "x")


@pytest.mark.parametrize("name", ["x.txt", "x.npz", "x.webm"])
def test_other_endings_are_refused_before_the_work(name: str, model: Any, tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=r"cannot write a drag to .*expected a name ending in .png"):
        drag_file(model, 5, *WAY, tmp_path / name, watch=lambda *_: pytest.fail("it worked"))
    assert not list(tmp_path.iterdir())


def test_a_mask_of_any_size_and_depth_is_cut_by_the_middle(model: Any, tmp_path: Path) -> None:
    wide = np.zeros((96, 96), np.uint8)
    wide[:, 48:] = 200
    Image.fromarray(wide).save(tmp_path / "grey.png")
    Image.fromarray(np.stack([wide] * 3, 2)).save(tmp_path / "color.png")
    Image.fromarray(wide.astype(np.uint16) * 257).save(tmp_path / "deep.png")
    for name in ("grey", "color", "deep"):
        values, notes = read_mask(tmp_path / f"{name}.png", model)
        mask = values >= 128
        assert "was resized" in notes[0]
        assert mask.shape == (32, 32)
        assert mask[:, 16:].all()
        assert not mask[:, :16].any()


def test_a_mask_that_freezes_the_handle_writes_nothing(model: Any, tmp_path: Path) -> None:
    Image.new("L", (32, 32), 0).save(tmp_path / "mask.png")
    with pytest.raises(UsageError, match=r"mask.png: it is black at a handle, which then cannot move; make it white there"):
        drag_file(model, 5, *WAY, tmp_path / "x.png", tmp_path / "mask.png")
    assert not (tmp_path / "x.png").exists()


def test_masks_that_cannot_be_read(model: Any, tmp_path: Path) -> None:
    Image.new("L", (32, 16), 255).save(tmp_path / "wide.png")
    (tmp_path / "text.png").write_text("no picture")
    for name, says in (("none.png", "no such file"), ("wide.png", "expected a square mask"), ("text.png", "text.png: ")):
        with pytest.raises(DataError, match=says):
            drag_file(model, 5, *WAY, tmp_path / "x.png", tmp_path / name)
    assert not (tmp_path / "x.png").exists()


def test_the_mask_is_not_replaced(model: Any, tmp_path: Path) -> None:
    Image.new("L", (32, 32), 255).save(tmp_path / "m.png")
    before = (tmp_path / "m.png").read_bytes()
    with pytest.raises(UsageError, match=r"m\.png is the mask itself; choose another --out"):
        drag_file(model, 5, *WAY, tmp_path / "m.png", tmp_path / "m.png")
    assert (tmp_path / "m.png").read_bytes() == before
