"""Instance noise: Gaussian noise on every input of D."""

from __future__ import annotations

from collections.abc import Callable

from torch import Tensor

Normal = Callable[..., Tensor]  # normal(n, *shape) -> [n, *shape]


def instance_noise(x: Tensor, sd: float, normal: Normal) -> Tensor:
    """[N, ...] -> x + sd * normal, images or points; sd = 0 returns x and draws nothing.

    With noise both distributions cover the whole space, so D cannot separate them perfectly. Source: arXiv:1610.04490,
    arXiv:1701.04862 sec. 3.
    """
    return x + sd * normal(len(x), *x.shape[1:]).to(x.dtype) if sd else x
