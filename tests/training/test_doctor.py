"""The doctor: runs that were made to go wrong are named, healthy ones draw no alarm.

What a long training would have left in the log is written down, so that each fault stands alone.
"""

from __future__ import annotations

import json
from dataclasses import replace

import pytest
import torch
from made_runs import Script, bytes_of, digits, faint, folder_of, names, points
from support import ganvas
from torch import Tensor

from ganvas.data.builtin.point_sets import MODES
from ganvas.data.table import TableDataset
from ganvas.errors import UsageError
from ganvas.games import RECIPES
from ganvas.games.recipes import open_data
from ganvas.metrics import memorization
from ganvas.metrics.memorization import Memorization
from ganvas.training.doctor import diagnose


def test_non_finite_values(script: Script) -> None:
    found = diagnose(script.run("gan-ring", draws=points("ring"), dropped=7))
    assert names(found) == ["non-finite values"]
    assert "7 steps" in found[0].evidence
    assert "train.learning_rate=0.0002" in found[0].advice


def test_critic_overpowers(script: Script) -> None:
    found = diagnose(script.run("gan-gaussians", lambda share: {"skill": 0.97}, 1.2 * points("gaussians"), balance="fixed"))
    assert names(found) == ["discriminator overpowers"]
    assert "97%" in found[0].evidence
    assert found[0].advice == "--balance auto"


def test_critic_overpowers_though_balanced(script: Script) -> None:
    found = diagnose(script.run("cgan-mnist", lambda share: {"skill": 0.97}, faint(digits())))
    assert names(found) == ["discriminator overpowers"]
    assert "rates.D" in found[0].advice


def test_vanishing_gradient(script: Script) -> None:
    def log(share: float) -> dict[str, float]:
        return {"skill": 0.99, "gradient_generator": 2.0 * 10 ** (-5 * share)}

    found = diagnose(script.run("gan-gaussians", log, 1.2 * points("gaussians")))
    assert names(found)[0] == "vanishing gradient"
    assert found[0].advice == "--objective nonsaturating"


def test_critic_too_weak(script: Script) -> None:
    found = diagnose(script.run("cgan-mnist", lambda share: {"skill": 0.51}, faint(digits())))
    assert names(found) == ["discriminator too weak"]
    assert "51%" in found[0].evidence
    assert found[0].advice == "--set config.critic_width=64"


def test_modes_are_missing(script: Script) -> None:
    ring = points("ring", 5000)
    three = ring[torch.cdist(ring, MODES["ring"].centres).argmin(1) < 3][:500]
    found = diagnose(script.run("gan-ring", draws=three))
    assert names(found) == ["generator collapsed"]
    assert "3 of 8 modes" in found[0].evidence


def test_few_different_digits(script: Script) -> None:
    found = diagnose(script.run("dcgan-mnist", draws=digits(5)))
    assert names(found) == ["generator collapsed"]
    assert "about 5 different ones" in found[0].evidence


def test_generator_repeats_its_training_pictures(script: Script) -> None:
    data = folder_of(script.folder / "data", bytes_of(digits(1000)))
    recipe = replace(RECIPES["dcgan-mnist"], data=replace(RECIPES["dcgan-mnist"].data, source=str(data)))
    kept, _ = open_data(recipe).hold_out(0.05)
    found = diagnose(script.run("dcgan-mnist", draws=kept.samples(torch.arange(500))["real"], data=data))
    assert names(found) == ["memorising"]
    assert "near to a training sample" in found[0].evidence


def test_large_pictures_are_bounded_by_their_bytes(script: Script, monkeypatch: pytest.MonkeyPatch) -> None:
    """It runs after every training, so it must fit beside one: few samples, a part of the training set, no floats of it."""
    data = folder_of(script.folder / "data", bytes_of(digits(1000)))
    folder = script.run("dcgan-mnist", draws=digits(500, 1000), data=data)
    monkeypatch.setattr("ganvas.training.doctor_case.SAMPLE_BYTES", 100 * 784)
    monkeypatch.setattr("ganvas.training.doctor_samples.TRAIN_BYTES", 200 * 784)
    asked: list[tuple[int, ...]] = []

    def batch(self: TableDataset, rows: Tensor, flips: Tensor | None = None) -> dict[str, Tensor]:
        raise AssertionError("the doctor reads bytes")

    def memorisation(fakes: Tensor, train: Tensor, held_out: Tensor, rows: Tensor, labels: Tensor | None) -> Memorization:
        asked.append((len(fakes), len(held_out), len(rows)))
        assert train.dtype == torch.uint8
        return memorization.memorization(fakes, train, held_out, rows, labels)

    monkeypatch.setattr(TableDataset, "batch", batch)
    monkeypatch.setattr("ganvas.training.doctor_samples.memorization", memorisation)
    assert diagnose(folder) == []
    assert asked == [(100, 50, 200)]


def test_a_part_of_the_training_set_is_enough_to_see_copies(script: Script, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("ganvas.training.doctor_samples.TRAIN_BYTES", 200 * 784)
    data = folder_of(script.folder / "data", bytes_of(digits(1000)))
    recipe = replace(RECIPES["dcgan-mnist"], data=replace(RECIPES["dcgan-mnist"].data, source=str(data)))
    kept, _ = open_data(recipe).hold_out(0.05)
    assert names(diagnose(script.run("dcgan-mnist", draws=kept.samples(torch.arange(500))["real"], data=data))) == [
        "memorising"
    ]


def test_critic_knows_five_hundred_pictures(script: Script) -> None:
    data = folder_of(script.folder / "data", bytes_of(digits(500)))
    found = diagnose(script.run("dcgan-mnist", lambda share: {"memory": 0.3}, digits(500, 1000), data, balance="fixed"))
    assert names(found) == ["too little data"]
    assert "30%" in found[0].evidence
    assert "only 475" in found[0].evidence
    assert found[0].advice == "--balance auto"


def test_critic_overfits_many_pictures(script: Script) -> None:
    found = diagnose(script.run("cgan-mnist", lambda share: {"memory": 0.2}, digits(), balance="fixed"))
    assert names(found) == ["discriminator overfits"]


def test_a_handful_of_pictures(script: Script) -> None:
    data = folder_of(script.folder / "data", bytes_of(digits(40)))
    found = diagnose(script.run("dcgan-mnist", draws=digits(500, 1000), data=data))
    assert names(found) == ["too little data"]
    assert "40 samples" in found[0].evidence


@pytest.mark.parametrize("skill", [0.5, 0.9])
def test_one_picture_says_nothing_of_how_pictures_differ(skill: float, script: Script) -> None:
    data = folder_of(script.folder / "data", bytes_of(digits(1)))
    found = diagnose(script.run("dcgan-mnist", lambda share: {"skill": skill}, digits(500, 1000), data))
    assert names(found) == ["too little data"]
    assert "there is 1 sample;" in found[0].evidence


def test_one_line_says_nothing_of_how_lines_differ(script: Script) -> None:
    (script.folder / "one.txt").write_text("anna\n")
    found = diagnose(script.run("textgan-names", lambda share: {"skill": 0.5}, data=script.folder / "one.txt"))
    assert names(found) == ["too little data"]


def test_constant_border_gives_fakes_away(script: Script) -> None:
    framed = bytes_of(digits(600))
    framed[:, [0, -1]] = framed[:, :, [0, -1]] = 255
    data = folder_of(script.folder / "data", framed)
    found = diagnose(script.run("dcgan-mnist", lambda share: {"skill": 0.9}, digits(500, 1000), data))
    assert names(found) == ["real/fake leak"]
    assert "outer pixels" in found[0].evidence


def test_range_gives_fakes_away(script: Script) -> None:
    data = folder_of(script.folder / "data", bytes_of(digits(600)) // 2)
    found = diagnose(script.run("dcgan-mnist", lambda share: {"skill": 0.9}, digits(500, 1000), data))
    assert names(found) == ["real/fake leak"]
    assert "stay in 0 to 127" in found[0].evidence


def test_jpeg_grid_gives_fakes_away(script: Script) -> None:
    smooth = torch.nn.functional.interpolate(torch.rand(600, 1, 6, 6) * 2 - 1, size=64, mode="bicubic").clamp(-1, 1)
    blocky = smooth.clone()
    blocky.view(600, 1, 64, 8, 8)[..., ::2, :] += 0.15
    data = folder_of(script.folder / "data", bytes_of(blocky.clamp(-1, 1)))
    other = torch.nn.functional.interpolate(torch.rand(500, 1, 6, 6) * 2 - 1, size=64, mode="bicubic").clamp(-1, 1)
    found = diagnose(script.run("dcgan-images", lambda share: {"skill": 0.9}, other, data))
    assert names(found) == ["real/fake leak"]
    assert "8th column" in found[0].evidence


@pytest.mark.parametrize("name", ["gan-ring", "gan-grid", "gan-moons", "gan-spiral", "gan-normal1d", "gan-line"])
def test_healthy_points_draw_no_alarm(script: Script, name: str) -> None:
    end_of_the_game = {"skill": 0.53, "verdict_real": 0.52, "verdict_fake": 0.46}
    folder = script.run(name, lambda share: end_of_the_game, points(name.removeprefix("gan-")))
    assert names(diagnose(folder)) == []


@pytest.mark.parametrize(
    ("name", "log"),
    [
        ("cgan-mnist", {}),
        ("dcgan-mnist", {"skill": 0.86, "memory": 0.05}),
        ("r3gan-mnist", {"skill": 0.75}),
        ("gan-mnist", {"skill": 0.9, "gradient_generator": 0.3}),
    ],
)
def test_healthy_digits_draw_no_alarm(script: Script, name: str, log: dict[str, float]) -> None:
    assert names(diagnose(script.run(name, lambda share: log, digits()))) == []


def bounded(kl: float) -> dict[str, float]:
    """The log of a game of one player with a bound."""
    return {"reconstruction": 80.0, "KL": kl, "ELBO": -80.0 - kl}


@pytest.mark.parametrize("name", ["vae-mnist", "vae-mnist-2d"])
def test_a_bound_draws_no_alarm(script: Script, name: str) -> None:
    """Without a critic there is nobody to overpower; and a plane of codes holds many near twins."""
    folder = script.run(name, lambda share: bounded(25.0), digits(250).repeat(2, 1, 1, 1))
    assert names(diagnose(folder)) == []


def test_a_code_that_tells_nothing(script: Script) -> None:
    found = diagnose(script.run("vae-mnist", lambda share: bounded(0.02), digits(1)))
    assert names(found) == ["posterior collapse"]
    assert "0.02 nats" in found[0].evidence
    assert found[0].advice == "--set config.beta=0.1"


def test_the_verb_speaks_json_and_words(script: Script) -> None:
    folder = script.run("gan-moons", lambda share: {"skill": 0.97})
    words = ganvas("doctor", folder, cwd=script.folder)
    assert words.returncode == 0, words.stderr
    assert "discriminator overpowers: the discriminator is right about 97%" in words.stdout
    assert "distance to the data: swd500-points" in words.stdout
    found = json.loads(ganvas("doctor", folder, "--json", cwd=script.folder).stdout)
    assert "discriminator overpowers" in [each["name"] for each in found]
    assert isinstance(found, list)
    whole = json.loads(ganvas("doctor", folder, "--report", cwd=script.folder).stdout)
    assert whole["findings"] == found
    assert set(whole["distance"]) == {"name", "value", "floor", "trivial", "model", "spread", "share"}
    assert whole["distance"]["name"] == "swd500-points"
    assert f"{whole['distance']['value']:.3g} (floor {whole['distance']['floor']:.3g}" in words.stdout
    assert whole["unchecked"] == []
    assert ganvas("doctor", script.folder, cwd=script.folder).returncode == 3


def test_a_device_that_is_not_there_is_no_missing_model(script: Script) -> None:
    with pytest.raises(UsageError, match="did you mean 'cuda'"):
        diagnose(script.run("gan-ring"), device="gpu")
