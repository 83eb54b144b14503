"""Traversals: what stands where in their sheets, directions by name, arithmetic, and neighbours among the data."""

from __future__ import annotations

import json
import math
from pathlib import Path
from typing import Any

import numpy as np
import PIL.Image
import pytest
import torch
from support import miniature_model as model
from torch import Tensor

from ganvas.data.table import TableDataset
from ganvas.editing import latent_map, named_directions, traversal
from ganvas.editing.latent_arithmetic import Term, arithmetic
from ganvas.editing.named_directions import Direction, directions
from ganvas.editing.strips import strip
from ganvas.editing.traversal import plane, traverse
from ganvas.errors import UsageError
from ganvas.evaluation import training_neighbours
from ganvas.evaluation.output_sheet import save_output_sheet
from ganvas.evaluation.training_neighbours import neighbours
from ganvas.inference import model_file
from ganvas.inference.feature_extractors import Extractor
from ganvas.inference.latent_space import space
from ganvas.inference.model import Model
from ganvas.latents.directions import class_difference
from ganvas.media.image_files import to_bytes


def cells(path: Path, side: int, padding: int = 2) -> Tensor:
    """The pictures of a grey sheet as [rows, columns, side, side], at twice their size."""
    with PIL.Image.open(path) as picture:
        pixels = torch.from_numpy(np.asarray(picture.convert("L")).copy())
    step = 2 * side + padding
    return torch.stack(
        [
            row[:, padding:].unfold(1, 2 * side, step)[::2].permute(1, 0, 2)[..., ::2]
            for row in pixels[padding:].unfold(0, 2 * side, step).permute(0, 2, 1)
        ]
    )


def seen(one: Model, seeds: list[int], label: Any = None) -> Tensor:
    """The pictures of seeds, as bytes [N, side, side]."""
    return torch.cat([to_bytes(next(one.stream(1, seed, label))[0]) for seed in seeds])[:, 0]


@pytest.mark.parametrize("name", ["dcgan-mnist", "stylegan2-fashion", "gan-mnist"])
def test_a_traversal_has_its_seeds_in_the_middle(name: str, tmp_path: Path) -> None:
    one = model(name)
    found = traverse(one, tmp_path / "t.png", ["sefa:0-1"], [5, 6, 7], span=2.0, steps=5)
    side = one.shape[-1]
    sheet = cells(found.out, side)
    assert sheet.shape == (6, 5, side, side)
    assert torch.equal(sheet[:, 2], seen(one, [5, 6, 7]).repeat(2, 1, 1))
    assert [way.name for way in found.directions] == ["sefa:0", "sefa:1"]
    with PIL.Image.open(found.out) as picture:
        assert picture.info["seeds"] == "5,6,7"
        assert picture.info["directions"].startswith("sefa:0 (")


def test_a_traversal_moves_by_standard_deviations_of_z() -> None:
    one = model("cgan-mnist")
    through = space(one.drawer)
    way = directions(one, through, ["axis:2"])[0]
    codes, offsets = through.of_seeds([1, 2], None), torch.tensor([-3.0, 0.0, 1.5])
    moved = traversal._shift(through, codes, way, offsets, None)
    assert moved.shape == (2, 3, 4)
    torch.testing.assert_close(moved[:, :, 2], codes[:, 2:3] + offsets)
    torch.testing.assert_close(moved[:, :, [0, 1, 3]], codes[:, None, [0, 1, 3]].expand(-1, 3, -1))


def test_a_traversal_of_some_layers_leaves_the_others() -> None:
    one = model("stylegan2-fashion")
    through, styles = space(one.drawer), one.game.styles  # type: ignore[union-attr]
    way = Direction("sefa:0", torch.eye(4, dtype=torch.float64)[0], 0.5)
    codes = through.of_seeds([1], None)
    moved = traversal._shift(through, codes, way, torch.tensor([2.0]), [0, 1])
    assert moved.shape == (1, 1, styles, 4)
    torch.testing.assert_close(moved[0, 0, :2], (codes + torch.tensor([1.0, 0, 0, 0])).expand(2, 4))
    torch.testing.assert_close(moved[0, 0, 2:], codes.expand(styles - 2, 4))
    with pytest.raises(UsageError, match="layers: expected from 0 to"):
        traversal._shift(through, codes, way, torch.tensor([2.0]), [styles])
    with pytest.raises(UsageError, match="only styles w differ by layer"):
        traversal._shift(space(one.drawer, "z"), codes, way, torch.tensor([2.0]), [0])


def test_a_film_swings_from_the_seed_to_both_sides(tmp_path: Path) -> None:
    one = model("cgan-mnist")
    out = traverse(one, tmp_path / "t.apng", ["axis:0"], [5], frames=8, span=3.0).out
    ends = traverse(one, tmp_path / "t.png", ["axis:0"], [5], steps=3, span=3.0).out
    sheet = cells(ends, 32)[0]
    with PIL.Image.open(out) as film:
        assert film.n_frames == 8  # type: ignore[attr-defined]
        for frame, column in ((0, 1), (2, 2), (6, 0)):
            film.seek(frame)
            pixels = np.asarray(film.convert("L"))[2:-2, 2:-2]
            assert (pixels[::4, ::4] == sheet[column].numpy()).all()


def test_directions_of_w_are_as_long_as_w_varies() -> None:
    one = model("stylegan2-fashion-conditional")
    found = directions(one, space(one.drawer), ["pca:0-3", "sefa:1", "class:7-1"])
    assert [way.name for way in found] == ["pca:0", "pca:1", "pca:2", "pca:3", "sefa:1", "class:7-1"]
    shares, sds = [way.share or 0.0 for way in found[:4]], [way.sd for way in found[:4]]
    assert sum(shares) == pytest.approx(1)
    assert [sd**2 / sum(s**2 for s in sds) for sd in sds] == pytest.approx(shares)
    through, classes = space(one.drawer), torch.arange(10_000) % 10
    w = through.of_seeds(range(10_000), classes)
    torch.testing.assert_close(found[-1].vector, class_difference(w, classes, 7, 1))


def test_a_classifier_names_the_classes_of_a_model_without(monkeypatch: pytest.MonkeyPatch) -> None:
    """A judge who looks at one pixel finds the way to make it brighter."""
    one = model("vae-mnist")

    def classify(x: Tensor) -> Tensor:
        bright = x[:, 0, 3, 3] > x[:, 0, 20, 20]
        return torch.stack([~bright, bright], 1).double()

    judge = Extractor("pixel", classify, classify, ("dark", "bright-ish"))
    monkeypatch.setattr(named_directions, "load_extractor", lambda name, device: judge)
    through = space(one.drawer)
    way = directions(one, through, ["class:bright-ish-dark"], judge="pixel")[0]
    codes = torch.cat([through.of_seeds(range(50), None) + side * way.vector.float() for side in (-2, 2)])
    share = classify(through.pictures(codes, None)).argmax(1).float().unflatten(0, (2, 50)).mean(1)
    assert share[1] > share[0] + 0.3
    assert way.sd == 1
    with pytest.raises(UsageError, match="unknown class 'dork'; did you mean 'dark'"):
        directions(one, through, ["class:dork-dark"], judge="pixel")


def test_a_plane_has_its_seeds_at_its_corners(tmp_path: Path) -> None:
    for name, label in (("cgan-mnist", 3), ("stylegan2-fashion", None)):
        one = model(name)
        sheet = cells(plane(one, tmp_path / "p.png", [1, 5, 9], 4, label=label).out, 32, 0)
        corners = seen(one, [1, 5, 9], label)
        close = (sheet[[0, 0, -1], [0, -1, 0]].int() - corners.int()).abs().max()
        assert close <= 1  # a rounding of the blend


def test_a_plane_along_two_directions_has_its_seed_in_the_middle(tmp_path: Path) -> None:
    one = model("vae-mnist")
    found = plane(one, tmp_path / "p.png", [4], 3, names=["sefa:0-1"], span=1.0)
    sheet = cells(found.out, 32, 0)
    assert torch.equal(sheet[1, 1], seen(one, [4])[0])
    rows = cells(traverse(one, tmp_path / "t.png", ["sefa:0-1"], [4], span=1.0, steps=3).out, 32)
    assert torch.equal(sheet[1], rows[0])
    assert torch.equal(sheet[:, 1], rows[1])


def test_arithmetic_shows_its_terms_and_what_remains(tmp_path: Path) -> None:
    """a - b + b is a, also of means, in z, in w and beside classes."""
    for name, label in (("cgan-mnist", 7), ("stylegan2-fashion", None), ("vae-mnist", None)):
        one = model(name)
        terms = [Term([1, 2], 1, label), Term([3, 4], -1), Term([3, 4])]
        sheet = cells(arithmetic(one, tmp_path / "a.png", terms).out, 32)
        assert sheet.shape[:2] == (4, 3)
        assert (sheet[0, 1:].int() - seen(one, [1, 2], label).int()).abs().max() <= 1
        assert (sheet[3].int() - sheet[0].int()).abs().max() <= 1
        with PIL.Image.open(tmp_path / "a.png") as picture:
            assert picture.info["seeds"] == f"{'7:' if label else ''}1,2 - 3,4 + 3,4"


def test_arithmetic_of_classes_draws_another_class(tmp_path: Path) -> None:
    """7 - 1 + 1 of the same seed is 7; and 3 - 3 + 5 is 5."""
    one = model("stylegan2-fashion-conditional")
    sheet = cells(arithmetic(one, tmp_path / "a.png", [Term([6], 1, 3), Term([6], -1, 3), Term([6, 6], 1, 5)]).out, 32)
    assert (sheet[3, 0].int() - seen(one, [6], 5)[0].int()).abs().max() <= 1
    assert (sheet[3, 1] == 255).all()  # terms of different sizes: no result seed by seed


def test_neighbours_finds_copies_in_order(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A training set that holds what the model draws, and the same a little and much brighter."""
    one = model("cgan-mnist")
    one.game.G.rest[-3].weight.data.mul_(50)  # type: ignore[union-attr, index]  # untrained, it draws much the same for all
    drawn = torch.cat([to_bytes(part) for part, _ in one.stream(3, 5, [1, 2, 3])])
    bank = torch.cat([(drawn.int() + step).clamp(0, 255).to(torch.uint8) for step in (90, 0, 5)])
    source = TableDataset("/home/me/bank", {"real": bank, "label": torch.arange(9) % 3}, ("a", "b", "c"))
    monkeypatch.setattr(training_neighbours, "open_source", lambda *args, **settings: source)
    found = neighbours(one, tmp_path / "n.png", 3, 2, seed=5, label=[1, 2, 3])
    for i, (seed, row) in enumerate(found.found):
        assert (seed, [near.index for near in row], [near.label for near in row]) == (5 + i, [3 + i, 6 + i], ["abc"[i]] * 2)
        assert row[0].distance == 0
        assert 0 < row[1].distance <= 5 * 32
    sheet = cells(found.out, 32)
    assert torch.equal(sheet[:, 0], drawn[:, 0])
    assert torch.equal(sheet[:, 2], bank[6:, 0])
    with PIL.Image.open(found.out) as picture:
        assert picture.info["data"] == "bank"  # the picture may be published: no path of this machine is in it
        assert json.loads(picture.info["neighbours"]) == json.loads(json.dumps(found.rows()))
    in_features = neighbours(one, tmp_path / "n.png", 3, 1, within="digits", seed=5, label=[1, 2, 3])
    assert [row[0].index for _, row in in_features.found] == [3, 4, 5]
    assert "seed 5: 3 (a) at 0" in in_features.text()


@pytest.mark.parametrize(
    "call",
    [
        lambda one, out: traverse(one, out, ["axis:0"]),
        lambda one, out: traverse(one, out, ["sefa:0"]),
        lambda one, out: traverse(one, out, ["class:7-1"]),
        lambda one, out: plane(one, out, [1, 2, 3]),
        lambda one, out: arithmetic(one, out, [Term([1]), Term([2], -1), Term([3])]),
        lambda one, out: neighbours(one, out),
        *[lambda one, out, by=by: strip(one, out, by, [1, 2]) for by in ("resolution", "truncation", "mixing")],
        lambda one, out: latent_map.reconstruct(saved(one, out), out),
        lambda one, out: latent_map.latent_map(saved(one, out), out),
    ],
)
def test_text_has_no_pictures(call: Any, tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="this model generates text and this needs images; sample it"):
        call(model("textgan-names"), tmp_path / "x.png")
    assert not (tmp_path / "x.png").exists()


def saved(one: Model, out: Path) -> Path:
    """The bundle of a model, beside `out`."""
    model_file.save(out.with_name("model.safetensors"), one.game, one.card)
    return out.with_name("model.safetensors")


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda out: traverse(model("dcgan-mnist"), out, ["pca:0"]), "z varies alike in all directions"),
        (lambda out: traverse(model("dcgan-mnist"), out, ["sefa:9"]), "sefa:9: this model has sefa:0 to sefa:3"),
        (lambda out: traverse(model("dcgan-mnist"), out, ["sefa:3-1"]), "a number or a range"),
        (lambda out: traverse(model("dcgan-mnist"), out, ["seefa:0"]), "expected axis:3, sefa:0, pca:0-4 or class:7-1"),
        (lambda out: traverse(model("dcgan-mnist"), out, []), "at least one"),
        (lambda out: traverse(model("dcgan-mnist"), out, ["sefa:0"], span=math.inf), "at most 1,000 .* deviations, got inf"),
        (lambda out: traverse(model("dcgan-mnist"), out.with_suffix(".gif"), ["sefa:0"], span=math.nan), "range: .* got nan"),
        (lambda out: plane(model("dcgan-mnist"), out, [1], names=["sefa:0-1"], span=-math.inf), "range: .* got -inf"),
        (lambda out: traverse(model("stylegan-fashion"), out, ["sefa:0"], where="z"), "no matrix to read directions from"),
        (lambda out: traverse(model("cgan-mnist"), out, ["class:7-1"]), "use interpolate --label 1,7"),
        (lambda out: traverse(model("dcgan-images"), out, ["class:7-1"]), "--judge digits"),
        (lambda out: traverse(model("dcgan-mnist"), out, ["sefa:0"], steps=1), "two steps"),
        (lambda out: traverse(model("dcgan-mnist"), out.with_suffix(".bmp"), ["sefa:0"]), "cannot write a film to 'x.bmp'"),
        (lambda out: traverse(model("gan-ring"), out, ["axis:0"]), "generates points"),
        (lambda out: plane(model("dcgan-mnist"), out, [1, 2]), "got 2 and 0"),
        (lambda out: plane(model("dcgan-mnist"), out, [1, 5, 9], 1), "side: expected a number from 2 to 256, got 1"),
        (lambda out: plane(model("dcgan-mnist"), out, [1, 5, 9], 2**63 - 1), "side: expected a number from 2 to 256"),
        (lambda out: model("dcgan-mnist").save(out, 2, columns=0), "columns: expected a number from 1 to 65,536, got 0"),
        (lambda out: plane(model("dcgan-mnist"), out, [1], names=["sefa:0"]), "got 1 and 1"),
        (lambda out: plane(model("dcgan-mnist"), out.with_suffix(".gif"), [1, 2, 3]), "ending in .png"),
        (lambda out: arithmetic(model("dcgan-mnist"), out, [Term([1])]), "two terms or more"),
        (lambda out: arithmetic(model("cgan-mnist"), out, [Term([1]), Term([2])]), "got 2 more"),
        (lambda out: arithmetic(model("dcgan-mnist"), out, [Term([1], label=3), Term([2])]), "trained without classes"),
        (lambda out: neighbours(model("gan-ring"), out), "generates points"),
        (lambda out: neighbours(model("dcgan-mnist"), out.with_suffix(".gif")), "ending in .png"),
    ],
)
def test_a_wrong_request_is_one_clear_line(call: Any, message: str, tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=message):
        call(tmp_path / "x.png")
    assert list(tmp_path.iterdir()) == []


def test_a_picture_of_the_data_is_not_replaced(tmp_path: Path) -> None:
    out, data = tmp_path / "0.png", str(tmp_path)
    out.write_bytes(b"mine")
    vae = model("vae-mnist-2d")
    model_file.save(tmp_path / "m.safetensors", vae.game, vae.card)
    calls: list[Any] = [
        lambda: neighbours(model("gan-mnist"), out, data=data),
        lambda: latent_map.reconstruct(tmp_path / "m.safetensors", out, data=data),
        lambda: latent_map.latent_map(tmp_path / "m.safetensors", out, data=data),
        lambda: save_output_sheet(model("pix2pix-emoji"), out, data, 8),
    ]
    for call in calls:
        with pytest.raises(UsageError, match=r"0\.png is a file of the data; choose another --out"):
            call()
    assert out.read_bytes() == b"mine"
