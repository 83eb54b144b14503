"""Second opinions: what is remembered of them, for how long, and what waits for what."""

from __future__ import annotations

import asyncio
import json
from pathlib import Path
from typing import Any

import pytest
import torch

from ganvas.data.source import Source
from ganvas.games import GAMES, RECIPES, build
from ganvas.games.recipes import adapt_recipe
from ganvas.resolve import resolve
from ganvas.studio.store import Store
from ganvas.studio.train import second
from ganvas.studio.train.second import CLASSES, Second

PAIR = ("a", "b", 500)


@pytest.fixture
def asked(tmp_path: Path) -> Second:
    """Of two runs, each with a checkpoint at 100 images."""
    for name in PAIR[:2]:
        (tmp_path / name / "checkpoints" / "000000100").mkdir(parents=True)
        (tmp_path / name / "recipe.json").write_text("{}")
        (tmp_path / name / "model.safetensors").write_bytes(b"")
    return Second(Store(tmp_path))


def measured(folder: Path) -> None:
    folder.mkdir(parents=True)
    (folder / "comparison.json").write_text(json.dumps({"models": [{"items": 100}], "reference": "runs/data.zip"}))


def test_the_recipes_are_listed_once_and_wait_for_no_doctor(asked: Second, monkeypatch: pytest.MonkeyPatch) -> None:
    calls = []

    async def listed(*words: str, **_: Any) -> list[dict[str, str]]:
        calls.append(words)
        await asyncio.sleep(0)
        return [{"name": "gan-ring", "game": "gan"}, {"name": "cgan-mnist", "game": "cgan"}]

    async def both() -> list[Any]:
        async with asked.turn:  # as a doctor holds it
            return await asyncio.wait_for(asyncio.gather(asked.recipes(), asked.recipes()), 10)

    monkeypatch.setattr(second, "chore", listed)
    ring = {"name": "gan-ring", "game": "gan", "labels": False, "unit": "points"}
    digits = {"name": "cgan-mnist", "game": "cgan", "labels": True, "unit": "images"}
    assert asyncio.run(both()) == [[ring, digits]] * 2
    assert calls == [("recipes", "--json")]


@pytest.mark.parametrize("source", CLASSES)
def test_built_in_pictures_suit_what_they_are_offered_to(source: str) -> None:
    for recipe in RECIPES.values():
        if recipe.data.source in CLASSES and (CLASSES[source] or "label" not in GAMES[recipe.game].needs):
            chosen = resolve(recipe.name, data=source)
            side = getattr(chosen.config, "resolution", 28)
            fields = {"real": torch.zeros(4, 3 if source == "stacked" else 1, side, side, dtype=torch.uint8)}
            fields |= {"label": torch.zeros(4, dtype=torch.long)} if CLASSES[source] else {}
            with torch.device("meta"):
                build(adapt_recipe(chosen, Source(source, fields, ("a",) * CLASSES[source])))


def test_a_comparison_says_when_training_has_gone_on_since(asked: Second) -> None:
    assert asked.contest(*PAIR)["state"] == "none"
    measured(asked.folder(*PAIR))
    found = asked.contest(*PAIR)
    assert (found["state"], found["words"], found["reference"]) == ("ready", "", "data.zip")
    assert asked.contest("a", "b", 2000)["state"] == "none"
    (asked.store.run("b") / "checkpoints" / "000000200").mkdir()
    found = asked.contest(*PAIR)
    assert (found["state"], "has gone on since" in found["words"], found["models"]) == ("ready", True, [{"items": 100}])
    measured(asked.folder(*PAIR))
    assert asked.contest(*PAIR)["words"] == ""
    assert asked.kept(*PAIR) == asked.folder(*PAIR)


def test_measuring_is_one_thing_however_far_training_goes_meanwhile(asked: Second, monkeypatch: pytest.MonkeyPatch) -> None:
    async def compared(*words: str, **_: Any) -> None:
        (asked.store.run("b") / "checkpoints" / "000000200").mkdir()
        assert asked.contest(*PAIR)["state"] == "measuring"
        measured(Path(words[words.index("--out") + 1]))

    async def twice() -> None:
        asked.measure(*PAIR)
        asked.measure(*PAIR)
        await asyncio.gather(*asked.contests.values())

    monkeypatch.setattr(second, "chore", compared)
    asyncio.run(twice())
    assert "has gone on since" in asked.contest(*PAIR)["words"]


def test_a_deleted_run_is_forgotten(asked: Second) -> None:
    measured(asked.folder(*PAIR))
    asked.failures["a", "b", 2000] = "too few"
    asked.forget("b")
    assert [asked.contest("a", "b", samples)["state"] for samples in (500, 2000)] == ["none", "none"]
