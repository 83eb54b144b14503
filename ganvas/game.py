"""A GAN is a game: networks grouped into players, who take turns.

A turn names the player that learns, the loss it learns from, and how often. A VAE or a classifier is a one-player
game. The engine plays every game; it knows turns and nothing else.

What a game can do besides training is declared by its class: it inherits from `Samples`, `Conditional`, `Translates` and so
on. Only what is declared counts: an attribute that happens to be called `sample` makes no game one that samples.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, ClassVar

import torch
from torch import Tensor, nn

from ganvas.core.memory import Memory
from ganvas.errors import UsageError

Batch = dict[str, Tensor]  # keys and ranges as in fields.py
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

    def due(self, every: int) -> bool:
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

    def shown(self, x: Tensor, name: str = "") -> Tensor:
        """x [N, ...] as the discriminator `name` gets it: augmented or noisy where recipe or balance ask for it."""
        return x if self.view is None else self.view(x, self, name)

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


class Samples(ABC):
    """Turns noise into data."""

    config: Any

    @property
    def latent_dim(self) -> int:
        """How many normal numbers a sample is made from."""
        return int(self.config.latent_dim)

    @abstractmethod
    def sample(self, z: Tensor, c: Tensor | None = None) -> Tensor:
        """z [N, latent_dim], c [N] class or None -> data [N, ...]; images in [-1, 1]."""


class Conditional(ABC):
    """Takes a class as its second argument."""

    config: Any

    @property
    def classes(self) -> int:
        """How many classes there are."""
        return int(self.config.classes)


class Couples(Conditional):
    """One noise is one thing in every class: a picture and its edges."""


class Classifies(ABC):
    """Turns data into class logits, and into features for metrics."""

    @abstractmethod
    def classify(self, x: Tensor) -> Tensor:
        """x [N, ...] -> logits [N, classes]."""

    @abstractmethod
    def features(self, x: Tensor) -> Tensor:
        """x [N, ...] -> features [N, d]."""


class Judges(ABC):
    """Has one discriminator that scores data."""

    @abstractmethod
    def judge(self, x: Tensor, c: Tensor | None = None) -> Tensor:
        """x [N, ...], c [N] class or None -> one logit each [N]: positive for real."""


class Watched(ABC):
    """Has discriminators that the balance watches, each by its name."""

    @property
    def discriminators(self) -> tuple[str, ...]:
        """Their names; "" for the only one of a game."""
        return ("",)

    @abstractmethod
    def verdicts(self, batch: Batch, step: Step) -> Mapping[str, Tensor]:
        """Data that were never trained on -> for each discriminator its logits [N, ...] on their reals."""


class Encodes(ABC):
    """Turns data back into the noise that draws it."""

    @abstractmethod
    def encode(self, x: Tensor) -> Tensor:
        """x [N, ...] -> z [N, latent_dim]."""


class Bounds(ABC):
    """Bounds the likelihood of data from below."""

    @property
    @abstractmethod
    def latent_dim(self) -> int:
        """How many normal numbers a code has."""

    @abstractmethod
    def bound(self, x: Tensor, noise: Tensor, c: Tensor | None = None) -> Terms:
        """x [N, ...], standard normal noise [N, latent_dim], c [N] or None -> named parts [N] in nats; their sum is -ELBO."""


class Writes(Samples):
    """Turns noise into lines of text, and knows how likely a line is."""

    @abstractmethod
    def write(self, z: Tensor, temperature: float = 1.0) -> Tensor:
        """z [N, latent_dim] -> int64 [N, L]; below temperature 1 more of what is likely."""

    @abstractmethod
    def spell(self, text: Tensor) -> list[str]:
        """int64 [N, L] -> N lines."""

    @abstractmethod
    def surprise(self, text: Tensor) -> Tensor:
        """int64 [N, L] -> -log p of each symbol given those before it [N, L], in nats; 0 after the end."""


class Styled(Samples):
    """Turns noise into a style w first, and draws from w: truncation, style mixing and directions work there."""

    @property
    @abstractmethod
    def styles(self) -> int:
        """How many layers take a style."""

    @property
    @abstractmethod
    def w_mean(self) -> Tensor:
        """The mean style [d]."""

    @abstractmethod
    def map(self, z: Tensor, c: Tensor | None = None) -> Tensor:
        """z [N, latent_dim], c [N] class or None -> w [N, d]."""

    @abstractmethod
    def synthesise(self, w: Tensor, noise: Sequence[Tensor] | None = None) -> Tensor:
        """w [N, d] for all layers or [N, styles, d] -> data [N, ...]; the noise of each layer, None: a fixed one."""

    @abstractmethod
    def style_weights(self) -> tuple[Tensor, ...]:
        """For each layer the matrix [channels, d] that w is multiplied by: its strongest directions change it most."""


class Projects(Samples):
    """Multiplies its noise by a matrix first: directions can be read off it."""

    def projection(self) -> Tensor:
        """The matrix [features, latent_dim] that z is multiplied by first: its strongest directions change it most.

        By default that of the layer `G.first`, of which a class beside z has the last columns.
        """
        weight: Tensor = self.G.first.weight[:, : self.latent_dim]  # type: ignore[attr-defined]
        return weight


class Grows(Samples):
    """Draws one latent at several resolutions."""

    @property
    @abstractmethod
    def resolutions(self) -> tuple[int, ...]:
        """From the smallest."""

    @abstractmethod
    def sample_at(self, z: Tensor, resolution: int, c: Tensor | None = None) -> Tensor:
        """z [N, latent_dim], c [N] class or None -> image [N, C, H, W] of full size, with the detail of `resolution`."""


class Translates(ABC):
    """Turns data into other data: another domain, a label map into a picture."""

    takes: ClassVar[tuple[str, ...]]  # batch fields that `translate` reads, over all directions: ("a", "b")
    directions: ClassVar[tuple[str, ...]]  # ("a>b", "b>a"): from a field to a field

    @abstractmethod
    def translate(self, inputs: Batch, direction: str, z: Tensor | None = None) -> Tensor:
        """inputs {field: [N, ...]}, one of `directions`, noise [N, d] where it takes some -> the target field [N, ...]."""


class Animates(ABC):
    """Moves a picture as a video moves."""

    @abstractmethod
    def animate(self, source: Tensor, driving: Tensor) -> Tensor:
        """source [N, C, H, W], driving frames [N, T, C, H, W] -> frames [N, T, C, H, W] that show the source."""


class Inpaints(ABC):
    """Fills holes in pictures."""

    @abstractmethod
    def inpaint(self, image: Tensor, mask: Tensor, z: Tensor | None = None) -> Tensor:
        """image [N, C, H, W], mask [N, 1, H, W] 1 in the hole, noise [N, d] or None -> image; unchanged outside the hole."""


class Upscales(ABC):
    """Makes pictures larger."""

    @property
    @abstractmethod
    def scale(self) -> int:
        """The factor on each side."""

    @abstractmethod
    def upscale(self, low: Tensor) -> Tensor:
        """low [N, C, H, W] -> image [N, C, scale H, scale W]."""
