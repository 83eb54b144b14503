"""A generator that is too far from the data is refused, with its distance."""

from __future__ import annotations

import pytest
import torch

from ganvas.augmentation.generator_distance import is_far, measure_distance, require_near
from ganvas.config import DataConfig
from ganvas.data.open import open_source
from ganvas.errors import DataError


def test_other_real_digits_are_near_and_noise_is_refused_with_the_distance() -> None:
    data = open_source(DataConfig(source="mnist"))
    images, labels = data.fields["real"][:600], data.fields["label"][:600]
    real, of_real, fakes, of_fakes = images[:300], labels[:300], images[300:], labels[300:]
    near = measure_distance(fakes, of_fakes, real, of_real, "mnist")
    assert not is_far(near)
    require_near(near, "digits")
    noise = torch.randint(0, 256, fakes.shape, dtype=torch.uint8)
    far = measure_distance(noise, of_fakes, real, of_real, "mnist")
    with pytest.raises(DataError, match=r"noise is too far .*floor .* \d+% of the way"):
        require_near(far, "noise")


def test_few_pictures_have_no_distance() -> None:
    images = torch.zeros(20, 1, 28, 28, dtype=torch.uint8)
    with pytest.raises(DataError, match="at least 64, found 20"):
        measure_distance(images, torch.arange(20) % 2, images, torch.arange(20) % 2, "mnist")
