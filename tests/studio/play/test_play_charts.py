"""What the charts of /play say: the mean of D where shares flip, modes and cover that a cloud does not reach by chance."""

from __future__ import annotations

from dataclasses import replace

import pytest
import torch

from ganvas.metrics.modes import mixture_modes
from ganvas.studio.play import scene
from ganvas.studio.play.charts import Charts, count_modes, measure_cover, read_numbers
from ganvas.studio.play.play_explanations import SETTINGS
from ganvas.studio.play.play_lessons import LESSONS
from ganvas.studio.play.play_points import load_points
from ganvas.studio.play.play_presets import choose_settings
from ganvas.studio.play.play_settings import describe_settings
from ganvas.studio.play.simulation import Simulation


def make_cloud(reach: float, count: int = 10_000) -> torch.Tensor:
    """Points spread evenly over the picture."""
    return (torch.rand(count, 2, generator=torch.Generator().manual_seed(0)) * 2 - 1) * reach


def test_a_cloud_over_the_picture_covers_no_mode() -> None:
    data = load_points("grid", 0, ())
    assert data.mixture
    centres, sd = data.mixture.centres, data.mixture.sd
    cloud = make_cloud(data.reach)
    assert mixture_modes(cloud, centres, sd).captured >= 19  # one point by chance is enough there
    assert count_modes(cloud, centres, sd) == 0
    perfect = data.mixture.sample(10_000, torch.Generator().manual_seed(0))
    assert count_modes(perfect, centres, sd) == 25
    some = perfect[torch.cdist(perfect, centres).argmin(1) < 7]
    assert count_modes(some, centres, sd) == 7


def test_a_cloud_covers_little_of_a_spiral() -> None:
    data = load_points("spiral", 0, ())
    counts = data.cells.counts(make_cloud(data.reach))
    assert measure_cover(data.masses, counts) < 0.5
    perfect = data.points[torch.randint(len(data.points), (10_000,), generator=torch.Generator().manual_seed(0))]
    assert measure_cover(data.masses, data.cells.counts(perfect)) > 0.9


@pytest.mark.parametrize(("bias", "share"), [(0.01, 1.0), (-0.01, 0.0)])
def test_where_d_is_flat_the_share_flips_and_the_mean_does_not(bias: float, share: float) -> None:
    small = replace(choose_settings("gaussians"), width=8, critic_width=8, depth=1, critic_depth=1, batch=16)
    game = Simulation(small)
    game.play("b", 1)
    last = [layer for layer in game.game.D.modules() if isinstance(layer, torch.nn.Linear)][-1]
    torch.nn.init.zeros_(last.weight)
    torch.nn.init.constant_(last.bias, bias)
    game.ask_discriminator()
    numbers = read_numbers(game)
    assert numbers["verdict_real"] == numbers["verdict_fake"] == share
    for name in ("mean_real", "mean_fake", "skill_D", "skill_G"):
        assert numbers[name] == pytest.approx(0.5, abs=0.005)
    assert "reals 0.50 and fakes 0.50 on average" in scene.summarize(game, {}, scene.measure_realness(game))


def test_the_curve_of_the_mean_begins_with_the_first_step() -> None:
    game, charts = Simulation(replace(choose_settings("gaussians"), width=8, critic_width=8, batch=16)), Charts()
    assert read_numbers(game) == {}
    game.play("b")
    charts.add_step(game)
    row = dict(zip(charts.moves.keys, charts.moves.rows[0], strict=True))
    assert 0 < row["mean_fake"] < 1
    assert row["skill_G"] == row["mean_fake"]


def test_every_setting_on_the_page_explains_itself() -> None:
    schema = describe_settings()
    controls = [control for group in schema["groups"] for control in group["controls"]]
    assert [control["name"] for control in controls if len(control["about"]) < 20] == []
    assert len(schema["data_about"]) > 20
    assert set(SETTINGS) == {"data"} | {control["name"] for control in controls}


def test_each_lesson_puts_charts_first_that_there_are() -> None:
    for lesson in LESSONS.values():
        assert lesson.charts
        assert set(lesson.charts) <= {"loss", "mean", "modes", "kl", "js", "verdict", "skill"}
