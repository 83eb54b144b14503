"""The lessons do what their words say: each breaks, and its cure heals."""

from __future__ import annotations

import pytest
import torch

from ganvas.studio.play import scene
from ganvas.studio.play.charts import Charts
from ganvas.studio.play.play_lessons import LESSONS
from ganvas.studio.play.play_presets import parse_link, shorten
from ganvas.studio.play.simulation import Simulation

pytestmark = [pytest.mark.slow, pytest.mark.timeout(1800)]


def cure(stage: Simulation, name: str) -> None:
    for setting, value in LESSONS[name].cure.items():
        stage.change(setting, value)


def pull(stage: Simulation) -> float:
    """The mean length of an arrow."""
    return torch.as_tensor(scene.collect_arrays(stage)["pull"]).norm(dim=1).mean().item()


def test_a_gradient_vanishes_and_comes_back() -> None:
    stage = Simulation(LESSONS["vanishing"].setup)
    for who, count in LESSONS["vanishing"].parts[0].do:
        stage.play(who, count)
    assert pull(stage) < 0.01
    cure(stage, "vanishing")
    assert pull(stage) > 1


def test_the_fakes_run_past_the_data_and_back_and_come_to_rest() -> None:
    stage = Simulation(LESSONS["oscillation"].setup)

    def swing(rounds: int) -> float:
        """How far the mean of the fakes moves in rounds of 20 steps."""
        means = []
        for _ in range(rounds):
            stage.play("b", 20)
            means.append(float(scene.collect_arrays(stage)["fake"].mean()))
        return max(means) - min(means)

    stage.play("b", 300)
    assert swing(15) > 1  # the data have a standard deviation of 0.5
    stage.play("b", 600)
    assert swing(15) > 0.5  # it does not die out by itself
    cure(stage, "oscillation")
    stage.play("b", 600)
    assert swing(15) < 0.3
    record = Charts()
    record.measure(stage)
    assert record.latest["kl"] < 0.3


def test_a_critic_runs_away_and_is_held() -> None:
    stage = Simulation(LESSONS["runaway"].setup)
    stage.play("b", 60)
    assert stage.terms["D"] < -50
    stage = Simulation(parse_link({**shorten(LESSONS["runaway"].setup), **LESSONS["runaway"].cure}))
    for _ in range(10):
        stage.play("b", 100)
        assert abs(stage.terms["D"]) < 5
        assert abs(stage.terms["G"]) < 5


def test_modes_collapse_while_the_cured_game_finds_them() -> None:
    lesson, record = LESSONS["collapse"], Charts()
    stage = Simulation(lesson.setup)
    stage.play("b", 500)
    record.measure(stage)
    assert record.latest["captured"] <= 2
    stage = Simulation(parse_link({**shorten(lesson.setup), **lesson.cure}))
    stage.play("b", 2_500)
    record.measure(stage)
    assert record.latest["captured"] >= 7


def test_the_tour_ends_at_one_half() -> None:
    stage, record = Simulation(LESSONS["tour"].setup), Charts()
    for part in LESSONS["tour"].parts:
        for who, count in part.do:
            stage.play(who, count)
    stage.play("b", 2_000)
    record.measure(stage)
    assert stage.terms["D"] == pytest.approx(1.386, abs=0.05)
    assert record.latest["js"] < 0.04
