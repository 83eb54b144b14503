"""Cards whose parts are missing or odd: one line when the model is loaded, whatever is done with it later."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
import safetensors.torch
from support import ganvas, miniature_model

from ganvas.errors import DataError
from ganvas.inference import model_file
from ganvas.inference.model import load


def forge(path: Path, **changes: Any) -> Path:
    """A bundle of a conditional miniature with `changes` of its card; None deletes a part, dots lead into it."""
    model = miniature_model("cgan-mnist")
    card = json.loads(json.dumps({**model.card, "items": 320}))
    for name, value in changes.items():
        *groups, last = name.split(".")
        place = card
        for group in groups:
            place = place[group]
        if value is None:
            del place[last]
        else:
            place[last] = value
    weights = {name: each.contiguous() for name, each in model.game.state_dict().items()}
    safetensors.torch.save_file(weights, path, {model_file.FORMAT: json.dumps(card)})
    return path


def test_an_untouched_card_loads(tmp_path: Path) -> None:
    assert load(forge(tmp_path / "m.safetensors"), "cpu").sample(2).shape == (2, 32, 32, 1)


@pytest.mark.parametrize(
    ("changes", "says"),
    [
        ({"recipe.name": None}, r"no name of a recipe \(recipe\.name\)"),
        ({"recipe.name": 7}, r"no name of a recipe"),
        ({"recipe.data": None}, "describes no data"),
        ({"recipe.data": "mnist"}, "describes no data"),
        ({"recipe.data.source": None}, "describes no data: missing settings of DataConfig: recipe.data.source"),
        ({"recipe.data.fit": "bend"}, "describes no data: unknown value of recipe.data.fit 'bend'"),
        ({"items": None}, r"no number of images \(items\): found None"),
        ({"items": "320"}, r"no number of images \(items\): found '320'"),
        ({"items": 3.5}, "no number of images"),
        ({"items": True}, "no number of images"),
        ({"items": -1}, "no number of images"),
        ({"classes": None}, "no list of class names"),
        ({"classes": "0123456789"}, "no list of class names"),
        ({"classes": [1, 2]}, "no list of class names"),
        ({"classes": ["a", "b"]}, "names 2 classes, and its networks have 10"),
        ({"classes": []}, "names 0 classes, and its networks have 10"),
    ],
)
def test_an_odd_card_is_one_line(changes: dict[str, Any], says: str, tmp_path: Path) -> None:
    path = forge(tmp_path / "m.safetensors", **changes)
    with pytest.raises(DataError, match=rf"^{path}: .*{says}"):
        load(path, "cpu")


def test_a_command_says_so(tmp_path: Path) -> None:
    forge(tmp_path / "m.safetensors", **{"recipe.name": None})
    done = ganvas("sample", "m.safetensors", "-n", 2, cwd=tmp_path)
    assert (done.returncode, done.stderr.splitlines()[-1]) == (
        3, "ganvas: m.safetensors: its card has no name of a recipe (recipe.name); save the model again",
    )  # fmt: skip
