"""The contract of a game: its networks are grouped into players, and players take turns.

A turn names the player that learns, the loss it learns from, and how often. A VAE or a classifier is a game with one player.
The engine plays every game; it knows turns and nothing else.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, ClassVar

import torch
from torch import Tensor, nn

from ganvas.core.memory import Memory
from ganvas.core.modality import Batch as Batch  # also exported from here: part of the contract

Terms = dict[str, Tensor]  # named scalars, already weighted; their sum is minimized
Loss = Callable[["Batch", "Step"], "Terms"]
View = Callable[[Tensor, "Step", str], Tensor]  # (x [N, ...], step, name of D) -> the input of D


def sum_losses(*losses: Loss) -> Loss:
    """One loss with the terms of several.

    Raises:
        ValueError: two of them have a term with the same name.
    """

    def loss(batch: Batch, step: Step) -> Terms:
        return merge_terms(*(part(batch, step) for part in losses))

    return loss


def merge_terms(*parts: Terms) -> Terms:
    """All terms together: a plain `|` would let one of them replace another of the same name.

    Raises:
        ValueError: two of them have the same name.
    """
    terms: Terms = {}
    for found in parts:
        if both := sorted(terms.keys() & found.keys()):
            raise ValueError(f"losses to be summed need terms of different names; several have {', '.join(both)}")
        terms |= found
    return terms


@dataclass
class Step:
    """The state of one training step: progress, rank, and the tensors that its turns share.

    Each of `ranks` processes has an equal share of the batch. Noise is drawn for the whole batch and cut, so that it depends
    on the seed, the step and the sample, never on the rank.
    """

    index: int = 0
    items_seen: int = 0
    total_items: int = 1
    rank: int = 0
    ranks: int = 1
    device: torch.device = field(default_factory=lambda: torch.device("cpu"))
    scratch: dict[str, Tensor] = field(default_factory=dict)  # tensors that turns share; cleared with each new batch
    notes: dict[str, Tensor] = field(default_factory=dict)  # measured values for the log: not minimized
    values: dict[str, float] = field(default_factory=dict)  # terms and notes as numbers, at the end of the step
    lazy: dict[str, int] = field(default_factory=dict)  # lazy terms: the k they are multiplied by; the log divides by it
    events: list[str] = field(default_factory=list)  # messages for the user
    view: View | None = None  # augmentation and noise on every input of a discriminator
    held_out: dict[str, Tensor] = field(default_factory=dict)  # discriminator -> its logits on held-out samples
    move: int | None = None  # number of earlier moves of this turn; None: one in each step

    def is_due(self, every: int) -> bool:
        """Whether this move has the lazy term: each `every`-th move of this turn has it (lazy regularization)."""
        return (self.index if self.move is None else self.move) % every == 0

    @property
    def progress(self) -> float:
        """From 0 at the start to 1 at the end of the run."""
        return min(1.0, self.items_seen / max(1, self.total_items))

    def normal(self, n: int, *shape: int) -> Tensor:
        """Standard normal noise [n, *shape]: the rows of this rank, cut from noise for the whole batch."""
        whole = torch.randn(n * self.ranks, *shape, device=self.device)
        return whole[self.rank * n : (self.rank + 1) * n]

    def uniform(self, n: int, *shape: int) -> Tensor:
        """Uniform noise [n, *shape] in [0, 1): the rows of this rank, cut from noise for the whole batch."""
        whole = torch.rand(n * self.ranks, *shape, device=self.device)
        return whole[self.rank * n : (self.rank + 1) * n]

    def augment(self, x: Tensor, name: str = "") -> Tensor:
        """x [N, ...] as the discriminator `name` gets it: with the augmentation and noise of the recipe and the balance."""
        return x if self.view is None else self.view(x, self, name)

    def compute_once(self, name: str, make: Callable[[], Tensor]) -> Tensor:
        """The tensor `name` of this batch: `make` is called once, and later turns get the same tensor."""
        if name not in self.scratch:
            self.scratch[name] = make()
        return self.scratch[name]


@dataclass(frozen=True)
class Turn:
    """One turn of a step: which player learns, from which loss, and how often."""

    name: str
    trains: str  # a key of Game.players
    loss: Callable[[Batch, Step], Terms]
    repeat: int = 1  # n_critic: moves per step, each on a new batch
    project: Callable[[], None] | None = None  # applied to the weights after the move: weight clipping
    steerable: bool = True  # whether the balance may hold this move back
    watch: Callable[[Batch, Step], object] | None = None  # called instead of a move when the player rests
    discriminators: tuple[str, ...] = ()  # names of the discriminators that this turn trains; "" if a game has only one


class Game(nn.Module, ABC):
    """Networks, and the turns in which they are trained. Each system is one subclass in one file."""

    config_type: ClassVar[type]  # frozen dataclass: what the model is
    needs: ClassVar[tuple[str, ...]]  # batch fields, e.g. ("real", "label")
    players: ClassVar[dict[str, tuple[str, ...]]]  # player -> attribute names of its networks
    averaged: ClassVar[tuple[str, ...]] = ()  # networks of which the engine keeps an EMA; samples come from it
    # Networks that only training and judging need, such as D: they are kept in a file of their own, beside the bundle.
    kept_apart: ClassVar[tuple[str, ...]] = ()
    # Buffers of the game that are means over a batch: each rank gets another value from its share, so ranks average them.
    batch_means: ClassVar[tuple[str, ...]] = ()

    config: Any
    beginning: str = ""  # told to the user of a new run: what the networks begin with, if not with random weights

    def memories(self) -> Mapping[str, Memory]:
        """State that only training needs, by name: pools of older fakes. It is in checkpoints, never in the model file."""
        return {}

    @abstractmethod
    def turns(self) -> tuple[Turn, ...]:
        """The turns of one step, in order. Called in every step: they may depend on `advance`."""

    def advance(self, step: Step) -> None:
        """Set the buffers that change with progress: growth level, temperature."""

    def player_parameters(self, player: str) -> list[nn.Parameter]:
        """The weights that the optimizer of `player` updates."""
        return [p for name in self.players[player] for p in getattr(self, name).parameters() if p.requires_grad]
