"""A GAN is a game: networks grouped into players, who take turns.

A turn names the player that learns, the loss it learns from, and how often. A VAE or a classifier is a one-player
game. The engine plays every game; it knows turns and nothing else.

What a game can do besides training is declared by its class: it inherits from `Samples`, `Conditional`, `Translates` and so
on. Only what is declared counts: an attribute that happens to be called `sample` makes no game one that samples.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from typing import Any, ClassVar

from torch import Tensor

from ganvas.core.game import Batch, Step, Terms
from ganvas.errors import UsageError


def require_class(c: Tensor | None) -> Tensor:
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
    def held_out_logits(self, batch: Batch, step: Step) -> Mapping[str, Tensor]:
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
    def decode_text(self, text: Tensor) -> list[str]:
        """int64 [N, L] -> N lines."""

    @abstractmethod
    def nll(self, text: Tensor) -> Tensor:
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
    def synthesize(self, w: Tensor, noise: Sequence[Tensor] | None = None) -> Tensor:
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
