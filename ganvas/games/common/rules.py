"""The rules of a duel: its objective, gradient penalties, and number of discriminator moves; and objectives by name."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from ganvas.errors import unknown_name
from ganvas.losses.adversarial import OBJECTIVES, Objective
from ganvas.utils.settings import require_within


@dataclass(frozen=True, kw_only=True)
class Rules:
    """Objective, penalties and number of discriminator moves of a duel. A weight of 0 switches a penalty off."""

    objective: str = "nonsaturating"  # a key of OBJECTIVES
    n_critic: int = 1  # moves of D per move of G
    smoothing: float = 1.0  # the label of reals (one-sided label smoothing below 1)
    r1_gamma: float = 0.0
    r2_gamma: float = 0.0
    gradient_penalty: float = 0.0
    penalty_every: int = 1  # lazy regularization above 1: in each k-th move of D, k times as strong
    full_precision: bool = True  # gradient penalties in float32, or in the precision of the run, which may be far faster
    drift: float = 0.0  # weight of the squared logits of reals: keeps a Wasserstein D near 0 (arXiv:1710.10196 appendix A.1)
    clip: float = 0.0  # weight clipping: bound on the weights of D after each of its moves; 0: none
    mismatch: float = 0.0  # weight of reals with a wrong label as further fakes (matching-aware D, arXiv:1605.05396 alg. 1)
    noise: float = 0.0  # instance noise on all inputs of D: its sd at the start of the run; it falls to 0 at half of the run

    def __post_init__(self) -> None:
        if self.objective not in OBJECTIVES:
            raise unknown_name("objective", self.objective, OBJECTIVES)
        require_within(self, "config.rules.n_critic config.rules.penalty_every", 1)
        require_within(self, "config.rules.r1_gamma config.rules.r2_gamma config.rules.gradient_penalty config.rules.clip", 0)
        require_within(self, "config.rules.drift config.rules.mismatch config.rules.noise", 0)
        require_within(self, "config.rules.smoothing", 0, 1)

    @property
    def scoring(self) -> Objective:
        """The losses of D and G."""
        return OBJECTIVES[self.objective]

    @property
    def penalized(self) -> bool:
        """Whether there is a gradient penalty. Then D must have no BatchNorm, which mixes gradients of samples."""
        return bool(self.r1_gamma or self.r2_gamma or self.gradient_penalty)


# The rules that each objective changes when it is chosen by name. Sources: arXiv:1701.07875 alg. 1, arXiv:1704.00028 alg. 1.
# Differs: with weight clipping too, a recipe keeps its optimizer, Adam, and its learning rate; alg. 1 has RMSProp at 5e-5. So a
# change of the objective changes nothing else. See also `--set train.learning_rate=5e-5 --set train.adam.beta1=0`.
OBJECTIVE_RULES: Mapping[str, Mapping[str, Any]] = {
    **{name: {"objective": name} for name in OBJECTIVES},
    "wasserstein": {
        "objective": "wasserstein",
        "clip": 0.01,
        "n_critic": 5,
        "smoothing": 1.0,
        "r1_gamma": 0.0,
        "r2_gamma": 0.0,
    },
    "wasserstein-gp": {
        "objective": "wasserstein",
        "gradient_penalty": 10.0,
        "n_critic": 5,
        "smoothing": 1.0,
        "r1_gamma": 0.0,
        "r2_gamma": 0.0,
        "penalty_every": 1,
    },
}


def with_objective(rules: Rules, name: str) -> Rules:
    """The rules with another objective: `name` as on the command line.

    Raises:
        UsageError: no such objective; the message has the nearest name.
    """
    if name not in OBJECTIVE_RULES:
        raise unknown_name("objective", name, OBJECTIVE_RULES)
    changed = dataclasses.replace(rules, **{"clip": 0.0, "gradient_penalty": 0.0, **OBJECTIVE_RULES[name]})
    # Label smoothing belongs to the old objective: switch it off if the new one has no labels.
    return changed if changed.scoring.smooth_d else dataclasses.replace(changed, smoothing=1.0)
