"""What a setting of a recipe means, in one line: the comment beside its field in the source of the dataclass."""

from __future__ import annotations

import dataclasses
import functools
import inspect
import re
from collections.abc import Iterable
from typing import Any

from ganvas.config import Adam, DataConfig, Ramp, TrainConfig
from ganvas.games import GAMES

FIELD = re.compile(r"^    (\w+): [^#\n]+?(?:  # (.+))?$", re.MULTILINE)
PLAIN = {  # fields whose names say enough in the source, and not on a page
    "train.seed": "the number that the first weights and the order of the data follow from",
    "train.learning_rate": "how far one step of the optimizer moves the weights",
    "train.adam.beta1": "how much of the gradients before stays in the mean: the momentum",
    "train.adam.beta2": "how much of the squared gradients before stays in the mean",
    "train.adam.eps": "added to the divisor, so that it is never zero",
    "train.schedule.start": "factor on the learning rate at the start",
    "train.schedule.end": "factor on the learning rate at the end",
    "train.schedule.shape": "how the factor gets from start to end",
    "train.rates.D": "factor on the learning rate of D",
    "train.rates.D_a": "factor on the learning rate of the D of the first domain",
    "train.rates.D_b": "factor on the learning rate of the D of the second domain",
    "train.rates.G": "factor on the learning rate of G",
    "train.precision": "of the numbers in the networks; auto: bfloat16 where it is faster",
    "data.fit": "how a picture becomes square: its middle, all of it on black, or stretched",
    "data.split": "which part of the data is trained on",
    "config.resolution": "pixels on each side of a picture; the data decide it, unless it is set",
    "config.channels": "1: grey, 3: color; the data decide it",
    "config.classes": "how many classes there are; the data decide it",
    "config.latent_dim": "how many numbers of noise one sample is made from",
    "config.width": "channels, or neurons, of the widest layer: more of them learn more and take longer",
    "config.depth": "hidden layers",
    "config.critic_width": "the width of D",
    "config.max_width": "no layer is wider than this",
    "config.convolutional": "whether the networks are convolutional",
    "config.shape": "the numbers of one sample; the data decide it",
    "config.noise": "whether each layer gets noise of its own, for details that the style leaves open",
    "config.rules.objective": "how the losses of D and G follow from what D says",
    "config.rules.r1_gamma": "weight of R1: how much D pays for steep slopes at the data",
    "config.rules.r2_gamma": "weight of R2: how much D pays for steep slopes at the fakes",
    "config.rules.gradient_penalty": "weight of the penalty on slopes of D other than 1, between data and fakes",
    "train.checkpoint_every": "images between two checkpoints",
    "train.batch": "samples in one step",
    "train.balance": "auto: slow D down while it is far ahead; fixed: only measure; rest: D pauses while it is far ahead; off",
}


def explain_settings(game: str, names: Iterable[str]) -> dict[str, str]:
    """Setting, as train.batch -> what it means; those without a known meaning are left out."""
    texts = {**read_comments(game), **PLAIN}
    return {name: texts[name].replace("`", "") for name in names if name in texts}


@functools.cache
def read_comments(game: str) -> dict[str, str]:
    """The comments of all settings of a game's recipes; of an unknown game those of the training and of the data."""
    texts = _collect(TrainConfig, "train") | _collect(DataConfig, "data") | _collect(Ramp, "train.schedule")
    texts |= _collect(Adam, "train.adam")
    kind = GAMES.get(game)
    return texts if kind is None else texts | _collect(kind.config_type, "config")


def _collect(kind: Any, prefix: str) -> dict[str, str]:
    """Comments beside the fields of a dataclass, of those it inherits from, and of the dataclasses within it."""
    texts: dict[str, str] = {}
    families: Any = [each for each in reversed(kind.__mro__) if dataclasses.is_dataclass(each)]
    for each in families:
        found = FIELD.findall(inspect.getsource(each))
        texts |= {f"{prefix}.{name}": text for name, text in found if text and not text.startswith("noqa")}
    for field in dataclasses.fields(kind):
        if dataclasses.is_dataclass(type(field.default)):
            texts |= _collect(type(field.default), f"{prefix}.{field.name}")
    return texts
