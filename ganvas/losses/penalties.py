"""Gradient penalties of the discriminator (R1, R2, and the GP of WGAN-GP), and path length of the generator (StyleGAN2)."""

from __future__ import annotations

import torch
from torch import Tensor


def gradient_norm(scores: Tensor, x: Tensor) -> Tensor:
    """The gradient of each score with respect to its own sample: scores [N], x [N, ...] -> [N, features].

    It is differentiable again. `x` must require gradients, and a score must depend on its own sample only.
    """
    (gradient,) = torch.autograd.grad(scores.sum(), x, create_graph=True)
    return gradient.unsqueeze(-1).flatten(1)  # x may be [N]: one number for each sample


def zero_centered_penalty(scores: Tensor, x: Tensor, gamma: float) -> Tensor:
    """gamma / 2 E |grad D(x)|^2: R1 if x are reals, R2 if x are fakes. Source: arXiv:1801.04406 eq. 9-10."""
    return 0.5 * gamma * gradient_norm(scores, x).square().sum(1).mean()


def gradient_penalty(scores: Tensor, x: Tensor, weight: float) -> Tensor:
    """WGAN-GP: weight E (|grad D(x)| - 1)^2, x between reals and fakes. Source: arXiv:1704.00028 eq. 3."""
    steepness: Tensor = torch.linalg.vector_norm(gradient_norm(scores, x), dim=1)
    return weight * (steepness - 1).square().mean()


def path_lengths(image: Tensor, w: Tensor, direction: Tensor) -> Tensor:
    """|J_w^T y| for each sample, [N]: how far a step in w changes the image along y (path length regularization).

    image [N, C, H, W] is made from w [N, layers, d]; direction [N, C, H, W] is standard normal, and y is it times
    1 / sqrt(HW). The mean square over layers. Differentiable again. Source: arXiv:1912.04958 sec. 3.2, eq. 4.
    """
    size = image.shape[-1] * image.shape[-2]
    (gradient,) = torch.autograd.grad((image * direction).sum() / size**0.5, w, create_graph=True)
    lengths: Tensor = torch.linalg.vector_norm(gradient.flatten(1), dim=1) / w.shape[1] ** 0.5
    return lengths


def interpolate(real: Tensor, fake: Tensor, share: Tensor) -> Tensor:
    """A point on the line from each fake to its real: share [N] in [0, 1], 1 is the real. Source: arXiv:1704.00028 alg. 1."""
    share = share.view(-1, *[1] * (real.ndim - 1))
    return share * real + (1 - share) * fake
