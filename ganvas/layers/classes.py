"""One-hot vectors of classes as inputs of a network."""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor


def class_weights(c: Tensor, classes: int, dtype: torch.dtype) -> Tensor:
    """c [N] class -> one-hot [N, classes]; c [N, classes] shares of several classes -> the same, as `dtype`."""
    return (c if c.is_floating_point() else F.one_hot(c, classes)).to(dtype)
