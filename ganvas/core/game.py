"""The contract: a game is networks grouped into players, who take turns."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, ClassVar

import torch
from torch import Tensor, nn

from ganvas.core.memory import Memory
from ganvas.core.modality import Batch as Batch  # re-exported: each game file needs it

Terms = dict[str, Tensor]  # named scalars, already weighted; their sum is minimised


Loss = Callable[["Batch", "Step"], "Terms"]


View = Callable[[Tensor, "Step", str], Tensor]  # (x [N, ...], step, name of the discriminator) -> what it is given


def sum_losses(*losses: Loss) -> Loss:
    """Several losses as one: their terms side by side.

    Raises:
        ValueError: two of them have a term of one name.
    """

    def loss(batch: Batch, step: Step) -> Terms:
        terms: Terms = {}
        for part in losses:
            found = part(batch, step)
            if both := sorted(terms.keys() & found.keys()):
                raise ValueError(f"losses to be summed need terms of different names; several have {', '.join(both)}")
            terms |= found
        return terms

    return loss


@dataclass
class Step:
    """Where training stands, and what the turns of this one step share.

    `rank` of `ranks` processes hold equal shares of the batch; noise is drawn for the whole batch and cut, so that it
    depends on the seed, the step and the sample, never on the rank.
    """

    index: int = 0
    items_seen: int = 0
    total_items: int = 1
    rank: int = 0
    ranks: int = 1
    device: torch.device = field(default_factory=lambda: torch.device("cpu"))
    scratch: dict[str, Tensor] = field(default_factory=dict)  # lives until the next batch is drawn
    notes: dict[str, Tensor] = field(default_factory=dict)  # observations for the log: not minimised
    values: dict[str, float] = field(default_factory=dict)  # terms and notes as numbers, once the step is over
    lazy: dict[str, int] = field(default_factory=dict)  # lazy terms: the k they are multiplied by; the log divides by it
    events: list[str] = field(default_factory=list)  # messages for the user
    view: View | None = None  # augmentation and noise on data before a discriminator sees it
    held_out: dict[str, Tensor] = field(default_factory=dict)  # discriminator -> its logits on samples never trained on
    move: int | None = None  # earlier moves of the turn that is played; None: one in each step

    def is_due(self, every: int) -> bool:
        """Whether a lazy term is part of this move: it is of each `every`-th move of this turn's player."""
        return (self.index if self.move is None else self.move) % every == 0

    @property
    def progress(self) -> float:
        """From 0 at the start to 1 at the end of the run."""
        return min(1.0, self.items_seen / max(1, self.total_items))

    def normal(self, n: int, *shape: int) -> Tensor:
        """This rank's `n` rows of standard normal noise [n, *shape] for the whole batch."""
        whole = torch.randn(n * self.ranks, *shape, device=self.device)
        return whole[self.rank * n : (self.rank + 1) * n]

    def uniform(self, n: int, *shape: int) -> Tensor:
        """This rank's `n` rows of uniform noise [n, *shape] in [0, 1) for the whole batch."""
        whole = torch.rand(n * self.ranks, *shape, device=self.device)
        return whole[self.rank * n : (self.rank + 1) * n]

    def augment(self, x: Tensor, name: str = "") -> Tensor:
        """x [N, ...] as the discriminator `name` gets it: augmented or noisy where recipe or balance ask for it."""
        return x if self.view is None else self.view(x, self, name)

    def compute_once(self, name: str, make: Callable[[], Tensor]) -> Tensor:
        """The tensor `name` of this batch, made by the first turn that asks for it."""
        if name not in self.scratch:
            self.scratch[name] = make()
        return self.scratch[name]


@dataclass(frozen=True)
class Turn:
    """One move of the game: who learns, from which loss, how often."""

    name: str
    trains: str  # a key of Game.players
    loss: Callable[[Batch, Step], Terms]
    repeat: int = 1  # n_critic: moves per step, each on a fresh batch
    project: Callable[[], None] | None = None  # applied to the weights after the move: weight clipping
    steerable: bool = True  # whether the balance may hold this move back
    watch: Callable[[Batch, Step], object] | None = None  # what the player does instead when it rests
    discriminators: tuple[str, ...] = ()  # names of those that this turn trains; "" where a game has only one


class Game(nn.Module, ABC):
    """A set of networks and the turns they take. One subclass, one file, one system."""

    config_type: ClassVar[type]  # frozen dataclass: what the model is
    needs: ClassVar[tuple[str, ...]]  # batch fields, e.g. ("real", "label")
    players: ClassVar[dict[str, tuple[str, ...]]]  # player -> attribute names of its networks
    averaged: ClassVar[tuple[str, ...]] = ()  # networks sampled from as running averages
    # Buffers of the game itself that are means over a batch: each rank's share gives another value, so ranks average them.
    batch_means: ClassVar[tuple[str, ...]] = ()

    config: Any

    def memories(self) -> Mapping[str, Memory]:
        """What only training remembers, by name: pools of old fakes. In checkpoints, never in the model file."""
        return {}

    @abstractmethod
    def turns(self) -> tuple[Turn, ...]:
        """The moves of one step, in order. Called every step: it may depend on `advance`."""

    def advance(self, step: Step) -> None:
        """Set the buffers that change with progress: growth level, temperature."""

    def player_parameters(self, player: str) -> list[nn.Parameter]:
        """The weights that `player` moves."""
        return [p for name in self.players[player] for p in getattr(self, name).parameters() if p.requires_grad]
