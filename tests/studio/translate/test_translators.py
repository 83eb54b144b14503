"""What the page /translate knows of models, and what its process does: each kind, hostile requests, ids instead of paths."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image
from translate_models import DARKER, furnish

from ganvas.data.builtin.earth import read_legend
from ganvas.inference.model import load
from ganvas.studio.page import Studio
from ganvas.studio.page_tasks import Task, do_task
from ganvas.studio.run_kind import describe_kind
from ganvas.studio.run_task_socket import RunTaskSocket
from ganvas.studio.socket import Frame
from ganvas.studio.storage import Storage, UnknownIdError, read_json
from ganvas.studio.translate.page import STARTS, choose_label, suits
from ganvas.studio.translate.translate_process import PREVIEW, Painter
from ganvas.studio.translate.translators import EXAMPLES, describe_translator, list_examples, list_translators


@pytest.fixture(scope="module")
def runs(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("runs")
    furnish(folder)
    return folder


def describe(runs: Path) -> dict[str, dict[str, Any]]:
    """The runs; those that come with ganvas stand after them."""
    found = {each.pop("id"): each for each in list_translators(Storage(runs))}
    assert {"cyclegan-emoji", "spade-earth", "sr-photos"} <= found.keys()
    return {name: facts for name, facts in found.items() if (runs / name).exists()}


def test_each_model_says_what_it_takes_and_where_it_leads(runs: Path) -> None:
    found = describe(runs)
    assert set(found) == {"painter", "own-maps", "shader", "cycle", "filter", "larger", "filler"}  # a model of noise: /explore
    ways = {name: [(way["source"], way["to"], way["back"]) for way in each["ways"]] for name, each in found.items()}
    assert ways["cycle"] == [("flat", "shaded", True), ("shaded", "flat", True)]
    assert ways["shader"] == [("flat", "shaded", False)]
    assert ways["filter"] == [("photo", "sketch", False)]
    assert ways["larger"] == [("picture", "x2", False)]
    assert ways["painter"] == [("drawing", "real", False)]
    assert ways["filler"] == [("picture", "filled", False)]
    assert {name for name, each in found.items() if each["fills"]} == {"filler"}
    assert [found[name]["ways"][0]["title"] for name in ("painter", "larger", "cycle")] == [
        "picture",
        "2 times as large",
        "shaded",
    ]
    assert [found[name]["takes"] for name in ("painter", "shader", "larger")] == ["map", "picture", "picture"]
    assert [found[name]["whole"] for name in ("painter", "shader", "filter", "larger")] == [False, False, True, True]
    assert (found["larger"]["scale"], found["larger"]["side"]) == (2, 16)
    assert [name for name, _ in found["painter"]["legend"]] == list(read_legend()[0])


def test_examples_are_of_what_the_model_takes(runs: Path) -> None:
    examples = {name: [way["examples"] for way in each["ways"]] for name, each in describe(runs).items()}
    assert examples["cycle"] == ["flat", "shaded"]
    assert (examples["filter"], examples["larger"], examples["filler"]) == (["photo"], ["photo"], ["photo"])
    assert (examples["painter"], examples["own-maps"]) == (["map"], [""])  # maps of the earth have no roads
    files = [name for names in list_examples().values() for name in names]
    assert sorted(files) == sorted(path.name for path in EXAMPLES.iterdir())
    assert sum(path.stat().st_size for path in EXAMPLES.iterdir()) < 250_000
    assert {picture for _, picture in STARTS.values()} <= set(files)


@pytest.mark.parametrize("values", [{}, {"game": []}, {"game": "spade"}, {"game": "cyclegan", "config": 3}])
def test_a_recipe_that_cannot_be_read_is_not_listed(values: dict[str, Any]) -> None:
    assert describe_translator(values) is None


def test_runs_are_handed_over_where_the_page_can_use_them(runs: Path) -> None:
    found = {
        path.name: {**describe_kind(read_json(path / "recipe.json")), "model": True} for path in runs.iterdir() if path.is_dir()
    }
    assert {name for name, facts in found.items() if suits(facts)} == set(describe(runs))
    assert not suits({**found["cycle"], "model": False})
    assert [choose_label(found[name]) for name in ("filler", "filter")] == ["Fill holes with it", "Translate with it"]


def do(runs: Path, name: str, model: str, arrays: dict[str, Any] | None = None, paths: Any = None, **facts: Any) -> Any:
    """The end of a task."""
    painter, sent = Painter(), []  # type: ignore[var-annotated]
    paths = {"run": str(runs / model), "device": "cpu", **(paths or {})}
    task = Task(1, name, name, {"model": model, "paths": paths, **facts}, arrays or {}, sent.append)
    works: dict[str, Any] = {"paint": painter.paint, "translate": painter.translate, "fill": painter.fill}
    end = do_task(task, works)
    assert all(frame.kind == "progress" for frame in sent)
    return end


def photo(height: int = 30, width: int = 40, channels: int = 3) -> Any:
    return np.random.default_rng(0).integers(DARKER, 256, (height, width, channels), dtype=np.uint8)


def test_a_map_is_painted_and_the_seed_decides(runs: Path) -> None:
    drawn = np.zeros((64, 64), np.uint8)
    drawn[:, 32:] = 9
    first, again, other = (do(runs, "paint", "painter", {"map": drawn}, seed=seed) for seed in (1, 1, 2))
    assert first.arrays["picture"].shape == (64, 64, 3)
    assert (first.facts["width"], first.facts["height"]) == (64, 64)
    assert (first.arrays["picture"] == again.arrays["picture"]).all()
    assert (first.arrays["picture"] != other.arrays["picture"]).any()


def test_a_picture_of_any_size_is_translated_by_the_strength(runs: Path) -> None:
    picture = photo()
    for strength, darker in ((1.0, DARKER), (0.5, DARKER / 2), (0, 0)):
        end = do(runs, "translate", "filter", {"picture": picture}, strength=strength)
        found = picture.astype(float) - end.arrays["picture"]
        assert np.abs(found - darker).max() <= 1
    end = do(runs, "translate", "larger", {"picture": picture})
    assert end.arrays["picture"].shape == (60, 80, 3)


def test_grey_that_arrives_as_color_stays_grey_where_the_model_keeps_it(runs: Path, tmp_path: Path) -> None:
    grey, out = np.repeat(photo(channels=1), 3, 2), tmp_path / "out.png"
    for model, picture, channels in (("larger", grey, 1), ("larger", photo(), 3), ("filter", grey, 3)):
        end = do(runs, "translate", model, {"picture": picture}, {"out": str(out)}, keep=True, kept="12ab")
        assert end.arrays["picture"].shape[2] == channels
        with Image.open(out) as image:
            assert image.mode == ("L" if channels == 1 else "RGB")


def test_the_way_back_says_how_far_it_is_from_the_input(runs: Path) -> None:
    end = do(runs, "translate", "cycle", {"picture": photo()}, to="shaded", back=True)
    assert end.arrays["back"].shape == end.arrays["picture"].shape
    assert 0 <= end.facts["apart"] <= 255
    assert "back" not in do(runs, "translate", "cycle", {"picture": photo()}, to="flat").arrays


def test_the_way_back_is_made_with_the_strength_of_the_way_there(runs: Path) -> None:
    picture = photo()
    end = do(runs, "translate", "cycle", {"picture": picture}, to="shaded", back=True, strength=0)
    assert (end.arrays["back"] == picture).all()
    assert end.facts["apart"] == 0
    end = do(runs, "translate", "cycle", {"picture": picture}, to="shaded", back=True, strength=0.5)
    expected = do(runs, "translate", "cycle", {"picture": end.arrays["picture"]}, to="flat", strength=0.5)
    assert (end.arrays["back"] == expected.arrays["picture"]).all()


def test_a_result_is_kept_as_a_file_that_says_where_it_is_from(runs: Path, tmp_path: Path) -> None:
    source, out = tmp_path / "in.png", tmp_path / "out.png"
    Image.fromarray(photo(600, 500)).save(source)
    end = do(runs, "translate", "filter", paths={"picture": str(source), "out": str(out)}, keep=True, kept="12ab", strength=0.5)
    assert end.facts["kept"] == "12ab"
    assert max(end.arrays["picture"].shape) <= PREVIEW
    with Image.open(out) as image:
        assert image.size == (500, 600)
        assert {"synthetic": "true", "strength": "0.5"}.items() <= image.text.items()  # type: ignore[attr-defined]


def test_the_way_back_is_kept_as_a_file_of_its_own(runs: Path, tmp_path: Path) -> None:
    picture = {"picture": photo()}
    shown = do(runs, "translate", "cycle", picture, to="shaded", back=True).arrays
    for keep, name, direction in ((True, "picture", "flat > shaded"), ("back", "back", "flat > shaded > flat")):
        out = tmp_path / f"{name}.png"
        do(runs, "translate", "cycle", picture, {"out": str(out)}, to="shaded", back=True, keep=keep, kept="12ab")
        with Image.open(out) as image:
            assert (np.array(image) == shown[name]).all()
            assert image.text["direction"] == direction  # type: ignore[attr-defined]
    assert (shown["picture"] != shown["back"]).any()
    end = do(runs, "translate", "cycle", picture, {"out": str(tmp_path / "x.png")}, to="shaded", keep="back", kept="12ab")
    assert "no picture of a way back" in end.facts["text"]


def pack(hole: Any) -> Any:
    """A hole [H, W] as a page sends it."""
    return np.packbits(hole, axis=1)


def test_a_hole_is_filled_and_only_its_part_comes_back(runs: Path, tmp_path: Path) -> None:
    picture, hole = photo(37, 45), np.zeros((37, 45), bool)
    hole[10:20, 7:30] = hole[30:33, 40:44] = True
    whole = load(runs / "filler").inpaint(picture[None], hole[None])[0]
    end = do(runs, "fill", "filler", {"picture": picture, "hole": pack(hole)})
    assert end.facts["corner"] == [7, 10]
    assert (end.facts["width"], end.facts["height"]) == (45, 37)
    assert end.facts["filled"] == "242 of 45 x 37 pixels are filled (14.5%)"
    assert np.array_equal(end.arrays["picture"], whole[10:33, 7:44])
    source, out = tmp_path / "in.png", tmp_path / "out.png"
    Image.fromarray(picture).save(source)
    paths = {"picture": str(source), "out": str(out)}
    do(runs, "fill", "filler", {"hole": pack(hole)}, paths, keep=True, kept="12ab")
    with Image.open(out) as image:
        assert np.array_equal(np.array(image), whole)
        assert np.array_equal(np.array(image)[~hole], picture[~hole])
        assert {"synthetic": "true", "direction": "inpainted"}.items() <= image.text.items()  # type: ignore[attr-defined]


def test_a_grey_photograph_is_filled_with_grey(runs: Path) -> None:
    hole = np.zeros((30, 40), bool)
    hole[5:9, 5:9] = True
    end = do(runs, "fill", "filler", {"picture": np.repeat(photo(channels=1), 3, 2), "hole": pack(hole)})
    assert end.arrays["picture"].shape == (4, 4, 1)


@pytest.mark.parametrize(
    ("name", "model", "arrays", "facts", "text"),
    [
        ("fill", "filter", {"picture": photo(), "hole": pack(np.ones((30, 40)) > 0)}, {}, "fills no holes"),
        ("fill", "filler", {"picture": photo()}, {}, "one bit for each of 40 x 30 pixels"),
        ("fill", "filler", {"picture": photo(), "hole": pack(np.ones((40, 30)) > 0)}, {}, "one bit for each of 40 x 30 pixels"),
        ("fill", "filler", {"picture": photo(), "hole": np.zeros((30, 5), "u1")}, {}, "found none"),
        ("fill", "filler", {"picture": photo(), "hole": np.full((30, 5), 255, "u1")}, {}, "found none"),
        ("paint", "painter", {}, {}, "expected the class of each pixel"),
        ("paint", "painter", {"map": np.zeros((8, 8), "f4")}, {}, "expected the class of each pixel"),
        ("paint", "painter", {"map": np.full((8, 8), 77, "u1")}, {}, "found 77"),
        ("paint", "painter", {"map": np.zeros((8, 8), "u1")}, {"seed": -1}, "seed: expected"),
        ("paint", "painter", {"map": np.zeros((8, 8), "u1")}, {"seed": True}, "seed: expected"),
        ("paint", "shader", {"map": np.zeros((8, 8), "u1")}, {}, "does not paint label maps"),
        ("translate", "shader", {}, {}, "picture: expected uint8"),
        ("translate", "shader", {"picture": photo()}, {"strength": 2}, "strength: expected"),
        ("translate", "shader", {"picture": photo()}, {"strength": "1"}, "strength: expected"),
        ("translate", "cycle", {"picture": photo()}, {"to": "noise"}, "unknown output"),
        ("translate", "shader", {"picture": photo(8, 8, 2)[..., :0]}, {}, "expected"),
        ("translate", "larger", {"picture": photo(300, 400)}, {}, "too large to be shown at once"),
    ],
)
def test_what_cannot_be_done_is_one_line(runs: Path, name: str, model: str, arrays: Any, facts: Any, text: str) -> None:
    end = do(runs, name, model, arrays, **facts)
    assert end.kind == "failed"
    assert text in end.facts["text"]
    assert "\n" not in end.facts["text"]


class Page:
    """A channel that remembers what is sent."""

    def __init__(self) -> None:
        self.messages: list[tuple[str, dict[str, Any]]] = []

    def send_message(self, kind: str, facts: dict[str, Any], arrays: Any = None) -> None:
        self.messages.append((kind, facts))


def test_ids_become_paths_and_paths_of_a_page_are_not_used(runs: Path) -> None:
    line = RunTaskSocket(Page(), Studio(runs, "cpu"), "")  # type: ignore[arg-type]
    hostile = {"id": 1, "name": "paint", "paths": {"out": "/etc/passwd"}, "kept": "x", "model": "painter"}
    facts = line.resolve(Frame("task", hostile)).facts
    assert facts["paths"] == {"run": str((runs / "painter").absolute()), "device": "cpu"}
    assert "kept" not in facts
    kept = line.resolve(Frame("task", {**hostile, "keep": True})).facts
    assert kept["paths"]["out"].endswith(f"/pictures/{kept['kept']}.png")
    for wrong in ({"model": "../painter"}, {"model": None}, {"picture": "../../x"}, {"picture": "0" * 16}):
        with pytest.raises(UnknownIdError):
            line.resolve(Frame("task", {**hostile, **wrong}))


def test_a_task_that_names_what_is_not_here_has_failed(runs: Path) -> None:
    page = Page()
    line = RunTaskSocket(page, Studio(runs, "cpu"), "")  # type: ignore[arg-type]
    asyncio.run(line.receive(Frame("task", {"id": 5, "name": "paint", "model": "gone"})))
    assert [(kind, facts["id"]) for kind, facts in page.messages] == [("failed", 5)]
    assert "there is no run 'gone'" in page.messages[0][1]["text"]
    assert line.child is None
