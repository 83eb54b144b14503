"""A classifier: a discriminative model, P(class | x), as a game with one player.

It learns the boundaries between classes and cannot generate. Its penultimate layer is the feature space in which generated
samples are measured.

Source: cross-entropy on a small VGG-like network (arXiv:1409.1556) with BatchNorm (arXiv:1502.03167); training images are
shifted by up to two pixels.
"""

from __future__ import annotations

import itertools
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any, ClassVar

import torch.nn.functional as F
from torch import Tensor, nn

from ganvas.config import Adam
from ganvas.core.capabilities import Classifies
from ganvas.core.facts import Facts
from ganvas.core.game import Batch, Game, Step, Terms, Turn
from ganvas.core.modality import IMAGES, POINTS, VOXELS
from ganvas.errors import UsageError
from ganvas.games.common.family import Family, cosine
from ganvas.layers.adaptive_pool import AveragePool3d
from ganvas.layers.dropout import dropout_mask
from ganvas.layers.pixel_shuffle3d import shift_volume
from ganvas.utils.settings import require_within


@dataclass(frozen=True, kw_only=True)
class Config:
    """`widths` are the channels of the stages; each stage has half the resolution of the one before."""

    takes: ClassVar = (POINTS, IMAGES, VOXELS)
    dims: int = 2  # spatial dimensions: 2 for images, 3 for voxels; 0: a perceptron for points with `channels` coordinates
    resolution: int = 28
    channels: int = 1
    classes: int = 10
    widths: tuple[int, ...] = (16, 32, 64)
    features: int = 64
    dropout: float = 0.3
    shift: int = 2  # maximum random shift of training samples, in pixels

    def __post_init__(self) -> None:
        require_within(self, "config.resolution", 4)
        if self.dims not in (0, *_LAYERS) or (self.dims == 0 and self.shift):
            raise UsageError(f"config.dims: expected 0 (without shift), 2 or 3, got {self.dims} with shift={self.shift}")
        require_within(self, "config.channels config.classes config.features", 1)
        require_within(self, "config.dropout", 0, 1)
        require_within(self, "config.shift", 0, self.resolution)
        if min(self.widths, default=0) < 1:
            raise UsageError(f"config.widths: expected numbers of at least 1, got {list(self.widths)}")

    def adapt(self, facts: Facts) -> Config:
        """The settings for points, images or voxels; points are not shifted."""
        if facts.modality is POINTS:
            return facts.fill(self, dims=0, shift=0, channels=facts.shape[0])
        return facts.fill(self, dims=facts.modality.space)


# By the number of spatial dimensions: convolution, normalization, pooling, and pooling to a fixed size.
_LAYERS: Mapping[int, Any] = {
    2: (nn.Conv2d, nn.BatchNorm2d, nn.MaxPool2d, nn.AdaptiveAvgPool2d),
    3: (nn.Conv3d, nn.BatchNorm3d, nn.MaxPool3d, AveragePool3d),
}


def _stage(dims: int, before: int, after: int, pool: bool) -> list[nn.Module]:
    convolution, norm, halve, _ = _LAYERS[dims]
    layers: list[nn.Module] = []
    for inputs in (before, after):
        layers += [convolution(inputs, after, 3, padding=1, bias=False), norm(after), nn.ReLU(inplace=True)]
    return [*layers, halve(2)] if pool else layers


class Network(nn.Module):
    """image [N, C, H, W], solid [N, C, D, H, W] in [-1, 1] or point [N, C] -> features [N, features]."""

    def __init__(self, config: Config) -> None:
        super().__init__()
        widths = (config.channels, *config.widths)
        pairs = itertools.pairwise(widths)
        if config.dims == 0:
            self.body = nn.Sequential(*(part for a, b in pairs for part in (nn.Linear(a, b), nn.ReLU(inplace=True))))
            self.features = nn.Linear(widths[-1], config.features)
            return
        stages = [layer for before, after in pairs for layer in _stage(config.dims, before, after, after != widths[-1])]
        self.body = nn.Sequential(*stages, _LAYERS[config.dims][3](3), nn.Flatten())
        self.features = nn.Linear(widths[-1] * 3**config.dims, config.features)

    def forward(self, x: Tensor) -> Tensor:
        features: Tensor = self.features(self.body(x))
        return features


class Classifier(Game, Classifies):
    """One player C, which predicts the class of a sample."""

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
        features = F.relu(self.net(self.shift_randomly(batch["real"], step)))
        kept = dropout_mask(self.config.dropout, step.uniform, *features.shape)
        logits = self.head(features if kept is None else features * kept).float()
        step.notes["accuracy"] = (logits.argmax(1) == batch["label"]).float().mean()
        return {"C": F.cross_entropy(logits, batch["label"])}

    def shift_randomly(self, images: Tensor, step: Step) -> Tensor:
        """The samples [N, C, ...], each shifted at random by up to `shift` pixels; new pixels are black, new voxels empty."""
        reach = self.config.shift
        if reach == 0:
            return images
        places = (step.uniform(len(images), images.ndim - 2) * (2 * reach + 1)).long()
        return shift_volume(images, reach, places)

    def classify(self, x: Tensor) -> Tensor:
        """image [N, C, H, W] in [-1, 1] -> logits [N, classes]."""
        logits: Tensor = self.head(F.relu(self.net(x)))
        return logits

    def features(self, x: Tensor) -> Tensor:
        """image [N, C, H, W] in [-1, 1] -> features [N, d]."""
        return F.relu(self.net(x))


_recipe = Family("classifier", "Simonyan & Zisserman 2015, arXiv:1409.1556")
_TRAIN = cosine(0.01, 360_000, 128, 4e-3, adam=Adam(beta1=0.9, beta2=0.99), average_halflife=10_000, checkpoint_every=60_000)
_SOLIDS = Config(dims=3, resolution=32, classes=4, widths=(8, 16, 32), features=32)
_SHORT = replace(_TRAIN, images=9_600)

RECIPES = (
    _recipe("classifier-mnist", "mnist", 5, "names the digit; the discriminative model", Config(), _TRAIN),
    _recipe("classifier-fashion", "fashion", 5, "names the garment", Config(shift=1), _TRAIN),
    _recipe("classifier-shapes", "shapes", 2, "names the solid: chair, table, lamp or plane", _SOLIDS, _SHORT),
)
