"""The discriminator of patches: but for the normalization a logit looks at one patch only, at each scale."""

from __future__ import annotations

import torch
from torch import nn

from ganvas.layers.patch_discriminator import FIELD, PatchDiscriminator


def test_a_logit_depends_on_its_patch_only() -> None:
    torch.manual_seed(0)
    network = PatchDiscriminator(2, (4, 4, 8))
    network.scales[0].norms = nn.ModuleList(nn.Identity() for _ in range(3))  # it sees the mean and the size of all patches
    image = torch.randn(1, 2, 96, 96, requires_grad=True)
    (slope,) = torch.autograd.grad(network(image)[0][0, 0, 6, 6], image)
    rows = slope.abs().sum((0, 1, 3)).nonzero()
    assert int(rows.max() - rows.min()) + 1 == FIELD


def test_scales_see_the_same_picture_smaller() -> None:
    torch.manual_seed(0)
    network = PatchDiscriminator(3, (4, 4, 8), scales=2)
    image = torch.randn(2, 3, 32, 48)
    assert [tuple(logits.shape) for logits in network(image)] == [(2, 1, 4, 6), (2, 1, 2, 3)]
    assert [tuple(found.shape[1:]) for found in network.features(image)] == [
        *((4, 16, 24), (4, 8, 12), (8, 4, 6)),
        *((4, 8, 12), (4, 4, 6), (8, 2, 3)),
    ]
    changed = image + torch.tensor([1.0, -1.0]).repeat(24)  # means of 2x2 pixels are the same
    assert not torch.allclose(network(changed)[0], network(image)[0])
    torch.testing.assert_close(network(changed)[1], network(image)[1], atol=1e-4, rtol=1e-4)


def test_logits_begin_with_a_size_that_teaches() -> None:
    """The last layer has no normalization behind it: its weights have to keep the variance, or all logits start as zero."""
    torch.manual_seed(0)
    (logits,) = PatchDiscriminator(6)(torch.rand(8, 6, 64, 64) * 2 - 1)
    assert 0.1 < float(logits.detach().std()) < 3
