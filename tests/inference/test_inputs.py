"""Games that take inputs: tasks, sheets and the methods of a model, for each of the miniatures."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import miniatures
import numpy as np
import pytest
import torch
from miniatures import fresh_game, save_bundle
from PIL import Image
from support import miniature_model
from translators import make_translator

from ganvas.core.capabilities import TakesInputs
from ganvas.core.modality import LABEL_MAPS
from ganvas.data.masks import masks_of_seeds
from ganvas.data.paired import PairedDataset
from ganvas.data.table import TableDataset
from ganvas.errors import DataError, UsageError
from ganvas.games import GAMES
from ganvas.inference import inputs
from ganvas.inference.inputs import list_tasks, run_task
from ganvas.inference.loaded_game import takes_maps
from ganvas.inference.model import Model, load
from ganvas.inference.sheet import draw_outputs, make_sheet

NAMES = tuple(miniatures.RECIPES)
TASKS = {
    "miniature-cycle": ("a>b", "b>a"),
    "miniature-pair": ("source>real",),
    "miniature-puppet": ("animation",),
    "miniature-filler": ("inpainting",),
    "miniature-larger": ("super-resolution",),
}


@pytest.fixture(autouse=True)
def _games(monkeypatch: pytest.MonkeyPatch) -> None:
    miniatures.install(monkeypatch)


def model_of(name: str, folder: Path) -> Model:
    """The miniature, saved as a bundle and loaded again."""
    return load(save_bundle(name, folder), "cpu")


def pictures(n: int = 5, side: int = 16) -> np.ndarray[Any, Any]:
    """Random images uint8 [n, side, side, 1]."""
    return np.random.default_rng(0).integers(0, 256, (n, side, side, 1), np.uint8)


@pytest.mark.parametrize("name", NAMES)
def test_outputs_are_bytes_and_the_same_in_any_company(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    game, data = fresh_game(name), miniatures.table(name)
    assert isinstance(game, TakesInputs)
    tasks = list_tasks(game)
    assert tuple(task.name for task in tasks) == TASKS[name]
    for task in tasks:
        whole = run_task(task, data, torch.arange(40))
        assert whole.output.dtype == torch.uint8
        assert len(whole.output) == 40
        assert len(whole.output.unique(dim=0)) > 20
        alone = run_task(task, data, torch.tensor([35]))
        assert torch.equal(alone.output[0], whole.output[35])
        for shown, part in whole.inputs.items():
            assert torch.equal(alone.inputs[shown][0], part[35])
        assert (whole.truth is None) == (name == "miniature-cycle")
        assert whole.truth is None or whole.truth.shape == whole.output.shape
        assert (whole.back is not None) == (name == "miniature-cycle")


def test_the_truth_is_that_of_the_row() -> None:
    data = miniatures.table("miniature-pair")
    (task,) = list_tasks(fresh_game("miniature-pair"))
    rows = torch.tensor([7, 3])
    found = run_task(task, data, rows)
    assert found.truth is not None
    assert torch.equal(found.inputs["source"], data.rows(rows)["source"])
    assert torch.equal(found.truth, 255 - found.inputs["source"])


def test_half_of_a_translation_is_half_way() -> None:
    game, data, rows = fresh_game("miniature-pair"), miniatures.table("miniature-pair"), torch.tensor([7, 3])
    none, half, all_of_it = (run_task(list_tasks(game, share)[0], data, rows).output.int() for share in (0.0, 0.5, 1.0))
    assert torch.equal(none, data.rows(rows)["source"].int())
    assert (2 * half - none - all_of_it).abs().max() <= 2  # each is rounded to bytes


def test_the_game_does_not_see_the_missing_pixels() -> None:
    data = miniatures.table("miniature-filler")
    (task,) = list_tasks(fresh_game("miniature-filler"))
    found = run_task(task, data, torch.arange(4))
    masked, output, real = found.inputs["masked"], found.output, data.rows(torch.arange(4))["real"]
    assert found.hole is not None
    hole = found.hole > 0
    assert torch.equal(hole, masks_of_seeds(range(4), 16, 16) > 0)
    assert (masked[hole] == 128).all()
    assert torch.equal(masked[~hole], real[~hole])
    assert torch.equal(output[~hole], real[~hole])
    assert not torch.equal(output[hole], real[hole])
    # A row has its own hole in any company.
    alone = run_task(task, data, torch.tensor([3]))
    assert torch.equal(alone.output[0], output[3])


def test_masks_of_the_data_replace_the_drawn_ones() -> None:
    real = miniatures.table("miniature-filler").rows(torch.arange(6))["real"]
    mask = torch.zeros(6, 16, 16, dtype=torch.uint8)
    mask[:, 0] = 1
    data = PairedDataset("masks", {"real": real, "mask": mask}, kinds={"mask": LABEL_MAPS})
    (task,) = list_tasks(fresh_game("miniature-filler"))
    found = run_task(task, data, torch.arange(6))
    assert torch.equal(found.output[:, :, 1:], real[:, :, 1:])
    assert not torch.equal(found.output[:, :, 0], real[:, :, 0])


def test_sides_that_the_scale_does_not_divide_are_cropped() -> None:
    data = TableDataset("odd", {"real": torch.randint(0, 256, (5, 1, 17, 19), dtype=torch.uint8)})
    (task,) = list_tasks(fresh_game("miniature-larger"))
    found = run_task(task, data, torch.arange(5))
    assert found.truth is not None
    assert found.output.shape == found.truth.shape == (5, 1, 16, 18)


def test_a_missing_field_and_nan_are_named(monkeypatch: pytest.MonkeyPatch) -> None:
    game, data = fresh_game("miniature-pair"), miniatures.table("miniature-filler")
    (task,) = list_tasks(game)
    with pytest.raises(DataError, match=r"needs the field 'source'.*the data gives: real"):
        run_task(task, data, torch.arange(3))
    monkeypatch.setattr(game, "translate", lambda x, direction, z=None: x["source"] * float("nan"))
    with pytest.raises(DataError, match="NaN: the model has diverged"):
        run_task(task, miniatures.table("miniature-pair"), torch.arange(3))


def test_noise_beside_the_inputs_depends_on_the_row_only(monkeypatch: pytest.MonkeyPatch) -> None:
    game, data = fresh_game("miniature-pair"), miniatures.table("miniature-pair")
    monkeypatch.setattr(type(game), "noise_dim", 2)
    monkeypatch.setattr(game, "translate", lambda x, _, z: x["source"] * 0 + z[:, 0].view(-1, 1, 1, 1).clamp(-1, 1))
    (task,) = list_tasks(game)
    both = run_task(task, data, torch.tensor([4, 9])).output
    assert torch.equal(run_task(task, data, torch.tensor([9])).output[0], both[1])
    assert not torch.equal(both[0], both[1])


@pytest.mark.parametrize(
    ("name", "columns", "rows"),
    [
        ("miniature-pair", 3, 8),  # input, output, truth
        ("miniature-cycle", 3, 16),  # input, output, back again; two directions
        ("miniature-puppet", 1 + miniatures.FRAMES, 16),  # driving frames above output frames, the source at the left
        ("miniature-filler", 3, 8),
        ("miniature-larger", 3, 8),
    ],
)
def test_a_sheet_shows_input_output_and_truth(name: str, columns: int, rows: int) -> None:
    game, data = fresh_game(name), miniatures.table(name)
    image = make_sheet(game, data)
    assert image is not None
    cell = 4 * 16  # pixels, each shown as 4 x 4
    assert image.width == columns * (cell + 2) + 2
    parts, gap = (2, 12) if name == "miniature-cycle" else (1, 0)
    heading = 0 if name == "miniature-puppet" else 16
    assert image.height == rows * (cell + 2) + parts * (2 + heading) + gap
    again = make_sheet(game, data)
    assert again is not None
    assert image.tobytes() == again.tobytes()


def test_label_maps_are_colored_and_channels_agree() -> None:
    image = torch.randint(0, 256, (2, 3, 16, 16), dtype=torch.uint8)
    (task,) = list_tasks(fresh_game("miniature-pair"))
    maps = torch.randint(0, 5, (2, 16, 16), dtype=torch.uint8)
    found = draw_outputs(inputs.Outputs(task, {"map": maps}, image, image[:, :1], None))
    assert found.mode == "RGB"
    assert found.width == 3 * 66 + 2


def test_a_model_translates_in_each_direction(tmp_path: Path) -> None:
    model, images = model_of("miniature-cycle", tmp_path), pictures(40)
    assert model.directions == ("a>b", "b>a")
    there = model.translate(images, "a>b")
    assert (there.shape, there.dtype) == (images.shape, np.uint8)
    assert np.array_equal(model.translate({"a": images[35:36]}, "a>b")[0], there[35])
    assert np.array_equal(model.translate(images[..., 0], "a>b"), there)  # grey images may leave the channel out
    assert not np.array_equal(model.translate(images, "b>a"), there)
    assert np.array_equal(model_of("miniature-pair", tmp_path).translate(images[:2]).shape, (2, 16, 16, 1))


def test_a_model_animates_inpaints_and_upscales(tmp_path: Path) -> None:
    images = pictures()
    clips = np.stack([images] * 3, 1)
    assert model_of("miniature-puppet", tmp_path).animate(images, clips).shape == (5, 3, 16, 16, 1)
    filler, masks = model_of("miniature-filler", tmp_path), np.zeros((5, 16, 16), bool)
    assert np.array_equal(filler.inpaint(images, masks), images)
    masks[:, 2:5] = True
    filled = filler.inpaint(images, masks)
    assert np.array_equal(filled[:, 5:], images[:, 5:])
    assert not np.array_equal(filled, images)
    assert np.array_equal(filler.inpaint(images, masks.astype(np.uint8) * 255), filled)
    assert model_of("miniature-larger", tmp_path).upscale(images).shape == (5, 32, 32, 1)


@pytest.mark.parametrize("channels", [3, 4])
def test_one_color_picture_as_an_array_is_one_picture(channels: int) -> None:
    """As `numpy.asarray` makes it of a picture of Pillow; not a row of grey pictures that are 3 pixels wide."""
    picture = np.random.default_rng(0).integers(0, 256, (40, 33, channels), np.uint8)
    pix2pix, larger = miniature_model("pix2pix-emoji"), miniature_model("sr-photos")
    made = pix2pix.translate(picture)
    assert made.shape == picture.shape
    assert np.array_equal(made, np.asarray(pix2pix.translate(Image.fromarray(picture))))
    assert larger.upscale(picture).shape == (80, 66, channels)


@pytest.mark.parametrize("value", ["a", None, True])
def test_what_is_no_number_is_refused_in_one_line(value: Any) -> None:
    picture, photos = np.zeros((40, 32, 3), np.uint8), np.zeros((2, 40, 32, 3), np.uint8)
    pix2pix, larger, maps = map(miniature_model, ("pix2pix-emoji", "sr-photos", "spade-earth"))
    for given in (picture, photos):
        for use in (pix2pix.translate, larger.upscale):
            with pytest.raises(UsageError, match="strength: expected a number"):
                use(given, strength=value)
        with pytest.raises(UsageError, match="seed: expected a whole number"):
            pix2pix.translate(given, seed=value)
    for words in ({"seed": value}, {"side": value or "b"}):
        with pytest.raises(UsageError, match="expected a whole number"):
            maps.paint(picture[..., 0], **words)


@pytest.mark.parametrize(
    ("given", "found"), [(None, "NoneType"), (["odd.png"], "list of str"), ([[1], [1, 2]], "list of list")]
)
def test_what_is_neither_a_picture_nor_an_array_is_told(given: Any, found: str) -> None:
    for use in (miniature_model("pix2pix-emoji").translate, miniature_model("spade-earth").paint):
        with pytest.raises(UsageError, match=f"a path, a picture of Pillow or an array uint8 .*, found {found}; give"):
            use(given)


def test_an_animation_is_not_read_as_its_first_frame(tmp_path: Path) -> None:
    frames = [Image.new("RGB", (16, 16), color) for color in ("red", "blue")]
    frames[0].save(tmp_path / "x.gif", save_all=True, append_images=frames[1:])
    for use in (miniature_model("pix2pix-emoji").translate, miniature_model("sr-photos").upscale):
        with pytest.raises(UsageError, match=r"x\.gif: .* found an animation; translate it with `ganvas translate`"):
            use(tmp_path / "x.gif")


def test_grey_arrays_stay_grey_where_grey_files_do() -> None:
    grey = np.random.default_rng(0).integers(0, 256, (2, 40, 33, 1), np.uint8)
    larger, pix2pix = miniature_model("sr-photos"), miniature_model("pix2pix-emoji")
    made = larger.upscale(grey)
    assert made.shape == (2, 80, 66, 1)
    assert np.array_equal(made[1, ..., 0], np.asarray(larger.upscale(Image.fromarray(grey[1, ..., 0]))))
    assert pix2pix.translate(grey).shape == (2, 40, 33, 3)


@pytest.mark.parametrize(
    ("name", "use"),
    [
        ("miniature-cycle", r"ganvas translate RUN photo\.png \(in Python Model\.translate\(inputs, direction\)\)"),
        ("miniature-puppet", r"ganvas animate RUN .* \(in Python Model\.animate\(source, driving\)\)"),
        ("miniature-filler", r"ganvas inpaint RUN .* \(in Python Model\.inpaint\(images, masks\)\)"),
        ("miniature-larger", r"ganvas translate RUN photo\.png \(in Python Model\.upscale\(images\)\)"),
    ],
)
def test_sampling_says_what_to_use(name: str, use: str, tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=f"{name} makes its output from inputs, not from noise alone; use {use}"):
        model_of(name, tmp_path).sample(3)


def test_a_game_of_drawn_maps_is_said_to_paint() -> None:
    assert takes_maps(GAMES["spade"])  # type: ignore[arg-type]
    assert not takes_maps(GAMES["pix2pix"])  # type: ignore[arg-type]
    assert not takes_maps(GAMES["cyclegan"])  # type: ignore[arg-type]


def test_wrong_requests_get_one_line(tmp_path: Path) -> None:
    cycle, larger, images = model_of("miniature-cycle", tmp_path), model_of("miniature-larger", tmp_path), pictures()
    with pytest.raises(UsageError, match="does not upscale; choose a model of a game that does"):
        cycle.upscale(images)
    with pytest.raises(UsageError, match=r"unknown direction 'a>c'; did you mean 'a > b'"):
        cycle.translate(images, "a>c")
    with pytest.raises(UsageError, match=r"has several directions: choose one with --to \(in Python: to=\) b or a"):
        cycle.translate(images)
    with pytest.raises(UsageError, match="expected 'a', and perhaps others of a, b, found b"):
        cycle.translate({"b": images}, "a>b")
    with pytest.raises(UsageError, match="a: expected uint8, found float32"):
        cycle.translate(images.astype(np.float32), "a>b")
    with pytest.raises(UsageError, match=r"images: expected \[n, H, W, C\], found \[16, 16\]"):
        larger.upscale(images[0, ..., 0])
    with pytest.raises(UsageError, match=r"at least one, found \{'images': 0\}"):
        larger.upscale(images[:0])
    with pytest.raises(UsageError, match=r"at least one pixel, found \[5, 0, 16, 1\]"):
        larger.upscale(images[:, :0])
    for to in ("", 3):
        with pytest.raises(UsageError, match=r"unknown output ''|expected the name of an output, such as 'b', got 3"):
            cycle.translate(images, to=to)  # type: ignore[arg-type]
    for seed in (-1, 2**32):
        with pytest.raises(UsageError, match="seed: expected a number from 0"):
            cycle.translate(images, to="b", seed=seed)
    with pytest.raises(UsageError, match="as many of each"):
        model_of("miniature-filler", tmp_path).inpaint(images, np.zeros((2, 16, 16), bool))


def test_a_task_is_called_as_the_user_calls_its_domains(tmp_path: Path) -> None:
    game = make_translator("cyclegan").game
    assert [(task.name, task.title) for task in list_tasks(game)] == [("a>b", "flat > shaded"), ("b>a", "shaded > flat")]
    assert [task.title for task in list_tasks(model_of("miniature-cycle", tmp_path).game)] == ["a > b", "b > a"]
    assert [task.title for task in list_tasks(model_of("miniature-larger", tmp_path).game)] == ["super-resolution"]
