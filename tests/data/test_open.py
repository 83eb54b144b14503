"""Names and paths: the nearest name, the right reader, settings that fit."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from ganvas.config import DataConfig
from ganvas.data.builtin.point_sets import POINTS
from ganvas.data.collection import DataSource, ImageCollection
from ganvas.data.open import BUILT_IN, absolute_source, open_source
from ganvas.data.readers import folder
from ganvas.data.report import inspect
from ganvas.errors import DataError, UsageError


def test_built_in_names() -> None:
    pairs = ("emoji-shading", "emoji-styles", "earth")
    clips = ("emoji-clips", "puppets", "puppets-turning")
    assert set(BUILT_IN) == {"mnist", "fashion", "stacked", "shapes", *pairs, *clips, "names", "words", "oracle", *POINTS}


def test_mistyped_name_gives_the_nearest() -> None:
    with pytest.raises(DataError, match="did you mean 'spiral'"):
        open_source(DataConfig(source="spirall"))


@pytest.mark.parametrize("source", ["./gone", "gone.zip", "/gone/away", "~nobody-here/x", "gone/" + "x" * 5000, "pictures"])
def test_missing_paths_are_named(source: str) -> None:
    with pytest.raises(DataError, match="no such file or folder; check the path"):
        open_source(DataConfig(source=source))


def test_nothing_is_no_source_and_an_empty_folder_is_named(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="got nothing"):
        open_source(DataConfig(source=""))
    with pytest.raises(DataError, match=f"^{tmp_path}: no pictures"):
        open_source(DataConfig(source=str(tmp_path)))


def test_a_built_in_name_wins_over_a_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "ring").mkdir()
    monkeypatch.chdir(tmp_path)
    ring = open_source(DataConfig(source="ring"))
    assert len(ring) == 50_000
    assert ring.warnings == ("ring is the built-in source; write ./ring for the path ring in this folder",)
    assert inspect("ring").warnings == ring.warnings
    assert inspect("moons").warnings == ()
    with pytest.raises(DataError, match="no pictures"):
        open_source(DataConfig(source="./ring"))


def test_a_single_picture_is_not_a_source(tmp_path: Path, write_picture: Callable[..., Path]) -> None:
    with pytest.raises(DataError, match="expected a folder"):
        open_source(DataConfig(source=str(write_picture(tmp_path / "a.png"))))


def test_broken_link_as_source(tmp_path: Path) -> None:
    (tmp_path / "link.zip").symlink_to(tmp_path / "gone")
    with pytest.raises(DataError, match=r"link\.zip"):
        open_source(DataConfig(source=str(tmp_path / "link.zip")))


@pytest.mark.parametrize(("resolution", "channels"), [(0, 1), (5000, 1), (32, 2), (32, 4)])
def test_settings_out_of_range(resolution: int, channels: int) -> None:
    with pytest.raises(UsageError, match="expected 1"):
        open_source(DataConfig(source="mnist"), resolution=resolution, channels=channels)


def test_flip_is_passed_on() -> None:
    assert open_source(DataConfig(source="mnist", split="test", flip=True)).flip


def test_built_in_sources_tell_their_splits() -> None:
    for source in ("mnist", "ring", "names"):
        assert open_source(DataConfig(source=source, split="test")).splits == ("train", "test")


def test_opening_data_loads_no_rendering() -> None:
    """`ganvas.data` is imported by every command: sheets, scatters and reports are not for all of them."""
    heavy = ["ganvas.data.report", "ganvas.media.preview", "ganvas.media.voxel_rendering", "PIL.ImageDraw", "PIL.ImageFont"]
    program = f"import sys, ganvas.data; print([name for name in {heavy} if name in sys.modules])"
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, timeout=60, check=True)
    assert done.stdout.strip() == "[]"


def test_a_doubt_of_a_reader_reaches_the_data_the_cache_and_the_report(
    tmp_path: Path, write_picture: Callable[..., Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    plain = folder.find
    write_picture(tmp_path / "p" / "a.png")

    def doubt(path: Path, split: str) -> DataSource:
        found = plain(path, split)
        contents = found.load()
        assert isinstance(contents, ImageCollection)
        doubted = replace(contents, warnings=("early",), late_warnings=lambda: ("late",))
        return replace(found, load=lambda: doubted)

    monkeypatch.setattr("ganvas.data.open.folder.find", doubt)
    config = DataConfig(source=str(tmp_path / "p"))
    assert open_source(config).warnings == open_source(config).warnings == ("early", "late")
    assert "\nwarning: early\nwarning: late\n" in inspect(config.source).text()


def test_a_path_is_found_in_either_unicode_form(
    tmp_path: Path, write_picture: Callable[..., Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    composed, decomposed = "\u00c4rger/f\u00fcr", "A\u0308rger/fu\u0308r"
    write_picture(tmp_path / decomposed / "a.png")
    (tmp_path / decomposed / "t.txt").write_text("one\ntwo\n")
    for given in (composed, decomposed, str(tmp_path / composed)):
        assert len(open_source(DataConfig(source=given))) == 1
        assert absolute_source(given) == str(tmp_path / decomposed)
    assert len(open_source(DataConfig(source=f"{composed}/t.txt"))) == 2
    for source in (f"{composed}s", "\u00c4", "\0\u00c4"):
        with pytest.raises(DataError, match="no such file or folder"):
            open_source(DataConfig(source=source))
