"""Pictures, animations, films, folders and zips into files; what is bad is listed, and nothing is replaced."""

from __future__ import annotations

import io
import json
import zipfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image, ImageSequence
from translators import make_translator

from ganvas.data.input_files import InputFile, open_input
from ganvas.errors import DataError, ResourceError, UsageError
from ganvas.inference.output_names import FolderNames, default_ending, find_free
from ganvas.inference.picture_translation import translate_one
from ganvas.inference.translate_files import translate_files
from ganvas.media import film_stream
from ganvas.utils import files

SIZES = {"a.png": (100, 50), "sub/b.jpg": (50, 30), "sub/é 猫.webp": (33, 47), "c.bmp": (1, 9)}


@pytest.fixture(autouse=True)
def _here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Outputs without a name go into this folder."""
    (tmp_path / "here").mkdir()
    monkeypatch.chdir(tmp_path / "here")


def write(path: Path, size: tuple[int, int] = (20, 10), mode: str = "RGB", **options: Any) -> Path:
    """A random picture."""
    path.parent.mkdir(parents=True, exist_ok=True)
    channels = len(Image.new(mode, (1, 1)).getbands())
    pixels = np.random.default_rng(0).integers(0, 256, (size[1], size[0], channels)).astype(np.uint8)
    Image.fromarray(pixels[..., 0] if channels == 1 else pixels).save(path, **options)
    return path


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Pictures of several sizes and kinds."""
    for name, size in SIZES.items():
        write(tmp_path / "in" / name, size)
    return tmp_path / "in"


def test_a_folder_keeps_sizes_names_and_subfolders(folder: Path, tmp_path: Path) -> None:
    model = make_translator("cyclegan")
    found = translate_files(model, [folder], tmp_path / "out", to="shaded")
    assert found.about == "flat > shaded"
    assert found.skipped == ()
    names = {name: (tmp_path / "out" / name).with_suffix(".png") for name in SIZES}
    assert set(found.written) == set(names.values()) == {path for path in (tmp_path / "out").rglob("*") if path.is_file()}
    for name, path in names.items():
        with Image.open(path) as image:
            assert image.size == SIZES[name]
            assert (image.info["synthetic"], image.info["direction"]) == ("true", "flat > shaded")
    with Image.open(folder / "a.png") as given, Image.open(names["a.png"]) as made:
        assert np.array_equal(np.asarray(made), translate_one(model, np.asarray(given), "shaded"))


def test_a_zip_is_a_folder(folder: Path, tmp_path: Path) -> None:
    with zipfile.ZipFile(tmp_path / "in.zip", "w") as archive:
        for name in SIZES:
            archive.write(folder / name, name)
    found = translate_files(make_translator("srgan"), [tmp_path / "in.zip"])
    assert found.out == Path("in-x2")
    with Image.open(found.out / "sub/é 猫.png") as image:
        assert image.size == (66, 94)
    assert len(found.written) == len(SIZES)


def test_a_bad_file_is_left_out_and_listed(folder: Path, tmp_path: Path) -> None:
    data = (folder / "a.png").read_bytes()
    (folder / "half.png").write_bytes(data[: len(data) // 2])
    (folder / "lie.png").write_bytes(b"hello")
    (folder / "empty.gif").write_bytes(b"")
    (folder / "film.mp4").write_bytes(b"no film")
    (folder / "bomb.png").write_bytes(data[:16] + (60_000).to_bytes(4, "big") * 2 + data[24:])
    (folder / "jpeg.png").write_bytes((folder / "sub/b.jpg").read_bytes())
    found = translate_files(make_translator("pix2pix"), [folder], tmp_path / "out")
    assert {each.name for each in found.skipped} == {"half.png", "lie.png", "empty.gif", "film.mp4", "bomb.png"}
    assert len(found.written) == len(SIZES) + 1
    assert (tmp_path / "out/jpeg.png").exists()
    assert not list((tmp_path / "out").glob(".ganvas*"))
    assert json.dumps(found.to_dict())


def test_if_all_are_bad_nothing_is_left(tmp_path: Path) -> None:
    (tmp_path / "in").mkdir()
    (tmp_path / "in/x.png").write_bytes(b"hello")
    with pytest.raises(DataError, match=r"none of 1 file could be translated \(x.png: not an image"):
        translate_files(make_translator("pix2pix"), [tmp_path / "in"], tmp_path / "out")
    assert not (tmp_path / "out").exists()
    with pytest.raises(DataError, match=f"^{tmp_path}/in/x.png: not an image"):  # as it was given
        translate_files(make_translator("pix2pix"), [tmp_path / "in/x.png"])
    assert not list(Path().iterdir())


def test_one_picture_gets_a_new_name(tmp_path: Path) -> None:
    model, photo = make_translator("cyclegan"), write(tmp_path / "photo.jpg")
    first = translate_files(model, [photo], to="shaded")
    second = translate_files(model, [photo], to="shaded")
    assert (first.out, second.out) == (Path("photo-shaded.png"), Path("photo-shaded-2.png"))
    assert first.out.read_bytes() == second.out.read_bytes()
    (tmp_path / "results").mkdir()
    write(tmp_path / "results/old.png")
    third = translate_files(model, [photo], tmp_path / "results", to="flat")
    assert third.out == tmp_path / "results/photo-flat.png"
    fourth = translate_files(model, [photo], f"{tmp_path}/new/", to="flat")
    assert fourth.out == tmp_path / "new/photo-flat.png"


def test_the_name_of_an_animation_is_of_its_kind(tmp_path: Path) -> None:
    """By the contents of the file: a WebP may be a picture."""
    frames = [Image.new("RGB", (8, 8), color) for color in ("red", "blue")]
    for ending in (".webp", ".png", ".gif"):
        frames[0].save(tmp_path / f"an{ending}", save_all=True, append_images=frames[1:])
    (tmp_path / "named.png").write_bytes((tmp_path / "an.webp").read_bytes())
    frames[0].save(tmp_path / "still.webp")
    (tmp_path / "bad.webp").write_bytes(b"hello")

    def ending_of(name: str) -> str:
        return default_ending(InputFile(name, lambda: open_input(tmp_path / name)))

    names = ("an.webp", "an.png", "an.gif", "named.png", "still.webp", "bad.webp", "film.mov")
    assert [ending_of(name) for name in names] == [".webp", ".png", ".gif", ".webp", ".png", ".png", ".mp4"]


@pytest.mark.parametrize(("ending", "kind"), [(".png", "PNG"), (".jpg", "JPEG"), (".webp", "WEBP"), (".gif", "GIF")])
def test_the_ending_chooses_the_kind(ending: str, kind: str, tmp_path: Path) -> None:
    found = translate_files(make_translator("pix2pix"), [write(tmp_path / "x.png", mode="RGBA")], tmp_path / f"y{ending}")
    with Image.open(found.out) as image:
        assert (image.format, image.size) == (kind, (20, 10))
    assert any("transparent pixels became white" in note for note in found.notes) == (kind == "JPEG")


def test_the_way_back(tmp_path: Path) -> None:
    found = translate_files(
        make_translator("cyclegan"), [write(tmp_path / "x.png")], tmp_path / "y.png", to="shaded", back=True
    )
    assert found.written == (tmp_path / "y.png", tmp_path / "y-back.png")
    with Image.open(tmp_path / "y-back.png") as image:
        assert image.info["direction"] == "flat > shaded > flat"
    with pytest.raises(UsageError, match="has no way back from shaded"):
        translate_files(make_translator("pix2pix"), [tmp_path / "x.png"], back=True)


def test_the_way_back_of_an_animation(tmp_path: Path) -> None:
    frames = [Image.new("RGB", (16, 16), (level, 90, 30)) for level in (0, 120, 240)]
    frames[0].save(tmp_path / "x.gif", save_all=True, append_images=frames[1:], duration=[40, 60, 200], loop=0)
    model = make_translator("cyclegan")
    found = translate_files(model, [tmp_path / "x.gif"], tmp_path / "y.png", to="shaded", back=True)
    assert found.written == (tmp_path / "y.png", tmp_path / "y-back.png")
    with Image.open(tmp_path / "x.gif") as given, Image.open(tmp_path / "y-back.png") as again:
        for number in range(3):
            given.seek(number)
            again.seek(number)
            there = translate_one(model, np.asarray(given.convert("RGB")), "shaded")
            assert np.array_equal(np.asarray(again.convert("RGB")), translate_one(model, there, "flat"))


def modes(paths: Sequence[Path]) -> list[str]:
    """What Pillow calls the channels of pictures."""
    found = []
    for path in paths:
        with Image.open(path) as image:
            found.append(image.mode)
    return found


def test_grey_and_transparency(tmp_path: Path) -> None:
    paths = [write(tmp_path / f"{mode}.png", mode=mode) for mode in ("L", "LA", "RGBA")]
    kept = translate_files(make_translator("filters"), paths, tmp_path / "kept")
    assert modes(kept.written) == ["L", "LA", "RGBA"]
    colored = translate_files(make_translator("pix2pix"), paths, tmp_path / "colored")
    assert modes(colored.written) == ["RGB", "RGBA", "RGBA"]
    assert "2 grey pictures became color: pix2pix-test makes color pictures" in colored.notes


def test_sixteen_bits(tmp_path: Path) -> None:
    Image.fromarray((np.arange(400, dtype=np.uint16) * 160).reshape(20, 20)).save(tmp_path / "deep.png")
    found = translate_files(make_translator("filters"), [tmp_path / "deep.png"])
    with Image.open(found.out) as image:
        assert image.mode == "I;16"
    lost = translate_files(make_translator("filters"), [tmp_path / "deep.png"], "y.jpg")
    assert "deep.png: 16 bits became 8 bits" in lost.notes


def test_another_size_than_in_the_training_is_told_once(folder: Path, tmp_path: Path) -> None:
    model = make_translator("pix2pix")
    found = translate_files(model, [folder], tmp_path / "out")
    assert [note for note in found.notes if "was trained on 64 x 64" in note and "3 other sizes" in note]
    write(tmp_path / "fits.png", (64, 64))
    assert translate_files(model, [tmp_path / "fits.png"]).notes == ()
    model.card["recipe"]["data"]["tile"] = 64  # parts of pictures of any size
    assert translate_files(model, [folder], tmp_path / "out2").notes == ()


@pytest.mark.parametrize(("kind", "ending"), [("GIF", ".gif"), ("WEBP", ".webp")])
def test_animations_keep_times_loop_and_transparency(kind: str, ending: str, tmp_path: Path) -> None:
    frames = []
    for level in (0, 80, 160):
        pixels = np.full((12, 16, 4), level, np.uint8)
        pixels[..., 3] = 255
        pixels[:4, : 4 + level // 40, 3] = 0
        frames.append(Image.fromarray(pixels))
    source = tmp_path / f"in/x{ending}"
    source.parent.mkdir()
    frames[0].save(
        source, kind, save_all=True, append_images=frames[1:], duration=[40, 60, 200], loop=2, disposal=2, lossless=True
    )
    found = translate_files(make_translator("filters"), [tmp_path / "in"], tmp_path / "out")
    assert found.written == (tmp_path / f"out/x{ending}",)
    with Image.open(found.written[0]) as image:
        assert image.info["loop"] == 2
        seen = []
        for frame in ImageSequence.Iterator(image):
            alpha = np.asarray(frame.convert("RGBA"))[..., 3]
            seen.append((frame.info["duration"], frame.size, int((alpha == 0).sum())))
    assert seen == [(40, (16, 12), 16), (60, (16, 12), 24), (200, (16, 12), 32)]


def test_a_film(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    av = pytest.importorskip("av")
    with av.open(str(tmp_path / "x.mov"), "w") as container:
        stream = container.add_stream("libx264", rate=10)
        stream.width, stream.height, stream.pix_fmt = 32, 24, "yuv420p"
        for level in range(5):
            frame = av.VideoFrame.from_ndarray(np.full((24, 32, 3), 40 * level, np.uint8), format="rgb24")
            container.mux(stream.encode(frame))
        container.mux(stream.encode())
    told: list[tuple[str, int, int]] = []
    found = translate_files(make_translator("grey"), [tmp_path / "x.mov"], progress=lambda *at: told.append(at))
    assert found.out == Path("x-real.mp4")
    with av.open(str(found.out)) as container:
        assert len(list(container.decode(video=0))) == 5
        assert container.streams.video[0].average_rate == 10
        assert json.loads(container.metadata["comment"])["synthetic"] == "true"
    assert told == [("frames", i + 1, 5) for i in range(5)]
    found = translate_files(make_translator("cyclegan"), [tmp_path / "x.mov"], "there.mp4", to="shaded", back=True)
    assert found.written == (Path("there.mp4"), Path("there-back.mp4"))
    with av.open("there-back.mp4") as container:
        assert len(list(container.decode(video=0))) == 5
        assert json.loads(container.metadata["comment"])["direction"] == "flat > shaded > flat"
    monkeypatch.setattr(film_stream, "MOST_FRAMES", 5)
    found = translate_files(make_translator("cyclegan"), [tmp_path / "x.mov"], "short.gif", to="shaded")
    with Image.open(found.out) as image:
        assert (image.format, image.n_frames, image.info["duration"]) == ("GIF", 5, 100)
    monkeypatch.setattr(film_stream, "MOST_FRAMES", 4)
    with pytest.raises(DataError, match=r"too long for a GIF, WebP or PNG: expected at most 4 frames.*ending in .mp4"):
        translate_files(make_translator("cyclegan"), [tmp_path / "x.mov"], "long.gif", to="shaded")
    with pytest.raises(UsageError, match=r"expected a name ending in .mp4, .mov, .mkv"):
        translate_files(make_translator("grey"), [tmp_path / "x.mov"], "y.avi")


def test_what_should_tile_is_a_picture(tmp_path: Path) -> None:
    frames = [Image.new("RGB", (16, 16), (level, 90, 30)) for level in (0, 120)]
    frames[0].save(tmp_path / "x.gif", save_all=True, append_images=frames[1:], duration=40)
    with pytest.raises(UsageError, match="tileable: expected pictures, found an animation or a film"):
        translate_files(make_translator("filters"), [tmp_path / "x.gif"], tileable=True)
    plain, joined = (
        translate_files(make_translator("filters"), [write(tmp_path / "x.png")], tileable=tileable)
        for tileable in (False, True)
    )
    assert plain.out.read_bytes() != joined.out.read_bytes()


def test_nothing_is_replaced_by_chance(folder: Path, tmp_path: Path) -> None:
    model, photo = make_translator("pix2pix"), write(tmp_path / "x.png")
    before = photo.read_bytes()
    (tmp_path / "link.png").symlink_to(photo)
    for out in (photo, tmp_path / "link.png"):
        with pytest.raises(UsageError, match="is the input itself; choose another --out"):
            translate_files(model, [photo], out)
    (tmp_path / "door").symlink_to(folder)
    for out in (folder / "out", folder / "sub/out", folder, tmp_path / "door/out"):
        with pytest.raises(UsageError, match="is inside the input"):
            translate_files(model, [folder], out)
    write(tmp_path / "full/old.png")
    with pytest.raises(UsageError, match="expected a new or an empty folder"):
        translate_files(model, [folder], tmp_path / "full")
    with pytest.raises(UsageError, match="expected a new or an empty folder, found a file"):
        translate_files(model, [folder], photo)
    for wrong in ("y.tiff", "gone"):
        with pytest.raises(UsageError, match=r"expected a name ending in .*, or an existing folder; a new folder ends in /"):
            translate_files(model, [photo], tmp_path / wrong)
    assert photo.read_bytes() == before
    assert not list(Path().iterdir())


def test_a_place_that_cannot_be_written_is_told_before_anything_is_computed(folder: Path, tmp_path: Path) -> None:
    model, photo = make_translator("pix2pix"), write(tmp_path / "x.png")
    with pytest.raises(ResourceError, match=r"no folder .*gone; create it"):
        translate_files(model, [photo], tmp_path / "gone/y.png")
    (tmp_path / "file").write_bytes(b"")
    with pytest.raises(ResourceError, match="cannot write"):
        translate_files(model, [folder], tmp_path / "file/out")


def test_equal_names_get_names_of_their_own(tmp_path: Path) -> None:
    for name in ("a.png", "a.jpg", "A.webp"):
        write(tmp_path / "in" / name)
    found = translate_files(make_translator("filters"), [tmp_path / "in"], tmp_path / "out")
    assert [path.name for path in found.written] == ["A.webp.png", "a.jpg.png", "a.png"]


def test_files_of_one_name_from_two_folders_get_numbers(tmp_path: Path) -> None:
    files = [write(tmp_path / folder / "a.png") for folder in ("one", "two", "three")]
    found = translate_files(make_translator("filters"), files, tmp_path / "out")
    assert [path.name for path in found.written] == ["a.png", "a-2.png", "a-3.png"]


def test_a_folder_is_not_called_like_a_picture(folder: Path, tmp_path: Path) -> None:
    for name in ("x.png", "x.mp4", "x.GIF"):
        with pytest.raises(UsageError, match="expected a folder for several files"):
            translate_files(make_translator("filters"), [folder], tmp_path / name)
        assert not (tmp_path / name).exists()
    (tmp_path / "empty.png").mkdir()  # whoever has made it means it
    assert translate_files(make_translator("filters"), [folder], tmp_path / "empty.png").written


def test_a_still_gif_does_not_take_the_name_of_another(tmp_path: Path) -> None:
    write(tmp_path / "in/a.gif", mode="L")
    write(tmp_path / "in/a.png")
    found = translate_files(make_translator("filters"), [tmp_path / "in"], tmp_path / "out")
    assert [path.name for path in found.written] == ["a.gif.png", "a.png"]


def test_long_names_are_left_out_or_cut(tmp_path: Path) -> None:
    with zipfile.ZipFile(tmp_path / "x.zip", "w") as archive:
        data = io.BytesIO()
        Image.new("L", (4, 4)).save(data, "PNG")
        archive.writestr(f"{'n' * 300}.png", data.getvalue())
        archive.writestr("ok.png", data.getvalue())
        archive.writestr("ok.png/inside.png", data.getvalue())
    found = translate_files(make_translator("filters"), [tmp_path / "x.zip"], tmp_path / "out")
    assert [path.name for path in found.written] == ["ok.png"]
    assert len(found.skipped) == 2
    assert "its name is too long" in found.skipped[0].reason
    long = write(tmp_path / f"{'猫' * 80}.png")
    assert translate_files(make_translator("filters"), [long]).out.exists()


def test_wrong_requests_come_before_the_files(folder: Path) -> None:
    for options, words in (
        ({"strength": 2}, "strength"),
        ({"seed": -1}, "seed"),
        ({"to": "nowhere"}, "unknown output .nowhere."),
        ({"back": True}, "way back"),
    ):
        with pytest.raises(UsageError, match=words):
            translate_files(make_translator("pix2pix"), [folder], **options)  # type: ignore[arg-type]


def test_a_full_disk_is_an_error_and_not_a_bad_file(folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(_path: Path, _data: bytes) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(files, "write_new", fail)
    with pytest.raises(ResourceError, match="No space left on device; free some space"):
        translate_files(make_translator("filters"), [folder], tmp_path / "out")


def test_free_names(tmp_path: Path) -> None:
    (tmp_path / "x.png").symlink_to(tmp_path / "nowhere")
    assert find_free(tmp_path / "x.png") == tmp_path / "x-2.png"


def test_names_in_a_folder() -> None:
    files = ["s/a.jpg", "s/A.webp", "s/b.jpg", "s/b.png"]
    names = FolderNames(files)
    assert [names.choose(files[0], ".png") for _ in range(3)] == ["s/a.png", "s/a.jpg.png", "s/a.jpg-2.png"]
    assert names.choose(files[1], ".png") == "s/A.webp.png"
    assert [names.choose(file, ".png") for file in files[2:]] == ["s/b.jpg.png", "s/b.png"], "a PNG keeps its name"
    assert [names.choose_beside("s/b.png", "back") for _ in range(2)] == ["s/b-back.png", "s/b-back-2.png"]


def test_the_way_back_replaces_nothing(tmp_path: Path) -> None:
    model = make_translator("cyclegan")
    for name in ("a.png", "a-back.png"):
        write(tmp_path / "in" / name)
    found = translate_files(model, [tmp_path / "in"], tmp_path / "out", to="shaded", back=True)
    names = {"a.png", "a-back.png", "a-back-2.png", "a-back-back.png"}
    assert {path.name for path in found.written} == names == {path.name for path in (tmp_path / "out").iterdir()}
    (tmp_path / "y-back.png").write_bytes(b"mine")
    translate_files(model, [tmp_path / "in" / "a.png"], tmp_path / "y.png", to="shaded", back=True)
    assert (tmp_path / "y-back.png").read_bytes() == b"mine"
    assert (tmp_path / "y-back-2.png").exists()


@pytest.mark.parametrize("mode", ["grey", "transparent"])
def test_sixteen_bits_become_eight_in_color(tmp_path: Path, mode: str) -> None:
    Image.fromarray((np.arange(400, dtype=np.uint16) * 160).reshape(20, 20)).save(tmp_path / "deep.png")
    write(tmp_path / "plain.png", (20, 20), mode="L" if mode == "grey" else "LA")
    inputs = [tmp_path / "deep.png", tmp_path / "plain.png"]
    found = translate_files(make_translator("pix2pix"), inputs, tmp_path / "out", strength=0)
    assert found.skipped == ()
    assert len(found.written) == 2
    assert "deep.png: 16 bits became 8 bits" in found.notes
    with Image.open(tmp_path / "out" / "deep.png") as image:
        assert image.mode == "RGB"
        levels = np.asarray(image).astype(int)[..., 0].ravel()
    assert np.abs(levels - np.rint(np.arange(400) * 160 / 257)).max() <= 1


class _OneWay(torch.nn.Module):
    """A generator that adds `change` to each color."""

    def __init__(self, change: float) -> None:
        super().__init__()
        self.change = change

    def forward(self, image: torch.Tensor) -> torch.Tensor:
        return (image + self.change).clamp(-1, 1)


@pytest.mark.parametrize(("to", "told"), [("shaded", True), ("flat", False)])
def test_pictures_of_the_target_are_noticed(folder: Path, tmp_path: Path, to: str, told: bool) -> None:
    """G_ab leaves them as they are, as its identity term taught it, and G_ba changes them."""
    model = make_translator("cyclegan")
    game: Any = model.game
    del game.G_ab, game.G_ba
    game.G_ab, game.G_ba = _OneWay(0.02), _OneWay(0.3)
    notes = translate_files(model, [folder], tmp_path / "out", to=to).notes
    found = [note for note in notes if "as if already" in note]
    assert len(found) == told
    if told:
        assert "as if already shaded" in found[0]
        assert "was 'flat' meant?" in found[0]


def test_games_of_one_direction_have_nothing_to_compare(folder: Path, tmp_path: Path) -> None:
    notes = translate_files(make_translator("pix2pix"), [folder], tmp_path / "out").notes
    assert not any("as if already" in note for note in notes)
