"""The discriminator of patches: but for the normalization a logit looks at one patch only, at each scale."""

from __future__ import annotations

import torch
from torch import nn

from ganvas.layers.patch_discriminator import FIELD, SHARE, PatchDiscriminator, magnify_slopes


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


def test_a_slope_of_one_level_is_seen_in_bfloat16() -> None:
    """Near white, bfloat16 has steps of half a level and more: there a plain area and a slope are nearly the same numbers."""
    plain = torch.full((1, 3, 16, 16), 0.9)
    slope = plain + torch.arange(16) * (2 / 255) / 2  # half a level from pixel to pixel
    with torch.autocast("cpu", torch.bfloat16):
        seen, nothing = magnify_slopes(slope), magnify_slopes(plain)
    assert seen.dtype == torch.float32
    assert seen.shape == (1, 6, 16, 16)
    assert not nothing.any()
    inner = seen[:, :3, :, :-1]
    assert torch.allclose(inner, inner[0, 0, 0, 0].expand_as(inner), atol=1e-4)
    assert 0.1 * SHARE < float(inner[0, 0, 0, 0]) < 0.2 * SHARE
    assert not seen[:, 3:, :-1].any()
    edge = magnify_slopes(torch.tensor([-1.0, 1.0]).repeat(1, 1, 4, 2))
    assert float(edge.abs().max()) <= SHARE


def test_slopes_are_further_inputs() -> None:
    torch.manual_seed(0)
    network = PatchDiscriminator(3, (4, 4, 8), slopes=True)
    image = torch.rand(2, 3, 32, 32, requires_grad=True)
    (logits,) = network(image)
    assert logits.shape == (2, 1, 4, 4)
    (first,) = torch.autograd.grad(logits.sum(), image, create_graph=True)
    first.square().sum().backward()  # R1 needs the second derivative
    assert bool(network.scales[0].layers[0].weight.grad.any())
