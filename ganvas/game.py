"""A GAN is a game: networks grouped into players, who take turns.

A turn names the player that learns, the loss it learns from, and how often. A VAE or a classifier is a one-player
game. The engine plays every game; it knows turns and nothing else.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any, ClassVar, Protocol, runtime_checkable

import torch
from torch import Tensor, nn

from ganvas.errors import UsageError

Batch = dict[str, Tensor]  # keys and ranges as in fields.py
Terms = dict[str, Tensor]  # named scalars, already weighted; their sum is minimised


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
    events: list[str] = field(default_factory=list)  # what a person should be told
    view: Callable[[Tensor, Step], Tensor] | None = None  # what becomes of data on its way to a critic

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

    def shown(self, x: Tensor) -> Tensor:
        """x [N, ...] as a critic is to see it: augmented or noisy where the balance of the game asks for it."""
        return x if self.view is None else self.view(x, self)

    def shared(self, name: str, make: Callable[[], Tensor]) -> Tensor:
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
    every: int = 1  # lazy regularisation: each k-th step, its loss scaled by k
    project: Callable[[], None] | None = None  # applied to the weights after the move: weight clipping
    steerable: bool = True  # whether the balance may hold this move back
    watch: Callable[[Batch, Step], object] | None = None  # what the player does instead when it rests


class Game(nn.Module, ABC):
    """A set of networks and the turns they take. One subclass, one file, one system."""

    config_type: ClassVar[type]  # frozen dataclass: what the model is
    needs: ClassVar[tuple[str, ...]]  # batch fields, e.g. ("real", "label")
    players: ClassVar[dict[str, tuple[str, ...]]]  # player -> attribute names of its networks
    averaged: ClassVar[tuple[str, ...]] = ()  # networks sampled from as running averages

    config: Any

    @abstractmethod
    def turns(self) -> tuple[Turn, ...]:
        """The moves of one step, in order. Called every step: it may depend on `advance`."""

    def advance(self, step: Step) -> None:
        """Set the buffers that change with progress: growth level, temperature."""

    def trained_by(self, player: str) -> list[nn.Parameter]:
        """The weights that `player` moves."""
        return [p for name in self.players[player] for p in getattr(self, name).parameters() if p.requires_grad]


def asked_for(c: Tensor | None) -> Tensor:
    """The class that a conditional game was asked for.

    Raises:
        UsageError: none was given.
    """
    if c is None:
        raise UsageError("this game is conditional: it needs a class for each sample; give one, e.g. --label 7")
    return c


def require_pictures(game: object) -> None:
    """Raises: UsageError: the game draws text."""
    if isinstance(game, Writes):
        raise UsageError("this model writes text and this needs pictures; sample it, or interpolate it into a .txt")


@runtime_checkable
class Samples(Protocol):
    """Turns noise into data."""

    @property
    def latent_dim(self) -> int: ...

    def sample(self, z: Tensor, c: Tensor | None = None) -> Tensor:
        """z [N, latent_dim], c [N] class or None -> data [N, ...]; images in [-1, 1]."""


@runtime_checkable
class Conditional(Protocol):
    """Takes a class as its second argument."""

    @property
    def classes(self) -> int: ...


@runtime_checkable
class Couples(Conditional, Protocol):
    """One noise is one thing in every class: a picture and its edges."""

    @property
    def coupled(self) -> bool: ...


@runtime_checkable
class Classifies(Protocol):
    """Turns data into class logits, and into features for metrics."""

    def classify(self, x: Tensor) -> Tensor:
        """x [N, ...] -> logits [N, classes]."""

    def features(self, x: Tensor) -> Tensor:
        """x [N, ...] -> features [N, d]."""


@runtime_checkable
class Judges(Protocol):
    """Has a critic that scores data."""

    def judge(self, x: Tensor, c: Tensor | None = None) -> Tensor:
        """x [N, ...], c [N] class or None -> one logit each [N]: positive for real."""


@runtime_checkable
class Encodes(Protocol):
    """Turns data back into the noise that draws it."""

    def encode(self, x: Tensor) -> Tensor:
        """x [N, ...] -> z [N, latent_dim]."""


@runtime_checkable
class Bounds(Protocol):
    """Bounds the likelihood of data from below."""

    @property
    def latent_dim(self) -> int: ...

    def bound(self, x: Tensor, noise: Tensor, c: Tensor | None = None) -> Terms:
        """x [N, ...], standard normal noise [N, latent_dim], c [N] or None -> named parts [N] in nats; their sum is -ELBO."""


@runtime_checkable
class Writes(Protocol):
    """Turns noise into lines of text, and knows how likely a line is."""

    def write(self, z: Tensor, temperature: float = 1.0) -> Tensor:
        """z [N, latent_dim] -> int64 [N, L]; below temperature 1 more of what is likely."""

    def spell(self, text: Tensor) -> list[str]:
        """int64 [N, L] -> N lines."""

    def surprise(self, text: Tensor) -> Tensor:
        """int64 [N, L] -> -log p of each symbol given those before it [N, L], in nats; 0 after the end."""


@runtime_checkable
class Styled(Protocol):
    """Turns noise into a style w first, and draws from w: truncation, style mixing and directions work there."""

    @property
    def latent_dim(self) -> int: ...

    @property
    def styles(self) -> int:
        """How many layers take a style."""

    @property
    def w_mean(self) -> Tensor:
        """The mean style [d]."""

    def map(self, z: Tensor, c: Tensor | None = None) -> Tensor:
        """z [N, latent_dim], c [N] class or None -> w [N, d]."""

    def synthesise(self, w: Tensor, noise: Sequence[Tensor] | None = None) -> Tensor:
        """w [N, d] for all layers or [N, styles, d] -> data [N, ...]; the noise of each layer, None: a fixed one."""

    def style_weights(self) -> tuple[Tensor, ...]:
        """For each layer the matrix [channels, d] that w is multiplied by: its strongest directions change it most."""


@runtime_checkable
class Projects(Protocol):
    """Multiplies its noise by a matrix first: directions can be read off it."""

    @property
    def latent_dim(self) -> int: ...

    def projection(self) -> Tensor:
        """The matrix [features, latent_dim] that z is multiplied by first: its strongest directions change it most."""


@runtime_checkable
class Fades(Protocol):
    """Shows its critic reals with the detail of its present size only."""

    def faded(self, image: Tensor) -> Tensor:
        """image [N, C, H, W] -> the same size."""


@runtime_checkable
class Grows(Protocol):
    """Draws one latent at several resolutions."""

    @property
    def resolutions(self) -> tuple[int, ...]:
        """From the smallest."""

    def sample_at(self, z: Tensor, resolution: int, c: Tensor | None = None) -> Tensor:
        """z [N, latent_dim], c [N] class or None -> image [N, C, H, W] of full size, with the detail of `resolution`."""
