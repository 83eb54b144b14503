"""The animation of a run's sheets fits into a mail; the sheet of a conditional game has the names of its classes."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import miniatures
import numpy as np
import pytest
import torch
from PIL import Image
from support import miniature

from ganvas.games import GAMES
from ganvas.inference.inputs import Outputs, list_tasks, run_task
from ganvas.inference.sheet import LARGEST_GIF, draw_outputs, draw_side_by_side, make_sheet, save_learning_gif, tell_sheet
from ganvas.media.image_files import save_png


def save_snapshots(folder: Path, frames: list[np.ndarray]) -> list[Path]:
    paths = [folder / f"{i:03d}k.png" for i in range(len(frames))]
    for i, (path, frame) in enumerate(zip(paths, frames, strict=True)):
        save_png(path, Image.fromarray(frame), {"images": str(1_000 * i)})
    return paths


def test_a_small_animation_keeps_every_frame_and_pixel(tmp_path: Path) -> None:
    frames = [np.full((40, 60), 8 * i, np.uint8) for i in range(12)]
    save_learning_gif(tmp_path / "learning.gif", save_snapshots(tmp_path, frames))
    with Image.open(tmp_path / "learning.gif") as film:
        assert film.n_frames == 12
        assert film.size[0] == 60
        for i in range(12):
            film.seek(i)
            assert np.array_equal(np.asarray(film.convert("L"))[:40], frames[i])


@pytest.mark.parametrize("shape", [(582, 582), (450, 350, 3)])
def test_a_large_animation_is_made_to_fit(tmp_path: Path, shape: tuple[int, ...]) -> None:
    random = np.random.default_rng(0)
    frames = [random.integers(0, 256, shape, dtype=np.uint8) for _ in range(20)]  # noise: nothing is harder to compress
    paths = save_snapshots(tmp_path, frames)
    save_learning_gif(tmp_path / "learning.gif", paths)
    assert 0 < (tmp_path / "learning.gif").stat().st_size <= LARGEST_GIF
    with Image.open(tmp_path / "learning.gif") as film:
        assert film.n_frames >= 8


def test_the_first_and_the_last_snapshot_are_always_shown(tmp_path: Path) -> None:
    random = np.random.default_rng(0)
    frames = [random.integers(100, 156, (600, 600), dtype=np.uint8) for _ in range(36)]
    frames[0][:], frames[-1][:] = 0, 255
    save_learning_gif(tmp_path / "learning.gif", save_snapshots(tmp_path, frames))
    with Image.open(tmp_path / "learning.gif") as film:
        middle = film.size[0] // 2
        assert film.convert("L").getpixel((middle, middle)) < 30
        film.seek(film.n_frames - 1)
        assert film.convert("L").getpixel((middle, middle)) > 225


def test_the_sheet_of_a_conditional_game_names_its_classes() -> None:
    recipe, data = miniature("cgan-mnist")
    game = GAMES[recipe.game](recipe.config)
    named = make_sheet(game, data)
    assert named is not None
    bare = make_sheet(game, replace(data, classes=("other",)))  # names that are not those of the game
    assert bare is not None
    assert named.width > bare.width
    assert np.array_equal(np.asarray(named)[:, named.width - bare.width :], np.asarray(bare))
    assert tell_sheet(game, replace(data, classes=("犬",))) == ""  # they are not on it
    assert tell_sheet(game, replace(data, classes=("犬", *data.classes[1:]))) == "on the sheet #0 is 犬"


def test_outputs_of_several_models_stand_side_by_side(monkeypatch: pytest.MonkeyPatch) -> None:
    miniatures.install(monkeypatch)
    for name, columns, rows, left in (("miniature-cycle", 1 + 2 + 2, 1, 0), ("miniature-puppet", 1 + miniatures.FRAMES, 3, 20)):
        data = miniatures.table(name)
        tasks = {label: list_tasks(miniatures.fresh_game(name))[0] for label in ("one", "other")}
        several = {label: run_task(task, data, torch.arange(3)) for label, task in tasks.items()}
        image = draw_side_by_side(several)
        cell = 2 * 4 * 16 + 2  # pixels: twice as large as in other sheets
        assert image.width - columns * cell - 2 in ((0,) if left == 0 else range(left, 120))  # the names of lines
        assert image.height == 3 * rows * cell + 2 + (0 if left else 16)  # or of columns


def test_label_maps_have_the_colors_of_their_legend(monkeypatch: pytest.MonkeyPatch) -> None:
    miniatures.install(monkeypatch)
    game = miniatures.fresh_game("miniature-pair")
    (task,) = list_tasks(game)
    maps = torch.zeros(2, 16, 16, dtype=torch.uint8)
    maps[0, 8:], maps[1] = 1, 255
    outputs = Outputs(task, {"map": maps}, torch.full((2, 3, 16, 16), 77, dtype=torch.uint8), None, None)
    plain = {color for _, color in draw_outputs(outputs).convert("RGB").getcolors(9_999)}  # type: ignore[union-attr, misc]
    game.config = type("Config", (), {"colors": ((16, 42, 92), (245, 248, 250))})()
    colored = {color for _, color in draw_outputs(outputs).convert("RGB").getcolors(9_999)}  # type: ignore[union-attr, misc]
    assert {(16, 42, 92), (245, 248, 250), (0, 0, 0)} <= colored
    assert not {(16, 42, 92), (245, 248, 250)} & plain
