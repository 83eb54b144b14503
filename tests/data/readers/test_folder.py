"""Folders as users keep them: links, loops, pipes, odd names, broken files."""

from __future__ import annotations

import os
import zipfile
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

from ganvas.config import DataConfig
from ganvas.data.open import open_source
from ganvas.data.readers import folder
from ganvas.data.report import inspect
from ganvas.data.table import TableDataset
from ganvas.errors import DataError

WritePicture = Callable[..., Path]


def test_broken_files_are_skipped_and_listed(tmp_path: Path, write_picture: WritePicture) -> None:
    folder = tmp_path / "pictures"
    whole = write_picture(folder / "a.png", 1).read_bytes()
    (folder / "empty.png").write_bytes(b"")
    (folder / "text.jpg").write_text("hello")
    (folder / "short.png").write_bytes(whole[:100])
    (folder / "wrong.jpg").write_bytes(whole)  # a PNG by content: read
    (folder / "x.png").mkdir()
    write_picture(folder / "x.png" / "inside.png", 2)
    (folder / "loop.png").symlink_to("loop.png")
    (folder / "broken.png").symlink_to("gone.png")
    (folder / "x.png" / "up").symlink_to("..")
    os.mkfifo(folder / "pipe.png")
    source = open_source(DataConfig(source=str(folder)))
    assert len(source) == 3
    assert source.fields["real"].shape[1:] == (1, 16, 16)
    reasons = dict(source.skipped)
    assert set(reasons) == {"empty.png", "text.jpg", "short.png", "loop.png", "broken.png", "pipe.png", "x.png/up/"}
    assert "already read" in reasons["x.png/up/"]
    assert reasons["pipe.png"] == "not a regular file"
    assert "not an image" in reasons["empty.png"]
    assert "damaged" in reasons["short.png"]


def test_odd_names_are_read_and_shown_escaped(tmp_path: Path, write_picture: WritePicture) -> None:
    for i, name in enumerate(["ü 文.png", "line\nbreak.png", "\x1b[31m.png"]):
        write_picture(tmp_path / "p" / name, i)
    Path(os.fsdecode(os.fsencode(tmp_path / "p") + b"/\xff.png")).write_bytes(b"junk")
    (tmp_path / "p" / "tab\tjunk.png").write_bytes(b"junk")
    source = open_source(DataConfig(source=str(tmp_path / "p")))
    assert len(source) == 3
    assert [name for name, _ in source.skipped] == ["tab\\tjunk.png", "\\udcff.png"]
    assert open_source(DataConfig(source=str(tmp_path / "p"))).skipped == source.skipped


def test_classes_keep_their_labels_when_files_are_skipped(tmp_path: Path, write_picture: WritePicture) -> None:
    for i, name in enumerate(["cat/0.png", "cat/1.png", "dog/0.png"]):
        write_picture(tmp_path / "p" / name, i)
    (tmp_path / "p" / "cat" / "0.png").write_bytes(b"junk")
    source = open_source(DataConfig(source=str(tmp_path / "p")))
    assert source.classes == ("cat", "dog")
    assert source.samples(torch.arange(2))["label"].tolist() == [0, 1]


def test_nothing_left_is_an_error_with_reasons(tmp_path: Path) -> None:
    (tmp_path / "p").mkdir()
    (tmp_path / "p" / "a.png").write_bytes(b"")
    with pytest.raises(DataError, match=r"no readable picture.*a\.png: not an image"):
        open_source(DataConfig(source=str(tmp_path / "p")))


@pytest.mark.parametrize(
    ("size", "count", "expected"),
    [((100, 100), 2, 100), ((20, 20), 1, 20), ((200, 90), 2, 64), ((20, 30), 2, 32), ((400, 300), 2, 128)],
)
def test_resolution_follows_the_pictures(
    tmp_path: Path, write_picture: WritePicture, size: tuple[int, int], count: int, expected: int
) -> None:
    for i in range(count):
        write_picture(tmp_path / "p" / f"{i}.png", i, size)
    assert open_source(DataConfig(source=str(tmp_path / "p"))).resolution == expected


def test_channels_follow_the_pictures(tmp_path: Path, write_picture: WritePicture) -> None:
    write_picture(tmp_path / "p" / "grey.png")
    assert open_source(DataConfig(source=str(tmp_path / "p"))).channels == 1
    write_picture(tmp_path / "p" / "colour.png", mode="RGB")
    assert open_source(DataConfig(source=str(tmp_path / "p"))).channels == 3
    assert open_source(DataConfig(source=str(tmp_path / "p")), channels=1).channels == 1


def test_fit_and_split_reach_the_pixels(tmp_path: Path) -> None:
    (tmp_path / "p" / "train").mkdir(parents=True)
    (tmp_path / "p" / "test").mkdir()
    strip = np.zeros((4, 8), np.uint8)
    strip[:, :4] = 255
    Image.fromarray(strip).save(tmp_path / "p" / "train" / "a.png")
    Image.fromarray(255 - strip).save(tmp_path / "p" / "test" / "a.png")

    def pixels(fit: str, split: str = "train") -> list[list[int]]:
        source = open_source(DataConfig(source=str(tmp_path / "p"), fit=fit, split=split), resolution=4)  # type: ignore[arg-type]
        return source.fields["real"][0, 0].tolist()

    assert pixels("crop") == [[255, 255, 0, 0]] * 4
    assert pixels("crop", "test") == [[0, 0, 255, 255]] * 4
    assert pixels("pad")[0] == pixels("pad")[3] == [0, 0, 0, 0]
    assert pixels("stretch")[0][0] > 250


def test_progress_is_reported(tmp_path: Path, write_picture: WritePicture) -> None:
    for i in range(3):
        write_picture(tmp_path / "p" / f"{i}.png", i)
    seen: list[tuple[int, int]] = []
    open_source(DataConfig(source=str(tmp_path / "p")), progress=lambda done, total: seen.append((done, total)))
    assert seen == [(3, 3)]


@pytest.fixture
def large(tmp_path: Path, write_picture: WritePicture, monkeypatch: pytest.MonkeyPatch) -> tuple[Path, list[Path]]:
    """A folder that counts as a large one, last changed long ago, and the folders that were walked."""
    monkeypatch.setattr(folder, "LARGE", 6)
    monkeypatch.setattr(folder, "PROBES", 2)
    for i in range(6):
        write_picture(tmp_path / "p" / "ab"[i % 2] / f"{i}.png", i)
    (tmp_path / "p" / "c").mkdir()
    calm(tmp_path / "p")
    walked: list[Path] = []
    walk = folder.walk
    monkeypatch.setattr(folder, "walk", lambda root: walked.append(root) or walk(root))
    return tmp_path / "p", walked


def calm(root: Path) -> None:
    """Make all folders look as if nothing had happened for a while."""
    for path in (root, *root.rglob("*")):
        if path.is_dir():
            os.utime(path, (1_000_000_000 + len(list(path.iterdir())),) * 2)


def opened(path: Path, split: str = "train") -> TableDataset:
    return open_source(DataConfig(source=str(path), split=split))  # type: ignore[arg-type]


def test_a_large_folder_is_walked_once(large: tuple[Path, list[Path]]) -> None:
    path, walked = large
    first = opened(path)
    for _ in range(3):
        again = opened(path)
    assert walked == [path]
    assert torch.equal(again.fields["real"], first.fields["real"])
    assert (again.fingerprint, again.classes) == (first.fingerprint, ("a", "b"))
    assert open_source(DataConfig(source=str(path)), resolution=8).resolution == 8  # decoded from a new walk
    assert len(walked) == 2
    with pytest.raises(DataError, match="no test split"):
        opened(path, "test")


@pytest.mark.parametrize("change", ["new", "deleted", "renamed", "in an empty folder", "probed"])
def test_changes_of_a_large_folder_are_seen(change: str, large: tuple[Path, list[Path]], write_picture: WritePicture) -> None:
    path, _ = large
    before = opened(path)
    match change:
        case "new":
            write_picture(path / "b" / "9.png", 9)
        case "deleted":
            (path / "a" / "2.png").unlink()
            write_picture(path / "a" / "x.png", 8)
        case "renamed":
            (path / "a" / "2.png").rename(path / "b" / "2.png")
        case "in an empty folder":
            write_picture(path / "c" / "9.png", 9)
        case "probed":
            write_picture(path / "a" / "0.png", 99)
    after = opened(path)
    assert after.fingerprint != before.fingerprint


def test_a_folder_that_still_changes_is_not_kept(large: tuple[Path, list[Path]]) -> None:
    path, walked = large
    os.utime(path / "a")
    opened(path)
    opened(path)
    assert len(walked) == 2


@pytest.mark.parametrize("damage", [b"", b"[1]", b'{"digest": 1}', b"\xff"])
def test_a_damaged_listing_is_made_again(damage: bytes, large: tuple[Path, list[Path]], cache_root: Path) -> None:
    path, walked = large
    first = opened(path)
    (kept,) = (cache_root / "ganvas").glob("*.files")
    kept.write_bytes(damage)
    assert opened(path).fingerprint == first.fingerprint
    assert len(walked) == 2


def test_a_folder_tells_its_splits(tmp_path: Path, write_picture: WritePicture) -> None:
    write_picture(tmp_path / "one" / "train" / "a.png")
    assert opened(tmp_path / "one").splits == ("train",)
    write_picture(tmp_path / "two" / "train" / "a.png")
    write_picture(tmp_path / "two" / "val" / "b.png")
    assert opened(tmp_path / "two").splits == opened(tmp_path / "two", "test").splits == ("train", "test")
    assert opened(tmp_path / "two").splits == ("train", "test")  # from the cache
    write_picture(tmp_path / "three" / "cat" / "a.png")
    write_picture(tmp_path / "three" / "dog" / "b.png")
    assert opened(tmp_path / "three").splits == ("train",)


def test_a_class_without_a_readable_picture_is_left_out_and_told(tmp_path: Path, write_picture: WritePicture) -> None:
    for i, name in enumerate(["train/a/0.png", "train/b/0.png", "train/b/1.png", "train/c/0.png", "test/c/0.png"]):
        write_picture(tmp_path / "p" / name, i)
    for name in ("b/0.png", "b/1.png"):
        (tmp_path / "p" / "train" / name).write_bytes(b"junk")
    train = open_source(DataConfig(source=str(tmp_path / "p")))
    assert (train.classes, train.fields["label"].tolist()) == (("a", "c"), [0, 1])
    assert train.warnings == ("class without a sample, left out: 'b' (none of 2 files can be read); 2 of 3 classes are left",)
    report = inspect(str(tmp_path / "p"))
    assert (report.classes, report.warnings) == ({"a": 1, "c": 1}, train.warnings)
    test = open_source(DataConfig(source=str(tmp_path / "p"), split="test"))
    assert (test.classes, test.fields["label"].tolist(), test.warnings) == (("a", "c"), [1], ())


def test_pictures_without_an_ending_are_read_from_folders_and_zips(tmp_path: Path, write_picture: WritePicture) -> None:
    for i, name in enumerate(["a/x.png", "b/x.png"]):
        picture = write_picture(tmp_path / "p" / name, i)
        picture.rename(picture.with_suffix(""))
    (tmp_path / "p" / "README").write_text("words")
    with zipfile.ZipFile(tmp_path / "p.zip", "w") as archive:
        for file in (tmp_path / "p").rglob("*"):
            archive.write(file, file.relative_to(tmp_path / "p"))
    for source in ("p", "p.zip"):
        found = open_source(DataConfig(source=str(tmp_path / source)))
        assert (found.classes, len(found)) == (("a", "b"), 2)
        assert [name for name, _ in found.skipped] == ["* (no ending)"]


def test_a_folder_is_read_by_its_own_name_not_by_that_of_a_link(tmp_path: Path, write_picture: WritePicture) -> None:
    for i, name in enumerate(("pets/a/1", "pets/b/1", "elsewhere/1")):
        write_picture(tmp_path / f"{name}.png", i)
    (tmp_path / "pets" / "z").symlink_to("a")
    (tmp_path / "pets" / "A link").symlink_to("b")
    (tmp_path / "pets" / "c").symlink_to("../elsewhere")
    source = open_source(DataConfig(source=str(tmp_path / "pets")))
    assert source.classes == ("a", "b", "c")
    assert source.skipped == tuple((f"{name}/", "a link to a folder already read") for name in ("A link", "z"))


def test_files_with_several_pictures_are_told(tmp_path: Path, write_picture: WritePicture) -> None:
    path = write_picture(tmp_path / "p" / "one.png", 0)
    other = [Image.fromarray(np.full((16, 16), value, np.uint8)) for value in (0, 255)]
    for name in ("a.gif", "b.tif", "c.webp", "d.png"):
        other[0].save(path.with_name(name), save_all=True, append_images=other[1:])
    source = open_source(DataConfig(source=str(path.parent)))
    assert len(source) == 5
    assert source.warnings[0].startswith("4 of 5 files have several pictures, as animations or pages: the first of each")


def test_a_file_with_damaged_pixels_is_not_counted_among_those_with_several_pictures(
    tmp_path: Path, write_picture: WritePicture
) -> None:
    path = write_picture(tmp_path / "p" / "one.png", 0)
    frames = [Image.fromarray(np.random.default_rng(i).integers(0, 256, (64, 64), np.uint8)) for i in range(2)]
    for name in ("a.png", "b.png", "c.png"):
        frames[0].save(path.with_name(name), save_all=True, append_images=frames[1:])
    damaged = path.with_name("c.png")
    damaged.write_bytes(damaged.read_bytes()[:600])  # the header can be read
    for found in (open_source(DataConfig(source=str(path.parent))), inspect(str(path.parent))):
        assert [skipped.name for skipped in found.skipped] == ["c.png"]
        assert any(text.startswith("2 of 3 files have several pictures") for text in found.warnings)


@pytest.mark.filterwarnings("error")
def test_unusual_files_make_no_noise(tmp_path: Path, write_picture: WritePicture) -> None:
    path = write_picture(tmp_path / "p" / "one.png", 0)
    Image.open(path).save(path.with_name("two.jpg"), exif=b"Exif\0\0MM\0*\0\0\0\x08\xff\xff")
    assert len(open_source(DataConfig(source=str(path.parent)))) == 2
    assert inspect(str(path.parent)).count == 2


def test_a_run_inside_is_no_data(tmp_path: Path, write_picture: WritePicture) -> None:
    photos = tmp_path / "photos"
    for k in range(3):
        write_picture(photos / f"{k}.png", k)
    before = open_source(DataConfig(source=str(photos)))
    run = photos / "runs" / "00000-dcgan"  # as of `ganvas train --data .`
    write_picture(run / "samples" / "000064.png", 7)
    for name in ("recipe.json", "env.json"):
        (run / name).write_text("{}")
    found = open_source(DataConfig(source=str(photos)))
    assert (len(found), found.fingerprint) == (3, before.fingerprint)
    assert folder.walk(photos)[1] == [("runs/00000-dcgan/", "a run of ganvas")]
    assert len(open_source(DataConfig(source=str(run / "samples")))) == 1  # who names it has it
