"""A generator G against a discriminator D: who moves when, and what each minimises.

D moves first, `n_critic` times, each on a fresh batch; then G answers. Gradient penalties join the loss of D, in every move
or lazily: in each k-th move of D, k times as strong (arXiv:1912.04958 sec. 3.1).
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from ganvas.core.game import Batch, Loss, Step, Terms, Turn, sum_losses
from ganvas.core.memory import Memory
from ganvas.errors import UsageError, unknown_name
from ganvas.layers.augment import instance_noise
from ganvas.losses.adversarial import OBJECTIVES, Objective
from ganvas.losses.penalties import gradient_penalty, interpolate, zero_centered_penalty
from ganvas.utils.settings import require_within


@dataclass(frozen=True, kw_only=True)
class Rules:
    """How G and D are scored. Zero switches a penalty off."""

    objective: str = "nonsaturating"  # a key of OBJECTIVES
    n_critic: int = 1  # moves of D per move of G
    smoothing: float = 1.0  # the label of reals (one-sided label smoothing below 1)
    r1_gamma: float = 0.0
    r2_gamma: float = 0.0
    gradient_penalty: float = 0.0
    penalty_every: int = 1  # lazy regularisation above 1: in each k-th move of D, k times as strong
    drift: float = 0.0  # on the reals' squared logits: holds a Wasserstein D near zero (arXiv:1710.10196 appendix A.1)
    clip: float = 0.0  # bound on the weights of D after each of its moves
    mismatch: float = 0.0  # weight of telling a real from itself under the label of another class (arXiv:1605.05396 alg. 1)
    noise: float = 0.0  # sd at the start of the noise on all inputs of D; it is gone halfway

    def __post_init__(self) -> None:
        if self.objective not in OBJECTIVES:
            raise unknown_name("objective", self.objective, OBJECTIVES)
        require_within(self, "config.rules.n_critic config.rules.penalty_every", 1)
        require_within(self, "config.rules.r1_gamma config.rules.r2_gamma config.rules.gradient_penalty config.rules.clip", 0)
        require_within(self, "config.rules.drift config.rules.mismatch config.rules.noise", 0)
        require_within(self, "config.rules.smoothing", 0, 1)

    @property
    def scoring(self) -> Objective:
        """The pair of losses."""
        return OBJECTIVES[self.objective]

    @property
    def penalized(self) -> bool:
        """Whether a gradient of D is penalised, which a BatchNorm inside D would mix across samples."""
        return bool(self.r1_gamma or self.r2_gamma or self.gradient_penalty)


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
        raise unknown_name("objective", name, NAMED)
    changed = dataclasses.replace(rules, **{"clip": 0.0, "gradient_penalty": 0.0, **NAMED[name]})
    # A recipe's smoothed labels belong to its own objective: where the new one has no labels, there is nothing to smooth.
    return changed if changed.scoring.smooth_d else dataclasses.replace(changed, smoothing=1.0)


Field = Callable[[Batch, Step], Tensor]  # -> [N, ...]
# x [N, ...], condition [N, ...] or None -> logits [N], or [N, ...] of patches, or several of these from several scales;
# where labels are exchanged c [N, 2] -> logits [N, 2]
Judge = Callable[[Tensor, Tensor | None], Tensor | Sequence[Tensor]]
Features = Callable[[Tensor, Tensor | None], Sequence[Tensor]]


def read_real(batch: Batch, _: Step) -> Tensor:
    """The field `real`."""
    return batch["real"]


def read_label(batch: Batch, _: Step) -> Tensor | None:
    """The class of each sample, where the data have classes."""
    return batch.get("label")


@dataclass(frozen=True)
class Duel:
    """One discriminator against what one generator makes, under `rules`.

    A game may have several: a `name` keeps their terms, notes and fakes apart. A condition that is a picture belongs into
    `real` and `fake` (one `torch.cat` along the channels), so that augmentation moves both alike.
    """

    rules: Rules
    fake: Field  # made once a batch, from fresh noise or from a field of the batch: its turns share it
    judge: Judge
    D: nn.Module  # whose weights `rules.clip` bounds
    together: bool = True  # judge reals and fakes in one call, which is faster; a BatchNorm in D forbids it
    classes: int = 0  # how many there are, where D has a logit for each: `rules.mismatch` needs it
    name: str = ""  # of this discriminator; "" where the game has only one
    real: Field = read_real
    condition: Callable[[Batch, Step], Tensor | None] = read_label
    memory: Memory | None = None  # older fakes that D is shown among the new ones
    features: Features | None = None  # x, condition -> features of D, for `match_features`
    d_extra: tuple[Loss, ...] = ()  # further losses of D, and of G
    g_extra: tuple[Loss, ...] = ()

    def turns(self) -> tuple[Turn, ...]:
        """D, then G, of a game with players of these names.

        Raises:
            UsageError: as of `check`.
        """
        return self.d_turn(), self.g_turn()

    def d_turn(self, player: str = "D") -> Turn:
        """The moves of the discriminator. Raises: UsageError: as of `check`."""
        self.check()
        project = self.clip if self.rules.clip else None
        return Turn(
            self.key("discriminator"),
            player,
            self.d_loss,
            self.rules.n_critic,
            project=project,
            steerable=not self.rules.scoring.wants_best_critic,
            watch=self.observe,
            discriminators=(self.name,),
        )

    def g_turn(self, player: str = "G") -> Turn:
        """The move of the generator."""
        return Turn(self.key("generator"), player, self.g_loss, steerable=not self.rules.scoring.wants_best_critic)

    def check(self) -> None:
        """Check that the rules fit this discriminator.

        Raises:
            UsageError: labels are to be exchanged, and there are none, or D has no logit for each; labels are to be
                smoothed, and the objective has none.
        """
        if self.rules.mismatch and not self.classes:
            raise UsageError("config.rules.mismatch needs a game with classes whose D has a logit for each; leave it 0")
        if self.rules.smoothing != 1 and not self.rules.scoring.smooth_d:
            able = ", ".join(name for name, objective in OBJECTIVES.items() if objective.smooth_d)
            raise UsageError(
                f"config.rules.smoothing: expected 1, because {self.rules.objective} has no label to smooth, "
                f"got {self.rules.smoothing:g}; leave it 1, or use one of {able}"
            )

    def key(self, name: str) -> str:
        """The name of a term, note or shared tensor of this duel."""
        return f"{name}_{self.name}" if self.name else name

    def make_fake(self, batch: Batch, step: Step) -> Tensor:
        """The fakes of this batch, made once: the weights of G do not move before its own turn."""
        return step.compute_once(self.key("fake"), lambda: self.fake(batch, step))

    def remember_fake(self, batch: Batch, step: Step) -> Tensor:
        """The fakes that D learns from: those of this batch, or older ones in their place where there is a memory."""
        fake = self.make_fake(batch, step).detach()
        if (memory := self.memory) is None:
            return fake
        # Shared as well: losses and penalties of one move must not exchange twice.
        return step.compute_once(self.key("older fake"), lambda: memory.exchange(fake, step.uniform))

    def view(self, x: Tensor, step: Step) -> Tensor:
        """x [N, ...] as D gets it. Under noise far modes overlap, and mass moves between them (arXiv:1610.04490)."""
        sd = self.rules.noise * max(0.0, 1 - 2 * step.progress) ** 2
        return step.augment(instance_noise(x, sd, step.normal), self.name)

    def d_loss(self, batch: Batch, step: Step) -> Terms:
        """Tell reals from fakes, with the penalties where they are due."""
        terms = self.compare(batch, step, self.remember_fake)
        if self.rules.penalized and step.is_due(self.rules.penalty_every):
            # In the same move as the rest: alone, a move by Adam without momentum would be as long as any other.
            penalties = self.penalties(batch, step)
            step.lazy |= dict.fromkeys(penalties, self.rules.penalty_every)
            terms |= {name: term * self.rules.penalty_every for name, term in penalties.items()}
        return terms | sum_losses(*self.d_extra)(batch, step)

    def compare(self, batch: Batch, step: Step, make: Field) -> Terms:
        """The loss of D on the reals of the batch and on the fakes that `make` returns; notes what it makes of them."""
        rules, scoring = self.rules, self.rules.scoring
        real = self.view(self.real(batch, step), step)  # before the fakes: this order of random draws is part of a seed
        fake = self.view(make(batch, step).detach(), step)
        scales = self.logits(real, fake, self.condition(batch, step), step)
        of_real = _concatenate_scales([real_logits for real_logits, _, _ in scales]).detach()
        of_fake = _concatenate_scales([fake_logits for _, fake_logits, _ in scales]).detach()
        found = discriminator_shares(scoring, of_real, of_fake, step.held_out.get(self.name))
        step.notes |= {self.key(name): value for name, value in found.items()}

        def d(real_logits: Tensor, fake_logits: Tensor) -> Tensor:
            if rules.smoothing != 1 and scoring.smooth_d:
                return scoring.smooth_d(real_logits, fake_logits, rules.smoothing)
            return scoring.d(real_logits, fake_logits)

        loss = _mean([d(real_logits, fake_logits) for real_logits, fake_logits, _ in scales])
        if scoring.equilibrium:
            step.notes[self.key("strain")] = loss.detach() / scoring.equilibrium
        terms = {self.key("D"): loss}
        wrong = [scoring.d(real_logits, other) for real_logits, _, other in scales if other is not None]
        if wrong:
            terms[self.key("mismatch")] = rules.mismatch * _mean(wrong)
        if rules.drift:
            terms[self.key("drift")] = rules.drift * _mean([real_logits.square().mean() for real_logits, _, _ in scales])
        return terms

    def logits(self, real: Tensor, fake: Tensor, c: Tensor | None, step: Step) -> list[tuple[Tensor, Tensor, Tensor | None]]:
        """For each scale the logits of reals, of fakes, and of the reals under another class where the rules ask for it.

        A discriminator that only ever gets reals under their own label learns late what sets classes apart.
        """
        asked, exchanged = c, c is not None and self.rules.mismatch > 0 and self.classes > 1
        if c is not None and exchanged:
            another = (c + 1 + (step.uniform(len(c)) * (self.classes - 1)).long()) % self.classes
            asked = torch.stack([c, another], 1)
        if self.together:
            both = None if asked is None else torch.cat([asked, asked])
            halves = [scale.chunk(2) for scale in self.scales(torch.cat([real, fake.to(real.dtype)]), both)]
            pairs = [(half[0], half[1]) for half in halves]
        else:
            pairs = list(zip(self.scales(real, asked), self.scales(fake, asked), strict=True))
        if not exchanged:
            return [(of_real, of_fake, None) for of_real, of_fake in pairs]
        return [(of_real[:, 0], of_fake[:, 0], of_real[:, 1]) for of_real, of_fake in pairs]

    def scales(self, x: Tensor, c: Tensor | None) -> list[Tensor]:
        """x [N, ...], condition -> the logits [N, ...] of each scale, in float32."""
        found = self.judge(x, c)
        return [logits.float() for logits in ([found] if isinstance(found, Tensor) else found)]

    def observe(self, batch: Batch, step: Step) -> None:
        """Note the verdicts on a batch that D does not learn from. The fakes keep their graph, for G."""
        self.make_fake(batch, step)  # outside of no_grad, and before it: see `g_loss`
        with torch.no_grad():
            self.compare(batch, step, self.make_fake)

    def held_out_logits(self, batch: Batch, step: Step) -> dict[str, Tensor]:
        """Data that were never trained on -> the logits [N, ...] of D on their reals, by the duel's name."""
        real = self.view(self.real(batch, step), step)
        return {self.name: _concatenate_scales(self.scales(real, self.condition(batch, step)))}

    def penalties(self, batch: Batch, step: Step) -> Terms:
        """Gradient penalties of D, in float32 whatever the precision of the rest.

        A sample's score is the mean of its logits, so that the size of a patch map does not change the strength.
        """
        rules, c = self.rules, self.condition(batch, step)
        real, fake = self.real(batch, step), self.remember_fake(batch, step).float()
        terms: Terms = {}

        def score(x: Tensor) -> Tensor:
            return _mean([_mean_logit(logits) for logits in self.scales(self.view(x, step), c)])

        with torch.autocast(real.device.type, enabled=False):
            if rules.r1_gamma:
                x = real.detach().requires_grad_()
                terms["R1"] = zero_centered_penalty(score(x), x, rules.r1_gamma)
            if rules.r2_gamma:
                x = fake.detach().requires_grad_()
                terms["R2"] = zero_centered_penalty(score(x), x, rules.r2_gamma)
            if rules.gradient_penalty:
                x = interpolate(real, fake, step.uniform(len(real))).detach().requires_grad_()
                terms["GP"] = gradient_penalty(score(x), x, rules.gradient_penalty)
        return {self.key(name): term for name, term in terms.items()}

    def g_loss(self, batch: Batch, step: Step) -> Terms:
        """Have D take the fakes for real."""
        g, c = self.rules.scoring.g, self.condition(batch, step)
        # The pass with a gradient comes first. Under autocast, weights that were cast to bfloat16 within no_grad are used
        # again by the next pass, and have no graph there.
        of_fake = of_real = self.scales(self.view(self.make_fake(batch, step), step), c)
        if self.rules.scoring.g_sees_reals:
            with torch.no_grad():
                of_real = self.scales(self.view(self.real(batch, step), step), c)
        terms = {self.key("G"): _mean([g(real, fake) for real, fake in zip(of_real, of_fake, strict=True)])}
        return terms | sum_losses(*self.g_extra)(batch, step)

    def match_features(self, batch: Batch, step: Step) -> Terms:
        """A loss of G: the mean L1 distance between the features that D has of fakes and of reals, over its layers.

        Source: Wang et al. 2018, arXiv:1711.11585 eq. 4. The caller weighs it: it is one of `g_extra`.
        """
        if self.features is None:
            raise UsageError("feature matching needs the features of D; give Duel(features=...)")
        c = self.condition(batch, step)
        of_fake = self.features(self.make_fake(batch, step), c)  # with a gradient, and so before the reals: as in `g_loss`
        with torch.no_grad():
            of_real = self.features(self.real(batch, step), c)
        far = [F.l1_loss(fake.float(), real.float()) for fake, real in zip(of_fake, of_real, strict=True)]
        return {self.key("features"): _mean(far)}

    @torch.no_grad()
    def clip(self) -> None:
        """Keep every weight of D in a box. Source: arXiv:1701.07875 alg. 1."""
        for weight in self.D.parameters():
            weight.clamp_(-self.rules.clip, self.rules.clip)


def _mean(values: Sequence[Tensor]) -> Tensor:
    """The mean over scales or layers; of one, that one itself."""
    return values[0] if len(values) == 1 else torch.stack(tuple(values)).mean(0)


def _mean_logit(logits: Tensor) -> Tensor:
    """logits [N, ...] -> one score each [N]."""
    return logits if logits.ndim == 1 else logits.flatten(1).mean(1)


def _concatenate_scales(scales: Sequence[Tensor]) -> Tensor:
    """The logits of several scales, each [N, ...], side by side [N, K]; of one scale, that one itself."""
    return scales[0] if len(scales) == 1 else torch.cat([logits.flatten(1) for logits in scales], 1)


def discriminator_shares(
    scoring: Objective, real_logits: Tensor, fake_logits: Tensor, unseen_logits: Tensor | None = None
) -> dict[str, Tensor]:
    """The shares of reals, of fakes and of reals it was never trained on that D calls real: logits [N, ...].

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
