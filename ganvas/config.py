"""Settings: frozen dataclasses, their JSON spelling, and the one-line error for a mistyped one."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

from ganvas.errors import UsageError
from ganvas.utils.settings import require_within

# ---- The settings of a recipe. ----


@dataclass(frozen=True, kw_only=True)
class Ramp:
    """A factor that moves from `start` to `end` as training progresses from 0 to 1."""

    start: float = 1.0
    end: float = 1.0
    shape: Literal["linear", "cosine"] = "linear"

    def at(self, progress: float) -> float:
        """The factor at `progress` in [0, 1]."""
        share = progress if self.shape == "linear" else (1 - math.cos(math.pi * progress)) / 2
        return self.start + (self.end - self.start) * share


@dataclass(frozen=True, kw_only=True)
class Adam:
    """The optimiser's moments. Source: arXiv:1412.6980; beta1 = 0.5 as in arXiv:1511.06434 sec. 4."""

    beta1: float = 0.5
    beta2: float = 0.999
    eps: float = 1e-8

    def __post_init__(self) -> None:
        require_within(self, "train.adam.beta1 train.adam.beta2", 0, below=1)
        require_within(self, "train.adam.eps", 0)


@dataclass(frozen=True, kw_only=True)
class TrainConfig:
    """How a game is optimised. What the model *is* (loss weights too) belongs to the game's own config."""

    images: int = 100_000  # samples of the data shown in the whole run
    batch: int = 64  # over all ranks together
    seed: int = 0
    learning_rate: float = 2e-4
    rates: Mapping[str, float] = field(default_factory=dict)  # player -> factor on the learning rate (two time scales)
    schedule: Ramp = Ramp()  # factor on the learning rate over the run
    adam: Adam = Adam()
    average_halflife: int = 10_000  # of the running averages, in images; 0 samples from the raw weights
    checkpoint_every: int = 20_000  # images
    eval_every: int = 0  # images between two measurements against held-out samples; 0: none
    snapshots: int = 36  # pictures of the same noise over the run, denser at first
    keep_all: bool = False  # a checkpoint with every picture, none deleted: `ganvas branch` can begin at any of them
    precision: Literal["auto", "float32", "bfloat16"] = "auto"
    diff_augment: tuple[Literal["color", "translation", "cutout"], ...] = ()  # of all that D sees, always
    balance: Literal["auto", "fixed", "rest", "off"] = "auto"  # steer the players; only watch; D rests above 80 %; neither

    def __post_init__(self) -> None:
        require_within(self, "train.images train.batch train.checkpoint_every train.snapshots", 1)
        require_within(self, "train.learning_rate train.average_halflife train.eval_every", 0)
        require_within(self, "train.seed", 0, 2**63 - 1)
        require_within(self.schedule, "train.schedule.start train.schedule.end", 0)
        for player, factor in self.rates.items():
            if factor < 0:
                raise UsageError(f"train.rates.{player}: expected at least 0, got {factor}")


@dataclass(frozen=True, kw_only=True)
class DataConfig:
    """Where batches come from. `source` is the name of a built-in source or a path; "" waits for the user's --data."""

    source: str
    split: Literal["train", "test"] = "train"
    fit: Literal["crop", "pad", "stretch"] = "crop"
    flip: bool = False  # mirror half of the images, at random
    channels: int | None = None  # 1 makes pictures grey, 3 coloured; None: as they are
    held_out: float = 0.05  # share of the training split kept from training, at most 1,000: to see what D memorizes

    def __post_init__(self) -> None:
        require_within(self, "data.held_out", 0, below=1)


@dataclass(frozen=True, kw_only=True)
class Recipe:
    """A named experiment: a game, its config, its data and how it is trained."""

    name: str
    game: str
    config: Any  # the game's own Config
    data: DataConfig
    train: TrainConfig
    paper: str
    minutes: float  # on the 2-core reference machine
    about: str = ""
