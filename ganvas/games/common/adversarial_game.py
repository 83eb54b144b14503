"""AdversarialGame: the base class of games with one generator G and one discriminator D."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar

from torch import Tensor, nn

from ganvas.core.capabilities import Conditional, Judges, Samples, Watched, require_class
from ganvas.core.game import Batch, Game, Step, Turn
from ganvas.games.common.duel import Duel
from ganvas.games.common.rules import Rules


class AdversarialGame(Game, Samples, Judges, Watched):
    """G against D under `config.rules`. A subclass defines the networks, and overrides what differs.

    G takes z [N, latent_dim], and D takes x [N, ...] -> logits [N]. In a game that is `Conditional` both also take the class
    c [N], or shares of classes [N, classes].
    """

    needs: ClassVar[tuple[str, ...]] = ("real",)
    players: ClassVar[dict[str, tuple[str, ...]]] = {"D": ("D",), "G": ("G",)}
    averaged: ClassVar[tuple[str, ...]] = ("G",)
    kept_apart: ClassVar[tuple[str, ...]] = ("D",)

    def __init__(self, config: Any, G: nn.Module, D: nn.Module) -> None:
        super().__init__()
        self.config = config
        self.G: Any = G
        self.D: Any = D

    @property
    def rules(self) -> Rules:
        """The objective and the penalties of this step."""
        rules: Rules = self.config.rules
        return rules

    def duel(self) -> Duel:
        """D against G."""
        classes = self.classes if isinstance(self, Conditional) else 0
        return Duel(self.rules, self.make_fakes, self.judge, self.D, self.together, classes, condition=self.condition)

    def turns(self) -> tuple[Turn, ...]:
        return self.duel().turns()

    def held_out_logits(self, batch: Batch, step: Step) -> Mapping[str, Tensor]:
        return self.duel().held_out_logits(batch, step)

    def condition(self, batch: Batch, step: Step) -> Tensor | None:
        """The class [N] of each sample, in a conditional game."""
        return batch["label"] if isinstance(self, Conditional) else None

    def make_fakes(self, batch: Batch, step: Step) -> Tensor:
        """One fake for each sample of the batch, of the same class if the game is conditional."""
        z = step.normal(len(batch[self.needs[0]]), self.latent_dim)
        return self.sample(z, self.condition(batch, step))

    def arguments(self, c: Tensor | None) -> tuple[Tensor, ...]:
        """The arguments of G and D after the first one. Raises: UsageError: the game is conditional, and c is None."""
        return (require_class(c),) if isinstance(self, Conditional) else ()

    def sample(self, z: Tensor, c: Tensor | None = None) -> Tensor:
        """z [N, latent_dim], c [N] class or [N, classes] shares if the game is conditional -> data [N, ...]."""
        x: Tensor = self.G(z, *self.arguments(c))
        return x

    def judge(self, x: Tensor, c: Tensor | None = None) -> Tensor:
        """x [N, ...], c [N] if the game is conditional -> logits [N]."""
        logits: Tensor = self.D(x, *self.arguments(c))
        return logits
