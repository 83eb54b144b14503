"""A foreign zip with two sides comes out with the same pairs, domains, splits, label maps and legend, and with nothing else."""

from __future__ import annotations

import io
import tempfile
import zipfile
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image, PngImagePlugin
from zips import packed

from ganvas.config import DataConfig
from ganvas.data import legend
from ganvas.data.dataset import Dataset
from ganvas.data.open_fields import open_fields
from ganvas.data.pair_layout import match
from ganvas.data.paired import PairedDataset
from ganvas.data.sanitize_zip import repack
from ganvas.data.two_sides import open_two_sides
from ganvas.data.unpaired import UnpairedDataset

SECRET = "where I live"
PAIRS, MAPS, DOMAINS = ("source", "real"), ("map", "real"), ("a", "b")
COLORS = ((0, 0, 255), (0, 200, 0), (130, 90, 20))


def encode(image: Image.Image, kind: str = "PNG", **settings: Any) -> bytes:
    file, text = io.BytesIO(), PngImagePlugin.PngInfo()
    text.add_text("secret", SECRET)
    image.save(file, kind, **({"pnginfo": text} if kind == "PNG" else {"comment": SECRET.encode()}), **settings)
    return file.getvalue()


def photo(seed: int, width: int = 12, height: int = 12) -> Image.Image:
    noise = Image.fromarray(np.random.default_rng(seed).integers(0, 256, (12, 12, 3), dtype=np.uint8))
    return noise.resize((width, height), Image.Resampling.BILINEAR)


def numbers(seed: int, width: int = 12, height: int = 12, classes: int = 3) -> np.ndarray[Any, np.dtype[np.uint8]]:
    """Squares of classes; each class is there."""
    squares = np.random.default_rng(seed).integers(0, classes, (4, 4), dtype=np.uint8)
    squares[0, :classes] = np.arange(classes)
    return np.asarray(Image.fromarray(squares).resize((width, height), Image.Resampling.NEAREST))


def palette(seed: int, width: int = 12, height: int = 12) -> Image.Image:
    image = Image.frombytes("P", (width, height), numbers(seed, width, height).tobytes())
    image.putpalette([value for color in COLORS for value in color])
    return image


def colors(seed: int, width: int = 12, height: int = 12) -> Image.Image:
    return Image.fromarray(np.array(COLORS, np.uint8)[numbers(seed, width, height)])


def both(tmp_path: Path, members: dict[str, bytes], needs: tuple[str, str], **config: Any) -> tuple[Dataset, Dataset]:
    """The data of a zip, and of what `repack` makes of it, which has none of its metadata."""
    before, after = packed(tmp_path / "in.zip", members), tmp_path / "out.zip"
    repack(before, after)
    with zipfile.ZipFile(after) as made:
        for name in made.namelist():
            assert SECRET.encode() not in made.read(name)
            if not name.endswith(legend.NAME):
                assert Image.open(io.BytesIO(made.read(name))).format == "PNG"
    first, second = (open_fields(DataConfig(source=str(path), **config), needs, resolution=16) for path in (before, after))
    return first, second


def assert_same(before: Dataset, after: Dataset) -> None:
    """The same samples in the same order."""
    assert (len(before), before.modalities.keys()) == (len(after), after.modalities.keys())
    first, second = (data.samples(torch.arange(len(before))) for data in (before, after))
    for name, values in first.items():
        assert torch.equal(values, second[name]), name
    assert before.facts.names == after.facts.names


PAIRED = {
    "two folders": [("A/", ""), ("B/", "")],
    "splits around": [(f"set/{split}/{side}/", "") for split in ("train", "val") for side in ("edges", "photos")],
    "splits inside": [(f"{side}/{split}/", "") for split in ("train", "test") for side in ("input", "output")],
    "other names": [("sketches/", "_line"), ("Fotos/", "_photo")],
    "a third folder": [("depth/", ""), ("input/", ""), ("output/", "")],
}


@pytest.mark.parametrize("layout", PAIRED)
def test_pairs_stay_pairs(tmp_path: Path, layout: str) -> None:
    members = {
        f"{folder}{'sub/' * (i % 2)}{name} {i}{ending}{'.jpg' if k else '.png'}": encode(
            photo(100 * k + i), "JPEG" if k else "PNG"
        )
        for k, (folder, ending) in enumerate(PAIRED[layout])
        for i, name in enumerate(("cat", "dog", "mèche", "日本"))
    }
    assert_same(*both(tmp_path, members, PAIRS))
    if "splits" in layout:
        (tmp_path / "out.zip").unlink()
        assert_same(*both(tmp_path, members, PAIRS, split="test"))


def test_own_pairs_win_over_a_filter(tmp_path: Path) -> None:
    members = {f"{side}/{name}.png": encode(photo(i)) for side in "AB" for i, name in enumerate(("cat", "dog", "cow"))}
    before, after = both(tmp_path, members, PAIRS, pair="sketch")
    assert_same(before, after)
    assert isinstance(after, PairedDataset)
    assert after.warnings == ("data.pair=sketch is not used: the pairs of A and B are",)


@pytest.mark.parametrize("folders", [("trainA", "trainB", "testA", "testB"), ("horses", "zebras")])
def test_domains_stay_domains(tmp_path: Path, folders: tuple[str, ...]) -> None:
    members = {
        f"h2z/{folder}/n{k}_{i}.jpg": encode(photo(10 * k + i), "JPEG", quality=95)
        for k, folder in enumerate(folders)
        for i in range(3 + k % 2)
    }
    before, after = both(tmp_path, members, DOMAINS)
    assert isinstance(before, UnpairedDataset)
    assert isinstance(after, UnpairedDataset)
    assert (before.splits, before.names) == (after.splits, after.names)
    assert_same(before, after)
    if len(folders) == 4:
        (tmp_path / "out.zip").unlink()
        assert_same(*both(tmp_path, members, DOMAINS, split="test"))


LEGEND = b'color;class;name\n#0000ff;0;sea\n#00c800;1;a "green"; land, or so\n#825a14;2;=cmd()\n'


@pytest.mark.parametrize("side", [12, 540])
@pytest.mark.parametrize("folder", ["masks", "A"])
@pytest.mark.parametrize(
    ("make", "table"),
    [
        (palette, b""),
        (palette, LEGEND),
        (colors, b""),
        (colors, LEGEND),
        (lambda *how: Image.fromarray(numbers(*how)), b"name\nsea\nland\nrock\n"),
        (lambda *how: Image.fromarray(numbers(*how) // 2 * 255), b""),  # black and white
    ],
)
def test_label_maps_keep_their_classes(tmp_path: Path, make: Any, table: bytes, folder: str, side: int) -> None:
    """Also large ones, whose photographs become smaller, and ones that only the game knows to be maps."""
    other = "photos" if folder == "masks" else "B"
    members = {f"{folder}/{i}.png": encode(make(i, side, side)) for i in range(2)}
    members |= {f"{other}/{i}.jpg": encode(photo(i, side, side), "JPEG") for i in range(2)}
    members |= {f"{folder}/legend.csv": table} if table else {}
    before, after = both(tmp_path, members, MAPS)
    assert isinstance(before, PairedDataset)
    assert isinstance(after, PairedDataset)
    assert (before.legend, before.colors) == (after.legend, after.colors)
    assert torch.unique(before.fields["map"]).equal(torch.unique(after.fields["map"]))
    if side == 12:
        assert_same(before, after)
    else:
        assert (before.fields["map"] == after.fields["map"]).float().mean() > 0.9  # the pixels that are picked may differ
        with zipfile.ZipFile(tmp_path / "out.zip") as made:
            image = Image.open(io.BytesIO(made.read(f"{folder}/0.png")))
            assert set(np.unique(image)) == set(np.unique(np.asarray(make(0, 12, 12))))
            known = folder == "masks" or make is palette  # as maps
            assert image.size == ((512, 512) if known else (540, 540))
            assert Image.open(io.BytesIO(made.read(f"{other}/0.png"))).size == (512, 512)


def test_transparent_pixels_and_numbers_without_a_color_stay(tmp_path: Path) -> None:
    members = {f"photos/{i}.png": encode(photo(i)) for i in range(3)}
    members |= {f"labels/{i}.png": encode(palette(i), transparency=1) for i in range(3)}
    before, after = both(tmp_path, members, MAPS)
    assert_same(before, after)
    assert isinstance(after, PairedDataset)
    assert 255 in after.fields["map"]


def test_shapes_of_partners_still_agree(tmp_path: Path) -> None:
    """Also if one is smaller than its partner."""
    members = {}
    for i, (width, height) in enumerate(((1201, 801), (803, 1999), (640, 513), (300, 200))):
        members[f"masks/{i}.png"] = encode(palette(i, width, height))
        members[f"photos/{i}.jpg"] = encode(photo(i, width // (1 + i % 2), height // (1 + i % 2)), "JPEG")
    before, after = both(tmp_path, members, MAPS)
    assert len(before) == len(after) == 4
    with zipfile.ZipFile(tmp_path / "out.zip") as made:
        sizes = {name: Image.open(io.BytesIO(made.read(name))).size for name in made.namelist()}
    assert sizes["masks/0.png"] == sizes["photos/0.png"] == (768, 512)
    assert sizes["masks/1.png"][0] == 512


@pytest.mark.parametrize(
    ("table", "reason"),
    [
        (b"0,#0000ff,sea\n" * 200_000, "2,800,000 bytes; expected at most 1,048,576"),
        (b"0,#0000ff,sea\n0,#0000ff,land\n", "class 0 has two rows; expected one"),
        (b"\xff\xfe", "expected a row for each class"),
    ],
)
def test_a_legend_that_cannot_be_read_is_left_out_and_listed(tmp_path: Path, table: bytes, reason: str) -> None:
    members = {
        f"{side}/{i}.png": encode(palette(i) if side == "masks" else photo(i)) for side in ("masks", "real") for i in (1, 2)
    }
    skipped, _ = repack(packed(tmp_path / "in.zip", {**members, "legend.csv": table}), tmp_path / "out.zip")
    assert [(entry.name, reason in entry.reason) for entry in skipped] == [("legend.csv", True)]
    with zipfile.ZipFile(tmp_path / "out.zip") as made:
        assert legend.NAME not in made.namelist()


def test_a_legend_is_written_anew(tmp_path: Path) -> None:
    table = b'name,comment\n"se\x1b[31ma",where I live\nland,=cmd()\nrock,\n'
    members = {
        f"{side}/{i}.png": encode(palette(i) if side == "masks" else photo(i)) for side in ("masks", "real") for i in (1, 2)
    }
    repack(
        packed(tmp_path / "in.zip", {**members, "masks/LEGEND.csv": table, "__MACOSX/legend.csv": b"x"}), tmp_path / "out.zip"
    )
    with zipfile.ZipFile(tmp_path / "out.zip") as made:
        assert made.read(legend.NAME) == b"class,name\n0,se\\x1b[31ma\n1,land\n2,rock\n"


def test_bad_files_and_what_is_no_picture_are_listed_and_the_other_pairs_stay(tmp_path: Path) -> None:
    members = {f"{side}/{name}.png": encode(photo(i)) for side in "AB" for i, name in enumerate(("cat", "dog", "cow"))}
    members |= {"A/cat.png": b"no picture", "readme.txt": b"x", ".hidden/x.png": b"x", "labels.csv": b"A/cat.png,cat\n"}
    skipped, warnings = repack(packed(tmp_path / "in.zip", members), tmp_path / "out.zip")
    assert {entry.name: entry.reason for entry in skipped} == {
        "*.txt": "1 not PNG/JPEG/WEBP/BMP/GIF/TIFF",
        "labels.csv": "not used: the pictures have two sides",
        "A/cat.png": "not an image (PNG, JPEG, WEBP, BMP, GIF, TIFF)",
    }
    assert warnings == ()
    assert len(open_fields(DataConfig(source=str(tmp_path / "out.zip")), PAIRS)) == 2


def test_a_table_of_labels_wins_over_two_folders_of_any_names(tmp_path: Path) -> None:
    members = {f"{side}/{i}.png": encode(photo(i)) for side in ("new", "old") for i in range(2)}
    table = b"file,label\nnew/0.png,cat\nnew/1.png,dog\nold/0.png,dog\nold/1.png,cat\n"
    repack(packed(tmp_path / "in.zip", {**members, "labels.csv": table}), tmp_path / "out.zip")
    with zipfile.ZipFile(tmp_path / "out.zip") as made:
        assert {name.split("/")[0] for name in made.namelist()} == {"cat", "dog"}


@pytest.mark.parametrize("split", ["", "train/"])
@pytest.mark.parametrize("height", [12, 700])
def test_pictures_side_by_side_stay_so(tmp_path: Path, height: int, split: str) -> None:
    def join(i: int) -> Image.Image:
        image = Image.new("RGB", (2 * height, height))
        image.paste(colors(i, height, height), (0, 0))
        image.paste(photo(i, height, height), (height, 0))
        return image

    members = {f"facades/{split}{i}.png": encode(join(i)) for i in range(2)}
    members |= {f"facades/val/{i}.png": encode(join(9 - i)) for i in range(2)} if split else {}
    before, after = both(tmp_path, members, PAIRS, pair="side-by-side")
    assert len(before) == len(after) == 2
    assert before.splits == after.splits
    (tmp_path / "out.zip").unlink()
    before, after = both(tmp_path, members, MAPS, pair="side-by-side")
    assert isinstance(before, PairedDataset)
    assert isinstance(after, PairedDataset)
    assert before.colors == after.colors
    assert (before.fields["map"] == after.fields["map"]).float().mean() > 0.95
    if height == 12:
        assert_same(before, after)


NAMES = st.lists(st.text("ab1._ :\x01\u202eé\u3000", min_size=1, max_size=4), min_size=2, max_size=4, unique=True)


@given(names=NAMES, folders=st.sampled_from([("A", "B"), ("masks", "photos"), ("trainA", "trainB"), ("x\x01", "yy:")]))
@settings(max_examples=15, deadline=None)
def test_whatever_the_names_the_same_pictures_make_pairs(names: list[str], folders: tuple[str, str]) -> None:
    sizes = {name: (4 + i, 5) for i, name in enumerate(names)}  # by which a picture is known again
    members = {f"{folder}/{name}.png": encode(photo(0, *sizes[name])) for folder in folders for name in names}
    members |= {f"{folders[0]}/{names[0]}.gif": encode(photo(0, 99, 5).quantize(), "GIF")}
    with tempfile.TemporaryDirectory() as place:
        before, after = packed(Path(place) / "in.zip", members), Path(place) / "out.zip"
        repack(before, after)
        found = []
        for path in (before, after):
            two = open_two_sides(str(path))
            assert two is not None
            at = [
                dict(zip(pictures.names, map(pictures.peek, range(len(pictures.names))), strict=True))
                for pictures in two.pictures
            ]
            shown = all(name[0] != "." for name in names)
            rows = match(*two.keys, two.names).rows if shown and len(names) > 2 else ()
            found.append((sorted(tuple(at[k][row[k]].width for k in (0, 1)) for row in rows), [*map(len, two.keys)]))
    assert found[0] == found[1]
