"""Likelihood terms of a VAE: the KL divergence of a Gaussian from the standard normal."""

from __future__ import annotations

from torch import Tensor


def gaussian_kl(mean: Tensor, log_variance: Tensor) -> Tensor:
    """KL(N(mean, variance) || N(0, 1)) [N] in nats, summed over the d dimensions of [N, d]. Source: arXiv:1312.6114 app. B."""
    return 0.5 * (mean.square() + log_variance.exp() - 1 - log_variance).sum(1)
