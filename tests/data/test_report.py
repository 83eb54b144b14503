"""The report: counts, duplicates, blanks, skipped files, and a sheet of what the network will see."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from ganvas.cli.app import app
from ganvas.config import DataConfig
from ganvas.data.collection import ImageCollection
from ganvas.data.open import open_source
from ganvas.data.report import _choose_balanced, inspect
from ganvas.errors import DataError, UsageError

WritePicture = Callable[..., Path]


def size_of(path: Path) -> tuple[int, int]:
    with Image.open(path) as image:
        return image.size


@pytest.fixture
def folder(tmp_path: Path, write_picture: WritePicture) -> Path:
    """Two classes with a duplicate, a blank and a broken picture."""
    for i in range(4):
        write_picture(tmp_path / "p" / "cat" / f"{i}.png", i, (20, 30))
    write_picture(tmp_path / "p" / "dog" / "0.png", 1, (20, 30))
    write_picture(tmp_path / "p" / "dog" / "1.png", 9, (40, 50), "RGB")
    Image.new("L", (20, 30), 128).save(tmp_path / "p" / "dog" / "blank.png")
    (tmp_path / "p" / "dog" / "broken.png").write_bytes(b"")
    return tmp_path / "p"


def test_pictures(folder: Path) -> None:
    report = inspect(str(folder))
    assert (report.count, report.classes) == (7, {"cat": 4, "dog": 3})
    assert report.layout == "folder, one folder per class"
    facts = report.images
    assert facts is not None
    assert facts.sizes == {"min": (20, 30), "median": (20, 30), "max": (40, 50), "common": (20, 30)}
    assert facts.kinds == {"grey": 6, "RGB": 1}
    assert (facts.resolution, facts.channels) == (32, 3)
    assert (facts.duplicates, facts.examples) == (1, (("cat/1.png", "dog/0.png"),))
    assert facts.blank == ("dog/blank.png",)
    assert [name for name, _ in report.skipped] == ["dog/broken.png"]
    text = report.text()
    for words in (
        "7 images",
        "suggested: --set config.resolution=32 (32 x 32, color)",
        "dog/0.png = cat/1.png",
        "skipped: 1",
        "cat: 4",
    ):
        assert words in text
    assert "broken.png" not in text  # the command line lists what was skipped on standard error
    plain = report.to_dict()
    assert json.loads(json.dumps(plain))["images"]["duplicates"] == 1
    assert "samples" not in plain


def test_preview_is_balanced_over_classes(folder: Path, tmp_path: Path) -> None:
    report = inspect(str(folder), fit="pad")
    assert len(report.samples) == 7
    report.preview(tmp_path / "sheet.png")
    assert size_of(tmp_path / "sheet.png") == (8 * 66 + 2, 66 + 2)
    with pytest.raises(UsageError, match=r"ending in \.png"):
        report.preview(tmp_path / "sheet.jpg")


@pytest.mark.parametrize(("groups", "count"), [([4, 3], 64), ([2, 100], 64), ([40, 40], 10), ([5], 3)])
def test_a_sheet_shows_no_picture_twice(groups: list[int], count: int) -> None:
    labels = [i for i, size in enumerate(groups) for _ in range(size)]
    pictures = ImageCollection([""] * len(labels), peek=None, read=None, labels=labels)  # type: ignore[arg-type]
    chosen = _choose_balanced(pictures, range(len(labels)), count)
    assert len(set(chosen)) == len(chosen) == min(count, sum(min(size, -(-count // len(groups))) for size in groups))


def test_mnist_and_its_sheet(tmp_path: Path) -> None:
    report = inspect("mnist", split="test")
    assert report.count == 10_000
    assert len(report.classes) == 10
    assert "28 x 28, grey" in report.text()
    assert len(report.samples) == 64
    report.preview(tmp_path / "sheet.png")
    assert size_of(tmp_path / "sheet.png") == (8 * 58 + 2, 8 * 58 + 2)


@pytest.mark.parametrize("name", ["ring", "normal1d"])
def test_points(name: str, tmp_path: Path) -> None:
    report = inspect(name)
    assert report.points is not None
    assert "50,000 points" in report.text()
    assert json.dumps(report.to_dict())
    report.preview(tmp_path / "scatter.png")
    assert size_of(tmp_path / "scatter.png") == (512, 512)


def test_points_of_a_file(tmp_path: Path) -> None:
    np.save(tmp_path / "p.npy", np.array([[0.0, 0, 0], [2, 4, 6]]))
    report = inspect(str(tmp_path / "p.npy"))
    assert report.points is not None
    assert report.points.mean == (1, 2, 3)
    report.preview(tmp_path / "scatter.png")


def test_progress_and_errors(folder: Path, tmp_path: Path) -> None:
    seen: list[tuple[int, int]] = []
    inspect(str(folder), progress=lambda done, total: seen.append((done, total)))
    assert seen == [(8, 8)]
    with pytest.raises(DataError, match="did you mean 'mnist'"):
        inspect("mnits")
    with pytest.raises(DataError, match="no such file"):
        inspect(str(tmp_path / "gone"))
    for path in folder.rglob("*.png"):
        path.write_bytes(b"junk")
    with pytest.raises(DataError, match="no readable picture"):
        inspect(str(folder))


@pytest.mark.parametrize("size", [(1, 1), (3, 3), (5, 2)])
def test_tiny_pictures_are_enlarged_and_it_is_told(tmp_path: Path, write_picture: WritePicture, size: tuple[int, int]) -> None:
    write_picture(tmp_path / "a.png", 0, size)
    report = inspect(str(tmp_path))
    assert report.images is not None
    assert report.images.resolution == 32
    said = f"all pictures are enlarged to 32 x 32 pixels from less than half, the smallest from {size[0]} x {size[1]}"
    assert any(warning == f"{said}; use larger ones" for warning in report.warnings)  # no smaller side is suggested
    assert report.text().splitlines()[0].endswith(", 1 image")


def test_far_smaller_pictures_are_counted(tmp_path: Path, write_picture: WritePicture) -> None:
    for i, side in enumerate((64, 64, 64, 20, 10)):
        write_picture(tmp_path / f"{i}.png", i, (side, side))
    said = "2 of 5 pictures are enlarged to 64 x 64 pixels from less than half, the smallest from 10 x 10"
    assert said in inspect(str(tmp_path)).warnings[0]
    assert open_source(DataConfig(source=str(tmp_path))).warnings[0].startswith(f"{said}; leave them out, or choose a smaller")
    assert open_source(DataConfig(source=str(tmp_path)), resolution=16).warnings == ()
    (tmp_path / "4.png").unlink()
    (tmp_path / "3.png").unlink()
    assert inspect(str(tmp_path)).warnings == ()


def test_the_preview_never_becomes_data(
    tmp_path: Path, write_picture: WritePicture, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    photos = tmp_path / "photos"
    write_picture(photos / "1.png", 1)
    monkeypatch.chdir(photos)
    run: dict[str, Any] = {"exit_on_error": False, "print_error": False, "result_action": "return_value"}
    app(["data", "."], **run)
    assert "preview: none, as it would become a picture of the data; say where with --out" in capsys.readouterr().out
    with pytest.raises(UsageError, match=r"sub/p\.png is inside the data \."):
        app(["data", ".", "--out", "sub/p.png"], **run)
    app(["data", ".", "--out", "../p.png"], **run)
    assert [path.name for path in photos.iterdir()] == ["1.png"]
    assert (tmp_path / "p.png").exists()
