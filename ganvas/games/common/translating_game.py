"""PairGame: the base class of games that learn from pairs, an input and the image that belongs to it. One G and one D.

D sees the input beside the image, as further channels: whatever changes the one (augmentation, noise, the path of a gradient
penalty) changes the other alike. So D judges whether the image fits its input, not only whether it looks real.
Source: arXiv:1611.07004 sec. 3.1 (a conditional GAN whose D sees the input), arXiv:1411.1784.
"""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Mapping
from typing import Any, ClassVar

import torch
from torch import Tensor, nn

from ganvas.core.capabilities import Translates, Watched
from ganvas.core.game import Batch, Game, Step, Turn
from ganvas.games.common.duel import Duel
from ganvas.layers.patch_discriminator import PatchDiscriminator


class PairGame(Game, Watched, Translates):
    """G: an input -> an image, against D: both -> logits of patches. A subclass defines the networks, and makes the image."""

    players: ClassVar[dict[str, tuple[str, ...]]] = {"D": ("D",), "G": ("G",)}
    averaged: ClassVar[tuple[str, ...]] = ("G",)
    kept_apart: ClassVar[tuple[str, ...]] = ("D",)

    def __init__(self, config: Any, G: nn.Module, D: PatchDiscriminator) -> None:
        super().__init__()
        self.config = config
        self.G: Any = G
        self.D: Any = D

    @abstractmethod
    def read_input(self, batch: Batch) -> Tensor:
        """What D sees beside the image, [N, K, H, W]."""

    @abstractmethod
    def make_image(self, batch: Batch, step: Step) -> Tensor:
        """The image of G for each input of the batch, [N, C, H, W]."""

    def find_image(self, batch: Batch, step: Step) -> Tensor:
        """The image of G for each input of this batch, made once, with its gradient: for the losses of G."""
        return self.duel().make_fake(batch, step)[:, -self.config.channels :]

    def join(self, batch: Batch, image: Tensor) -> Tensor:
        """The input of D: [N, K + C, H, W]."""
        return torch.cat([self.read_input(batch), image], 1)

    def duel(self) -> Duel:
        """D against G."""
        return Duel(
            self.config.rules,
            lambda batch, step: self.join(batch, self.make_image(batch, step)),
            lambda x, _: self.D(x),
            self.D,
            self.together,
            real=lambda batch, _: self.join(batch, batch["real"]),
            features=lambda x, _: self.D.features(x),
        )

    def turns(self) -> tuple[Turn, ...]:
        return self.duel().turns()

    def held_out_logits(self, batch: Batch, step: Step) -> Mapping[str, Tensor]:
        return self.duel().held_out_logits(batch, step)
