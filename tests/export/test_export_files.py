"""`ganvas export` and `ganvas publish`: files and cards that are complete or not there, and one line for what is wrong."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
import torch
from PIL import Image
from support import ganvas, miniature_model
from test_docs import check_command

from ganvas.errors import DataError, ResourceError, UsageError
from ganvas.export import export_files as exporting
from ganvas.export.agreement import Agreement
from ganvas.export.card_measures import read_measures
from ganvas.export.export_files import export_files
from ganvas.export.hub_folder import publish
from ganvas.export.hub_head import make_head
from ganvas.export.model_card import describe_data, list_limits, write_card
from ganvas.games import RECIPES
from ganvas.inference import model_file
from ganvas.inference.model import load
from ganvas.inference.shipped_models import list_shipped

pytest.importorskip("onnxscript", reason="the extra `export` is not installed: pip install 'ganvas[export]'")
HOSTILE = "x|y `z` <b> [a](http://b) \n# h"


def save_run(folder: Path, name: str = "gan-ring", **data: Any) -> Path:
    """A run folder with an untrained miniature."""
    model = miniature_model(name)
    card = model.card
    card["recipe"]["data"] |= data
    folder.mkdir()
    model_file.save(folder / "model.safetensors", model.game, card)
    return folder


@pytest.fixture
def run(tmp_path: Path) -> Path:
    return save_run(tmp_path / "run")


def test_the_command_writes_both_files_and_their_cards(run: Path, tmp_path: Path) -> None:
    done = ganvas("export", "run", "--onnx", "m.onnx", "--html", "m.html", "--licence", "cc-by-4.0", "--json", cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    files = json.loads(done.stdout)["files"]
    assert [each["out"] for each in files] == ["m.onnx", "m.html"]
    for each in files:
        assert (tmp_path / each["out"]).stat().st_size == each["bytes"]
        assert each["agreement"]["inputs"] == 64
        card = (tmp_path / each["card"]).read_text()
        assert "cc-by-4.0" in card
        assert "compared with PyTorch" in card
        assert "Not measured" in card
    usage = (tmp_path / "m.onnx.md").read_text().split("```python\n")[1].split("```")[0]
    space: dict[str, Any] = {}
    exec(usage.replace('"m.onnx"', repr(str(tmp_path / "m.onnx"))), space)
    assert space["points"].shape == (4, 2)


@pytest.mark.parametrize(
    ("words", "said"),
    [
        ((), "add --onnx model.onnx, --html demo.html, or both"),
        (("--onnx", "m.html"), "expected a name ending in .onnx"),
        (("--onnx", "no/m.onnx"), "no folder no; create it"),
        (("--html", "run/model.safetensors/m.html"), "run/model.safetensors is a file, not a folder; choose another place"),
        (("--html", "m.html", "--to", "b"), "leave --to out"),
        (("--onnx", "m.onnx", "--strength", "0.5"), "neither translates nor enlarges; leave --strength out"),
        (("--onnx", "m.onnx", "--licence", "my own"), "expected an identifier such as apache-2.0"),
    ],
)
def test_bad_input_is_one_line_and_writes_nothing(run: Path, tmp_path: Path, words: tuple[str, ...], said: str) -> None:
    done = ganvas("export", "run", *words, cwd=tmp_path)
    assert done.returncode in (2, 5)
    assert said in done.stderr
    assert len(done.stderr.strip().splitlines()) == 1
    assert sorted(path.name for path in tmp_path.iterdir()) == ["run"]


def test_a_text_that_is_no_card_is_not_replaced(run: Path, tmp_path: Path) -> None:
    (tmp_path / "m.onnx.md").write_text("my notes")
    with pytest.raises(UsageError, match=r"m\.onnx\.md: found a text that is no card of ganvas; choose another name"):
        export_files(run, tmp_path / "m.onnx")
    assert sorted(path.name for path in tmp_path.iterdir()) == ["m.onnx.md", "run"]


@pytest.mark.slow
def test_a_file_that_differs_is_not_written(run: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    real = exporting.to_onnx

    def damaged(graph: Any, description: Any) -> bytes:
        data = real(graph, description)
        with torch.no_grad():  # as if the exporter had taken other weights
            next(graph.module.game.G.parameters()).add_(1)
        return data

    monkeypatch.setattr(exporting, "to_onnx", damaged)
    with pytest.raises(DataError, match="differs from PyTorch"):
        export_files(run, tmp_path / "m.onnx")
    assert sorted(path.name for path in tmp_path.iterdir()) == ["run"]


def test_an_untrained_model_that_holds_nan_cannot_be_exported(tmp_path: Path) -> None:
    (tmp_path / "run").mkdir()
    (tmp_path / "run" / "model.safetensors").write_bytes(b"nonsense")
    with pytest.raises(DataError):
        export_files(tmp_path / "run", tmp_path / "m.onnx")


@pytest.mark.slow
def test_a_published_folder_is_complete_and_loads(tmp_path: Path) -> None:
    run = save_run(tmp_path / "run", source="pictures")
    (run / "recipe.json").write_text(json.dumps({"data": {"source": "/home/somebody/secret/pictures"}}))
    found = publish(run, tmp_path / "hub", licence="apache-2.0")
    names = ["README.md", "config.json", "demo.html", "model.onnx", "model.safetensors", "samples.png"]
    assert sorted(path.name for path in (tmp_path / "hub").iterdir()) == names == list(found.files)
    card = (tmp_path / "hub" / "README.md").read_text()
    assert card.startswith("---\nlibrary_name: ganvas\nlicense: apache-2.0\ntags: ")
    for path in (tmp_path / "hub").iterdir():
        assert b"/home/somebody" not in path.read_bytes(), path.name
    assert load(tmp_path / "hub" / "model.safetensors").identity == load(run).identity
    assert json.loads((tmp_path / "hub" / "config.json").read_text())["recipe"]["game"] == "gan"
    with pytest.raises(UsageError, match="new or an empty folder"):
        publish(run, tmp_path / "hub")


@pytest.mark.slow
def test_a_model_with_two_directions_has_a_file_for_each(tmp_path: Path) -> None:
    found = publish(save_run(tmp_path / "run", "cyclegan-emoji"), tmp_path / "hub")
    assert [name for name in found.files if name.endswith(".onnx")] == ["model-a.onnx", "model-b.onnx"]
    assert "image-to-image" in (tmp_path / "hub" / "README.md").read_text()


def test_nothing_is_published_where_the_folder_cannot_be(run: Path, tmp_path: Path) -> None:
    with pytest.raises(ResourceError):
        publish(run, tmp_path / "no" / "hub")


def test_measures_of_a_run_stand_in_the_card(run: Path) -> None:
    row = {"fd10k-digits": {"value": 1.25, "interval": 0.1, "floor": 0.5, "samples": 10_000, "extractor": "digits"}}
    old = {"reference": "mnist", "metrics": {"fd10k-digits": {"value": 9.0}}}
    lines = [json.dumps(each) for each in (old, {"reference": "mnist test", "metrics": row})]
    (run / "metrics.jsonl").write_text("\n".join(lines) + "\n")
    card = write_card(load(run), run, "usage")
    assert "| fd10k-digits | 1.25 | 0.1 | 0.5 | 10,000 |" in card
    assert "Against mnist test." in card
    (run / "metrics.jsonl").write_text("damaged")
    assert read_measures(run) == ([], "")
    (run / "result.json").write_text(json.dumps({"distance": {"name": "fd500", "value": 3.0, "floor": 2.5}}))
    measures, reference = read_measures(run)
    assert [(each.name, each.value, each.floor) for each in measures] == [("fd500", 3.0, 2.5)]
    assert "end of the training" in reference


def test_measures_of_other_weights_and_paths_of_this_machine_do_not_stand_in_the_card(run: Path) -> None:
    row = {"items": 500, "reference": "5 whole photographs of /home/some body/five", "metrics": {"psnr5": {"value": 31.5}}}
    later = row | {"items": 900, "metrics": {"psnr5": {"value": 40.0}}}
    (run / "metrics.jsonl").write_text("".join(json.dumps(each) + "\n" for each in (row, later)))
    measures, reference = read_measures(run, 500)
    assert [each.value for each in measures] == [31.5]
    assert measures[0].meaning.startswith("peak signal-to-noise ratio")
    assert reference == "5 whole photographs of five"
    assert read_measures(run, 700) == ([], "")


def test_the_card_of_a_model_that_comes_with_ganvas_has_its_measures_and_its_licence(tmp_path: Path) -> None:
    model = load("sr-photos")
    card = write_card(model, tmp_path / "copied.safetensors", "usage")  # a copy is the same model
    shipped = next(each for each in list_shipped() if each.name == "sr-photos")
    psnr = shipped.measured["psnr_y218"]
    assert f"| psnr\\_y218 | {psnr.value:.4g} | {psnr.baseline:.4g} |" in card
    assert "psnr\\_y218: PSNR of the brightness" in card
    assert f"{shipped.data} (" in card
    assert f"| {shipped.licence} |" in card
    assert "| Licence of the weights | apache-2.0 |" in card
    assert f"ganvas train sr-photos --data PHOTOS --seed 0, in {shipped.minutes:g} minutes" in card
    assert "Not measured" not in card


@pytest.mark.slow
def test_a_model_that_comes_with_ganvas_is_published_by_its_name(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    publish("sr-photos", "hub", licence="MIT")
    assert load(tmp_path / "hub" / "model.safetensors").identity == load("sr-photos").identity
    card = Path("hub/README.md").read_text()
    assert card.startswith("---\nlibrary_name: ganvas\npipeline_tag: image-to-image\nlicense: mit\ntags: ")
    monkeypatch.chdir(tmp_path / "hub")
    Image.new("RGB", (40, 30), "red").save("photo.jpg")
    for code in card.split("```python\n")[1:]:
        exec(code.split("```")[0], {})
    for name, size in (("output.png", (64, 64)), ("large.png", (80, 60))):
        with Image.open(name) as made:
            assert made.size == size


@pytest.mark.parametrize(
    ("name", "licence", "said"),
    [
        ("gan-ring", None, ["license: unknown", 'tags: ["ganvas", "gan", "onnx"]']),  # points: hubs have no such task
        ("cgan-mnist", "Apache-2.0", ["pipeline_tag: unconditional-image-generation", "license: apache-2.0"]),
        ("classifier-mnist", "my-own", ["pipeline_tag: image-classification", "license: other", 'license_name: "my-own"']),
        ("motion-emoji", "no", ["pipeline_tag: image-to-video", "license: other", 'license_name: "no"']),
        ("textlm-names", "MIT", ["pipeline_tag: text-generation", "license: mit", "language: en"]),
    ],
)
def test_the_head_has_what_hubs_accept(name: str, licence: str | None, said: list[str]) -> None:
    lines = make_head(miniature_model(name), licence)
    assert set(said) <= set(lines)
    tasks = [line for line in lines if line.startswith("pipeline_tag")]
    assert tasks == [line for line in said if line.startswith("pipeline_tag")]
    assert ('"gan"' in lines[-1]) == (name not in ("classifier-mnist", "textlm-names"))


def test_built_in_data_has_its_own_licence() -> None:
    for name, (words, licence) in {
        "pix2pix-emoji": ("Fluent Emoji", "MIT (Fluent Emoji, Microsoft)"),
        "cyclegan-styles": ("Noto Emoji", "MIT (Fluent Emoji, Microsoft) and Apache-2.0 (Noto Emoji, Google)"),
        "motion-emoji": ("Fluent Emoji", "MIT (Fluent Emoji, Microsoft)"),
        "voxel-shapes": ("drawn by ganvas", "none: computed by ganvas"),
    }.items():
        model = miniature_model(name)
        model.card["recipe"]["data"]["source"] = RECIPES[name].data.source
        said, terms = describe_data(model)
        assert words in said
        assert terms == licence


def test_a_card_has_no_markup_of_a_file() -> None:
    model = miniature_model("cgan-mnist")
    model.card["classes"][0] = HOSTILE
    model.card["recipe"]["about"] = HOSTILE
    model.card["recipe"]["name"] = HOSTILE
    card = write_card(model, Path("nowhere"), "usage", hub=True)
    assert "<b>" not in card
    assert "](http" not in card.replace("\\](", "")
    assert "\n# h" not in card
    assert "not stated" in card


def test_every_kind_of_model_has_limits() -> None:
    for name in ("cgan-mnist", "textlm-names", "pix2pix-emoji", "inpaint-photos", "motion-emoji", "classifier-mnist"):
        assert len(list_limits(miniature_model(name))) >= 1
    assert "synthetic" in " ".join(list_limits(miniature_model("cgan-mnist")))


def test_agreements_are_told_in_words() -> None:
    assert str(Agreement(64, 0.25, "grey levels", 1.0)) == "0.25 grey levels at most on 64 inputs"
    check_command("ganvas export RUN --onnx model.onnx", whole=True)
    check_command("ganvas publish RUN --to FOLDER", whole=True)
