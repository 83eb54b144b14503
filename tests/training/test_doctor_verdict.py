"""Verdicts by the distance: too early to tell, trained too little, an average that is too long, artefacts, and all is well."""

from __future__ import annotations

import pytest
import torch
from made_runs import Script, digits, faint, names, points
from torch import Tensor

from ganvas.training import doctor_verdict
from ganvas.training.doctor import Diagnosis, diagnose, format_findings
from ganvas.training.doctor_case import EARLY
from ganvas.training.doctor_distance import Distance


def test_three_steps_are_too_early(script: Script) -> None:
    found = diagnose(script.run("cgan-mnist", draws=faint(digits()), items=192))
    assert names(found) == ["too early to tell"]
    assert f"learned from 192 images, and samples are judged from {64 * EARLY:,} on" in found[0].evidence
    assert found[0].advice == "--images 84000"
    assert found.distance is None


def test_it_is_early_below_the_stated_number_only(script: Script) -> None:
    early, late = (diagnose(script.run("cgan-mnist", draws=digits(), items=64 * EARLY - 64 * k)) for k in (1, 0))
    assert names(early) == ["too early to tell"]
    assert names(late) == []


def test_a_number_that_is_not_finite_is_told_early(script: Script) -> None:
    found = diagnose(script.run("gan-ring", draws=points("ring"), dropped=7, items=512))
    assert names(found) == ["non-finite values", "too early to tell"]


@pytest.mark.parametrize(("items", "name"), [(20_000, "trained too little"), (84_000, "far from the data")])
def test_far_from_the_data(script: Script, items: int, name: str) -> None:
    found = diagnose(script.run("cgan-mnist", draws=faint(digits()), items=items))
    assert names(found) == [name]
    assert "fd500-digits" in found[0].evidence
    assert "floor" in found[0].evidence
    assert found[0].advice == ("--images 84000" if items == 20_000 else "--images 168000")


@pytest.mark.parametrize(("name", "measure"), [("cgan-mnist", "fd500-digits"), ("gan-moons", "swd500-points")])
def test_all_is_well_with_the_distance_and_its_floor(script: Script, name: str, measure: str) -> None:
    found = diagnose(script.run(name, draws=digits() if name == "cgan-mnist" else points("moons")))
    assert isinstance(found, Diagnosis)
    assert names(found) == []
    assert found.distance
    assert found.distance.name == measure
    assert format_findings(found) == f"the doctor found no problem: {found.distance.text()}"


def test_nothing_measured_is_no_all_clear(script: Script) -> None:
    text = format_findings(diagnose(script.run("classifier-mnist")))
    assert text.splitlines() == [
        "the doctor found no problem in what was examined",
        "not examined: the distance to real samples (the model makes no samples from noise)",
    ]


def test_an_average_that_is_too_long(script: Script, monkeypatch: pytest.MonkeyPatch) -> None:
    near = Distance("fd500-digits", 12.0, 3.0, 600.0)
    monkeypatch.setattr(doctor_verdict, "measure_latest", lambda case: near)
    found = diagnose(script.run("cgan-mnist", draws=faint(digits())))
    assert names(found) == ["average too long"]
    assert "with the latest weights instead of their average 12" in found[0].evidence
    assert found[0].advice.startswith("--set train.average_halflife=")


def test_the_latest_weights_are_those_of_the_checkpoint(script: Script) -> None:
    """A run without one is measured by its average alone."""
    assert names(diagnose(script.run("cgan-mnist", draws=faint(digits())))) == ["far from the data"]


def checkered(images: Tensor) -> Tensor:
    """A pattern of period 2, as layers that double the side may leave it."""
    signs = (torch.arange(28)[:, None] + torch.arange(28)) % 2 * 2.0 - 1
    return (0.8 * images + 0.2 * signs).clamp(-1, 1)


def test_a_pattern_of_single_pixels(script: Script) -> None:
    found = diagnose(script.run("cgan-mnist", draws=checkered(digits())))
    assert "checkerboard" in names(found)
    assert names(diagnose(script.run("cgan-mnist", draws=digits()))) == []


def test_noise_is_no_pattern(script: Script) -> None:
    noise = 0.3 * torch.randn(500, 1, 28, 28, generator=torch.Generator().manual_seed(0))
    assert "checkerboard" not in names(diagnose(script.run("cgan-mnist", draws=(digits() + noise).clamp(-1, 1))))


def test_black_and_white_only(script: Script) -> None:
    found = diagnose(script.run("cgan-mnist", draws=(8 * torch.randn(500, 1, 28, 28).sign() * 0.99 + digits()).clamp(-1, 1)))
    assert "saturated values" in names(found)
