"""The commands of the latent space, as they are typed, on a miniature bundle."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import PIL.Image
import pytest
import torch
from support import miniature_model as model

from ganvas.cli.app import app
from ganvas.cli.arguments import parse_terms
from ganvas.data.table import TableDataset
from ganvas.errors import UsageError
from ganvas.evaluation import training_neighbours
from ganvas.inference import model_file
from ganvas.inference.codes import Codes


@pytest.fixture(scope="module")
def bundles(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """A conditional game of z, and one of styles."""
    folder, found = tmp_path_factory.mktemp("bundles"), {}
    for name in ("cgan-mnist", "stylegan2-fashion"):
        found[name] = folder / f"{name}.safetensors"
        one = model(name)
        model_file.save(found[name], one.game, one.card)
    return found


def typed(*words: object) -> Any:
    return app([str(word) for word in words], exit_on_error=False, print_error=False, result_action="return_value")


@pytest.mark.parametrize(
    ("name", "words", "size", "said"),
    [
        ("cgan-mnist", ("traverse", "--axis", "0-1", "--seeds", "3", "--label", "7", "--steps", 5), (5, 2), "axis:1"),
        ("stylegan2-fashion", ("traverse", "--direction", "pca:0,sefa:1", "--seeds", "0-2"), (7, 6), "pca:0 ("),
        ("stylegan2-fashion", ("traverse", "--layers", "0-1", "--range", 1, "--seeds", "1"), (7, 1), "sefa:0 ("),
        ("cgan-mnist", ("arithmetic", "7:1,2 - 1:1,2 + 0:3-4"), (3, 4), "x.png"),
        ("stylegan2-fashion", ("arithmetic", "1 - 2 + 3", "--in", "z"), (2, 4), "x.png"),
        ("cgan-mnist", ("sample", "-n", 4, "--columns", 2, "--truncate", 0.5), (2, 2), "x.png"),
    ],
)
def test_sheets(
    name: str,
    words: tuple[object, ...],
    size: tuple[int, int],
    said: str,
    bundles: dict[str, Path],
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    typed(words[0], bundles[name], *words[1:], "--out", tmp_path / "x.png")
    with PIL.Image.open(tmp_path / "x.png") as picture:
        assert picture.size == tuple(66 * count + 2 for count in size)
        assert picture.info["synthetic"] == "true"
    assert said in capsys.readouterr().out


def test_a_plane(bundles: dict[str, Path], tmp_path: Path) -> None:
    typed("plane", bundles["stylegan2-fashion"], "-n", 3, "--quiet", "--out", tmp_path / "p.png")
    typed("plane", bundles["stylegan2-fashion"], "-n", 3, "--direction", "sefa:0-1", "--quiet", "--out", tmp_path / "q.png")
    for name, seeds in (("p.png", "1,5,9"), ("q.png", "0")):
        with PIL.Image.open(tmp_path / name) as picture:
            assert (picture.size, picture.info["seeds"]) == ((192, 192), seeds)


def test_films(bundles: dict[str, Path], tmp_path: Path) -> None:
    run = bundles["stylegan2-fashion"]
    typed("interpolate", run, "--seeds", "1,2", "--frames", 4, "--in", "w", "--quiet", "--out", tmp_path / "walk.apng")
    typed("traverse", run, "--direction", "sefa:0", "--frames", 4, "--quiet", "--out", tmp_path / "swing.apng")
    for name in ("walk.apng", "swing.apng"):
        with PIL.Image.open(tmp_path / name) as film:
            assert film.n_frames >= 3  # type: ignore[attr-defined]
            assert film.info["synthetic"] == "true"


def test_json_names_what_was_found(
    bundles: dict[str, Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    random = torch.Generator().manual_seed(0)
    bank = torch.randint(0, 256, (30, 1, 32, 32), generator=random, dtype=torch.uint8)
    monkeypatch.setattr(training_neighbours, "open_source", lambda *args, **settings: TableDataset("bank", {"real": bank}))
    typed("neighbours", bundles["cgan-mnist"], "-n", 2, "-k", 3, "--seed", 7, "--json", "--out", tmp_path / "n.png")
    told = json.loads(capsys.readouterr().out)
    assert [row["seed"] for row in told["neighbours"]] == [7, 8]
    assert all(len(row["nearest"]) == 3 for row in told["neighbours"])
    run = bundles["stylegan2-fashion"]
    typed("traverse", run, "--direction", "pca:0", "--seeds", "1", "--json", "--out", tmp_path / "t.png")
    way = json.loads(capsys.readouterr().out)["directions"][0]
    assert way["name"] == "pca:0"
    assert 0.25 < way["share"] <= 1  # the largest of four
    assert way["sd"] > 0


@pytest.mark.parametrize(
    "words",
    [
        ("sample", "--latents", "FILE"),
        ("strip", "--by", "mixing", "--seeds", "FILE"),
        ("traverse", "--seeds", "FILE"),
        ("plane", "--seeds", "FILE#b", "--direction", "sefa:0-1", "-n", 3),
        ("interpolate", "--seeds", "FILE", "--in", "w", "--frames", 4),
        ("interpolate", "--seeds", "FILE", "--frames", 4),  # they are styles, so w is meant
        ("arithmetic", "FILE#a - FILE#b + 3"),
        ("drag", "--latents", "FILE#b", "--from", "10,12", "--to", "16,12", "--steps", 1),
        ("neighbours", "--latents", "FILE", "-k", 2),
    ],
)
def test_every_verb_takes_codes(
    words: tuple[object, ...],
    bundles: dict[str, Path],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    bank = torch.zeros(30, 1, 32, 32, dtype=torch.uint8)
    monkeypatch.setattr(training_neighbours, "open_source", lambda *args, **settings: TableDataset("bank", {"real": bank}))
    random = torch.Generator().manual_seed(0)
    file = Codes("w", torch.randn(2, 4, generator=random), None, ("a", "b")).save(tmp_path / "codes.npz")
    out = tmp_path / ("x.apng" if words[0] == "interpolate" else "x.png")
    typed(words[0], bundles["stylegan2-fashion"], *(str(word).replace("FILE", str(file)) for word in words[1:]), "--out", out)
    with PIL.Image.open(out) as picture:
        assert "b" in picture.info["seeds"]
    capsys.readouterr()


@pytest.mark.parametrize("option", [("--seed", 3), ("-n", 4), ("--truncate", 0.5)])
def test_codes_and_options_of_seeds_contradict(option: tuple[object, ...], bundles: dict[str, Path], tmp_path: Path) -> None:
    file = Codes("z", torch.zeros(1, 4), torch.tensor([3]), ("a",)).save(tmp_path / "codes.npz")
    with pytest.raises(UsageError, match=f"leave {option[0]} out"):
        typed("sample", bundles["cgan-mnist"], "--latents", file, *option, "--out", tmp_path / "x.png")
    assert not (tmp_path / "x.png").exists()


def test_terms_as_they_are_typed(tmp_path: Path) -> None:
    one = model("stylegan2-fashion")
    assert parse_terms("1,2 - 4-6 + 9", one) == [(1, None, [1, 2]), (-1, None, [4, 5, 6]), (1, None, [9])]
    assert parse_terms(" T-shirt/top:1-2 - Ankle boot:3", one) == [(1, "T-shirt/top", [1, 2]), (-1, "Ankle boot", [3])]
    for text in ("1 -2", "", "1 - ", "7:", "a"):
        with pytest.raises(UsageError, match="seeds such as"):
            parse_terms(text, one)
    file = Codes("w", torch.randn(2, 4), None, ("seven", "one")).save(tmp_path / "my codes.npz")
    (_, label, every), (sign, _, seven) = parse_terms(f"{file} - {file}#seven", one)
    assert (label, sign) == (None, -1)
    assert (every.names, seven.names) == (("seven", "one"), ("seven",))  # type: ignore[union-attr]
