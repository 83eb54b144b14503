"""Settings of a recipe: frozen dataclasses for data, training and optimizer. Reading and writing: utils/settings.py."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

from ganvas.errors import UsageError
from ganvas.utils.settings import require_within

MOST = 2**53  # of a number of images: up to here a float holds every whole number, and schedules compute with floats


@dataclass(frozen=True, kw_only=True)
class Ramp:
    """A factor that changes from `start` to `end` during the run: a learning-rate schedule."""

    start: float = 1.0
    end: float = 1.0
    shape: Literal["linear", "cosine"] = "linear"

    def at(self, progress: float) -> float:
        """The factor at `progress` in [0, 1]."""
        share = progress if self.shape == "linear" else (1 - math.cos(math.pi * progress)) / 2
        return self.start + (self.end - self.start) * share


@dataclass(frozen=True, kw_only=True)
class Adam:
    """Settings of the Adam optimizer. Source: arXiv:1412.6980; beta1 = 0.5 as in arXiv:1511.06434 sec. 4."""

    beta1: float = 0.5
    beta2: float = 0.999
    eps: float = 1e-8

    def __post_init__(self) -> None:
        require_within(self, "train.adam.beta1 train.adam.beta2", 0, below=1)
        require_within(self, "train.adam.eps", 0)


@dataclass(frozen=True, kw_only=True)
class TrainConfig:
    """How a game is trained. What the model is, with its loss weights, belongs to the config of the game."""

    images: int = 100_000  # training samples in the whole run, each epoch counted
    batch: int = 64  # samples of all ranks together
    seed: int = 0
    learning_rate: float = 2e-4
    rates: Mapping[str, float] = field(default_factory=dict)  # player -> factor on the learning rate (TTUR, arXiv:1706.08500)
    schedule: Ramp = Ramp()  # factor on the learning rate over the run
    warmup: int = 0  # images at the start, over which the learning rate rises to that of the schedule
    adam: Adam = Adam()
    average_halflife: int = 10_000  # half-life of the EMA of the weights, in images; 0: no EMA
    checkpoint_every: int = 20_000  # images
    eval_every: int = 0  # images between two measurements against held-out samples; 0: none
    snapshots: int = 36  # snapshots during the run, more often at the start
    keep_all: bool = False  # a checkpoint with every snapshot, none deleted: `ganvas branch` can start from any of them
    precision: Literal["auto", "float32", "bfloat16"] = "auto"
    diff_augment: tuple[Literal["color", "translation", "cutout"], ...] = ()  # DiffAugment on every input of D
    balance: Literal["auto", "fixed", "rest", "off"] = "auto"  # control; measure only; D rests above 80 % accuracy; neither

    def __post_init__(self) -> None:
        require_within(self, "train.images train.checkpoint_every train.snapshots", 1, MOST)
        require_within(self, "train.average_halflife train.eval_every train.warmup", 0, MOST)
        require_within(self, "train.batch", 1, 2**24)
        require_within(self, "train.learning_rate", 0)
        require_within(self, "train.seed", 0, 2**63 - 1)
        require_within(self.schedule, "train.schedule.start train.schedule.end", 0)
        for player, factor in self.rates.items():
            if factor < 0:
                raise UsageError(f"train.rates.{player}: expected at least 0, got {factor}")

    def rate_of(self, player: str, progress: float) -> float:
        """The learning rate of a player at `progress` in [0, 1] of the run."""
        begun = min(1.0, (progress * self.images + self.batch) / self.warmup) if self.warmup else 1.0
        return self.learning_rate * self.rates.get(player, 1.0) * self.schedule.at(progress) * begun


@dataclass(frozen=True, kw_only=True)
class DataConfig:
    """The training data. `source` is the name of a built-in source or a path; "" if the user must give --data."""

    source: str
    split: Literal["train", "test"] = "train"
    fit: Literal["crop", "pad", "stretch"] = "crop"
    flip: bool = False  # mirror half of the images, chosen at random
    channels: int | None = None  # 1 converts images to grey, 3 to color; None: as they are
    white: float | None = None  # the number in a picture that is white; 0 is black; None: by the range of all (data/levels.py)
    center: tuple[float, ...] = ()  # of points: subtracted for the networks; () leaves points as they are (data/units.py)
    scale: tuple[float, ...] = ()  # and what they are divided by
    # Of games that take inputs from the data:
    pair: str = ""  # how one picture becomes a pair: "sketch", "bicubic-2", "side-by-side", ...; "": the data has pairs
    swap: bool = False  # the second picture of a pair, or the second domain, is the first
    tile: int = 0  # side in pixels of a stored sample, into which photographs are cut; 0: the resolution of the game
    crop: int = 0  # side in pixels of a random square of it, another one each time; 0: all of it
    held_out: float = 0.05  # share of the training split that is not trained on, at most 1,000: to measure overfitting of D

    def __post_init__(self) -> None:
        require_within(self, "data.held_out", 0, below=1)
        require_within(self, "data.tile data.crop", 0, 2**14)
        if len(self.center) != len(self.scale) or not all(0 < scale < math.inf for scale in self.scale):
            raise UsageError("data.scale: expected a number above 0 for each of data.center; leave both out")
        if self.white is not None and not 0 < self.white < math.inf:
            raise UsageError(f"data.white: expected a number above 0, got {self.white:g}; use the number that is white")


@dataclass(frozen=True, kw_only=True)
class Recipe:
    """A named experiment: a game, its config, its data and its training settings."""

    name: str
    game: str
    config: Any  # an instance of the game's `config_type`
    data: DataConfig
    train: TrainConfig
    paper: str
    minutes: float  # training time on the reference machine with 2 cores
    about: str = ""
