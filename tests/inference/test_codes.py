"""Codes and their file: it comes back as it was, and what is damaged or foreign is refused in one line."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image, ImageSequence
from support import miniature_model as model

from ganvas.editing.latent_arithmetic import Term, arithmetic
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


@pytest.mark.parametrize("data", [b"", b"PK\x03\x04", b"no archive", b"\x93NUMPY", b"\x89PNG\r\n\x1a\n"])
def test_damaged_files(data: bytes, tmp_path: Path) -> None:
    path = tmp_path / "codes.npz"
    path.write_bytes(data)
    with pytest.raises(DataError, match=r"codes\.npz: expected a file of codes .* this is none$"):
        load_codes(path, 4, 0)


def test_a_single_array_is_no_file_of_codes(tmp_path: Path) -> None:
    np.save(tmp_path / "codes.npy", np.zeros((2, 4), np.float32))
    with pytest.raises(DataError, match="expected a file of codes"):
        load_codes(tmp_path / "codes.npy", 4, 0)


def test_a_pickle_is_not_read(tmp_path: Path) -> None:
    path = tmp_path / "codes.npz"
    np.savez(path, codes=np.array([{"a": 1}], dtype=object), space=np.array("z"))
    with pytest.raises(DataError, match=r"codes\.npz: expected a file of codes .* this is none$"):
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


def test_one_of_a_name(tmp_path: Path) -> None:
    path = make_codes().save(tmp_path / "codes.npz")
    one = load_codes(f"{path}#b", 4, 3)
    assert (one.names, one.classes.tolist()) == (("b",), [2])  # type: ignore[union-attr]
    assert torch.equal(one.codes, latents([5], 4))
    with pytest.raises(DataError, match="expected one of a, b, c; got 'd'"):
        load_codes(f"{path}#d", 4, 3)
    hash_in_name = make_codes().save(tmp_path / "a#1.npz")
    assert len(load_codes(hash_in_name, 4, 3)) == 3


def test_styles_of_each_layer_take_the_place_of_seeds(tmp_path: Path) -> None:
    """The same w in all layers gives what w gives, in every verb; another in one layer gives another picture."""
    one = model("stylegan2-fashion")
    styles = one.drawer.styles  # type: ignore[attr-defined]
    w = one.space("w").of_seeds([3, 4, 5], None)
    flat = Codes("w", w, None, ("a", "b", "c"))
    wide = Codes("w+", w[:, None].repeat(1, styles, 1), None, ("a", "b", "c"))
    other = Codes("w+", wide.codes.clone(), None, wide.names)
    other.codes[:, 1:] *= -1
    made = {}
    for name, codes in {"flat": flat, "wide": wide, "other": other}.items():
        again = one.load_codes(codes.save(tmp_path / f"{name}.npz"))
        traverse(one, tmp_path / "t.png", ["pca:0"], again, steps=3, layers=[0])
        traverse(one, tmp_path / "a.png", ["pca:0"], again, steps=3)
        plane(one, tmp_path / "p.png", again, 3)
        one.interpolate(tmp_path / "i.gif", again, 6, where="w")
        arithmetic(one, tmp_path / "s.png", [Term(again), Term([1], -1), Term([2])])
        made[name] = [read_pixels(tmp_path / file) for file in ("t.png", "a.png", "p.png", "i.gif", "s.png")]
    assert made["flat"] == made["wide"]
    assert all(a != b for a, b in zip(made["flat"], made["other"], strict=True))


@pytest.mark.parametrize(
    ("space", "codes", "styles", "says"),
    [
        ("w+", torch.zeros(2, 4), 5, r"w\+ and \[n, styles, d\]"),
        ("w+", torch.zeros(2, 3, 4), 5, "for 3 layers, this model has 5"),
        ("w+", torch.zeros(2, 5, 4), 0, r"styles w\+, and this model has none"),
        ("w", torch.zeros(2, 4), 0, "styles w, and this model has none"),
        ("w", torch.zeros(2, 5, 4), 5, r"\[n, d\]"),
    ],
)
def test_styles_of_another_model(space: str, codes: torch.Tensor, styles: int, says: str, tmp_path: Path) -> None:
    path = Codes(space, codes, None, ("a", "b")).save(tmp_path / "codes.npz")
    with pytest.raises(DataError, match=says):
        load_codes(path, 4, 0, styles)
