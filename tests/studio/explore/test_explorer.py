"""Looks, the explorer, and the process that draws."""

from __future__ import annotations

import asyncio
import io
import json
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import torch
from PIL import Image
from support import miniature

from ganvas.core.capabilities import Samples
from ganvas.data.table import TableDataset
from ganvas.errors import DataError, ResourceError, UsageError
from ganvas.games import RECIPES
from ganvas.games.registry import build
from ganvas.inference import model_file
from ganvas.inference.model import load
from ganvas.studio.explore.client import ModelClient, SupersededError
from ganvas.studio.explore.explore_process import ModelServer
from ganvas.studio.explore.explorer import Explorer
from ganvas.studio.explore.view import View, draw, find_noise_inputs, place, point, tour
from ganvas.utils.settings import from_dict, to_dict


def saved(folder: Path, name: str) -> Path:
    """A run folder with an untrained miniature of the recipe."""
    recipe, data = miniature(name)
    folder.mkdir()
    torch.manual_seed(5)
    game = build(recipe).eval()
    card = {"recipe": to_dict(recipe), "items": 0, "classes": list(data.classes)}
    model_file.save(folder / "model.safetensors", game, card)
    return folder


def pixels(image: Image.Image) -> torch.Tensor:
    """The grey levels of a picture."""
    return torch.frombuffer(bytearray(image.tobytes()), dtype=torch.uint8).int()


@pytest.fixture(scope="module")
def digits(tmp_path_factory: pytest.TempPathFactory) -> Explorer:
    return Explorer(saved(tmp_path_factory.mktemp("models") / "digits", "cgan-mnist"))


@pytest.fixture(scope="module")
def styled(tmp_path_factory: pytest.TempPathFactory) -> Explorer:
    return Explorer(saved(tmp_path_factory.mktemp("models") / "styled", "stylegan2-fashion"))


def test_a_model_of_text_shows_a_page_of_lines(tmp_path: Path) -> None:
    writer = Explorer(saved(tmp_path / "text", "textlm-names"))
    able = writer.abilities()
    assert (able["kind"], able["directions"], able["between"]) == ("text", [], [])
    assert writer.lines(View(seed=3)) == writer.model.sample(24, seed=3)
    writer.save(tmp_path / "look.png", View(seed=3))
    writer.model.save(tmp_path / "page.png", 24, seed=3, columns=2)
    with Image.open(tmp_path / "look.png") as look, Image.open(tmp_path / "page.png") as page:
        assert look.tobytes() == page.tobytes()
    for refused in (lambda: writer.nearest(View()), lambda: writer.walk(tmp_path / "w.gif", [View(), View(seed=1)], 4)):
        with pytest.raises(UsageError, match="generates text"):
            refused()


def test_the_plane_keeps_the_length_and_leads_to_the_others() -> None:
    z, right, up = torch.randn(3, 1, 16, generator=torch.Generator().manual_seed(2))
    assert torch.equal(place(z, right, up, 0, 0), z)
    for x, y in ((1.0, 0.0), (0.3, -1.2), (-4.0, 4.0)):
        assert torch.allclose(place(z, right, up, x, y).norm(), z.norm())
    quarter = place(z, right, up, 1, 0)
    assert abs(float((quarter * z).sum())) < 1e-4 * float(z.norm() ** 2)
    assert float((quarter * right).sum()) > 0
    assert torch.allclose(place(z, right, up, 4, 0), z, atol=1e-5)  # a whole turn


@pytest.mark.parametrize("name", ["cgan-mnist", "stylegan2-fashion"])
def test_a_plain_look_is_the_sample_of_its_seed(tmp_path: Path, name: str) -> None:
    model = load(saved(tmp_path / "run", name))
    drawn = draw(model, [point(model, View(seed=3, label=4 if model.classes else None))], chunk=32)
    expected = next(model.stream(1, 3, 4 if model.classes else None))[0]
    assert torch.allclose(drawn, expected, atol=1e-5)


def test_a_saved_picture_tells_where_it_is_from(digits: Explorer, tmp_path: Path) -> None:
    look = View(seed=3, label=4, moves={"sefa:0": 1.5})
    with Image.open(digits.save(tmp_path / "look.png", look, scale=2)) as image:
        assert image.size == (56, 56)
        assert image.info["model"] == digits.model.identity
        assert image.info["seeds"] == "3"
        assert image.info["synthetic"] == "true"
        assert from_dict(View, json.loads(image.info["look"])) == look


def test_every_control_changes_the_picture(styled: Explorer) -> None:
    looks = [View(), View(seed=1), View(psi=0.5), View(x=0.5), View(y=0.5), View(mix=7, cut=1)]
    looks += [View(moves={"pca:0": 2.0}), View(moves={"sefa:1": -2.0}), View(resolution=styled.abilities()["resolutions"][0])]
    assert len({styled.picture(look).tobytes() for look in looks}) == len(looks)


def test_controls_appear_by_what_the_game_can(tmp_path: Path, digits: Explorer, styled: Explorer) -> None:
    assert digits.abilities()["classes"] == list("0123456789")
    assert digits.abilities()["styles"] == 0
    assert styled.abilities()["styles"] > 1
    assert styled.abilities()["resolutions"]
    assert digits.abilities()["between"] == []  # its class is asked for, z has none
    told = Explorer(saved(tmp_path / "unasked", "dcgan-mnist"))
    assert told.abilities()["between"] == list("0123456789")
    with pytest.raises(UsageError, match="expected at least 20"):  # untrained, it draws no such digits
        told.picture(View(moves={"class:7-1": 2.0}))
    points = Explorer(saved(tmp_path / "points", "gan-ring")).abilities()
    assert (points["kind"], points["directions"]) == ("points", [])
    assert Explorer(saved(tmp_path / "solids", "voxel-shapes")).abilities()["kind"] == "solids"


@pytest.mark.parametrize("name", ["gan-ring", "cogan-edges", "voxel-shapes", "vae-mnist", "progan-mnist", "dcgan-mnist"])
def test_every_kind_of_game_is_drawn(tmp_path: Path, name: str) -> None:
    explorer = Explorer(saved(tmp_path / "run", name))
    assert explorer.picture(View(seed=2)).size[0] > 1
    assert explorer.pad(View(), 4, 2).size[0] > 1


@pytest.mark.parametrize(
    ("look", "told"),
    [
        ({"psi": 0.5}, "need a model with styles"),
        ({"mix": 3}, "need a model with styles"),
        ({"label": 10}, "a class from 0 to 9"),
        ({"resolution": 8}, "does not generate at 8"),
        ({"moves": {"sefa:99": 1.0}}, "this model has"),
        ({"moves": {"up": 1.0}}, "direction: expected"),
    ],
)
def test_what_a_model_cannot_is_said(digits: Explorer, look: dict[str, Any], told: str) -> None:
    with pytest.raises(UsageError, match=told):
        digits.picture(View(**look))


@pytest.mark.parametrize(
    "values", [{"sed": 1}, {"seed": -1}, {"seed": "1"}, {"x": 99.0}, {"moves": {"a": 1e9}}, {"label": True}]
)
def test_a_look_that_is_none(values: dict[str, Any]) -> None:
    with pytest.raises(UsageError):
        from_dict(View, values)


def test_walks_close_and_stay_in_bounds(digits: Explorer, tmp_path: Path) -> None:
    keys = [digits.point(View(seed=1, label=1)), digits.point(View(seed=2, label=7))]
    way = tour(keys, 8)
    assert torch.equal(way[0].at, keys[0].at)
    assert torch.equal(way[4].at, keys[1].at)
    assert all(each.c is not None and float(each.c.sum()) == pytest.approx(1) for each in way)
    ends = tour(keys, 5, closed=False)
    assert torch.equal(ends[-1].at, keys[1].at)
    out = digits.walk(tmp_path / "walk.gif", [View(seed=1), View(seed=2)], 6)
    with Image.open(out) as film:
        assert film.n_frames == 6  # type: ignore[attr-defined]
        assert digits.model.identity in str(film.info["comment"])
    with pytest.raises(UsageError, match="at most 240 frames"):
        digits.walk(tmp_path / "walk.gif", [View(), View(seed=1)], 241)
    with pytest.raises(UsageError, match="two keyframes"):
        digits.walk(tmp_path / "walk.gif", [View()], 10)


def test_the_nearest_training_picture_of_a_copy_is_itself(digits: Explorer) -> None:
    look = View(seed=3, label=4)
    mine = ((digits.samples(look) + 1) * 127.5).round().clamp(0, 255).to(torch.uint8)
    bank = torch.randint(0, 256, (50, *mine.shape[1:]), dtype=torch.uint8, generator=torch.Generator().manual_seed(0))
    bank[17] = mine[0]
    data = TableDataset("bank", {"real": bank}, index=torch.arange(10, 50))
    digits.__dict__["training_data"] = data
    image, distances = digits.nearest(look, 3)
    assert distances[0] == 0
    assert distances == sorted(distances)
    assert image.width > 3 * mine.shape[-1]
    exact = ((bank[10:].float() - mine.float()).square().mean((1, 2, 3)).sort().values[:3]).sqrt()
    assert distances == pytest.approx(exact.tolist(), rel=1e-5)
    digits.__dict__["training_data"] = TableDataset("bank", {"real": bank}, index=torch.arange(10))
    assert digits.nearest(look, 20)[1][0] > 0  # the copy was not trained on


def test_a_picture_draws_one_sample(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Of a model just loaded: its shape comes from its settings, not from a drawing."""
    sizes: list[int] = []
    for name in ("cgan-mnist", "stylegan2-images", "voxel-shapes", "vae-mnist"):
        explorer = Explorer(saved(tmp_path / name, name))
        game = explorer.model.game
        way = "synthesize" if hasattr(game, "synthesize") else "sample"
        draw = getattr(game, way)
        monkeypatch.setattr(game, way, lambda z, *rest, draw=draw: (sizes.append(len(z)), draw(z, *rest))[1])
        explorer.picture(View(seed=2, label=0 if explorer.model.classes else None))
        assert sizes == [1], name
        sizes.clear()


@pytest.mark.parametrize("name", RECIPES)
def test_the_shape_of_a_model_is_that_of_its_samples(name: str, tmp_path: Path) -> None:
    if not isinstance(build(miniature(name)[0]), Samples):
        pytest.skip("it draws nothing")
    model = load(saved(tmp_path / "run", name))
    assert model.shape == tuple(next(model.stream(1, chunk=1))[0].shape[1:])


def test_a_training_picture_can_take_the_place_of_a_seed(tmp_path: Path, digits: Explorer) -> None:
    explorer = Explorer(saved(tmp_path / "run", "vae-mnist"))
    real = torch.randint(0, 256, (5, *explorer.model.shape), dtype=torch.uint8, generator=torch.Generator().manual_seed(1))
    explorer.__dict__["training_data"] = TableDataset("real", {"real": real})
    assert explorer.abilities()["encodes"]
    drawn = explorer.samples(View(picture=2))
    game: Any = explorer.model.game
    with torch.no_grad():
        code = game.encode(real[2:3].float() / 127.5 - 1)
        assert torch.allclose(drawn, game.sample(code), atol=1e-5)
    assert not torch.equal(drawn, explorer.samples(View(picture=3)))
    with pytest.raises(UsageError, match="only a model with an encoder"):
        digits.picture(View(picture=2))


def test_the_artist_loads_a_model_anew_when_it_has_changed(tmp_path: Path) -> None:
    artist = ModelServer("cpu")
    folder = saved(tmp_path / "run", "cgan-mnist")
    asked = {"do": "picture", "path": str(folder), "look": {"seed": 1}}
    first = artist.answer(asked)[1]
    assert Image.open(io.BytesIO(first)).size == (28, 28)
    recipe, data = miniature("cgan-mnist")
    torch.manual_seed(6)
    card = {"recipe": to_dict(replace(recipe)), "items": 1, "classes": list(data.classes)}
    model_file.save(folder / "model.safetensors", build(recipe).eval(), card)
    assert artist.answer(asked)[1] != first
    with pytest.raises(ResourceError, match="use --device cpu"):
        ModelServer("cuda:93").answer(asked)
    with pytest.raises(UsageError, match="unknown task"):
        artist.answer({"do": "paint", "path": str(folder)})
    with pytest.raises(DataError):
        artist.answer({"do": "picture", "path": str(tmp_path), "look": {}})


ECHO = """
import json, sys, time
for line in sys.stdin.buffer:
    asked = json.loads(line)
    if asked["do"] == "die":
        sys.exit(9)
    time.sleep(asked.get("pause", 0))
    data = asked["do"].encode()
    sys.stdout.buffer.write(json.dumps({"size": len(data), **asked.get("facts", {})}).encode() + b"\\n" + data)
    sys.stdout.buffer.flush()
"""


@pytest.fixture
def echo(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    """A module that answers with what it was asked."""
    (tmp_path / "ganvas_echo.py").write_text(ECHO)
    monkeypatch.setenv("PYTHONPATH", f"{tmp_path}:{':'.join(filter(None, sys.path))}")
    return "ganvas_echo"


def test_the_latest_request_of_a_lane_wins(echo: str) -> None:
    async def scene() -> list[Any]:
        worker = ModelClient(echo)
        try:
            first = asyncio.create_task(worker.ask("a", {"do": "first", "pause": 0.3}))
            await asyncio.sleep(0.05)
            second = asyncio.create_task(worker.ask("a", {"do": "second"}))
            other = asyncio.create_task(worker.ask("b", {"do": "other"}))
            await asyncio.sleep(0)
            third = asyncio.create_task(worker.ask("a", {"do": "third"}))
            return await asyncio.gather(first, second, other, third, return_exceptions=True)
        finally:
            await worker.close()

    first, second, other, third = asyncio.run(scene())
    assert (first[1], other[1], third[1]) == (b"first", b"other", b"third")
    assert isinstance(second, SupersededError)


def test_an_artist_that_ended_is_told_and_starts_again(echo: str) -> None:
    async def scene() -> tuple[bytes, bytes]:
        worker = ModelClient(echo)
        try:
            before = await worker.ask("a", {"do": "one"})
            with pytest.raises(ResourceError, match="starts again with the next"):
                await worker.ask("a", {"do": "die"})
            with pytest.raises(UsageError, match="no such class"):
                await worker.ask("a", {"do": "x", "facts": {"error": "no such class", "kind": "UsageError"}})
            return before[1], (await worker.ask("a", {"do": "two"}))[1]
        finally:
            await worker.close()

    assert asyncio.run(scene()) == (b"one", b"two")


def test_the_plane_is_seen_from_far_and_each_cell_is_its_picture(digits: Explorer) -> None:
    look = View(seed=4, label=2)
    atlas = digits.atlas(look, 3)
    assert atlas.size == (3 * 28, 3 * 28)
    for column, row, x, y in ((1, 1, 0.0, 0.0), (2, 0, 4 / 3, 4 / 3), (0, 1, -4 / 3, 0.0)):
        cell = pixels(atlas.crop((28 * column, 28 * row, 28 * column + 28, 28 * row + 28)))
        one = pixels(digits.picture(replace(look, x=x, y=y)))
        assert (cell - one).abs().max() <= 1  # of 255: the batch differs


def test_each_direction_shows_its_two_ends(styled: Explorer) -> None:
    names = styled.list_directions()
    sheet = styled.ends(View(seed=1), names, 3.0)
    side = styled.model.shape[-1]
    assert sheet.size == (2 * side, len(names) * side)
    high = pixels(sheet.crop((side, side, 2 * side, 2 * side)))
    one = pixels(styled.picture(View(seed=1, moves={names[1]: 3.0})))
    assert (high - one).abs().max() <= 1


def test_styles_are_mixed_by_layer(styled: Explorer) -> None:
    count = styled.abilities()["styles"]
    own, other = styled.point(View(seed=1)).at, styled.point(View(seed=7)).at
    mixed = styled.point(View(seed=1, mix=7, layers=(0, 2))).at
    for layer in range(count):
        assert torch.equal(mixed[:, layer], (other if layer in (0, 2) else own)[:, layer])
    late = tuple(range(2, count))
    assert torch.equal(styled.point(View(seed=1, mix=7, layers=late)).at, styled.point(View(seed=1, mix=7, cut=2)).at)


def test_the_noise_of_the_layers_can_be_drawn_from_a_seed(tmp_path: Path, digits: Explorer) -> None:
    model = Explorer(saved(tmp_path / "noisy", "stylegan2-fashion"))
    assert (model.abilities()["noise"], digits.abilities()["noise"]) == (True, False)
    for layer in find_noise_inputs(model.model.drawer):
        layer.strength.data.fill_(0.5)
    pictures = [model.picture(View(seed=1, noise=noise)).tobytes() for noise in (None, 3, 3, 4)]
    assert pictures[1] == pictures[2]
    assert len(set(pictures)) == 3
    with pytest.raises(UsageError, match="need a model with styles"):
        digits.picture(View(noise=3))


def test_a_saved_file_is_called_by_its_seed_and_class(
    digits: Explorer, styled: Explorer, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert digits.name_file(View(seed=3, label=7)) == "seed3-class-7"
    assert digits.name_file(View(seed=3)) == "seed3-class-0"
    assert styled.name_file(View(seed=12)) == "seed12"
    monkeypatch.setitem(digits.model.card, "classes", ["0", "../T-shirt", "子"])
    assert digits.name_file(View(label=1)) == "seed0-class-T-shirt"
    assert digits.name_file(View(label=2)) == "seed0-class-2"


def test_an_empty_solid_is_said_to_be_empty(tmp_path: Path, digits: Explorer, monkeypatch: pytest.MonkeyPatch) -> None:
    solids = Explorer(saved(tmp_path / "solid", "voxel-shapes"))
    filled = solids.samples(View())
    monkeypatch.setattr(Explorer, "samples", lambda *_: torch.full_like(filled, -1.0))
    assert "This solid is empty" in solids.note(View())
    monkeypatch.setattr(Explorer, "samples", lambda *_: torch.full_like(filled, 1.0))
    assert solids.note(View()) == digits.note(View()) == ""
