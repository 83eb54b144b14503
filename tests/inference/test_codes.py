"""Codes and their file: it comes back as it was, and what is damaged or foreign is refused in one line."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image, ImageSequence
from support import miniature_model as model

from ganvas.editing.traversal import plane, traverse
from ganvas.errors import DataError, UsageError
from ganvas.inference.codes import Codes, load_codes
from ganvas.latents.seed_latents import latents


def make_codes(**changes: Any) -> Codes:
    given = {"space": "z", "codes": latents([1, 5, 9], 4), "classes": torch.tensor([0, 2, 1]), "names": ("a", "b", "c")}
    return Codes(**{**given, **changes})


def read_pixels(path: Path) -> bytes:
    with Image.open(path) as image:
        return b"".join(frame.convert("RGB").tobytes() for frame in ImageSequence.Iterator(image))


def test_they_come_back(tmp_path: Path) -> None:
    codes = make_codes()
    again = load_codes(codes.save(tmp_path / "codes.npz"), 4, 3)
    assert (again.space, again.names) == ("z", ("a", "b", "c"))
    assert torch.equal(again.codes, codes.codes)
    assert again.classes is not None
    assert again.classes.tolist() == [0, 2, 1]
    without = load_codes(make_codes(classes=None).save(tmp_path / "plain.npz"), 4, 0)
    assert without.classes is None
    assert [path.name for path in sorted(tmp_path.iterdir())] == ["codes.npz", "plain.npz"]


@pytest.mark.parametrize(
    ("changes", "latent_dim", "classes", "says"),
    [
        ({}, 5, 3, "4 numbers, those of this model 5"),
        ({}, 4, 2, "`classes` from 0 to 1"),
        ({"classes": None}, 4, 3, "`classes`"),
        ({"classes": torch.tensor([0, -1, 0])}, 4, 3, "`classes`"),
        ({"space": "v"}, 4, 3, "`space`"),
        ({"codes": torch.full((3, 4), float("nan"))}, 4, 3, "not finite"),
        ({"codes": torch.zeros(0, 4)}, 4, 3, "`codes`"),
    ],
)
def test_other_contents(changes: dict[str, Any], latent_dim: int, classes: int, says: str, tmp_path: Path) -> None:
    path = make_codes(**changes).save(tmp_path / "codes.npz")
    with pytest.raises(DataError, match=says) as error:
        load_codes(path, latent_dim, classes)
    assert "\n" not in str(error.value)


@pytest.mark.parametrize("data", [b"", b"PK\x03\x04", b"no archive", b"\x93NUMPY"])
def test_damaged_files(data: bytes, tmp_path: Path) -> None:
    path = tmp_path / "codes.npz"
    path.write_bytes(data)
    with pytest.raises(DataError, match=r"codes\.npz: expected"):
        load_codes(path, 4, 0)


def test_a_pickle_is_not_read(tmp_path: Path) -> None:
    path = tmp_path / "codes.npz"
    np.savez(path, codes=np.array([{"a": 1}], dtype=object), space=np.array("z"))
    with pytest.raises(DataError, match=r"codes\.npz: expected"):
        load_codes(path, 4, 0)


def test_no_file(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="no such file"):
        load_codes(tmp_path / "codes.npz", 4, 0)


def test_codes_of_seeds_are_used_as_the_seeds(tmp_path: Path) -> None:
    """Traversals, planes and films of codes have the very pictures of the seeds whose codes they are."""
    one = model("cgan-mnist")
    seeds = [1, 5, 9]
    c = one.classes_in_turn(7, 3)
    codes = Codes("z", latents(seeds, one.drawer.latent_dim), c, ("a", "b", "c"))
    for name, draw in {
        "t.png": lambda places, out, **label: traverse(one, out, ["sefa:0"], places, steps=3, **label),
        "p.png": lambda places, out, **label: plane(one, out, places, 3, **label),
        "w.gif": lambda places, out, **label: one.interpolate(out, places, 6, **label),
    }.items():
        draw(seeds, tmp_path / f"seeds-{name}", label=7)
        draw(codes, tmp_path / f"codes-{name}")
        assert read_pixels(tmp_path / f"seeds-{name}") == read_pixels(tmp_path / f"codes-{name}"), name


def test_codes_of_w(tmp_path: Path) -> None:
    one = model("stylegan2-fashion")
    w = one.space("w").of_seeds([1, 2], None)
    codes = Codes("w", w, None, ("a", "b"))
    assert torch.equal(one.space("w").of_seeds(codes, None), w)
    with pytest.raises(UsageError, match="--in w"):
        one.space("z").of_seeds(codes, None)
    z = Codes("z", latents([1, 2], one.drawer.latent_dim), None, ("a", "b"))
    assert torch.equal(one.space("w").of_seeds(z, None), w)
