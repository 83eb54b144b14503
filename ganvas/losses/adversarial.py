"""The adversarial losses of discriminator and generator: minimax, non-saturating, LSGAN, WGAN, hinge, relativistic.

Every loss takes the logits [N] of D for reals and for fakes, never probabilities, and returns a scalar. Generator losses
get the logits of reals too; only the relativistic loss uses them. Gradient penalties: losses/penalties.py.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import torch.nn.functional as F
from torch import Tensor

LogitsLoss = Callable[[Tensor, Tensor], Tensor]


@dataclass(frozen=True)
class Objective:
    """The pair of losses of D and G, both minimized.

    `smooth_d` is the loss of D with one-sided label smoothing; None if the loss has no labels. `boundary` is the logit that
    separates real from fake; None if the loss does not fix it. `equilibrium` is the loss of an optimal D when the fakes have
    the distribution of the data.
    """

    d: LogitsLoss  # (real_logits, fake_logits) -> scalar
    g: LogitsLoss  # (real_logits, fake_logits) -> scalar
    equilibrium: float
    equilibrium_text: str
    boundary: float | None = 0.0
    g_sees_reals: bool = False
    wants_best_critic: bool = False  # D estimates a distance, so it should be trained to its optimum (Wasserstein)
    smooth_d: Callable[[Tensor, Tensor, float], Tensor] | None = None


def log_d(real: Tensor, fake: Tensor) -> Tensor:
    """Binary cross-entropy: -E log D(x) - E log(1 - D(G(z))), D = sigmoid(logit). Source: arXiv:1406.2661 eq. 1."""
    return F.softplus(-real).mean() + F.softplus(fake).mean()


def smooth_log_d(real: Tensor, fake: Tensor, target: float) -> Tensor:
    """`log_d` with the label `target` instead of 1 for reals: one-sided label smoothing. Source: arXiv:1606.03498 sec. 3.4."""
    return target * F.softplus(-real).mean() + (1 - target) * F.softplus(real).mean() + F.softplus(fake).mean()


def minimax_g(real: Tensor, fake: Tensor) -> Tensor:
    """E log(1 - D(G(z))): the gradient vanishes when D is certain. Source: arXiv:1406.2661 eq. 1."""
    return -F.softplus(fake).mean()


def nonsaturating_g(real: Tensor, fake: Tensor) -> Tensor:
    """-E log D(G(z)): the same fixed point, and a strong gradient early in training. Source: arXiv:1406.2661 sec. 3."""
    return F.softplus(-fake).mean()


def least_squares_d(real: Tensor, fake: Tensor) -> Tensor:
    """LSGAN: 1/2 E (D(x) - 1)^2 + 1/2 E D(G(z))^2. Source: arXiv:1611.04076 eq. 9."""
    return smooth_least_squares_d(real, fake, 1.0)


def smooth_least_squares_d(real: Tensor, fake: Tensor, target: float) -> Tensor:
    """`least_squares_d` with the label `target` instead of 1 for reals."""
    return 0.5 * (real - target).square().mean() + 0.5 * fake.square().mean()


def least_squares_g(real: Tensor, fake: Tensor) -> Tensor:
    """1/2 E (D(G(z)) - 1)^2. Source: arXiv:1611.04076 eq. 9."""
    return 0.5 * (fake - 1).square().mean()


def wasserstein_d(real: Tensor, fake: Tensor) -> Tensor:
    """WGAN: E D(G(z)) - E D(x), for a 1-Lipschitz D (a critic). Source: arXiv:1701.07875 eq. 2."""
    return fake.mean() - real.mean()


def wasserstein_g(real: Tensor, fake: Tensor) -> Tensor:
    """-E D(G(z)). Source: arXiv:1701.07875 alg. 1."""
    return -fake.mean()


def hinge_d(real: Tensor, fake: Tensor) -> Tensor:
    """E max(0, 1 - D(x)) + E max(0, 1 + D(G(z))). Source: arXiv:1705.02894 eq. 13, arXiv:1802.05957 eq. 16."""
    return F.relu(1 - real).mean() + F.relu(1 + fake).mean()


def relativistic_d(real: Tensor, fake: Tensor) -> Tensor:
    """RpGAN: E softplus(-(D(x) - D(G(z)))), reals and fakes in pairs. Source: arXiv:2501.05441 eq. 2, arXiv:1807.00734."""
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
