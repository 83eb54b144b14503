"""Facts about a data set that decide settings of a game: modality and shape of a sample, classes, alphabet."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, ClassVar, Protocol, Self, TypeVar

from ganvas.core.modality import Modality

Config = TypeVar("Config", bound=Any)


@dataclass(frozen=True)
class Facts:
    """The facts about one data set."""

    modality: Modality  # of the main field
    shape: tuple[int, ...]  # of one sample of it: [D], [C, H, W], [C, D, H, W], [L]
    shapes: Mapping[str, tuple[int, ...]] = field(default_factory=dict)  # of one sample of each field
    classes: int = 0  # 0: no labels
    alphabet: str = ""  # of text
    vocabulary: int = 0  # of text, the end of a line included
    names: Mapping[str, str] = field(default_factory=dict)  # field -> what the user calls it, in the order from, to: a, b
    legend: tuple[str, ...] = ()  # of label maps: the name of each class
    colors: tuple[tuple[int, int, int], ...] = ()  # and its color, RGB from 0 to 255

    def fill(self, config: Config, **changes: Any) -> Config:
        """A copy of the settings dataclass `config` with `changes`, and with the facts for which it has fields.

        These are `classes` (of the samples, or else of label maps), and for images and voxels `channels` and `resolution`.
        The names of two domains are `domains`; of label maps there are `legend` and `colors`.
        """
        values: dict[str, Any] = {"classes": self.classes or len(self.legend), "legend": self.legend, "colors": self.colors}
        if self.names:
            values |= {"domains": tuple(self.names.values())}
        if self.modality.grid:
            values |= {"channels": self.shape[0], "resolution": self.shape[-1]}
        known = {setting.name for setting in dataclasses.fields(config)}
        return dataclasses.replace(config, **{name: value for name, value in values.items() if name in known} | changes)


class Adapts(Protocol):
    """Settings of a game that takes other data than images. Settings without this take images, and get `Facts.fill`."""

    takes: ClassVar[tuple[Modality, ...]]  # kinds of samples

    def adapt(self, facts: Facts) -> Self:
        """The settings for this data.

        Raises:
            UsageError: a setting does not fit it.
        """
