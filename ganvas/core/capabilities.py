"""Capabilities: what a game can do besides training. Its class declares them: it inherits from `Samples`, `Translates`, ...

Sheets, evaluation, the doctor and the studio ask for capabilities with `isinstance`, or of a class with `issubclass`. Only
what is declared counts: a method that happens to be called `sample` does not make a game one that samples.

A game either `Samples` from noise or `TakesInputs`: other data, from which it makes its output.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, ClassVar

from torch import Tensor

from ganvas.core.game import Batch, Step, Terms
from ganvas.errors import UsageError


def require_class(c: Tensor | None) -> Tensor:
    """c, the classes [N] of a conditional game.

    Raises:
        UsageError: c is None.
    """
    if c is None:
        raise UsageError("this game is conditional: it needs a class for each sample; give one, e.g. --label 7")
    return c


def require_pictures(game: object) -> None:
    """Raises: UsageError: the game generates text."""
    if isinstance(game, Writes):
        raise UsageError("this model generates text and this needs images; sample it, or interpolate it into a .txt")


class Samples(ABC):
    """A generator: turns noise z into data."""

    config: Any
    choosing: ClassVar[int] = 0  # the first numbers of z that choose, such as a group, and do not vary: never truncated

    @property
    def latent_dim(self) -> int:
        """The length of z."""
        return int(self.config.latent_dim)

    @abstractmethod
    def sample(self, z: Tensor, c: Tensor | None = None) -> Tensor:
        """z [N, latent_dim], c [N] class or None -> data [N, ...]; images in [-1, 1]."""


class Drafts(Samples):
    """Makes small pictures, drafts, from which a part that costs far more makes the samples. A search begins with drafts."""

    @abstractmethod
    def draft(self, z: Tensor, c: Tensor | None = None) -> Tensor:
        """z [N, latent_dim], c [N] class or None -> image [N, C, h, w] in [-1, 1]."""

    @abstractmethod
    def to_draft(self, x: Tensor) -> Tensor:
        """x [N, C, H, W] -> [N, C, h, w]: the means of the pixels that a pixel of a draft stands for."""


class Prepares(ABC):
    """Learns something of the data once, before the first step of a new run.

    A run that begins with a model, and a branch on other data, learn it again, from what the model knows.
    """

    @abstractmethod
    def prepare(self, data: Tensor) -> None:
        """Training samples [N, ...], as a batch has them; images in [-1, 1]."""


class Conditional(ABC):
    """Takes the class c as its second argument."""

    config: Any

    @property
    def classes(self) -> int:
        """The number of classes."""
        return int(self.config.classes)


class Couples(Conditional):
    """One z gives the same object in every class (a domain), e.g. an image and its edges. Source: CoGAN, arXiv:1606.07536."""


class Classifies(ABC):
    """A classifier: turns data into class logits, and into features for metrics."""

    @abstractmethod
    def classify(self, x: Tensor) -> Tensor:
        """x [N, ...] -> logits [N, classes]."""

    @abstractmethod
    def features(self, x: Tensor) -> Tensor:
        """x [N, ...] -> features [N, d]."""


class Judges(ABC):
    """Has one discriminator, which gives a logit for each sample."""

    @abstractmethod
    def judge(self, x: Tensor, c: Tensor | None = None) -> Tensor:
        """x [N, ...], c [N] class or None -> logits [N]; positive for real."""


class Watched(ABC):
    """Has one or more discriminators, which the balance watches by name."""

    together: bool = True  # whether they may get reals and fakes in one batch: not if one uses statistics of the batch

    @property
    def discriminators(self) -> tuple[str, ...]:
        """Their names; "" if there is only one."""
        return ("",)

    @abstractmethod
    def held_out_logits(self, batch: Batch, step: Step) -> Mapping[str, Tensor]:
        """A held-out batch -> for each discriminator its logits [N, ...] on the reals."""


class Encodes(ABC):
    """Has an encoder: turns data into the z that generates it."""

    @abstractmethod
    def encode(self, x: Tensor) -> Tensor:
        """x [N, ...] -> z [N, latent_dim]."""


class Bounds(ABC):
    """Computes the evidence lower bound (ELBO) of the likelihood of data, as a VAE does."""

    @property
    @abstractmethod
    def latent_dim(self) -> int:
        """The length of a code."""

    @abstractmethod
    def bound(self, x: Tensor, noise: Tensor, c: Tensor | None = None) -> Terms:
        """x [N, ...], standard normal noise [N, latent_dim], c [N] or None -> named terms [N] in nats; their sum is -ELBO."""


class Writes(Samples):
    """A language model: turns noise into lines of text, and computes the likelihood of a line."""

    @abstractmethod
    def write(self, z: Tensor, temperature: float = 1.0) -> Tensor:
        """z [N, latent_dim] -> int64 [N, L]; a temperature below 1 gives likelier symbols."""

    @abstractmethod
    def decode_text(self, text: Tensor) -> list[str]:
        """int64 [N, L] -> N lines."""

    @abstractmethod
    def nll(self, text: Tensor) -> Tensor:
        """int64 [N, L] -> -log p of each symbol given those before it [N, L], in nats; 0 after the end of the line."""


class Styled(Samples):
    """Has a mapping network z -> w and a synthesis network w -> data: truncation, style mixing and directions work in w."""

    @property
    @abstractmethod
    def styles(self) -> int:
        """The number of layers that take w."""

    @property
    @abstractmethod
    def w_mean(self) -> Tensor:
        """The mean of w [d]."""

    @abstractmethod
    def map(self, z: Tensor, c: Tensor | None = None) -> Tensor:
        """z [N, latent_dim], c [N] class or None -> w [N, d]."""

    @abstractmethod
    def synthesize(self, w: Tensor, noise: Sequence[Tensor] | None = None) -> Tensor:
        """w [N, d] for all layers or [N, styles, d] -> data [N, ...]; `noise` of each layer, None: a constant one."""

    @property
    @abstractmethod
    def layer_sides(self) -> tuple[int, ...]:
        """The side in pixels of the features of each layer, from the first; layer i takes style i."""

    @abstractmethod
    def synthesize_features(self, w: Tensor, noise: Sequence[Tensor] | None = None) -> Iterator[Tensor]:
        """w and `noise` as above -> in turn the features [N, K, side, side] after each layer.

        Each is computed when it is asked for: who needs those of the early layers stops there.
        """

    @abstractmethod
    def style_weights(self) -> tuple[Tensor, ...]:
        """For each layer the matrix [channels, d] that multiplies w: SeFa finds directions in it (arXiv:2007.06600)."""


class Projects(Samples):
    """The first layer multiplies z by a matrix: SeFa finds directions in it (arXiv:2007.06600)."""

    def projection(self) -> Tensor:
        """The matrix [features, latent_dim] that multiplies z.

        By default the weight of `G.first` without the last columns, which multiply the class.
        """
        weight: Tensor = self.G.first.weight[:, : self.latent_dim]  # type: ignore[attr-defined]
        return weight


class Grows(Samples):
    """Generates one z at several resolutions."""

    @property
    @abstractmethod
    def resolutions(self) -> tuple[int, ...]:
        """The resolutions in pixels, the smallest first."""

    @abstractmethod
    def sample_at(self, z: Tensor, resolution: int, c: Tensor | None = None) -> Tensor:
        """z [N, latent_dim], c [N] class or None -> image [N, C, H, W] of full size, generated at `resolution`."""


class TakesInputs(ABC):  # noqa: B024 - the subclasses have the abstract methods
    """Turns inputs from the data into outputs: base of `Translates`, `Animates`, `Inpaints` and `Upscales`.

    What is shown and measured of such a game are the outputs for the same held-out inputs (`inference/inputs.py`).
    """

    @property
    def noise_dim(self) -> int:
        """The length of the noise z beside the inputs; 0: the output depends on the inputs only."""
        return 0

    @property
    def multiple(self) -> int:
        """The height and width of an input are multiples of this number of pixels; whoever has another size pads it."""
        return 1

    @property
    def reach(self) -> int | None:
        """How many pixels of the input away from its own place an output pixel looks at most; None: at the whole input.

        A large picture can be translated in tiles that overlap by this much, and the result is that of the whole.
        """
        return None

    @property
    def keeps_grey(self) -> bool:
        """Whether the output for a grey input is to be grey too: an enlarged or a cleaned picture, but not a colored one."""
        return False


class Translates(TakesInputs):
    """Image-to-image translation: from one domain to another, or from a label map to an image."""

    takes: ClassVar[tuple[str, ...]]  # batch fields that `translate` reads, over all directions: ("a", "b")
    directions: ClassVar[tuple[str, ...]]  # ("a>b", "b>a"): from a field to a field

    @property
    def names(self) -> Mapping[str, str]:
        """What the user calls the fields of the directions: {"a": "day", "b": "night"}; {} if the data has no names.

        By default the names are `config.domains`, which `Facts.fill` sets, in the order in which the directions have the
        fields.
        """
        fields = dict.fromkeys(field for direction in self.directions for field in direction.split(">"))
        domains: tuple[str, ...] = getattr(getattr(self, "config", None), "domains", ())
        return dict(zip(fields, domains, strict=True)) if len(domains) == len(fields) else {}

    @abstractmethod
    def translate(self, inputs: Batch, direction: str, z: Tensor | None = None) -> Tensor:
        """inputs {field: [N, ...]}, one of `directions`, z [N, noise_dim] or None -> the target field [N, ...]."""


class Animates(TakesInputs):
    """Image animation: the object of an image moves as in a video. Source of the task: arXiv:2003.00196."""

    @abstractmethod
    def animate(self, source: Tensor, driving: Tensor, start: Tensor | None = None) -> Tensor:
        """source [N, C, H, W], driving frames [N, T, C, H, W] -> frames [N, T, C, H, W] that show the source.

        `start` [N, C, H, W] is a frame in which the driver has the pose of the source: the source then makes the motion from
        there to each driving frame. None: it takes the poses of the driving frames themselves.
        """

    @abstractmethod
    def find_pose(self, image: Tensor) -> Tensor:
        """image [N, C, H, W] -> the keypoints [N, K, 2]: x and y, from -1 to 1."""

    @abstractmethod
    def measure_motion(self, driving: Tensor, start: Tensor) -> Tensor:
        """The motions from `start` [N, C, H, W] to driving frames [N, T, C, H, W] -> [N, T], 1 for the largest of the training.

        What is above 1 is held back by `animate`.
        """


class Inpaints(TakesInputs):
    """Inpainting: fills the missing pixels of an image."""

    @abstractmethod
    def inpaint(self, image: Tensor, mask: Tensor, z: Tensor | None = None) -> Tensor:
        """image [N, C, H, W], mask [N, 1, H, W] with 1 at missing pixels, z [N, noise_dim] or None -> image.

        Where the mask is 0 the output is the input.
        """


class Upscales(TakesInputs):
    """Super-resolution: makes images larger."""

    @property
    @abstractmethod
    def scale(self) -> int:
        """The factor on each side."""

    @abstractmethod
    def upscale(self, low: Tensor, strength: float = 1.0) -> Tensor:
        """low [N, C, H, W] -> image [N, C, scale H, scale W].

        `strength` is from 0, only what the pixels say, to 1, with all details that the game makes up. A game that makes up
        none has one answer.
        """
