"""Folders as users keep them: links, loops, pipes, odd names, broken files."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

from ganvas.config import DataConfig
from ganvas.data import open_source
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
