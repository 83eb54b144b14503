"""Thick holes from coarse to fine: a network never gets a thicker hole than it knows."""

from __future__ import annotations

import pytest
import torch

from ganvas.layers.coarse_to_fine import fill_any_hole, shrink_hole


def test_the_core_of_a_hole() -> None:
    mask = torch.zeros(1, 1, 40, 40)
    mask[:, :, 10:31, 10:31] = 1
    core = shrink_hole(mask, 4)[0, 0]
    assert core.sum() == 13 * 13
    assert core[14:27, 14:27].all()
    mask[:, :, :, 10:] = 1  # beyond the edge there is nothing to go by
    assert shrink_hole(mask, 40).any() == 0 or shrink_hole(mask, 4)[0, 0, :, 39].all()


@pytest.mark.parametrize("size", [(96, 96), (97, 131)])
def test_a_network_never_gets_a_thicker_hole_than_it_knows(size: tuple[int, int]) -> None:
    image = torch.rand(1, 3, *size, generator=torch.Generator().manual_seed(0))
    mask = torch.zeros(1, 1, *size)
    mask[:, :, 10:85, 12:83] = 1
    calls = []

    def fill(x: torch.Tensor, m: torch.Tensor) -> torch.Tensor:
        calls.append(tuple(x.shape[2:]))
        assert not shrink_hole(m, 6).any() or min(x.shape[2:]) < 32
        return torch.where(m > 0, 0.5, x)

    filled = fill_any_hole(fill, image, mask, 6)
    assert len(calls) == 3
    assert calls[-1] == size
    assert torch.equal(filled.where(mask == 0, 0), image.where(mask == 0, 0))
    torch.testing.assert_close(filled.where(mask > 0, 0.5), torch.full_like(image, 0.5), atol=0.02, rtol=0)


def test_a_thin_hole_is_filled_at_once() -> None:
    image, mask = torch.rand(1, 1, 64, 64), torch.zeros(1, 1, 64, 64)
    mask[:, :, 20:30] = 1
    calls = []
    fill_any_hole(lambda x, m: (calls.append(m), x)[1], image, mask, 5)
    assert len(calls) == 1
    assert torch.equal(calls[0], mask)
