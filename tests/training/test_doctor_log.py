"""Players that learn too fast, too slowly or not at all; and silence about them when the samples are near the data."""

from __future__ import annotations

import pytest
import torch
import torch.nn.functional as F
from made_runs import Script, digits, faint, names, points

from ganvas.training.doctor import diagnose
from ganvas.training.doctor_log import _compare_sharpness


def test_a_rate_of_five_is_too_high(script: Script) -> None:
    """Once, the advice was a wider discriminator."""
    folder = script.run("gan-moons", lambda share: {"skill": 0.5, "strain": 80.0}, 50 * points("moons"), learning_rate=5.0)
    found = diagnose(folder)
    assert found[0].name == "learning rate too high"
    assert "80 times" in found[0].evidence
    assert "5e+03 times the recipe's" in found[0].evidence
    assert found[0].advice == "--set train.learning_rate=0.001"


@pytest.mark.parametrize(("player", "whose"), [("D", "discriminator"), ("G", "generator")])
def test_a_rate_of_a_player_is_too_high(script: Script, player: str, whose: str) -> None:
    found = diagnose(script.run("cgan-mnist", draws=faint(digits()), rates={player: 10.0}))
    assert names(found) == ["learning rate too high"]
    assert f"of the {whose} is 10 times" in found[0].evidence
    assert found[0].advice == f"--set train.rates.{player}=1"


def test_a_loss_that_explodes_is_enough(script: Script) -> None:
    found = diagnose(script.run("cgan-mnist", lambda share: {"strain": 30.0}, faint(digits())))
    assert names(found) == ["learning rate too high"]
    assert found[0].advice == "--set train.learning_rate=0.0003"


def test_a_rate_is_too_low(script: Script) -> None:
    found = diagnose(script.run("cgan-mnist", draws=faint(digits()), learning_rate=3e-5))
    assert names(found) == ["learning rate too low"]
    assert found[0].advice == "--set train.learning_rate=0.003"


def test_batches_are_so_large_that_there_are_few_steps(script: Script) -> None:
    """Once, the advice was Fourier features, or more images."""
    found = diagnose(script.run("gan-moons", draws=3 + points("moons"), batch=8192))
    assert found[0].name == "batch too large"
    assert "2,000,000 in batches of 8,192 were 244 steps, and the recipe has 7,812 of 256" in found[0].evidence
    assert found[0].advice == "--set train.batch=256"


def test_a_large_batch_that_works_is_no_problem(script: Script) -> None:
    assert names(diagnose(script.run("gan-moons", draws=points("moons"), batch=8192))) == []


@pytest.mark.parametrize("rate", [5.0, 1e-6])
def test_a_strange_rate_that_works_is_no_problem(script: Script, rate: float) -> None:
    assert names(diagnose(script.run("cgan-mnist", draws=digits(), learning_rate=rate))) == []


@pytest.mark.parametrize(("player", "who"), [("D", "discriminator"), ("G", "generator")])
def test_a_player_stands_still(script: Script, player: str, who: str) -> None:
    found = diagnose(script.run("cgan-mnist", draws=faint(digits()), rates={player: 0.0}))
    assert names(found) == [f"{who} does not learn"]
    assert found[0].advice == f"--set train.rates.{player}=1"


def test_a_penalty_holds_the_discriminator_down(script: Script) -> None:
    settings = {"config.rules.r1_gamma": "1000"}
    found = diagnose(script.run("cgan-mnist", lambda share: {"logit_gap": 0.01}, faint(digits()), settings=settings))
    assert names(found) == ["discriminator does not learn"]
    assert found[0].advice == "--set config.rules.r1_gamma=0.1"


def test_a_discriminator_is_not_weak_while_the_run_is_short(script: Script) -> None:
    found = diagnose(script.run("cgan-mnist", lambda share: {"skill": 0.51}, faint(digits()), items=20_000))
    assert names(found) == ["trained too little"]


def test_a_discriminator_that_cannot_see_blur_is_too_weak() -> None:
    """The means of an enlarged picture and of the true one are equal; how soft it is tells them apart."""
    reals = torch.randint(0, 256, (50, 3, 16, 16), generator=torch.Generator().manual_seed(0), dtype=torch.uint8)
    soft = F.avg_pool2d(reals.float(), 3, 1, 1, count_include_pad=False).to(torch.uint8)
    assert _compare_sharpness(soft, reals).startswith("softer fakes than reals (sharpness 0.0")
    assert _compare_sharpness(reals, soft).startswith("sharper fakes than reals")
    assert _compare_sharpness(reals, reals.flip(3)) == ""
    assert _compare_sharpness(torch.rand(50, 2), torch.rand(50, 2)) == ""  # points


@pytest.mark.parametrize(
    "log", [{"skill": 0.99}, {"skill": 0.51}, {"strain": 30.0}, {"gradient_generator": 1e-6, "skill": 0.95}]
)
def test_players_of_good_samples_draw_no_alarm(script: Script, log: dict[str, float]) -> None:
    assert names(diagnose(script.run("cgan-mnist", lambda share: log, digits()))) == []
