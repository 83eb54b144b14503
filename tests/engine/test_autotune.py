"""How a run is timed before it begins."""

from __future__ import annotations

import os
from dataclasses import replace
from typing import Any

import pytest
import torch
from support import miniature

from ganvas.core.game import Step
from ganvas.data.table import TableDataset
from ganvas.engine import autotune
from ganvas.engine.autotune import ENDLESS, LATE, choose_plan, images_in_minutes, list_parts
from ganvas.engine.loop import train
from ganvas.errors import ResourceError
from ganvas.games.cgan import CGAN
from ganvas.games.progan import ProGAN
from ganvas.games.recipes import open_data, resolve_recipe
from ganvas.games.registry import build
from ganvas.runtime import processes
from ganvas.runtime.device import available_cores
from ganvas.runtime.distributed import Ranks
from ganvas.runtime.plan import Plan


@pytest.fixture(autouse=True)
def untimed_plans(monkeypatch: pytest.MonkeyPatch) -> None:
    """Here plans are timed, but not for long."""
    monkeypatch.setattr(autotune, "COMPARE", 0.05)
    monkeypatch.setattr(autotune, "PROBE", 0.05)


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
    data = TableDataset("mine", {"real": torch.zeros(48, 1, 8, 8, dtype=torch.uint8)})
    return resolve_recipe("progan-mnist", settings), data


def test_minutes_of_a_growing_game_are_those_of_all_its_sizes(stood: list[float]) -> None:
    images, pace = images_in_minutes(*small(), Plan(threads=1), Ranks(), 0.5)
    assert min(stood) < 0.1
    assert max(stood) > 0.9
    assert images == pytest.approx(30 * pace, abs=8)
    assert images % 8 == 0


class Clock:
    """Stands in for the clock: each step of a game costs what the test says, and nothing else costs time."""

    def __init__(self) -> None:
        self.now = 0.0

    def perf_counter(self) -> float:
        return self.now


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    made = Clock()
    monkeypatch.setattr(autotune, "time", made)
    return made


TINY = {"config.width": "4", "config.max_width": "4", "config.latent_dim": "4", "train.batch": "4"}
OWN = TableDataset("mine", {"real": torch.zeros(16, 3, 32, 32, dtype=torch.uint8)})


def cost_of_side(game: Any, monkeypatch: pytest.MonkeyPatch, clock: Clock) -> None:
    """Each step at S pixels takes S * S seconds."""
    advance = game.advance

    def noted(made: Any, step: Step) -> None:
        advance(made, step)
        clock.now += made.resolutions[-1] ** 2

    monkeypatch.setattr(game, "advance", noted)


def test_each_resolution_counts_by_its_share_of_the_images(monkeypatch: pytest.MonkeyPatch, clock: Clock) -> None:
    """Resolutions of 4, 8, 16 and 32 pixels: each new one fades in for a tenth of the run, and stays for a tenth."""
    cost_of_side(ProGAN, monkeypatch, clock)
    recipe = resolve_recipe("progan-images", {**TINY, "config.resolution": "32"}, data="mine")
    _, pace = images_in_minutes(recipe, OWN, Plan(threads=1), Ranks(), 1)
    assert 4 / pace == pytest.approx(0.1 * 4**2 + 0.2 * 8**2 + 0.2 * 16**2 + 0.5 * 32**2, rel=0.01)


def test_lazy_terms_count_as_often_as_they_are_due(monkeypatch: pytest.MonkeyPatch, clock: Clock) -> None:
    """A step takes a second, and each sixth one, which has the penalty, a hundred: however long the timing is."""
    advance = CGAN.advance

    def noted(made: CGAN, step: Step) -> None:
        advance(made, step)
        clock.now += 1 + 99 * step.is_due(6)

    monkeypatch.setattr(CGAN, "advance", noted)
    recipe, data = miniature("cgan-mnist")
    recipe = replace(recipe, config=replace(recipe.config, rules=replace(recipe.config.rules, penalty_every=6)))
    _, pace = images_in_minutes(recipe, data, Plan(threads=1), Ranks(), 1)
    assert recipe.train.batch / pace == pytest.approx(1 + 99 / 6)


def test_a_discriminator_that_moves_often_uses_more_images(monkeypatch: pytest.MonkeyPatch, clock: Clock) -> None:
    """A step takes a second and uses five batches, one for each move of D."""
    advance = CGAN.advance

    def noted(made: CGAN, step: Step) -> None:
        advance(made, step)
        clock.now += 1

    monkeypatch.setattr(CGAN, "advance", noted)
    recipe, data = miniature("cgan-mnist")
    recipe = replace(recipe, config=replace(recipe.config, rules=replace(recipe.config.rules, n_critic=5)))
    images, pace = images_in_minutes(recipe, data, Plan(threads=1), Ranks(), 1)
    assert pace == pytest.approx(5 * recipe.train.batch)
    assert images == 60 * 5 * recipe.train.batch


def test_turns_that_change_during_a_run_are_each_timed() -> None:
    """A text GAN has a likelihood model at first: only later does D move."""
    recipe, _ = miniature("textgan-names")
    parts = list_parts(build(recipe))
    share = recipe.config.pretrain
    assert [part.share for part in parts] == pytest.approx([share / 2] * 2 + [(1 - share) / 2] * 2, abs=0.01)
    assert [part.middle for part in parts] == pytest.approx(
        [share / 4, share * 3 / 4, share + (1 - share) / 4, share + (1 - share) * 3 / 4], abs=0.01
    )


def test_the_discriminator_is_watched_as_in_the_run(monkeypatch: pytest.MonkeyPatch) -> None:
    recipe, data = miniature("dcgan-mnist")
    seen: list[bool] = []

    def noted(*words: Any) -> Any:
        seen.append(words[4] is data)
        return train(*words)

    monkeypatch.setattr(autotune, "train", noted)
    images_in_minutes(recipe, data, Plan(threads=1), Ranks(), 0.01, data)
    assert seen == [True]


def test_plans_are_compared_where_a_growing_game_has_grown(stood: list[float]) -> None:
    choose_plan(*small(), "cpu")
    assert min(stood) == pytest.approx(LATE / ENDLESS)
    assert max(stood) == pytest.approx(LATE / ENDLESS)


@pytest.mark.parametrize(("together", "ranks"), [(1e9, 2), (0.0, 1)])
@pytest.mark.parametrize("name", ["cgan-mnist", "gan-ring"])
def test_two_ranks_are_chosen_by_what_two_processes_did(
    name: str, together: float, ranks: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """One rank alone, times two, promises what two ranks that share memory do not keep."""
    timed: list[Plan] = []
    monkeypatch.setattr(autotune, "SHORT", 0.0)
    monkeypatch.setattr(autotune, "max_threads", lambda: 2)
    monkeypatch.setattr(autotune, "_time_processes", lambda recipe, data, each, _: timed.append(each) or together)
    recipe, data = miniature(name)
    found = choose_plan(recipe, data, "cpu", "auto")
    assert [(each.ranks, each.threads) for each in timed] == [(2, 1)]
    assert found.ranks == ranks
    assert found.sync_batch_norm == (ranks == 2 and name == "cgan-mnist")


def test_a_short_run_starts_no_further_process(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(autotune, "max_threads", lambda: 2)
    monkeypatch.setattr(autotune, "_time_processes", lambda *_: pytest.fail("two processes were started"))
    recipe, data = miniature("gan-ring")
    assert choose_plan(recipe, data, "cpu", "auto").ranks == 1


def test_the_processes_that_are_timed_are_real_and_leave_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    launch, started = processes.launch, list[Any]()

    def note(*words: Any) -> Any:
        started.extend(others := launch(*words))
        return others

    monkeypatch.setattr(processes, "launch", note)
    recipe = resolve_recipe("gan-ring", {"config.width": "8"})
    before, available = dict(os.environ), available_cores()
    pace = autotune._time_processes(recipe, open_data(recipe), Plan(ranks=2), 0.1)
    assert pace > 0
    assert [each.wait(timeout=20) for each in started] == [0]
    assert (dict(os.environ), available_cores()) == (before, available)
    assert not torch.distributed.is_initialized()


def test_ranks_asked_for_get_the_statistics_of_the_whole_batch() -> None:
    """New runs only: a run that was begun without them has the value of before."""
    assert choose_plan(*miniature("cgan-mnist"), "cpu", "2").sync_batch_norm
    assert not choose_plan(*miniature("cgan-mnist"), "cpu", "1").sync_batch_norm
    assert not Plan().sync_batch_norm


def test_bfloat16_asked_of_a_card_without_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(autotune, "find_device", torch.device)
    monkeypatch.setattr(torch.cuda, "is_bf16_supported", lambda including_emulation=True: including_emulation)
    recipe, data = miniature("cgan-mnist")
    recipe = replace(recipe, train=replace(recipe.train, precision="bfloat16"))
    with pytest.raises(ResourceError, match="use --precision float32"):
        choose_plan(recipe, data, "cuda")
