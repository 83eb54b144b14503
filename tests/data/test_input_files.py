"""Which pictures and films a user names: files, folders, zips; hidden files, links, hostile archives."""

from __future__ import annotations

import os
import zipfile
from pathlib import Path

import pytest
from PIL import Image

from ganvas.data.images import UnreadableError
from ganvas.data.input_files import find_inputs, require_other
from ganvas.errors import DataError, UsageError


def write(path: Path) -> Path:
    """A small picture."""
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.new("L", (2, 2)).save(path, "PNG")
    return path


def names(*inputs: Path) -> list[str]:
    """The names of what is found."""
    return [file.name for file in find_inputs(inputs).files]


def test_a_folder_keeps_names_and_order(tmp_path: Path) -> None:
    for name in ("b.png", "a.JPG", "sub/c.webp", "sub/deep/é.png", "film.mp4", ".hidden.png", ".git/x.png", "__MACOSX/y.png"):
        write(tmp_path / name)
    (tmp_path / "notes.txt").write_text("x")
    found = find_inputs([tmp_path])
    assert [file.name for file in found.files] == ["a.JPG", "b.png", "film.mp4", "sub/c.webp", "sub/deep/é.png"]
    assert [file.is_film for file in found.files] == [False, False, True, False, False]
    assert [(each.name, each.reason) for each in found.skipped] == [("notes.txt", "not a picture or a film, by its ending")]
    assert not found.alone
    without = find_inputs([tmp_path], films=False)
    assert [file.name for file in without.files] == ["a.JPG", "b.png", "sub/c.webp", "sub/deep/é.png"]
    assert without.skipped == (("film.mp4", "not a picture, by its ending"), ("notes.txt", "not a picture, by its ending"))
    with found.files[0].open() as file:
        assert file.read(4) == b"\x89PNG"


def test_several_inputs_begin_with_their_names(tmp_path: Path) -> None:
    write(tmp_path / "cats/a.png")
    write(tmp_path / "dogs/a.png")
    with zipfile.ZipFile(tmp_path / "more.zip", "w") as archive:
        archive.write(tmp_path / "cats/a.png", "in/a.png")
    found = names(tmp_path / "cats", tmp_path / "dogs", tmp_path / "more.zip", write(tmp_path / "one.png"))
    assert found == ["cats/a.png", "dogs/a.png", "more/in/a.png", "one.png"]
    assert names(tmp_path / "more.zip") == ["in/a.png"]


def test_one_file_is_alone_whatever_its_ending(tmp_path: Path) -> None:
    found = find_inputs([write(tmp_path / "photo.txt")])
    assert found.alone
    assert found.files[0].name == "photo.txt"


def test_links_are_followed_and_loops_end(tmp_path: Path) -> None:
    write(tmp_path / "in/a.png")
    (tmp_path / "in/b.png").symlink_to(tmp_path / "in/a.png")
    (tmp_path / "in/lost.png").symlink_to(tmp_path / "nowhere")
    (tmp_path / "in/self").symlink_to(tmp_path / "in")
    found = find_inputs([tmp_path / "in"])
    assert [file.name for file in found.files] == ["a.png", "b.png"]
    assert {each.name for each in found.skipped} == {"lost.png", "self/"}


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="no pipes here")
def test_a_pipe_is_not_opened(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "p.png")
    with pytest.raises(DataError, match=r"no picture and no film in it .*not a regular file"):
        find_inputs([tmp_path])
    with pytest.raises(UnreadableError, match="not a regular file"):
        find_inputs([tmp_path / "p.png"]).files[0].open()


def test_nothing_to_read_is_one_line(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="no picture and no film in it"):
        find_inputs([tmp_path])
    with pytest.raises(DataError, match="no picture in it"):
        find_inputs([tmp_path], films=False)
    with pytest.raises(DataError, match="no such file; check the path"):
        find_inputs([tmp_path / "gone.png"])
    (tmp_path / "bad.zip").write_bytes(b"PK")
    with pytest.raises(DataError, match="not a readable zip file"):
        find_inputs([tmp_path / "bad.zip"])


@pytest.mark.parametrize("name", ["../out.png", "/etc/out.png", "a/../../out.png", "C:/out.png"])
def test_an_archive_that_leads_out_is_refused(name: str, tmp_path: Path) -> None:
    with zipfile.ZipFile(tmp_path / "x.zip", "w") as archive:
        archive.writestr(name, b"x")
    with pytest.raises(DataError, match="leads out of the archive"):
        find_inputs([tmp_path / "x.zip"])


def test_a_bomb_is_refused(tmp_path: Path) -> None:
    with zipfile.ZipFile(tmp_path / "x.zip", "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("a.png", bytes(17 << 20))
    with pytest.raises(DataError, match="like a zip bomb"):
        find_inputs([tmp_path / "x.zip"])


def test_what_is_left_out_is_named_as_what_is_taken(tmp_path: Path) -> None:
    """With several inputs, by folder and zip."""
    for name in ("one", "two"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "notes.txt").write_text("x")
        Image.new("L", (4, 4)).save(tmp_path / name / "a.png")
    with zipfile.ZipFile(tmp_path / "two.zip", "w") as packed:
        packed.write(tmp_path / "two" / "notes.txt", "notes.txt")
        packed.write(tmp_path / "two" / "a.png", "a.png")
    found = find_inputs([tmp_path / "one", tmp_path / "two.zip"])
    assert [file.name for file in found.files] == ["one/a.png", "two/a.png"]
    assert [each.name for each in found.skipped] == ["one/notes.txt", "two/notes.txt"]


def test_an_output_is_no_input(tmp_path: Path) -> None:
    given, folder = tmp_path / "a.png", tmp_path / "folder"
    given.touch()
    folder.mkdir()
    (folder / "b.png").touch()
    (tmp_path / "link.png").symlink_to(given)
    for out, says in (
        (given, r"a\.png is the picture itself; choose another --to"),
        (tmp_path / "link.png", r"link\.png is the picture itself"),
        (folder / ".." / "new.png", r"new\.png is the mask itself"),  # neither is there yet
        (folder / "b.png", r"b\.png is a file of the data"),
    ):
        with pytest.raises(UsageError, match=says):
            require_other(out, {"the picture": given, "the mask": tmp_path / "new.png", "the data": folder}, "--to")
    require_other(folder / "c.png", {"the picture": given, "the data": folder})
