"""The truncation trick in w, and style mixing of two given styles."""

from __future__ import annotations

import torch
from torch import Tensor

from ganvas.errors import UsageError


def truncate(w: Tensor, mean: Tensor, psi: float) -> Tensor:
    """mean + psi (w - mean), w [..., d]: less variety, better quality. psi 1: w; 0: the mean; below 0: the opposite of w.

    Source: arXiv:1812.04948 appendix B.
    """
    return w if psi == 1 else torch.lerp(mean.to(w), w, psi)


def mix_styles(coarse: Tensor, fine: Tensor, styles: int, cut: int) -> Tensor:
    """w [N, d] or [N, styles, d] twice -> [N, styles, d]: `coarse` in the first `cut` layers, `fine` in the rest.

    Source: arXiv:1812.04948 fig. 3.

    Raises:
        UsageError: the cut is not from 0 to `styles`.
    """
    if not 0 <= cut <= styles:
        raise UsageError(f"cut: expected a layer from 0 to {styles}, got {cut}")
    coarse, fine = (w[:, None].expand(-1, styles, -1) if w.ndim == 2 else w for w in (coarse, fine))
    return torch.cat([coarse[:, :cut], fine[:, cut:]], 1)
