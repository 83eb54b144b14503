"""Synchronized BatchNorm over the batch of all ranks: up to rounding the same as one process with the whole batch.

Source: arXiv:1502.03167 for BatchNorm; torch.nn.SyncBatchNorm, which has no CPU kernels, for the sums to exchange.
Differs: means and variances are exchanged and merged (Chan et al. 1979), so nothing cancels; all ranks have equal shares.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn
from torch.nn.modules.batchnorm import _BatchNorm

Gather = Callable[[Tensor], Tensor]  # values [n] float32 of this rank -> those of all ranks [ranks, n], in their order


def synchronize(network: nn.Module, gather: Gather) -> None:
    """Make every BatchNorm in `network` use the batch of all ranks during training.

    Weights, buffers and their names do not change, and neither do earlier copies of the network.
    """
    for module in network.modules():
        kind = SYNCHRONIZED.get(type(module))
        if kind is not None:  # only the class changes: optimizers and hooks keep their reference to this module
            module.__class__ = kind
        if isinstance(module, tuple(SYNCHRONIZED.values())):
            module.gather = gather  # type: ignore[assignment]


class _Synchronized(_BatchNorm):
    """A BatchNorm that gathers the statistics of all ranks."""

    gather: Gather

    def forward(self, x: Tensor) -> Tensor:
        if not self.training:
            return super().forward(x)
        self._check_input_dim(x)  # type: ignore[no-untyped-call]
        out, mean, var, count = _Normalize.apply(  # type: ignore[no-untyped-call]
            x, self.weight, self.bias, self.eps, self.gather
        )
        with torch.no_grad():
            momentum: Any = self.momentum
            for kept, new in ((self.running_mean, mean), (self.running_var, var * (count / (count - 1)))):
                if kept is not None:
                    kept.lerp_(new, momentum)
            if self.num_batches_tracked is not None:
                self.num_batches_tracked += 1
        result: Tensor = out
        return result


class SyncBatchNorm2d(_Synchronized, nn.BatchNorm2d):
    """x [N, C, H, W] -> the same shape."""


class SyncBatchNorm3d(_Synchronized, nn.BatchNorm3d):
    """x [N, C, D, H, W] -> the same shape."""


class SyncBatchNorm1d(_Synchronized, nn.BatchNorm1d):
    """x [N, C] or [N, C, L] -> the same shape."""


SYNCHRONIZED: dict[type[nn.Module], type[_Synchronized]] = {
    nn.BatchNorm1d: SyncBatchNorm1d,
    nn.BatchNorm2d: SyncBatchNorm2d,
    nn.BatchNorm3d: SyncBatchNorm3d,
}


class _Normalize(torch.autograd.Function):
    """x [N, C, ...], weight and bias [C] -> (normalized x, mean [C], biased variance [C], number of values)."""

    @staticmethod
    def forward(
        ctx: Any, x: Tensor, weight: Tensor, bias: Tensor, eps: float, gather: Gather
    ) -> tuple[Tensor, Tensor, Tensor, int]:
        # With running statistics in float32 it returns float32, also for bfloat16 inputs. They are not used.
        unused = torch.zeros_like(weight, dtype=torch.float32), torch.ones_like(weight, dtype=torch.float32)
        own = torch.stack(torch.batch_norm_update_stats(x, *unused, 0.0))
        all_ = gather(own.flatten()).view(-1, *own.shape)
        mean = all_[:, 0].mean(0)
        # The variance within the ranks plus the variance between their means.
        var = (all_[:, 1] + (all_[:, 0] - mean).square()).mean(0)
        ctx.save_for_backward(x, weight, mean, torch.rsqrt(var + eps))
        ctx.eps, ctx.gather = eps, gather
        ctx.mark_non_differentiable(mean, var)
        return F.batch_norm(x, mean, var, weight, bias, False, 0.0, eps), mean, var, x.numel() // x.shape[1] * len(all_)

    @staticmethod
    @torch.autograd.function.once_differentiable
    def backward(ctx: Any, *grads: Any) -> tuple[Tensor | None, ...]:
        x, weight, mean, inverse = ctx.saved_tensors
        # The gradient of the kernel, as if the batch of this rank were the whole one, with the statistics of the whole.
        grad_x, grad_weight, grad_bias = torch.ops.aten.native_batch_norm_backward(
            grads[0], x, weight, None, None, mean, inverse, True, ctx.eps, [True, True, True]
        )
        own = torch.stack([grad_bias.float(), grad_weight.float()])
        # grad_x contains the means over this rank; it needs those over all ranks: add the difference.
        off = (own - ctx.gather(own.flatten()).view(-1, *own.shape).mean(0)) * (weight * inverse * x.shape[1] / x.numel())
        slope = off[1] * inverse
        shape = (1, -1, *[1] * (x.ndim - 2))
        grad_x = grad_x.addcmul(x, slope.view(shape).to(x.dtype)).add_((off[0] - slope * mean).view(shape).to(x.dtype))
        return grad_x, grad_weight, grad_bias, None, None
