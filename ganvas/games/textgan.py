"""TextGAN: an LSTM generator of text against a convolutional discriminator, trained with straight-through Gumbel-softmax.

A letter is an argmax, which has no gradient. Forward, the generator samples one-hots from its distribution with Gumbel noise;
backward, the gradient is that of a softmax whose temperature falls during the run. First the generator is trained by
maximum likelihood alone (pretraining); then the weight of the likelihood falls, and the discriminator takes over.
Sources: SeqGAN, arXiv:1609.05473 (the game, pretraining, the oracle experiment); arXiv:1611.04051 (Gumbel-softmax in GANs of
sequences); RelGAN, Nie et al. 2019 (relativistic loss, annealed temperature).

Differs: an LSTM instead of RelGAN's relational memory; one convolutional discriminator instead of RelGAN's 64 embeddings or
SeqGAN's rewards from roll-outs; R1 and R2 on one-hots; the weight of the likelihood falls to `anchor` instead of 0, which
prevents mode collapse.
"""

from __future__ import annotations

import string
from dataclasses import dataclass, replace

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from ganvas.config import Adam
from ganvas.core.game import Batch, Step, Terms, Turn
from ganvas.core.host_number import HostNumber
from ganvas.games.common.adversarial_game import AdversarialGame
from ganvas.games.common.duel import Duel
from ganvas.games.common.family import Family, cosine
from ganvas.games.common.language import LSTMTextGame, TextConfig, make_lstm
from ganvas.games.common.rules import Rules
from ganvas.utils.settings import require_within


@dataclass(frozen=True, kw_only=True)
class Config(TextConfig):
    """An LSTM of `width` units against a discriminator of `depth` convolutions of `critic_width` channels."""

    critic_width: int = 64
    depth: int = 2
    head: int = 128  # width of the fully connected hidden layer of D
    pretrain: float = 0.5  # share of the run with maximum likelihood only
    anchor: float = 0.2  # weight of the likelihood at the end of the run, added to the loss against D
    sharpness: float = 2.0  # the temperature of the softmax falls from 1 to the inverse of this
    dropout: float = 0.0  # of the generator, in the likelihood term
    rules: Rules = Rules(objective="relativistic", r1_gamma=0.002, r2_gamma=0.002, penalty_every=4)

    def __post_init__(self) -> None:
        super().__post_init__()
        require_within(self, "config.critic_width config.depth config.head config.sharpness", 1)
        require_within(self, "config.pretrain config.dropout", 0, below=1)
        require_within(self, "config.anchor", 0)


class Discriminator(nn.Module):
    """one-hots [N, L, V] -> logits [N]."""

    def __init__(self, config: Config) -> None:
        super().__init__()
        self.embed = nn.Linear(config.vocabulary, config.embedding, bias=False)
        nn.init.normal_(self.embed.weight)  # of one-hots, as nn.Embedding begins
        layers: list[nn.Module] = []
        for i in range(config.depth):
            before = config.critic_width if i else config.embedding
            layers += [nn.Conv1d(before, config.critic_width, 3, 1, 1), nn.LeakyReLU(0.2)]
        layers += [nn.Flatten(), nn.Linear(config.critic_width * config.length, config.head), nn.LeakyReLU(0.2)]
        self.body = nn.Sequential(*layers)
        # A constant on all logits does not change a relativistic loss.
        self.head = nn.Linear(config.head, 1, bias=not config.rules.scoring.g_sees_reals)

    def forward(self, x: Tensor) -> Tensor:
        logits: Tensor = self.head(self.body(self.embed(x).transpose(1, 2))).squeeze(1)
        return logits


class TextGAN(LSTMTextGame, AdversarialGame):
    """A generator of lines of text, and a discriminator."""

    config_type = Config
    needs = ("text",)
    played: Tensor

    def __init__(self, config: Config) -> None:
        super().__init__(config, make_lstm(config), Discriminator(config))
        self.register_buffer("played", torch.zeros(()))  # progress of the adversarial part of the run; below 0: pretraining
        self.at = HostNumber()  # the same as a Python number: the turns depend on it

    def advance(self, step: Step) -> None:
        """Set the progress of the adversarial part of the run."""
        self.at.write(self.played, (step.progress - self.config.pretrain) / (1 - self.config.pretrain))

    def turns(self) -> tuple[Turn, ...]:
        if self.at.read(self.played) < 0:
            return (Turn("likelihood", "G", self.likelihood),)
        return super().turns()

    def duel(self) -> Duel:
        return replace(super().duel(), real=self.one_hot_real, g_extra=(self.anchor,))

    def one_hot_real(self, batch: Batch, step: Step) -> Tensor:
        """The lines of the batch as one-hots [N, L, V], the input of D."""
        return step.compute_once("real", lambda: self.one_hot(batch["text"]))

    def anchor(self, batch: Batch, step: Step) -> Terms:
        """The likelihood term, whose weight falls during the run."""
        weight = 1 + (self.config.anchor - 1) * self.at.read(self.played)
        if not weight:
            return {}
        return {name: weight * term for name, term in self.likelihood(batch, step).items()}

    def make_fakes(self, batch: Batch, step: Step) -> Tensor:
        """One-hots [N, L, V], one line for each line of the batch."""
        chances = step.uniform(*batch["text"].shape, self.config.vocabulary).clamp(min=1e-20)
        return self.G.sample_gumbel(-torch.log((-torch.log(chances)).clamp(min=1e-20)), self.softness())

    def softness(self) -> float:
        """The temperature of the softmax, computed in float32 on the CPU, so that nothing waits for the device."""
        return float(self.config.sharpness ** -torch.tensor(self.at.read(self.played)))

    def one_hot(self, text: Tensor) -> Tensor:
        """int64 [N, L] -> one-hots [N, L, V]."""
        return F.one_hot(text, self.config.vocabulary).float()

    def judge(self, x: Tensor, c: Tensor | None = None) -> Tensor:
        """one-hots [N, L, V], or text int64 [N, L] -> logits [N]."""
        logits: Tensor = self.D(x if x.is_floating_point() else self.one_hot(x))
        return logits


_recipe = Family("textgan", "Yu et al. 2017, arXiv:1609.05473")
_ADAM = Adam(beta1=0.5, beta2=0.99)
_TRAIN = cosine(0.05, 160_000, 64, 1e-3, adam=_ADAM, average_halflife=10_000, checkpoint_every=100_000, precision="float32")
_WORDS = Config(length=9, vocabulary=27, alphabet=string.ascii_lowercase, dropout=0.2)
# G as in arXiv:1609.05473 sec. 4.1. An adversarial step costs as much as six pretraining steps: most of the run is pretraining.
_ORACLE = Config(length=20, vocabulary=5000, alphabet="", embedding=32, width=32, head=64, pretrain=0.8)

_LONG = replace(_TRAIN, images=320_000, learning_rate=1e-2, checkpoint_every=64_000)
_ABOUT = "sequences of a random network, which is then the judge of the fakes: the synthetic-oracle experiment"

RECIPES = (
    _recipe("textgan-names", "names", 2, "given names, letter by letter, with a discriminator", Config(dropout=0.2), _TRAIN),
    _recipe("textgan-words", "words", 2, "words that look English, letter by letter, with a discriminator", _WORDS, _TRAIN),
    _recipe("textgan-oracle", "oracle", 15, _ABOUT, _ORACLE, _LONG),
)
