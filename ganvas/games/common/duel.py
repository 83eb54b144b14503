"""The losses and turns of a discriminator D and a generator G: `Duel.d_loss`, `Duel.g_loss`, gradient penalties.

D moves first, `n_critic` times, each on a new batch; then G moves once. Gradient penalties are part of the loss of D, in every
move, or lazily: in each k-th move of D, k times as strong (lazy regularization, arXiv:1912.04958 sec. 3.1).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import nullcontext
from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from ganvas.core.game import Batch, Loss, Step, Terms, Turn, merge_terms, sum_losses
from ganvas.core.memory import Memory
from ganvas.errors import UsageError
from ganvas.games.common.rules import Rules
from ganvas.layers.instance_noise import instance_noise
from ganvas.losses.adversarial import OBJECTIVES, Objective
from ganvas.losses.penalties import gradient_penalty, interpolate, zero_centered_penalty

Field = Callable[[Batch, Step], Tensor]  # -> [N, ...]
# x [N, ...], condition [N, ...] or None -> logits [N], or [N, ...] of patches, or a sequence of these from several scales;
# with `rules.mismatch` c [N, 2] -> logits [N, 2]
Judge = Callable[[Tensor, Tensor | None], Tensor | Sequence[Tensor]]
Features = Callable[[Tensor, Tensor | None], Sequence[Tensor]]


def read_real(batch: Batch, _: Step) -> Tensor:
    """The field `real`."""
    return batch["real"]


def read_label(batch: Batch, _: Step) -> Tensor | None:
    """The class of each sample, if the data has classes."""
    return batch.get("label")


@dataclass(frozen=True)
class Duel:
    """One discriminator against one source of fakes, under `rules`.

    A game may have several duels with different names; the name is part of the names of terms, notes and shared tensors. A
    condition that is an image belongs into `real` and `fake` (`torch.cat` along the channels), so that augmentation changes
    both in the same way.
    """

    rules: Rules
    fake: Field  # makes the fakes, from new noise or from fields of the batch; called once for each batch, shared by turns
    judge: Judge
    D: nn.Module  # its weights are clipped by `rules.clip`
    together: bool = True  # reals and fakes in one call of D, which is faster; a D with statistics of the batch forbids it
    classes: int = 0  # number of classes if D has a logit for each: `rules.mismatch` needs it
    name: str = ""  # of this discriminator; "" if the game has only one
    real: Field = read_real
    condition: Callable[[Batch, Step], Tensor | None] = read_label
    memory: Memory | None = None  # pool of older fakes, mixed into the input of D
    features: Features | None = None  # x, condition -> features of D, for `match_features`
    d_extra: tuple[Loss, ...] = ()  # further losses of D, and of G
    g_extra: tuple[Loss, ...] = ()

    def turns(self) -> tuple[Turn, ...]:
        """The turn of D, then that of G, for a game with the players "D" and "G".

        Raises:
            UsageError: as of `check`.
        """
        return self.d_turn(), self.g_turn()

    def d_turn(self, player: str = "D") -> Turn:
        """The turn of the discriminator. Raises: UsageError: as of `check`."""
        self.check()
        project = self.clip_weights if self.rules.clip else None
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
        """The turn of the generator."""
        return Turn(self.key("generator"), player, self.g_loss, steerable=not self.rules.scoring.wants_best_critic)

    def check(self) -> None:
        """Check that the rules fit this discriminator.

        Raises:
            UsageError: `mismatch` is set, but D has no logit for each class; or `smoothing` is set, but the objective has no
                labels.
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
        """The fakes of this batch, made once: the weights of G do not change before its own turn."""
        return step.compute_once(self.key("fake"), lambda: self.fake(batch, step))

    def remember_fake(self, batch: Batch, step: Step) -> Tensor:
        """The fakes for the loss of D: those of this batch; with a `memory`, some of them are replaced by older ones."""
        fake = self.make_fake(batch, step).detach()
        if (memory := self.memory) is None:
            return fake
        # Shared: loss and penalties of one move must exchange with the memory only once.
        return step.compute_once(self.key("older fake"), lambda: memory.exchange(fake, step.uniform))

    def view(self, x: Tensor, step: Step) -> Tensor:
        """x [N, ...] as D gets it, with instance noise: distant modes overlap, so mass can move between them."""
        sd = self.rules.noise * max(0.0, 1 - 2 * step.progress) ** 2
        return step.augment(instance_noise(x, sd, step.normal), self.name)

    def d_loss(self, batch: Batch, step: Step) -> Terms:
        """The loss of D: the adversarial loss, the gradient penalties if this move has them, and `d_extra`."""
        terms = self.adversarial_d_loss(batch, step, self.remember_fake)
        if self.rules.penalized and step.is_due(self.rules.penalty_every):
            # In the same move as the loss: alone, a move by Adam without momentum would be as long as any other move.
            penalties = self.penalties(batch, step)
            step.lazy |= dict.fromkeys(penalties, self.rules.penalty_every)
            terms = merge_terms(terms, {name: term * self.rules.penalty_every for name, term in penalties.items()})
        return merge_terms(terms, sum_losses(*self.d_extra)(batch, step))

    def adversarial_d_loss(self, batch: Batch, step: Step, make: Field) -> Terms:
        """The adversarial loss of D for the reals of the batch and the fakes that `make` returns; notes the shares of D."""
        rules, scoring = self.rules, self.rules.scoring
        real = self.view(self.real(batch, step), step)  # before the fakes: this order of random draws is part of a seed
        fake = self.view(make(batch, step).detach(), step)
        scales = self.logits(real, fake, self.condition(batch, step), step)
        of_real = _concatenate_scales([real_logits for real_logits, _, _ in scales]).detach()
        of_fake = _concatenate_scales([fake_logits for _, fake_logits, _ in scales]).detach()
        found = discriminator_shares(scoring, of_real, of_fake, step.held_out.get(self.name))
        step.notes |= {self.key(name): value for name, value in found.items()}
        step.notes[self.key("variety")] = _spread(fake) / _spread(real)

        def d(real_logits: Tensor, fake_logits: Tensor) -> Tensor:
            if rules.smoothing != 1 and scoring.smooth_d:
                return scoring.smooth_d(real_logits, fake_logits, rules.smoothing)
            return scoring.d(real_logits, fake_logits)

        loss = _mean([d(real_logits, fake_logits) for real_logits, fake_logits, _ in scales])
        if scoring.equilibrium:  # the balance shortens the steps of D if its loss is far above this
            step.notes[self.key("strain")] = loss.detach() / scoring.equilibrium
        terms = {self.key("D"): loss}
        # Matching-aware D: a real with a wrong class takes the place of a fake.
        wrong = [scoring.d(real_logits, wrong_logits) for real_logits, _, wrong_logits in scales if wrong_logits is not None]
        if wrong:
            terms[self.key("mismatch")] = rules.mismatch * _mean(wrong)
        if rules.drift:
            terms[self.key("drift")] = rules.drift * _mean([real_logits.square().mean() for real_logits, _, _ in scales])
        return terms

    def logits(self, real: Tensor, fake: Tensor, c: Tensor | None, step: Step) -> list[tuple[Tensor, Tensor, Tensor | None]]:
        """For each scale the logits of reals, of fakes, and with `rules.mismatch` of the reals with a wrong class, else None.

        A discriminator that gets reals with their own class only learns the differences of classes late.
        """
        mismatch = c is not None and self.rules.mismatch > 0 and self.classes > 1
        if c is not None and mismatch:
            # Any other class, with equal probability. D has a logit for each class, so this needs no second pass.
            wrong = (c + 1 + (step.uniform(len(c)) * (self.classes - 1)).long()) % self.classes
            c = torch.stack([c, wrong], 1)
        if self.together:
            # One pass for both is faster, and without statistics of the batch it gives the same logits.
            both = None if c is None else torch.cat([c, c])
            halves = [scale.chunk(2) for scale in self.judge_scales(torch.cat([real, fake.to(real.dtype)]), both)]
            pairs = [(half[0], half[1]) for half in halves]
        else:
            pairs = list(zip(self.judge_scales(real, c), self.judge_scales(fake, c), strict=True))
        if not mismatch:
            return [(of_real, of_fake, None) for of_real, of_fake in pairs]
        return [(of_real[:, 0], of_fake[:, 0], of_real[:, 1]) for of_real, of_fake in pairs]

    def judge_scales(self, x: Tensor, c: Tensor | None) -> list[Tensor]:
        """x [N, ...], condition -> the logits [N, ...] of each scale, in float32."""
        found = self.judge(x, c)
        return [logits.float() for logits in ([found] if isinstance(found, Tensor) else found)]

    def observe(self, batch: Batch, step: Step) -> None:
        """Note the shares of D on a batch while D rests. The fakes keep their graph, for G."""
        self.make_fake(batch, step)  # before and outside of no_grad: see `g_loss`
        with torch.no_grad():
            self.adversarial_d_loss(batch, step, self.make_fake)

    def held_out_logits(self, batch: Batch, step: Step) -> dict[str, Tensor]:
        """Held-out data -> the logits [N, ...] of D on its reals, by the name of the duel."""
        real = self.view(self.real(batch, step), step)
        return {self.name: _concatenate_scales(self.judge_scales(real, self.condition(batch, step)))}

    def penalties(self, batch: Batch, step: Step) -> Terms:
        """The gradient penalties of D, in float32 unless the rules say otherwise.

        The score of a sample is the mean of its logits, so that the size of a patch map does not change the strength.
        """
        rules, c = self.rules, self.condition(batch, step)
        real, fake = self.real(batch, step), self.remember_fake(batch, step).float()
        terms: Terms = {}

        def score(x: Tensor) -> Tensor:
            return _mean([_mean_logit(logits) for logits in self.judge_scales(self.view(x, step), c)])

        with torch.autocast(real.device.type, enabled=False) if rules.full_precision else nullcontext():
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
        """The loss of G: the adversarial loss and `g_extra`."""
        g, c = self.rules.scoring.g, self.condition(batch, step)
        # The pass with a gradient comes first: autocast caches weights that were cast to bfloat16, and those from a pass
        # under no_grad have no graph.
        of_fake = of_real = self.judge_scales(self.view(self.make_fake(batch, step), step), c)
        if self.rules.scoring.g_sees_reals:
            with torch.no_grad():
                of_real = self.judge_scales(self.view(self.real(batch, step), step), c)
        terms = {self.key("G"): _mean([g(real, fake) for real, fake in zip(of_real, of_fake, strict=True)])}
        return merge_terms(terms, sum_losses(*self.g_extra)(batch, step))

    def match_features(self, batch: Batch, step: Step) -> Terms:
        """Feature matching, a loss of G: the L1 distance of the features of D for fakes and for reals, mean over its layers.

        It is meant for `g_extra`; the caller multiplies it by a weight. Source: Wang et al. 2018, arXiv:1711.11585 eq. 4.
        """
        if self.features is None:
            raise UsageError("feature matching needs the features of D; give Duel(features=...)")
        c = self.condition(batch, step)
        of_fake = self.features(self.make_fake(batch, step), c)  # the pass with a gradient comes first, as in `g_loss`
        with torch.no_grad():
            of_real = self.features(self.real(batch, step), c)
        far = [F.l1_loss(fake.float(), real.float()) for fake, real in zip(of_fake, of_real, strict=True)]
        return {self.key("features"): _mean(far)}

    @torch.no_grad()
    def clip_weights(self) -> None:
        """Weight clipping of D. Source: arXiv:1701.07875 alg. 1."""
        for weight in self.D.parameters():
            weight.clamp_(-self.rules.clip, self.rules.clip)


def _mean(values: Sequence[Tensor]) -> Tensor:
    """The mean over scales or layers; a single value is returned as it is."""
    return values[0] if len(values) == 1 else torch.stack(tuple(values)).mean(0)


def _spread(x: Tensor) -> Tensor:
    """x [N, ...] -> the standard deviation over the batch, its mean over all entries of a sample."""
    x = x.detach().float()
    # By means of squares, which take a tenth of the time of `x.std(0)`: rounding does not matter for a note.
    return (x.square().mean(0) - x.mean(0).square()).clamp(min=0).sqrt().mean()


def _mean_logit(logits: Tensor) -> Tensor:
    """logits [N, ...] -> one score for each sample [N]."""
    return logits if logits.ndim == 1 else logits.flatten(1).mean(1)


def _concatenate_scales(scales: Sequence[Tensor]) -> Tensor:
    """The logits of several scales, each [N, ...] -> concatenated [N, K]; those of one scale are returned as they are."""
    return scales[0] if len(scales) == 1 else torch.cat([logits.reshape(len(logits), -1) for logits in scales], 1)


def discriminator_shares(
    scoring: Objective, real_logits: Tensor, fake_logits: Tensor, unseen_logits: Tensor | None = None
) -> dict[str, Tensor]:
    """The shares of reals, fakes and held-out reals that D calls real, from logits [N, ...].

    If the loss has no fixed boundary (Wasserstein, relativistic), it is the mean of the two mean logits of the batch.
    """
    boundary = scoring.boundary
    cut = (real_logits.mean() + fake_logits.mean()) / 2 if boundary is None else boundary
    unseen = {} if unseen_logits is None else {"verdict_held_out": (unseen_logits > cut).float().mean()}
    return unseen | {
        "verdict_real": (real_logits > cut).float().mean(),
        "verdict_fake": (fake_logits > cut).float().mean(),
        "logit_gap": real_logits.mean() - fake_logits.mean(),
    }
