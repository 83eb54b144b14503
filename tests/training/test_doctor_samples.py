"""Samples that show what went wrong: too few different ones, between the modes, copies, empty solids, repeated lines."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from made_runs import Script, bytes_of, digits, folder_of, names, points

from ganvas.config import DataConfig
from ganvas.data.open import open_source
from ganvas.training.doctor import diagnose


def test_a_ring_between_its_modes(script: Script) -> None:
    """All modes have a sample, so counting modes finds nothing."""
    good, angle = points("ring", 500), torch.rand(500, generator=torch.Generator().manual_seed(0)) * 2 * torch.pi
    stray = torch.stack((angle.cos(), angle.sin()), 1)
    draws = torch.where((torch.arange(500) % 27 == 0)[:, None], good, 0.97 * stray)  # 3.7 % of the samples are near a mode
    found = diagnose(script.run("gan-ring", draws=draws))
    assert names(found) == ["stray samples"]
    assert "within 3 standard deviations" in found[0].evidence


def test_the_setting_that_was_changed_is_advised(script: Script) -> None:
    angle = torch.arange(500) * 2 * torch.pi / 500
    circle = torch.stack((angle.cos(), angle.sin()), 1)
    found = diagnose(script.run("gan-ring", draws=circle, settings={"config.coins": "false"}))
    assert found[0].advice == "--set config.coins=true"


def test_a_spiral_that_is_a_disc(script: Script) -> None:
    random = torch.Generator().manual_seed(0)
    angle, radius = (torch.rand(500, generator=random) for _ in range(2))
    disc = radius.sqrt()[:, None] * torch.stack(((angle * 2 * torch.pi).cos(), (angle * 2 * torch.pi).sin()), 1)
    found = diagnose(script.run("gan-spiral", draws=disc))
    assert names(found) == ["stray samples"]
    assert found[0].advice == "--set config.frequencies=6"
    assert names(diagnose(script.run("gan-spiral", draws=disc, items=200_000))) == ["trained too little"]


@pytest.mark.parametrize("name", ["gan-moons", "dcgan-mnist"])
def test_one_sample_whatever_the_noise(script: Script, name: str) -> None:
    found = diagnose(script.run(name, draws=points("moons", 1) if name == "gan-moons" else digits(1)))
    assert names(found)[0] == "constant output"
    assert found[0].advice.startswith("--")


def test_a_class_decides_alone(script: Script, monkeypatch: pytest.MonkeyPatch) -> None:
    """Each class has its own picture; the noise changes nothing."""
    data = open_source(DataConfig(source="mnist"))
    each = torch.stack([data.samples((data.fields["label"] == c).nonzero()[:1, 0])["real"][0] for c in range(10)])

    def draw(game: object, z: torch.Tensor, c: torch.Tensor, *, keep: object) -> torch.Tensor:
        return keep(each[c])  # type: ignore[operator, no-any-return]

    folder = script.run("cgan-mnist")
    monkeypatch.setattr("ganvas.training.doctor_case.sample_chunks", draw)
    assert names(diagnose(folder))[0] == "generator ignores its noise"


def test_one_class_has_one_picture(script: Script, monkeypatch: pytest.MonkeyPatch) -> None:
    data = open_source(DataConfig(source="mnist", split="test"))
    of_class = [data.samples((data.fields["label"] == c).nonzero().flatten())["real"] for c in range(10)]

    def draw(game: object, z: torch.Tensor, c: torch.Tensor, *, keep: object) -> torch.Tensor:
        pick = [of_class[int(k)][0 if k == 9 else i] for i, k in enumerate(c)]
        return keep(torch.stack(pick))  # type: ignore[operator, no-any-return]

    folder = script.run("cgan-mnist")
    monkeypatch.setattr("ganvas.training.doctor_case.sample_chunks", draw)
    found = diagnose(folder)
    assert names(found) == ["one class collapsed"]
    assert "of class 9 100%" in found[0].evidence
    assert "about 1 different ones" in found[0].evidence


def test_a_line_again_and_again(script: Script) -> None:
    data = open_source(DataConfig(source="words"))
    draws = data.table[[0] * 9 + [7]]
    found = diagnose(script.run("textgan-words", draws=draws))
    assert names(found) == ["generator collapsed"]
    assert "450 are " in found[0].evidence
    assert names(diagnose(script.run("textgan-words", draws=data.table[torch.randperm(len(data.table))[:500]]))) == []


@pytest.mark.parametrize(("value", "name"), [(-1.0, "empty solids"), (1.0, "full solids")])
def test_solids_are_empty_or_full(script: Script, monkeypatch: pytest.MonkeyPatch, value: float, name: str) -> None:
    monkeypatch.setattr("ganvas.data.builtin.voxel_shapes.COUNTS", {"train": 500, "test": 100})
    found = diagnose(script.run("voxel-shapes", draws=torch.full((10, 1, 32, 32, 32), value)))
    assert names(found)[0] == name


def test_held_out_pictures_that_are_also_trained_on(script: Script) -> None:
    """The memorization test refuses them; the doctor goes on."""
    data = folder_of(script.folder / "data", np.concatenate([bytes_of(digits(300))] * 3))
    assert names(diagnose(script.run("dcgan-mnist", draws=digits(500, 1000), data=data))) == []
