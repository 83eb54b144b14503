"""What the discriminator and the generator minimise: pairs of pure functions of logits, and penalties on slopes.

Every objective takes the discriminator's raw logits [N] on reals and on fakes, never probabilities, and returns a scalar.
Generator losses take the reals' logits too; only the relativistic ones look at them.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Tensor

LogitsLoss = Callable[[Tensor, Tensor], Tensor]


@dataclass(frozen=True)
class Objective:
    """A pair of losses, both minimised.

    `smooth_d` is the discriminator's loss with one-sided label smoothing where the loss has a label to smooth (else None).
    `boundary` is the logit that separates real from fake where there is a fixed one. `equilibrium` is the discriminator's loss
    when the fakes follow the data's distribution and the discriminator is at its optimum.
    """

    d: LogitsLoss  # (real_logits, fake_logits) -> scalar
    g: LogitsLoss  # (real_logits, fake_logits) -> scalar
    equilibrium: float
    equilibrium_text: str
    boundary: float | None = 0.0
    g_sees_reals: bool = False
    wants_best_critic: bool = False  # the discriminator measures a distance: the nearer to its optimum the better
    smooth_d: Callable[[Tensor, Tensor, float], Tensor] | None = None


def log_d(real: Tensor, fake: Tensor) -> Tensor:
    """-E log D(x) - E log(1 - D(G(z))), D = sigmoid(logit). Source: arXiv:1406.2661 eq. 1."""
    return F.softplus(-real).mean() + F.softplus(fake).mean()


def smooth_log_d(real: Tensor, fake: Tensor, target: float) -> Tensor:
    """`log_d` with the label `target` instead of 1 for reals only. Source: arXiv:1606.03498 sec. 3.4."""
    return target * F.softplus(-real).mean() + (1 - target) * F.softplus(real).mean() + F.softplus(fake).mean()


def minimax_g(real: Tensor, fake: Tensor) -> Tensor:
    """E log(1 - D(G(z))): saturates when the discriminator is sure. Source: arXiv:1406.2661 eq. 1."""
    return -F.softplus(fake).mean()


def nonsaturating_g(real: Tensor, fake: Tensor) -> Tensor:
    """-E log D(G(z)): same fixed point, strong slope early on. Source: arXiv:1406.2661 sec. 3."""
    return F.softplus(-fake).mean()


def least_squares_d(real: Tensor, fake: Tensor) -> Tensor:
    """1/2 E (D(x) - 1)^2 + 1/2 E D(G(z))^2. Source: arXiv:1611.04076 eq. 9."""
    return smooth_least_squares_d(real, fake, 1.0)


def smooth_least_squares_d(real: Tensor, fake: Tensor, target: float) -> Tensor:
    """`least_squares_d` with `target` instead of 1 for reals only."""
    return 0.5 * (real - target).square().mean() + 0.5 * fake.square().mean()


def least_squares_g(real: Tensor, fake: Tensor) -> Tensor:
    """1/2 E (D(G(z)) - 1)^2. Source: arXiv:1611.04076 eq. 9."""
    return 0.5 * (fake - 1).square().mean()


def wasserstein_d(real: Tensor, fake: Tensor) -> Tensor:
    """E D(G(z)) - E D(x), for a 1-Lipschitz discriminator. Source: arXiv:1701.07875 eq. 2."""
    return fake.mean() - real.mean()


def wasserstein_g(real: Tensor, fake: Tensor) -> Tensor:
    """-E D(G(z)). Source: arXiv:1701.07875 alg. 1."""
    return -fake.mean()


def hinge_d(real: Tensor, fake: Tensor) -> Tensor:
    """E max(0, 1 - D(x)) + E max(0, 1 + D(G(z))). Source: arXiv:1705.02894 eq. 13, arXiv:1802.05957 eq. 16."""
    return F.relu(1 - real).mean() + F.relu(1 + fake).mean()


def relativistic_d(real: Tensor, fake: Tensor) -> Tensor:
    """E softplus(-(D(x) - D(G(z)))), reals and fakes in pairs. Source: arXiv:2501.05441 eq. 2, arXiv:1807.00734."""
    return F.softplus(fake - real).mean()


def relativistic_g(real: Tensor, fake: Tensor) -> Tensor:
    """E softplus(-(D(G(z)) - D(x))). Source: arXiv:2501.05441 sec. 2.1."""
    return F.softplus(real - fake).mean()


LN2 = 0.6931471805599453

OBJECTIVES: Mapping[str, Objective] = {
    "minimax": Objective(log_d, minimax_g, 2 * LN2, "2 ln 2", smooth_d=smooth_log_d),
    "nonsaturating": Objective(log_d, nonsaturating_g, 2 * LN2, "2 ln 2", smooth_d=smooth_log_d),
    "leastsquares": Objective(least_squares_d, least_squares_g, 0.25, "1/4", boundary=0.5, smooth_d=smooth_least_squares_d),
    "wasserstein": Objective(wasserstein_d, wasserstein_g, 0.0, "0", boundary=None, wants_best_critic=True),
    "hinge": Objective(hinge_d, wasserstein_g, 2.0, "2"),
    "relativistic": Objective(relativistic_d, relativistic_g, LN2, "ln 2", boundary=None, g_sees_reals=True),
}


def slope(scores: Tensor, x: Tensor) -> Tensor:
    """The gradient of each score with respect to its own sample: scores [N], x [N, ...] -> [N, features].

    Differentiable again. `x` must require gradients and a score must depend on its own sample only.
    """
    (gradient,) = torch.autograd.grad(scores.sum(), x, create_graph=True)
    return gradient.unsqueeze(-1).flatten(1)  # a sample may be a single number: x [N]


def zero_centred_penalty(scores: Tensor, x: Tensor, gamma: float) -> Tensor:
    """gamma / 2 E |grad D(x)|^2: R1 where x are reals, R2 where they are fakes. Source: arXiv:1801.04406 eq. 9-10."""
    return 0.5 * gamma * slope(scores, x).square().sum(1).mean()


def gradient_penalty(scores: Tensor, x: Tensor, weight: float) -> Tensor:
    """weight E (|grad D(x)| - 1)^2 at points between reals and fakes. Source: arXiv:1704.00028 eq. 3."""
    steepness: Tensor = torch.linalg.vector_norm(slope(scores, x), dim=1)
    return weight * (steepness - 1).square().mean()


def path_lengths(image: Tensor, w: Tensor, direction: Tensor) -> Tensor:
    """|J_w^T y| for each sample, [N]: how far a step in w moves the image along y.

    image [N, C, H, W] made from w [N, layers, d]; direction [N, C, H, W] standard normal, which is y once scaled by
    1 / sqrt(HW). The mean square over layers. Differentiable again. Source: arXiv:1912.04958 sec. 3.2, eq. 4.
    """
    size = image.shape[-1] * image.shape[-2]
    (gradient,) = torch.autograd.grad((image * direction).sum() / size**0.5, w, create_graph=True)
    lengths: Tensor = torch.linalg.vector_norm(gradient.flatten(1), dim=1) / w.shape[1] ** 0.5
    return lengths


def between(real: Tensor, fake: Tensor, share: Tensor) -> Tensor:
    """A point on each line from fake to real: share [N] in [0, 1], 1 gives the real. Source: arXiv:1704.00028 alg. 1."""
    share = share.view(-1, *[1] * (real.ndim - 1))
    return share * real + (1 - share) * fake


def gaussian_kl(mean: Tensor, log_variance: Tensor) -> Tensor:
    """KL(N(mean, variance) || N(0, 1)) [N] in nats, summed over the d dimensions of [N, d]. Source: arXiv:1312.6114 app. B."""
    return 0.5 * (mean.square() + log_variance.exp() - 1 - log_variance).sum(1)
