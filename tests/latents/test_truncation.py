"""Truncation towards the mean style, and two styles in one image."""

from __future__ import annotations

import pytest
import torch

from ganvas.errors import UsageError
from ganvas.latents.truncation import mix_styles, truncate


def test_truncation_is_a_line_through_the_mean() -> None:
    w, mean = torch.randn(3, 4), torch.randn(4)
    assert truncate(w, mean, 1.0) is w
    torch.testing.assert_close(truncate(w, mean, 0.0), mean.expand(3, 4))
    torch.testing.assert_close(truncate(w, mean, 0.7), mean + 0.7 * (w - mean))
    torch.testing.assert_close(truncate(w, mean, -1.0), 2 * mean - w)
    assert truncate(w[:, None].expand(-1, 5, -1), mean, 0.5).shape == (3, 5, 4)


def test_mixing_takes_the_first_layers_from_one_and_the_rest_from_the_other() -> None:
    a, b = torch.zeros(2, 3), torch.ones(2, 3)
    assert mix_styles(a, b, 4, 1)[0, :, 0].tolist() == [0, 1, 1, 1]
    assert torch.equal(mix_styles(a, b, 4, 4), torch.zeros(2, 4, 3))
    with pytest.raises(UsageError, match="from 0 to 4, got 5"):
        mix_styles(a, b, 4, 5)
