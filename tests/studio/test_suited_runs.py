"""The runs that a page can use, and those that it cannot read, each with the reason in one line."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from translate_models import save

from ganvas.inference.model_file import identify
from ganvas.inference.shipped_models import list_shipped
from ganvas.studio.animate import page as animate
from ganvas.studio.edit import page as edit
from ganvas.studio.page import Studio
from ganvas.studio.storage import Storage
from ganvas.studio.suited_runs import list_unreadable
from ganvas.studio.train import page as train
from ganvas.studio.translate import page as translate


@pytest.fixture
def request_of(tmp_path: Path) -> Any:
    """A request of a studio with one run that is whole, and some that somebody has damaged."""
    save(tmp_path, "whole", "cgan-mnist")
    recipe = json.loads((tmp_path / "whole" / "recipe.json").read_text())
    damages = {
        "broken": "{",
        "newer": json.dumps({**recipe, "config": {**recipe["config"], "colour": 3}}),
        "strange": json.dumps({**recipe, "game": "chess"}),
        "unfinished": None,
    }
    for name, text in damages.items():
        (tmp_path / name).mkdir()
        (tmp_path / name / "recipe.json").write_text(text or json.dumps(recipe))
        if text:
            (tmp_path / name / "model.safetensors").write_bytes(b"")
    state = SimpleNamespace(studio=Studio(tmp_path, "cpu"), pages=())
    return SimpleNamespace(app=SimpleNamespace(state=state))


def test_a_run_that_cannot_be_read_is_told_and_the_others_are_there(request_of: Any) -> None:
    found = {each["id"]: each["reason"] for each in list_unreadable(request_of)}
    assert set(found) == {"broken", "newer", "strange"}  # a run without a model is on no page but Train
    assert "recipe.json is not readable JSON" in found["broken"]
    assert "config.colour" in found["newer"]
    assert "'chess'" in found["strange"]
    assert all("\n" not in reason for reason in found.values())
    for page in (edit, animate, translate):
        assert any(route.path == f"/api/{page.PAGE.name}/absent" for route in page.PAGE.routes)  # type: ignore[attr-defined]
        assert not {each["id"] for each in page.list_models(request_of)} & set(found)
    assert "whole" in {each["id"] for each in edit.list_models(request_of)}


def test_a_folder_with_a_model_alone_is_listed_after_the_runs(request_of: Any) -> None:
    """A tuned copy of `ganvas invert` has no recipe.json beside it."""
    request_of.app.state.pages = (train.PAGE,)
    storage = Storage(request_of.app.state.studio.runs)
    for name in ("whole", "broken"):
        shutil.copytree(storage.runs / name, storage.runs / f"{name}-tuned")
        (storage.runs / f"{name}-tuned" / "recipe.json").unlink()
    listed = edit.list_models(request_of)
    assert [each["id"] for each in listed[:2]] == ["whole", "whole-tuned"]
    assert listed[1]["links"] == []  # it has no training
    assert storage.find_model("whole-tuned") == storage.runs / "whole-tuned"
    assert storage.read_model_recipe("whole-tuned") == storage.read_model_recipe("whole")
    assert storage.read_model_recipe("broken-tuned") == {}
    assert "broken-tuned" in {each["id"] for each in list_unreadable(request_of)}
    assert not {"whole-tuned", "broken-tuned"} & set(storage.list_runs())


def test_the_model_that_made_a_picture_is_found_by_its_hash(request_of: Any) -> None:
    path = request_of.app.state.studio.runs / "whole" / "model.safetensors"
    hash_, shipped = identify(path), next(each for each in list_shipped() if each.name == "stylegan2-fashion")
    cases = (
        (hash_, "cgan-mnist", "whole"),
        (hash_, "dcgan-mnist", ""),
        ("0" * 12, "cgan-mnist", ""),
        (identify(shipped.path), "stylegan2-fashion", "stylegan2-fashion"),
    )
    for model, recipe, found in cases:
        request_of.query_params = {"model": model, "recipe": recipe}
        assert edit.find_maker(request_of) == {"id": found}
    path.write_bytes(path.read_bytes()[:-1])  # another version of the file
    request_of.query_params = {"model": hash_, "recipe": "cgan-mnist"}
    assert edit.find_maker(request_of) == {"id": ""}


def test_a_model_that_comes_with_ganvas_has_no_training_to_look_at(request_of: Any) -> None:
    request_of.app.state.pages = (train.PAGE,)
    for page, shipped in ((edit, "stylegan2-fashion"), (animate, "motion-emoji"), (translate, "inpaint-photos")):
        links = {each["id"]: [link["page"] for link in each["links"]] for each in page.list_models(request_of)}
        assert links[shipped] == []
        if page is edit:
            assert links["whole"] == ["train"]
