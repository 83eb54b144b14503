"""The runs that a page can use, and those that it cannot read, each with the reason in one line."""

from __future__ import annotations

import json
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from translate_models import save

from ganvas.studio.animate import page as animate
from ganvas.studio.edit import page as edit
from ganvas.studio.page import Studio
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


def test_a_model_that_comes_with_ganvas_has_no_training_to_look_at(request_of: Any) -> None:
    request_of.app.state.pages = (train.PAGE,)
    for page, shipped in ((edit, "stylegan2-fashion"), (animate, "motion-emoji"), (translate, "inpaint-photos")):
        links = {each["id"]: [link["page"] for link in each["links"]] for each in page.list_models(request_of)}
        assert links[shipped] == []
        if page is edit:
            assert links["whole"] == ["train"]
