"""The models that come with ganvas: their list says what is there, and their names stand wherever a run does."""

from __future__ import annotations

import hashlib
import json
import re
from pathlib import Path

import pytest

from ganvas.cli.app import app
from ganvas.cli.comparison_commands import choose_target
from ganvas.errors import DataError, UsageError
from ganvas.evaluation.evaluate import evaluate
from ganvas.games.recipes import RECIPES
from ganvas.inference import model_file
from ganvas.inference.model import load
from ganvas.inference.shipped_models import SHIPPED, ShippedModel, find_model, list_shipped

MOST_BYTES = 12_000_000  # of all of them
CLOSE = 0.02  # share by which a measure may differ on another machine
MODELS = list_shipped()
DIGITS = "cgan-mnist"


def test_the_list_is_what_is_there() -> None:
    assert {model.path for model in MODELS} == set(SHIPPED.glob("*.safetensors"))
    assert sum(model.bytes for model in MODELS) <= MOST_BYTES


@pytest.mark.parametrize("model", MODELS, ids=lambda model: model.name)
def test_each_is_what_its_line_says(model: ShippedModel) -> None:
    data = model.path.read_bytes()
    assert (len(data), hashlib.sha256(data).hexdigest()) == (model.bytes, model.sha256)
    loaded = load(model.name)
    assert loaded.card["recipe"]["name"] == model.recipe
    assert loaded.card["items"] == model.items
    assert not {"/", "\\"} & set(loaded.card["recipe"]["data"]["source"])  # a place on the machine that made it
    assert model.recipe in RECIPES
    assert model.command.startswith(f"ganvas train {model.recipe} ")
    assert model.licence
    assert model.measured


def test_a_file_of_that_name_comes_first(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    assert find_model(DIGITS) == SHIPPED / f"{DIGITS}.safetensors"
    assert find_model(tmp_path / DIGITS) == tmp_path / DIGITS  # a path is a path
    Path(DIGITS).mkdir()
    assert find_model(DIGITS) == Path(DIGITS)
    with pytest.raises(DataError, match="folder without"):
        load(DIGITS)


def test_a_wrong_name_says_where_the_names_are(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    with pytest.raises(DataError, match=r"cgan-mnst: .*no model that comes with ganvas \(ganvas models\) has this name"):
        load("cgan-mnst")
    for wrong in ("cgan-mnst", "CGAN-MNIST", "cgan_mnist"):
        with pytest.raises(DataError, match=r"; did you mean 'cgan-mnist'\?"):
            load(wrong)
    with pytest.raises(DataError, match=r"has this name$"):
        load("holiday")
    assert model_file.read_card(Path(DIGITS))["recipe"]["name"] == DIGITS


def typed(*words: object) -> None:
    app([str(word) for word in words], exit_on_error=False, print_error=False, result_action="return_value")


def test_the_commands_take_the_name(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    typed("models", "--json")
    listed = json.loads(capsys.readouterr().out)
    assert {"name", "recipe", "bytes", "licence", "measured"} <= set(listed[0])
    typed("models")
    printed = capsys.readouterr().out
    for model in MODELS:
        facts = (model.name, model.about, *model.measured, model.licence, model.command, f"{model.minutes:.0f} min")
        assert all(fact in printed for fact in facts[:3] + facts[-3:]), model.name
    typed("sample", DIGITS, "-n", 4, "--label", 7, "--out", "seven.png")
    assert Path("seven.png").exists()
    typed("eval", DIGITS, "--samples", 100, "--metrics", "swd")
    assert {path.name for path in SHIPPED.iterdir()} == {*(model.path.name for model in MODELS), "models.json"}


def test_a_training_begins_with_one(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    typed("train", "--from", DIGITS, "--images", 256, "--ranks", 1, "--precision", "float32", "--quiet", "--out", "mine")
    assert load("mine").card["from_model"]["sha256"] == hashlib.sha256(find_model(DIGITS).read_bytes()).hexdigest()


@pytest.mark.slow
@pytest.mark.parametrize("model", MODELS, ids=lambda model: model.name)
def test_each_measures_what_its_line_says(model: ShippedModel) -> None:
    plain = {match[1] for name in model.measured if (match := re.match(r"([a-z_]+)", name))}
    try:
        found = evaluate(model.name, metrics=sorted(plain)).measures
    except DataError as absent:  # the photographs that it learned from are not here
        pytest.skip(str(absent))
    for name, measured in model.measured.items():
        assert found[name].value == pytest.approx(measured.value, rel=CLOSE), name


def test_a_name_that_is_both_is_compared_as_the_model(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    assert choose_target(DIGITS, None, None) == SHIPPED / f"{DIGITS}.safetensors"
    trained = choose_target(DIGITS, None, 1_000)  # --images trains the recipe
    assert not isinstance(trained, Path)
    assert (trained.name, trained.train.images) == (DIGITS, 1_000)
    Path(DIGITS).mkdir()
    assert choose_target(DIGITS, None, 1_000) == Path(DIGITS)


def test_one_that_has_nothing_to_sample_says_what_it_does(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    with pytest.raises(UsageError, match=r"names classes, and generates nothing: .* names what you draw"):
        typed("sample", "classifier-mnist")
    for name, verb in (("sr-photos", "translate"), ("filter-sketch", "translate"), ("inpaint-photos", "inpaint")):
        with pytest.raises(DataError, match=f"pictures of your own need no data: ganvas {verb} RUN"):
            typed("sample", name)
    assert not list(tmp_path.iterdir())
