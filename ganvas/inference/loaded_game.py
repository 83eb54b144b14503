"""A trained game with its card: what it is, its classes, and a stream of its samples."""

from __future__ import annotations

import warnings
from collections.abc import Iterable, Iterator, Mapping, Sequence
from functools import cached_property
from pathlib import Path
from typing import Any, Literal

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from ganvas.config import DataConfig
from ganvas.core.capabilities import (
    Animates,
    Classifies,
    Conditional,
    Couples,
    Inpaints,
    Samples,
    Styled,
    TakesInputs,
    Translates,
    Upscales,
    Writes,
)
from ganvas.core.fields import FIELDS
from ganvas.core.game import Game
from ganvas.core.modality import LABEL_MAPS, POINTS, TEXT, Modality, modality_of_shape
from ganvas.data.source_names import is_here
from ganvas.data.units import Units
from ganvas.errors import DataError, GanvasWarning, UsageError
from ganvas.inference import encoding
from ganvas.inference.batches import make_sampler, sample_chunks
from ganvas.inference.class_names import find_class
from ganvas.inference.codes import Codes, load_codes
from ganvas.inference.latent_space import Space, noise, space
from ganvas.latents.seed_latents import latents
from ganvas.runtime import placement
from ganvas.utils.parsing import printable, require_whole

Label = int | str | Sequence[int | str] | None  # a class by number or name, several, "all" or None: every one in turn
Array = np.ndarray[Any, Any]
# Which method makes the output of a game that takes inputs.
INPUT_METHODS: Mapping[type, str] = {
    Translates: "translate(inputs, direction)",
    Animates: "animate(source, driving)",
    Inpaints: "inpaint(images, masks)",
    Upscales: "upscale(images)",
}
INPUT_COMMANDS: Mapping[type, str] = {
    Translates: "ganvas translate RUN photo.png",
    Animates: "ganvas animate RUN picture.png --driving nod",
    Inpaints: "ganvas inpaint RUN photo.png --mask mask.png",
    Upscales: "ganvas translate RUN photo.png",
}


class LoadedGame:
    """A trained game, and its card, which describes it."""

    def __init__(self, game: Game, card: dict[str, Any], identity: str) -> None:
        self.game, self.card, self.identity = game, card, identity

    @property
    def drawer(self) -> Samples:
        """The game as a generator of samples from noise.

        Raises:
            UsageError: it is none; the message names the method to use.
        """
        if isinstance(self.game, Samples):
            return self.game
        if isinstance(self.game, TakesInputs):
            kinds = [kind for kind in INPUT_METHODS if isinstance(self.game, kind)]
            methods = " or ".join(f"Model.{INPUT_METHODS[kind]}" for kind in kinds)
            commands = " or ".join(INPUT_COMMANDS[kind] for kind in kinds)
            if isinstance(self.game, Translates) and takes_maps(self.game):
                methods, commands = "Model.paint(map)", "ganvas paint RUN map.png"
            raise UsageError(
                f"{self.name} makes its output from inputs, not from noise alone; use {commands} (in Python {methods})"
            )
        if isinstance(self.game, Classifies):
            page = "ganvas export RUN --html demo.html makes a page that names what you draw"
            raise UsageError(f"{self.name} names classes, and generates nothing: ganvas eval RUN measures it, {page}")
        raise UsageError(f"{self.name} does not generate anything; choose a model of a generative game")

    @property
    def name(self) -> str:
        """The name of its recipe."""
        return printable(self.card["recipe"]["name"])

    @property
    def device(self) -> torch.device:
        """Where the networks compute. Samples and codes come back to the CPU."""
        return placement.device_of(self.game)

    @cached_property
    def shape(self) -> tuple[int, ...]:
        """The shape of one sample: (C, H, W), (C, D, H, W), (D,), or (L,) of text.

        Raises:
            UsageError: the config does not say, and the game does not sample from noise.
        """
        config = self.game.config
        if hasattr(config, "shape"):
            return tuple(config.shape)
        if hasattr(config, "resolution") and hasattr(config, "channels"):
            return (config.channels, *[config.resolution] * getattr(config, "dims", 2))
        if isinstance(self.game, Writes):
            return (config.length,)
        c = torch.zeros(1, dtype=torch.int64) if self.classes else None
        return tuple(sample_chunks(self.drawer, latents([0], self.drawer.latent_dim), c, chunk=1).shape[1:])

    @property
    def modality(self) -> Modality:
        """The kind of its samples: points, images, voxels or text."""
        return TEXT if isinstance(self.game, Writes) else modality_of_shape(self.shape)

    @cached_property
    def units(self) -> Units | None:
        """The units of its points, in which `stream` gives them; None: those of the networks.

        Raises:
            DataError: its card has no such units.
        """
        data = self.card["recipe"].get("data")
        center, scale = (data.get("center", ()), data.get("scale", ())) if isinstance(data, dict) else ((), ())
        if not center and not scale:
            return None
        if self.modality is not POINTS or not _are_numbers(center) or not _are_numbers(scale) or min(scale, default=0) <= 0:
            raise DataError(f"{self.name}: its card has no sensible data.center and data.scale; train it again")
        units = Units(tuple(map(float, center)), tuple(map(float, scale)))
        units.require(self.shape[0], self.name)
        return units

    @property
    def white(self) -> float | None:
        """The setting `data.white` of its training: the number in a picture that is white; None: by the range of all."""
        data = self.card["recipe"].get("data")
        white = data.get("white") if isinstance(data, dict) else None
        if not isinstance(white, int | float) or isinstance(white, bool) or not 0 < white < float("inf"):
            return None
        return float(white)

    def data_config(self, source: str, split: Literal["train", "test"] = "train") -> DataConfig:
        """How to read `source` to compare with samples: made square as the training data were; their white, if it is those."""
        data = self.card["recipe"]["data"]
        white = self.white if source == data["source"] else None
        return DataConfig(source=source, split=split, fit=data.get("fit", "crop"), white=white)

    @property
    def classes(self) -> list[str]:
        """The names of the classes it can generate on request."""
        return list(map(printable, self.card["classes"])) if isinstance(self.game, Conditional) else []

    @property
    def named_classes(self) -> list[str]:
        """The names of the classes it can name, in the order of `Model.classify`; [] for a game that does not classify."""
        return list(map(printable, self.card["classes"])) if isinstance(self.game, Classifies) else []

    def choose_classes(self, label: Label) -> list[int]:
        """The numbers of the classes that `label` names: None or "all" all of them; [] for a model without classes.

        Raises:
            UsageError: no such class, or the model has none.
        """
        if not self.classes:
            if label is not None:
                raise UsageError("this model was trained without classes; leave --label out")
            return []
        if label is None or label == "all":
            return list(range(len(self.classes)))
        several = [label] if isinstance(label, str) or not isinstance(label, Iterable) else list(label)
        names = [name for name in several if isinstance(name, str)]
        if len(several) == len(names) > 1 and (whole := ",".join(names)) in self.classes:
            return [self.class_index(whole)]  # the command line cuts at commas, which a name may have
        return [self.class_index(name) for name in several]

    def classes_in_turn(self, label: Label, n: int, first: int = 0) -> Tensor | None:
        """The classes [n] of samples first .. first + n - 1: those that `label` names, in turn; None without classes.

        Raises:
            UsageError: no such class, or the model has none.
        """
        chosen = self.choose_classes(label)
        return torch.tensor([chosen[i % len(chosen)] for i in range(first, first + n)]) if chosen else None

    def classes_of(self, seeds: Sequence[int] | Codes, label: Label) -> Tensor | None:
        """The classes [N] of seeds, or of codes: those that `label` names, in turn; of codes by default their own.

        Raises:
            UsageError: no such class, or the model has none.
        """
        if isinstance(seeds, Codes) and seeds.classes is not None and label is None:
            return seeds.classes
        return self.classes_in_turn(label, len(seeds))

    def load_codes(self, path: str | Path) -> Codes:
        """The codes in a file of `ganvas invert`, to use in place of seeds; of FILE#NAME the one of this name.

        A `GanvasWarning` tells of codes that were found with another model, for they show other pictures here.

        Raises:
            DataError: not codes of such a model, or no such name.
        """
        styles = self.drawer.styles if isinstance(self.drawer, Styled) else 0
        codes = load_codes(path, self.drawer.latent_dim, len(self.classes), styles)
        if codes.model not in ("", self.identity):
            doubt = f"found with the model {codes.model}, and this is {self.identity}: they may show something else here"
            warnings.warn(f"{printable(path)}: {doubt}", GanvasWarning, stacklevel=2)
        return codes

    def class_index(self, name: int | str) -> int:
        """The number of a class given by its number (7, "#7") or its name ("cat", "7"); see `find_class`.

        Raises:
            UsageError: no such class; names the nearest.
        """
        return find_class(name, self.classes)

    def stream(
        self,
        n: int,
        seed: int = 0,
        label: Label = None,
        psi: float = 1.0,
        truncate: float | None = None,
        chunk: int = 512,
        temperature: float = 1.0,
    ) -> Iterator[tuple[Tensor, Tensor | None]]:
        """Samples of seeds seed .. seed+n in float [k, ...] (text: int64 [k, L]), with their classes [k], a few at a time.

        Raises:
            UsageError: fewer than one sample, no such class, a truncation that the game does not have, or a game that takes
                inputs.
        """
        require_whole("the number of samples", n)
        require_whole("seed", seed)
        if n < 1:
            raise UsageError(f"the number of samples must be at least 1, got {n}")
        share, draw = self.together(label), make_sampler(self.drawer, psi, temperature)
        for first in range(0, n, chunk):
            rows = range(first, min(n, first + chunk))
            c = self.classes_in_turn(label, len(rows), first)
            z = noise(self.drawer, [seed + i // share for i in rows], truncate)
            samples = sample_chunks(self.drawer, z, c, draw=draw)
            yield self._in_own_units(samples), c

    def data_source(self, given: str | None, option: str) -> str:
        """The data source to use: `given`, or that of the training. `option` is the flag that names another source.

        Raises:
            DataError: it is not on this machine: a bundle holds only the last part of a path.
        """
        if given is not None:
            return given
        source = str(self.card["recipe"]["data"]["source"])
        if not is_here(source):
            uses = [text for kind, text in INPUT_COMMANDS.items() if isinstance(self.game, kind)]
            own = f"; pictures of your own need no data: {' or '.join(uses)}" if uses else ""
            raise DataError(f"this model was trained on {source!r}, which is not here; say where it is with {option} PATH{own}")
        return source

    def together(self, label: Label) -> int:
        """The number of consecutive samples with one seed: the number of classes if the game `Couples` them and no class is
        chosen, else 1.
        """
        return len(self.classes) if isinstance(self.game, Couples) and label in (None, "all") else 1

    @property
    def directions(self) -> tuple[str, ...]:
        """The directions of a translation, such as "a>b"; () of another game."""
        return self.game.directions if isinstance(self.game, Translates) else ()

    def _require(self, capability: type, verb: str) -> Any:
        """The game, if it has the capability. Raises: UsageError: it does not."""
        if not isinstance(self.game, capability):
            raise UsageError(f"{self.name} does not {verb}; choose a model of a game that does")
        return self.game

    def provenance(self, seeds: str) -> dict[str, str]:
        """The origin of a picture, to be written into its file."""
        return {"model": self.identity, "recipe": self.name, "seeds": seeds, "synthetic": "true"}

    def space(self, name: str | None = None, label: Label = None) -> Space:
        """The latent space: z, or the styles w of a StyleGAN model; None: w if the model has it."""
        return space(self.drawer, name, self.choose_classes(label) if self.together(label) > 1 else ())

    def _as_samples(self, samples: npt.ArrayLike) -> Tensor:
        """Samples as the user has them -> as the networks take them."""
        if self.units is None or np.shape(samples)[1:] != self.shape:
            return encoding.as_samples(samples, self.shape)
        own = torch.as_tensor(np.asarray(samples, np.float64))
        return encoding.as_samples(self.units.standardize(own).numpy(), self.shape)

    def _in_own_units(self, samples: Tensor) -> Tensor:
        """Samples of the networks -> in the units of the user."""
        return samples if self.units is None else self.units.restore(samples)


def takes_maps(game: Translates) -> bool:
    """Whether all that the game translates are label maps."""
    return all(FIELDS[direction.partition(">")[0]].modalities == (LABEL_MAPS,) for direction in game.directions)


def _are_numbers(values: Any) -> bool:
    return isinstance(values, (list, tuple)) and all(type(v) in (int, float) and abs(v) < float("inf") for v in values)
