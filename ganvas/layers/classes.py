"""Classes as inputs of a network."""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor


def class_weights(c: Tensor, classes: int, dtype: torch.dtype) -> Tensor:
    """c [N] class or [N, classes] shares of classes -> shares [N, classes]: of a class a one and zeros."""
    return (c if c.is_floating_point() else F.one_hot(c, classes)).to(dtype)
