"""Second opinions: what is remembered of them, for how long, and what waits for what."""

from __future__ import annotations

import asyncio
import json
from pathlib import Path
from typing import Any

import pytest
import torch

from ganvas.data.source_names import PICTURE_PAIRS
from ganvas.data.table import TableDataset
from ganvas.games import GAMES, RECIPES
from ganvas.games.recipes import adapt_recipe, resolve_recipe
from ganvas.games.registry import build
from ganvas.studio.storage import Storage, UnknownIdError
from ganvas.studio.train import analyses
from ganvas.studio.train.analyses import Analyses
from ganvas.studio.train.choices import list_sources

PAIR = ("a", "b", 500)


@pytest.fixture
def asked(tmp_path: Path) -> Analyses:
    """Of two runs, each with a checkpoint at 100 images."""
    for name in PAIR[:2]:
        (tmp_path / name / "checkpoints" / "000000100").mkdir(parents=True)
        (tmp_path / name / "recipe.json").write_text("{}")
        (tmp_path / name / "model.safetensors").write_bytes(b"")
    return Analyses(Storage(tmp_path))


def measured(folder: Path) -> None:
    folder.mkdir(parents=True)
    (folder / "comparison.json").write_text(json.dumps({"models": [{"items": 100}], "reference": "runs/data.zip"}))


def test_the_recipes_are_listed_once_and_wait_for_no_doctor(asked: Analyses, monkeypatch: pytest.MonkeyPatch) -> None:
    calls = []

    async def listed(*words: str, **_: Any) -> list[dict[str, str]]:
        calls.append(words)
        await asyncio.sleep(0)
        return [{"name": "gan-ring", "game": "gan", "data": "ring"}, {"name": "cgan-mnist", "game": "cgan", "data": "mnist"}]

    async def both() -> list[Any]:
        async with asked.one_at_a_time:  # as a doctor holds it
            return await asyncio.wait_for(asyncio.gather(asked.list_recipes(), asked.list_recipes()), 10)

    monkeypatch.setattr(analyses, "run_command", listed)
    ring = {"name": "gan-ring", "game": "gan", "data": "ring", "labels": False, "unit": "points", "seconds": None}
    ring |= {"sources": [], "takes_pictures": False, "brings_data": True, "images": RECIPES["gan-ring"].train.images}
    ring |= {"kind": "The original GAN", "picture": "ring.png", "sides": "", "clips": False}
    digits = {"name": "cgan-mnist", "game": "cgan", "data": "mnist", "labels": True, "unit": "images"}
    digits |= {"kind": "A GAN that you ask for a class", "picture": "mnist.png", "seconds": None, "sides": "", "clips": False}
    digits |= {"images": RECIPES["cgan-mnist"].train.images}
    digits |= {"sources": ["mnist", "fashion"], "takes_pictures": True, "brings_data": True}  # stacked has no classes
    assert asyncio.run(both()) == [[ring, digits]] * 2
    assert calls == [("recipes", "--json")]


@pytest.mark.parametrize("source", [name for name in list_sources() if name not in PICTURE_PAIRS])
def test_built_in_pictures_suit_what_they_are_offered_to(source: str) -> None:
    classes = {name: facts["classes"] for name, facts in list_sources().items()}
    for recipe in RECIPES.values():
        if recipe.data.source in {*classes} - {*PICTURE_PAIRS} and (classes[source] or "label" not in GAMES[recipe.game].needs):
            chosen = resolve_recipe(recipe.name, data=source)
            side = getattr(chosen.config, "resolution", 28)
            fields = {"real": torch.zeros(4, 3 if source == "stacked" else 1, side, side, dtype=torch.uint8)}
            fields |= {"label": torch.zeros(4, dtype=torch.long)} if classes[source] else {}
            with torch.device("meta"):
                build(adapt_recipe(chosen, TableDataset(source, fields, ("a",) * classes[source])))


def test_a_comparison_says_when_training_has_gone_on_since(asked: Analyses) -> None:
    assert asked.describe_comparison(*PAIR)["state"] == "none"
    measured(asked.find_folder(*PAIR))
    found = asked.describe_comparison(*PAIR)
    assert (found["state"], found["words"], found["reference"]) == ("ready", "", "data.zip")
    assert asked.describe_comparison("a", "b", 2000)["state"] == "none"
    (asked.storage.find_run("b") / "checkpoints" / "000000200").mkdir()
    found = asked.describe_comparison(*PAIR)
    assert (found["state"], "has gone on since" in found["words"], found["models"]) == ("ready", True, [{"items": 100}])
    measured(asked.find_folder(*PAIR))
    assert asked.describe_comparison(*PAIR)["words"] == ""
    assert asked.find_newest(*PAIR) == asked.find_folder(*PAIR)


def test_measuring_is_one_thing_however_far_training_goes_meanwhile(asked: Analyses, monkeypatch: pytest.MonkeyPatch) -> None:
    async def compared(*words: str, **_: Any) -> None:
        (asked.storage.find_run("b") / "checkpoints" / "000000200").mkdir()
        assert asked.describe_comparison(*PAIR)["state"] == "measuring"
        measured(Path(words[words.index("--out") + 1]))

    async def twice() -> None:
        asked.start_comparison(*PAIR)
        asked.start_comparison(*PAIR)
        await asyncio.gather(*asked.comparisons.values())

    monkeypatch.setattr(analyses, "run_command", compared)
    asyncio.run(twice())
    assert "has gone on since" in asked.describe_comparison(*PAIR)["words"]


def test_a_deleted_run_is_forgotten(asked: Analyses) -> None:
    measured(asked.find_folder(*PAIR))
    asked.failures["a", "b", 2000] = "too few"
    asked.forget("b")
    assert [asked.describe_comparison("a", "b", samples)["state"] for samples in (500, 2000)] == ["none", "none"]


def test_a_recipe_is_timed_once_and_never_beside_a_training(asked: Analyses, monkeypatch: pytest.MonkeyPatch) -> None:
    calls = []

    async def time_recipe(*words: str, **_: Any) -> dict[str, float]:
        calls.append(words)
        return {"pace": 1000.0}

    monkeypatch.setattr(analyses, "run_command", time_recipe)
    seconds = RECIPES["gan-ring"].train.images / 1000
    assert asyncio.run(asked.time_recipe("gan-ring", may_time=False)) is None
    assert [asyncio.run(asked.time_recipe("gan-ring")) for _ in range(2)] == [seconds, seconds]
    assert calls == [("gan-ring",)]
    assert asyncio.run(asked.time_recipe("dcgan-images")) is not None  # brings no data: estimated from the other
    assert calls == [("gan-ring",)]
    with pytest.raises(UnknownIdError, match="there is no recipe"):
        asyncio.run(asked.time_recipe("nothing"))
