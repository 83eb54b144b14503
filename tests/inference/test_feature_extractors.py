"""Extractors by name and by data: what comes with ganvas, and what an extra replaces."""

from __future__ import annotations

import pytest
import torch

from ganvas.errors import UsageError
from ganvas.inference import feature_extractors
from ganvas.inference.feature_extractors import Extractor, choose_extractor, choose_shipped, load_extractor

IMAGES = torch.randint(0, 256, (3, 3, 48, 48), dtype=torch.uint8, generator=torch.Generator().manual_seed(0))


def refuse(_: torch.device) -> Extractor:
    raise UsageError("not installed")


def test_the_network_for_color_pictures_takes_any_size_and_grey() -> None:
    pictures = load_extractor("pictures")
    assert pictures.features(IMAGES).shape == (3, 160)
    grey = IMAGES[:, :1]
    assert torch.equal(pictures.features(grey), pictures.features(grey.expand(-1, 3, -1, -1)))
    with pytest.raises(UsageError, match="did you mean 'pictures'"):
        load_extractor("picture")


@pytest.mark.parametrize(
    ("source", "channels", "name"),
    [("mnist", 1, "digits"), ("fashion", 1, "clothes"), ("holiday/", 3, "pictures"), ("scans/", 1, None)],
)
def test_data_chooses_the_network_that_comes_with_ganvas(source: str, channels: int, name: str | None) -> None:
    chosen = choose_shipped(source, channels)
    assert (chosen.name if chosen else None) == name


def test_photos_replace_pictures_where_they_are_installed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(feature_extractors, "load_photos", refuse)
    without = choose_extractor("holiday/", 3)
    assert without is not None
    assert without.name == "pictures"
    monkeypatch.setattr(feature_extractors, "load_photos", lambda device: Extractor("photos", lambda x: x, device=device))
    found = [choose_extractor(*data) for data in (("holiday/", 3), ("stacked", 3), ("scans/", 1))]
    assert [each and each.name for each in found] == ["photos", "digits-each", None]
