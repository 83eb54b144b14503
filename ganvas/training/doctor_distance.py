"""The distance of samples to reals, beside its floor: what the doctor measures before it says that all is well.

- images: a Fréchet distance, in features of the shipped network for digits, clothes or color pictures; of other grey pictures,
  in those of a random convolutional network;
- voxels: a Fréchet distance of the share of filled voxels in each of 4 x 4 x 4 cells;
- points: the sliced Wasserstein-1 distance;
- text: the Jensen-Shannon divergence of pairs of letters; of numbers, that of single ones.

The floor is the score of as many other reals, the mean of several sets. A third number gives the scale: the score of a trivial
model, which always makes one typical sample, or puts the letters of the data in random order, or repeats one line of numbers.
Random features compare better than their lack of training suggests: arXiv:2002.09797 sec. 4.2.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from functools import cache

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from ganvas.core.modality import POINTS, TEXT, VOXELS, modality_of
from ganvas.inference.feature_extractors import choose_shipped
from ganvas.metrics.frechet import frechet_from_moments, moments
from ganvas.metrics.ngrams import jensen_shannon, ngrams
from ganvas.metrics.sliced_wasserstein import wasserstein_1d
from ganvas.utils.tokens import decode_lines

SIDE = 32  # pixels at which random features are computed
CELLS = 4  # per edge of a solid
DIRECTIONS = 64  # of the sliced Wasserstein distance of points
UNUSUAL = 0.01  # share of reals that are so far from the training points
FIRST_SYMBOL = 0x4E00  # numbers without an alphabet become these characters


@dataclass(frozen=True)
class Distance:
    """A distance to reals. `trivial` is the score of a trivial model; `spread` the deviation of the floor's sets."""

    name: str  # with the number of samples and the features, as in docs/metrics.md: "fd500-digits"
    value: float
    floor: float
    trivial: float
    spread: float = 0.0
    model: str = "a trivial model"  # what `trivial` is the score of

    @property
    def share(self) -> float:
        """How far the samples are: 0 at the floor, 1 at the trivial model."""
        return max(0.0, self.value - self.floor - self.spread) / max(self.trivial - self.floor, 1e-12)

    def to_dict(self) -> dict[str, str | float]:
        """For --report: all fields, and the share."""
        return {**asdict(self), "share": self.share}

    def text(self) -> str:
        """The value beside its floor and its scale."""
        return f"{self.name} {self.value:.3g} (floor {self.floor:.3g}, {self.model} {self.trivial:.3g})"


def measure(
    fakes: Tensor, reals: Tensor, others: Sequence[Tensor], source: str, alphabet: str = "", plain: Tensor | None = None
) -> Distance:
    """The distance of fakes to reals, both as kept, [N, ...]; `others` are further sets of N reals, for the floor.

    `source` names the data, which decides the features; `alphabet` is that of text, "" if its symbols are numbers. `plain` are
    images of another trivial model than that of always one sample.
    """
    kind, n = modality_of(reals), len(reals)
    between: Callable[[Tensor, Tensor], float]
    if kind is POINTS:
        name, between, trivial = f"swd{n}-points", _sliced, _spread(reals)
    elif kind is TEXT:
        size = 2 if alphabet else 1
        name, between = f"{'bigrams' if alphabet else 'unigrams'}{n}", _divergence(alphabet, size)
        # To put symbols in random order does not change how often each occurs.
        trivial = between(_shuffle_symbols(reals) if alphabet else reals[:1].expand_as(reals), reals)
    else:
        features_name, features = find_features(source, reals)
        embedded = moments(features(reals))
        name, trivial = f"fd{n}-{features_name}", float(embedded[1].trace())

        def from_reals(a: Tensor, _: Tensor) -> float:
            return frechet_from_moments(*moments(features(a)), *embedded)

        between = from_reals
        trivial = trivial if plain is None else between(plain, reals)

    floors = torch.tensor([between(other, reals) for other in others], dtype=torch.float64)
    spread = float(floors.std()) if len(floors) > 1 else 0.0
    return Distance(name, between(fakes, reals), float(floors.mean()), trivial, spread)


def find_astray(fakes: Tensor, reals: Tensor, known: Tensor) -> float:
    """The share of points that are farther from the nearest known point than 99 % of other reals are; 0.01 for reals."""
    of_fakes, of_reals = (torch.cdist(x, known).min(1).values for x in (fakes, reals))
    return float((of_fakes > of_reals.quantile(1 - UNUSUAL)).float().mean())


def find_features(source: str, samples: Tensor) -> tuple[str, Callable[[Tensor], Tensor]]:
    """The name of the features of images or voxels, and the function to features [N, d] in float64."""
    if modality_of(samples) is VOXELS:
        return "cells", _fill_cells
    shipped = choose_shipped(source, samples.shape[1])
    return ("random", _random_features) if shipped is None else (shipped.name, shipped.features)


def _fill_cells(solids: Tensor) -> Tensor:
    """uint8 [N, C, D, H, W] -> the share of filled voxels in each cell [N, 64]."""
    return F.adaptive_avg_pool3d((solids > 127).float(), CELLS).flatten(1).double()


@cache
def _random_network(channels: int) -> nn.Sequential:
    """Three convolutions with random weights: images [N, C, 32, 32] -> [N, 128]."""
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        layers: list[nn.Module] = []
        for before, after in ((channels, 32), (32, 32), (32, 32)):
            layers += [nn.Conv2d(before, after, 3, 2, 1), nn.LeakyReLU(0.2)]
        network = nn.Sequential(*layers, nn.AdaptiveAvgPool2d(2), nn.Flatten())
        for module in network:
            if isinstance(module, nn.Conv2d):
                nn.init.kaiming_normal_(module.weight, 0.2)
    return network


@torch.no_grad()
def _random_features(images: Tensor) -> Tensor:
    """uint8 [N, C, H, W] -> [N, 128] float64; a few images at a time."""
    network, found = _random_network(images.shape[1]), []
    for part in images.split(100):
        x = part.float() / 127.5 - 1
        small = F.interpolate(x, size=(SIDE, SIDE), mode="bilinear", antialias=True, align_corners=False)
        found.append(network(small).double())
    return torch.cat(found)


def _directions(points: Tensor) -> Tensor:
    """Unit vectors [K, D]; in one dimension there is only one."""
    d = points.shape[1]
    random = torch.randn(DIRECTIONS if d > 1 else 1, d, generator=torch.Generator().manual_seed(0), dtype=torch.float64)
    return F.normalize(random)


def _sliced(a: Tensor, b: Tensor) -> float:
    """The sliced Wasserstein-1 distance of points a [N, D] and b [M, D]."""
    ways = _directions(a)
    each = [wasserstein_1d(x, y) for x, y in zip(ways @ a.double().T, ways @ b.double().T, strict=True)]
    return sum(each) / len(each)


def _spread(points: Tensor) -> float:
    """The sliced Wasserstein-1 distance of points to their mean."""
    centred = _directions(points) @ points.double().T
    return float((centred - centred.mean(1, keepdim=True)).abs().mean())


def _divergence(alphabet: str, n: int) -> Callable[[Tensor, Tensor], float]:
    """The Jensen-Shannon divergence of the n-grams of two texts."""

    def lines(text: Tensor) -> list[str]:
        if alphabet:
            return decode_lines(text, alphabet)
        return ["".join(chr(FIRST_SYMBOL + symbol) for symbol in row) for row in text.tolist()]

    return lambda a, b: jensen_shannon(ngrams(lines(a), n), ngrams(lines(b), n))


def _shuffle_symbols(text: Tensor) -> Tensor:
    """The lines of a text with all symbols in random order; each line keeps its length."""
    mixed, inside = text.clone(), text != 0
    symbols = text[inside]
    mixed[inside] = symbols[torch.randperm(len(symbols), generator=torch.Generator().manual_seed(0))]
    return mixed
