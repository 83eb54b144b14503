"""CycleGAN: from one domain to another and back, learned without a single pair.

Each direction has a generator, and each domain a discriminator, which knows the pictures of its domain. They alone would let a
flat red face become any shaded picture. So what goes there must come back,

    V(G_ab, D_b) + V(G_ba, D_a) + cycle (E |G_ba(G_ab(a)) - a| + E |G_ab(G_ba(b)) - b|)
                                + identity (E |G_ab(b) - b| + E |G_ba(a) - a|),

and what is in the domain already must stay as it is: without this last term the colors may turn into their opposites, because
the way back turns them again. D also sees older fakes, from a pool, so that G cannot go in circles around it.
Source: Zhu et al. 2017, arXiv:1703.10593 eq. 1-3, sec. 4, 5.2.

Differs (G): as in `pix2pix`: a residual U-Net that scales and changes its input; pixels are normalized, not pictures.
Differs (D): the non-saturating loss with R1 instead of least squares; patches of 40 pixels instead of 70, group normalization;
it sees small slopes magnified.
Differs (both): `cycle` is 2 and `identity` 1, not 10 and 5: G starts as a copy, which has no loss of either, and with the
weights of the paper it stays one. The identity term is lazy, in each fourth step and four times as strong, and shares a pass of
G with the fakes. Batches of 4 instead of 1, an averaged G, a higher learning rate that falls; that of D is twice as high.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar

import torch
import torch.nn.functional as F
from torch import Tensor

from ganvas.config import TrainConfig
from ganvas.core.capabilities import Translates, Watched
from ganvas.core.game import Batch, Game, Step, Terms, Turn, sum_losses
from ganvas.core.memory import Memory
from ganvas.data.builtin import earth
from ganvas.games.common.duel import Duel
from ganvas.games.common.family import Family, cosine
from ganvas.games.common.rules import Rules
from ganvas.layers.patch_discriminator import PatchDiscriminator
from ganvas.layers.translator import MULTIPLE, Translator, require_multiple
from ganvas.utils.settings import require_within


@dataclass(frozen=True, kw_only=True)
class Config:
    """Channels of each G and each D at a half, a quarter and an eighth of the side."""

    resolution: int = 64
    channels: int = 3
    domains: tuple[str, ...] = ()  # what the two domains are called; the data sets it
    widths: tuple[int, int, int] = (32, 64, 96)
    critic_widths: tuple[int, int, int] = (96, 128, 192)
    slopes: bool = True  # each D sees the differences of neighboring pixels too, magnified
    residual: bool = True  # G scales and changes the input, instead of making a new picture
    cycle: float = 2.0  # weight of the way there and back
    identity: float = 1.0  # weight of what should stay as it is
    identity_every: int = 4  # it is lazy: in each k-th step
    pool: int = 50  # older fakes for each D; 0: none
    rules: Rules = Rules(r1_gamma=0.2, penalty_every=8, full_precision=False)

    def __post_init__(self) -> None:
        require_multiple(self.resolution)
        require_within(self, "config.channels config.identity_every", 1)
        require_within(self, "config.cycle config.identity config.pool", 0)


class CycleGAN(Game, Watched, Translates):
    """G_ab: a -> b and G_ba: b -> a, against D_a and D_b: image -> logits of patches."""

    config_type = Config
    needs = ("a", "b")
    players: ClassVar[dict[str, tuple[str, ...]]] = {"D_a": ("D_a",), "D_b": ("D_b",), "G": ("G_ab", "G_ba")}
    averaged = ("G_ab", "G_ba")
    kept_apart = ("D_a", "D_b")
    takes, directions = ("a", "b"), ("a>b", "b>a")

    def __init__(self, config: Config) -> None:
        super().__init__()
        self.config = config
        self.G_ab, self.G_ba = (
            Translator(config.channels, config.channels, config.widths, residual=config.residual) for _ in range(2)
        )
        self.D_a, self.D_b = (PatchDiscriminator(config.channels, config.critic_widths, slopes=config.slopes) for _ in range(2))
        self.pools = {name: Memory(config.pool) for name in "ab" if config.pool}

    @property
    def discriminators(self) -> tuple[str, ...]:
        return ("a", "b")

    @property
    def multiple(self) -> int:
        return MULTIPLE

    @property
    def reach(self) -> int:
        return self.G_ab.reach

    def memories(self) -> Mapping[str, Memory]:
        return self.pools

    def turns(self) -> tuple[Turn, ...]:
        a, b = self.duel("a"), self.duel("b")
        g_losses = (a.g_loss, b.g_loss, self.cycle, self.identity)
        return a.d_turn("D_a"), b.d_turn("D_b"), Turn("generator", "G", sum_losses(*g_losses), steerable=a.g_turn().steerable)

    def duel(self, name: str) -> Duel:
        """Reals of the domain `name` against translations of the other one. Source: arXiv:1703.10593 eq. 1."""
        D = self.D_a if name == "a" else self.D_b
        return Duel(
            self.config.rules,
            lambda batch, step: self.translate_into(name, batch, step)[0],
            lambda x, _: D(x),
            D,
            self.together,
            name=name,
            real=lambda batch, _: batch[name],
            memory=self.pools.get(name),
        )

    def translate_into(self, name: str, batch: Batch, step: Step) -> tuple[Tensor, Tensor | None]:
        """Of this batch: the other domain translated into `name`, and with the identity term `name` itself, else None.

        Both are one pass of G. The turns of D come first and need the fakes, so the number of the step decides, not the number
        of the move: it is the same in all turns.
        """
        G, other = (self.G_ba, batch["b"]) if name == "a" else (self.G_ab, batch["a"])
        if not self.config.identity or step.index % self.config.identity_every:
            return step.compute_once(f"into {name}", lambda: G(other)), None
        fake, same = step.compute_once(f"into {name}", lambda: G(torch.cat([other, batch[name]]))).chunk(2)
        return fake, same

    def cycle(self, batch: Batch, step: Step) -> Terms:
        """There and back. Source: arXiv:1703.10593 eq. 2."""
        if not self.config.cycle:
            return {}
        back_a = self.G_ba(self.duel("b").make_fake(batch, step))
        back_b = self.G_ab(self.duel("a").make_fake(batch, step))
        return {"cycle": self.config.cycle * (_distance(back_a, batch["a"]) + _distance(back_b, batch["b"]))}

    def identity(self, batch: Batch, step: Step) -> Terms:
        """What is in the domain already should stay as it is, if this step has the term. Source: arXiv:1703.10593 sec. 5.2."""
        pairs = [(self.translate_into(name, batch, step)[1], batch[name]) for name in "ab"]
        terms = [_distance(same, image) for same, image in pairs if same is not None]
        if not terms:
            return {}
        step.lazy["identity"] = self.config.identity_every
        return {"identity": self.config.identity_every * self.config.identity * torch.stack(terms).sum()}

    def held_out_logits(self, batch: Batch, step: Step) -> Mapping[str, Tensor]:
        return self.duel("a").held_out_logits(batch, step) | self.duel("b").held_out_logits(batch, step)

    def translate(self, inputs: Batch, direction: str, z: Tensor | None = None) -> Tensor:
        """inputs {"a" or "b": [N, C, H, W]} -> image [N, C, H, W] in [-1, 1]; H and W are multiples of 8."""
        image: Tensor = self.G_ab(inputs["a"]) if direction == "a>b" else self.G_ba(inputs["b"])
        return image.clamp(-1, 1)


def _distance(image: Tensor, wanted: Tensor) -> Tensor:
    return F.l1_loss(image.float(), wanted.float())


_recipe = Family("cyclegan", "Zhu et al. 2017, arXiv:1703.10593")


def _train(images: int, **settings: Any) -> TrainConfig:
    # The term of the cycle holds G where D wins: the balance would not know that.
    steady = {"average_halflife": 2_000, "checkpoint_every": 5_000, "balance": "fixed", "rates": {"D_a": 2.0, "D_b": 2.0}}
    return cosine(0.02, images, 4, 3e-4, **steady | settings)


_TRAIN = _train(26_000)
_OWN = "your own pictures of two kinds, in two folders; no pairs are needed"

RECIPES = (
    _recipe("cyclegan-emoji", "emoji-shading", 15, "flat and shaded emoji, both ways, without pairs", Config(), _TRAIN),
    _recipe("cyclegan-styles", "emoji-styles", 15, "emoji of two hands, both ways, without pairs", Config(), _TRAIN),
    _recipe(
        "cyclegan-earth",
        "earth",
        15,
        "the earth by day and by night, without pairs",
        Config(),
        _TRAIN,
        flip=True,
        held_out=earth.HELD_OUT,
    ),
    _recipe("cyclegan-images", "", 15, _OWN, Config(), _TRAIN),
)
