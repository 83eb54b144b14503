"""Faults of the data: copies, a wrong range, labels that say nothing; and what is no fault."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from made_runs import Script, bytes_of, digits, faint, folder_of, names

from ganvas.config import DataConfig
from ganvas.data.open import open_source
from ganvas.training.artifacts import find_jpeg_blocks
from ganvas.training.doctor import diagnose


def labelled(count: int) -> tuple[np.ndarray, np.ndarray]:
    """Training digits and their labels."""
    source = open_source(DataConfig(source="mnist"))
    return source.fields["real"][:count, 0].numpy(), source.fields["label"][:count].numpy()


@pytest.mark.parametrize("game", ["dcgan-mnist", "gan-mnist"])
def test_copies_of_six_pictures_are_too_little_data(script: Script, game: str) -> None:
    data = folder_of(script.folder / "data", bytes_of(digits(6)).repeat(100, 0))
    found = diagnose(script.run(game, draws=digits(6), data=data))
    assert names(found) == ["too little data"]
    assert "of 570 samples only 6 are different" in found[0].evidence
    assert found[0].advice.startswith("--data")


def test_copies_of_six_lines_are_too_little_data(script: Script) -> None:
    (script.folder / "six.txt").write_text("anna\nbert\ncora\ndirk\nemma\nfred\n" * 100)
    assert names(diagnose(script.run("textgan-names", data=script.folder / "six.txt"))) == ["too little data"]


def test_pixels_of_four_bits_are_a_wrong_range(script: Script) -> None:
    data = folder_of(script.folder / "data", bytes_of(digits(600)) // 20)
    found = diagnose(script.run("dcgan-mnist", draws=digits(500, 1000), data=data))
    assert names(found) == ["wrong pixel range"]
    assert "within 0 to 12 of 255" in found[0].evidence


def test_labels_in_random_order_do_not_fit(script: Script) -> None:
    images, labels = labelled(1500)
    shuffled = np.random.default_rng(0).permutation(labels)
    data = folder_of(script.folder / "data", images, labels=shuffled)
    found = diagnose(script.run("cgan-mnist", draws=digits(500), data=data))
    assert names(found) == ["labels do not fit"]
    assert "in random order" in found[0].evidence


def test_labels_of_digits_fit(script: Script) -> None:
    images, labels = labelled(1500)
    data = folder_of(script.folder / "data", images, labels=labels)
    assert names(diagnose(script.run("cgan-mnist", draws=digits(500), data=data))) == []


@pytest.mark.parametrize(("count", "expected"), [(150, []), (1500, ["labels do not fit"])])
def test_few_labels_of_two_classes_say_nothing(script: Script, count: int, expected: list[str]) -> None:
    """Right labels of what is not told apart by its looks agree little more often than chance, and few cannot show it."""
    images, _ = labelled(count)
    labels = np.random.default_rng(0).permutation(count) % 2
    data = folder_of(script.folder / "data", images, labels=labels)
    found = names(diagnose(script.run("cgan-mnist", draws=digits(500), data=data)))
    assert [name for name in found if name == "labels do not fit"] == expected


def test_labels_of_one_class_are_not_wrong(script: Script) -> None:
    """All agree, and all would in any order: that shows nothing."""
    images, labels = labelled(1500)
    data = folder_of(script.folder / "data", images, labels=np.full_like(labels, 3))
    assert "labels do not fit" not in names(diagnose(script.run("cgan-mnist", draws=digits(500), data=data)))


def test_a_class_of_one_picture_shows_nothing(script: Script) -> None:
    """The picture most like it is of another class whatever its label is."""
    images, _ = labelled(120)
    data = folder_of(script.folder / "data", images, labels=np.r_[np.full(119, 3), 4])
    assert "labels do not fit" not in names(diagnose(script.run("cgan-mnist", draws=digits(500), data=data)))


def test_rare_classes_fit_and_are_no_crash(script: Script) -> None:
    """98 % ones: agreement by chance leaves no room above it, and of some classes no real is among those looked at."""
    source = open_source(DataConfig(source="mnist"))
    labels = source.fields["label"]
    chosen = torch.cat([(labels == c).nonzero().flatten()[: 1470 if c == 1 else 4] for c in range(10)])
    data = folder_of(script.folder / "data", source.fields["real"][chosen, 0].numpy(), labels=labels[chosen].numpy())
    found = diagnose(script.run("cgan-mnist", draws=digits(500), data=data))
    assert "labels do not fit" not in names(found)


def test_digits_are_no_jpeg(script: Script) -> None:
    """They change more in the middle of an image than at its edge, and column 16 is in the middle."""
    reals = to_levels(digits(500))
    assert find_jpeg_blocks(to_levels(digits(500, 500).roll(2, -1)), reals) is None
    found = diagnose(script.run("dcgan-mnist", lambda share: {"skill": 0.9}, faint(digits())))
    assert "real/fake leak" not in names(found)


@pytest.mark.parametrize("axis", [-1, -2])
def test_blocks_of_eight_pixels_are(axis: int) -> None:
    random = torch.Generator().manual_seed(0)
    smooth = torch.nn.functional.interpolate(torch.rand(100, 1, 6, 6, generator=random), size=64, mode="bicubic") * 200
    blocky = smooth + 20 * (torch.arange(64) // 8 % 2).view(*((64,) if axis == -1 else (64, 1)))
    found = find_jpeg_blocks(smooth, blocky)
    assert found
    assert "JPEG" in found[0]


def to_levels(images: torch.Tensor) -> torch.Tensor:
    """Images in [-1, 1] as levels of 255."""
    return (images + 1) * 127.5
