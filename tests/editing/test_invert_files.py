"""The verb `ganvas invert`: pictures of any kind, what is written, what it says, and what it refuses."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image
from support import PLAN, ganvas, miniature, miniature_model

from ganvas.cli.app import app
from ganvas.editing import floors
from ganvas.editing.invert_files import Inverted, _name_files, invert_files
from ganvas.engine.autotune import initial_state
from ganvas.errors import DataError, GanvasWarning, ResourceError, UsageError
from ganvas.inference import model_file
from ganvas.inference.codes import load_codes
from ganvas.inference.model import Model, load
from ganvas.utils.settings import to_dict


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A run folder with a model of digits that has not learned yet, and a folder with three of its samples."""
    recipe, data = miniature("cgan-mnist")
    recipe = replace(recipe, data=replace(recipe.data, source="not-here"))
    folder = tmp_path_factory.mktemp("inverted")
    model_file.save(
        folder / "run",
        initial_state(recipe, PLAN).average,
        {"recipe": to_dict(recipe), "classes": list(data.classes), "items": 0},
    )
    load(folder / "run").save(folder / "pictures", 3, seed=10_000)
    return folder


def open_model(run: Path) -> Model:
    return load(run / "run")


def test_what_cannot_end_well_is_refused_before_the_search(run: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def search(*_: Any, **__: Any) -> None:
        raise AssertionError("searched")

    monkeypatch.setattr("ganvas.editing.invert_files.invert", search)
    with pytest.raises(UsageError, match="tuning steps: expected a number from 1"):
        invert_files(open_model(run), [run / "pictures"], tmp_path / "out", tune=-3)
    with pytest.raises(ResourceError, match=r"no folder .*missing; create it"):
        invert_files(open_model(run), [run / "pictures"], tmp_path / "missing" / "out")
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("name", ["voxel-shapes", "textgan-names", "gan-ring"])
def test_a_model_of_no_images_is_refused_in_one_line(name: str, run: Path, tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="this needs images"):
        invert_files(miniature_model(name), [run / "pictures"], tmp_path / "out")
    assert not list(tmp_path.iterdir())


def test_many_pictures_tell_how_far_it_is(
    run: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("ganvas.cli.arguments.PAUSE", 0.0)
    for flag, told in (("--no-align", ["1 of 3 pictures", "2 of 3 pictures"]), ("--quiet", []), ("--json", [])):
        words = ["invert", str(run / "run"), str(run / "pictures"), "--steps", "1", "--restarts", "1", "--no-floor", flag]
        app([*words, "--out", str(tmp_path / flag)], exit_on_error=False, print_error=False, result_action="return_value")
        assert [line for line in capsys.readouterr().err.splitlines() if " of " in line] == told


def test_what_is_written(run: Path, tmp_path: Path) -> None:
    model, out = open_model(run), tmp_path / "out"
    found = invert_files(model, [run / "pictures"], out)
    assert sorted(path.name for path in out.iterdir()) == sorted(
        ["codes.npz", "search.gif", "sheet.png", *(f"{name.removesuffix('.png')}.png" for name in found.names)]
    )
    assert found.classes == ("0", "1", "2")
    assert max(found.errors) < 1
    assert found.own is not None
    assert found.own < 1
    assert found.held_out is None  # its data is not here
    assert [each.name for each in found.skipped] == ["labels.csv"]
    codes = load_codes(out / "codes.npz", model.drawer.latent_dim, 10)
    assert len(codes) == 3
    for i, name in enumerate(codes.names):
        with Image.open(out / f"{name}.png") as made, Image.open(run / "pictures" / f"{name}.png") as given:
            assert np.abs(np.asarray(made, int) - np.asarray(given, int)).max() <= 3
            assert (made.info["model"], made.info["picture"], made.info["synthetic"]) == (model.identity, name, "true"), i
    with Image.open(out / "sheet.png") as sheet:
        assert sheet.info["space"] == "z"


def test_pictures_of_other_kinds_are_made_as_the_data(run: Path, tmp_path: Path) -> None:
    """Color, transparent, 16-bit and large pictures; equal names in subfolders; one that cannot be read is told."""
    source = tmp_path / "mixed"
    (source / "more").mkdir(parents=True)
    with Image.open(next((run / "pictures").glob("*.png"))) as digit:
        digit.convert("RGB").resize((140, 140), Image.Resampling.LANCZOS).save(source / "large.png")
        digit.convert("RGBA").save(source / "more" / "large.png")
        Image.fromarray(np.asarray(digit).astype(np.uint16) * 257).save(source / "deep.png")
    (source / "broken.png").write_bytes(b"no picture")
    found = invert_files(open_model(run), [source], tmp_path / "out", floor=False, steps=30)
    assert found.names == ("deep.png", "large.png", "more/large.png")
    assert found.errors[0] < 3
    assert [each.name for each in found.skipped] == ["broken.png"]
    assert (found.own, found.held_out) == (None, None)
    assert {path.name for path in (tmp_path / "out").glob("*.png")} == {"deep.png", "large.png", "more-large.png", "sheet.png"}


def test_the_command(run: Path, tmp_path: Path) -> None:
    one = next((run / "pictures").glob("*.png"))
    done = ganvas("invert", run / "run", one, "--no-floor", "--label", "0", cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    first, out = done.stdout.splitlines()
    assert first.startswith((f"{one.name}: 0.", f"{one.name}: 1."))
    assert first.endswith("of 255 levels, as 0")
    assert out == f"{one.stem}-inverted"
    done = ganvas("invert", run / "run", one, "--json", "--steps", 2, cwd=tmp_path)
    report = json.loads(done.stdout)
    assert report["out"] == f"{one.stem}-inverted-2"
    assert report["pictures"][0]["name"] == one.name
    assert report["own_samples"] is not None
    file = tmp_path / f"{one.stem}-inverted" / "codes.npz"
    done = ganvas("traverse", "run", "--direction", "axis:0", "--seeds", file, "--out", tmp_path / "t.png", cwd=run)
    assert done.returncode == 0, done.stderr
    with Image.open(tmp_path / "t.png") as sheet:
        assert sheet.info["seeds"] == one.stem
    before = file.read_bytes()
    done = ganvas("sample", "run", "--latents", f"{file}#{one.stem}", "--out", file, cwd=run)
    assert (done.returncode, file.read_bytes()) == (2, before)
    assert "is the file of codes itself; choose another --out" in done.stderr
    done = ganvas("traverse", "run", "--seeds", tmp_path / "none.npz", cwd=run)
    assert (done.returncode, done.stderr.count("\n")) == (3, 1), done.stderr
    assert "no such file" in done.stderr


def test_a_tuned_copy_is_a_model_of_its_own(run: Path, tmp_path: Path) -> None:
    model, out = open_model(run), tmp_path / "out"
    with Image.open(next((run / "pictures").glob("*.png"))) as sample:
        Image.fromarray(255 - np.asarray(sample)).save(tmp_path / "negative.png")
    found = invert_files(model, [tmp_path / "negative.png"], out, floor=False, align=False, tune=60, restarts=2, steps=2)
    assert found.errors[0] < 0.9 * found.untuned[0]
    copy = load(out)
    assert copy.card["tuned_from"] == model.identity
    assert copy.identity != model.identity
    codes = copy.load_codes(f"{out}/codes.npz#negative")
    assert codes.model == copy.identity
    with pytest.warns(GanvasWarning, match=f"codes.npz: found with the model {copy.identity}, and this is {model.identity}"):
        model.load_codes(out / "codes.npz")
    picture = copy.space("z").pictures(codes.codes, codes.classes)
    with Image.open(out / "negative.png") as saved:
        assert np.abs((picture[0, 0].numpy() + 1) * 127.5 - np.asarray(saved)).max() <= 1
    with pytest.raises(DataError, match="discriminator"):
        load(out, discriminator=True)


def test_a_scan_is_aligned_and_it_is_told(run: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    import torch

    from ganvas.editing import invert_files as module
    from ganvas.inference.alignment import Ground

    bars = torch.full((8, 1, 28, 28), -1.0)
    bars[:, :, 4:24, 12:16] = 1
    monkeypatch.setattr(module.Ground, "of_samples", lambda samples, of=Ground.of_samples: of(bars))  # as a trained model has
    scan = np.full((300, 200), 240, np.uint8)
    scan[50:150, 40:60] = 10
    Image.fromarray(scan).save(tmp_path / "scan.png")
    for align, words in ((True, "light and dark exchanged, its figure placed as in the data"), (False, "")):
        out = tmp_path / f"out-{align}"
        found = invert_files(open_model(run), [tmp_path / "scan.png"], out, floor=False, align=align, restarts=1, steps=1)
        assert found.aligned == (words,)
        assert found.to_dict()["pictures"][0]["aligned"] == words


def test_the_command_needs_pictures(run: Path) -> None:
    done = ganvas("invert", "run", cwd=run)
    assert (done.returncode, done.stderr.count("\n")) == (2, 1), done.stderr
    assert "expected a picture" in done.stderr


@pytest.mark.parametrize(
    ("inputs", "says"),
    [
        (["nowhere.png"], "no such file"),
        (["empty/../broken.png"], r"^empty/\.\./broken\.png: not an image"),  # as it was given
        (["empty"], "no picture in it$"),  # a film would not be taken
    ],
)
def test_nothing_to_read(inputs: list[str], says: str, run: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    Path("broken.png").write_bytes(b"no picture")
    Path("empty").mkdir()
    with pytest.raises(DataError, match=says):
        invert_files(open_model(run), inputs, "out")
    assert not Path("out").exists()


def test_a_folder_with_files_is_not_touched(run: Path, tmp_path: Path) -> None:
    (tmp_path / "kept.txt").write_text("mine")
    with pytest.raises(UsageError, match="new or an empty folder"):
        invert_files(open_model(run), [run / "pictures"], tmp_path)
    assert [path.name for path in tmp_path.iterdir()] == ["kept.txt"]


def test_ctrl_c_keeps_what_was_found(run: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from ganvas.editing import code_search

    steps: list[Any] = []
    original = code_search.Search._step

    def interrupted(self: Any, *given: Any) -> Any:
        steps.append(None)
        if len(steps) == 3:
            raise KeyboardInterrupt
        return original(self, *given)

    monkeypatch.setattr(code_search.Search, "_step", interrupted)
    found = invert_files(open_model(run), [run / "pictures"], tmp_path / "out")
    assert len(found.names) == len(load_codes(tmp_path / "out" / "codes.npz", open_model(run).drawer.latent_dim, 10)) < 3
    assert "stopped" in found.skipped[-1].reason
    assert found.own is None
    assert found.stopped


def test_ctrl_c_before_the_first_code_writes_nothing(run: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def interrupted(*_: Any, **__: Any) -> None:
        raise KeyboardInterrupt

    for place in ("invert", "read_aligned"):
        with monkeypatch.context() as patched:
            patched.setattr(f"ganvas.editing.invert_files.{place}", interrupted)
            with pytest.raises(KeyboardInterrupt, match="interrupted before the search began; nothing is written"):
                invert_files(open_model(run), [run / "pictures"], tmp_path / "out", align=False)
    assert not list(tmp_path.iterdir())


def test_ctrl_c_between_two_pictures_or_in_the_floors_keeps_the_codes(
    run: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from ganvas.editing import invert_files as module

    original, calls = module.invert, list[Any]()

    def once(*given: Any, **search: Any) -> Any:
        calls.append(None)
        if len(calls) == 2:
            raise KeyboardInterrupt
        return original(*given, **search)

    def interrupted(*_: Any, **__: Any) -> None:
        raise KeyboardInterrupt

    few: dict[str, Any] = {"align": False, "restarts": 1, "steps": 1}
    monkeypatch.setattr(module.Floors, "measure", interrupted)
    found = invert_files(open_model(run), [next((run / "pictures").glob("*.png"))], tmp_path / "floors", **few)
    assert ((tmp_path / "floors" / "codes.npz").is_file(), found.own, found.held_out) == (True, None, None)
    monkeypatch.setattr(module, "invert", once)
    found = invert_files(open_model(run), [run / "pictures"], tmp_path / "two", **few)
    assert len(load_codes(tmp_path / "two" / "codes.npz", open_model(run).drawer.latent_dim, 10)) == len(found.names) == 1
    assert [each.reason for each in found.skipped[-2:]] == ["stopped before it"] * 2


def test_each_search_is_told_before_it_begins_and_a_floor_that_was_stopped_is_none(
    run: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    few: dict[str, Any] = {"align": False, "restarts": 1, "steps": 1}
    told = list[str]()
    picture = next((run / "pictures").glob("*.png"))
    found = invert_files(open_model(run), [picture], tmp_path / "told", tell=told.append, **few)
    assert found.own is not None
    assert [line[:24] for line in told] == [f"to compare: picture {k} of" for k in (1, 2, 3)]
    original = floors.invert
    monkeypatch.setattr(floors, "invert", lambda *given, **search: replace(original(*given, **search), stopped=True))
    found = invert_files(open_model(run), [picture], tmp_path / "stopped", **few)
    assert (found.own, found.held_out, found.stopped) == (None, None, False)


def test_an_error_far_above_its_floor_is_told(
    run: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def invert(own: float | None, held_out: float | None, *untuned: float) -> Inverted:
        return Inverted(Path("x"), ("seven", "emoji"), (25.0, 89.0), (), own, held_out, (), ("", ""), untuned)

    assert invert(0.3, 12.0).far == invert(0.3, None).far == ("emoji",)
    assert invert(0.3, 30.0).far == invert(None, None).far == ()
    assert invert(0.3, 12.0).to_dict()["far_above"] == ["emoji"]
    words = ["invert", str(run / "run"), "a.png"]
    for found, hint in ((invert(0.3, 12.0), "; --tune 200 trains a copy that can"), (invert(0.3, 12.0, 30.0, 95.0), "")):
        monkeypatch.setattr("ganvas.editing.invert_files.invert_files", lambda *_, told=found, **__: told)
        app(words, exit_on_error=False, print_error=False, result_action="return_value")
        line = capsys.readouterr().out.splitlines()[-2]
        assert line == f"emoji: far above that: the model can only make what is like the pictures it was trained on{hint}"


def test_a_stop_before_the_tuning_is_told(
    run: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    stopped = Inverted(Path("x"), ("a",), (1.0,), (), None, None, (), ("",))
    monkeypatch.setattr("ganvas.editing.invert_files.invert_files", lambda *_, **__: stopped)
    for tune, told in (("200", True), ("0", False)):
        words = ["invert", str(run / "run"), "a.png", "--tune", tune]
        app(words, exit_on_error=False, print_error=False, result_action="return_value")
        assert ("stopped before the tuning" in capsys.readouterr().err) == told


def test_a_stopped_search_is_told(run: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    words = ["invert", str(run / "run"), "a.png", "--json"]
    for stopped in (True, False):
        found = Inverted(Path("x"), ("a",), (1.0,), (), None, None, (), ("",), stopped=stopped)
        monkeypatch.setattr("ganvas.editing.invert_files.invert_files", lambda *_, told=found, **__: told)
        app(words, exit_on_error=False, print_error=False, result_action="return_value")
        said = capsys.readouterr()
        assert said.err == "warning: stopped before its end: the best so far\n" * stopped
        assert json.loads(said.out)["stopped"] == stopped


def test_a_stopped_tuning_is_told(run: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def interrupted(_: Any) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr("ganvas.editing.tuning._Tuner.step", interrupted)
    one = next((run / "pictures").glob("*.png"))
    few: dict[str, Any] = {"align": False, "floor": False, "restarts": 1, "steps": 1}
    assert invert_files(open_model(run), [one], tmp_path / "out", tune=1, **few).stopped
    assert not invert_files(open_model(run), [one], tmp_path / "whole", **few).stopped


def test_names_are_those_of_a_translation() -> None:
    names = ["x.jpg", "x.png", "x-2.png", "sub/y.PNG", "sheet.png", "codes.png", "x.png", "…" * 90 + ".png"]
    found = _name_files(names)
    assert found[:7] == ["x.jpg", "x", "x-2", "sub-y", "sheet-2", "codes-2", "x-3"]
    assert len(found[7].encode()) < 240
