"""The classifier: the discriminative model, P(class | features), as a game of one player.

It learns the boundary between classes and nothing of what lies inside them: it can judge a digit, not draw one. Its
penultimate layer is the feature space in which generated pictures are measured.

Source: cross-entropy on a small VGG-like network (arXiv:1409.1556) with BatchNorm (arXiv:1502.03167); reals are shifted
by up to two pixels.
"""

from __future__ import annotations

import itertools
from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from ganvas.config import Adam, DataConfig, Ramp, Recipe, TrainConfig, within
from ganvas.errors import UsageError
from ganvas.game import Batch, Game, Step, Terms, Turn


@dataclass(frozen=True, kw_only=True)
class Config:
    """`widths` are the channels of the three stages, each at half the side of the one before."""

    resolution: int = 28
    channels: int = 1
    classes: int = 10
    widths: tuple[int, ...] = (16, 32, 64)
    features: int = 64
    dropout: float = 0.3
    shift: int = 2  # pixels, at random, while training

    def __post_init__(self) -> None:
        within(self, "config.resolution", 4)
        within(self, "config.channels config.classes config.features", 1)
        within(self, "config.dropout", 0, 1)
        within(self, "config.shift", 0, self.resolution)
        if min(self.widths, default=0) < 1:
            raise UsageError(f"config.widths: expected numbers of at least 1, got {list(self.widths)}")


def _stage(before: int, after: int, pool: bool) -> list[nn.Module]:
    layers: list[nn.Module] = []
    for inputs in (before, after):
        layers += [nn.Conv2d(inputs, after, 3, padding=1, bias=False), nn.BatchNorm2d(after), nn.ReLU(inplace=True)]
    return [*layers, nn.MaxPool2d(2)] if pool else layers


class Network(nn.Module):
    """image [N, C, H, W] in [-1, 1] -> features [N, features]."""

    def __init__(self, config: Config) -> None:
        super().__init__()
        widths = (config.channels, *config.widths)
        stages = [layer for before, after in itertools.pairwise(widths) for layer in _stage(before, after, after != widths[-1])]
        self.body = nn.Sequential(*stages, nn.AdaptiveAvgPool2d(3), nn.Flatten())
        self.features = nn.Linear(widths[-1] * 9, config.features)

    def forward(self, x: Tensor) -> Tensor:
        features: Tensor = self.features(self.body(x))
        return features


class Classifier(Game):
    """One player C, who names the class of what it is shown."""

    config_type = Config
    needs = ("real", "label")
    players = {"C": ("net", "head")}  # noqa: RUF012
    averaged = ("net", "head")

    def __init__(self, config: Config) -> None:
        super().__init__()
        self.config = config
        self.net = Network(config)
        self.head = nn.Linear(config.features, config.classes)

    @property
    def classes(self) -> int:
        return int(self.config.classes)

    def turns(self) -> tuple[Turn, ...]:
        return (Turn("classify", "C", self.loss),)

    def loss(self, batch: Batch, step: Step) -> Terms:
        features = F.dropout(F.relu(self.net(self.shifted(batch["real"], step))), self.config.dropout)
        logits = self.head(features).float()
        step.notes["accuracy"] = (logits.argmax(1) == batch["label"]).float().mean()
        return {"C": F.cross_entropy(logits, batch["label"])}

    def shifted(self, images: Tensor, step: Step) -> Tensor:
        """The images [N, C, H, W], each moved by up to `shift` pixels; what comes in from outside is black."""
        reach, n = self.config.shift, len(images)
        if reach == 0:
            return images
        padded = F.pad(images, [reach] * 4, value=-1.0)
        windows = padded.unfold(2, images.shape[2], 1).unfold(3, images.shape[3], 1)  # [N, C, 2s+1, 2s+1, H, W]
        rows, columns = (step.uniform(n, 2) * (2 * reach + 1)).long().unbind(1)
        return windows[torch.arange(n, device=images.device), :, rows, columns]

    def classify(self, x: Tensor) -> Tensor:
        """image [N, C, H, W] in [-1, 1] -> logits [N, classes]."""
        logits: Tensor = self.head(F.relu(self.net(x)))
        return logits

    def features(self, x: Tensor) -> Tensor:
        """image [N, C, H, W] in [-1, 1] -> features [N, d]."""
        return F.relu(self.net(x))


def _recipe(source: str, about: str, config: Config, images: int, minutes: float) -> Recipe:
    return Recipe(
        name=f"classifier-{source}",
        game="classifier",
        config=config,
        data=DataConfig(source=source),
        train=TrainConfig(
            images=images,
            batch=128,
            learning_rate=4e-3,
            schedule=Ramp(end=0.01, shape="cosine"),
            adam=Adam(beta1=0.9, beta2=0.99),
            average_halflife=10_000,
            checkpoint_every=60_000,
        ),
        paper="Simonyan & Zisserman 2015, arXiv:1409.1556",
        minutes=minutes,
        about=about,
    )


RECIPES = (
    _recipe("mnist", "names the digit; the discriminative model", Config(), 360_000, 5),
    _recipe("fashion", "names the garment", Config(shift=1), 360_000, 5),
)
