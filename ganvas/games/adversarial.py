"""The rules that every game of one artist G and one critic D shares: who moves when, and what each minimises.

The critic moves first, `n_critic` times, each on a fresh batch; then the artist answers. Slope penalties join the critic's
loss, every step or lazily: each k-th step, k times as strong (arXiv:1912.04958 sec. 3.1).
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn

from ganvas.config import within
from ganvas.errors import UsageError, unknown
from ganvas.game import Batch, Step, Terms, Turn
from ganvas.layers.augment import instance_noise
from ganvas.objectives import OBJECTIVES, Objective, between, gradient_penalty, zero_centred_penalty


@dataclass(frozen=True, kw_only=True)
class Rules:
    """How the two players are scored. Zero switches a penalty off."""

    objective: str = "nonsaturating"  # a key of OBJECTIVES
    n_critic: int = 1  # critic moves per artist move
    smoothing: float = 1.0  # the label of reals (one-sided label smoothing below 1)
    r1_gamma: float = 0.0
    r2_gamma: float = 0.0
    gradient_penalty: float = 0.0
    penalty_every: int = 1  # lazy regularisation above 1
    drift: float = 0.0  # on the reals' squared logits: holds a Wasserstein critic near zero (arXiv:1710.10196 appendix A.1)
    clip: float = 0.0  # bound on the critic's weights after each of its moves
    mismatch: float = 0.0  # weight of telling a real from itself under the label of another class (arXiv:1605.05396 alg. 1)
    noise: float = 0.0  # sd at the start of the noise on all the critic sees; it is gone halfway

    def __post_init__(self) -> None:
        if self.objective not in OBJECTIVES:
            raise unknown("objective", self.objective, OBJECTIVES)
        within(self, "config.rules.n_critic config.rules.penalty_every", 1)
        within(self, "config.rules.r1_gamma config.rules.r2_gamma config.rules.gradient_penalty config.rules.clip", 0)
        within(self, "config.rules.drift config.rules.mismatch config.rules.noise", 0)
        within(self, "config.rules.smoothing", 0, 1)

    @property
    def scoring(self) -> Objective:
        """The pair of losses."""
        return OBJECTIVES[self.objective]

    @property
    def penalised(self) -> bool:
        """Whether a slope of the critic is penalised, which a BatchNorm inside it would blur across samples."""
        return bool(self.r1_gamma or self.r2_gamma or self.gradient_penalty)


_LIPSCHITZ = {"objective": "wasserstein", "n_critic": 5, "smoothing": 1.0, "r1_gamma": 0.0, "r2_gamma": 0.0}

# What an objective chosen by name changes beside the losses. Sources: arXiv:1701.07875 alg. 1, arXiv:1704.00028 alg. 1.
NAMED: Mapping[str, Mapping[str, Any]] = {
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
    """The same rules with the objective called `name` on a command line.

    Raises:
        UsageError: no such objective; names the nearest.
    """
    if name not in NAMED:
        raise unknown("objective", name, NAMED)
    return dataclasses.replace(rules, **{"clip": 0.0, "gradient_penalty": 0.0, **NAMED[name]})


Generate = Callable[[Batch, Step], Tensor]  # -> fakes like batch["real"], from fresh noise
# x [N, ...], c [N] or None -> logits [N]; where labels are exchanged c [N, 2] -> logits [N, 2]
Judge = Callable[[Tensor, Tensor | None], Tensor]


@dataclass(frozen=True)
class Duel:
    """One artist against one critic under `rules`.

    `together` judges reals and fakes in one call, which is faster; a BatchNorm in the critic forbids it. `classes` is how
    many there are, where the critic has a logit for each: `rules.mismatch` needs it.
    """

    rules: Rules
    generate: Generate
    judge: Judge
    critic: nn.Module
    together: bool = True
    classes: int = 0

    def turns(self) -> tuple[Turn, ...]:
        """The critic, then the artist.

        Raises:
            UsageError: labels are to be exchanged, and there are none, or the critic has no logit for each.
        """
        if self.rules.mismatch and not self.classes:
            raise UsageError("config.rules.mismatch needs a game with classes whose critic has a logit for each; leave it 0")
        project = self.clip if self.rules.clip else None
        steerable, moves = not self.rules.scoring.wants_best_critic, self.rules.n_critic
        return (
            Turn("critic", "D", self.critic_loss, moves, project=project, steerable=steerable, watch=self.look),
            Turn("artist", "G", self.artist_loss, steerable=steerable),
        )

    def fake(self, batch: Batch, step: Step) -> Tensor:
        """The fakes of this batch, generated once: the artist's weights do not move before its own turn."""
        return step.shared("fake", lambda: self.generate(batch, step))

    def seen(self, x: Tensor, step: Step) -> Tensor:
        """x [N, ...] as the critic sees it. Under noise far modes overlap, and mass moves between them (arXiv:1610.04490)."""
        sd = self.rules.noise * max(0.0, 1 - 2 * step.progress) ** 2
        return step.shown(instance_noise(x, sd, step.normal))

    def critic_loss(self, batch: Batch, step: Step) -> Terms:
        """Tell reals from fakes, with the penalties where they are due."""
        terms = self.opinion(batch, step)
        if self.rules.penalised and step.index % self.rules.penalty_every == 0:
            # In the same move as the rest: alone, a move by Adam without momentum would be as long as any other.
            terms |= {name: term * self.rules.penalty_every for name, term in self.penalties(batch, step).items()}
        return terms

    def opinion(self, batch: Batch, step: Step) -> Terms:
        """The critic's loss on reals and fakes."""
        real, fake = self.seen(batch["real"], step), self.seen(self.fake(batch, step).detach(), step)
        real_logits, fake_logits, wrong = self.logits(real, fake, batch.get("label"), step)
        step.notes.update(
            verdict(self.rules.scoring, real_logits.detach(), fake_logits.detach(), step.notes.get("unseen_logits"))
        )
        step.notes["variety"] = fake.float().std(0).mean() / real.std(0).mean()
        scoring, smoothing = self.rules.scoring, self.rules.smoothing
        smooth = scoring.smooth_d if smoothing != 1 else None
        loss = smooth(real_logits, fake_logits, smoothing) if smooth else scoring.d(real_logits, fake_logits)
        if scoring.equilibrium:
            step.notes["strain"] = loss.detach() / scoring.equilibrium
        drift = {"drift": self.rules.drift * real_logits.square().mean()} if self.rules.drift else {}
        mismatch = {"mismatch": self.rules.mismatch * scoring.d(real_logits, wrong)} if wrong is not None else {}
        return {"D": loss, **mismatch, **drift}

    def logits(self, real: Tensor, fake: Tensor, c: Tensor | None, step: Step) -> tuple[Tensor, Tensor, Tensor | None]:
        """Of reals, of fakes, and of the reals under the label of another class where the rules ask for it.

        A critic that is only ever shown reals under their own label learns late what sets classes apart.
        """
        asked = c
        if c is not None and self.rules.mismatch and self.classes > 1:
            another = (c + 1 + (step.uniform(len(c)) * (self.classes - 1)).long()) % self.classes
            asked = torch.stack([c, another], 1)
        if self.together:
            both = None if asked is None else torch.cat([asked, asked])
            of_real, of_fake = self.judge(torch.cat([real, fake.to(real.dtype)]), both).float().chunk(2)
        else:
            of_real, of_fake = self.judge(real, asked).float(), self.judge(fake, asked).float()
        if asked is None or asked.ndim == 1:
            return of_real, of_fake, None
        return of_real[:, 0], of_fake[:, 0], of_real[:, 1]

    def look(self, batch: Batch, step: Step) -> None:
        """Note the verdicts on a batch that the critic does not learn from. The fakes keep their graph, for the artist."""
        self.fake(batch, step)
        with torch.no_grad():
            self.opinion(batch, step)

    def penalties(self, batch: Batch, step: Step) -> Terms:
        """Slopes of the critic, in float32 whatever the precision of the rest."""
        rules, c = self.rules, batch.get("label")
        real, fake = batch["real"], self.fake(batch, step).detach().float()
        terms: Terms = {}
        with torch.autocast(real.device.type, enabled=False):
            if rules.r1_gamma:
                x = real.detach().requires_grad_()
                terms["R1"] = zero_centred_penalty(self.judge(self.seen(x, step), c), x, rules.r1_gamma)
            if rules.r2_gamma:
                x = fake.requires_grad_()
                terms["R2"] = zero_centred_penalty(self.judge(self.seen(x, step), c), x, rules.r2_gamma)
            if rules.gradient_penalty:
                x = between(real, fake, step.uniform(len(real))).detach().requires_grad_()
                terms["GP"] = gradient_penalty(self.judge(self.seen(x, step), c), x, rules.gradient_penalty)
        return terms

    def artist_loss(self, batch: Batch, step: Step) -> Terms:
        """Have the fakes taken for real."""
        c = batch.get("label")
        fake_logits = self.judge(self.seen(self.fake(batch, step), step), c).float()
        if not self.rules.scoring.g_sees_reals:
            return {"G": self.rules.scoring.g(fake_logits, fake_logits)}
        with torch.no_grad():
            real_logits = self.judge(self.seen(batch["real"], step), c).float()
        return {"G": self.rules.scoring.g(real_logits, fake_logits)}

    @torch.no_grad()
    def clip(self) -> None:
        """Keep every weight of the critic in a box. Source: arXiv:1701.07875 alg. 1."""
        for weight in self.critic.parameters():
            weight.clamp_(-self.rules.clip, self.rules.clip)


def verdict(
    scoring: Objective, real_logits: Tensor, fake_logits: Tensor, unseen_logits: Tensor | None = None
) -> dict[str, Tensor]:
    """The shares of reals, of fakes and of reals it was never trained on that the critic calls real.

    Where the loss fixes no boundary (Wasserstein, relativistic) it is the mean of the batch's two mean logits.
    """
    boundary = scoring.boundary
    cut = (real_logits.mean() + fake_logits.mean()) / 2 if boundary is None else boundary
    unseen = {} if unseen_logits is None else {"verdict_held_out": (unseen_logits > cut).float().mean()}
    return unseen | {
        "verdict_real": (real_logits > cut).float().mean(),
        "verdict_fake": (fake_logits > cut).float().mean(),
        "logit_gap": real_logits.mean() - fake_logits.mean(),
    }
