"""How a run is timed before it begins."""

from __future__ import annotations

from typing import Any

import pytest

from ganvas.game import Step
from ganvas.games.progan import ProGAN
from ganvas.games.recipes import open_data
from ganvas.machine import Plan
from ganvas.plan import ENDLESS, LATE, images_for, settled
from ganvas.ranks import Ranks
from ganvas.resolve import resolve


@pytest.fixture
def stood(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """Where in the run each step was that is timed."""
    found: list[float] = []
    advance = ProGAN.advance

    def noted(game: ProGAN, step: Step) -> None:
        found.append(step.progress)
        advance(game, step)

    monkeypatch.setattr(ProGAN, "advance", noted)
    return found


def small() -> tuple[Any, Any]:
    settings = {"config.resolution": "8", "config.width": "4", "config.max_width": "4", "train.batch": "8"}
    recipe = resolve("progan-mnist", settings)
    return recipe, open_data(recipe)


def test_minutes_of_a_growing_game_are_those_of_all_its_sizes(stood: list[float]) -> None:
    images, pace = images_for(*small(), Plan(threads=1), Ranks(), 0.5)
    assert min(stood) < 0.1
    assert max(stood) > 0.9
    assert images == pytest.approx(30 * pace, abs=8)
    assert images % 8 == 0


def test_plans_are_compared_where_a_growing_game_has_grown(stood: list[float]) -> None:
    settled(*small(), "cpu")
    assert min(stood) == pytest.approx(LATE / ENDLESS)
    assert max(stood) == pytest.approx(LATE / ENDLESS)
