"""Samples as the user has them become those of the networks."""

from __future__ import annotations

import warnings

import numpy as np
import pytest
import torch

from ganvas.inference.encoding import as_samples


@pytest.mark.parametrize(
    ("given", "shape"), [(np.full((2, 4, 4, 1), 255, np.uint8), (1, 4, 4)), (np.ones((2, 3), np.float32), (3,))]
)
def test_memory_that_is_read_only_is_no_reason_to_warn(given: np.ndarray, shape: tuple[int, ...]) -> None:
    given.setflags(write=False)  # as of an open picture, or of a frame of the studio
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        samples = as_samples(given, shape)
    assert torch.equal(samples, torch.ones(2, *shape))
    assert given.max() in (1, 255)
