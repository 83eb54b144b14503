"""The lessons do what their words say: each breaks, and its cure heals."""

from __future__ import annotations

import pytest
import torch

from ganvas.studio.play import picture
from ganvas.studio.play.lessons import LESSONS
from ganvas.studio.play.record import Record
from ganvas.studio.play.setup import linked, short
from ganvas.studio.play.stage import Stage

pytestmark = [pytest.mark.slow, pytest.mark.timeout(1800)]


def cured(stage: Stage, name: str) -> None:
    for setting, value in LESSONS[name].cure.items():
        stage.set(setting, value)


def pull(stage: Stage) -> float:
    """The mean length of an arrow."""
    return torch.as_tensor(picture.seen(stage)["pull"]).norm(dim=1).mean().item()


def test_a_gradient_vanishes_and_comes_back() -> None:
    stage = Stage(LESSONS["vanishing"].setup)
    for who, count in LESSONS["vanishing"].scenes[0].do:
        stage.play(who, count)
    assert pull(stage) < 0.01
    cured(stage, "vanishing")
    assert pull(stage) > 1


def test_the_fakes_run_past_the_data_and_back_and_come_to_rest() -> None:
    stage = Stage(LESSONS["oscillation"].setup)

    def means(rounds: int) -> list[float]:
        found = []
        for _ in range(rounds):
            stage.play("b", 20)
            found.append(float(picture.seen(stage)["fake"].mean()))
        return found

    wild = means(15)
    assert max(wild) > 3  # the data's mean is 1
    assert min(wild) < -0.5
    cured(stage, "oscillation")
    assert all(abs(mean - 1) < 0.15 for mean in means(25)[-5:])


def test_a_critic_runs_away_and_is_held() -> None:
    stage = Stage(LESSONS["runaway"].setup)
    stage.play("b", 60)
    assert stage.terms["D"] < -50
    stage = Stage(linked({**short(LESSONS["runaway"].setup), **LESSONS["runaway"].cure}))
    for _ in range(10):
        stage.play("b", 100)
        assert abs(stage.terms["D"]) < 5
        assert abs(stage.terms["G"]) < 5


def test_modes_collapse_while_the_cured_game_finds_them() -> None:
    lesson, record = LESSONS["collapse"], Record()
    stage = Stage(lesson.setup)
    stage.play("b", 500)
    record.measure(stage)
    assert record.latest["captured"] <= 2
    stage = Stage(linked({**short(lesson.setup), **lesson.cure}))
    stage.play("b", 2_500)
    record.measure(stage)
    assert record.latest["captured"] >= 7


def test_the_tour_ends_at_one_half() -> None:
    stage, record = Stage(LESSONS["tour"].setup), Record()
    for scene in LESSONS["tour"].scenes:
        for who, count in scene.do:
            stage.play(who, count)
    stage.play("b", 2_000)
    record.measure(stage)
    assert stage.terms["D"] == pytest.approx(1.386, abs=0.05)
    assert record.latest["js"] < 0.04
