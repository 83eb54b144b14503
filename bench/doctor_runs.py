"""The runs of bench/doctor.py: some that go well, and some that are made to go wrong, each in its own way."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import torch

from ganvas.config import DataConfig
from ganvas.data.open import open_source

SHAPES = "shapes"  # the built-in voxel shapes
PICTURES = "PICTURES"  # stands for the colour pictures that --pictures names


@dataclass(frozen=True)
class Case:
    """A run: a recipe, its settings, its data if it is not the recipe's own, and the finding that is right ("": none)."""

    recipe: str
    settings: Mapping[str, str] = field(default_factory=dict)
    expected: str = ""
    wrong: str = ""  # what is wrong with it, in words
    data: str = ""  # a key of DATA, or PICTURES
    cured: str = ""  # the data that follows an advice to use other data


def _digits(count: int, seed: int = 0) -> tuple[torch.Tensor, torch.Tensor]:
    """Random training digits, uint8 [N, 28, 28], and their classes [N]."""
    source = open_source(DataConfig(source="mnist"))
    rows = torch.randperm(len(source), generator=torch.Generator().manual_seed(seed))[:count]
    return source.fields["real"][rows, 0], source.fields["label"][rows]


def _copies() -> dict[str, torch.Tensor]:
    """600 pictures that are copies of six."""
    return {"images": _digits(6)[0].repeat(100, 1, 1)}


def _few() -> dict[str, torch.Tensor]:
    images, labels = _digits(500)
    return {"images": images, "labels": labels}


def _shuffled() -> dict[str, torch.Tensor]:
    """Digits whose labels are in random order."""
    images, labels = _digits(12_000)
    return {"images": images, "labels": labels[torch.randperm(len(labels), generator=torch.Generator().manual_seed(1))]}


def _rare() -> dict[str, torch.Tensor]:
    """Digits of which all nines are copies of three."""
    images, labels = _digits(12_000)
    nines = (labels == 9).nonzero().flatten()
    images = images.clone()
    images[nines] = images[nines[torch.arange(len(nines)) % 3]]
    return {"images": images, "labels": labels}


def _dark() -> dict[str, torch.Tensor]:
    """Bytes of 0 to 12: pixels of four bits, for example, that were not converted."""
    return {"images": _digits(6_000)[0] // 20}


def _framed() -> dict[str, torch.Tensor]:
    """Digits in a frame of one grey level at the edge of each picture, and blocks of compression inside."""
    images = _digits(6_000)[0].clone()
    images[:, [0, -1]] = images[:, :, [0, -1]] = 200
    return {"images": images}


def _tinted(count: int = 12_000) -> dict[str, torch.Tensor]:
    """Digits of a random colour on a dark ground of another: uint8 [N, 28, 28, 3]."""
    images, labels = _digits(count)
    random = torch.Generator().manual_seed(2)
    front, back = 130 + 125 * torch.rand(count, 1, 1, 3, generator=random), 70 * torch.rand(count, 1, 1, 3, generator=random)
    share = images[..., None].float() / 255
    return {"images": (front * share + back * (1 - share)).round().to(torch.uint8), "labels": labels}


def _ink() -> dict[str, torch.Tensor]:
    """Digits in blue ink on paper that is a little lighter or darker: uint8 [N, 28, 28, 3]."""
    images, labels = _digits(20_000)
    light = 8 * torch.randn(len(images), 1, 1, 1, generator=torch.Generator().manual_seed(3))
    ink, paper = torch.tensor([40.0, 50.0, 150.0]), torch.tensor([235.0, 225.0, 200.0])
    share = images[..., None].float() / 255
    return {"images": (ink * share + (paper + light) * (1 - share)).clamp(0, 255).round().to(torch.uint8), "labels": labels}


DATA: Mapping[str, Callable[[], dict[str, torch.Tensor]]] = {
    "copies": _copies,
    "few": _few,
    "shuffled": _shuffled,
    "rare": _rare,
    "dark": _dark,
    "framed": _framed,
    "tinted": _tinted,
    "ink": _ink,
}


def make_data(name: str, folder: Path) -> Path:
    """The file of a made data set, written once."""
    path = folder / f"{name}.npz"
    if not path.exists():
        folder.mkdir(parents=True, exist_ok=True)
        arrays: dict[str, Any] = {key: tensor.numpy() for key, tensor in DATA[name]().items()}
        np.savez(path, **arrays)
    return path


_SMALL = {"config.width": "16", "config.critic_width": "16", "config.head": "128"}  # of cgan
_SHORT = {"train.images": "60000"}
_NO_PENALTY = {"config.rules.r1_gamma": "0", "config.rules.mismatch": "0"}
_SOLIDS = {"config.width": "4", "config.critic_width": "4", "config.head": "32", "train.images": "16000"}


def _points(images: int, **settings: str) -> dict[str, str]:
    return {"train.images": str(images), **settings}


HEALTHY = {
    "gaussians": Case("gan-gaussians", _points(1_000_000)),
    "moons": Case("gan-moons", _points(1_000_000)),
    "spiral": Case("gan-spiral", _points(2_000_000)),
    "normal1d": Case("gan-normal1d", _points(500_000)),
    "mixture1d": Case("gan-mixture1d", _points(1_000_000)),
    "line": Case("gan-line", _points(1_000_000)),
    "ring": Case("gan-ring", _points(4_000_000)),
    "digits-by-class": Case("cgan-mnist", _SMALL),
    "clothes-by-class": Case("cgan-fashion", _SMALL),
    "digits": Case("dcgan-mnist-paired", {"config.width": "16", "train.images": "200000"}),
    "no-penalty": Case("cgan-mnist", {**_SMALL, **_NO_PENALTY, "train.balance": "fixed"}),
    "long-average": Case("cgan-mnist", {**_SMALL, **_SHORT, "train.average_halflife": "3000000"}),
    "vae": Case("vae-mnist", {"train.images": "200000"}),
    "fast-discriminator": Case(
        "cgan-mnist",
        {**_SMALL, "config.max_width": "64", "train.balance": "fixed", "train.rates.D": "4", "train.images": "30000"},
    ),
    "ink-by-class": Case("cgan-mnist", {**_SMALL, **_SHORT}, data="ink"),
    "words": Case("textgan-words", {}),
    "names": Case("textgan-names", {}),
    "words-by-likelihood": Case("textlm-words", {}),
    "names-by-likelihood": Case("textlm-names", {}),
    "words-without-penalty": Case(
        "textgan-words",
        {
            "config.pretrain": "0",
            "config.anchor": "0",
            "config.rules.r1_gamma": "0",
            "config.rules.r2_gamma": "0",
            "config.rules.objective": "minimax",
            "train.learning_rate": "4e-3",
            "train.rates.D": "4",
            "train.images": "40000",
        },
    ),
    "vae-by-class": Case("vae-mnist-conditional", {"train.images": "200000"}),
    "solids": Case(
        "voxel-shapes",
        {"config.width": "8", "config.critic_width": "8", "config.head": "64", "train.images": "100000"},
    ),
}

_PLAIN = {"config.coins": "false", "config.frequencies": "0", "config.rules.r1_gamma": "0", "config.rules.r2_gamma": "0"}

BAD = {
    "ring-stray": Case(
        "gan-ring",
        {"config.coins": "false", "config.frequencies": "0", **_points(1_000_000)},
        "stray samples",
        "no signs, no Fourier features",
    ),
    "ring-collapsed": Case(
        "gan-ring",
        {**_PLAIN, **_points(500_000), "train.rates.G": "4", "train.balance": "fixed"},
        "generator collapsed",
        "no penalty, no signs",
    ),
    "moons-early": Case("gan-moons", _points(10_240), "too early to tell", "stopped after 40 steps"),
    "spiral-short": Case("gan-spiral", _points(100_000), "trained too little", "a twentieth of the points"),
    "moons-fast": Case("gan-moons", _points(200_000, **{"train.learning_rate": "5"}), "learning rate too high", "a rate of 5"),
    "moons-batch": Case(
        "gan-moons", _points(1_000_000, **{"train.batch": "8192"}), "batch too large", "123 steps with batches of 8,192 points"
    ),
    "gaussians-slow": Case(
        "gan-gaussians",
        _points(400_000, **{"train.learning_rate": "1e-6"}),
        "learning rate too low",
        "a rate of 1e-6",
    ),
    "moons-dead": Case(
        "gan-moons", _points(200_000, **{"train.rates.D": "0"}), "discriminator does not learn", "the rate of D is 0"
    ),
    "line-nan": Case("gan-line", _points(400_000, **{"train.learning_rate": "1e30"}), "non-finite values", "a rate of 1e30"),
    "minimax": Case(
        "gan-mnist",
        {
            "config.rules.objective": "minimax",
            "train.balance": "fixed",
            "train.rates.D": "4",
            "train.rates.G": "0.03",
            "train.images": "60000",
        },
        "vanishing gradient",
        "the minimax loss, a slow generator",
    ),
    "strong": Case(
        "cgan-mnist",
        {**_SMALL, "config.max_width": "64", "train.balance": "fixed", "train.rates.D": "10", "train.images": "40000"},
        "learning rate too high",
        "D learns 10 times as fast",
    ),
    "weak": Case(
        "cgan-mnist",
        {**_SMALL, "config.critic_width": "1", "config.head": "2", "config.rules.mismatch": "0", **_SHORT},
        "discriminator too weak",
        "D has one channel",
    ),
    "shuffled": Case("cgan-mnist", {**_SMALL, **_SHORT}, "labels do not fit", "labels in random order", "shuffled", "mnist"),
    "copies": Case("dcgan-mnist", {"train.images": "20000"}, "too little data", "600 copies of 6 pictures", "copies", "mnist"),
    "few": Case(
        "cgan-mnist",
        {**_SMALL, "train.images": "50000", "train.balance": "fixed"},
        "too little data",
        "500 pictures, no augmentation",
        "few",
    ),
    "dark": Case("dcgan-mnist", {"train.images": "20000"}, "wrong pixel range", "pixels of 0 to 12 of 255", "dark", "mnist"),
    "rare": Case("cgan-mnist", {**_SMALL, **_SHORT}, "one class collapsed", "all nines are copies of three", "rare", "mnist"),
    "short": Case("cgan-mnist", {**_SMALL, "train.images": "16000"}, "trained too little", "a fifth of the images"),
    "perceptrons-short": Case("gan-mnist-decoder", {"train.images": "200000"}, "trained too little", "a third of the images"),
    "perceptrons": Case("gan-mnist", {"train.images": "300000"}, "far from the data", "half of the images, without a penalty"),
    "dcgan-short": Case("dcgan-fashion", _SHORT, "trained too little", "a third of the images"),
    "saturated": Case(
        "gan-mnist",
        {"train.rates.G": "100", "train.images": "60000", "train.balance": "fixed"},
        "saturated values",
        "the rate of G times 100",
    ),
    "penalized": Case(
        "gan-mnist",
        {"config.rules.r1_gamma": "1000", "train.images": "60000"},
        "discriminator does not learn",
        "R1 of 1,000",
    ),
    "repeating": Case(
        "textgan-words",
        {
            "config.pretrain": "0",
            "config.anchor": "0",
            "config.rules.r1_gamma": "0",
            "config.rules.r2_gamma": "0",
            "config.rules.objective": "minimax",
            "train.learning_rate": "1",
            "train.images": "10000",
        },
        "generator collapsed",
        "no penalty, a rate of 1",
    ),
    "letters-slow": Case("textgan-names", {"train.learning_rate": "1e-6"}, "learning rate too low", "a rate of 1e-6"),
    "emoji-strong": Case(
        "dcgan-images",
        {"config.resolution": "32", "config.width": "16", "train.images": "80000", "train.balance": "fixed"},
        "discriminator overpowers",
        "1,396 pictures, no control of the balance",
        PICTURES,
    ),
    "tinted": Case("cgan-mnist", {**_SMALL, **_SHORT}, "far from the data", "the colors do not vary as in the data", "tinted"),
    "framed": Case(
        "dcgan-mnist", {"train.images": "20000"}, "real/fake leak", "a frame around each picture", "framed", "mnist"
    ),
    "hollow": Case(
        "gan-mnist-decoder",
        {"config.width": "64", "config.critic_width": "64", "train.images": "40000"},
        "empty solids",
        "perceptrons for solids",
        SHAPES,
    ),
}
CASES: Mapping[str, Case] = {**HEALTHY, **BAD}
